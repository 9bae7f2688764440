//! One client's state: who it is, its variables, its transaction, and how to cancel what it runs.
//!
//! Owns: everything that one connection changes and no other may see. Must never know: a wire protocol.
//! Prepared statements and portals belong to the protocol rooms, which know their names' rules.

pub mod command;
pub mod registry;
pub mod transaction;
pub mod vars;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use crate::auth::Role;
pub use registry::{CancelKey, Registry};
pub use transaction::Transaction;
pub use vars::Vars;

/// One logged-in client. It exists only after authentication: no function takes a session of an unknown user.
pub struct Session {
    /// The backend process id of PostgreSQL's protocol; unique among the living sessions of this server.
    pub id: i32,
    pub database: String,
    pub role: Arc<Role>,
    pub client: Option<SocketAddr>,
    pub started_at: SystemTime,
    vars: Mutex<Vars>,
    transaction: Mutex<Transaction>,
    current: Mutex<CancellationToken>,
}

impl Session {
    pub fn new(id: i32, database: String, role: Arc<Role>, client: Option<SocketAddr>, vars: Vars) -> Self {
        Self {
            id,
            database,
            role,
            client,
            started_at: SystemTime::now(),
            vars: Mutex::new(vars),
            transaction: Mutex::new(Transaction::default()),
            current: Mutex::new(CancellationToken::new()),
        }
    }

    pub fn user(&self) -> &str {
        &self.role.name
    }

    /// The variables. Hold the guard shortly and never across an await.
    pub fn vars(&self) -> MutexGuard<'_, Vars> {
        self.vars.lock()
    }

    pub fn transaction(&self) -> MutexGuard<'_, Transaction> {
        self.transaction.lock()
    }

    /// Begins a statement: from here on a cancel request and `statement_timeout` apply to it.
    pub fn begin_statement(&self) -> StatementGuard {
        let cancel = CancellationToken::new();
        *self.current.lock() = cancel.clone();
        StatementGuard { cancel, timeout: self.vars().statement_timeout(), began_at: tokio::time::Instant::now() }
    }

    /// Cancels the statement that runs now, if one does. A cancel between statements has no effect, as in PostgreSQL.
    pub fn cancel(&self) {
        self.current.lock().cancel();
    }
}

/// What ends a statement early: its client's cancel request, or its deadline.
#[derive(Debug, Clone)]
pub struct StatementGuard {
    pub cancel: CancellationToken,
    /// `statement_timeout` as it was when the statement began; `None` is no limit.
    pub timeout: Option<Duration>,
    pub began_at: tokio::time::Instant,
}

impl StatementGuard {
    pub fn deadline(&self) -> Option<tokio::time::Instant> {
        self.timeout.map(|timeout| self.began_at + timeout)
    }
}
