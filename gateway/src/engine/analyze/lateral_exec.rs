//! Runs `Apply` for LATERAL: each outer row beside each row of the subquery.
//!
//! Owns: the joining, in batches of bounded size. Must never know: SQL.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt};

use super::apply_exec::{Questions, evaluate, properties};
use super::runner::Runner;

pub(super) struct LateralExec {
    input: Arc<dyn ExecutionPlan>,
    args: Vec<Arc<dyn PhysicalExpr>>,
    keep: bool,
    runner: Arc<Runner<RecordBatch>>,
    properties: Arc<PlanProperties>,
}

impl LateralExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        args: Vec<Arc<dyn PhysicalExpr>>,
        keep: bool,
        runner: Arc<Runner<RecordBatch>>,
        schema: SchemaRef,
    ) -> Self {
        let properties = properties(&input, schema);
        Self { input, args, keep, runner, properties }
    }
}

impl fmt::Debug for LateralExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LateralExec").field("keep", &self.keep).field("input", &self.input).finish_non_exhaustive()
    }
}

impl DisplayAs for LateralExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "LateralExec: keep={} args=[{}]", self.keep, args.join(", "))
    }
}

impl ExecutionPlan for LateralExec {
    fn name(&self) -> &'static str {
        "LateralExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.args.iter().cloned(), f)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else { return internal_err!("LateralExec has one input") };
        let schema = self.schema();
        Ok(Arc::new(Self::new(input, self.args.clone(), self.keep, Arc::clone(&self.runner), schema)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let joiner = Arc::new(Joiner {
            args: self.args.clone(),
            keep: self.keep,
            runner: Arc::clone(&self.runner),
            schema: self.schema(),
            rows_max: context.session_config().batch_size(),
            context,
        });
        let joined = input
            .then(move |batch| {
                let joiner = Arc::clone(&joiner);
                async move { joiner.questions(batch?).await }
            })
            .map_ok(Joined::into_stream)
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), joined)))
    }
}

struct Joiner {
    args: Vec<Arc<dyn PhysicalExpr>>,
    keep: bool,
    runner: Arc<Runner<RecordBatch>>,
    schema: SchemaRef,
    rows_max: usize,
    context: Arc<TaskContext>,
}

impl Joiner {
    async fn questions(self: Arc<Self>, batch: RecordBatch) -> Result<Joined> {
        let args = evaluate(&self.args, &batch)?;
        let questions = Questions::new(&args, batch.num_rows())?;
        let mut answers = Vec::with_capacity(questions.distinct.len());
        for values in questions.distinct {
            let inner = self.runner.schema();
            let keep = move |rows: Vec<RecordBatch>| Ok(concat_batches(&inner, &rows)?);
            answers.push(self.runner.answer(values, &self.context, keep).await?);
        }
        Ok(Joined { joiner: self, batch, answers, pending: questions.of_row.into_iter().enumerate().collect() })
    }
}

/// One batch of outer rows and the answers to them, not yet side by side.
struct Joined {
    joiner: Arc<Joiner>,
    batch: RecordBatch,
    answers: Vec<Arc<RecordBatch>>,
    pending: VecDeque<(usize, usize)>,
}

impl Joined {
    fn into_stream(self) -> impl futures::Stream<Item = Result<RecordBatch>> {
        futures::stream::try_unfold(self, |mut joined| async move { Ok(joined.next()?.map(|batch| (batch, joined))) })
    }

    /// The next rows, about a batch of them.
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let mut outer: Vec<u32> = Vec::new();
        let mut inner: Vec<Vec<ArrayRef>> = Vec::new();
        while let Some((row, question)) = self.pending.pop_front() {
            let Some(answer) = self.answers.get(question) else { return internal_err!("a question has an answer") };
            let count = answer.num_rows();
            if count > 0 {
                inner.push(answer.columns().to_vec());
            } else if self.joiner.keep {
                inner.push(answer.columns().iter().map(|column| new_null_array(column.data_type(), 1)).collect());
            } else {
                continue;
            }
            let row =
                u32::try_from(row).map_err(|error| datafusion::common::DataFusionError::External(error.into()))?;
            outer.extend(std::iter::repeat_n(row, count.max(1)));
            if outer.len() >= self.joiner.rows_max {
                break;
            }
        }
        if outer.is_empty() {
            return Ok(None);
        }
        let indices = UInt32Array::from(outer);
        let mut columns =
            self.batch.columns().iter().map(|column| Ok(take(column, &indices, None)?)).collect::<Result<Vec<_>>>()?;
        let width = inner.first().map_or(0, Vec::len);
        for at in 0..width {
            let parts: Vec<&dyn arrow::array::Array> =
                inner.iter().filter_map(|columns| columns.get(at)).map(AsRef::as_ref).collect();
            columns.push(arrow::compute::concat(&parts)?);
        }
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.joiner.schema), columns)?))
    }
}
