//! What the scans of one statement have opened and read, for whoever asked.
//!
//! Owns: the sums. Must never know: a plan, or what is read for.

use std::sync::atomic::{AtomicU64, Ordering};

/// An extension of what a statement is planned and runs with.
#[derive(Debug, Default)]
pub struct Reads {
    files_scanned: AtomicU64,
    files_pruned: AtomicU64,
    bytes_scanned: AtomicU64,
    bytes: AtomicU64,
    cache_hits: AtomicU64,
}

impl Reads {
    /// A scan opens so many of the files of its table, of so many bytes.
    pub(crate) fn chose(&self, (scanned, bytes): (usize, u64), of: usize) {
        self.bytes_scanned.fetch_add(bytes, Ordering::Relaxed);
        self.files_scanned.fetch_add(scanned as u64, Ordering::Relaxed);
        self.files_pruned.fetch_add(of.saturating_sub(scanned) as u64, Ordering::Relaxed);
    }

    pub(crate) fn took(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn hit(&self, count: usize) {
        self.cache_hits.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// The plan is made once more.
    pub fn forget(&self) {
        [&self.files_scanned, &self.files_pruned, &self.bytes_scanned, &self.bytes, &self.cache_hits]
            .into_iter()
            .for_each(|sum| sum.store(0, Ordering::Relaxed));
    }

    /// Files of which rows may come.
    pub fn files_scanned(&self) -> u64 {
        self.files_scanned.load(Ordering::Relaxed)
    }

    /// Bytes of the files of which rows may come, as the plan has it.
    pub fn bytes_scanned(&self) -> u64 {
        self.bytes_scanned.load(Ordering::Relaxed)
    }

    /// Files of the same tables that conditions have ruled out.
    pub fn files_pruned(&self) -> u64 {
        self.files_pruned.load(Ordering::Relaxed)
    }

    /// Bytes that the store gave.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Reads that the local disk has answered in place of the store: ranges that were kept, and shadows.
    pub fn cache_hits(&self) -> u64 {
        self.cache_hits.load(Ordering::Relaxed)
    }
}
