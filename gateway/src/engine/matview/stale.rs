//! Whether a view is older than whoever asks accepts, and what is answered then.
//!
//! Owns: of which moment the rows of a view are, whichever replica has made them: the log of its table says so. Of a view whose
//! files are as they were, the rows are as new as the last listing. Must never know: the query that asks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Matview, Name, OnStale, Refreshed, Table};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::look::Look;
use super::status::Known;
use crate::engine::Core;
use crate::error::{Error, Result, SqlState};
use crate::session::Session;

/// What the planning of a statement has found of the views that it names, directly or through others.
#[derive(Default)]
pub(in crate::engine) struct Judged {
    /// Whose variables count. Without it the rows of views are taken as they are.
    session: Option<Arc<Session>>,
    found: Mutex<Option<Found>>,
}

struct Found {
    asked: Asked,
    /// When the first of the views will be too old.
    until: Option<DateTime<Utc>>,
}

/// What a session asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    max_staleness: Option<Duration>,
    on_stale: Option<OnStale>,
}

impl Asked {
    fn of(session: &Session) -> Self {
        let vars = session.vars();
        Self { max_staleness: vars.max_staleness(), on_stale: vars.on_stale() }
    }
}

impl fmt::Debug for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged").finish_non_exhaustive()
    }
}

impl Judged {
    /// For a query of a client.
    pub(in crate::engine) fn of(session: &Arc<Session>) -> Arc<Self> {
        Arc::new(Self { session: Some(Arc::clone(session)), found: Mutex::default() })
    }

    /// Whether planning would find otherwise now, though the lake is as it was: a view has come to be too old, or the session
    /// asks for something else.
    pub(in crate::engine) fn is_over(&self) -> bool {
        let (Some(session), found) = (&self.session, self.found.lock()) else { return false };
        found.as_ref().is_some_and(|found| {
            found.until.is_some_and(|until| until < Utc::now()) || found.asked != Asked::of(session)
        })
    }

    fn note(&self, asked: Asked, until: Option<DateTime<Utc>>) {
        let mut found = self.found.lock();
        let first = found.as_ref().and_then(|found| found.until);
        *found = Some(Found { asked, until: first.into_iter().chain(until).min() });
    }

    /// Whether a view is answered by its query, since its rows are too old. Where that is not wanted it is an error, or the rows
    /// are given as they are.
    pub(in crate::engine) async fn is_by_query(
        &self,
        core: &Arc<Core>,
        table: &Table,
        matview: &Matview,
    ) -> Result<bool> {
        let Some(session) = &self.session else { return Ok(false) };
        let (asked, options) = (Asked::of(session), &matview.options);
        let on_stale = asked.on_stale.unwrap_or(options.on_stale);
        // A session can ask for more, and not for less.
        let max = options.max_staleness.into_iter().chain(asked.max_staleness).min();
        let Some(max) = max.filter(|_| on_stale != OnStale::Serve) else {
            self.note(asked, None);
            return Ok(false);
        };
        let as_of = as_of(core, table, &session.database, max).await;
        let until = as_of.and_then(|as_of| until(as_of, max));
        if let Some(until) = until.filter(|until| Utc::now() <= *until) {
            self.note(asked, Some(until));
            return Ok(false);
        }
        self.note(asked, None);
        match on_stale {
            OnStale::Base => Ok(true),
            OnStale::Error | OnStale::Serve => Err(too_old(&table.name, as_of, max)),
        }
    }
}

fn until(as_of: DateTime<Utc>, max: Duration) -> Option<DateTime<Utc>> {
    match chrono::Duration::from_std(max) {
        Ok(max) => as_of.checked_add_signed(max).or(Some(DateTime::<Utc>::MAX_UTC)),
        Err(_) => Some(DateTime::<Utc>::MAX_UTC),
    }
}

/// The moment of which the rows of a view are.
async fn as_of(core: &Arc<Core>, table: &Table, database: &str, max: Duration) -> Option<DateTime<Utc>> {
    // Before the snapshot: what is in that is not older.
    let looked_at = core.lake.looked_at();
    let refreshed = table.refreshed()?;
    let name = Name { schema: table.schema.clone(), name: table.name.clone() };
    let known = core.matviews.known(&name);
    let as_of = refreshed.listed_at.max(known.checked(&refreshed));
    let is_enough = |as_of: DateTime<Utc>| until(as_of, max).is_some_and(|until| Utc::now() <= until);
    if as_of.is_some_and(is_enough) || !looked_at.is_some_and(is_enough) {
        return as_of;
    }
    match is_unchanged(core, &known, (&name, database), &refreshed).await {
        true => as_of.max(looked_at),
        false => as_of,
    }
}

/// Whether every file that the rows were made of is as it was, and nothing else changes them. It is looked at once in each
/// snapshot of the lake. What cannot be told is no.
async fn is_unchanged(core: &Arc<Core>, known: &Known, (name, database): (&Name, &str), refreshed: &Refreshed) -> bool {
    let snapshot = core.lake.snapshot().version;
    if let Some(compared) = known.compared(snapshot, refreshed) {
        return compared;
    }
    let base = match known.lineage().filter(|known| known.epoch == refreshed.epoch) {
        Some(known) => Some(known),
        None => match core.lake.lineage(name, refreshed.epoch).await {
            Ok(found) => found.map(Arc::new),
            // It may be there the next time.
            Err(_) => return false,
        },
    };
    let Some(base) = base.filter(|base| base.table == refreshed.table && base.version == refreshed.version) else {
        known.compare(snapshot, refreshed, false);
        return false;
    };
    match Look::in_place(core, name, database).await {
        Ok(look) => {
            let is_same = look.is_of(&base);
            known.compare(look.planned.scope.snapshot.version, refreshed, is_same);
            is_same
        }
        Err(error) => {
            tracing::debug!(view = %name, %error, "it is not known whether a materialized view is as it was");
            false
        }
    }
}

fn too_old(view: &str, as_of: Option<DateTime<Utc>>, max: Duration) -> Error {
    let message = format!("materialized view \"{view}\" is older than is accepted");
    let age = match as_of {
        Some(as_of) => {
            let seconds = Utc::now().signed_duration_since(as_of).num_seconds().max(0);
            format!("Its rows are of {}, {seconds} seconds ago", as_of.format("%Y-%m-%d %H:%M:%S UTC"))
        }
        None => "It is not known of when its rows are".to_owned(),
    };
    let detail = format!("{age}; {} seconds are accepted.", max.as_secs());
    Error::new(SqlState::ObjectNotInPrerequisiteState, message)
        .detail(detail)
        .hint("Use the REFRESH MATERIALIZED VIEW command.")
}
