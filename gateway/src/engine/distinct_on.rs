//! DISTINCT ON over columns.
//!
//! Owns: that what is computed for it is computed below it, where subqueries can run and types are settled. Must never
//! know: which row of a group stays.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Distinct, DistinctOn, Expr, LogicalPlan, Projection, SortExpr};

/// The projection that computes, or `None` where all are columns already.
pub(super) fn below(on: &DistinctOn) -> Result<Option<(LogicalPlan, Vec<Expr>)>> {
    let sorted = on.sort_expr.iter().flatten().map(|sort| &sort.expr);
    let mut all = on.select_expr.iter().chain(&on.on_expr).chain(sorted);
    if all.all(|expr| matches!(expr, Expr::Column(_))) {
        return Ok(None);
    }
    let mut exprs = on.select_expr.clone();
    let sorted = on.sort_expr.iter().flatten().map(|sort| &sort.expr);
    for expr in on.on_expr.iter().chain(sorted) {
        if !exprs.iter().any(|known| bare(known) == bare(expr)) {
            exprs.push(expr.clone().alias(format!("__distinct_{}", exprs.len())));
        }
    }
    let plan = LogicalPlan::Projection(Projection::try_new(exprs.clone(), Arc::clone(&on.input))?);
    Ok(Some((plan, exprs)))
}

/// The node over the columns of the projection, which computes these expressions.
pub(super) fn over(on: DistinctOn, projection: LogicalPlan, exprs: &[Expr]) -> Result<LogicalPlan> {
    let schema = Arc::clone(projection.schema());
    let width = on.select_expr.len();
    let select = schema.columns().into_iter().take(width).map(Expr::Column).collect();
    let column = |expr: &Expr| meant(expr, exprs, &schema);
    let on_expr = on.on_expr.iter().map(column).collect();
    let sort =
        on.sort_expr.map(|sort| sort.into_iter().map(|key| SortExpr { expr: column(&key.expr), ..key }).collect());
    Ok(LogicalPlan::Distinct(Distinct::On(DistinctOn::try_new(on_expr, select, sort, Arc::new(projection))?)))
}

/// The column that computes an expression.
fn meant(expr: &Expr, exprs: &[Expr], schema: &DFSchema) -> Expr {
    let at = exprs.iter().position(|known| bare(known) == bare(expr));
    let field = at.filter(|at| *at < schema.fields().len()).map(|at| schema.qualified_field(at));
    field.map_or_else(|| expr.clone(), |(relation, field)| Expr::Column(Column::new(relation.cloned(), field.name())))
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => bare(&alias.expr),
        expr => expr,
    }
}
