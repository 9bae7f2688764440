//! Rows on their way out. Cancel, deadline, limits, metrics and the query log live in here: no protocol can forget them.

use std::sync::{Arc, Weak};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use catalog::LeftOut;
use catalog::pg_catalog::Registry;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::DropGuard;

use super::admission::{self, Permit};
use super::cpu::CpuPool;
use super::interrupt::Stop;
use super::limits::Size;
use super::memory::{self, QueryPool};
use super::query_log::{Entry, Running};
use crate::error::{Error, Result, SqlState};
use crate::session::vars::Limits;
use crate::session::{Notice, Session, SessionEffect, StatementGuard};

/// Batches between the CPU pool and the socket.
const BATCHES_IN_FLIGHT: usize = 2;

/// The only form in which rows leave the engine. Dropping it stops the work behind it.
pub struct QueryStream {
    schema: SchemaRef,
    source: Source,
    guard: StatementGuard,
    running: Option<Running>,
    /// The place of the statement among those that may run at once.
    permit: Option<Permit>,
    /// What the statement is called in the query log, behind its end as well.
    entry: Option<Arc<Entry>>,
    /// What OIDs in the rows mean to the statement.
    registry: Option<Arc<Registry>>,
    /// What `begin` took and `next` has not yet given.
    first: Option<Option<Result<RecordBatch>>>,
    telling: Option<Box<Telling>>,
    /// Accounts for rows that are there.
    held: Option<MemoryReservation>,
    /// What of the result is counted, where it is limited.
    size: Option<Size>,
}

/// Who is told at the end which records the scans have left out.
struct Telling {
    left_out: Arc<LeftOut>,
    /// A session has the cursors that have streams.
    session: Weak<Session>,
}

/// What a statement is expected to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It reads files of the lake.
    Scan,
    /// It reads the catalogs or nothing: what tools ask while they connect.
    Small,
}

/// What makes the rows of a query.
pub(super) struct Work {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) context: Arc<TaskContext>,
    pub(super) pool: Arc<QueryPool>,
    /// Stops joins between two yields.
    pub(super) stop: Stop,
}

enum Source {
    /// Rows known at once: SHOW, EXPLAIN.
    Ready(std::vec::IntoIter<RecordBatch>),
    /// Rows that the CPU pool makes while they are taken.
    Pool {
        batches: mpsc::Receiver<Result<RecordBatch>>,
        task: AbortHandle,
        _stop: DropGuard,
    },
    Done,
}

impl QueryStream {
    /// A result that is already there.
    pub fn ready(schema: SchemaRef, batches: Vec<RecordBatch>, guard: StatementGuard) -> Self {
        let source = Source::Ready(batches.into_iter());
        Self::new(schema, source, guard)
    }

    fn new(schema: SchemaRef, source: Source, guard: StatementGuard) -> Self {
        let (running, permit, entry, registry) = (None, None, None, None);
        Self {
            schema,
            source,
            guard,
            running,
            permit,
            entry,
            registry,
            first: None,
            telling: None,
            held: None,
            size: None,
        }
    }

    /// The stream with the statement that it is the rest of.
    pub(super) fn running(mut self, running: Running) -> Self {
        self.entry = Some(Arc::clone(&running.entry));
        self.running = Some(running);
        self
    }

    /// The statement in the query log.
    pub fn entry(&self) -> Option<&Arc<Entry>> {
        self.entry.as_ref()
    }

    /// The stream, with what accounts for its rows until it is dropped.
    pub(super) fn holding(mut self, memory: MemoryReservation) -> Self {
        self.held = Some(memory);
        self
    }

    /// The stream, whose session is told at its end which records were left out.
    pub(super) fn telling(mut self, session: &Arc<Session>, left_out: Option<Arc<LeftOut>>) -> Self {
        let telling = |left_out| Box::new(Telling { left_out, session: Arc::downgrade(session) });
        self.telling = left_out.map(telling);
        self
    }

    /// The stream, whose rows are counted against the limits of a result.
    pub(super) fn bounded(mut self, limits: Limits) -> Self {
        self.size = Size::of(limits);
        self
    }

    /// The stream with names for the OIDs in its rows.
    pub(super) fn with_registry(mut self, registry: Option<Arc<Registry>>) -> Self {
        self.registry = registry;
        self
    }

