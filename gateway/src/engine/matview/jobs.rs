//! Refreshes that nobody waits for: by the clock, because files have changed, or because somebody has asked for one.
//!
//! Owns: when a view is due, and how long one that fails is left alone. One view at a time is refreshed by each replica, and which
//! of the replicas does it is the lease's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use catalog::{Kind, Matview, Name, Refresh, Table};
use chrono::Utc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::refresh::{Asked, is_lasting, refresh};
use super::status::{Known, Wanted};
use crate::engine::{Core, Engine};
use crate::error::{Error, SqlState};
use crate::session::StatementGuard;

/// How often it is looked whether a view is due.
const TICK: Duration = Duration::from_millis(500);

/// A view that fails rests longer each time.
const REST: Duration = Duration::from_secs(30);
const REST_MAX: Duration = Duration::from_secs(3_600);

/// What is seen of the lake when a view was last looked at for changes.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Of the snapshot that was looked at.
    version: u64,
    /// The newest snapshot, and since when it is.
    newest: u64,
    since: Instant,
}

impl Engine {
    /// Refreshes the views that are due, until `stop`.
    pub async fn keep_matviews(&self, database: String, stop: CancellationToken) {
        if !self.core.lake.is_writable() {
            return;
        }
        let mut seen: BTreeMap<Name, Seen> = BTreeMap::new();
        while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
            while let Some(wanted) = self.core.matviews.next_wanted() {
                if stop.run_until_cancelled(asked_for(&self.core, wanted, &stop)).await.is_none() {
                    return;
                }
            }
            let snapshot = self.core.lake.snapshot();
            let views = snapshot.tables().filter_map(|table| Some((name(table), table, table.matview.as_ref()?)));
            let views: Vec<(Name, &Arc<Table>, &Arc<Matview>)> = views.collect();
            let names: BTreeSet<Name> = views.iter().map(|(name, ..)| name.clone()).collect();
            seen.retain(|name, _| names.contains(name));
            self.core.matviews.keep(&names);
            for (name, table, matview) in views {
                let known = self.core.matviews.known(&name);
                known.recall(&self.core.lake, &name).await;
                let at = seen.entry(name.clone()).or_insert_with(|| Seen {
                    version: 0,
                    newest: snapshot.version,
                    since: Instant::now(),
                });
                if at.newest != snapshot.version {
                    (at.newest, at.since) = (snapshot.version, Instant::now());
                }
                if matview.options.is_suspended
                    || known.is_resting(Instant::now(), snapshot.version)
                    || !is_due(table, matview, &known, at)
                {
                    continue;
                }
                at.version = snapshot.version;
                let job = Job { core: &self.core, name: &name, known: &known, snapshot: snapshot.version };
                match stop.run_until_cancelled(job.run(&database, &stop)).await {
                    None => return,
                    Some(true) => {}
                    Some(false) => at.version = 0,
                }
            }
        }
    }
}

fn name(table: &Table) -> Name {
    Name { schema: table.schema.clone(), name: table.name.clone() }
}

fn is_due(table: &Table, matview: &Matview, known: &Known, seen: &Seen) -> bool {
    let is_unmade = matches!(table.kind, Kind::View(_));
    let has_changed = |debounce: Duration| seen.version != seen.newest && seen.since.elapsed() >= debounce;
    match &matview.options.refresh {
        // A file has nobody who waits for its rows, as CREATE has.
        Refresh::Manual => is_unmade && table.is_defined_by_file(),
        // One that has failed is still due.
        Refresh::Every(interval) => {
            let since = known.done().and_then(|last| (Utc::now() - last.started_at).to_std().ok());
            is_unmade || since.is_none_or(|since| since >= *interval)
        }
        Refresh::Cron(schedule) => {
            is_unmade || known.done().is_none_or(|last| schedule.is_due(last.started_at, Utc::now()))
        }
        Refresh::OnChange { debounce } => has_changed(*debounce),
        Refresh::Downstream => has_changed(Duration::ZERO),
    }
}

/// How long a view rests after so many failures.
fn rest(failures: u32) -> Duration {
    let more = failures.checked_sub(1);
    more.map_or(Duration::ZERO, |more| (REST * 2_u32.saturating_pow(more)).min(REST_MAX))
}

/// Refreshes that somebody has asked for and does not wait for. The first that fails is the last.
async fn asked_for(core: &Arc<Core>, wanted: Wanted, stop: &CancellationToken) {
    for name in &wanted.names {
        let guard = StatementGuard::new(stop.child_token());
        if let Err(error) = guard.run(refresh(core, &guard, name, &wanted.asked)).await {
            tracing::warn!(view = %name, %error, "a materialized view was not refreshed");
            return;
        }
    }
}

/// One refresh that nobody has asked for.
struct Job<'a> {
    core: &'a Arc<Core>,
    name: &'a Name,
    known: &'a Known,
    snapshot: u64,
}

impl Job<'_> {
    /// Whether nothing is left to be done over the snapshot.
    async fn run(&self, database: &str, stop: &CancellationToken) -> bool {
        let asked = Asked { by: "job".to_owned(), database: database.to_owned(), is_full: false, waits: false };
        let guard = StatementGuard::new(stop.child_token());
        match guard.run(refresh(self.core, &guard, self.name, &asked)).await {
            Ok(attempt) => {
                self.known.succeeded();
                let outcome = attempt.outcome.text();
                tracing::debug!(view = %self.name, outcome, "a materialized view was refreshed");
                true
            }
            // Another replica does it, and may not come to its end.
            Err(Error { state: SqlState::ObjectInUse, .. }) => false,
            Err(error) => {
                let lasts = is_lasting(&error);
                // What is mended meanwhile shall not wait for the first time.
                let rest = |failures: u32| rest(failures.saturating_sub(u32::from(lasts)));
                self.known.failed(rest, lasts.then_some(self.snapshot));
                tracing::warn!(view = %self.name, %error, "a materialized view was not refreshed");
                lasts
            }
        }
    }
}
