//! Small files of a table that are to become larger ones, with the same rows.
//!
//! Owns: which files are small, and which of them come together. Must never know: rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryReservation;

use super::commit::{Change, Removes};
use super::rows::{FILE_BYTES_MAX, OPEN_MAX};
use super::{Target, Writer};
use crate::format::delta::action::{Add, Metadata};

/// The property of a table that says how large its files are to be, as other engines know it.
const PROPERTY: &str = "delta.targetFileSize";

/// Files that one change takes away: each is a line of its commit.
const FILES_MAX: usize = 10_000;

/// Partitions whose files are open side by side.
const PARTITIONS_MAX: usize = OPEN_MAX / 2;

/// Files that are small, by their places among those of the target.
#[derive(Debug, Default)]
pub struct Small {
    /// Each of few partitions; those of one partition are together.
    pub groups: Vec<Vec<usize>>,
    /// Whether there are more, for another time.
    pub are_more: bool,
}

/// What a compaction has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    pub files_before: usize,
    pub bytes_before: u64,
    pub files_after: usize,
    pub bytes_after: u64,
}

impl Target {
    /// Files of partitions with more than one of them that are smaller than three quarters of what they should be: what is made of
    /// them is large, but for the last of each partition.
    pub fn small_files(&self) -> Small {
        let mut partitions: BTreeMap<&BTreeMap<String, Option<String>>, Vec<usize>> = BTreeMap::new();
        let small = self.file_bytes() / 4 * 3;
        let files = self.state.iter().flat_map(|state| state.files.values()).enumerate();
        for (place, file) in files.filter(|(_, file)| file.size < small) {
            partitions.entry(&file.partition_values).or_default().push(place);
        }
        partitions.retain(|_, places| places.len() > 1);
        let (mut found, mut room) = (Small::default(), FILES_MAX);
        let mut group = Vec::new();
        for (at, mut places) in partitions.into_values().enumerate() {
            found.are_more |= places.len() > room;
            places.truncate(room);
            if places.len() < 2 {
                break;
            }
            room -= places.len();
            group.extend(places);
            if (at + 1).is_multiple_of(PARTITIONS_MAX) {
                found.groups.push(std::mem::take(&mut group));
            }
        }
        found.groups.extend(Some(group).filter(|group| !group.is_empty()));
        found
    }

    /// Begins to write what takes the place of small files.
    pub fn compacting_writer(&self, memory: MemoryReservation) -> Writer {
        self.writer(memory).with_file_bytes(self.file_bytes())
    }

    /// Its files at some places.
    pub(super) fn at(&self, places: &[usize]) -> Vec<Arc<Add>> {
        let files: Vec<&Arc<Add>> = self.state.iter().flat_map(|state| state.files.values()).collect();
        places.iter().filter_map(|place| files.get(*place)).map(|file| Arc::clone(file)).collect()
    }

    fn file_bytes(&self) -> u64 {
        self.state.as_ref().and_then(|state| said(&state.metadata)).unwrap_or(FILE_BYTES_MAX)
    }
}

impl Change {
    /// A change that takes files away whose rows are added again: a table that only grows may have it too.
    pub fn compaction(target: Target, groups: &[Vec<usize>]) -> Self {
        let removes = Removes::These(target.at(&groups.concat()));
        let mut change = Self::new(target, "OPTIMIZE");
        (change.removes, change.is_compaction) = (removes, true);
        change
    }

    /// What it does to the files.
    pub fn compacted(&self) -> Compacted {
        let before = match &self.removes {
            Removes::These(files) => files.as_slice(),
            Removes::None | Removes::All => &[],
        };
        Compacted {
            files_before: before.len(),
            bytes_before: before.iter().map(|file| file.size).sum(),
            files_after: self.adds.len(),
            bytes_after: self.adds.iter().map(|add| add.size).sum(),
        }
    }
}

/// `134217728`, `128mb`, `1 GB`.
fn said(metadata: &Metadata) -> Option<u64> {
    let said = metadata.property(PROPERTY)?.trim().to_ascii_lowercase();
    let (digits, unit) = said.split_at(said.find(|char: char| !char.is_ascii_digit()).unwrap_or(said.len()));
    let shift = match unit.trim().trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_how_large_its_files_are() {
        let of = |value: &str| {
            said(&Metadata {
                format: None,
                schema_string: String::new(),
                partition_columns: Vec::new(),
                configuration: BTreeMap::from([(PROPERTY.to_owned(), Some(value.to_owned()))]),
                others: Default::default(),
            })
        };
        let cases = [
            ("134217728", Some(128 << 20)),
            ("128mb", Some(128 << 20)),
            ("1 GB", Some(1 << 30)),
            ("5k", Some(5 << 10)),
            ("0", None),
            ("large", None),
            ("99999999999999g", None),
        ];
        for (value, expected) in cases {
            assert_eq!(of(value), expected, "{value}");
        }
    }
}
