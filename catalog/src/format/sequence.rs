//! Reads a file from its start to its end, in parts that are asked for ahead and kept as those of Parquet are.
//!
//! Owns: that no more of a file is in memory than is asked for at once, and a part. Must never know: formats.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::Error;
use crate::pinned::Pinned;

/// The first part, which often tells all that is to be known, and the others.
const FIRST_BYTES: u64 = 64 << 10;
const PART_BYTES: u64 = 4 << 20;

/// Parts that are read at once.
const AHEAD: usize = 2;

/// A file that is being read.
pub(super) struct Sequence {
    parts: BoxStream<'static, Result<Bytes, Error>>,
    current: Bytes,
    /// What is not taken, of all of the file.
    pub(super) rest: u64,
}

impl Sequence {
    pub(super) fn new(file: &Arc<Pinned>) -> Self {
        let (file, bytes) = (Arc::clone(file), file.file.bytes);
        let others =
            (0..bytes.saturating_sub(FIRST_BYTES).div_ceil(PART_BYTES)).map(|at| FIRST_BYTES + at * PART_BYTES);
        let read = move |start: u64| {
            let file = Arc::clone(&file);
            let range = start..bytes.min(if start == 0 { FIRST_BYTES } else { start + PART_BYTES });
            async move { Ok(file.ranges(&[range]).await?.pop().unwrap_or_default()) }
        };
        let first = futures::stream::once(read(0));
        let others = futures::stream::iter(others).map(read).buffered(AHEAD);
        // Who takes only the head asks for no more.
        Self { parts: first.chain(others).boxed(), current: Bytes::new(), rest: bytes }
    }

    /// The next bytes, all of them; `None` if the file ends before.
    pub(super) async fn take(&mut self, bytes: u64) -> Result<Option<Bytes>, Error> {
        let Some(wanted) = usize::try_from(bytes).ok().filter(|_| bytes <= self.rest) else { return Ok(None) };
        self.rest -= bytes;
        if self.current.is_empty() && wanted > 0 {
            self.current = self.parts.try_next().await?.unwrap_or_default();
        }
        if wanted <= self.current.len() {
            return Ok(Some(self.current.split_to(wanted)));
        }
        let mut taken = BytesMut::with_capacity(wanted);
        while taken.len() < wanted {
            if self.current.is_empty() {
                let Some(part) = self.parts.try_next().await? else { return Ok(None) };
                self.current = part;
            }
            taken.extend_from_slice(&self.current.split_to(self.current.len().min(wanted - taken.len())));
        }
        Ok(Some(taken.freeze()))
    }

    /// Goes on behind the next bytes; false if the file ends before.
    pub(super) async fn skip(&mut self, mut bytes: u64) -> Result<bool, Error> {
        while bytes > 0 {
            let step = bytes.min(PART_BYTES);
            if self.take(step).await?.is_none() {
                return Ok(false);
            }
            bytes -= step;
        }
        Ok(true)
    }
}
