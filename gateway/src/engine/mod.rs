//! The one door to planning and execution: every protocol and job goes `parse -> prepare -> execute`.
//!
//! Owns: DataFusion. Must never know: a wire protocol, a socket.

mod admission;
mod analyze;
mod authorize;
mod base;
mod constant_rows;
mod copy;
mod cpu;
mod cursor;
mod declared;
mod define;
mod diagnose;
mod distinct_on;
mod exact;
mod explain;
mod facts;
mod gauges;
mod given_types;
mod grouping_keys;
mod guard;
mod interrupt;
mod limits;
mod lock;
mod matview;
mod memory;
mod named;
mod object_casts;
mod params;
mod parse;
mod parts;
mod place;
mod plan;
mod planners;
mod prepare;
mod query_log;
mod refresh;
mod rewrite;
mod row_security;
mod run;
mod scope;
mod session_functions;
mod shadows;
mod statement;
mod statistics;
mod stores;
mod stream;
mod streams;
mod system_columns;
mod tags;
mod temp_files;
mod tokens;
mod types;
mod unanswered;
mod versions;
mod view_columns;
mod write;
mod zone;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use catalog::{Access, Lake, Snapshot};
use datafusion::scalar::ScalarValue;
use parking_lot::Mutex;
use sqlparser::ast::Statement as Ast;
use udfs::settings::Output;

use crate::audit::Audit;
use crate::config;
use crate::error::{Error, Result, SqlState};
use crate::session::vars::Display;
use crate::session::{Registry, Session, StatementGuard, command, transaction};
pub use authorize::Authority;
pub use base::Outputs;
pub use copy::{Copy, CopyFormat};
pub use cpu::CpuPool;
pub use cursor::{Cursor, Fetch};
pub use parts::Pin;
pub use plan::Origin;
use plan::Plan;
use query_log::QueryLog;
pub use query_log::{Counters, Entry, SECONDS};
pub use statement::{Count, Prepared, Statement, Tag};
pub use stream::QueryStream;
pub(crate) use write::{Block, Mark};
pub use write::{FileColumns, Given, IfExists, Incoming, Load, Outgoing};

/// Longer texts are parsed on the CPU pool.
const INLINE_SQL_BYTES: usize = 1024;

/// What every statement shares. Nothing of it changes after the start, except counters, caches, and what roles may do.
pub struct Engine {
    core: Arc<Core>,
}

pub(crate) struct Core {
    pub(super) lake: Arc<Lake>,
    pub(super) cpu: CpuPool,
    /// For statements that keep a thread busy for long: what is done on another is not behind them.
    heavy_cpu: CpuPool,
    /// Where materialized views are refreshed; `None` where none can be.
    jobs_cpu: Option<CpuPool>,
    base: base::Base,
    admission: Arc<admission::Admission>,
    /// What opens as many bytes of files is heavy.
    heavy_bytes_min: u64,
    log: Arc<QueryLog>,
    unanswered: unanswered::Unanswered,
    matviews: Arc<matview::Matviews>,
    streams: Arc<streams::Streams>,
    registry: Arc<Registry>,
    authority: ArcSwap<Authority>,
    /// What the last statement was checked against, if SQL had granted anything.
    granted: Mutex<Option<authorize::Merged>>,
    /// What binds nobody.
    unbound: Arc<Access>,
    started_at: SystemTime,
}

/// What executing a statement gives.
pub enum Outcome {
    /// Rows, whose schema is `Prepared::columns`. The tag gets its row count from who sends them.
    Rows { stream: QueryStream, tag: Tag },
    /// Rows in the form that COPY asked for.
    Copy { stream: QueryStream, copy: Copy, tag: Tag },
    /// Rows are awaited, in the form that COPY says.
    CopyIn(Box<Incoming>),
    /// Rows that go to an object of the lake, in the form that COPY says.
    CopyTo(Box<Outgoing>),
    /// No rows: a command was carried out.
    Done(Tag),
}

