//! The state of a table as its log tells it: which files are of the table, and what their columns are.
//!
//! Owns: replay, and that a log that changed is read from where it was read last. Must never know: what a data file holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use super::action::{Action, Add, Key, Metadata, Protocol};
use super::listed::{self, Listed, Start};
use super::rest::Rest;
use super::version::{self, AsOf, States};
use super::{Files, checkpoint, stats};
use crate::Error;
use crate::format::ROWS_BETWEEN_YIELDS;
use crate::manifest::DataFile;
use crate::pinned::Pinned;

/// A line of a log; the schema of a table with thousands of columns is one.
const LINE_BYTES_MAX: usize = 32 << 20;

/// Files of one table.
const FILES_MAX: usize = 4 << 20;

/// The statistics of files that are kept for one table. Of files beyond only the number of rows is kept.
const STATS_BYTES_MAX: usize = 256 << 20;

/// How the names of this server's writers begin in logs.
pub(crate) const WRITER: &str = "lakegate/";

/// A table at one version.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) version: u64,
    /// The commit of this version, if it was read: its log goes on only if it is still the same.
    newest: Option<Identity>,
    pub(crate) protocol: Protocol,
    pub(crate) metadata: Metadata,
    pub(crate) files: BTreeMap<Key, Arc<Add>>,
    /// How far writers of this server have come, by the names that they have in logs.
    pub(crate) transactions: BTreeMap<String, u64>,
}

/// One version of a file.
type Identity = (Option<String>, DateTime<Utc>, u64);

/// A state while it is made.
#[derive(Debug, Default)]
pub(super) struct Replay {
    protocol: Option<Protocol>,
    metadata: Option<Metadata>,
    files: BTreeMap<Key, Arc<Add>>,
    stats_bytes: usize,
    transactions: BTreeMap<String, u64>,
    /// Names of the other files of a checkpoint.
    pub(super) sidecars: Vec<String>,
    /// What readers of rows do not need, in the place of the files, if that is asked for.
    pub(super) rest: Option<Rest>,
}

/// Reads the newest version, from where `last` ended if the log goes on from there.
pub(super) async fn read(files: &Files<'_>, last: Option<&Arc<State>>) -> Result<Arc<State>, Error> {
    let listed = Listed::of(files.folder, files.all);
    let Some(newest) = listed.newest() else {
        return Err(files.unreadable(super::folder::log(files.folder), "the log has neither a commit nor a checkpoint"));
    };
    if let Some(last) = last.filter(|last| last.goes_on(&listed, newest)) {
        if last.version == newest {
            return Ok(Arc::clone(last));
        }
        let replay = behind(&listed, (Replay::from(last.as_ref()), Some(last.version)), newest).await?;
        return replay.state(files, &listed, newest);
    }
    replayed(files, &listed, newest).await
}

/// Reads an earlier version, unless it is known.
pub(super) async fn read_as_of(
    files: &Files<'_>,
    (as_of, last): (AsOf, Option<&Arc<State>>),
    states: &States,
) -> Result<Arc<State>, Error> {
    let listed = Listed::of(files.folder, files.all);
    let Some(newest) = listed.newest() else { return read(files, None).await };
    let none = |asked: String| Error::NoVersion {
        table: files.table.to_owned(),
        asked,
        versions: listed.first_readable(newest).map(|first| (first, newest)),
    };
    let version = match as_of {
        AsOf::Version(version) => version,
        AsOf::Time(time) => {
            let now = read(files, last).await?;
            let version = version::committed(files, (&listed, &now.metadata), time).await?;
            version.ok_or_else(|| none(format!("of {} or before", time.format("%Y-%m-%d %H:%M:%S%.f+00"))))?
        }
    };
    if !listed.is_readable(version, newest) {
        return Err(none(version.to_string()));
    }
    let is_it = |state: &Arc<State>| state.version == version && state.goes_on(&listed, version);
    if let Some(known) = states.get(version).or_else(|| last.map(Arc::clone)).filter(is_it) {
        return Ok(known);
    }
    let state = replayed(files, &listed, version).await?;
    states.put(&state);
    Ok(state)
}

/// Reads a version from the newest checkpoint before it that is whole.
async fn replayed(files: &Files<'_>, listed: &Listed, newest: u64) -> Result<Arc<State>, Error> {
    replay(files, listed, newest, (Replay::default, |replay| replay.state(files, listed, newest))).await
}

/// Applies all that leads to a version, from the newest checkpoint before it that is whole.
pub(super) async fn replay<T>(
    files: &Files<'_>,
    listed: &Listed,
    newest: u64,
    (begun, done): (fn() -> Replay, impl Fn(Replay) -> Result<T, Error>),
) -> Result<T, Error> {
    let mut damage = None;
    for start in listed.starts(newest) {
        match from(files, listed, start, (newest, begun())).await.and_then(&done) {
            // An earlier checkpoint and the commits behind it say the same.
            Err(error) if error.is_of_content() => drop(damage.get_or_insert(error)),
            done => return done,
        }
    }
    let gap = listed.first_gap(newest);
    let missing =
        || files.unreadable(listed::commit(files.folder, gap), format!("the log ends with {newest} and lacks {gap}"));
    Err(damage.unwrap_or_else(missing))
}

async fn from(
    files: &Files<'_>,
    listed: &Listed,
    start: Start<'_>,
    (newest, mut replay): (u64, Replay),
) -> Result<Replay, Error> {
    for part in start.checkpoint {
        checkpoint::read(files, part, &mut replay).await?;
    }
    behind(listed, (replay, start.version), newest).await
}

