//! Arrays: `ARRAY(SELECT ...)`, `= ANY (...)`, `<> ALL (...)`.
//!
//! Owns: quantified comparisons with lists. Must never know: element types.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    OrderByExpr, OrderByKind, Query, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, Value,
};

use super::expand::{call, select};
use super::from_functions::query;
use super::literals::{self, Element, elements, number, string};
use super::syntax::taken;
use super::{folded, quoted, row_queries};
use crate::error::{Error, Result};

const RELATION: &str = "array_query";

/// `ARRAY(SELECT x FROM t ORDER BY y)` is the aggregate of its rows, in their order.
pub(super) fn from_subquery(expr: &mut Expr) -> Result<()> {
    let Expr::Function(Function { name, args: FunctionArguments::Subquery(subquery), .. }) = expr else {
        return Ok(());
    };
    if name.0.last().and_then(|part| part.as_ident()).map(folded).as_deref() != Some("array") {
        return Err(Error::unsupported(format!("{name} with a subquery as its argument is not supported")));
    }
    let mut inner = subquery.as_ref().clone();
    let column = first_column(&mut inner)?;
    let order = order_columns(&mut inner, &column);
    let reference = |name: &str| Expr::CompoundIdentifier(vec![quoted(RELATION), quoted(name)]);
    let mut aggregate = call("array_agg", vec![reference(&column)]);
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut aggregate
        && !order.is_empty()
    {
        let keys = order.into_iter().map(|(name, by)| OrderByExpr { expr: reference(&name), ..by }).collect();
        list.clauses.push(FunctionArgumentClause::OrderBy(keys));
    }
    let alias = TableAlias { explicit: true, name: quoted(RELATION), columns: Vec::new(), at: None };
    let relation = TableFactor::Derived { lateral: false, subquery: Box::new(inner), alias: Some(alias), sample: None };
    let item = SelectItem::ExprWithAlias { expr: aggregate, alias: quoted("array") };
    let from = vec![TableWithJoins { relation, joins: Vec::new() }];
    // No rows are an empty array, but the aggregate of none is NULL.
    let rows = Expr::Subquery(Box::new(query(select(vec![item], from))));
    *expr = call("coalesce", vec![rows, literals::array(Vec::new())]);
    Ok(())
}

/// The name of the one column, which the rewrite of names has made sure of.
fn first_column(query: &mut Query) -> Result<String> {
    let mut body = query.body.as_mut();
    loop {
        match body {
            SetExpr::Select(select) => {
                return match select.projection.as_slice() {
                    [SelectItem::ExprWithAlias { alias, .. }] => Ok(alias.value.clone()),
                    [SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts))] => {
                        Ok(parts.last().map(|part| part.value.clone()).unwrap_or_default())
                    }
                    [SelectItem::UnnamedExpr(Expr::Identifier(ident))] => Ok(folded(ident)),
                    [SelectItem::UnnamedExpr(_)] => Err(Error::unsupported("ARRAY of this query is not supported")),
                    _ => Err(Error::new(crate::error::SqlState::SyntaxError, "subquery must return only one column")),
                };
            }
            SetExpr::Query(query) => body = &mut query.body,
            SetExpr::SetOperation { left, .. } => body = left,
            _ => return Ok("column1".to_owned()),
        }
    }
}

/// Moves the ORDER BY of a query without a limit out of it: columns of the query that carry the keys.
fn order_columns(query: &mut Query, column: &str) -> Vec<(String, OrderByExpr)> {
    let Some(order_by) = &query.order_by else { return Vec::new() };
    let OrderByKind::Expressions(keys) = &order_by.kind else { return Vec::new() };
    let keys = keys.clone();
    let distinct = matches!(query.body.as_ref(), SetExpr::Select(select) if select.distinct.is_some());
    let mut columns = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        let is_column = key.expr == number(1) || key.expr == Expr::Identifier(quoted(column));
        let name = match query.body.as_mut() {
            _ if is_column => column.to_owned(),
            SetExpr::Select(select) if !distinct => {
                let name = format!("array_order:{index}");
                let item = SelectItem::ExprWithAlias { expr: key.expr.clone(), alias: quoted(&name) };
                select.projection.push(item);
                name
            }
            _ => return Vec::new(),
        };
        columns.push((name, key));
    }
    if query.limit_clause.is_none() {
        query.order_by = None;
    }
    columns
}

