//! Which data files the versions of a table need that are not older than a moment.
//!
//! Owns: that a log which does not tell so far back says nothing, and not that a file is free. Must never do: delete.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::path::Path;

use super::listed::Listed;
use super::log::{self, Replay, State};
use super::path;
use crate::Error;
use crate::pinned::Pinned;
use crate::store::Source;

/// The files of the newest version, and of each that was the newest one since `since`; `None` if the log begins later.
pub(crate) async fn needed(
    state: &State,
    (source, folder): (&Source, &str),
    files: &[Arc<Pinned>],
    since: DateTime<Utc>,
) -> Result<Option<HashSet<Path>>, Error> {
    let listed = Listed::of(folder, files);
    let is_before = |commit: &Pinned| commit.file.modified_at < since;
    let Some((oldest, commit)) = listed.commits.first_key_value() else { return Ok(None) };
    if *oldest > 0 && !is_before(commit) {
        return Ok(None);
    }
    let first = listed.commits.iter().find(|(_, commit)| !is_before(commit)).map(|(version, _)| *version);
    let mut replay = Replay::of_rest();
    if let Some(first) = first {
        if listed.gap(first.checked_sub(1), state.version).is_some() {
            return Ok(None);
        }
        for (_, commit) in listed.commits.range(first..) {
            log::lines(commit, &mut replay).await?;
        }
    }
    let now = state.files.values().map(|add| add.path.as_str());
    let before = replay.rest.iter().flat_map(|rest| rest.tombstones.keys()).map(|(path, _)| path.as_str());
    // A file outside of the source is none that could be deleted here.
    Ok(Some(now.chain(before).filter_map(|named| path::resolve(source, folder, named)).collect()))
}
