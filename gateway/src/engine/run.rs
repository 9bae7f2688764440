//! From a prepared statement to its rows.
//!
//! Owns: physical planning, admission, the memory of a query, and the start of its stream.

use std::sync::Arc;
use std::time::Instant;

use catalog::Reads;
use catalog::pg_catalog::Registry;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::joins::{CrossJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::scalar::ScalarValue;
use futures::TryStreamExt;
use sqlparser::ast::Statement as Ast;

use super::admission::{Ask, Permit};
use super::interrupt::Stop;
use super::memory::QueryPool;
use super::plan::{Plan, Planned};
use super::stream::{Weight, Work};
use super::{
    Core, Cursor, Outcome, Prepared, QueryStream, Tag, define, exact, explain, limits, matview, params, refresh, write,
};
use crate::error::{Error, Result, SqlState};
use crate::session::transaction::Status;
use crate::session::vars::Limits;
use crate::session::{NamedStatement, Session, StatementGuard, command};

/// One execution of one statement.
pub(super) struct Run<'a> {
    pub core: &'a Arc<Core>,
    pub session: &'a Arc<Session>,
    pub guard: &'a StatementGuard,
    pub prepared: &'a Prepared,
    pub params: Vec<ScalarValue>,
}

impl Run<'_> {
    pub(super) async fn execute(mut self) -> Result<Outcome> {
        let params = std::mem::take(&mut self.params);
        match &self.prepared.plan {
            Plan::Query(planned) => {
                let stream = self.stream(planned, params).await?.bounded(self.limits());
                Ok(Outcome::Rows { stream, tag: Tag::SELECT })
            }
            Plan::Copy { planned, copy } => {
                let stream = self.stream(planned, params).await?.bounded(self.limits());
                Ok(Outcome::Copy { stream, copy: copy.clone(), tag: self.prepared.tag.clone() })
            }
            Plan::Explain { planned, how } => self.explain(planned, *how, params).await,
            Plan::Declare { name, options, planned } => {
                // The cursor outlives DECLARE, and its deadline and cancel request: each FETCH has its own.
                let guard = self.guard.unbounded();
                let stream = Run { guard: &guard, params: Vec::new(), ..self }.stream(planned, params).await?;
                let text = Arc::clone(&self.prepared.statement.text);
                let memory = self.core.base.reservation("rows of a cursor");
                let cursor = Cursor::new(name.clone(), *options, text, stream, memory);
                self.session.cursors().insert(name.clone(), Arc::new(cursor));
                Ok(Outcome::Done(Tag::command("DECLARE CURSOR")))
            }
            Plan::Fetch { cursor, fetch } if fetch.is_move => {
                let passed = cursor.pass(fetch.movement).await?;
                Ok(Outcome::Done(Tag::counted("MOVE", passed)))
            }
            Plan::Fetch { cursor, fetch } => {
                let batches = cursor.fetch(fetch.movement).await?;
                let stream = QueryStream::ready(Arc::clone(&cursor.columns), batches, self.guard.clone())
                    .with_registry(cursor.registry.clone())
                    .bounded(self.limits());
                Ok(Outcome::Rows { stream, tag: self.prepared.tag.clone() })
            }
            Plan::Prepare { name, prepared } => {
                let statement = &self.prepared.statement;
                let named = NamedStatement {
                    prepared: Some(Arc::clone(prepared)),
                    declared: Vec::new(),
                    text_bytes: statement.text.len(),
                    prepared_at: std::time::SystemTime::now(),
                    from_sql: true,
                };
                self.session.statements().add(name.clone(), named)?;
                Ok(Outcome::Done(self.prepared.tag.clone()))
            }
            Plan::Pinned { .. } => Err(Error::internal("a pin is looked at before its query runs")),
            Plan::Execute { .. } => Err(Error::internal("EXECUTE runs the statement that it names")),
            Plan::Refresh(table) => {
                let message = &self.prepared.statement.message;
                refresh::table(self.core, self.session, table, message).await.map(Outcome::Done)
            }
            Plan::Define(command) => {
                let (core, session) = (Arc::clone(self.core), Arc::clone(self.session));
                let defining = Box::pin(define::carry_out(core, session, self.prepared.statement.clone(), command));
                let defined = self.core.cpu.block(move |handle| handle.block_on(defining)).await??;
                Ok(Outcome::Done(defined.tag))
            }
            Plan::Matview(command) => Box::pin(matview::run(self, command)).await,
            Plan::Write(write) => {
                let write = Box::pin(write::run(Run { params, ..self }, write));
                write.await
            }
            Plan::Command => self.command().await,
        }
    }

    /// A block that ends well keeps what it defined first; if that fails, it has failed.
    async fn command(&self) -> Result<Outcome> {
        let ast = &self.prepared.statement.ast;
        if matches!(ast.as_ref(), Ast::Commit { .. }) && self.session.transaction().status == Status::InBlock {
            // A block does only one of both.
            let kept = match Box::pin(define::commit(self.core, self.session)).await {
                Ok(()) => Box::pin(write::commit(self.core, self.session, self.guard)).await,
                Err(error) => Err(error),
            };
            if let Err(error) = kept {
                self.session.end_block(false);
                return Err(error);
            }
        }
        match command::execute(self.session, ast)? {
            command::Done::Tag(tag) => Ok(Outcome::Done(tag)),
            command::Done::Rows(rows, tag) => {
                let stream = QueryStream::ready(rows.schema(), vec![rows], self.guard.clone());
                Ok(Outcome::Rows { stream, tag })
            }
        }
    }

    fn limits(&self) -> Limits {
        self.session.vars().limits()
    }

    pub(super) async fn stream(&self, planned: &Planned, params: Vec<ScalarValue>) -> Result<QueryStream> {
        let permit = self.admit(planned).await?;
        let stop = Stop::default();
        let Physical { plan, context, pool, is_plain } = self.physical(planned, params, &stop).await?;
        let permit = self.weigh(permit, &context, is_plain).await?;
        let is_long = permit.as_ref().is_some_and(Permit::is_heavy) || multiplies(&plan);
        let cpu = match self.core.cpu_of(self.session) {
            _ if is_long && !self.session.is_of_server => &self.core.heavy_cpu,
            cpu => cpu,
        };
        // A client that is slow to send must not hold a thread of its own.
        let is_scan = planned.scope.reads_lake() || planned.scope.has_given();
        let weight = if is_scan { Weight::Scan } else { Weight::Small };
        self.log(&plan, &context);
        let columns = exact::columns(&planned.columns, &plan.schema());
        let registry = Arc::new(Registry::new(Arc::clone(&planned.scope.view)));
        let (guard, left_out) = (self.guard.clone(), context.session_config().get_extension());
        let work = Work { plan, context, pool, stop };
        let stream = QueryStream::spawn(cpu, columns, work, guard, permit, weight)?;
        Ok(stream.with_registry(Some(registry)).telling(self.session, left_out))
    }

    /// Waits for a place among the running statements. One that reads no file needs none, so that a busy server still
    /// answers what tools ask while they connect.
    async fn admit(&self, planned: &Planned) -> Result<Option<Permit>> {
        if !planned.scope.reads_lake() || self.session.is_of_server {
            return Ok(None);
        }
        let (role, role_max) = (self.session.user().into(), self.limits().running);
        self.queued(self.core.admission.admit(Ask { role, role_max, is_heavy: false })).await.map(Some)
    }

    /// Refuses what would read more than it may, and lets what reads much wait for others that do.
    async fn weigh(&self, permit: Option<Permit>, context: &TaskContext, is_plain: bool) -> Result<Option<Permit>> {
        let Some(reads) = context.session_config().get_extension::<Reads>() else { return Ok(permit) };
        limits::check_scan(&self.limits(), &reads)?;
        match permit {
            Some(permit) if !is_plain && reads.bytes_scanned() >= self.core.heavy_bytes_min => {
                self.queued(permit.heavy()).await.map(Some)
            }
            permit => Ok(permit),
        }
    }

    /// Waits, which is told.
    async fn queued<T>(&self, waiting: impl Future<Output = T>) -> T {
        let queued = |is_queued| {
            self.session.activity().queued = is_queued;
            self.guard.entry.iter().for_each(|entry| entry.set_queued(is_queued));
        };
        queued(true);
        let waited = waiting.await;
        queued(false);
        waited
    }

    /// The query log is told what is about to run.
    fn log(&self, plan: &Arc<dyn ExecutionPlan>, context: &TaskContext) {
        if let Some(entry) = &self.guard.entry {
            entry.runs(context.session_config().get_extension(), self.core.log.keeps_plans().then_some(plan));
        }
    }

    /// Optimises and plans on a planner's thread, with the parameters put in.
    async fn physical(&self, planned: &Planned, values: Vec<ScalarValue>, stop: &Stop) -> Result<Physical> {
        if values.len() != planned.param_types.len() {
            let message = format!(
                "{} parameters were given, but the statement needs {}",
                values.len(),
                planned.param_types.len()
            );
            return Err(Error::new(SqlState::ProtocolViolation, message));
        }
        let (logical, scope, core) = (Arc::clone(&planned.plan), Arc::clone(&planned.scope), Arc::clone(self.core));
        let reads = Arc::new(Reads::default());
        let (context, pool) = self.core.base.task_context(&scope.state, self.session, &reads)?;
        let stop = Arc::new(stop.clone());
        let plan = self.core.cpu_of(self.session).block(move |handle| {
            let logical = exact::results(params::bind(Arc::unwrap_or_clone(logical), values)?)?;
            let mut state = core.base.run_state(&scope.state);
            state.config_mut().set_extension(stop);
            state.config_mut().set_extension(Arc::clone(&reads));
            if !scope.reads_lake() {
                // Series and catalogs give their rows in order in PostgreSQL, and are too small to be worth dividing.
                state.config_mut().options_mut().execution.target_partitions = 1;
            }
            state.mark_start_execution();
            if let Some(began_at) = scope.session.transaction().began_at {
                state.execution_props_mut().query_execution_start_time = Some(began_at);
            }
            let optimized = state.optimizer().optimize(logical, &state, |_, _| {})?;
            let is_plain = only_reads(&optimized);
            if is_plain {
                // The wire takes rows one after the other: more streams would only hold more of the file in memory.
                state.config_mut().options_mut().execution.target_partitions = 1;
            }
            Ok::<_, Error>((handle.block_on(physical_plan(&optimized, state))?, is_plain))
        });
        let (plan, is_plain) = plan.await??;
        Ok(Physical { plan, context, pool, is_plain })
    }

    async fn explain(&self, planned: &Planned, how: explain::How, params: Vec<ScalarValue>) -> Result<Outcome> {
        let permit = self.admit(planned).await?;
        let stop = Stop::default();
        let _stopped = stop.on_drop();
        let Physical { plan, context, is_plain, .. } = self.physical(planned, params, &stop).await?;
        let began_at = Instant::now();
        if how.analyze {
            let _permit = self.weigh(permit, &context, is_plain).await?;
            self.log(&plan, &context);
            let analyzed = Arc::clone(&plan);
            let work = async move {
                let mut rows = execute_stream(analyzed, context)?;
                while rows.try_next().await?.is_some() {}
                Ok::<_, Error>(())
            };
            let work = tokio_util::task::AbortOnDropHandle::new(self.core.cpu.spawn(work)?);
            work.await.map_err(Error::internal)??;
        }
        let rows = explain::rows(&plan, how, began_at.elapsed())?;
        let stream = QueryStream::ready(rows.schema(), vec![rows], self.guard.clone());
        Ok(Outcome::Rows { stream, tag: Tag::command("EXPLAIN") })
    }
}

