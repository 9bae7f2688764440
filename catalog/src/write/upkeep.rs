//! Logs that stay short: from time to time a checkpoint is written behind a commit, and commits are deleted that nobody needs.
//!
//! Owns: when, and for how long commits are kept. It is done behind the statement, and again with a later commit if it fails. Must
//! never do: delete what a version needs that is kept, or touch a log that asks for checkpoints of another form.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoints>

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Target, checkpoint, dropped, protocol, step, vacuum};
use crate::Error;
use crate::definition::Name;
use crate::format::delta::action::Metadata;
use crate::format::delta::{self, Rest};
use crate::publish::Lake;
use crate::snapshot::Kind;

/// The property of a table that says for how long its commits are kept, as other engines know it.
pub(super) const PROPERTY: &str = "delta.logRetentionDuration";
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Views are refreshed up to every minute, so that theirs are as long as their files are kept.
const KEPT_OF_VIEWS: Duration = Duration::from_secs(86_400);

/// Every so many versions there is a checkpoint, as Spark has it: a reader asks for each commit behind the last one.
const INTERVAL_PROPERTY: &str = "delta.checkpointInterval";
const INTERVAL: u64 = 10;

/// Whether commits go at all.
const CLEANS_PROPERTY: &str = "delta.enableExpiredLogCleanup";

/// Tables that wait; others have their turn with a later commit.
const WAITING_MAX: usize = 1_000;

/// Tables with a checkpoint to write.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    /// By their source and folder.
    waiting: Mutex<BTreeMap<(usize, String), Name>>,
    arrived: Notify,
}

impl Upkeep {
    /// Tells of a commit to a table.
    pub(super) fn committed(&self, target: &Target, metadata: &Metadata, version: u64) {
        if version == 0 || !version.is_multiple_of(interval(metadata)) {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING_MAX {
            waiting.insert((target.place, target.folder.clone()), target.name.clone());
        }
        drop(waiting);
        self.arrived.notify_one();
    }
}

impl Lake {
    /// Keeps the logs of tables short that come, until `stop`.
    pub(crate) async fn keep_up_until(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(self.upkeep.arrived.notified()).await.is_some() {
            stop.run_until_cancelled(self.keep_up()).await;
        }
    }

    /// Keeps the logs short to which this process has written.
    pub async fn keep_up(&self) {
        let waiting = std::mem::take(&mut *self.upkeep.waiting.lock());
        for ((place, folder), name) in waiting {
            if let Err(error) = self.keep_up_table(place, &folder, &name).await {
                let cause = std::error::Error::source(&error);
                tracing::warn!(table = %name, %error, ?cause, "the log of a table was not shortened");
            }
        }
    }

    async fn keep_up_table(&self, place: usize, folder: &str, name: &Name) -> Result<(), Error> {
        let snapshot = self.snapshot();
        let Some(table) = snapshot.table(&name.schema, &name.name) else { return Ok(()) };
        let Kind::Lake(lake) = &table.kind else { return Ok(()) };
        // Another engine may have changed what the log asks for.
        let Target { state: Some(state), source, .. } = self.target(table).await? else { return Ok(()) };
        let is_it = lake.manifest().source == place && lake.manifest().folder.as_deref() == Some(folder);
        if !is_it || !protocol::takes_checkpoints(&state.protocol, &state.metadata) {
            return Ok(());
        }
        let files = lake.pinned();
        let log = lake.log(&files);
        if !delta::is_due(&log, state.version, interval(&state.metadata)) {
            return Ok(());
        }
        let rest = Rest::read(&log, &state).await?;
        let since = before(vacuum::kept(&state.metadata)).timestamp_millis();
        let mut keys = checkpoint::write((&source, &self.leftovers), folder, (&state, &rest), since).await?;
        // What is in the place of commits that go is an earlier checkpoint: the commits of now are young.
        if cleans_up(&state.metadata) {
            let expired = delta::expired(&log, before(kept(&state.metadata))).await?;
            keys.extend(expired.iter().cloned());
            dropped::delete(&source, expired).await?;
        }
        tracing::debug!(table = %name, version = state.version, files = keys.len(), "a checkpoint was written");
        self.look_after(place, keys).await;
        Ok(())
    }
}

/// The versions between checkpoints.
fn interval(metadata: &Metadata) -> u64 {
    let said = metadata.property(INTERVAL_PROPERTY).and_then(|said| said.trim().parse().ok());
    said.filter(|interval| *interval > 0).unwrap_or(INTERVAL)
}

/// For how long commits are kept: never less than files, of which VACUUM asks them.
fn kept(metadata: &Metadata) -> Duration {
    let default = if metadata.configuration.contains_key(step::PROPERTY) { KEPT_OF_VIEWS } else { KEPT };
    vacuum::said(metadata, PROPERTY).unwrap_or(default).max(vacuum::kept(metadata))
}

fn cleans_up(metadata: &Metadata) -> bool {
    metadata.property(CLEANS_PROPERTY) != Some("false")
}

/// The moment so long before now; nothing is from before the first.
fn before(span: Duration) -> DateTime<Utc> {
    let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
    Utc::now().checked_sub_signed(span).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(properties: &[(&str, &str)]) -> Metadata {
        let said = properties.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        Metadata {
            format: None,
            schema_string: String::new(),
            partition_columns: Vec::new(),
            configuration: said.collect(),
            others: Default::default(),
        }
    }

    #[test]
    fn a_table_says_how_long_its_commits_are_kept() {
        let days = |properties: &[(&str, &str)]| kept(&of(properties)).as_secs() / 86_400;
        assert_eq!(days(&[]), 30);
        assert_eq!(days(&[(PROPERTY, "interval 60 days")]), 60);
        assert_eq!(days(&[(PROPERTY, "interval 1 day")]), 7, "files are kept for a week");
        assert_eq!(days(&[(PROPERTY, "interval 1 day"), (vacuum::PROPERTY, "interval 2 days")]), 2);
        assert_eq!(days(&[(step::PROPERTY, "true"), (vacuum::PROPERTY, "interval 1 day")]), 1);
        assert!(before(Duration::MAX) < before(Duration::from_secs(1)));
    }

    #[test]
    fn a_table_says_how_often_it_has_a_checkpoint() {
        for (said, expected) in [("5", 5), ("0", INTERVAL), ("often", INTERVAL), (" 100 ", 100)] {
            assert_eq!(interval(&of(&[(INTERVAL_PROPERTY, said)])), expected, "{said}");
        }
        assert_eq!(interval(&of(&[])), INTERVAL);
        assert!(cleans_up(&of(&[])) && !cleans_up(&of(&[(CLEANS_PROPERTY, "false")])));
    }
}
