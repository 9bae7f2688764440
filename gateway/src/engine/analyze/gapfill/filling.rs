//! The rule that finds GROUP BY `time_bucket_gapfill(...)` and puts the node that fills gaps above it.
//!
//! Owns: which queries have gaps to fill, and what TimescaleDB refuses of them. Must never know: how gaps are filled.
//!
//! HAVING is below the node, as in TimescaleDB: a bucket that it leaves out is filled in. The select list and the window
//! functions are above, so that `coalesce(min(x), 0)` is 0 where there are no rows.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, Result, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, Extension, Filter, LogicalPlan, Projection, Union, Window,
};
use datafusion::optimizer::AnalyzerRule;
use udfs::time::{time_bucket, time_bucket_gapfill};

use super::columns::{Markers, marker};
use super::node::{GapFill, Parts};
use super::range::{is_simple, range};
use super::{invalid, refused, unsupported};
use crate::error::{Error, SqlState};

#[derive(Debug)]
pub(in super::super) struct GapFilling;

impl AnalyzerRule for GapFilling {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !is_anywhere(&plan)? {
            return Ok(plan);
        }
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Projection(projection) if grouped(&projection.input).is_some_and(is_filling) => {
                filled(projection).map(Transformed::yes)
            }
            LogicalPlan::Projection(projection)
                if projection.expr.iter().any(calls) && grouped(&projection.input).is_some() =>
            {
                Err(refuse_key())
            }
            LogicalPlan::Union(union) => widened(union).map(LogicalPlan::Union).map(Transformed::yes),
            LogicalPlan::Sort(sort) if is_filled(&sort.input) && sort.expr.iter().any(|key| marks(&key.expr)) => Err(
                unsupported("locf and interpolate in ORDER BY are not supported unless the select list has them too"),
            ),
            LogicalPlan::Aggregate(aggregate) => {
                check(&aggregate)?;
                Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)))
            }
            // Columns above may be NULL now.
            node => node.recompute_schema().map(Transformed::yes),
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "gap_filling"
    }
}

fn is_anywhere(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            found = found || calls(expr);
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// A union of columns of which some may be NULL now.
fn widened(union: Union) -> Result<Union> {
    let mut fields = Vec::with_capacity(union.schema.fields().len());
    for (at, (relation, field)) in union.schema.iter().enumerate() {
        let nullable =
            union.inputs.iter().any(|input| input.schema().fields().get(at).is_none_or(|it| it.is_nullable()));
        let nullable = nullable || field.is_nullable();
        fields.push((relation.cloned(), Arc::new(field.as_ref().clone().with_nullable(nullable))));
    }
    let schema = Arc::new(DFSchema::new_with_metadata(fields, union.schema.metadata().clone())?);
    Ok(Union { schema, ..union })
}

fn gapfill(expr: &Expr) -> Option<&ScalarFunction> {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == time_bucket_gapfill::NAME => Some(call),
        _ => None,
    }
}

fn calls(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(gapfill(expr).is_some())).unwrap_or(true)
}

fn marks(expr: &Expr) -> bool {
    marked(expr).is_some()
}

/// The name of a call whose value is filled.
fn marked(expr: &Expr) -> Option<String> {
    let mut found = None;
    let _ = expr.apply(|expr| {
        found = marker(expr).map(|call| call.func.name().to_owned());
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// The aggregation by keys below HAVING and window functions.
fn grouped(plan: &LogicalPlan) -> Option<&Aggregate> {
    match plan {
        LogicalPlan::Window(window) => grouped(&window.input),
        LogicalPlan::Filter(filter) => match filter.input.as_ref() {
            LogicalPlan::Aggregate(_) => grouped(&filter.input),
            _ => None,
        },
        LogicalPlan::Aggregate(aggregate) => (!aggregate.group_expr.is_empty()).then_some(aggregate),
        _ => None,
    }
}

/// Whether a key is a bucket that fills gaps.
fn is_filling(aggregate: &Aggregate) -> bool {
    aggregate.group_expr.iter().any(|key| gapfill(key).is_some())
}

/// Whether a plan shows what gaps were filled in of, with no other query between.
fn is_filled(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(_) | LogicalPlan::Window(_) | LogicalPlan::Distinct(_) | LogicalPlan::Sort(_) => {
            plan.inputs().into_iter().any(is_filled)
        }
        LogicalPlan::Extension(extension) => extension.node.as_any().is::<GapFill>(),
        _ => false,
    }
}

/// Refuses what is no key of its own, and a second one.
fn check(aggregate: &Aggregate) -> Result<()> {
    let keys = aggregate.group_expr.iter().filter_map(gapfill);
    let count = keys.clone().count();
    let is_nested = keys.flat_map(|call| &call.args).any(calls);
    if count > 1 || is_nested {
        return Err(unsupported("multiple time_bucket_gapfill calls not allowed"));
    }
    let within = aggregate.group_expr.iter().filter(|key| gapfill(key).is_none());
    // Their keys are computed below them.
    let is_below = matches!(aggregate.input.as_ref(), LogicalPlan::Projection(keys) if keys.expr.iter().any(calls));
    if within.clone().any(|key| matches!(key, Expr::GroupingSet(_)) && (is_below || calls(key))) {
        return Err(unsupported("time_bucket_gapfill in GROUPING SETS, ROLLUP or CUBE is not supported"));
    }
    // Without GROUP BY it is a function like any other.
    let in_aggregates = aggregate.aggr_expr.iter().filter(|_| !aggregate.group_expr.is_empty());
    if within.chain(in_aggregates).any(calls) {
        return Err(refuse_key());
    }
    Ok(())
}

fn refuse_key() -> DataFusionError {
    let message = "no top level time_bucket_gapfill in group by clause";
    refused(Error::new(SqlState::InvalidParameterValue, message))
}

/// The select list over the rows with their gaps filled in.
fn filled(projection: Projection) -> Result<LogicalPlan> {
    let mut markers = Markers::default();
    markers.find(&projection.expr)?;
    let mut windows = Vec::new();
    let mut input = Arc::clone(&projection.input);
    while let LogicalPlan::Window(window) = input.as_ref() {
        markers.find(&window.window_expr)?;
        windows.push(window.window_expr.clone());
        input = Arc::clone(&window.input);
    }
    let mut plan = filled_in(&input, &mut markers)?;
    for exprs in windows.into_iter().rev() {
        let exprs = exprs.into_iter().map(|expr| markers.replaced(expr)).collect::<Result<Vec<_>>>()?;
        plan = LogicalPlan::Window(Window::try_new(exprs, Arc::new(plan))?);
    }
    let exprs = projection.expr.into_iter().map(|expr| markers.replaced(expr)).collect::<Result<Vec<_>>>()?;
    if exprs.iter().any(calls) {
        return Err(refuse_key());
    }
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?))
}

