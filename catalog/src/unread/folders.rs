//! Aggregates over nothing but the names of folders: one row for each tuple of names, with its number of rows, stands for all.
//!
//! Owns: what such a row may stand for. An expression must have one value for all rows of a tuple, and an aggregate must be
//! told of their number, or not care for it.

use std::sync::Arc;

use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias, TableScan, lit, when,
};

use super::tuples::ROWS;
use super::{call, opened};
use crate::prune::is_of_one_row;

/// Aggregates whose results are those of the distinct values.
const OF_VALUES: [&str; 6] = ["min", "max", "bool_and", "bool_or", "bit_and", "bit_or"];

/// The aggregate over tuples; `None` if it asks for more than they tell.
pub(super) fn grouped(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    if !aggregate.group_expr.iter().chain(&aggregate.aggr_expr).all(is_of_one_row) {
        return Ok(None);
    }
    let is_counted =
        aggregate.aggr_expr.iter().filter_map(call).any(|call| !call.params.distinct && call.func.name() == "count");
    let Some((input, rows)) = tuples(&aggregate.input, is_counted)? else { return Ok(None) };
    let mut calls = Vec::with_capacity(aggregate.aggr_expr.len());
    let mut is_counted = Vec::with_capacity(calls.len());
    for (at, expr) in aggregate.aggr_expr.iter().enumerate() {
        let Some(call) = call(expr) else { return Ok(None) };
        let params = &call.params;
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Ok(None);
        }
        match (call.func.name(), params.args.as_slice()) {
            (name, _) if OF_VALUES.contains(&name) || (name == "count" && params.distinct) => {
                is_counted.push(None);
                calls.push(expr.clone());
            }
            ("count", [arg]) => {
                let name = format!("{ROWS} {at}");
                calls.push(counted(call, arg, &rows)?.alias(&name));
                is_counted.push(Some(name));
            }
            _ => return Ok(None),
        }
    }
    let of_tuples = Aggregate::try_new(Arc::new(input), aggregate.group_expr.clone(), calls)?;
    let names = of_tuples.schema.columns();
    let groups = names.len().saturating_sub(is_counted.len());
    let shown = names.into_iter().zip(aggregate.schema.iter()).enumerate().map(|(at, (column, (qualifier, field)))| {
        let count = at.checked_sub(groups).and_then(|at| is_counted.get(at)?.as_ref());
        let value = Expr::Column(column);
        match count {
            None => Ok(value),
            // No tuple has no rows, and so none is no sum.
            Some(_) => Ok(when(value.clone().is_null(), lit(0_i64))
                .otherwise(value)?
                .alias_qualified(qualifier.cloned(), field.name())),
        }
    });
    let shown = shown.collect::<Result<Vec<_>>>()?;
    let plan = LogicalPlan::Aggregate(of_tuples);
    if is_counted.iter().all(Option::is_none) {
        return Ok(Some(plan));
    }
    Ok(Some(LogicalPlan::Projection(Projection::try_new(shown, Arc::new(plan))?)))
}

/// The number of rows that `count` counts, as the sum of those of its tuples.
fn counted(call: &AggregateFunction, arg: &Expr, rows: &Column) -> Result<Expr> {
    let rows = Expr::Column(rows.clone());
    let rows = match arg {
        Expr::Literal(value, _) if !value.is_null() => rows,
        arg => when(arg.clone().is_not_null(), rows).end()?,
    };
    let params = AggregateFunctionParams { args: vec![rows], ..call.params.clone() };
    Ok(Expr::AggregateFunction(AggregateFunction { func: sum_udaf(), params }))
}

/// The plan with a tuple in place of all of its rows, and the column with their number, if it is counted.
fn tuples(plan: &LogicalPlan, is_counted: bool) -> Result<Option<(LogicalPlan, Column)>> {
    match plan {
        LogicalPlan::TableScan(scan) => of_scan(scan, is_counted),
        LogicalPlan::Filter(filter) if is_of_one_row(&filter.predicate) => {
            let Some((input, rows)) = tuples(&filter.input, is_counted)? else { return Ok(None) };
            let filter = Filter::try_new(filter.predicate.clone(), Arc::new(input))?;
            Ok(Some((LogicalPlan::Filter(filter), rows)))
        }
        LogicalPlan::Projection(projection) if projection.expr.iter().all(is_of_one_row) => {
            let is_taken = projection.schema.fields().iter().any(|field| field.name() == ROWS);
            let Some((input, rows)) = tuples(&projection.input, is_counted)?.filter(|_| !is_taken) else {
                return Ok(None);
            };
            let columns = projection.expr.iter().cloned().chain([Expr::Column(rows.clone())]).collect();
            Ok(Some((LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?), rows)))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some((input, _)) = tuples(&alias.input, is_counted)? else { return Ok(None) };
            let plan = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?);
            Ok(Some((plan, Column::new(Some(alias.alias.clone()), ROWS))))
        }
        _ => Ok(None),
    }
}

fn of_scan(scan: &TableScan, is_counted: bool) -> Result<Option<(LogicalPlan, Column)>> {
    let Some(opened) = opened(scan) else { return Ok(None) };
    let partitions = &opened.partitions;
    let is_partition = |name: &str| name != ROWS && partitions.fields.iter().any(|field| field.name() == name);
    let is_told = scan.projected_schema.fields().iter().all(|field| is_partition(field.name()))
        && scan.filters.iter().all(|filter| {
            is_of_one_row(filter) && filter.column_refs().iter().all(|column| is_partition(&column.name))
        });
    let Some(table) = is_told.then(|| opened.tuples(is_counted)).flatten() else { return Ok(None) };
    let name = scan.table_name.clone();
    let plan = LogicalPlanBuilder::scan(name.clone(), provider_as_source(table), None)?.build()?;
    let plan = match conjunction(scan.filters.iter().cloned()) {
        Some(filter) => LogicalPlan::Filter(Filter::try_new(filter, Arc::new(plan))?),
        None => plan,
    };
    Ok(Some((plan, Column::new(Some(name), ROWS))))
}
