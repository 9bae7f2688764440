//! Places that take a truth value, and BETWEEN SYMMETRIC.
//!
//! Owns: literals of unknown type there, which are read as booleans. Must never know: the type of anything else.

use sqlparser::ast::{BinaryOperator, Expr, Select, UnaryOperator, Value};

use super::arrays::{binary, chain};
use super::literals;
use super::relations::constraint;
use super::syntax::taken;
use crate::error::{Error, Result};

/// The conditions of a SELECT.
pub(super) fn of_select(select: &mut Select) -> Result<()> {
    for condition in [&mut select.selection, &mut select.having].into_iter().flatten() {
        truth(condition)?;
    }
    for join in select.from.iter_mut().flat_map(|item| item.joins.iter_mut()) {
        if let Some(sqlparser::ast::JoinConstraint::On(condition)) = constraint(&mut join.join_operator) {
            truth(condition)?;
        }
    }
    Ok(())
}

/// The operands of AND, OR, NOT and CASE WHEN.
pub(super) fn of_expr(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
            truth(left)?;
            truth(right)
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => truth(expr),
        Expr::Case { operand: None, conditions, .. } => {
            conditions.iter_mut().try_for_each(|when| truth(&mut when.condition))
        }
        _ => Ok(()),
    }
}

fn truth(expr: &mut Expr) -> Result<()> {
    if let Some(text) = literals::text(expr) {
        *expr = Expr::value(Value::Boolean(udfs::pg::input::boolean(&text)?));
    }
    Ok(())
}

/// `x BETWEEN SYMMETRIC a AND b` is true for either order of the bounds.
pub(super) fn symmetric(expr: &mut Expr) -> Result<()> {
    let Expr::Between { expr: value, negated, low, high } = expr else { return Ok(()) };
    if !unmark(low) {
        return Ok(());
    }
    if [&*value, &*low, &*high].into_iter().any(|operand| is_chain(operand)) {
        // Each level would double what is below it.
        return Err(Error::unsupported("BETWEEN SYMMETRIC inside of BETWEEN SYMMETRIC is not supported"));
    }
    let (value, low, high, negated) = (taken(value), taken(low), taken(high), *negated);
    let within = |from: &Expr, to: &Expr| {
        let from = binary(value.clone(), BinaryOperator::GtEq, from.clone());
        let to = binary(value.clone(), BinaryOperator::LtEq, to.clone());
        Expr::Nested(Box::new(chain([from, to], BinaryOperator::And)))
    };
    let either = Expr::Nested(Box::new(chain([within(&low, &high), within(&high, &low)], BinaryOperator::Or)));
    *expr = match negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(either) },
        false => either,
    };
    Ok(())
}

/// Takes off the operator that stands for SYMMETRIC; it is the first of the lower bound.
fn unmark(expr: &mut Expr) -> bool {
    match expr {
        Expr::UnaryOp { op: UnaryOperator::PGPrefixFactorial, expr: inner } => {
            *expr = taken(inner);
            true
        }
        Expr::BinaryOp { left, .. } => unmark(left),
        _ => false,
    }
}

/// Whether the expression, at any depth, is what `symmetric` makes.
fn is_chain(expr: &Expr) -> bool {
    let mut found = false;
    let _ = sqlparser::ast::visit_expressions(expr, |inner| {
        if let Expr::Nested(inner) = inner
            && let Expr::BinaryOp { left, op: BinaryOperator::Or, right } = inner.as_ref()
        {
            found = found || (matches!(**left, Expr::Nested(_)) && matches!(**right, Expr::Nested(_)));
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    found
}
