//! One client's state: who it is, its variables, its transaction, and how to cancel what it runs.
//!
//! Owns: everything that one connection changes and no other may see. Must never know: a wire protocol.
//! Portals belong to the protocol rooms, which know how their rows are sent.

pub mod channels;
pub mod command;
pub mod effects;
pub mod registry;
pub mod statements;
pub mod transaction;
pub mod vars;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use crate::auth::Role;
use crate::engine::{Cursor, Entry};
use crate::error::{Error, Result, SqlState};
pub use effects::{Notice, SessionEffect};
pub use registry::{CancelKey, Registry};
pub use statements::{NamedStatement, Statements};
pub use transaction::Transaction;
pub use vars::Vars;

/// One logged-in client. It exists only after authentication: no function takes a session of an unknown user.
pub struct Session {
    /// The backend process id of PostgreSQL's protocol; unique among the living sessions of this server.
    pub id: i32,
    pub database: String,
    pub role: Arc<Role>,
    /// Whether it is one of the server itself, which no client has.
    pub is_of_server: bool,
    pub client: Option<SocketAddr>,
    pub protocol: Protocol,
    pub started_at: SystemTime,
    vars: Mutex<Vars>,
    transaction: Mutex<Transaction>,
    /// The parent of the tokens of what runs.
    current: Mutex<CancellationToken>,
    terminated: CancellationToken,
    effects: Mutex<effects::Effects>,
    statements: Mutex<Statements>,
    cursors: Mutex<HashMap<String, Arc<Cursor>>>,
    activity: Mutex<Activity>,
    pub inbox: channels::Inbox,
    /// Where its server's sessions are; a session that is not there is sent nothing.
    registry: OnceLock<Weak<Registry>>,
}

/// How a session talks to its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    PostgreSql,
    Flight,
    Http,
    /// It has no client.
    Internal,
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql",
            Self::Flight => "flight",
            Self::Http => "http",
            Self::Internal => "internal",
        }
    }
}

/// What `pg_stat_activity` tells of a session.
#[derive(Debug, Clone)]
pub struct Activity {
    pub running: bool,
    /// Whether the statement waits for a place among those that run.
    pub queued: bool,
    pub statement: Arc<str>,
    /// `None` before the first.
    pub statement_began_at: Option<SystemTime>,
    pub changed_at: SystemTime,
}

impl Session {
    pub fn new(id: i32, database: String, role: Arc<Role>, client: Option<SocketAddr>, vars: Vars) -> Self {
        Self {
            id,
            database,
            role,
            is_of_server: false,
            client,
            protocol: if client.is_some() { Protocol::PostgreSql } else { Protocol::Internal },
            started_at: SystemTime::now(),
            vars: Mutex::new(vars),
            transaction: Mutex::new(Transaction::default()),
            current: Mutex::new(CancellationToken::new()),
            terminated: CancellationToken::new(),
            effects: Mutex::new(effects::Effects::default()),
            statements: Mutex::new(Statements::default()),
            cursors: Mutex::new(HashMap::new()),
            activity: Mutex::new(Activity::default()),
            inbox: channels::Inbox::default(),
            registry: OnceLock::new(),
        }
    }

    fn registry(&self) -> Option<Arc<Registry>> {
        self.registry.get().and_then(Weak::upgrade)
    }

    /// The same as one of the server itself: no grant binds it.
    pub(crate) fn of_server(self) -> Self {
        Self { is_of_server: true, ..self }
    }

    /// The same session over another protocol than PostgreSQL's.
    pub fn over(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// Whether it is told what a role runs: its own, or everybody's if it is a superuser.
    pub fn may_see(&self, role: &str) -> bool {
        self.role.superuser || self.user() == role
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

    /// The prepared statements, by name.
    pub fn statements(&self) -> MutexGuard<'_, Statements> {
        self.statements.lock()
    }

    /// The cursors of DECLARE, by name.
    pub fn cursors(&self) -> MutexGuard<'_, HashMap<String, Arc<Cursor>>> {
        self.cursors.lock()
    }