/// Applies the commits behind a version.
async fn behind(listed: &Listed, (mut replay, version): (Replay, Option<u64>), newest: u64) -> Result<Replay, Error> {
    let first = version.map_or(0, |version| version.saturating_add(1));
    for (_, commit) in listed.commits.range(first..).take_while(|(version, _)| **version <= newest) {
        lines(commit, &mut replay).await?;
    }
    Ok(replay)
}

/// Applies a file of lines, one at a time.
pub(super) async fn lines(file: &Arc<Pinned>, replay: &mut Replay) -> Result<(), Error> {
    if file.file.bytes == 0 {
        return Err(Error::EmptyFile { table: file.table.clone(), file: file.key().to_owned() });
    }
    let (mut rest, mut line, mut body) = (BytesMut::new(), 0_u64, file.stream());
    let mut looked_at = 0;
    loop {
        let chunk = body.try_next().await?;
        let is_end = chunk.is_none();
        rest.extend_from_slice(&chunk.unwrap_or_default());
        loop {
            let end = rest.iter().skip(looked_at).position(|byte| *byte == b'\n').map(|end| looked_at + end);
            let Some(end) = end.or((is_end && !rest.is_empty()).then_some(rest.len())) else { break };
            line += 1;
            let text = rest.split_to(end).freeze();
            rest.advance(usize::from(!rest.is_empty()));
            looked_at = 0;
            apply(file, (line, &text), replay)?;
            if line.is_multiple_of(ROWS_BETWEEN_YIELDS as u64) {
                tokio::task::yield_now().await;
            }
        }
        looked_at = rest.len();
        if rest.len() > LINE_BYTES_MAX {
            let (table, key) = (file.table.clone(), file.key().to_owned());
            return Err(Error::RecordTooLong { table, file: key, line: line + 1, bytes_max: LINE_BYTES_MAX });
        }
        if is_end {
            return Ok(());
        }
    }
}

fn apply(file: &Pinned, (line, text): (u64, &Bytes), replay: &mut Replay) -> Result<(), Error> {
    if text.trim_ascii().is_empty() {
        return Ok(());
    }
    let bad = |reason: String| {
        let (table, key) = (file.table.clone(), file.key().to_owned());
        Error::BadRecord { table, file: key, line, reason }
    };
    let action: Action = serde_json::from_slice(text).map_err(|error| bad(error.to_string()))?;
    replay.apply(action).map_err(bad)
}

impl Replay {
    /// One that keeps what readers of rows do not need, and no files.
    pub(super) fn of_rest() -> Self {
        Self { rest: Some(Rest::default()), ..Self::default() }
    }

    /// Whether there is what every log has.
    pub(super) fn is_whole(&self) -> bool {
        self.protocol.is_some() && self.metadata.is_some()
    }

    fn state(self, files: &Files<'_>, listed: &Listed, version: u64) -> Result<Arc<State>, Error> {
        let lacks = |what| files.unreadable(super::folder::log(files.folder), format!("the log has no {what}"));
        Ok(Arc::new(State {
            version,
            newest: listed.commits.get(&version).map(|commit| identity(&commit.file)),
            protocol: self.protocol.ok_or_else(|| lacks("protocol"))?,
            metadata: self.metadata.ok_or_else(|| lacks("metadata"))?,
            files: self.files,
            transactions: self.transactions,
        }))
    }

    pub(super) fn apply(&mut self, action: Action) -> Result<(), String> {
        let Action { add, remove, meta_data, protocol, sidecar, txn } = action;
        self.metadata = meta_data.or(self.metadata.take());
        self.protocol = protocol.or(self.protocol.take());
        self.sidecars.extend(sidecar.map(|sidecar| sidecar.path));
        if let Some(rest) = &mut self.rest {
            return rest.apply((add, remove), txn);
        }
        if let Some(removed) = remove.and_then(|remove| self.files.remove(&remove.key())) {
            self.stats_bytes -= removed.stats.as_ref().map_or(0, |stats| stats.len());
        }
        if let Some(add) = add {
            self.add(add);
        }
        if self.files.len() > FILES_MAX {
            return Err(format!("the table has more than {FILES_MAX} files"));
        }
        // Those of others say nothing to this server, and there may be any number.
        if let Some(txn) = txn.filter(|txn| txn.app_id.starts_with(WRITER)) {
            self.transactions.insert(txn.app_id, txn.version);
        }
        Ok(())
    }

    fn add(&mut self, mut add: Add) {
        let bytes = |add: &Add| add.stats.as_ref().map_or(0, |stats| stats.len());
        if self.stats_bytes + bytes(&add) > STATS_BYTES_MAX {
            add.stats = add.stats.as_deref().and_then(stats::without_values);
        }
        self.stats_bytes += bytes(&add);
        if let Some(before) = self.files.insert(add.key(), Arc::new(add)) {
            self.stats_bytes -= bytes(&before);
        }
    }
}

impl From<&State> for Replay {
    fn from(state: &State) -> Self {
        let bytes = |add: &Arc<Add>| add.stats.as_ref().map_or(0, |stats| stats.len());
        Self {
            protocol: Some(state.protocol.clone()),
            metadata: Some(state.metadata.clone()),
            files: state.files.clone(),
            stats_bytes: state.files.values().map(bytes).sum(),
            transactions: state.transactions.clone(),
            sidecars: Vec::new(),
            rest: None,
        }
    }
}

impl State {
    /// Whether the log of the listing is this one and only has more commits.
    fn goes_on(&self, listed: &Listed, newest: u64) -> bool {
        let commit = listed.commits.get(&self.version).map(|commit| identity(&commit.file));
        self.newest.is_some()
            && self.newest == commit
            && self.version <= newest
            && listed.gap(Some(self.version), newest).is_none()
    }
}

fn identity(file: &DataFile) -> Identity {
    (file.etag.clone(), file.modified_at, file.bytes)
}
