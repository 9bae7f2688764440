//! `LIMIT (SELECT ...)`, `OFFSET (SELECT ...)`: rows whose number is in the range that a subquery tells.
//!
//! Owns: what such a limit becomes. Must never know: how a subquery is answered. It precedes the rule that answers them.
//! <https://www.postgresql.org/docs/16/queries-limit.html>

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, internal_err};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, Limit, LogicalPlan, LogicalPlanBuilder, Projection, cast, lit};
use datafusion::optimizer::AnalyzerRule;
use udfs::pg::row_counts;

use super::native::Subqueries as _;
use crate::engine::planners::operand::call;

#[derive(Debug)]
pub(super) struct Limits;

impl AnalyzerRule for Limits {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan
            .transform_up_with_subqueries(|node| match node {
                LogicalPlan::Limit(limit) if asks(&limit)? => numbered(&limit).map(Transformed::yes),
                node => Ok(Transformed::no(node)),
            })?
            .data)
    }

    fn name(&self) -> &'static str {
        "limits"
    }
}

fn asks(limit: &Limit) -> Result<bool> {
    for count in [&limit.skip, &limit.fetch].into_iter().flatten() {
        if count.exists_subquery()? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn numbered(limit: &Limit) -> Result<LogicalPlan> {
    let keys = match limit.input.as_ref() {
        LogicalPlan::Sort(sort) => sort.expr.clone(),
        // It leaves out the keys that the query does not show.
        LogicalPlan::Projection(Projection { expr, input, .. }) if matches!(input.as_ref(), LogicalPlan::Sort(_)) => {
            let below = numbered(&Limit { input: Arc::clone(input), ..limit.clone() })?;
            return LogicalPlanBuilder::from(below).project(expr.clone())?.build();
        }
        _ => Vec::new(),
    };
    let columns: Vec<Expr> = limit.input.schema().columns().into_iter().map(Expr::Column).collect();
    let number = Expr::from(WindowFunction::new(row_number_udwf(), Vec::new()));
    let number = if keys.is_empty() { number } else { number.order_by(keys).build()? };
    let rows = LogicalPlanBuilder::from(Arc::clone(&limit.input)).window([number])?.build()?;
    let Some(number) = rows.schema().columns().pop() else { return internal_err!("a window without columns") };
    let number = cast(Expr::Column(number), DataType::Int64);
    let count = |udf, of: &Expr| call(udf, vec![cast(of.clone(), DataType::Int64)]);
    let skipped = limit.skip.as_deref().map(|skip| {
        let skip = count(row_counts::offset(), skip);
        datafusion::functions::expr_fn::coalesce(vec![skip, lit(0_i64)])
    });
    let mut conditions = Vec::new();
    if let Some(fetch) = limit.fetch.as_deref() {
        let fetch = count(row_counts::limit(), fetch);
        let place = match &skipped {
            Some(skipped) => number.clone() - skipped.clone(),
            None => number.clone(),
        };
        // NULL is no limit.
        conditions.push(place.gt(fetch).is_not_true());
    }
    conditions.extend(skipped.map(|skipped| number.clone().gt(skipped)));
    let Some(condition) = conjunction(conditions) else { return internal_err!("a limit without a count") };
    LogicalPlanBuilder::from(rows).filter(condition)?.sort([number.sort(true, false)])?.project(columns)?.build()
}
