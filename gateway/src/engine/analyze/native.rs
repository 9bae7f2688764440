//! The subqueries that the planner's own optimizer turns into joins, and gets right.
//!
//! Owns: the shapes that are left to it. Everything else is run by `Apply`: slower, but always SQL's answer.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Join, JoinType, LogicalPlan, Operator};

use super::outer::{Key, is_bound, references};

/// Whether a conjunct of WHERE is a semi or anti join as it stands.
pub(super) fn conjunct(expr: &Expr, input: &DFSchema) -> Result<bool> {
    Ok(match expr {
        Expr::Not(inner) => matches!(inner.as_ref(), Expr::Exists(_)) && conjunct(inner, input)?,
        Expr::Exists(Exists { subquery, .. }) => exists(&subquery.subquery, input)?,
        Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
            let has_subquery = expr.exists_subquery()?;
            // NOT IN decides NULLs by what the whole subquery returns; a join knows that only without correlation.
            let correlated = !references(&subquery.subquery)?.is_empty();
            !(has_subquery || correlated && *negated) && exists(&subquery.subquery, input)?
        }
        _ => false,
    })
}

fn exists(plan: &LogicalPlan, input: &DFSchema) -> Result<bool> {
    let references = references(plan)?;
    if references.is_empty() {
        return Ok(true);
    }
    Ok(references.iter().all(|(key, _)| is_bound(key, input) || matches!(key, Key::Parameter(_)))
        && spine(plan, Predicates::Any)?)
}

/// Whether a correlated scalar subquery is an aggregate that a left join can precompute for all outer rows.
pub(super) fn scalar(plan: &LogicalPlan, input: &DFSchema) -> Result<bool> {
    let bound = references(plan)?.iter().all(|(key, _)| is_bound(key, input) || matches!(key, Key::Parameter(_)));
    if !bound {
        return Ok(false);
    }
    let mut node = plan;
    loop {
        match node {
            LogicalPlan::Projection(projection) if !takes_from_outside(node)? => node = &projection.input,
            LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() && !takes_from_outside(node)? => {
                return spine(&aggregate.input, Predicates::Equalities);
            }
            _ => return Ok(false),
        }
    }
}

/// Which correlated predicates a filter may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Predicates {
    Any,
    /// `column = outer column`: each outer row meets one group.
    Equalities,
}

/// Whether outer columns occur only in filters that can move up through everything above them.
fn spine(plan: &LogicalPlan, predicates: Predicates) -> Result<bool> {
    if references(plan)?.is_empty() {
        return Ok(true);
    }
    match plan {
        // Below an aggregate a projection would have to let the column of the equality through.
        LogicalPlan::Projection(_) if predicates == Predicates::Any => {}
        LogicalPlan::Join(Join { join_type: JoinType::Inner, .. }) => {}
        LogicalPlan::Filter(filter) => {
            let correlated = |expr: &&Expr| expr.contains_outer();
            let allowed =
                split_conjunction(&filter.predicate).into_iter().filter(correlated).all(|expr| match predicates {
                    Predicates::Any => !expr.exists_subquery().unwrap_or(true),
                    Predicates::Equalities => is_equality(expr),
                });
            // Subqueries inside may reach further out than the next query.
            if !allowed || filter.predicate.exists_subquery()? {
                return Ok(false);
            }
            return spine(&filter.input, predicates);
        }
        _ => return Ok(false),
    }
    if takes_from_outside(plan)? {
        return Ok(false);
    }
    for input in plan.inputs() {
        if !spine(input, predicates)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A plain column on the inner side: a cast there would make several groups meet one outer row.
fn is_equality(expr: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = expr else { return false };
    let is_outer = |expr: &Expr| match expr {
        Expr::OuterReferenceColumn(..) => true,
        Expr::Cast(cast) => matches!(cast.expr.as_ref(), Expr::OuterReferenceColumn(..)),
        _ => false,
    };
    let is_inner = |expr: &Expr| matches!(expr, Expr::Column(_));
    (is_outer(left) && is_inner(right)) || (is_inner(left) && is_outer(right))
}

/// Whether the node's own expressions take anything from outside.
fn takes_from_outside(plan: &LogicalPlan) -> Result<bool> {
    let mut takes = false;
    plan.apply_expressions(|expr| {
        takes = takes || expr.contains_outer() || expr.exists_subquery()?;
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    })?;
    Ok(takes)
}

/// Questions about one expression.
pub(super) trait Subqueries {
    fn exists_subquery(&self) -> Result<bool>;
}

impl Subqueries for Expr {
    fn exists_subquery(&self) -> Result<bool> {
        datafusion::common::tree_node::TreeNode::exists(self, |expr| Ok(super::outer::subquery(expr).is_some()))
    }
}
