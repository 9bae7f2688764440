//! Runs `GapFill`: its sorted input with the missing rows between, a batch at a time.
//!
//! Owns: the physical node. Must never know: SQL, how rows are filled in.

use std::fmt;
use std::sync::Arc;

use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning, PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::filler::{Filler, Kind, Shape};

pub(super) struct GapFillExec {
    input: Arc<dyn ExecutionPlan>,
    shape: Shape,
    guards: Vec<Arc<dyn PhysicalExpr>>,
    properties: Arc<PlanProperties>,
}

impl GapFillExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, shape: Shape, guards: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        let orders = ordering(&shape).into_iter().map(Vec::from);
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(Arc::clone(&shape.output), orders),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, shape, guards, properties: Arc::new(properties) }
    }
}

/// By the keys, and then by time: the places of columns are those of input and output.
fn ordering(shape: &Shape) -> Option<LexOrdering> {
    let places = |of: fn(&Kind) -> bool| {
        let columns = shape.kinds.iter().zip(shape.input.fields()).enumerate();
        columns.filter(move |(_, (kind, _))| of(kind)).map(|(at, (_, field))| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), at));
            PhysicalSortExpr::new_default(column)
        })
    };
    let keys = places(|kind| matches!(kind, Kind::Series));
    LexOrdering::new(keys.chain(places(|kind| matches!(kind, Kind::Time))))
}

impl fmt::Debug for GapFillExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GapFillExec").field("shape", &self.shape).field("input", &self.input).finish_non_exhaustive()
    }
}

impl DisplayAs for GapFillExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shape { buckets, start, finish, .. } = &self.shape;
        write!(f, "GapFillExec: buckets={buckets:?} start={start} finish={finish}")
    }
}

impl ExecutionPlan for GapFillExec {
    fn name(&self) -> &'static str {
        "GapFillExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![ordering(&self.shape).map(OrderingRequirements::from)]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.guards.iter().cloned(), f)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(Self::new(input, self.shape.clone(), self.guards.clone()))),
            None => internal_err!("GapFillExec has one input"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows_max = context.session_config().batch_size();
        let run = Run { input: Some(self.input.execute(partition, context)?), filler: Filler::new(self.shape.clone()) };
        let filled = stream::try_unfold(run, move |mut run| async move {
            let batch = run.next(rows_max).await?;
            Ok(batch.map(|batch| (batch, run)))
        });
        let guards = self.guards.clone();
        let met = filled.and_then(move |batch| std::future::ready(meeting(&guards, batch)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), met)))
    }
}

struct Run {
    /// Until it has ended.
    input: Option<SendableRecordBatchStream>,
    filler: Filler,
}

impl Run {
    async fn next(&mut self, rows_max: usize) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.filler.give(rows_max)? {
                return Ok(Some(batch));
            }
            let Some(input) = &mut self.input else { return Ok(None) };
            match input.next().await {
                Some(batch) => match batch? {
                    batch if batch.num_rows() == 0 => {}
                    batch => self.filler.push(&batch)?,
                },
                None => {
                    self.input = None;
                    self.filler.end();
                }
            }
        }
    }
}

/// The rows that meet every guard.
fn meeting(guards: &[Arc<dyn PhysicalExpr>], mut batch: RecordBatch) -> Result<RecordBatch> {
    for guard in guards {
        let met = guard.evaluate(&batch)?.into_array(batch.num_rows())?;
        batch = filter_record_batch(&batch, as_boolean_array(&met)?)?;
    }
    Ok(batch)
}
