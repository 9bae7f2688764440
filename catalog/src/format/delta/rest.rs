//! What a log tells beside the files of its table: those that went, and how far all writers have come.
//!
//! Owns: what a checkpoint needs that readers of rows do not, when one is due, and what of a log nobody needs any more. Must never
//! do: write or delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::path::Path;

use super::action::{Add, Key, Remove, Transaction};
use super::listed::Listed;
use super::log::{Replay, State};
use super::{Files, checkpoint, folder};
use crate::Error;
use crate::format::parquet::Footers;
use crate::manifest::Manifest;
use crate::pinned::Pinned;

/// Tombstones and writers of one table.
const ENTRIES_MAX: usize = 4 << 20;

#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// Files that went and did not come again.
    pub(crate) tombstones: BTreeMap<Key, Remove>,
    /// Of all writers, by their names.
    pub(crate) transactions: BTreeMap<String, Transaction>,
}

/// The log of a table as a listing shows it, among all objects of the table.
pub(crate) struct Log<'a> {
    pub(crate) table: &'a str,
    pub(crate) manifest: &'a Manifest,
    pub(crate) files: &'a [Arc<Pinned>],
    pub(crate) footers: &'a Arc<Footers>,
}

impl Rest {
    pub(super) fn apply(
        &mut self,
        (add, remove): (Option<Add>, Option<Remove>),
        txn: Option<Transaction>,
    ) -> Result<(), String> {
        if let Some(remove) = remove {
            self.tombstones.insert(remove.key(), remove);
        }
        if let Some(add) = add {
            self.tombstones.remove(&add.key());
        }
        if let Some(txn) = txn {
            self.transactions.insert(txn.app_id.clone(), txn);
        }
        match self.tombstones.len() + self.transactions.len() > ENTRIES_MAX {
            true => Err(format!("the log tells of more than {ENTRIES_MAX} files that went and writers")),
            false => Ok(()),
        }
    }

    /// What the log of a table tells at the version of a state.
    pub(crate) async fn read(log: &Log<'_>, state: &State) -> Result<Self, Error> {
        let Some(files) = log.files() else { return Ok(Self::default()) };
        let listed = Listed::of(files.folder, log.files);
        let lacks = || files.unreadable(folder::log(files.folder), "the log has no protocol or no metadata");
        let done = |replay: Replay| match replay.is_whole() {
            true => replay.rest.ok_or_else(lacks),
            false => Err(lacks()),
        };
        super::log::replay(&files, &listed, state.version, (Replay::of_rest, done)).await
    }
}

/// Whether a version should have a checkpoint: none is since the last multiple of an interval.
pub(crate) fn is_due(log: &Log<'_>, version: u64, interval: u64) -> bool {
    let folder = log.manifest.folder.as_deref().unwrap_or_default();
    Listed::of(folder, log.files).is_due(version, interval)
}

/// Files of a log that no version needs which was the newest one since `since`. None is, if the checkpoint in their place cannot
/// be read.
pub(crate) async fn expired(log: &Log<'_>, since: DateTime<Utc>) -> Result<Vec<Path>, Error> {
    let Some(files) = log.files() else { return Ok(Vec::new()) };
    let listed = Listed::of(files.folder, log.files);
    let Some((version, paths)) = listed.expired(since) else { return Ok(Vec::new()) };
    for parts in listed.checkpoints(version) {
        let mut replay = Replay::of_rest();
        for part in parts {
            checkpoint::read(&files, part, &mut replay).await?;
        }
        if replay.is_whole() {
            return Ok(paths);
        }
    }
    Ok(Vec::new())
}

impl<'a> Log<'a> {
    fn files(&self) -> Option<Files<'a>> {
        let (Some(folder), Some(first)) = (&self.manifest.folder, self.files.first()) else { return None };
        let by_key = self.files.iter().map(|file| (file.key(), file)).collect();
        let (source, footers) = (first.source(), self.footers);
        Some(Files { table: self.table, folder, source, footers, all: self.files, by_key })
    }
}
