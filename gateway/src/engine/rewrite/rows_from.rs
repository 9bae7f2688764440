//! `ROWS FROM (f(), g())`: functions in FROM side by side, until the longest ends.
//!
//! Owns: which columns and how many rows the functions give together. Must never know: what one function returns, which
//! `from_functions` knows. <https://www.postgresql.org/docs/16/queries-table-expressions.html#QUERIES-TABLEFUNCTIONS>

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName};

use super::arrays::arguments;
use super::expand::call;
use super::{folded, quoted};
use crate::engine::tokens::rows_from::NAME;
use crate::error::{Error, Result};

/// A column with its name.
type Column = (String, Expr);

/// Whether a function in FROM is this notation.
pub(super) fn is(name: &ObjectName) -> bool {
    name.0.last().and_then(|part| part.as_ident()).is_some_and(|name| name.value == NAME)
}

/// Hides the functions from those who would make each an expression of its own.
pub(super) fn hide(args: &mut [FunctionArg]) {
    for arg in args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) = arg
            && let Some(last) = function.name.0.last().and_then(|part| part.as_ident()).map(folded)
        {
            function.name = ObjectName::from(vec![quoted(&format!("{NAME}:{last}"))]);
        }
    }
}

/// The columns of the functions, each of which `columns` tells with the column that numbers its rows behind them.
pub(super) fn columns(
    args: &[FunctionArg],
    with_ordinality: bool,
    columns: impl Fn(&ObjectName, &str, Vec<Expr>) -> Result<Vec<Column>>,
) -> Result<Vec<Column>> {
    let (mut all, mut counts) = (Vec::new(), Vec::new());
    for arg in args {
        let Some((name, args)) = shown(arg) else {
            return Err(Error::unsupported(format!("{arg} in ROWS FROM is not supported")));
        };
        let mut own = columns(&ObjectName::from(vec![Ident::new(name.as_str())]), &name, args)?;
        let count = own.pop().and_then(|(_, numbers)| count(&numbers));
        let is_scalar = count.is_none();
        counts.push(count.unwrap_or_else(|| super::literals::number(1)));
        all.extend(own.into_iter().map(|(name, expr)| match is_scalar {
            // It is one row, and NULL beside the others.
            true => (name, call("unnest", vec![call("make_array", vec![expr])])),
            false => (name, expr),
        }));
    }
    if with_ordinality {
        let longest = call("greatest", counts);
        let numbers = call("generate_series", vec![super::literals::number(1), longest]);
        all.push(("ordinality".to_owned(), call("unnest", vec![numbers])));
    }
    Ok(all)
}

/// The name and the arguments of a hidden function.
fn shown(arg: &FunctionArg) -> Option<(String, Vec<Expr>)> {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) = arg else { return None };
    let name = function.name.0.last()?.as_ident()?.value.strip_prefix(NAME)?.strip_prefix(':')?.to_owned();
    Some((name, arguments(function)))
}

/// How many rows `unnest(generate_series(1, count))` numbers.
fn count(numbers: &Expr) -> Option<Expr> {
    let only = |expr: &Expr| match expr {
        Expr::Function(function) => Some(arguments(function)),
        _ => None,
    };
    let series = only(numbers)?;
    only(series.first()?)?.pop()
}
