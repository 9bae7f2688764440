//! UNION, INTERSECT and EXCEPT: how many columns, and how often a row.
//!
//! Owns: the multiplicities of INTERSECT ALL and EXCEPT ALL, which the planner does not count. Must never know: types.

use sqlparser::ast::{
    Expr, Function, FunctionArgumentList, FunctionArguments, Ident, ObjectName, SelectItem, SetExpr, SetOperator,
    SetQuantifier, Spanned, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, WindowSpec, WindowType,
};

use super::expand::select;
use super::from_functions::query;
use super::scope::Column;
use super::{Names, located, quoted, rows};
use crate::error::{Error, Result, SqlState};

/// The relation of one side, with its rows numbered.
const SIDE: &str = "side";
/// How many equal rows came before a row, plus one. No column of a client has a name with a colon first.
const COPY: &str = ":copy";

/// Refuses sides of different widths; `None` is a width that only the planner knows.
pub(super) fn check(
    op: SetOperator,
    widths: (Option<usize>, Option<usize>),
    right: &SetExpr,
    names: &dyn Names,
) -> Result<()> {
    match widths {
        (Some(left), Some(own)) if left != own => {
            let message = format!("each {op} query must have the same number of columns");
            Err(located(Error::new(SqlState::SyntaxError, message), first(right), names))
        }
        _ => Ok(()),
    }
}

/// A subquery that is a value, or a set of values, has one column.
pub(super) fn one_column(expr: &Expr, names: &dyn Names) -> Result<()> {
    let (query, message) = match expr {
        Expr::Subquery(query) => (query, "subquery must return only one column"),
        Expr::InSubquery { subquery, expr, .. } if rows::constructor(expr).is_none() => {
            (subquery, "subquery has too many columns")
        }
        _ => return Ok(()),
    };
    match width(&query.body) {
        Some(width) if width > 1 => {
            let error = located(Error::new(SqlState::SyntaxError, message), first(&query.body), names);
            Err(before_query(error, matches!(expr, Expr::InSubquery { .. }), names))
        }
        _ => Ok(()),
    }
}

/// The error at the parenthesis of the query, or at the IN before it, instead of at its first column.
fn before_query(error: Error, is_in: bool, names: &dyn Names) -> Error {
    let place = || {
        let before: Vec<char> = names.message()?.chars().take(error.position?.checked_sub(1)?).collect();
        let open = before.iter().rposition(|c| *c == '(')?;
        if !is_in {
            return Some(open + 1);
        }
        let is_keyword = |pair: &[char]| matches!(pair, ['i' | 'I', 'n' | 'N']);
        before.get(..open)?.windows(2).rposition(is_keyword).map(|at| at + 1)
    };
    match place() {
        Some(position) => error.at(position),
        None => error,
    }
}

/// How many columns a query has, as far as its text tells.
fn width(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Select(select) => {
            let plain =
                |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
            select.projection.iter().all(plain).then_some(select.projection.len())
        }
        SetExpr::SetOperation { left, .. } => width(left),
        SetExpr::Query(query) => width(&query.body),
        SetExpr::Values(values) => values.rows.first().map(|row| row.content.len()),
        _ => None,
    }
}

/// Where the first column of a side is written.
fn first(body: &SetExpr) -> sqlparser::tokenizer::Span {
    match body {
        SetExpr::Select(select) => {
            select.projection.first().map_or_else(sqlparser::tokenizer::Span::empty, Spanned::span)
        }
        SetExpr::SetOperation { left, .. } => first(left),
        SetExpr::Query(query) => first(&query.body),
        other => other.span(),
    }
}

/// `A INTERSECT ALL B` has a row as often as the side that has it less often, `A EXCEPT ALL B` as often as A has it more
/// often: with equal rows numbered on both sides, these are INTERSECT and EXCEPT.
pub(super) fn count_copies(body: &mut SetExpr, columns: &[Column]) {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return };
    if *set_quantifier != SetQuantifier::All || !matches!(op, SetOperator::Intersect | SetOperator::Except) {
        return;
    }
    *set_quantifier = SetQuantifier::None;
    for side in [left, right] {
        let rows = std::mem::replace(side.as_mut(), SetExpr::Values(no_values()));
        **side = numbered(rows, columns);
    }
    let counted = std::mem::replace(body, SetExpr::Values(no_values()));
    let items = columns.iter().map(|column| SelectItem::UnnamedExpr(reference(&column.planned))).collect();
    *body = SetExpr::Select(Box::new(select(items, vec![relation(counted, Vec::new())])));
}

/// `SELECT ..., row_number() OVER (PARTITION BY ...) FROM (rows)`.
fn numbered(rows: SetExpr, columns: &[Column]) -> SetExpr {
    let names: Vec<Ident> = columns.iter().map(|column| quoted(&column.planned)).collect();
    let references = || columns.iter().map(|column| reference(&column.planned));
    let mut items: Vec<SelectItem> = references().map(SelectItem::UnnamedExpr).collect();
    items.push(SelectItem::ExprWithAlias { expr: row_number(references().collect()), alias: quoted(COPY) });
    SetExpr::Select(Box::new(select(items, vec![relation(rows, names)])))
}

fn row_number(partition_by: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("row_number")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: Vec::new(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: Some(WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by,
            order_by: Vec::new(),
            window_frame: None,
        })),
        within_group: Vec::new(),
    })
}

fn relation(body: SetExpr, names: Vec<Ident>) -> TableWithJoins {
    let mut inner = query(select(Vec::new(), Vec::new()));
    *inner.body = body;
    let columns = names.into_iter().map(|name| TableAliasColumnDef { name, data_type: None }).collect();
    let alias = TableAlias { explicit: true, name: quoted(SIDE), columns, at: None };
    let subquery = Box::new(inner);
    let relation = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
    TableWithJoins { relation, joins: Vec::new() }
}

fn reference(column: &str) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(SIDE), quoted(column)])
}

fn no_values() -> sqlparser::ast::Values {
    sqlparser::ast::Values { explicit_row: false, value_keyword: false, rows: Vec::new() }
}
