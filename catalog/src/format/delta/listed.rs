//! What a listing shows of a log: its commits and checkpoints, and from where it can be read to its end.
//!
//! Owns: the names of a log's files. `_last_checkpoint` is not asked: the listing is newer than any hint. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::path::Path;

use super::folder;
use crate::pinned::Pinned;

/// The files of a log by what they are.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) commits: BTreeMap<u64, Arc<Pinned>>,
    /// Each is whole; several of one version say the same.
    checkpoints: BTreeMap<u64, Vec<Vec<Arc<Pinned>>>>,
}

/// From where a log is read: a checkpoint, or nothing, and the commits behind it.
pub(super) struct Start<'a> {
    pub(super) checkpoint: &'a [Arc<Pinned>],
    /// The version before the first commit to read; `None` before any.
    pub(super) version: Option<u64>,
}

/// Which part of a checkpoint a file is: version, part, parts.
type Part = (u64, u64, u64);

impl Listed {
    pub(super) fn of(folder: &str, files: &[Arc<Pinned>]) -> Self {
        let mut listed = Self::default();
        let mut parts: BTreeMap<(u64, u64), BTreeMap<u64, Arc<Pinned>>> = BTreeMap::new();
        let log = format!("{}/", folder::log(folder));
        for file in files {
            let Some(name) = file.key().strip_prefix(&log) else { continue };
            if let Some(version) = name.strip_suffix(".json").and_then(version) {
                listed.commits.insert(version, Arc::clone(file));
            } else if let Some((version, part, of)) = multipart(name) {
                parts.entry((version, of)).or_default().insert(part, Arc::clone(file));
            } else if let Some(version) = checkpoint(name) {
                listed.checkpoints.entry(version).or_default().push(vec![Arc::clone(file)]);
            }
        }
        for ((version, of), parts) in parts {
            if parts.len() as u64 == of && parts.last_key_value().is_some_and(|(last, _)| *last == of) {
                listed.checkpoints.entry(version).or_default().push(parts.into_values().collect());
            }
        }
        listed
    }

    /// The version of the table.
    pub(super) fn newest(&self) -> Option<u64> {
        let commit = self.commits.last_key_value().map(|(version, _)| *version);
        commit.max(self.checkpoints.last_key_value().map(|(version, _)| *version))
    }

    /// Where reading up to `newest` can start: at the newest checkpoint, or at an earlier one if that is damaged.
    pub(super) fn starts(&self, newest: u64) -> impl Iterator<Item = Start<'_>> {
        let checkpoints = self
            .checkpoints
            .range(..=newest)
            .rev()
            .flat_map(|(version, all)| all.iter().map(|checkpoint| Start { checkpoint, version: Some(*version) }));
        let nothing = std::iter::once(Start { checkpoint: &[], version: None });
        checkpoints.chain(nothing).filter(move |start| self.gap(start.version, newest).is_none())
    }

    /// The first commit behind `version` that is missing.
    pub(super) fn gap(&self, version: Option<u64>, newest: u64) -> Option<u64> {
        let first = version.map_or(0, |version| version.saturating_add(1));
        let behind = self.commits.range(first..).map(|(version, _)| *version);
        let next = behind.zip(first..).find(|(version, expected)| version != expected);
        let reached = || first.saturating_add(self.commits.range(first..).count() as u64);
        match next {
            Some((_, expected)) => Some(expected).filter(|expected| *expected <= newest),
            None => Some(reached()).filter(|reached| *reached <= newest),
        }
    }

    /// Whether a version can be made of what is there.
    pub(super) fn is_readable(&self, version: u64, newest: u64) -> bool {
        version <= newest && self.starts(version).next().is_some()
    }

    /// The first version that can be made of what is there.
    pub(super) fn first_readable(&self, newest: u64) -> Option<u64> {
        let mut versions: Vec<u64> = self.commits.keys().chain(self.checkpoints.keys()).copied().collect();
        versions.sort_unstable();
        versions.into_iter().find(|version| self.is_readable(*version, newest))
    }

    /// Whether a checkpoint should follow this version, as none has since the last multiple of an interval.
    pub(super) fn is_due(&self, version: u64, interval: u64) -> bool {
        let multiple = version - version % interval.max(1);
        multiple > 0 && self.checkpoints.last_key_value().is_none_or(|(last, _)| *last < multiple)
    }

    /// The whole checkpoints of a version; each says the same.
    pub(super) fn checkpoints(&self, version: u64) -> impl Iterator<Item = &[Arc<Pinned>]> {
        self.checkpoints.get(&version).into_iter().flatten().map(Vec::as_slice)
    }

    /// Commits and checkpoints that no version needs which was the newest one since `since`, and the version whose checkpoint is
    /// in their place. A commit is as old as its file.
    pub(super) fn expired(&self, since: DateTime<Utc>) -> Option<(u64, Vec<Path>)> {
        let is_old = |file: &Pinned| file.file.modified_at < since;
        // The oldest of those versions; all that are newer have commits behind it.
        let old = self.commits.iter().take_while(|(_, commit)| is_old(commit)).last().map(|(version, _)| *version);
        let (kept, _) = self.checkpoints.range(..=old?).next_back()?;
        let newest = self.newest()?;
        if self.gap(Some(*kept), newest).is_some() {
            return None;
        }
        let checkpoints = self.checkpoints.range(..kept).flat_map(|(_, all)| all.iter().flatten());
        let files = self.commits.range(..kept).map(|(_, commit)| commit).chain(checkpoints);
        let paths: Vec<Path> = files.filter(|file| is_old(file)).map(|file| file.file.path.clone()).collect();
        (!paths.is_empty()).then_some((*kept, paths))
    }

    /// The first missing commit behind all that can be read.
    pub(super) fn first_gap(&self, newest: u64) -> u64 {
        let last = self.checkpoints.last_key_value().map(|(version, _)| *version);
        self.gap(last, newest).unwrap_or_default()
    }
}

