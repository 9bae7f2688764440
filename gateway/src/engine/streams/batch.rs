//! The records of one commit, decoded as they come.
//!
//! Owns: how much is held, and when it is enough. Must never know: a broker.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use catalog::{Decoded, Decoder, Records, Reject};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use tokio::time::Instant;

use crate::engine::Core;
use crate::error::{Error, Result};

/// What a commit may have of values, as they came.
const BYTES_MAX: usize = 64 << 20;
const REJECTS_MAX: usize = 10_000;

/// Values that are decoded are about so many times as large as they came.
const DECODED: usize = 2;

pub(super) struct Batch {
    pub(super) rows: Vec<RecordBatch>,
    pub(super) rejects: Vec<Reject>,
    pub(super) unknown_fields: u64,
    /// The record of each partition that comes next.
    pub(super) next: BTreeMap<i32, i64>,
    pub(super) count: usize,
    bytes: usize,
    memory: MemoryReservation,
    began_at: Option<Instant>,
    is_short: bool,
}

impl Batch {
    pub(super) fn new(core: &Core) -> Self {
        let memory = MemoryConsumer::new("records of a stream").register(&core.base.memory);
        let (rows, rejects, next) = Default::default();
        Self { rows, rejects, unknown_fields: 0, next, count: 0, bytes: 0, memory, began_at: None, is_short: false }
    }

    /// When its first record came.
    pub(super) fn began_at(&self) -> Option<Instant> {
        self.began_at
    }

    /// Whether no record shall follow.
    pub(super) fn is_full(&self, rows_max: usize) -> bool {
        self.is_short || self.count >= rows_max || self.bytes >= BYTES_MAX || self.rejects.len() >= REJECTS_MAX
    }

    /// Decodes records and adds what they are.
    pub(super) async fn add(&mut self, core: &Core, decoder: &Arc<Decoder>, records: Records) -> Result<()> {
        self.began_at.get_or_insert_with(Instant::now);
        self.count += records.len();
        self.bytes += records.bytes();
        // With what is here a commit can be made, which gives it back.
        self.is_short |= self.memory.try_resize(self.bytes * DECODED).is_err();
        for (partition, next) in records.ends() {
            self.next.insert(partition, next);
        }
        let decoder = Arc::clone(decoder);
        let decoding = core.cpu.spawn(async move { decoder.decode(&records) })?;
        let Decoded { rows, rejects, unknown_fields } =
            decoding.await.map_err(Error::internal)?.map_err(Error::internal)?;
        if rows.num_rows() > 0 {
            self.rows.push(rows);
        }
        self.rejects.extend(rejects);
        self.unknown_fields += unknown_fields;
        Ok(())
    }
}
