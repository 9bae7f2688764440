//! Physical planning of the plan nodes of this room.
//!
//! Owns: the query planner that a session state needs for them. Must never know: how they run.

use std::sync::Arc;

use arrow::datatypes::Schema;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result, internal_err};
use datafusion::execution::SessionState;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::apply::{Apply, Meaning};
use super::apply_exec::ApplyExec;
use super::asof::{self, AsOf};
use super::barrier::{Barrier, RowSecurityExec};
use super::gapfill::{GapFill, Planning, planned};
use super::lateral_exec::LateralExec;
use super::lazily::lazily;
use super::runner::Runner;
use super::single_row::{SingleRow, SingleRowExec};
use crate::engine::interrupt::{Stop, interruptible};

#[derive(Debug)]
pub(super) struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Nodes)]);
        let plan = lazily(planner.create_physical_plan(logical_plan, session).await?)?;
        match session.config().get_extension::<Stop>() {
            Some(stop) => interruptible(plan, &stop),
            None => Ok(plan),
        }
    }
}

struct Nodes;

#[async_trait]
impl ExtensionPlanner for Nodes {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let [input] = physical_inputs else { return Ok(None) };
        if node.as_any().is::<SingleRow>() {
            return Ok(Some(Arc::new(SingleRowExec::new(Arc::clone(input)))));
        }
        if let Some(barrier) = node.as_any().downcast_ref::<Barrier>() {
            return Ok(Some(Arc::new(RowSecurityExec::new(Arc::clone(input), barrier))));
        }
        if let Some(node) = node.as_any().downcast_ref::<GapFill>() {
            return planned(node, input, &Planning { planner, session, context: planning }).map(Some);
        }
        let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
            return internal_err!("a subquery needs a session state to run in");
        };
        if let Some(node) = node.as_any().downcast_ref::<AsOf>() {
            let planning = Planning { planner, session, context: planning };
            return asof::planned(node, input, &planning, state).await.map(Some);
        }
        let Some(apply) = node.as_any().downcast_ref::<Apply>() else { return Ok(None) };
        let schema = apply.input.schema();
        let args = apply
            .args
            .iter()
            .map(|arg| planner.create_physical_expr(arg, schema, session, planning))
            .collect::<Result<Vec<_>>>()?;
        Ok(Some(exec(apply, args, state.clone(), Arc::clone(input))))
    }
}

fn exec(
    apply: &Apply,
    args: Vec<Arc<dyn PhysicalExpr>>,
    state: SessionState,
    input: Arc<dyn ExecutionPlan>,
) -> Arc<dyn ExecutionPlan> {
    let outer = input.schema();
    let fields = outer.fields().iter().cloned().chain(apply.added.iter().map(|(_, field)| Arc::clone(field)));
    let metadata = UserDefinedLogicalNodeCore::schema(apply).metadata().clone();
    let schema = Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata));
    match apply.meaning {
        Meaning::Rows { keep } => {
            let runner = Arc::new(Runner::new(apply.inner.clone(), apply.meaning, state));
            Arc::new(LateralExec::new(input, args, keep, runner, schema))
        }
        Meaning::Scalar | Meaning::Exists { .. } | Meaning::In { .. } | Meaning::Compare { .. } => {
            let runner = Arc::new(Runner::new(apply.inner.clone(), apply.meaning, state));
            Arc::new(ApplyExec::new(input, args, apply.meaning, runner, schema))
        }
    }
}
