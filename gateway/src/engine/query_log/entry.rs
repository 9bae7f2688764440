//! One statement: whose it is, what it did, how it ended.
//!
//! Owns: what of it others may see. Must never hold a plan behind its end.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use catalog::Reads;
use catalog::pg_catalog::QueryFact;
use chrono::{DateTime, Utc};
use datafusion::physical_plan::ExecutionPlan;
use parking_lot::Mutex;

use super::Counters;
use crate::audit::{self, Facts};
use crate::error::SqlState;
use crate::session::Session;

/// Of a longer text the beginning is kept.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// Queries of one statement whose reads are counted.
const READS_MAX: usize = 64;

pub struct Entry {
    pub(super) id: i64,
    pub(super) pid: i32,
    pub(super) role: String,
    protocol: &'static str,
    application_name: String,
    client_addr: Option<String>,
    pub(in crate::engine) text: Arc<str>,
    started_at: DateTime<Utc>,
    began_at: Instant,
    is_queued: AtomicBool,
    rows: AtomicU64,
    sent: AtomicU64,
    work: Mutex<Work>,
    end: OnceLock<End>,
    /// What the audit is told of it.
    facts: OnceLock<Facts>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Work {
    reads: Vec<Arc<Reads>>,
    /// That of the statement's first query.
    plan: Option<Arc<dyn ExecutionPlan>>,
}

struct End {
    at: DateTime<Utc>,
    elapsed: Duration,
    failure: Option<SqlState>,
}

/// What was asked of the store.
#[derive(Default)]
pub(super) struct Read {
    pub(super) bytes: u64,
    pub(super) files_scanned: u64,
    pub(super) files_pruned: u64,
    pub(super) cache_hits: u64,
}

impl Entry {
    pub(super) fn new(
        (id, began_at): (i64, Instant),
        session: &Session,
        text: &Arc<str>,
        counters: &Arc<Counters>,
    ) -> Self {
        let text = match text.len() > TEXT_BYTES_MAX {
            true => text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default().into(),
            false => Arc::clone(text),
        };
        Self {
            id,
            pid: session.id,
            role: session.user().to_owned(),
            protocol: session.protocol.name(),
            application_name: session.vars().get("application_name").unwrap_or_default(),
            client_addr: session.client.map(|client| client.ip().to_string()),
            text,
            started_at: Utc::now() - began_at.elapsed(),
            began_at,
            is_queued: AtomicBool::new(false),
            rows: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            work: Mutex::default(),
            end: OnceLock::new(),
            facts: OnceLock::new(),
            counters: Arc::clone(counters),
        }
    }

    /// So many more rows left the engine, or were changed.
    pub(crate) fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// So many more bytes go to the client, the last of them behind the end.
    pub(crate) fn add_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.counters.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Waits for a place among those that run, or no longer.
    pub(crate) fn set_queued(&self, is_queued: bool) {
        self.is_queued.store(is_queued, Ordering::Relaxed);
    }

    /// A query of the statement begins to run.
    pub(crate) fn runs(&self, reads: Option<Arc<Reads>>, plan: Option<&Arc<dyn ExecutionPlan>>) {
        let mut work = self.work.lock();
        if work.reads.len() < READS_MAX {
            work.reads.extend(reads);
        }
        if work.plan.is_none() && self.end.get().is_none() {
            work.plan = plan.map(Arc::clone);
        }
    }

    /// Gives the plan away.
    pub(super) fn end(&self, failure: Option<SqlState>) -> Option<Arc<dyn ExecutionPlan>> {
        // A statement ends once.
        let _ = self.end.set(End { at: Utc::now(), elapsed: self.began_at.elapsed(), failure });
        self.work.lock().plan.take()
    }

    pub(super) fn tell(&self, facts: Facts) {
        // It is planned once.
        let _ = self.facts.set(facts);
    }

    pub(super) fn audited(&self, rows: u64, elapsed_ms: u64, sqlstate: &'static str) -> audit::Statement {
        audit::Statement {
            id: self.id,
            session: self.pid,
            role: self.role.clone(),
            protocol: self.protocol,
            client: self.client_addr.clone(),
            facts: self.facts.get().cloned().unwrap_or_else(|| Facts::of_text(&self.text)),
            rows,
            bytes_sent: self.sent.load(Ordering::Relaxed),
            bytes_read: self.read().bytes,
            elapsed_ms,
            sqlstate,
            text: Arc::clone(&self.text),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.end.get().map_or_else(|| self.began_at.elapsed(), |end| end.elapsed)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(super) fn read(&self) -> Read {
        self.work.lock().reads.iter().fold(Read::default(), |sum, reads| Read {
            bytes: sum.bytes + reads.bytes(),
            files_scanned: sum.files_scanned + reads.files_scanned(),
            files_pruned: sum.files_pruned + reads.files_pruned(),
            cache_hits: sum.cache_hits + reads.cache_hits(),
        })
    }

    fn state(&self) -> &'static str {
        match self.end.get().map(|end| end.failure) {
            None if self.is_queued.load(Ordering::Relaxed) => "queued",
            None => "running",
            Some(None) => "succeeded",
            Some(Some(SqlState::QueryCanceled)) => "canceled",
            Some(Some(_)) => "failed",
        }
    }

    /// Texts of others are for superusers, as in `pg_stat_activity`, and so is whence they come.
    pub(super) fn fact(&self, viewer: &Session) -> QueryFact {
        let may_read = viewer.may_see(&self.role);
        let (end, read) = (self.end.get(), self.read());
        QueryFact {
            id: self.id,
            pid: self.pid,
            role: self.role.clone(),
            protocol: self.protocol.to_owned(),
            application_name: self.application_name.clone(),
            client_addr: self.client_addr.clone().filter(|_| may_read),
            query: may_read.then(|| self.text.to_string()),
            state: self.state().to_owned(),
            started_at: Some(self.started_at),
            ended_at: end.map(|end| end.at),
            duration_us: i64::try_from(self.elapsed().as_micros()).unwrap_or(i64::MAX),
            rows: int(self.rows()),
            bytes_sent: int(self.sent.load(Ordering::Relaxed)),
            bytes_read: int(read.bytes),
            files_scanned: int(read.files_scanned),
            files_pruned: int(read.files_pruned),
            cache_hits: int(read.cache_hits),
            sqlstate: end.map(|end| end.failure.map_or("00000", SqlState::code).to_owned()),
        }
    }
}

fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