/// The node over an aggregation, or over its HAVING.
fn filled_in(plan: &LogicalPlan, markers: &mut Markers) -> Result<LogicalPlan> {
    let (aggregate, having) = match plan {
        LogicalPlan::Filter(Filter { predicate, input, .. }) => (input.as_ref(), Some(predicate)),
        plan => (plan, None),
    };
    let LogicalPlan::Aggregate(aggregate) = aggregate else { return plan_err!("no aggregation fills gaps") };
    let columns = aggregate.schema.columns();
    let at = aggregate.group_expr.iter().position(|key| gapfill(key).is_some());
    let (Some(at), false) = (at, aggregate.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_)))) else {
        return Err(unsupported("time_bucket_gapfill in GROUPING SETS, ROLLUP or CUBE is not supported"));
    };
    let (Some(time), Some(call)) = (columns.get(at), aggregate.group_expr.get(at).and_then(gapfill)) else {
        return plan_err!("no key fills gaps");
    };
    let Some(width) = call.args.first().filter(|width| is_simple(width)) else {
        return Err(invalid("bucket_width must be a simple expression"));
    };
    if let Some(within) = aggregate.aggr_expr.iter().find_map(marked) {
        return Err(unsupported(format!("aggregate functions must be below {within}")));
    }
    let times = Expr::ScalarFunction(call.clone()).get_type(aggregate.input.schema())?;
    let (zone, bounds) = zoned(call, &aggregate.input)?;
    if zone.is_some_and(|zone| !is_simple(zone)) {
        return Err(invalid("timezone must be a simple expression"));
    }
    let range = range((call.args.get(1), bounds), &aggregate.input, &times)?;
    let keys = columns.iter().enumerate().take(aggregate.group_expr.len()).filter(|(index, _)| *index != at);
    let series = keys.map(|(_, column)| Expr::Column(column.clone())).collect();

    let mut input = LogicalPlan::Aggregate(bucketed(aggregate, at, call)?);
    if let Some(predicate) = having {
        input = LogicalPlan::Filter(Filter::try_new(predicate.clone(), Arc::new(input))?);
    }
    markers.settle(input.schema())?;
    let shown = columns.iter().cloned().map(Expr::Column).chain(markers.values());
    let input = LogicalPlan::Projection(Projection::try_new(shown.collect(), Arc::new(input))?);
    let (fills, width, zone) = (markers.fills(), width.clone(), zone.cloned());
    let time = Expr::Column(time.clone());
    let parts = Parts { input, time, series, fills, width, zone, starts: range.starts, finishes: range.finishes };
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(GapFill::new(parts)?) }))
}

/// The time zone of a call, if it has one, and its start and finish.
fn zoned<'a>(call: &'a ScalarFunction, input: &LogicalPlan) -> Result<(Option<&'a Expr>, &'a [Expr])> {
    let rest = call.args.get(2..).unwrap_or_default();
    Ok(match rest.split_first() {
        Some((zone, bounds)) if zone.get_type(input.schema())?.is_string() => (Some(zone), bounds),
        _ => (None, rest),
    })
}

/// The aggregation by `time_bucket`, under the name of the key as it is written: the rule meets it once.
fn bucketed(aggregate: &Aggregate, at: usize, call: &ScalarFunction) -> Result<Aggregate> {
    let (zone, _) = zoned(call, &aggregate.input)?;
    let args = call.args.iter().take(2).chain(zone).cloned().collect();
    let name = Expr::ScalarFunction(call.clone()).schema_name().to_string();
    let mut keys = aggregate.group_expr.clone();
    if let Some(key) = keys.get_mut(at) {
        *key = Expr::ScalarFunction(ScalarFunction::new_udf(time_bucket::time_bucket(), args)).alias(name);
    }
    Aggregate::try_new(Arc::clone(&aggregate.input), keys, aggregate.aggr_expr.clone())
}