    pub fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock()
    }

    /// Whether the running statement may not write: its block is read-only, or without a block new ones are.
    fn is_read_only(&self) -> bool {
        let is_on = |name: &str| self.vars().get(name).is_ok_and(|on| on == "on");
        let is_in_block = self.transaction().is_in_block();
        is_on("transaction_read_only") || (!is_in_block && is_on("default_transaction_read_only"))
    }

    /// 25006 if the running statement may not write.
    pub fn refuse_read_only(&self, command: &str) -> Result<()> {
        if !self.role.read_only && !self.is_read_only() {
            return Ok(());
        }
        let message = format!("cannot execute {command} in a read-only transaction");
        let error = Error::new(SqlState::ReadOnlySqlTransaction, message);
        Err(match self.role.read_only {
            true => error.detail(format!("Role \"{}\" is read-only.", self.user())),
            false => error,
        })
    }

    /// Ends a statement: without a block it was a transaction of its own.
    pub(crate) fn end_statement(&self, well: bool) {
        let mut transaction = self.transaction();
        if transaction.status != transaction::Status::Idle || transaction.asked.is_empty() {
            return;
        }
        let asked = std::mem::take(&mut transaction.asked);
        drop(transaction);
        if well {
            channels::carry_out(self, asked);
        }
    }

    /// Ends the transaction block; cursors WITH HOLD outlive it if it ends well.
    pub(crate) fn end_block(&self, well: bool) {
        let ended = std::mem::take(&mut *self.transaction.lock());
        self.cursors.lock().retain(|_, cursor| well && cursor.options.hold);
        let mut vars = self.vars.lock();
        if well {
            vars.commit()
        } else {
            vars.rollback()
        }
        drop(vars);
        if well {
            channels::carry_out(self, ended.asked);
        }
    }

    /// Lets go of what the session holds and what holds the session in turn: plans know whose they are.
    pub(crate) fn end(&self) {
        self.statements.lock().clear();
        self.cursors.lock().clear();
    }

    /// Begins a statement: from here on a cancel request and `statement_timeout` apply to it.
    pub fn begin_statement(&self) -> StatementGuard {
        let cancel = self.current.lock().child_token();
        let (timeout, began_at) = (self.vars().statement_timeout(), tokio::time::Instant::now());
        StatementGuard { cancel, timeout, began_at, shielded: Arc::default(), entry: None }
    }

    /// Asks the connection to do something before it ends the running statement. Notices that `client_min_messages` leaves out
    /// are not told.
    pub fn push_effect(&self, effect: SessionEffect) -> Result<()> {
        if let SessionEffect::Notice(notice) = &effect
            && !notice.level.reaches(&self.vars().get("client_min_messages")?)
        {
            return Ok(());
        }
        self.effects.lock().push(effect)
    }

    /// What the statement that just ended asked for.
    pub fn take_effects(&self) -> Vec<SessionEffect> {
        self.effects.lock().take()
    }

    /// Ends the session: its connection closes as soon as what runs has stopped.
    pub fn terminate(&self) {
        self.terminated.cancel();
        self.cancel();
    }

    /// Waits until somebody ends the session.
    pub async fn terminated(&self) {
        self.terminated.cancelled().await;
    }

    pub fn is_terminated(&self) -> bool {
        self.terminated.is_cancelled()
    }

    /// How long the session may wait for its client as it stands now, and what ends it then; `None` is for ever.
    pub fn patience(&self) -> Option<(Duration, Error)> {
        let (limit, state, message) = match self.transaction().status {
            transaction::Status::Idle => (
                self.vars().idle_session_timeout(),
                SqlState::IdleSessionTimeout,
                "terminating connection due to idle-session timeout",
            ),
            transaction::Status::InBlock | transaction::Status::Failed => (
                self.vars().idle_in_transaction_session_timeout(),
                SqlState::IdleInTransactionSessionTimeout,
                "terminating connection due to idle-in-transaction timeout",
            ),
        };
        Some((limit?, Error::new(state, message)))
    }

    /// Whether another session in its place would answer otherwise: it was given variables, statements, cursors, a block.
    pub fn is_told_apart(&self) -> bool {
        let has_names = !self.statements().is_empty() || !self.cursors().is_empty() || !self.inbox.is_empty();
        has_names || self.transaction().is_in_block() || !self.vars().changed().is_empty()
    }

    /// Cancels what runs now: one statement, or those that a Flight client runs side by side. A cancel between statements
    /// has no effect, as in PostgreSQL.
    pub fn cancel(&self) {
        let running = std::mem::take(&mut *self.current.lock());
        running.cancel();
    }
}

