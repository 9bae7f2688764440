//! What this process knows of its streams: which brokers they may read, how each stands and how far it has come.
//!
//! Owns: what is told of them. Must never know: a record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use catalog::{Name, PartitionFact, Snapshot, Stream, StreamFact, StreamState};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use crate::error::{Error, Result, SqlState};

/// All streams that were looked at.
#[derive(Default)]
pub(in crate::engine) struct Streams {
    brokers: OnceLock<Vec<String>>,
    known: Mutex<BTreeMap<Name, Arc<Known>>>,
}

/// One stream.
#[derive(Default)]
pub(super) struct Known(Mutex<Told>);

#[derive(Default)]
struct Told {
    state: StreamState,
    started_at: Option<DateTime<Utc>>,
    offsets: BTreeMap<i32, i64>,
    ends: BTreeMap<i32, i64>,
    rows: u64,
    rejects: u64,
    unknown_fields: u64,
    lost: u64,
    commits: u64,
    committed_at: Option<DateTime<Utc>>,
    version: Option<u64>,
    error: Option<String>,
}

/// What a commit has added.
pub(super) struct Committed {
    pub(super) rows: u64,
    pub(super) rejects: u64,
    pub(super) unknown_fields: u64,
    pub(super) version: Option<u64>,
}

impl Streams {
    /// The brokers that streams may read; said once, at the start.
    pub(in crate::engine) fn allow(&self, brokers: Vec<String>) {
        // Said a second time it would change nothing.
        let _is_first = self.brokers.set(brokers).is_ok();
    }

    /// The brokers of a stream, if it may read them: no statement can make this server talk to another.
    pub(in crate::engine) fn brokers(&self, stream: &Stream) -> Result<Vec<String>> {
        let allowed = self.brokers.get().map(Vec::as_slice).unwrap_or_default();
        let hint = "Name the brokers in the setting streams.brokers.";
        if allowed.is_empty() {
            let message = "streams of Kafka are not configured";
            return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message).hint(hint));
        }
        if stream.options.brokers.is_empty() {
            return Ok(allowed.to_vec());
        }
        match stream.options.brokers.iter().find(|broker| !allowed.contains(broker)) {
            Some(broker) => {
                let message = format!("permission denied for broker \"{broker}\"");
                Err(Error::new(SqlState::InsufficientPrivilege, message).hint(hint))
            }
            None => Ok(stream.options.brokers.clone()),
        }
    }

    pub(super) fn known(&self, name: &Name) -> Arc<Known> {
        Arc::clone(self.known.lock().entry(name.clone()).or_default())
    }

    /// Forgets streams that are no more.
    pub(super) fn keep(&self, names: &BTreeSet<Name>) {
        self.known.lock().retain(|name, _| names.contains(name));
    }

    /// What is told of the streams of a snapshot.
    pub(in crate::engine) fn facts(&self, snapshot: &Snapshot) -> Vec<StreamFact> {
        let known = self.known.lock();
        snapshot
            .streams
            .iter()
            .map(|stream| known.get(&stream.name).map(Arc::clone).unwrap_or_default().fact(stream))
            .collect()
    }
}

impl Known {
    pub(super) fn enter(&self, state: StreamState) {
        let mut told = self.0.lock();
        if state == StreamState::Elsewhere {
            // What another server does is not known here.
            *told = Told::default();
        }
        told.state = state;
    }

    /// It runs here, from these offsets on. One that had failed has still to show that it goes on.
    pub(super) fn begin(&self, offsets: BTreeMap<i32, i64>, lost: u64) {
        let mut told = self.0.lock();
        told.started_at.get_or_insert_with(Utc::now);
        told.offsets = offsets;
        told.lost += lost;
        if told.error.is_none() {
            told.state = StreamState::Running;
        }
    }

    /// Nothing was wrong with what came.
    pub(super) fn go_on(&self) {
        let mut told = self.0.lock();
        if told.state == StreamState::Failed {
            (told.state, told.error) = (StreamState::Running, None);
        }
    }

    /// What the brokers say: how far the topic goes, and whether any of them answers.
    pub(super) fn hear(&self, ends: BTreeMap<i32, i64>, trouble: Option<String>) {
        let mut told = self.0.lock();
        told.ends.extend(ends);
        match (told.state, trouble) {
            (StreamState::Running | StreamState::Unreachable, Some(trouble)) => {
                (told.state, told.error) = (StreamState::Unreachable, Some(trouble));
            }
            (StreamState::Unreachable, None) => (told.state, told.error) = (StreamState::Running, None),
            _ => {}
        }
    }

    pub(super) fn commit(&self, offsets: BTreeMap<i32, i64>, committed: &Committed) {
        let mut told = self.0.lock();
        told.rows += committed.rows;
        told.rejects += committed.rejects;
        told.unknown_fields += committed.unknown_fields;
        told.commits += 1;
        (told.offsets, told.version) = (offsets, committed.version);
        (told.committed_at, told.error, told.state) = (Some(Utc::now()), None, StreamState::Running);
    }

    pub(super) fn fail(&self, state: StreamState, error: &Error) {
        let detail = error.detail.as_ref().map(|detail| format!(" {detail}")).unwrap_or_default();
        let mut told = self.0.lock();
        told.state = state;
        told.error = Some(format!("{} ({}){detail}", error.message, error.state.code()));
    }

    fn fact(&self, stream: &Stream) -> StreamFact {
        let told = self.0.lock();
        let partitions: BTreeSet<i32> = told.offsets.keys().chain(told.ends.keys()).copied().collect();
        let partition = |partition: i32| {
            let offset = told.offsets.get(&partition).copied();
            // What was read is there, though the brokers have last told of less.
            let end = told.ends.get(&partition).map(|end| offset.map_or(*end, |offset| offset.max(*end)));
            PartitionFact { partition, offset, end }
        };
        let is_paused = stream.options.is_paused;
        StreamFact {
            name: stream.name.clone(),
            table: stream.table.clone(),
            topic: stream.options.topic.clone(),
            state: if is_paused { StreamState::Paused } else { told.state },
            started_at: told.started_at,
            partitions: partitions.into_iter().map(partition).collect(),
            rows: told.rows,
            rejects: told.rejects,
            unknown_fields: told.unknown_fields,
            lost: told.lost,
            commits: told.commits,
            committed_at: told.committed_at,
            version: told.version,
            error: told.error.clone().filter(|_| !is_paused),
        }
    }
}
