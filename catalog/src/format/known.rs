//! What is known of the rows of a table's files: of Parquet when it is opened, of text when it was read.
//!
//! Owns: that what becomes known is there for the next query. Must never do: read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use arrow::array::UInt64Array;
use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use parking_lot::Mutex;

use super::Opened;
use super::bounds::{Bounds, FileBounds};
use crate::prune::Partitions;
use crate::unread::Tuples;

/// What is known of all files at one moment.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) bounds: Bounds,
    /// One for each file that has rows, if nobody knows how many.
    present: Option<UInt64Array>,
    tuples: Tuples,
}

/// What is known now, and what was told since.
#[derive(Debug)]
pub(crate) struct Knowledge {
    now: ArcSwap<Known>,
    /// Of each file of text.
    told: Mutex<Vec<Option<Arc<FileBounds>>>>,
    /// Whether a look at a file of text has met a row.
    has_rows: Vec<bool>,
    is_stale: AtomicBool,
}

impl From<Bounds> for Knowledge {
    fn from(bounds: Bounds) -> Self {
        let known = Known { bounds, present: None, tuples: Tuples::default() };
        let (told, has_rows, is_stale) = (Mutex::default(), Vec::new(), AtomicBool::new(false));
        Self { now: ArcSwap::from_pointee(known), told, has_rows, is_stale }
    }
}

impl Knowledge {
    /// Of files of text.
    pub(super) fn of_text(bounds: Bounds, has_rows: Vec<bool>) -> Self {
        let told = Mutex::new(vec![None; has_rows.len()]);
        Self { told, has_rows, is_stale: AtomicBool::new(true), ..Self::from(bounds) }
    }

    pub(super) fn now(&self, partitions: &Partitions, schema: &Schema) -> Arc<Known> {
        if self.is_stale.load(Ordering::Relaxed) {
            // Who comes second waits and finds it done.
            let told = self.told.lock();
            if self.is_stale.swap(false, Ordering::Relaxed) {
                let mut bounds = Bounds::of_partitions(told.len(), &partitions.columns());
                bounds.add_some(schema, &told);
                let present = told.iter().zip(&self.has_rows).map(|(told, has_rows)| match told {
                    Some(told) => Some(told.rows.min(1)),
                    None => has_rows.then_some(1),
                });
                let present = present.collect::<Option<Vec<u64>>>().map(UInt64Array::from);
                self.now.store(Arc::new(Known { bounds, present, tuples: Tuples::default() }));
            }
        }
        self.now.load_full()
    }

    /// Takes what a reader of a file of text tells; false if more of it was known.
    pub(super) fn tell(&self, at: usize, bounds: FileBounds) -> bool {
        let mut told = self.told.lock();
        let Some(file) = told.get_mut(at) else { return false };
        if file.as_ref().is_some_and(|known| known.columns.len() >= bounds.columns.len()) {
            return false;
        }
        *file = Some(Arc::new(bounds));
        self.is_stale.store(true, Ordering::Relaxed);
        true
    }

    /// What was told of each file of text.
    pub(super) fn told(&self) -> Vec<Option<Arc<FileBounds>>> {
        self.told.lock().clone()
    }
}

impl Known {
    /// What the names of folders tell: with the rows below them, or at least that there are some.
    pub(super) fn tuples(&self, partitions: &Partitions, is_counted: bool) -> Option<Arc<dyn TableProvider>> {
        let counted = self.bounds.rows();
        let rows = counted.or_else(|| self.present.as_ref().filter(|_| !is_counted));
        rows?;
        self.tuples.get(|| partitions.columns(), counted.or(self.present.as_ref())).map(Arc::clone)
    }
}

impl Opened {
    /// What is known of its rows now.
    pub(crate) fn known(&self) -> Arc<Known> {
        self.knowledge.now(&self.partitions, &self.file_schema)
    }

    /// Takes what is told of a file of text; false if more of it was known.
    pub(crate) fn tell(&self, at: usize, bounds: FileBounds) -> bool {
        self.knowledge.tell(at, bounds)
    }

    /// What was told of each file of text.
    pub(crate) fn told(&self) -> Vec<Option<Arc<FileBounds>>> {
        self.knowledge.told()
    }

    /// The rows of each file, in their order, as far as they are known.
    pub(crate) fn rows(&self) -> Vec<Option<u64>> {
        match self.content.counted() {
            Some(files) => files.iter().map(|(_, rows)| u64::try_from(*rows).ok()).collect(),
            None => self.told().iter().map(|told| told.as_ref().map(|told| told.rows)).collect(),
        }
    }

    /// What the names of folders tell, if there are any: with the rows below them, or at least that there are some.
    pub(crate) fn tuples(&self, is_counted: bool) -> Option<Arc<dyn TableProvider>> {
        let has_folders = !self.partitions.fields.is_empty();
        has_folders.then(|| self.known().tuples(&self.partitions, is_counted)).flatten()
    }
}
