//! What this process knows of its materialized views beside their definitions: their last refreshes, and the one that runs.
//!
//! Owns: that two refreshes of a view by one process come one after the other. Must never know: how a view is refreshed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use catalog::pg_catalog::MatviewFact;
use catalog::{Attempt, Lake, Lineage, Name, Outcome, Progress, Refreshed, Snapshot, SourceLineage};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::refresh::Asked;
use crate::error::{Error, Result, SqlState};

/// Refreshes of one view that are remembered.
const ATTEMPTS_MAX: usize = 100;

/// Refreshes that nobody waits for, at most.
const WANTED_MAX: usize = 1_000;

/// All views that were looked at.
#[derive(Default)]
pub(in crate::engine) struct Matviews {
    views: Mutex<BTreeMap<Name, Arc<Known>>>,
    wanted: Mutex<VecDeque<Wanted>>,
    replica: OnceLock<String>,
}

/// Views that were asked to be refreshed, one after the other, while nobody waits.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) names: Vec<Name>,
    pub(super) asked: Asked,
}

/// One view.
#[derive(Default)]
pub(super) struct Known {
    /// Held while it is refreshed here.
    pub(super) turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    recalled: OnceCell<()>,
}

#[derive(Default)]
struct State {
    attempts: Vec<Attempt>,
    /// What the last refresh that ended well was made of, and when it had begun to list.
    lineage: Option<Arc<Lineage>>,
    listed: Option<Instant>,
    running: Option<Arc<Progress>>,
    /// Of jobs.
    failures: u32,
    not_before: Option<Instant>,
    /// The snapshot over which a job need not try again.
    halted_at: Option<u64>,
    blamed: Option<Blamed>,
    /// When a refresh last found every file as it was for the rows of this table.
    checked: Option<(Refreshed, DateTime<Utc>)>,
    /// Whether the files are as they were for these rows, in this snapshot.
    compared: Option<(u64, Refreshed, bool)>,
}

/// A failure that comes of the query or of the files, and what they were: the same of them fail again.
struct Blamed {
    fingerprint: String,
    sources: Arc<Vec<SourceLineage>>,
    error: Error,
    is_repeated: bool,
}

impl Matviews {
    pub(super) fn known(&self, name: &Name) -> Arc<Known> {
        Arc::clone(self.views.lock().entry(name.clone()).or_default())
    }

    /// Leaves refreshes to the job.
    pub(super) fn want(&self, wanted: Wanted) -> Result<()> {
        let mut queue = self.wanted.lock();
        if queue.len() >= WANTED_MAX {
            let message = format!("{WANTED_MAX} refreshes of materialized views wait already");
            return Err(Error::new(SqlState::ConfigurationLimitExceeded, message));
        }
        queue.push_back(wanted);
        Ok(())
    }

    /// The next of them.
    pub(super) fn next_wanted(&self) -> Option<Wanted> {
        self.wanted.lock().pop_front()
    }

    /// Forgets views that are no more.
    pub(super) fn keep(&self, names: &BTreeSet<Name>) {
        self.views.lock().retain(|name, _| names.contains(name));
    }

    /// Forgets a view that is dropped: another of its name has not done what it did.
    pub(in crate::engine) fn forget(&self, name: &Name) {
        self.views.lock().remove(name);
    }

    /// What this process is called where others read it.
    pub(in crate::engine) fn replica(&self) -> &str {
        self.replica.get_or_init(|| {
            let host = std::env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
            format!("{}:{}", host.as_deref().unwrap_or("lakegate"), std::process::id())
        })
    }

    /// What is told of the views of a snapshot.
    pub(in crate::engine) fn facts(&self, snapshot: &Snapshot) -> Vec<MatviewFact> {
        let views = snapshot.tables().filter(|table| table.matview.is_some());
        let fact = |table: &Arc<catalog::Table>| {
            let name = Name { schema: table.schema.clone(), name: table.name.clone() };
            let known = self.views.lock().get(&name).map(Arc::clone).unwrap_or_default();
            let state = known.state.lock();
            let wait = state.not_before.map(|at| at.saturating_duration_since(Instant::now()));
            MatviewFact {
                name,
                attempts: state.attempts.clone(),
                lineage: state.lineage.clone(),
                running: state.running.clone(),
                failures: state.failures,
                not_before: wait.filter(|wait| !wait.is_zero()).map(|wait| Utc::now() + wait),
            }
        };
        views.map(fact).collect()
    }
}

/// A refresh that runs, until it is dropped.
pub(super) struct Running<'a> {
    known: &'a Known,
    pub(super) progress: Arc<Progress>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.known.state.lock().running = None;
    }
}

impl Known {
    /// Reads what the lake has of earlier refreshes, once.
    pub(super) async fn recall(&self, lake: &Lake, name: &Name) {
        let recall = || async { self.merge(lake.attempts(name).await) };
        self.recalled.get_or_init(recall).await;
    }

