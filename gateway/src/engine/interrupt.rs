//! Lets a statement that ends early stop its joins, which may work for hours between two rows.
//!
//! Owns: the yield points and checks that are put into physical plans. Must never know: why a statement ends.
//!
//! An aborted task ends at its next yield. DataFusion yields where batches are read or exchanged; a join makes many
//! batches of one, or, when its filter lets nothing pass, none at all. So each operator that can multiply rows yields
//! after its batches, and each filter of a join looks at the statement's `Stop` first.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::error::{Error, SqlState};

/// Says to the operators of one execution that nobody waits for their rows any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(CancellationToken);

impl Stop {
    /// Stops the operators when it is dropped.
    pub(super) fn on_drop(&self) -> DropGuard {
        self.0.clone().drop_guard()
    }
}

/// The plan with its yield points, and with its checks.
pub(super) fn interruptible(plan: Arc<dyn ExecutionPlan>, stop: &Stop) -> Result<Arc<dyn ExecutionPlan>> {
    let with_points = plan.transform_up(|node| {
        let node = match checked(&node, stop)? {
            Some(join) => join,
            None if multiplies(&node) => node,
            None => return Ok(Transformed::no(node)),
        };
        Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as _))
    });
    with_points.map(|transformed| transformed.data)
}

fn multiplies(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.children().len() > 1 || node.is::<UnnestExec>()
}

/// A join whose filter checks; `None` if the node is no join with a filter.
fn checked(node: &Arc<dyn ExecutionPlan>, stop: &Stop) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(join) = node.downcast_ref::<HashJoinExec>()
        && let Some(filter) = join.filter()
    {
        return join.builder().with_filter(Some(checking(filter, stop))).build_exec().map(Some);
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
        && let Some(filter) = join.filter()
    {
        let join = NestedLoopJoinExecBuilder::from(join).with_filter(Some(checking(filter, stop))).build()?;
        return Ok(Some(Arc::new(join)));
    }
    Ok(None)
}

fn checking(filter: &JoinFilter, stop: &Stop) -> JoinFilter {
    let check = Check { predicate: Arc::clone(filter.expression()), stop: stop.clone() };
    JoinFilter::new(Arc::new(check), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
}

/// A predicate that fails once the statement has ended.
#[derive(Debug)]
struct Check {
    predicate: Arc<dyn PhysicalExpr>,
    stop: Stop,
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.predicate.eq(&other.predicate)
    }
}

impl Eq for Check {}

impl Hash for Check {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.predicate.hash(state);
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.predicate.fmt(f)
    }
}

impl PhysicalExpr for Check {
    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.predicate.return_field(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.stop.0.is_cancelled() {
            let error = Error::new(SqlState::QueryCanceled, "canceling statement because it has ended");
            return Err(DataFusionError::External(Box::new(error)));
        }
        self.predicate.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.predicate]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match children.pop() {
            Some(predicate) if children.is_empty() => Ok(Arc::new(Self { predicate, stop: self.stop.clone() })),
            _ => datafusion::common::internal_err!("a check has one predicate"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.predicate.fmt_sql(f)
    }
}
