//! Counts and extremes of all rows of a table, as its files tell them.
//!
//! Owns: which of them are told. The plan has no scan then, so the number of files costs nothing.

use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, Projection, TableScan, lit};

use super::{call, opened};
use crate::format::bounds::Total;

/// The row of an aggregate over a whole table; `None` if the files do not tell all of it.
pub(super) fn known(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    if !aggregate.group_expr.is_empty() || aggregate.aggr_expr.is_empty() {
        return Ok(None);
    }
    let Some(scan) = scan(&aggregate.input) else { return Ok(None) };
    let Some(opened) = opened(scan).filter(|_| scan.filters.is_empty()) else { return Ok(None) };
    let known = opened.known();
    let total = known.bounds.all();
    let values: Option<Vec<ScalarValue>> = aggregate.aggr_expr.iter().map(|expr| value(expr, total)).collect();
    let Some(values) = values else { return Ok(None) };
    let is_of_type = |(value, field): (&ScalarValue, &Arc<_>)| {
        let field: &arrow::datatypes::Field = field;
        value.data_type() == *field.data_type() && field.metadata().is_empty()
    };
    if !values.iter().zip(aggregate.schema.fields()).all(is_of_type) {
        return Ok(None);
    }
    let named = values.into_iter().zip(aggregate.schema.iter());
    let row = named.map(|(value, (qualifier, field))| lit(value).alias_qualified(qualifier.cloned(), field.name()));
    let one = LogicalPlanBuilder::empty(true).build()?;
    Ok(Some(LogicalPlan::Projection(Projection::try_new(row.collect(), Arc::new(one))?)))
}

/// The table whose rows these are, all of them with its own names.
fn scan(plan: &LogicalPlan) -> Option<&TableScan> {
    match plan {
        LogicalPlan::TableScan(of) => Some(of),
        LogicalPlan::SubqueryAlias(alias) => scan(&alias.input),
        _ => None,
    }
}

fn value(expr: &Expr, known: &Total) -> Option<ScalarValue> {
    let call = call(expr)?;
    let params = &call.params;
    let [arg] = params.args.as_slice() else { return None };
    if params.filter.is_some() || !params.order_by.is_empty() || params.null_treatment.is_some() {
        return None;
    }
    let Precision::Exact(rows) = known.rows else { return None };
    let column = || match arg {
        Expr::Column(column) => known.column(&column.name),
        _ => None,
    };
    let exact = |value: &Precision<ScalarValue>| match value {
        Precision::Exact(value) => Some(value.clone()),
        Precision::Inexact(_) | Precision::Absent => None,
    };
    let count = |rows: usize| i64::try_from(rows).ok().map(|rows| ScalarValue::Int64(Some(rows)));
    match (call.func.name(), arg) {
        ("count", _) if params.distinct => None,
        ("count", Expr::Literal(value, _)) => count(if value.is_null() { 0 } else { rows }),
        ("count", _) => match column()?.null_count {
            Precision::Exact(nulls) => count(rows.checked_sub(nulls)?),
            Precision::Inexact(_) | Precision::Absent => None,
        },
        ("min", _) => exact(&column()?.min_value),
        ("max", _) => exact(&column()?.max_value),
        _ => None,
    }
}
