//! Records that were left out because a definition says so, for `system.rejects`.
//!
//! Owns: that each is counted once, however often and how far its file is read. Must never know: queries.

use parking_lot::Mutex;

/// The records of one file that are kept to be shown; the others are only counted.
const KEPT_MAX: usize = 100;

/// A record that is in no row.
#[derive(Debug, Clone)]
pub(crate) struct Reject {
    pub(crate) line: u64,
    pub(crate) column: Option<String>,
    pub(crate) reason: String,
    /// The start of the value, or of the record.
    pub(crate) text: String,
}

/// The rejects of one file, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Rejects(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    last_line: u64,
    count: u64,
    kept: Vec<Reject>,
}

impl Rejects {
    /// Counts a record, unless a reader before has. Every reader meets the same records in the same order, so that those
    /// behind the last line are the new ones.
    pub(super) fn add(&self, line: u64, reject: impl FnOnce() -> Reject) {
        let mut found = self.0.lock();
        if line <= found.last_line {
            return;
        }
        found.last_line = line;
        found.count += 1;
        if found.kept.len() < KEPT_MAX {
            found.kept.push(reject());
        }
    }

    /// How many there are, and the first of them.
    pub(crate) fn found(&self) -> (u64, Vec<Reject>) {
        let found = self.0.lock();
        (found.count, found.kept.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_counted_once() {
        let rejects = Rejects::default();
        let add = |line| {
            let reject = || Reject { line, column: None, reason: "r".into(), text: "t".into() };
            rejects.add(line, reject);
        };
        (1..=150).for_each(add);
        (1..=151).for_each(add);
        let (count, kept) = rejects.found();
        assert_eq!((count, kept.len()), (151, KEPT_MAX));
    }
}