/// `x = ANY (list)` is IN, `x <> ALL (list)` NOT IN, wherever the list is written out.
pub(super) fn quantified(expr: &mut Expr) -> Result<()> {
    if row_queries::quantified(expr)? {
        return Ok(());
    }
    let (left, op, right, all) = match expr {
        Expr::AnyOp { left, compare_op, right, .. } => (left, compare_op.clone(), right, false),
        Expr::AllOp { left, compare_op, right } => (left, compare_op.clone(), right, true),
        _ => return Ok(()),
    };
    let is_in = (!all && op == BinaryOperator::Eq) || (all && op == BinaryOperator::NotEq);
    let matches = pattern_operator(&op);
    if let (Some(_), Expr::Subquery(subquery)) = (matches, right.as_ref()) {
        **right = array_of(subquery.as_ref().clone());
        from_subquery(right)?;
    }
    if let Expr::Subquery(subquery) = right.as_ref() {
        if is_in {
            let subquery = subquery.clone();
            *expr = Expr::InSubquery { expr: Box::new(taken(left)), subquery, negated: all };
        }
        return Ok(());
    }
    let Some(list) = list(right)? else {
        // The parser keeps the parentheses, which the planner does not look through.
        let inner = unnested(taken(right));
        match matches {
            Some(symbol) => {
                let name = if all { "lakegate_matches_all" } else { "lakegate_matches_any" };
                *expr = call(name, vec![taken(left), inner, string(symbol)]);
            }
            None => **right = inner,
        }
        return Ok(());
    };
    let left = taken(left);
    *expr = match (is_in, list.is_empty()) {
        (_, true) => Expr::value(Value::Boolean(all)),
        (true, false) => Expr::InList { expr: Box::new(left), list, negated: all },
        (false, false) => {
            let join = if all { BinaryOperator::And } else { BinaryOperator::Or };
            chain(list.into_iter().map(|item| binary(left.clone(), op.clone(), item)), join)
        }
    };
    Ok(())
}

/// The symbol of an operator that matches a text with a pattern.
fn pattern_operator(op: &BinaryOperator) -> Option<&'static str> {
    Some(match op {
        BinaryOperator::PGLikeMatch => "~~",
        BinaryOperator::PGNotLikeMatch => "!~~",
        BinaryOperator::PGILikeMatch => "~~*",
        BinaryOperator::PGNotILikeMatch => "!~~*",
        BinaryOperator::PGRegexMatch => "~",
        BinaryOperator::PGRegexNotMatch => "!~",
        BinaryOperator::PGRegexIMatch => "~*",
        BinaryOperator::PGRegexNotIMatch => "!~*",
        _ => return None,
    })
}

/// `ARRAY(query)`, as it would be written.
fn array_of(query: Query) -> Expr {
    let mut array = call("array", Vec::new());
    if let Expr::Function(function) = &mut array {
        function.args = FunctionArguments::Subquery(Box::new(query));
    }
    array
}

fn unnested(expr: Expr) -> Expr {
    match expr {
        Expr::Nested(inner) => unnested(*inner),
        other => other,
    }
}

/// The items of a list that is written out, as `ARRAY[...]` or as an array literal.
pub(super) fn list(expr: &Expr) -> Result<Option<Vec<Expr>>> {
    match expr {
        Expr::Array(array) => flat(array.elem.clone()),
        Expr::Tuple(items) => Ok(Some(items.clone())),
        Expr::Function(function) if function.name.to_string() == "make_array" => flat(arguments(function)),
        Expr::Nested(inner) => list(inner),
        Expr::Cast { expr: inner, data_type: sqlparser::ast::DataType::Array(_), .. }
            if matches!(inner.as_ref(), Expr::Array(_) | Expr::Function(_)) =>
        {
            list(inner)
        }
        other => literals::text(other).map(|text| Ok(items(&leaves(elements(&text)?)))).transpose(),
    }
}

/// The items of every dimension; `None` where one is an array that is not written out.
fn flat(items: Vec<Expr>) -> Result<Option<Vec<Expr>>> {
    let is_array = |item: &Expr| match item {
        Expr::Array(_) => true,
        Expr::Function(function) => function.name.to_string() == "make_array",
        _ => false,
    };
    if !items.iter().any(is_array) {
        return Ok(Some(items));
    }
    let parts = items.iter().map(list).collect::<Result<Option<Vec<_>>>>()?;
    Ok(parts.map(|parts| parts.concat()))
}

fn leaves(elements: Vec<Element>) -> Vec<Element> {
    let of = |element| match element {
        Element::Array(inner) => leaves(inner),
        leaf => vec![leaf],
    };
    elements.into_iter().flat_map(of).collect()
}

/// The type of the elements is that of the other side; numbers are written as numbers to meet it.
fn items(elements: &[Element]) -> Vec<Expr> {
    let number = |text: &str| text.parse::<i64>().is_ok();
    let numbers = elements.iter().all(|element| match element {
        Element::Text(text) => number(text),
        Element::Null => true,
        Element::Array(_) => false,
    });
    elements
        .iter()
        .map(|element| match element {
            Element::Text(text) if numbers => literals::number(text),
            Element::Text(text) => string(text),
            Element::Null => Expr::value(Value::Null),
            nested @ Element::Array(_) => nested.expr(&|leaf| leaf),
        })
        .collect()
}

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// The items joined by AND or OR, in parentheses.
pub(super) fn chain(items: impl IntoIterator<Item = Expr>, op: BinaryOperator) -> Expr {
    let joined = items.into_iter().reduce(|left, right| binary(left, op.clone(), right));
    Expr::Nested(Box::new(joined.unwrap_or_else(|| Expr::value(Value::Boolean(op == BinaryOperator::And)))))
}

/// The argument expressions of a call.
pub(super) fn arguments(function: &Function) -> Vec<Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let plain = list.args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    plain.collect()
}
