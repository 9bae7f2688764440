//! `generate_series` where it is written with literals.
//!
//! Owns: series of integers that the planner makes row by row, and 22023 for a step that goes nowhere. Must never know: other
//! functions.

use sqlparser::ast::{
    DataType, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, TableAlias, TableFactor, TableWithJoins,
};
use udfs::pg::interval::Style;

use super::{literals, quoted};
use crate::error::{Error, Result, SqlState};

/// A series between literals needs no array in memory: the planner's table function makes it row by row.
pub(super) fn integer_series(function: &str, args: &[Expr], with_ordinality: bool) -> Option<(Expr, TableWithJoins)> {
    if function != "generate_series" || with_ordinality || !(2..=3).contains(&args.len()) {
        return None;
    }
    let bounds = args.iter().map(integer).collect::<Option<Vec<i64>>>()?;
    let series = TableFactor::Function {
        lateral: false,
        name: ObjectName::from(vec![Ident::new(function)]),
        args: args.iter().cloned().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect(),
        with_ordinality: false,
        alias: Some(TableAlias { explicit: true, name: quoted("series"), columns: Vec::new(), at: None }),
    };
    let value = Expr::CompoundIdentifier(vec![quoted("series"), quoted("value")]);
    let fits = bounds.iter().all(|bound| i32::try_from(*bound).is_ok());
    let expr = if fits { super::types::cast(value, sqlparser::ast::DataType::Int4(None)) } else { value };
    Some((expr, TableWithJoins { relation: series, joins: Vec::new() }))
}

/// A series goes somewhere: 22023 for a step of zero that is written out.
pub(super) fn steps(function: &str, args: &[Expr], style: Style) -> Result<()> {
    let [_, _, step] = args else { return Ok(()) };
    let is_zero = integer(step) == Some(0) || spans_nothing(step, style);
    if function == "generate_series" && is_zero {
        return Err(Error::new(SqlState::InvalidParameterValue, "step size cannot equal zero"));
    }
    Ok(())
}

/// Whether the expression is the literal of an empty interval.
fn spans_nothing(expr: &Expr, style: Style) -> bool {
    let text = match expr {
        Expr::Interval(interval) => literals::text(&interval.value),
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => literals::text(expr),
        _ => None,
    };
    let span = text.and_then(|text| udfs::pg::interval::parse(&text, style).ok());
    span.is_some_and(|span| span.months == 0 && span.days == 0 && span.nanoseconds == 0)
}

fn integer(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: sqlparser::ast::UnaryOperator::Minus, expr } => integer(expr)?.checked_neg(),
        Expr::Nested(inner) => integer(inner),
        _ => None,
    }
}