    /// Names for the OIDs in the rows.
    pub fn registry(&self) -> Option<Arc<Registry>> {
        self.registry.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "a stream is the meeting of all these")]
    /// Does the work on the CPU pool, two batches ahead of the taker.
    pub(super) fn spawn(
        cpu: &CpuPool,
        schema: SchemaRef,
        work: Work,
        guard: StatementGuard,
        permit: Option<Permit>,
        weight: Weight,
    ) -> Result<Self> {
        let (sender, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
        let gone = sender.clone();
        let _stop = work.stop.on_drop();
        let slack = permit.as_ref().map(|permit| permit.weight().clone());
        let forwarding = forward(work, (sender, slack), Arc::clone(&schema));
        let task = match weight {
            Weight::Scan => cpu.spawn(forwarding)?.abort_handle(),
            Weight::Small => cpu.spawn_apart(async move {
                tokio::select! {
                    () = gone.closed() => {}
                    () = forwarding => {}
                }
            })?,
        };
        let source = Source::Pool { batches, task, _stop };
        let mut stream = Self::new(schema, source, guard);
        stream.permit = permit;
        Ok(stream)
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Waits for the first batch, so that a statement whose file was replaced can start anew: no row was given yet.
    /// Every other error is left for `next`.
    pub(super) async fn begin(&mut self) -> Result<()> {
        match self.take().await {
            Some(Err(error)) if error.state == SqlState::SerializationFailure => {
                self.end(Some(error.state));
                Err(error)
            }
            first => {
                self.first = Some(first);
                Ok(())
            }
        }
    }

    /// The next batch; `None` after the last. Ends with 57014 when the statement is cancelled or late.
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        let next = match self.first.take() {
            Some(first) => first,
            None => self.take().await,
        };
        let next = match (next, &mut self.size) {
            (Some(Ok(batch)), Some(size)) => Some(size.add(&batch).map(|()| batch)),
            (next, _) => next,
        };
        self.account(&next);
        next
    }

    /// Ends it well before its last row, as nobody wants more.
    pub fn close(&mut self) {
        self.end(None);
    }

    async fn take(&mut self) -> Option<Result<RecordBatch>> {
        match &mut self.source {
            Source::Done => None,
            Source::Ready(batches) => batches.next().map(Ok),
            Source::Pool { batches, .. } => tokio::select! {
                biased;
                error = self.guard.ended() => Some(Err(error)),
                batch = batches.recv() => batch,
            },
        }
    }

    fn account(&mut self, next: &Option<Result<RecordBatch>>) {
        match next {
            Some(Ok(batch)) => {
                if let Some(entry) = &self.entry {
                    entry.add_rows(batch.num_rows() as u64);
                }
            }
            Some(Err(error)) => self.end(Some(error.state)),
            None => {
                self.tell_left_out();
                self.end(None);
            }
        }
    }

    /// A warning per table. More of them than a statement may cause are not told.
    fn tell_left_out(&mut self) {
        let Some(Telling { left_out, session }) = self.telling.take().map(|telling| *telling) else { return };
        let Some(session) = session.upgrade() else { return };
        for (table, count) in left_out.by_table() {
            let (records, were) = if count == 1 { ("record", "was") } else { ("records", "were") };
            let message = format!("{count} {records} of table \"{table}\" {were} left out");
            let notice = Notice::warning(SqlState::Warning, message).hint("They are listed in system.rejects.");
            if session.push_effect(SessionEffect::Notice(notice)).is_err() {
                return;
            }
        }
    }

    /// Stops the work and writes the log entry. `None` is success.
    fn end(&mut self, failure: Option<SqlState>) {
        if let Source::Pool { task, .. } = std::mem::replace(&mut self.source, Source::Done) {
            task.abort();
        }
        drop((self.held.take(), self.permit.take()));
        if let Some(running) = self.running.take() {
            running.finish(failure);
        }
    }
}

impl Drop for QueryStream {
    fn drop(&mut self) {
        // A portal that its client closes before the last row: no failure, but the work must end.
        self.end(Some(SqlState::QueryCanceled));
    }
}

/// Runs on the CPU pool until the taker is gone. A panic in a kernel is this statement's error, nobody else's.
async fn forward(
    work: Work,
    (sender, slack): (mpsc::Sender<Result<RecordBatch>>, Option<admission::Weight>),
    schema: SchemaRef,
) {
    let Work { plan, context, pool, stop: _ } = work;
    let forwarding = async {
        let mut rows = match execute_stream(plan, context) {
            Ok(rows) => rows,
            Err(error) => {
                let _ = sender.send(Err(error.into())).await;
                return;
            }
        };
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(Error::from).and_then(|batch| rename(batch, &schema));
            let failed = batch.is_err();
            if sender.capacity() == 0 {
                slack.iter().for_each(admission::Weight::lighten);
            }
            if sender.send(batch).await.is_err() || failed {
                return;
            }
        }
    };
    let forwarding = std::panic::AssertUnwindSafe(forwarding).catch_unwind();
    // What it holds is given back here and now, also when its client takes no rows.
    match pool.evicted().run_until_cancelled(forwarding).await {
        Some(Ok(())) => {}
        Some(Err(_)) => drop(sender.send(Err(Error::internal("an operator panicked"))).await),
        None => drop(sender.send(Err(memory::evicted())).await),
    }
}

/// The plan's own column names are unique; the client's need not be.
fn rename(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &rows).map_err(Error::internal)
}
