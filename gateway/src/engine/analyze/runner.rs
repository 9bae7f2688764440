//! Runs a subquery for one combination of outer values, and remembers the answers.
//!
//! Owns: planning and running of subqueries while rows flow; the bound on how many are remembered and how large they
//! are. Must never know: what an answer is used for.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::apply::{Inner, Meaning};
use super::outer::{Key, bind};
use super::single_row::more_than_one_row;
use crate::error::{Error, SqlState};

/// One statement may ask a subquery this many different questions. Each is planned anew: a test need not wait for all.
const ANSWERS_MAX: usize = if cfg!(test) { 100 } else { 10_000 };

type Answers<A> = Mutex<HashMap<Vec<ScalarValue>, Arc<OnceCell<Arc<A>>>>>;

/// A subquery that is run once per distinct combination of outer values; `A` is what is kept of its rows.
pub(super) struct Runner<A> {
    inner: Inner,
    meaning: Meaning,
    state: SessionState,
    /// The subquery as the optimizer leaves it while its outer values are still unknown.
    optimized: OnceLock<LogicalPlan>,
    answers: Answers<A>,
    reservation: Mutex<Option<MemoryReservation>>,
}

impl<A> Runner<A> {
    pub(super) fn new(inner: Inner, meaning: Meaning, state: SessionState) -> Self {
        let (answers, reservation) = (Mutex::default(), Mutex::default());
        Self { inner, meaning, state, optimized: OnceLock::new(), answers, reservation }
    }

    pub(super) fn keys(&self) -> usize {
        self.inner.keys.len()
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(self.inner.plan.schema().inner())
    }

    /// The answer for these outer values. Partitions that ask the same at once wait for one answer.
    pub(super) async fn answer(
        &self,
        values: Vec<ScalarValue>,
        context: &Arc<TaskContext>,
        keep: impl FnOnce(Vec<RecordBatch>) -> Result<A> + Send,
    ) -> Result<Arc<A>>
    where
        A: Send + Sync,
    {
        let cell = self.cell(&values)?;
        let answer = cell
            .get_or_try_init(|| async {
                // Between two runs the statement may be cancelled, however cheap each is.
                tokio::task::yield_now().await;
                let rows = self.run(values, context).await?;
                keep(rows).map(Arc::new)
            })
            .await?;
        Ok(Arc::clone(answer))
    }

    fn cell(&self, values: &[ScalarValue]) -> Result<Arc<OnceCell<Arc<A>>>> {
        let mut answers = self.answers.lock();
        if let Some(cell) = answers.get(values) {
            return Ok(Arc::clone(cell));
        }
        if answers.len() >= ANSWERS_MAX {
            let message = format!("a correlated subquery was asked more than {ANSWERS_MAX} different questions");
            let error = Error::new(SqlState::ProgramLimitExceeded, message)
                .hint("Write the subquery as a join, so that it is answered for all rows at once.");
            return Err(DataFusionError::External(Box::new(error)));
        }
        let cell = Arc::new(OnceCell::new());
        answers.insert(values.to_vec(), Arc::clone(&cell));
        Ok(cell)
    }

    async fn run(&self, values: Vec<ScalarValue>, context: &Arc<TaskContext>) -> Result<Vec<RecordBatch>> {
        let values: HashMap<Key, ScalarValue> = self.inner.keys.iter().cloned().zip(values).collect();
        let plan = bind(self.optimized()?.clone(), &values)?;
        let physical = self.state.query_planner().create_physical_plan(&plan, &self.state).await?;
        let mut rows = execute_stream(physical, Arc::clone(context))?;
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut count = 0;
        while let Some(batch) = rows.try_next().await? {
            if batch.num_rows() == 0 {
                continue;
            }
            count += batch.num_rows();
            match self.meaning {
                Meaning::Scalar if count > 1 => return Err(more_than_one_row()),
                // One row is the answer.
                Meaning::Exists { .. } => return Ok(vec![batch.slice(0, 1)]),
                _ => {}
            }
            self.reserve(batch.get_array_memory_size(), context)?;
            batches.push(batch);
        }
        Ok(batches)
    }

    fn optimized(&self) -> Result<&LogicalPlan> {
        if let Some(plan) = self.optimized.get() {
            return Ok(plan);
        }
        let plan = self.inner.plan.as_ref().clone();
        let plan = self.state.optimizer().optimize(plan, &self.state, |_, _| {})?;
        Ok(self.optimized.get_or_init(|| plan))
    }

    /// Answers are kept until the statement ends, so they count as its memory.
    fn reserve(&self, bytes: usize, context: &Arc<TaskContext>) -> Result<()> {
        let mut reservation = self.reservation.lock();
        reservation
            .get_or_insert_with(|| MemoryConsumer::new("answers of a subquery").register(context.memory_pool()))
            .try_grow(bytes)
    }
}
