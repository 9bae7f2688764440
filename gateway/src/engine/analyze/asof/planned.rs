//! From the logical node to the one that runs.
//!
//! Owns: whether few rows ask one by one, and the plan of the rows to choose from. Must never know: rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, PhysicalExpr};

use super::super::apply::Meaning;
use super::super::gapfill::Planning;
use super::super::lateral_exec::LateralExec;
use super::super::outer::bind;
use super::super::runner::Runner;
use super::exec::AsOfExec;
use super::node::AsOf;

/// So many rows ask one by one: each reads the few files and rows that its time and keys leave.
const ROWS_ASKING: usize = 16;

pub(in super::super) async fn planned(
    node: &AsOf,
    left: &Arc<dyn ExecutionPlan>,
    planning: &Planning<'_>,
    state: &SessionState,
) -> Result<Arc<dyn ExecutionPlan>> {
    let outer = node.input.schema();
    let (of_join, rest) = node.args.split_at(node.join.args().min(node.args.len()));
    let (of_right, of_asked) = rest.split_at(node.right.keys.len().min(rest.len()));
    let physical = |args: &[Expr], schema: &DFSchema| -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        args.iter().map(|arg| planning.physical(arg, schema)).collect()
    };
    let fields = left.schema().fields().iter().cloned().chain(node.added.iter().cloned()).collect::<Vec<_>>();
    let metadata = UserDefinedLogicalNodeCore::schema(node).metadata().clone();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    if rows(left)?.is_some_and(|rows| rows <= ROWS_ASKING) {
        let runner = Arc::new(Runner::new(node.asked.clone(), Meaning::Rows { keep: node.keep }, state.clone()));
        let args = physical(of_asked, outer)?;
        return Ok(Arc::new(LateralExec::new(Arc::clone(left), args, node.keep, runner, schema)));
    }
    let mut values = HashMap::with_capacity(of_right.len());
    for (key, arg) in node.right.keys.iter().zip(of_right) {
        values.insert(key.clone(), planning.value(arg)?);
    }
    let right = bind(node.right.plan.as_ref().clone(), &values)?;
    let right = state.optimizer().optimize(right, state, |_, _| {})?;
    let right = planning.planner.create_physical_plan(&right, planning.session).await?;
    let args = physical(of_join, outer)?;
    Ok(Arc::new(AsOfExec::new((Arc::clone(left), right), args, node.join.clone(), node.keep, schema)))
}

/// How many rows there are, if that is known: of those that ask one by one there is an end, which a guess may miss.
fn rows(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<usize>> {
    if plan.output_partitioning().partition_count() == 0 {
        return Ok(Some(0));
    }
    Ok(match StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new())?.num_rows {
        Precision::Exact(rows) => Some(rows),
        Precision::Inexact(_) | Precision::Absent => None,
    })
}
