//! What ran: the statements that run and the last that ran, one line per statement, the counters that `/metrics` shows.
//!
//! Owns: the life of a statement from its start to its end, however it ends. Must never log: literals of a statement
//! that failed to parse, parameters.

mod counters;
mod entry;
mod facts;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use catalog::pg_catalog::QueryFact;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use parking_lot::Mutex;

pub use counters::{Counters, SECONDS};
pub use entry::Entry;

use super::{Count, Outcome, Prepared, Tag};
use crate::audit::Audit;
use crate::error::{Result, SqlState};
use crate::session::{Session, StatementGuard};

/// Statements that are remembered behind their end, and the bytes of their texts together.
const ENDED_MAX: usize = 1_000;
const ENDED_BYTES_MAX: usize = 2 << 20;

/// The statements of a server.
pub(crate) struct QueryLog {
    pub(super) counters: Arc<Counters>,
    /// What takes as long is logged with its plan.
    slow: Option<Duration>,
    audit: OnceLock<Arc<Audit>>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    last_id: i64,
    running: BTreeMap<i64, Arc<Entry>>,
    /// The oldest first.
    ended: VecDeque<Arc<Entry>>,
    ended_bytes: usize,
}

impl QueryLog {
    /// `slow_ms` of 0 logs no statement as slow.
    pub(super) fn new(slow_ms: u64) -> Self {
        let slow = (slow_ms > 0).then(|| Duration::from_millis(slow_ms));
        Self { counters: Arc::default(), slow, audit: OnceLock::new(), known: Mutex::default() }
    }

    /// Tells every statement to an audit from here on.
    pub(super) fn audit(&self, audit: Arc<Audit>) {
        // A server has one.
        let _ = self.audit.set(audit);
    }

    /// What the audit is told of a statement, if there is one.
    pub(super) fn tell(&self, guard: &StatementGuard, prepared: &Prepared) {
        if let (Some(_), Some(entry)) = (self.audit.get(), &guard.entry) {
            entry.tell(prepared.facts());
        }
    }

    /// A statement begins.
    pub(super) fn begin(self: &Arc<Self>, session: &Session, text: &Arc<str>) -> Running {
        self.begun(session, text, Instant::now())
    }

    fn begun(self: &Arc<Self>, session: &Session, text: &Arc<str>, began_at: Instant) -> Running {
        self.counters.started.fetch_add(1, Ordering::Relaxed);
        let mut known = self.known.lock();
        known.last_id += 1;
        let entry = Arc::new(Entry::new((known.last_id, began_at), session, text, &self.counters));
        known.running.insert(entry.id, Arc::clone(&entry));
        Running { entry, log: Arc::clone(self), finished: false }
    }

    /// A statement that could not be planned.
    pub(super) fn never_ran(
        self: &Arc<Self>,
        session: &Session,
        text: &Arc<str>,
        (began_at, why): (Instant, SqlState),
    ) {
        self.begun(session, text, began_at).finish(Some(why));
    }

    /// What they are to one session: the oldest first, those that run last.
    pub(super) fn facts(&self, viewer: &Session) -> Vec<QueryFact> {
        let known = self.known.lock();
        let entries: Vec<_> = known.ended.iter().chain(known.running.values()).map(Arc::clone).collect();
        drop(known);
        entries.iter().map(|entry| entry.fact(viewer)).collect()
    }

    /// The newest statement that a session runs.
    pub(super) fn running_of(&self, pid: i32) -> Option<Arc<Entry>> {
        self.known.lock().running.values().rev().find(|entry| entry.pid == pid).map(Arc::clone)
    }

    pub(crate) fn running(&self) -> usize {
        self.known.lock().running.len()
    }

    /// Whether plans are kept until their statement's end.
    pub(super) fn keeps_plans(&self) -> bool {
        self.slow.is_some()
    }

    fn end(&self, entry: &Arc<Entry>, failure: Option<SqlState>) {
        let plan = entry.end(failure);
        let (elapsed, rows) = (entry.elapsed(), entry.rows());
        self.counters.ended(entry, failure);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let sqlstate = failure.map_or("00000", SqlState::code);
        tracing::debug!(session = entry.pid, rows, elapsed_ms, sqlstate, statement = %entry.text, "statement ended");
        if self.slow.is_some_and(|slow| elapsed >= slow) {
            let plan = plan.as_ref().map(shown).unwrap_or_default();
            let (role, statement) = (&entry.role, &entry.text);
            tracing::warn!(target: "slow", session = entry.pid, %role, rows, elapsed_ms, sqlstate, %statement, "{plan}");
        }
        if let Some(audit) = self.audit.get() {
            audit.statement(entry.audited(rows, elapsed_ms, sqlstate));
        }
        let mut known = self.known.lock();
        known.running.remove(&entry.id);
        known.ended_bytes += entry.text.len();
        known.ended.push_back(Arc::clone(entry));
        while known.ended.len() > ENDED_MAX || known.ended_bytes > ENDED_BYTES_MAX {
            let Some(oldest) = known.ended.pop_front() else { break };
            known.ended_bytes -= oldest.text.len();
        }
    }
}