impl Engine {
    pub fn new(
        config: &config::Engine,
        lake: Arc<Lake>,
        registry: Arc<Registry>,
        authority: Authority,
        outputs: Outputs,
    ) -> Result<Self> {
        let cpu = CpuPool::new(config.cpu_threads)?;
        let jobs_threads =
            if config.jobs_cpu_threads == 0 { cpu.threads().div_ceil(2) } else { config.jobs_cpu_threads };
        let heavy_cpu = CpuPool::new(cpu.threads())?;
        let jobs_cpu = lake.is_writable().then(|| CpuPool::new(jobs_threads)).transpose()?;
        let running_max = if config.running_max == 0 { 16 * cpu.threads() } else { config.running_max };
        let queue_timeout = Duration::from_millis(config.queue_timeout_ms);
        let base = base::Base::new(config, &lake, cpu.threads(), outputs)?;
        let heavy_max = if config.heavy_max == 0 { cpu.threads().max(2) } else { config.heavy_max };
        let bounds = admission::Bounds { running_max, heavy_max, queued_max: config.queued_max, queue_timeout };
        let admission = Arc::new(admission::Admission::new(bounds, &base.pressure));
        let log = Arc::new(QueryLog::new(config.slow_statement_ms));
        let (unanswered, started_at) = (unanswered::Unanswered::default(), SystemTime::now());
        let (matviews, unbound) = (Arc::default(), Arc::new(Access::of_everybody()));
        let authority = ArcSwap::from_pointee(authority);
        let core = Core {
            lake,
            cpu,
            heavy_cpu,
            jobs_cpu,
            base,
            admission,
            heavy_bytes_min: config.heavy_bytes_min,
            log,
            unanswered,
            matviews,
            streams: Arc::default(),
            registry,
            authority,
            granted: Mutex::default(),
            unbound,
            started_at,
        };
        Ok(Self { core: Arc::new(core) })
    }

    /// 57P03 with the reason as long as nobody knows what is in the lake.
    pub fn check_open(&self) -> Result<()> {
        self.core.lake.awaited().map_or(Ok(()), |awaited| Err(awaited.into()))
    }

    /// Tells every statement to an audit from here on.
    pub fn audit(&self, audit: Arc<Audit>) {
        self.core.log.audit(audit);
    }

    /// Splits and parses a message of the simple protocol; an empty or comment-only text gives no statement.
    /// Refuses too long and too deep texts (54001) before any recursion. Errors carry their position.
    pub async fn parse(&self, sql: String) -> Result<Vec<Statement>> {
        if sql.len() <= INLINE_SQL_BYTES {
            return parse::statements(&sql);
        }
        self.on_cpu(move || parse::statements(&sql)).await?
    }

    /// Plans a statement on the CPU pool. `param_types` are those that the client declared; `None` is inferred.
    pub async fn prepare(
        &self,
        session: &Arc<Session>,
        guard: &StatementGuard,
        statement: Statement,
        param_types: &[Option<FieldRef>],
    ) -> Result<Prepared> {
        refuse_in_failed_block(session, &statement.ast)?;
        self.check_open()?;
        session.activity().start(&statement.text);
        let (version, began_at) = (self.core.snapshot(session).version, Instant::now());
        let planned = async {
            let planned = self.plan(session, &statement, param_types).await;
            if self.looked_again(&planned, version).await {
                return self.plan(session, &statement, param_types).await;
            }
            planned
        };
        let prepared = guard.run(planned).await;
        prepared.inspect_err(|error| {
            self.core.log.never_ran(session, &statement.text, (began_at, error.state));
            self.core.unanswered.note(&statement, error);
        })
    }

    /// Runs a prepared statement with one value per parameter.
    pub async fn execute(
        &self,
        session: &Arc<Session>,
        guard: &StatementGuard,
        prepared: &Prepared,
        params: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        refuse_in_failed_block(session, &prepared.statement.ast)?;
        session.activity().start(&prepared.statement.text);
        let running = self.core.log.begin(session, &prepared.statement.text);
        let guard = &running.guard(guard);
        self.core.log.tell(guard, prepared);
        let version = self.core.snapshot(session).version;
        let outcome = async {
            let outcome = self.begin(session, guard, prepared, params.clone()).await;
            // FETCH has no snapshot of its own: it goes on where its cursor stands, and cannot start anew.
            if prepared.snapshot_version().is_some() && self.looked_again(&outcome, version).await {
                return self.begin(session, guard, prepared, params).await;
            }
            outcome
        };
        let outcome = guard.run(outcome).await;
        let outcome = outcome.inspect_err(|error| self.core.unanswered.note(&prepared.statement, error));
        running.settle(outcome)
    }

    async fn plan(
        &self,
        session: &Arc<Session>,
        statement: &Statement,
        param_types: &[Option<FieldRef>],
    ) -> Result<Prepared> {
        let planning = Arc::clone(&self.core).prepare(Arc::clone(session), statement.clone(), param_types.to_vec());
        self.core.cpu.block(move |handle| handle.block_on(planning)).await?
    }

    /// Runs to the first rows.
    async fn begin(
        &self,
        session: &Arc<Session>,
        guard: &StatementGuard,
        prepared: &Prepared,
        params: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        // The layers above hand their futures on by value: a small one keeps the stacks of their threads small.
        let mut outcome = Box::pin(self.run(session, guard, prepared, params)).await?;
        if let Outcome::Rows { stream, .. } | Outcome::Copy { stream, .. } = &mut outcome {
            stream.begin().await?;
        }
        Ok(outcome)
    }

