//! The clauses around a query: FETCH as LIMIT, and those that this server does not have.
//!
//! Owns: what may follow the last SELECT. Must never know: names.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Fetch, LimitClause, Query, Select, UnaryOperator, Value, VisitMut, VisitorMut, visit_expressions,
};

use super::expand::call;
use super::scope::Scope;
use super::syntax::taken;
use super::{Names, literals, located, types};
use crate::error::{Error, Result, SqlState};

/// Rewrites the limits of the query and of every query inside it.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    match query.visit(&mut Clauses) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Clauses;

impl VisitorMut for Clauses {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        match clauses(query) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        if select.into.is_some() {
            let error = Error::unsupported("SELECT INTO is not supported")
                .hint("This server answers queries over files; tables are made by writing files into the lake.");
            return ControlFlow::Break(error);
        }
        ControlFlow::Continue(())
    }
}

fn clauses(query: &mut Query) -> Result<()> {
    if let Some(lock) = query.locks.first() {
        return Err(Error::unsupported(format!("SELECT {lock} is not supported"))
            .hint("Files of the lake are read as they were when the statement began; there is nothing to lock."));
    }
    if !query.pipe_operators.is_empty() || query.for_clause.is_some() || query.settings.is_some() {
        return Err(Error::unsupported("this clause after a query is not PostgreSQL's"));
    }
    let with_ties = query.fetch.as_ref().is_some_and(|fetch| fetch.with_ties);
    if let Some(fetch) = query.fetch.take() {
        fetch_as_limit(query, fetch)?;
    }
    if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
        for count in limit.iter_mut().chain(offset.iter_mut().map(|offset| &mut offset.value)) {
            as_integer(count)?;
        }
        // LIMIT NULL is LIMIT ALL, and OFFSET NULL is OFFSET 0.
        if limit.as_ref().is_some_and(is_null) {
            *limit = None;
        }
        if offset.as_ref().is_some_and(|offset| is_null(&offset.value)) {
            *offset = None;
        }
        if limit.as_ref().is_some_and(is_negative) {
            return Err(negative_limit());
        }
        if offset.as_ref().is_some_and(|offset| is_negative(&offset.value)) {
            return Err(negative_offset());
        }
        if with_ties && let Some(count) = limit.take() {
            *limit = Some(call(udfs::pg::with_ties::NAME, vec![count]));
        }
    }
    Ok(())
}

fn fetch_as_limit(query: &mut Query, fetch: Fetch) -> Result<()> {
    if fetch.with_ties && query.order_by.is_none() {
        let message = "WITH TIES cannot be specified without ORDER BY clause";
        return Err(Error::new(SqlState::SyntaxError, message));
    }
    if fetch.percent {
        return Err(Error::unsupported("FETCH ... PERCENT is not supported"));
    }
    let count = fetch.quantity.unwrap_or_else(|| Expr::value(Value::Number("1".to_owned(), false)));
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, .. }) => *limit = Some(count),
        _ => {
            query.limit_clause =
                Some(LimitClause::LimitOffset { limit: Some(count), offset: None, limit_by: Vec::new() });
        }
    }
    Ok(())
}

/// What the clauses of a query count, that are no constants.
pub(super) fn counts(clause: Option<&LimitClause>) -> Vec<(&'static str, &Expr)> {
    let Some(LimitClause::LimitOffset { limit, offset, .. }) = clause else { return Vec::new() };
    let offset = offset.as_ref().map(|offset| ("OFFSET", &offset.value));
    let counts = limit.iter().map(|limit| ("LIMIT", limit)).chain(offset);
    counts.filter(|(_, count)| !matches!(count, Expr::Value(_))).collect()
}

/// 42P10 for a count that depends on the rows of its own query.
pub(super) fn check(clause: &str, count: &Expr, scope: &Scope<'_>, names: &dyn Names) -> Result<()> {
    let found = visit_expressions(count, |expr| match expr {
        // The names of queries inside are those of others.
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(None),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [relation, column] if scope.own(&relation.value, &column.value).is_some() => {
                ControlFlow::Break(Some(relation.span))
            }
            _ => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Break(Some(span)) => {
            let message = format!("argument of {clause} must not contain variables");
            Err(located(Error::new(SqlState::InvalidColumnReference, message), span, names))
        }
        _ => Ok(()),
    }
}

/// What a subquery counts is rounded to a `bigint`.
pub(super) fn count_whole(count: &mut Expr) {
    let asks = visit_expressions(count, |expr| match expr {
        Expr::Subquery(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    if asks.is_break() {
        *count = types::cast(taken(count), DataType::BigInt(None));
    }
}

/// A count in quotes is a `bigint`, and so is one that is cast to it.
fn as_integer(count: &mut Expr) -> Result<()> {
    if let Expr::Cast { expr, data_type, .. } = count
        && matches!(types::name(data_type).as_str(), "int2" | "int4" | "int8")
        && matches!(expr.as_ref(), Expr::Value(_))
    {
        let inner = expr.as_ref().clone();
        *count = inner;
    }
    let Some(text) = literals::text(count) else { return Ok(()) };
    let number: i64 = text.trim().parse().map_err(|_| {
        let message = format!("invalid input syntax for type bigint: \"{text}\"");
        Error::new(SqlState::InvalidTextRepresentation, message)
    })?;
    let digits = Expr::value(Value::Number(number.unsigned_abs().to_string(), false));
    *count = match number < 0 {
        true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(digits) },
        false => digits,
    };
    Ok(())
}

/// 2201W.
pub(in crate::engine) fn negative_limit() -> Error {
    Error::new(SqlState::InvalidRowCountInLimitClause, "LIMIT must not be negative")
}

/// 2201X.
pub(in crate::engine) fn negative_offset() -> Error {
    Error::new(SqlState::InvalidRowCountInResultOffsetClause, "OFFSET must not be negative")
}

fn is_negative(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_negative(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => digits.bytes().any(|digit| matches!(digit, b'1'..=b'9')),
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}
