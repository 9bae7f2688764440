//! A row beside a query: `(a, b) = (SELECT ...)`, `(a, b) < ALL (SELECT ...)`.
//!
//! Owns: how such a query is made one of a single row value before names are resolved, and a comparison afterwards. Must
//! never know: types. `(a, b) IN (SELECT ...)` is read with the rows.
//! <https://www.postgresql.org/docs/15/functions-subquery.html>

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    CaseWhen, Expr, Query, SelectItem, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, Value,
    VisitMut, VisitorMut, visit_expressions,
};

use super::expand::{call, select};
use super::from_functions::query;
use super::rows::{constructor, width};
use super::syntax::taken;
use super::{Names, folded, literals, operators, quoted};
use crate::error::{Error, Result, SqlState};

/// What the query is called where its columns are read. No client has a name with a colon first.
const RELATION: &str = ":row_query";

/// Makes the queries beside rows queries of one column, which is a row.
pub(super) fn wrap(query: &mut Query, names: &dyn Names) -> Result<()> {
    match query.visit(&mut Wraps { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Wraps<'n> {
    names: &'n dyn Names,
}

impl VisitorMut for Wraps<'_> {
    type Break = Error;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let (row, subquery) = match expr {
            Expr::BinaryOp { left, right, .. } => match (left.as_mut(), right.as_mut()) {
                (row, Expr::Subquery(subquery)) => (row, subquery),
                _ => return ControlFlow::Continue(()),
            },
            Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
                match (left.as_mut(), right.as_mut()) {
                    (row, Expr::Subquery(subquery)) => (row, subquery),
                    _ => return ControlFlow::Continue(()),
                }
            }
            _ => return ControlFlow::Continue(()),
        };
        let Some(fields) = constructor(row) else { return ControlFlow::Continue(()) };
        match self.wrapped(&fields, subquery) {
            Ok(wrapped) => {
                **subquery = wrapped;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Wraps<'_> {
    /// `SELECT ROW(column0, column1) FROM (subquery) AS row_query(column0, column1)`.
    fn wrapped(&self, fields: &[Expr], subquery: &Query) -> Result<Query> {
        if let Some(width) = width(&subquery.body)
            && width != fields.len()
        {
            let which = if width > fields.len() { "many" } else { "few" };
            return Err(Error::new(SqlState::SyntaxError, format!("subquery has too {which} columns")));
        }
        if fields.iter().any(|field| self.aggregates(field)) {
            return Err(Error::unsupported("aggregates in a row beside a query are not supported"));
        }
        let name = |at: usize| quoted(&format!("column{at}"));
        let columns = (0..fields.len()).map(|at| TableAliasColumnDef { name: name(at), data_type: None });
        let alias = TableAlias { explicit: true, name: quoted(RELATION), columns: columns.collect(), at: None };
        let relation = TableFactor::Derived {
            lateral: false,
            subquery: Box::new(subquery.clone()),
            alias: Some(alias),
            sample: None,
        };
        let values = (0..fields.len()).map(|at| Expr::CompoundIdentifier(vec![quoted(RELATION), name(at)]));
        let item = SelectItem::ExprWithAlias { expr: call("row", values.collect()), alias: quoted("?column?") };
        Ok(query(select(vec![item], vec![TableWithJoins { relation, joins: Vec::new() }])))
    }

    /// Whether there is an aggregate or a window in it: inside of the query they would be of the query's rows.
    fn aggregates(&self, field: &Expr) -> bool {
        let found = visit_expressions(field, |expr| match expr {
            Expr::Function(function) => {
                let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
                match function.over.is_some() || self.names.is_aggregate(&name) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            }
            _ => ControlFlow::Continue(()),
        });
        found.is_break()
    }
}

/// The fields of the row that a query gives which [`wrap`] has made.
fn fields(subquery: &Query) -> Option<Vec<Expr>> {
    let SetExpr::Select(select) = subquery.body.as_ref() else { return None };
    let [TableWithJoins { relation: TableFactor::Derived { alias: Some(alias), .. }, .. }] = select.from.as_slice()
    else {
        return None;
    };
    let [SelectItem::ExprWithAlias { expr, .. }] = select.projection.as_slice() else { return None };
    if alias.name.value != RELATION { None } else { constructor(expr) }
}

/// `(a, b) op (SELECT ...)`: NULL where the query has no row.
pub(super) fn compared(expr: &mut Expr) -> Result<()> {
    let Expr::BinaryOp { left, op, right } = expr else { return Ok(()) };
    let Expr::Subquery(subquery) = right.as_ref() else { return Ok(()) };
    let (Some(row), Some(found)) = (constructor(left), fields(subquery)) else { return Ok(()) };
    let comparison = operators::row_comparison(&row, op, &found)?;
    let mut rows = subquery.as_ref().clone();
    if let SetExpr::Select(select) = rows.body.as_mut()
        && let [SelectItem::ExprWithAlias { expr, .. }] = select.projection.as_mut_slice()
    {
        *expr = comparison;
    }
    *expr = Expr::Subquery(Box::new(rows));
    Ok(())
}

/// `(a, b) op ANY (SELECT ...)` and ALL, with NULL where no row decides and one is neither. Whether it was one.
pub(super) fn quantified(expr: &mut Expr) -> Result<bool> {
    let (left, op, right, all) = match expr {
        Expr::AnyOp { left, compare_op, right, .. } => (left, compare_op.clone(), right, false),
        Expr::AllOp { left, compare_op, right } => (left, compare_op.clone(), right, true),
        _ => return Ok(false),
    };
    let Expr::Subquery(subquery) = right.as_ref() else { return Ok(false) };
    let (Some(row), Some(found)) = (constructor(left), fields(subquery)) else { return Ok(false) };
    let comparison = operators::row_comparison(&row, &op, &found)?;
    taken(left);
    let exists = |condition: Expr| {
        let mut rows = subquery.as_ref().clone();
        if let SetExpr::Select(select) = rows.body.as_mut() {
            select.projection = vec![SelectItem::ExprWithAlias { expr: literals::number(1), alias: quoted("one") }];
            select.selection = Some(condition);
        }
        Expr::Exists { subquery: Box::new(rows), negated: false }
    };
    let decides = match all {
        true => Expr::UnaryOp { op: sqlparser::ast::UnaryOperator::Not, expr: Box::new(comparison.clone()) },
        false => comparison.clone(),
    };
    let when = |condition: Expr, result: Value| CaseWhen { condition, result: Expr::value(result) };
    *expr = Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![
            when(exists(decides), Value::Boolean(!all)),
            when(exists(Expr::IsNull(Box::new(comparison))), Value::Null),
        ],
        else_result: Some(Box::new(Expr::value(Value::Boolean(all)))),
    };
    Ok(true)
}