    /// Whether what was tried met a file that was replaced or deleted since `version` of the lake, and the lake is known
    /// anew: then one more try sees the new file.
    async fn looked_again<T>(&self, tried: &Result<T>, version: u64) -> bool {
        let lake = &self.core.lake;
        match tried {
            Err(error) if matches!(error.state, SqlState::SerializationFailure | SqlState::UndefinedFile) => {
                lake.snapshot().version != version || lake.refresh().await.is_ok()
            }
            _ => false,
        }
    }

    /// A statement planned over an older snapshot is planned again, so that it sees the lake as it is now; so is one
    /// whose parameters have values of other precisions than it was planned for.
    async fn run(
        &self,
        session: &Arc<Session>,
        guard: &StatementGuard,
        prepared: &Prepared,
        params: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        let core = &self.core;
        if let Plan::Execute { target, arguments } = &prepared.plan {
            let params = match arguments {
                None => Vec::new(),
                Some(arguments) => {
                    let run = run::Run { core, session, guard, prepared, params: Vec::new() };
                    named::row(run.stream(arguments, Vec::new()).await?).await?
                }
            };
            return Box::pin(self.run(session, guard, target, params)).await;
        }
        if let Plan::Pinned { planned, pin } = &prepared.plan {
            return Box::pin(self.pinned(session, guard, (prepared, planned, pin), params)).await;
        }
        let stale = prepared.is_over(core.snapshot(session).version, &core.access(session));
        let retyped = params::retyped(&prepared.param_types, &params);
        if !stale && retyped.is_none() {
            return run::Run { core, session, guard, prepared, params }.execute().await;
        }
        let types = retyped.unwrap_or_else(|| prepared.param_types.clone());
        let types: Vec<_> = types.into_iter().map(Some).collect();
        let fresh = self.plan(session, &prepared.statement, &types).await?;
        if !prepared.answers_like(&fresh) {
            return Err(changed_result_type());
        }
        run::Run { core, session, guard, prepared: &fresh, params }.execute().await
    }

    /// Runs CPU-heavy work (encoding) on the CPU pool, away from the sockets.
    pub async fn on_cpu<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        self.core.cpu.block(move |_| work()).await
    }

    /// What values show in a session with these settings.
    pub fn output(&self, display: &Display) -> Arc<dyn Output> {
        self.core.base.output(display)
    }
}

/// What a statement fails with whose columns are not those that its client was told.
pub fn changed_result_type() -> Error {
    Error::new(SqlState::ResultTypeChanged, "cached plan must not change result type")
        .hint("A file of the query was replaced by one with other columns: prepare the statement again.")
}

fn refuse_in_failed_block(session: &Session, statement: &Ast) -> Result<()> {
    if session.transaction().status != transaction::Status::Failed || command::ends_block(statement) {
        return Ok(());
    }
    Err(transaction::aborted())
}

impl Core {
    /// The lake as a session sees it now: with what its own block has defined.
    fn snapshot(&self, session: &Session) -> Arc<Snapshot> {
        let defined = session.transaction().defined.clone();
        defined.unwrap_or_else(|| self.lake.snapshot())
    }

    /// Where the work of a session is done: that of readers does not wait for refreshes, nor these for readers.
    fn cpu_of(&self, session: &Session) -> &CpuPool {
        self.jobs_cpu.as_ref().filter(|_| session.is_of_server).unwrap_or(&self.cpu)
    }

    /// A scope over the lake as it is now.
    fn scope(self: &Arc<Self>, session: &Arc<Session>, message: &Arc<str>) -> scope::Scope {
        let columns = Arc::new(view_columns::Columns { core: Arc::clone(self), session: Arc::clone(session) });
        let snapshot = self.snapshot(session);
        let kept = facts::Kept {
            access: self.access(session),
            log: Arc::clone(&self.log),
            matviews: Arc::clone(&self.matviews),
            streams: Arc::clone(&self.streams),
            snapshot: Arc::clone(&snapshot),
        };
        let facts = facts::now(session, &self.registry, (&self.authority.load().roles, self.started_at), kept);
        let state = self.base.state(session);
        let (session, message) = (Arc::clone(session), Arc::clone(message));
        scope::Scope::new(snapshot, state, session, message, columns, Arc::new(facts), &self.registry)
    }
}

/// The result columns of a statement that returns none.
fn no_columns() -> SchemaRef {
    Arc::new(Schema::empty())
}
