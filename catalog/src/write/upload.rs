//! The bytes of one object on their way to the store.
//!
//! Owns: that a large object goes in parts, as they come. Must never know: what the bytes are.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, WriteMultipart};

use super::Fault;
use super::leftovers::Held;
use crate::Error;
use crate::store::Source;

/// Larger objects go to the store in parts of this size, so many at once.
const PART_BYTES: usize = 8 << 20;
const PARTS_AT_ONCE: usize = 3;

/// An object that is not complete.
pub(super) struct Upload {
    pub(super) path: Path,
    /// Less than a part.
    bytes: Vec<u8>,
    sent: u64,
    parts: Option<WriteMultipart>,
}

impl Upload {
    pub(super) fn new(path: Path) -> Self {
        Self { path, bytes: Vec::new(), sent: 0, parts: None }
    }

    /// What it holds in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.len() + if self.parts.is_some() { PART_BYTES * PARTS_AT_ONCE } else { 0 }
    }

    /// How large it is so far, in the store or on its way.
    pub(super) fn bytes(&self) -> u64 {
        self.sent + self.bytes.len() as u64
    }

    /// Takes bytes away that come next.
    pub(super) fn take(&mut self, bytes: &mut Vec<u8>) {
        self.bytes.append(bytes);
    }

    /// Sends what is a part.
    pub(super) async fn send(&mut self, source: &Source) -> Result<(), Error> {
        if self.bytes.len() < PART_BYTES {
            return Ok(());
        }
        if self.parts.is_none() {
            let parts = source.store.put_multipart(&self.path).await.map_err(Fault::store)?;
            self.parts = Some(WriteMultipart::new_with_chunk_size(parts, PART_BYTES));
        }
        if let Some(parts) = &mut self.parts {
            parts.wait_for_capacity(PARTS_AT_ONCE).await.map_err(Fault::store)?;
            self.sent += self.bytes.len() as u64;
            parts.put(std::mem::take(&mut self.bytes).into());
        }
        Ok(())
    }

    /// Whether a part of it was sent.
    pub(super) fn is_in_parts(&self) -> bool {
        self.parts.is_some()
    }

    /// All of one that is not in parts.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Completes the object. An object in parts takes the place of another, whatever the mode.
    pub(super) async fn finish(mut self, source: &Source, mode: PutMode) -> Result<(), object_store::Error> {
        let rest = std::mem::take(&mut self.bytes);
        match self.parts.take() {
            None => {
                let options = PutOptions { mode, ..Default::default() };
                source.store.put_opts(&self.path, PutPayload::from(rest), options).await.map(drop)
            }
            Some(mut parts) => {
                parts.put(rest.into());
                parts.finish().await.map(drop)
            }
        }
    }

    /// Gives up: nothing of it stays.
    pub(super) fn abort(mut self, held: &Held) {
        if let Some(parts) = self.parts.take() {
            held.abort(parts);
        }
    }
}
