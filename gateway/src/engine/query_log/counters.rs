//! Sums over all statements of a server; they only grow.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Entry;
use crate::error::SqlState;

/// The upper bounds of the histogram of durations.
pub const SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0];

#[derive(Debug, Default)]
pub struct Counters {
    pub started: AtomicU64,
    pub succeeded: AtomicU64,
    pub failed: AtomicU64,
    pub canceled: AtomicU64,
    pub rows: AtomicU64,
    pub microseconds: AtomicU64,
    /// Statements by their durations: in each bucket of `SECONDS` those that are in none before.
    pub durations: [AtomicU64; SECONDS.len()],
    pub bytes_sent: AtomicU64,
    pub bytes_read: AtomicU64,
    pub files_scanned: AtomicU64,
    pub files_pruned: AtomicU64,
    pub cache_hits: AtomicU64,
}

impl Counters {
    pub(super) fn ended(&self, entry: &Entry, failure: Option<SqlState>) {
        let add = |counter: &AtomicU64, count: u64| counter.fetch_add(count, Ordering::Relaxed);
        let outcome = match failure {
            None => &self.succeeded,
            Some(SqlState::QueryCanceled) => &self.canceled,
            Some(_) => &self.failed,
        };
        add(outcome, 1);
        add(&self.rows, entry.rows());
        let elapsed = entry.elapsed();
        add(&self.microseconds, u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        let bucket = SECONDS.iter().position(|bound| elapsed.as_secs_f64() <= *bound);
        if let Some(bucket) = bucket.and_then(|at| self.durations.get(at)) {
            add(bucket, 1);
        }
        let read = entry.read();
        add(&self.bytes_read, read.bytes);
        add(&self.files_scanned, read.files_scanned);
        add(&self.files_pruned, read.files_pruned);
        add(&self.cache_hits, read.cache_hits);
    }
}