impl Activity {
    pub fn start(&mut self, statement: &Arc<str>) {
        let now = SystemTime::now();
        *self = Self {
            running: true,
            queued: false,
            statement: Arc::clone(statement),
            statement_began_at: Some(now),
            changed_at: now,
        };
    }

    /// When the statement began, which runs.
    pub fn began_at(&self) -> SystemTime {
        self.statement_began_at.unwrap_or(self.changed_at)
    }

    pub fn end(&mut self) {
        (self.running, self.queued) = (false, false);
        self.changed_at = SystemTime::now();
    }
}

impl Default for Activity {
    fn default() -> Self {
        let now = SystemTime::now();
        Self { running: false, queued: false, statement: "".into(), statement_began_at: None, changed_at: now }
    }
}

/// What a session that somebody ended is told.
pub fn shutting_down() -> Error {
    Error::new(SqlState::AdminShutdown, "terminating connection due to administrator command")
}

/// An identifier as PostgreSQL folds it: quoted as it is, else in lower case.
pub fn fold(ident: &sqlparser::ast::Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// What ends a statement early: its client's cancel request, or its deadline. It goes where the statement goes.
#[derive(Clone)]
pub struct StatementGuard {
    pub cancel: CancellationToken,
    /// `statement_timeout` as it was when the statement began; `None` is no limit.
    pub timeout: Option<Duration>,
    pub began_at: tokio::time::Instant,
    /// Set while nothing may end the statement: a commit is on its way.
    pub(crate) shielded: Arc<AtomicBool>,
    /// Where it is told what the statement does; `None` of work that nobody is told of.
    pub(crate) entry: Option<Arc<Entry>>,
}

impl StatementGuard {
    /// Of work that no session began.
    pub fn new(cancel: CancellationToken) -> Self {
        Self { cancel, timeout: None, began_at: tokio::time::Instant::now(), shielded: Arc::default(), entry: None }
    }

    /// The same statement, whose work may outlive the message that began it.
    pub fn unbounded(&self) -> Self {
        Self { cancel: CancellationToken::new(), timeout: None, ..self.clone() }
    }

    /// From here on the statement comes to its end: who would stop it could not know what was done.
    pub fn shield(&self) {
        self.shielded.store(true, Ordering::Release);
    }

    /// Takes that back, as nothing was done.
    pub fn unshield(&self) {
        self.shielded.store(false, Ordering::Release);
    }

    pub fn deadline(&self) -> Option<tokio::time::Instant> {
        self.timeout.map(|timeout| self.began_at + timeout)
    }

    /// Waits until the statement must end, and says why: 57014 with PostgreSQL's two texts.
    pub async fn ended(&self) -> Error {
        let late = async {
            match self.deadline() {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let error = tokio::select! {
            biased;
            () = self.cancel.cancelled() => {
                Error::new(SqlState::QueryCanceled, "canceling statement due to user request")
            }
            () = late => Error::new(SqlState::QueryCanceled, "canceling statement due to statement timeout"),
        };
        if self.shielded.load(Ordering::Acquire) {
            return std::future::pending().await;
        }
        error
    }

    /// Runs `work` until it is done or the statement must end.
    pub async fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            error = self.ended() => Err(error),
            done = work => done,
        }
    }
}
