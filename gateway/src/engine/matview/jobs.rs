//! Refreshes that nobody asks for: by the clock, or because files have changed.
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

use super::refresh::{Asked, refresh};
use super::status::Known;
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
                    || known.is_resting(Instant::now())
                    || !is_due(table, matview, &known, at)
                {
                    continue;
                }
                at.version = snapshot.version;
                if stop.run_until_cancelled(job(&self.core, &name, &known, &database, &stop)).await.is_none() {
                    return;
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

async fn job(core: &Arc<Core>, name: &Name, known: &Known, database: &str, stop: &CancellationToken) {
    let asked = Asked { by: "job".to_owned(), database: database.to_owned(), is_full: false, waits: false };
    let guard = StatementGuard::new(stop.child_token());
    match guard.run(refresh(core, &guard, name, &asked)).await {
        Ok(attempt) => {
            known.failed(None::<fn(u32) -> Duration>);
            tracing::debug!(view = %name, outcome = attempt.outcome.text(), "a materialized view was refreshed");
        }
        // Another replica does it.
        Err(Error { state: SqlState::ObjectInUse, .. }) => {}
        Err(error) => {
            known.failed(Some(|failures: u32| (REST * 2_u32.saturating_pow(failures - 1)).min(REST_MAX)));
            tracing::warn!(view = %name, %error, "a materialized view was not refreshed");
        }
    }
}
