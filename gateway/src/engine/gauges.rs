//! What is told of the engine as a whole: to `/metrics`, and to who starts it.
//!
//! Owns: numbers of this moment. Must never know: how they are written.

use catalog::StreamFact;
use catalog::pg_catalog::MatviewFact;
use datafusion::execution::memory_pool::MemoryLimit;

use super::{Counters, Engine};

impl Engine {
    pub fn threads(&self) -> usize {
        self.core.cpu.threads()
    }

    pub fn counters(&self) -> &Counters {
        &self.core.log.counters
    }

    /// Bytes that running queries have reserved.
    pub fn memory_reserved(&self) -> usize {
        self.core.base.memory.reserved()
    }

    /// Bytes that running queries may reserve.
    pub fn memory_max(&self) -> usize {
        match self.core.base.memory.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes,
            MemoryLimit::Infinite | MemoryLimit::Unknown => 0,
        }
    }

    /// Statements that ended because the process held too much.
    pub fn evicted(&self) -> u64 {
        self.core.base.pressure.ended()
    }

    /// What is known of the materialized views of the lake.
    pub fn matviews(&self) -> Vec<MatviewFact> {
        self.core.matviews.facts(&self.core.lake.snapshot())
    }

    /// What is known of the streams of the lake.
    pub fn streams(&self) -> Vec<StreamFact> {
        self.core.streams.facts(&self.core.lake.snapshot())
    }

    /// Whether tables can be made and filled.
    pub fn is_writable(&self) -> bool {
        self.core.lake.is_writable()
    }

    /// Catalog statements that failed.
    pub fn unanswered(&self) -> u64 {
        self.core.unanswered.count()
    }

    /// Statements that run.
    pub fn running(&self) -> usize {
        self.core.log.running()
    }

    pub fn queued(&self) -> usize {
        self.core.admission.queued()
    }
}
