//! Runs `AsOf`: both sides sorted by the keys and the time, and gone through once.
//!
//! Owns: the physical node, and in which order it needs its inputs. Must never know: SQL, how rows are matched.

use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
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
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PhysicalExpr, PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::stream;

use super::merge::Merge;
use super::node::Join;

pub(super) struct AsOfExec {
    left: Arc<dyn ExecutionPlan>,
    /// What is shown, then the keys, the time, and what decides between equal times.
    right: Arc<dyn ExecutionPlan>,
    args: Vec<Arc<dyn PhysicalExpr>>,
    join: Join,
    keep: bool,
    properties: Arc<PlanProperties>,
}

impl AsOfExec {
    pub(super) fn new(
        (left, right): (Arc<dyn ExecutionPlan>, Arc<dyn ExecutionPlan>),
        args: Vec<Arc<dyn PhysicalExpr>>,
        join: Join,
        keep: bool,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(left.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { left, right, args, join, keep, properties: Arc::new(properties) }
    }

    /// The columns of the right behind those that are shown.
    fn sorted(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        let schema = self.right.schema();
        let columns = schema.fields().iter().enumerate().skip(self.join.shown);
        columns.map(|(at, field)| Arc::new(Column::new(field.name(), at)) as Arc<dyn PhysicalExpr>).collect()
    }

    /// Keys as they come, then the time and the rest.
    fn ordering(&self, exprs: &[Arc<dyn PhysicalExpr>]) -> Option<LexOrdering> {
        let keys = std::iter::repeat_n(KEYS, self.join.keys);
        let options = keys.chain(self.join.order.iter().copied());
        LexOrdering::new(
            exprs.iter().zip(options).map(|(expr, options)| PhysicalSortExpr::new(Arc::clone(expr), options)),
        )
    }
}

/// How keys are sorted.
pub(super) const KEYS: SortOptions = SortOptions { descending: false, nulls_first: false };

impl fmt::Debug for AsOfExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AsOfExec");
        shown.field("join", &self.join).field("left", &self.left).field("right", &self.right).finish_non_exhaustive()
    }
}

impl DisplayAs for AsOfExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "AsOfExec: keep={} args=[{}]", self.keep, args.join(", "))
    }
}

impl ExecutionPlan for AsOfExec {
    fn name(&self) -> &'static str {
        "AsOfExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let keys = self.join.keys;
        if keys == 0 {
            return InputDistributionRequirements::new(vec![
                Distribution::SinglePartition,
                Distribution::SinglePartition,
            ]);
        }
        let of =
            |exprs: &[Arc<dyn PhysicalExpr>]| Distribution::KeyPartitioned(exprs.iter().take(keys).cloned().collect());
        InputDistributionRequirements::co_partitioned(vec![of(&self.args), of(&self.sorted())])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let of_left = self.args.get(..self.join.keys + usize::from(self.join.has_time)).unwrap_or_default();
        [self.ordering(of_left), self.ordering(&self.sorted())]
            .map(|order| order.map(OrderingRequirements::from))
            .into()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.left, &self.right]
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
        let (Some(right), Some(left)) = (children.pop(), children.pop()) else {
            return internal_err!("AsOfExec has two inputs");
        };
        Ok(Arc::new(Self::new((left, right), self.args.clone(), self.join.clone(), self.keep, self.schema())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let count = |side: &Arc<dyn ExecutionPlan>| side.output_partitioning().partition_count();
        if count(&self.left) != count(&self.right) {
            return internal_err!("an as-of join of {} with {} partitions", count(&self.left), count(&self.right));
        }
        let left = self.left.execute(partition, Arc::clone(&context))?;
        let right = self.right.execute(partition, context)?;
        let merge = Merge::new((left, right), self.args.clone(), &self.join, self.keep, self.schema())?;
        let joined = stream::try_unfold(merge, |mut merge| async move {
            let batch = merge.next().await?;
            Ok(batch.map(|batch| (batch, merge)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), joined)))
    }
}
