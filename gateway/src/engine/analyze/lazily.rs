//! Conditions of physical plans whose second halves are asked only of rows that the first leaves open.
//!
//! Owns: in which operators. Must never know: which conditions can fail (`catalog::lazy`).

use std::sync::Arc;

use catalog::lazy;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

/// The same plan with lazy filters and joins. It comes last: of lazy conditions nothing is taken to prune files by.
pub(super) fn lazily(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    with(plan, |node| match filter(node)? {
        None => join(node),
        made => Ok(made),
    })
}

/// The rule that makes projections lazy. It comes first: scans take them over.
#[derive(Debug)]
pub(super) struct LazyProjections;

impl PhysicalOptimizerRule for LazyProjections {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        with(plan, projection)
    }

    fn name(&self) -> &str {
        "lazy_projections"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

type Node = Arc<dyn ExecutionPlan>;

/// The same plan with what is made of its nodes.
fn with(plan: Node, made: impl Fn(&Node) -> Result<Option<Node>>) -> Result<Node> {
    let plan = plan.transform_up(|node| Ok(made(&node)?.map_or(Transformed::no(node), Transformed::yes)));
    plan.map(|transformed| transformed.data)
}

fn filter(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(None) };
    let Some(predicate) = lazy(filter.predicate(), &filter.input().schema())? else { return Ok(None) };
    let made = FilterExecBuilder::from(filter).with_predicate(predicate).build()?;
    Ok(Some(Arc::new(made)))
}

fn projection(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return Ok(None) };
    let schema = projection.input().schema();
    let mut is_lazy = false;
    let exprs = projection.expr().iter().map(|column| {
        let found = lazy(&column.expr, &schema)?;
        is_lazy |= found.is_some();
        let expr = found.unwrap_or_else(|| Arc::clone(&column.expr));
        Ok(ProjectionExpr { expr, alias: column.alias.clone() })
    });
    let exprs: Vec<ProjectionExpr> = exprs.collect::<Result<_>>()?;
    match is_lazy {
        true => {
            let input = Arc::clone(projection.input());
            Ok(Some(Arc::new(ProjectionExec::try_new_with_schema_metadata(exprs, input, &node.schema())?)))
        }
        false => Ok(None),
    }
}

fn join(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let of = |filter: &JoinFilter| -> Result<Option<JoinFilter>> {
        let found = lazy(filter.expression(), filter.schema())?;
        Ok(found.map(|found| JoinFilter::new(found, filter.column_indices().to_vec(), Arc::clone(filter.schema()))))
    };
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let Some(filter) = join.filter().map(of).transpose()?.flatten() else { return Ok(None) };
        return join.builder().with_filter(Some(filter)).build_exec().map(Some);
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        let Some(filter) = join.filter().map(of).transpose()?.flatten() else { return Ok(None) };
        return Ok(Some(Arc::new(NestedLoopJoinExecBuilder::from(join).with_filter(Some(filter)).build()?)));
    }
    Ok(None)
}
