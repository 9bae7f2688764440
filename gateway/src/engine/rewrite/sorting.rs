//! What ORDER BY, GROUP BY and DISTINCT ON may name.
//!
//! Owns: positions in the select list, and which sorts DISTINCT allows (42P10, 42601). Must never know: a plan.

use sqlparser::ast::{Distinct, Expr, Select, SelectItem, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::scope::Column;
use super::{Names, folded, located};
use crate::error::{Error, Result, SqlState};

/// Refuses a constant that is no position in a select list of this width.
pub(super) fn position(expr: &Expr, clause: &str, width: usize, names: &dyn Names) -> Result<()> {
    let Some((value, span)) = constant(expr) else { return Ok(()) };
    let Some(number) = value else {
        let message = format!("non-integer constant in {clause}");
        return Err(located(Error::new(SqlState::SyntaxError, message), span, names));
    };
    match usize::try_from(number) {
        Ok(at) if (1..=width).contains(&at) => Ok(()),
        _ => {
            let message = format!("{clause} position {number} is not in select list");
            Err(located(Error::new(SqlState::InvalidColumnReference, message), span, names))
        }
    }
}

/// ORDER BY behind UNION, INTERSECT or EXCEPT knows nothing but the result columns.
pub(super) fn of_set_operation(expr: &Expr, columns: &[Column], names: &dyn Names) -> Result<()> {
    if constant(expr).is_some() {
        return position(expr, "ORDER BY", columns.len(), names);
    }
    match expr {
        Expr::Identifier(ident) if columns.iter().any(|column| column.planned == ident.value) => Ok(()),
        Expr::Identifier(ident) => {
            let message = format!("column \"{}\" does not exist", folded(ident));
            Err(located(Error::new(SqlState::UndefinedColumn, message), ident.span, names))
        }
        other => {
            let error = Error::unsupported("invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
                .detail("Only result column names can be used, not expressions or functions.")
                .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.");
            Err(located(error, start(other), names))
        }
    }
}

/// A constant that stands alone: its number, if it is a whole one.
fn constant(expr: &Expr) -> Option<(Option<i32>, Span)> {
    match expr {
        Expr::Nested(inner) => constant(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => Some((digits.parse().ok(), value.span)),
            Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_) | Value::Boolean(_) | Value::Null => {
                Some((None, value.span))
            }
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            let (number, span) = constant(expr)?;
            Some((Some(number?.checked_neg()?), span))
        }
        _ => None,
    }
}

/// Checks ORDER BY against DISTINCT and DISTINCT ON.
pub(super) fn check(select: &Select, order_by: &[&mut Expr], names: &dyn Names) -> Result<()> {
    let keys = || order_by.iter().map(|key| (item(key, select).to_string(), start(key)));
    match &select.distinct {
        Some(Distinct::Distinct) if select.projection.iter().all(|item| expr_of(item).is_some()) => {
            let shown: Vec<String> = select.projection.iter().filter_map(expr_of).map(Expr::to_string).collect();
            match keys().find(|(key, _)| !shown.contains(key)) {
                None => Ok(()),
                Some((_, span)) => {
                    let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
                    Err(located(Error::new(SqlState::InvalidColumnReference, message), span, names))
                }
            }
        }
        Some(Distinct::On(exprs)) => {
            let mut open: Vec<String> = exprs.iter().map(|expr| item(expr, select).to_string()).collect();
            let on = open.clone();
            let mut other = None;
            for (key, span) in keys() {
                match (on.contains(&key), other) {
                    (true, Some(_)) => return Err(located(distinct_on(), span, names)),
                    (true, None) => open.retain(|expr| *expr != key),
                    (false, _) => other = other.or(Some(span)),
                }
            }
            match other {
                Some(span) if !open.is_empty() => Err(located(distinct_on(), span, names)),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Puts the expressions of DISTINCT ON into the order of ORDER BY, as the planner wants them.
pub(super) fn align(select: &mut Select, order_by: &[&mut Expr]) {
    let keys: Vec<String> = order_by.iter().map(|key| item(key, select).to_string()).collect();
    if let Some(Distinct::On(exprs)) = &mut select.distinct {
        exprs.sort_by_cached_key(|expr| {
            let text = expr.to_string();
            keys.iter().position(|key| *key == text).unwrap_or(keys.len())
        });
    }
}

fn distinct_on() -> Error {
    let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
    Error::new(SqlState::InvalidColumnReference, message)
}

/// The select item that a sort key means, or the key itself.
fn item<'s>(key: &'s Expr, select: &'s Select) -> &'s Expr {
    meant(key, &select.projection)
}

/// The expression of the select item that an output name or a position means, or the expression itself.
pub(super) fn meant<'s>(key: &'s Expr, projection: &'s [SelectItem]) -> &'s Expr {
    let meant = match key {
        Expr::Identifier(ident) => projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if alias.value == ident.value => Some(expr),
            SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(parts)) => {
                parts.last().is_some_and(|part| part.value == ident.value).then_some(expr)
            }
            _ => None,
        }),
        key => match constant(key) {
            Some((Some(at), _)) => {
                let at = usize::try_from(at).unwrap_or_default().wrapping_sub(1);
                projection.get(at).and_then(expr_of)
            }
            _ => None,
        },
    };
    meant.unwrap_or(key)
}

pub(super) fn expr_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

fn start(expr: &Expr) -> Span {
    match expr {
        Expr::Identifier(ident) => ident.span,
        Expr::CompoundIdentifier(parts) => parts.first().map_or_else(Span::empty, |part| part.span),
        expr => sqlparser::ast::Spanned::span(expr),
    }
}