/// A plan with what its operators did.
fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string()
}

/// A statement that runs. Dropping it without `finish` counts it as cancelled.
pub(crate) struct Running {
    pub(super) entry: Arc<Entry>,
    log: Arc<QueryLog>,
    finished: bool,
}

impl Running {
    /// What ends the statement, and is told what it does.
    pub(super) fn guard(&self, guard: &StatementGuard) -> StatementGuard {
        StatementGuard { entry: Some(Arc::clone(&self.entry)), ..guard.clone() }
    }

    /// Ends the statement with its outcome, or goes with the rows that are still to come.
    pub(super) fn settle(self, outcome: Result<Outcome>) -> Result<Outcome> {
        match outcome {
            Ok(Outcome::Rows { stream, tag }) => Ok(Outcome::Rows { stream: stream.running(self), tag }),
            Ok(Outcome::Copy { stream, copy, tag }) => Ok(Outcome::Copy { stream: stream.running(self), copy, tag }),
            Ok(Outcome::CopyTo(mut rows)) => {
                rows.stream = rows.stream.running(self);
                Ok(Outcome::CopyTo(rows))
            }
            Ok(Outcome::CopyIn(rows)) => Ok(Outcome::CopyIn(Box::new(rows.running(self)))),
            Ok(Outcome::Done(tag)) => {
                self.changed(&tag);
                self.finish(None);
                Ok(Outcome::Done(tag))
            }
            Err(error) => {
                self.finish(Some(error.state));
                Err(error)
            }
        }
    }

    pub(super) fn changed(&self, tag: &Tag) {
        if let Count::Changed(rows) = tag.count {
            self.entry.add_rows(rows);
        }
    }

    /// Ends the statement: `None` is success.
    pub(crate) fn finish(mut self, failure: Option<SqlState>) {
        self.close(failure);
    }

    fn close(&mut self, failure: Option<SqlState>) {
        if !std::mem::replace(&mut self.finished, true) {
            self.log.end(&self.entry, failure);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close(Some(SqlState::QueryCanceled));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;
    use crate::session::Vars;

    fn session(name: &str, superuser: bool) -> Session {
        let role = Role { name: name.into(), superuser, connection_limit: None, read_only: false };
        Session::new(1, "lakegate".into(), Arc::new(role), None, Vars::default())
    }

    #[test]
    fn the_last_statements_are_remembered_and_no_more() {
        let (log, session) = (Arc::new(QueryLog::new(0)), session("ann", false));
        let first = log.begin(&session, &"SELECT 0".into());
        for number in 1..=ENDED_MAX + 5 {
            log.begin(&session, &format!("SELECT {number}").into()).finish(None);
        }
        let facts = log.facts(&session);
        assert_eq!(facts.len(), ENDED_MAX + 1);
        assert_eq!(facts[0].query.as_deref(), Some("SELECT 6"));
        assert_eq!(facts[ENDED_MAX].query.as_deref(), Some("SELECT 0"), "what runs is not forgotten");
        drop(first);
        let last = log.facts(&session).pop().unwrap();
        assert_eq!((last.state.as_str(), last.sqlstate.as_deref()), ("canceled", Some("57014")));
        let long: Arc<str> = "x".repeat(1 << 20).into();
        (0..ENDED_MAX).for_each(|_| log.begin(&session, &long).finish(None));
        let bytes: usize = log.known.lock().ended.iter().map(|entry| entry.text.len()).sum();
        assert!(bytes <= ENDED_BYTES_MAX && bytes == log.known.lock().ended_bytes);
    }

    #[test]
    fn the_text_of_another_role_is_for_superusers() {
        let (log, ann) = (Arc::new(QueryLog::new(0)), session("ann", false));
        log.begin(&ann, &"SELECT 'secret'".into()).finish(Some(SqlState::DivisionByZero));
        let text = |viewer: &Session| log.facts(viewer)[0].query.clone();
        assert_eq!(text(&ann).as_deref(), Some("SELECT 'secret'"));
        assert_eq!(text(&session("root", true)).as_deref(), Some("SELECT 'secret'"));
        assert_eq!(text(&session("bob", false)), None);
        assert_eq!(log.facts(&ann)[0].sqlstate.as_deref(), Some("22012"));
    }
}
