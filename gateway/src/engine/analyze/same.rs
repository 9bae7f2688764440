//! Values that PostgreSQL calls equal and Arrow does not, where rows are brought together: '1 month' and '30 days'.
//!
//! Owns: keys of GROUP BY, DISTINCT, joins and set operations. The first value of a group is shown. Must never know: what
//! the keys are, and expressions that compare.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, Result};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, GroupingSet};
use datafusion::logical_expr::{
    Aggregate, Distinct, DistinctOn, Expr, Join, JoinConstraint, LogicalPlan, Projection, when,
};

use super::keys;
use crate::engine::planners::{Key, refused};
use crate::error::Error;

/// The node with equal values as one.
pub(super) fn unite(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Aggregate(aggregate) => grouped(aggregate),
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
            if columns.iter().all(|column| key(column, input.schema()).is_none()) {
                return Ok(LogicalPlan::Distinct(Distinct::All(input)));
            }
            grouped(Aggregate::try_new(input, columns, Vec::new())?)
        }
        LogicalPlan::Distinct(Distinct::On(on)) => distinct_on(on),
        LogicalPlan::Join(join) => joined(join),
        LogicalPlan::RecursiveQuery(query) => {
            let columns = query.schema.columns();
            if query.is_distinct && columns.into_iter().any(|column| is_united(&Expr::Column(column), &query.schema)) {
                let message = "UNION of intervals or jsonb in a recursive query is not supported";
                return Err(refused(Error::unsupported(message).hint("Use UNION ALL.")));
            }
            Ok(LogicalPlan::RecursiveQuery(query))
        }
        other => Ok(other),
    }
}

fn key(expr: &Expr, schema: &DFSchema) -> Option<Key> {
    keys::key(expr, schema).filter(|key| key.unites())
}

fn is_united(expr: &Expr, schema: &DFSchema) -> bool {
    key(expr, schema).is_some()
}

/// The groups of the keys, with the first value of each.
fn grouped(aggregate: Aggregate) -> Result<LogicalPlan> {
    let schema = Arc::clone(aggregate.input.schema());
    let sets = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
    let by: Vec<Expr> = aggregate.group_expr.iter().flat_map(each).cloned().collect();
    let found: Vec<(usize, Key, Expr)> =
        by.into_iter().enumerate().filter_map(|(at, expr)| Some((at, key(&expr, &schema)?, expr))).collect();
    if found.is_empty() {
        return Ok(LogicalPlan::Aggregate(aggregate));
    }
    let columns = schema.columns().into_iter().map(Expr::Column);
    let computed = found.iter().map(|(at, key, expr)| key.of(expr.clone()).alias(key_name(*at)));
    let input = Projection::try_new(columns.chain(computed).collect(), aggregate.input)?;
    let replaced = |expr: Expr| match found.iter().find(|(.., of)| *of == expr) {
        Some((at, ..)) => Expr::Column(Column::new_unqualified(key_name(*at))),
        None => expr,
    };
    let group_expr = aggregate.group_expr.into_iter().map(|expr| with_keys(expr, &replaced)).collect();
    let mut aggr_expr: Vec<Expr> = aggregate.aggr_expr.into_iter().map(|expr| grouping_of(expr, &replaced)).collect();
    aggr_expr.extend(found.iter().map(|(at, _, expr)| {
        let first = AggregateFunction::new_udf(first_value_udaf(), vec![expr.clone()], false, None, Vec::new(), None);
        Expr::AggregateFunction(first).alias(value_name(*at))
    }));
    let grouped = Aggregate::try_new(Arc::new(LogicalPlan::Projection(input)), group_expr, aggr_expr)?;
    // The set's number is there for grouping(), which becomes a column above.
    let outputs = aggregate.schema.iter().enumerate();
    let outputs = outputs.filter(|(_, (_, field))| field.name() != Aggregate::INTERNAL_GROUPING_ID);
    let shown = outputs.map(|(at, (relation, field))| {
        if !found.iter().any(|(found, ..)| *found == at) {
            return Ok(Expr::Column(Column::new(relation.cloned(), field.name())));
        }
        let first = Expr::Column(Column::new_unqualified(value_name(at)));
        let key = Expr::Column(Column::new_unqualified(key_name(at)));
        // A set without the key shows NULL for it.
        let value = if sets { when(key.is_not_null(), first).end()? } else { first };
        let metadata = Some(field.metadata().clone().into()).filter(|_| !field.metadata().is_empty());
        Ok(value.alias_qualified_with_metadata(relation.cloned(), field.name(), metadata))
    });
    let shown = shown.collect::<Result<_>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(shown, Arc::new(LogicalPlan::Aggregate(grouped)))?))
}