    /// Adds refreshes that others have told of, in the order in which they began.
    pub(super) fn merge(&self, told: Vec<Attempt>) {
        let mut state = self.state.lock();
        let is_it =
            |one: &Attempt, other: &Attempt| (one.started_at, &one.replica) == (other.started_at, &other.replica);
        for attempt in told {
            if !state.attempts.iter().any(|known| is_it(known, &attempt)) {
                state.attempts.push(attempt);
            }
        }
        state.attempts.sort_by_key(|attempt| attempt.started_at);
    }

    pub(super) fn begin(&self) -> Running<'_> {
        let progress = Arc::<Progress>::default();
        self.state.lock().running = Some(Arc::clone(&progress));
        Running { known: self, progress }
    }

    /// The last refresh that ended well.
    pub(super) fn done(&self) -> Option<Attempt> {
        self.state.lock().attempts.iter().rev().find(|attempt| attempt.outcome != Outcome::Failed).cloned()
    }

    /// The last refresh that ended well, if it has listed the lake since `arrived`.
    pub(super) fn since(&self, arrived: Instant) -> Option<Attempt> {
        let state = self.state.lock();
        let is_it = state.listed.is_some_and(|listed| listed >= arrived);
        state.attempts.last().filter(|last| is_it && last.outcome != Outcome::Failed).cloned()
    }

    pub(super) fn lineage(&self) -> Option<Arc<Lineage>> {
        self.state.lock().lineage.clone()
    }

    /// What its rows are made of, as it was found in the lake.
    pub(super) fn learn(&self, lineage: Arc<Lineage>) {
        self.state.lock().lineage = Some(lineage);
    }

    /// Keeps that the rows were right when the lake was listed then.
    pub(super) fn check(&self, refreshed: Refreshed, listed_at: DateTime<Utc>) {
        self.state.lock().checked = Some((refreshed, listed_at));
    }

    /// When these rows were last found to be right, without being made.
    pub(super) fn checked(&self, rows: &Refreshed) -> Option<DateTime<Utc>> {
        let state = self.state.lock();
        state.checked.as_ref().filter(|(checked, _)| checked == rows).map(|(_, listed_at)| *listed_at)
    }

    /// Whether every file is as it was for these rows, if that was looked at in this snapshot.
    pub(super) fn compared(&self, snapshot: u64, rows: &Refreshed) -> Option<bool> {
        let state = self.state.lock();
        state.compared.as_ref().filter(|(at, of, _)| *at == snapshot && of == rows).map(|(.., is_same)| *is_same)
    }

    pub(super) fn compare(&self, snapshot: u64, rows: &Refreshed, is_same: bool) {
        self.state.lock().compared = Some((snapshot, rows.clone(), is_same));
    }

    /// Adds a refresh; those that found nothing to do count as one.
    pub(super) fn add(&self, attempt: Attempt, listed: Option<Instant>) -> Vec<Attempt> {
        let mut state = self.state.lock();
        let is_idle = |attempt: &Attempt| attempt.outcome == Outcome::Unchanged;
        if is_idle(&attempt) && state.attempts.last().is_some_and(is_idle) {
            state.attempts.pop();
        }
        state.attempts.push(attempt);
        let surplus = state.attempts.len().saturating_sub(ATTEMPTS_MAX);
        state.attempts.drain(..surplus);
        state.listed = listed.or(state.listed);
        state.attempts.clone()
    }

    /// Whether jobs leave it alone for now, over this snapshot.
    pub(super) fn is_resting(&self, now: Instant, snapshot: u64) -> bool {
        let state = self.state.lock();
        state.not_before.is_some_and(|at| now < at) || state.halted_at == Some(snapshot)
    }

    /// A job that ended well.
    pub(super) fn succeeded(&self) {
        let mut state = self.state.lock();
        (state.failures, state.not_before, state.halted_at, state.blamed) = (0, None, None, None);
    }

    /// A job that failed: it rests the longer the more of them did in a row. With `lasts` it would fail again over this
    /// snapshot; one that was not even begun, because it would, is not counted.
    pub(super) fn failed(&self, rest: impl Fn(u32) -> Duration, lasts: Option<u64>) {
        let mut state = self.state.lock();
        state.halted_at = lasts;
        if lasts.is_some() && state.blamed.as_ref().is_some_and(|blamed| blamed.is_repeated) {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        state.not_before = Some(Instant::now() + rest(state.failures));
    }

    /// Keeps what a refresh has failed over.
    pub(super) fn blame(&self, fingerprint: String, sources: Arc<Vec<SourceLineage>>, error: Error) {
        self.state.lock().blamed = Some(Blamed { fingerprint, sources, error, is_repeated: false });
    }

    /// The error of the last refresh, if it would come again: with the same query over the same files.
    pub(super) fn would_fail(&self, fingerprint: &str, sources: &[SourceLineage]) -> Option<Error> {
        let mut state = self.state.lock();
        let blamed = state.blamed.as_mut().filter(|it| it.fingerprint == fingerprint && *it.sources == sources)?;
        blamed.is_repeated = true;
        Some(blamed.error.clone())
    }
}