/// The key of a commit.
pub(crate) fn commit(folder: &str, version: u64) -> String {
    format!("{}/{version:020}.json", folder::log(folder))
}

/// Whether a key of a folder is a version of its table, or a part of one.
pub(crate) fn is_version(folder: &str, key: &str) -> bool {
    let name = key.strip_prefix(&folder::log(folder)).and_then(|name| name.strip_prefix('/'));
    name.is_some_and(|name| {
        let is_commit = name.strip_suffix(".json").and_then(version).is_some();
        is_commit || checkpoint(name).is_some() || multipart(name).is_some()
    })
}

/// The key of a checkpoint in one file.
pub(crate) fn checkpoint_key(folder: &str, version: u64) -> String {
    format!("{}/{version:020}.checkpoint.parquet", folder::log(folder))
}

fn version(digits: &str) -> Option<u64> {
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// `V.checkpoint.parquet`, and `V.checkpoint.UUID.json` or `.parquet`.
fn checkpoint(name: &str) -> Option<u64> {
    let (digits, rest) = name.split_once(".checkpoint.")?;
    let is_one = match rest.rsplit_once('.') {
        None => rest == "parquet",
        Some((uuid, ending)) => !uuid.contains('.') && matches!(ending, "parquet" | "json"),
    };
    version(digits).filter(|_| is_one)
}

/// `V.checkpoint.PART.PARTS.parquet`.
fn multipart(name: &str) -> Option<Part> {
    let (digits, rest) = name.split_once(".checkpoint.")?;
    let (part, of) = rest.strip_suffix(".parquet")?.split_once('.')?;
    let (part, of) = (part.parse().ok()?, of.parse().ok()?);
    Some((version(digits)?, part, of)).filter(|_| (1..=of).contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        let v = |end: &str| format!("00000000000000000010.checkpoint.{end}");
        assert_eq!(version("00000000000000000007"), Some(7));
        assert_eq!(version("7"), None);
        assert_eq!(version("99999999999999999999"), None);
        assert_eq!(checkpoint(&v("parquet")), Some(10));
        assert_eq!(checkpoint(&v("a0b1-c2.parquet")), Some(10));
        assert_eq!(checkpoint(&v("a0b1-c2.json")), Some(10));
        assert_eq!(checkpoint(&v("0000000001.0000000002.parquet")), None);
        assert_eq!(multipart(&v("0000000001.0000000002.parquet")), Some((10, 1, 2)));
        assert_eq!(multipart(&v("0000000003.0000000002.parquet")), None);
    }
}
