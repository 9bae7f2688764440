//! How far a refresh has come, while it runs.
//!
//! Owns: counters that are added to without a lock, and what a refresh is at. Must never know: a query.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use chrono::{DateTime, Utc};

/// One refresh that runs.
#[derive(Debug)]
pub struct Progress {
    pub started_at: DateTime<Utc>,
    phase: AtomicU8,
    /// 0 until it has one.
    epoch: AtomicU64,
    files_total: AtomicU64,
    files_done: AtomicU64,
    bytes_read: AtomicU64,
    /// Each batch that is written adds its own.
    rows_written: Arc<AtomicU64>,
}

/// What a refresh is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    Listing,
    Planning,
    Waiting,
    Writing,
    Committing,
}

const PHASES: [(Phase, &str); 5] = [
    (Phase::Listing, "listing the lake"),
    (Phase::Planning, "planning"),
    (Phase::Waiting, "waiting for another server"),
    (Phase::Writing, "writing rows"),
    (Phase::Committing, "committing"),
];

impl Default for Progress {
    fn default() -> Self {
        let (phase, epoch, files_total, files_done, bytes_read, rows_written) = Default::default();
        Self { started_at: Utc::now(), phase, epoch, files_total, files_done, bytes_read, rows_written }
    }
}

impl Progress {
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Begins to write rows; what an earlier try has done does not count.
    pub fn write(&self, epoch: u64) {
        for counter in [&self.files_total, &self.files_done, &self.bytes_read, &*self.rows_written] {
            counter.store(0, Ordering::Relaxed);
        }
        self.epoch.store(epoch, Ordering::Relaxed);
        self.enter(Phase::Writing);
    }

    pub fn expect_files(&self, files: usize) {
        self.files_total.store(files as u64, Ordering::Relaxed);
    }

    /// Counts files whose rows are all there.
    pub fn read(&self, files: usize, bytes: u64) {
        self.files_done.fetch_add(files as u64, Ordering::Relaxed);
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What counts rows as they are written.
    pub fn rows(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.rows_written)
    }

    pub fn phase(&self) -> &'static str {
        let phase = self.phase.load(Ordering::Relaxed);
        PHASES.iter().find(|(known, _)| *known as u8 == phase).map_or("", |(_, text)| text)
    }

    pub fn epoch(&self) -> Option<u64> {
        Some(self.epoch.load(Ordering::Relaxed)).filter(|epoch| *epoch > 0)
    }

    /// Files that were read and that will be, bytes read and rows written.
    pub fn counts(&self) -> [u64; 4] {
        [&self.files_done, &self.files_total, &self.bytes_read, &*self.rows_written]
            .map(|counter| counter.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_try_counts_anew() {
        let progress = Progress::default();
        assert_eq!((progress.phase(), progress.epoch()), ("listing the lake", None));
        progress.write(7);
        progress.expect_files(5);
        progress.read(2, 100);
        progress.read(1, 50);
        progress.rows().fetch_add(9, Ordering::Relaxed);
        assert_eq!((progress.phase(), progress.epoch()), ("writing rows", Some(7)));
        assert_eq!(progress.counts(), [3, 5, 150, 9]);
        progress.write(8);
        assert_eq!((progress.epoch(), progress.counts()), (Some(8), [0; 4]));
        for (phase, text) in PHASES {
            progress.enter(phase);
            assert_eq!(progress.phase(), text);
        }
    }
}