fn key_name(at: usize) -> String {
    format!("__key_{at}")
}

fn value_name(at: usize) -> String {
    format!("__first_{at}")
}

fn each(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::GroupingSet(sets) => sets.distinct_expr(),
        expr => vec![expr],
    }
}

fn with_keys(expr: Expr, replaced: &impl Fn(Expr) -> Expr) -> Expr {
    let all = |exprs: Vec<Expr>| exprs.into_iter().map(replaced).collect::<Vec<_>>();
    match expr {
        Expr::GroupingSet(sets) => Expr::GroupingSet(match sets {
            GroupingSet::Rollup(exprs) => GroupingSet::Rollup(all(exprs)),
            GroupingSet::Cube(exprs) => GroupingSet::Cube(all(exprs)),
            GroupingSet::GroupingSets(sets) => GroupingSet::GroupingSets(sets.into_iter().map(all).collect()),
        }),
        expr => replaced(expr),
    }
}

/// `grouping(key)` names its key too. It keeps its own name.
fn grouping_of(expr: Expr, replaced: &impl Fn(Expr) -> Expr) -> Expr {
    match expr {
        Expr::AggregateFunction(mut function) if function.func.name() == "grouping" => {
            let name = Expr::AggregateFunction(function.clone()).schema_name().to_string();
            function.params.args = function.params.args.into_iter().map(replaced).collect();
            Expr::AggregateFunction(function).alias(name)
        }
        Expr::Alias(mut alias) => {
            if let Expr::AggregateFunction(function) = alias.expr.as_mut()
                && function.func.name() == "grouping"
            {
                function.params.args = std::mem::take(&mut function.params.args).into_iter().map(replaced).collect();
            }
            Expr::Alias(alias)
        }
        expr => expr,
    }
}

fn distinct_on(on: DistinctOn) -> Result<LogicalPlan> {
    let schema = Arc::clone(on.input.schema());
    if !on.on_expr.iter().any(|expr| is_united(expr, &schema)) {
        return Ok(LogicalPlan::Distinct(Distinct::On(on)));
    }
    let by_key = |expr: Expr| match keys::key(&expr, &schema) {
        Some(key) => key.of(expr),
        None => expr,
    };
    let on_expr = on.on_expr.into_iter().map(by_key).collect();
    let sort = on.sort_expr.map(|sorts| {
        let sorted = sorts.into_iter().map(|mut sort| {
            sort.expr = by_key(sort.expr);
            sort
        });
        sorted.collect()
    });
    Ok(LogicalPlan::Distinct(Distinct::On(DistinctOn::try_new(on_expr, on.select_expr, sort, on.input)?)))
}

/// Conditions are compared by keys already; what is left are columns that USING and set operations pair.
fn joined(mut join: Join) -> Result<LogicalPlan> {
    let [left, right] = [Arc::clone(join.left.schema()), Arc::clone(join.right.schema())];
    for (one, other) in &mut join.on {
        let Some(key) = key(one, &left).or_else(|| key(other, &right)) else { continue };
        *one = key.of(one.clone());
        *other = key.of(other.clone());
        join.join_constraint = JoinConstraint::On;
    }
    Ok(LogicalPlan::Join(join))
}
