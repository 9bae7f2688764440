//! Small files that were read and have no shadow: from when on they are worth one together.
//!
//! Owns: how many are enough, and that those of one table and the same columns come together. Pure.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;

use super::{FILE_BYTES_MIN, Id, READ_ONCE_BYTES_MIN};
use crate::format::Opened;

/// So many files that were read twice are worth a shadow, or such with as much text as one file that has its own: to open a
/// pack costs about as much as to open one of them.
const FILES_MIN: usize = 16;

/// So many that were read once: who opens them all will do so again.
const READ_ONCE_FILES_MIN: usize = 64;

/// What one pack holds at most.
pub(super) const PACK_FILES_MAX: usize = 4_096;
pub(super) const PACK_BYTES_MAX: u64 = 64 << 20;

/// Of all tables together. What is beyond is forgotten, and told of again by the next queries.
const FILES_MAX: usize = 65_536;

/// A query that goes on reading tells of more files within this time.
pub(super) const QUIET_AFTER: Duration = Duration::from_secs(1);

/// Whether files are worth a shadow together.
pub(super) fn are_enough(files: usize, bytes: u64) -> bool {
    files >= FILES_MIN || (files > 1 && bytes >= FILE_BYTES_MIN)
}

/// Files that shall have one shadow.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) opened: Arc<Opened>,
    pub(super) columns: SchemaRef,
    pub(super) ids: Vec<Id>,
}

/// What was told of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing new.
    Known,
    New,
    /// There are enough now.
    Enough,
    /// There are as many as one pack can hold.
    Full,
}

#[derive(Debug, Default)]
pub(super) struct Gathered {
    groups: HashMap<u64, Group>,
    files: usize,
}

/// The files of one table with the same columns.
#[derive(Debug)]
struct Group {
    opened: Weak<Opened>,
    columns: SchemaRef,
    /// Whether each was read more than once.
    files: HashMap<Id, bool>,
    bytes: u64,
    again: usize,
    again_bytes: u64,
    changed_at: Instant,
}

impl Group {
    fn new(opened: &Arc<Opened>, columns: &SchemaRef) -> Self {
        let (opened, columns, changed_at) = (Arc::downgrade(opened), Arc::clone(columns), Instant::now());
        Self { opened, columns, files: HashMap::new(), bytes: 0, again: 0, again_bytes: 0, changed_at }
    }

    fn is_enough(&self) -> bool {
        are_enough(self.again, self.again_bytes)
            || self.files.len() >= READ_ONCE_FILES_MIN
            || (self.files.len() > 1 && self.bytes >= READ_ONCE_BYTES_MIN)
    }
}

impl Gathered {
    /// Takes note that a small file of a table was read.
    pub(super) fn see(&mut self, opened: &Arc<Opened>, columns: &SchemaRef, (id, bytes): (Id, u64)) -> Told {
        let Some(file) = opened.content.file(0) else { return Told::Known };
        if self.files >= FILES_MAX {
            *self = Self::default();
        }
        let mut key = DefaultHasher::new();
        (&file.source().root, &file.table, columns.fields()).hash(&mut key);
        let group = self.groups.entry(key.finish()).or_insert_with(|| Group::new(opened, columns));
        // The last version of the table has the files that will be read.
        group.opened = Arc::downgrade(opened);
        match group.files.insert(id, false) {
            None => {
                group.bytes += bytes;
                self.files += 1;
            }
            Some(was_again) => {
                group.files.insert(id, true);
                if was_again {
                    return Told::Known;
                }
                group.again += 1;
                group.again_bytes += bytes;
            }
        }
        group.changed_at = Instant::now();
        match group.is_enough() {
            true if group.files.len() >= PACK_FILES_MAX || group.bytes >= PACK_BYTES_MAX => Told::Full,
            true => Told::Enough,
            false => Told::New,
        }
    }

    /// Takes out the groups that are large enough and to which nothing was added for some time; true if others are left that
    /// are large enough.
    pub(super) fn take(&mut self, quiet_for: Duration) -> (Vec<Batch>, bool) {
        let (mut batches, mut is_more, mut files) = (Vec::new(), false, 0);
        self.groups.retain(|_, group| {
            let is_full = group.files.len() >= PACK_FILES_MAX || group.bytes >= PACK_BYTES_MAX;
            let is_enough = group.is_enough();
            if is_enough && (is_full || group.changed_at.elapsed() >= quiet_for) {
                // Of a table that is no more nothing will be read.
                if let Some(opened) = group.opened.upgrade() {
                    let (columns, ids) = (Arc::clone(&group.columns), group.files.keys().copied().collect());
                    batches.push(Batch { opened, columns, ids });
                }
                return false;
            }
            is_more |= is_enough;
            files += group.files.len();
            true
        });
        self.files = files;
        (batches, is_more)
    }
}
