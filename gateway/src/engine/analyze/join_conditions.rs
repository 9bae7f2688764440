//! Subqueries in the conditions of joins.
//!
//! Owns: which side of a join a subquery is asked for. Must never know: how it is answered.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{InSubquery, SetComparison};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan};

use super::correlated::{Allowed, Applied, filtered, only, unsupported};
use super::native::Subqueries as _;
use super::outer::{is_bound, references, subquery};

/// An inner join's condition is a filter on the pairs.
pub(super) fn inner(mut join: Join) -> Result<LogicalPlan> {
    let mut conditions: Vec<Expr> = Vec::new();
    let mut on = Vec::new();
    for (left, right) in std::mem::take(&mut join.on) {
        if left.exists_subquery()? || right.exists_subquery()? {
            conditions.push(left.eq(right));
        } else {
            on.push((left, right));
        }
    }
    let mut plain = Vec::new();
    for conjunct in join.filter.take().map(split_conjunction_owned).unwrap_or_default() {
        if conjunct.exists_subquery()? { conditions.push(conjunct) } else { plain.push(conjunct) }
    }
    join.on = on;
    join.filter = conjunction(plain);
    let pairs = LogicalPlan::Join(join);
    match conjunction(conditions) {
        Some(predicate) => filtered(Filter::try_new(predicate, Arc::new(pairs))?),
        None => Ok(pairs),
    }
}

/// The rows of one side of any other join keep their answers beside them: the condition looks at those.
pub(super) fn outer(mut join: Join) -> Result<LogicalPlan> {
    let schema = Arc::clone(&join.schema);
    let mut sides = Sides {
        left: Applied::new(join.left.as_ref().clone()),
        right: Applied::new(join.right.as_ref().clone()),
        schemas: [Arc::clone(join.left.schema()), Arc::clone(join.right.schema())],
        kind: join.join_type.to_string(),
    };
    let mut on = Vec::with_capacity(join.on.len());
    for (left, right) in std::mem::take(&mut join.on) {
        on.push((sides.expr(left)?, sides.expr(right)?));
    }
    join.filter = join.filter.take().map(|filter| sides.expr(filter)).transpose()?;
    join.on = on;
    join.left = Arc::new(sides.left.plan);
    join.right = Arc::new(sides.right.plan);
    only(LogicalPlan::Join(join).recompute_schema()?, &schema)
}

struct Sides {
    left: Applied,
    right: Applied,
    schemas: [Arc<DFSchema>; 2],
    kind: String,
}

impl Sides {
    /// The expression with columns of the sides in place of its subqueries.
    fn expr(&mut self, expr: Expr) -> Result<Expr> {
        let rewritten = expr.transform_up(|expr| {
            if subquery(&expr).is_none() {
                return Ok(Transformed::no(expr));
            }
            let [of_left, of_right] = [self.is_of(0, &expr)?, self.is_of(1, &expr)?];
            let side = match (of_left, of_right) {
                (true, _) => &mut self.left,
                (false, true) => &mut self.right,
                (false, false) => {
                    return Err(unsupported(&format!("this subquery in {} Join", self.kind)));
                }
            };
            side.expr(expr, Allowed::Nothing).map(Transformed::yes)
        })?;
        Ok(rewritten.data)
    }

    /// Whether a subquery and what is compared with it take nothing from this join but columns of the side.
    fn is_of(&self, side: usize, expr: &Expr) -> Result<bool> {
        let (Some(of), Some(subquery)) = (self.schemas.get(side), subquery(expr)) else { return Ok(false) };
        let [left, right] = &self.schemas;
        let mut only = true;
        for (key, _) in references(&subquery.subquery)? {
            let here = is_bound(&key, left) || is_bound(&key, right);
            only &= is_bound(&key, of) || !here;
        }
        if let Expr::InSubquery(InSubquery { expr: sought, .. })
        | Expr::SetComparison(SetComparison { expr: sought, .. }) = expr
        {
            only &= sought.column_refs().into_iter().all(|column| of.has_column(column));
        }
        Ok(only)
    }
}
