//! `FETCH FIRST n ROWS WITH TIES`: rows whose rank, by the keys of the sort, is among the first.
//!
//! Owns: what such a limit becomes. Must never know: how it was written.
//! <https://www.postgresql.org/docs/16/sql-select.html#SQL-LIMIT>

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, internal_err};
use datafusion::functions_window::rank::rank_udwf;
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, Limit, LogicalPlan, LogicalPlanBuilder, Projection, Sort, cast, lit,
};
use datafusion::optimizer::AnalyzerRule;
use udfs::pg::with_ties;

#[derive(Debug)]
pub(super) struct Ties;

impl AnalyzerRule for Ties {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan
            .transform_up_with_subqueries(|node| match node {
                LogicalPlan::Limit(limit) => match count(&limit) {
                    Some(count) => ranked(&limit, count).map(Transformed::yes),
                    None => Ok(Transformed::no(LogicalPlan::Limit(limit))),
                },
                node => Ok(Transformed::no(node)),
            })?
            .data)
    }

    fn name(&self) -> &'static str {
        "ties"
    }
}

/// The number of rows of a limit with ties.
fn count(limit: &Limit) -> Option<Expr> {
    fn of(expr: &Expr) -> Option<Expr> {
        match expr {
            Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == with_ties::NAME => {
                args.first().cloned()
            }
            Expr::Cast(cast) => of(&cast.expr),
            Expr::Alias(alias) => of(&alias.expr),
            _ => None,
        }
    }
    limit.fetch.as_deref().and_then(of)
}

fn ranked(limit: &Limit, count: Expr) -> Result<LogicalPlan> {
    match limit.input.as_ref() {
        LogicalPlan::Sort(sort) => first(sort, limit, count),
        // It leaves out the keys that the query does not show.
        LogicalPlan::Projection(Projection { expr, input, .. }) => {
            let below = Limit { input: Arc::clone(input), ..limit.clone() };
            let below = ranked(&below, count)?;
            LogicalPlanBuilder::from(below).project(expr.clone())?.build()
        }
        _ => internal_err!("WITH TIES without a sort"),
    }
}

/// The rows that the limit skips have ranks too, so it is met by the rank and the skipping.
fn first(sort: &Sort, limit: &Limit, count: Expr) -> Result<LogicalPlan> {
    let columns: Vec<Expr> = sort.input.schema().columns().into_iter().map(Expr::Column).collect();
    let rank = Expr::from(WindowFunction::new(rank_udwf(), Vec::new())).order_by(sort.expr.clone()).build()?;
    let numbered = LogicalPlanBuilder::from(Arc::clone(&sort.input)).window([rank])?.build()?;
    let Some(rank) = numbered.schema().columns().pop() else { return internal_err!("a window without columns") };
    let bigint = |expr: Expr| cast(expr, DataType::Int64);
    let skipped = limit.skip.as_deref().cloned().map_or_else(|| lit(0_i64), bigint);
    let is_first = bigint(Expr::Column(rank)).lt_eq(skipped + bigint(count.clone())).and(bigint(count).gt(lit(0_i64)));
    LogicalPlanBuilder::from(numbered)
        .filter(is_first)?
        .sort(sort.expr.clone())?
        .limit_by_expr(limit.skip.as_deref().cloned(), None)?
        .project(columns)?
        .build()
}