/// What is about to run.
struct Physical {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    pool: Arc<QueryPool>,
    /// Whether it gives rows as they stand in their files, to a client that takes them one after the other.
    is_plain: bool,
}

/// The planner's own check refuses some of its plans: those whose parallel sort it took away because a UNION of constants
/// looked sorted. Without parallel sorts it plans them well.
pub(super) async fn physical_plan(optimized: &LogicalPlan, mut state: SessionState) -> Result<Arc<dyn ExecutionPlan>> {
    match state.query_planner().create_physical_plan(optimized, &state).await {
        Ok(plan) => Ok(plan),
        Err(refused) => {
            if let Some(reads) = state.config().get_extension::<Reads>() {
                reads.forget();
            }
            state.config_mut().options_mut().optimizer.repartition_sorts = false;
            let plan = state.query_planner().create_physical_plan(optimized, &state).await;
            plan.map_err(|_| refused.into())
        }
    }
}

/// Whether it works for long on little, without a yield.
fn multiplies(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<NestedLoopJoinExec>() || plan.is::<CrossJoinExec>() || plan.children().into_iter().any(multiplies)
}

/// Whether the rows of a plan are those of one table as they stand in its files, in that order.
fn only_reads(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => scan.filters.is_empty(),
        LogicalPlan::SubqueryAlias(alias) => only_reads(&alias.input),
        LogicalPlan::Limit(limit) => only_reads(&limit.input),
        LogicalPlan::Projection(projection) => {
            let is_column = |expr: &Expr| matches!(expr.clone().unalias_nested().data, Expr::Column(_));
            projection.expr.iter().all(is_column) && only_reads(&projection.input)
        }
        _ => false,
    }
}
