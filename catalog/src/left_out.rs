//! The records that the scans of one statement have left out, as `on_error 'skip'` says, for whoever asked.
//!
//! Owns: that each counts once, however many scans of the statement meet it. Must never know: why it was left out.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

use crate::pinned::Pinned;

/// An extension of what a statement runs with. Holds one number per file that has such records.
#[derive(Debug, Default)]
pub struct LeftOut(Mutex<BTreeMap<String, HashMap<String, u64>>>);

impl LeftOut {
    /// Takes note of how many a scan has met in a file so far. All meet the same, in the same order.
    pub(crate) fn see(&self, file: &Pinned, count: u64) {
        let mut tables = self.0.lock();
        let files = tables.entry(file.table.clone()).or_default();
        let known = files.entry(file.key().to_owned()).or_default();
        *known = count.max(*known);
    }

    /// The tables, as `schema.name`, each with how many of its records were left out.
    pub fn by_table(&self) -> Vec<(String, u64)> {
        self.0.lock().iter().map(|(table, files)| (table.clone(), files.values().sum())).collect()
    }
}
