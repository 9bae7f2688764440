//! Earlier versions of a table: which one is asked for, when it was committed, and what is kept of them.
//!
//! Owns: the time of a commit, which is the one that it tells itself where the table says so, and else that of its file.
//! Must never know: what a version holds.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#in-commit-timestamps>

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde::Deserialize;

use super::Files;
use super::action::Metadata;
use super::listed::Listed;
use super::log::State;
use crate::Error;
use crate::pinned::Pinned;

/// Earlier states that are kept of a table, and their files together.
const STATES_MAX: usize = 4;
const FILES_MAX: usize = 1 << 20;

/// The first line of a commit that tells its time.
const FIRST_LINE_BYTES_MAX: u64 = 1 << 20;

/// A version of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    Version(u64),
    /// The last version that was committed then or before.
    Time(DateTime<Utc>),
}

/// Earlier states, the newest use first. A version never changes, so that they outlive a snapshot.
#[derive(Debug, Default)]
pub(crate) struct States(Mutex<VecDeque<Arc<State>>>);

impl States {
    pub(super) fn get(&self, version: u64) -> Option<Arc<State>> {
        let mut states = self.0.lock();
        let at = states.iter().position(|state| state.version == version)?;
        let state = states.remove(at)?;
        states.push_front(Arc::clone(&state));
        Some(state)
    }

    pub(super) fn put(&self, state: &Arc<State>) {
        let mut states = self.0.lock();
        states.retain(|known| known.version != state.version);
        states.push_front(Arc::clone(state));
        while states.len() > STATES_MAX
            || (states.len() > 1 && states.iter().map(|state| state.files.len()).sum::<usize>() > FILES_MAX)
        {
            states.pop_back();
        }
    }
}

/// The last version that was committed at a time or before; `None` if there is none. `newest` is the metadata of now.
pub(super) async fn committed(
    files: &Files<'_>,
    (listed, newest): (&Listed, &Metadata),
    time: DateTime<Utc>,
) -> Result<Option<u64>, Error> {
    let commits: Vec<(u64, &Arc<Pinned>)> = listed.commits.iter().map(|(version, file)| (*version, file)).collect();
    // What is left before commits that were cleaned up says nothing of the time between.
    let is_gap = |pair: &[(u64, &Arc<Pinned>)]| pair.first().map(|pair| pair.0 + 1) != pair.last().map(|pair| pair.0);
    let from = commits.windows(2).rposition(is_gap).map_or(0, |at| at + 1);
    let commits = commits.get(from..).unwrap_or_default();
    let first = commits.partition_point(|(version, _)| *version < tells_from(newest));
    let (mut low, mut high) = (first, commits.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let Some((_, commit)) = commits.get(middle) else { break };
        match told(files, commit).await? <= time {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    if low > first {
        return Ok(commits.get(low - 1).map(|(version, _)| *version));
    }
    // Clocks go back, and versions do not: each is later than the one before.
    let mut last: Option<DateTime<Utc>> = None;
    let mut found = None;
    for (version, commit) in commits.iter().take(first) {
        let written = commit.file.modified_at;
        let at = last.map_or(written, |last| written.max(last + TimeDelta::milliseconds(1)));
        if at > time {
            break;
        }
        (last, found) = (Some(at), Some(*version));
    }
    Ok(found)
}

/// The first version whose commit tells its time; none does in most tables.
fn tells_from(metadata: &Metadata) -> u64 {
    match metadata.property("delta.enableInCommitTimestamps") {
        Some("true") => {
            let from = metadata.property("delta.inCommitTimestampEnablementVersion").and_then(|from| from.parse().ok());
            from.unwrap_or_default()
        }
        _ => u64::MAX,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct First {
    commit_info: Option<Info>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    in_commit_timestamp: Option<i64>,
}

/// The time that a commit tells, which is in its first action.
async fn told(files: &Files<'_>, commit: &Arc<Pinned>) -> Result<DateTime<Utc>, Error> {
    let all = 0..commit.file.bytes.min(FIRST_LINE_BYTES_MAX);
    let bytes = commit.ranges(&[all]).await?.pop().unwrap_or_default();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first: Option<First> = serde_json::from_slice(line).ok();
    let millis = first.and_then(|first| first.commit_info?.in_commit_timestamp);
    let time = millis.and_then(DateTime::from_timestamp_millis);
    time.ok_or_else(|| files.unreadable(commit.key().to_owned(), "the commit does not tell its time"))
}
