//! What ran: one line per statement, and the counters that `/metrics` shows.
//!
//! Owns: the life of a statement from its start to its end, however it ends. Must never log: literals of a statement
//! that failed to parse, parameters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use crate::error::SqlState;

/// Counters of the whole server; they only grow.
#[derive(Debug, Default)]
pub struct Counters {
    pub started: AtomicU64,
    pub succeeded: AtomicU64,
    pub failed: AtomicU64,
    pub canceled: AtomicU64,
    pub rows: AtomicU64,
    pub microseconds: AtomicU64,
}

/// A statement that runs. Dropping it without `finish` counts it as cancelled.
pub(crate) struct Running {
    pub rows: u64,
    session: i32,
    text: Arc<str>,
    counters: Arc<Counters>,
    began_at: Instant,
    /// The place of the statement among those that may run at once.
    _permit: Option<OwnedSemaphorePermit>,
    finished: bool,
}

impl Running {
    pub(crate) fn start(
        counters: &Arc<Counters>,
        session: i32,
        text: &Arc<str>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        counters.started.fetch_add(1, Ordering::Relaxed);
        Self {
            rows: 0,
            session,
            text: Arc::clone(text),
            counters: Arc::clone(counters),
            began_at: Instant::now(),
            _permit: permit,
            finished: false,
        }
    }

    /// Ends the statement: `None` is success.
    pub(crate) fn finish(mut self, failure: Option<SqlState>) {
        self.close(failure);
    }

    fn close(&mut self, failure: Option<SqlState>) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let elapsed = self.began_at.elapsed();
        let counter = match failure {
            None => &self.counters.succeeded,
            Some(SqlState::QueryCanceled) => &self.counters.canceled,
            Some(_) => &self.counters.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.counters.rows.fetch_add(self.rows, Ordering::Relaxed);
        let microseconds = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.counters.microseconds.fetch_add(microseconds, Ordering::Relaxed);
        tracing::debug!(
            session = self.session,
            rows = self.rows,
            elapsed_ms = elapsed.as_millis() as u64,
            sqlstate = failure.map_or("00000", SqlState::code),
            statement = %self.text,
            "statement ended"
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close(Some(SqlState::QueryCanceled));
    }
}
