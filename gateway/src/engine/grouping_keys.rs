//! GROUPING SETS, ROLLUP and CUBE of expressions, as ones of columns.
//!
//! Owns: the projection below them that computes the expressions: the planner finds a key again by its name, which the
//! rules on types would change. Must never know: SQL. It follows planning and precedes every rule.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet, LogicalPlan, Projection};

/// The plan with the keys of its grouping sets computed below them.
pub(super) fn compute(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found = matches!(node, LogicalPlan::Aggregate(aggregate) if keys(aggregate).is_some());
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if !found {
        return Ok(plan);
    }
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Aggregate(aggregate) => match keys(&aggregate) {
            Some(keys) => below(aggregate, keys).map(Transformed::yes),
            None => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
        },
        node => Ok(Transformed::no(node)),
    })
    .map(|transformed| transformed.data)
}

/// The keys that are no columns, if there are grouping sets with such.
fn keys(aggregate: &Aggregate) -> Option<Vec<Expr>> {
    let [Expr::GroupingSet(sets)] = aggregate.group_expr.as_slice() else { return None };
    let keys: Vec<Expr> =
        sets.distinct_expr().into_iter().filter(|key| !matches!(key, Expr::Column(_))).cloned().collect();
    (!keys.is_empty()).then_some(keys)
}

fn below(aggregate: Aggregate, keys: Vec<Expr>) -> Result<LogicalPlan> {
    let columns = aggregate.input.schema().columns().into_iter().map(Expr::Column);
    let computed = keys.iter().map(|key| key.clone().alias(key.schema_name().to_string()));
    let input = Projection::try_new(columns.chain(computed).collect(), aggregate.input)?;
    let column = |key: &Expr| Expr::Column(Column::new_unqualified(key.schema_name().to_string()));
    let named = |key: Expr| if keys.contains(&key) { column(&key) } else { key };
    let all = |keys: Vec<Expr>| keys.into_iter().map(named).collect::<Vec<_>>();
    let group_expr = aggregate.group_expr.into_iter().map(|sets| match sets {
        Expr::GroupingSet(sets) => Expr::GroupingSet(match sets {
            GroupingSet::Rollup(keys) => GroupingSet::Rollup(all(keys)),
            GroupingSet::Cube(keys) => GroupingSet::Cube(all(keys)),
            GroupingSet::GroupingSets(sets) => GroupingSet::GroupingSets(sets.into_iter().map(all).collect()),
        }),
        other => other,
    });
    let group_expr = group_expr.collect();
    // grouping(key) names its key too.
    let aggr_expr = aggregate.aggr_expr.into_iter().map(|mut expr| {
        if let Expr::AggregateFunction(function) = &mut expr
            && function.func.name() == "grouping"
        {
            function.params.args = all(std::mem::take(&mut function.params.args));
        }
        expr
    });
    let aggr_expr = aggr_expr.collect();
    let input = Arc::new(LogicalPlan::Projection(input));
    Ok(LogicalPlan::Aggregate(Aggregate::try_new(input, group_expr, aggr_expr)?))
}
