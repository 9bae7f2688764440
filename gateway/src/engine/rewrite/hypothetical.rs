//! `rank(v) WITHIN GROUP (ORDER BY x)`: where a row that is not there would stand.
//!
//! Owns: `rank`, `dense_rank`, `percent_rank` and `cume_dist` of a hypothetical row, as counts of the rows that stand before
//! it. Must never know: types, which the comparisons settle.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html#FUNCTIONS-HYPOTHETICAL-TABLE>

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    OrderByExpr, Query, Select, SelectItem, VisitMut, VisitorMut,
};

use super::arrays::{arguments, binary, chain};
use super::expand::call;
use super::literals::number;
use super::{folded, quoted, types};
use crate::error::{Error, Result, SqlState};

const RANKS: &[&str] = &["cume_dist", "dense_rank", "percent_rank", "rank"];

/// Writes out every such aggregate.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    match query.visit(&mut Ranks) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Ranks;

impl VisitorMut for Ranks {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && let Some((name, _)) = rank(expr)
            {
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: quoted(&name) };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Some((name, function)) = rank(expr) else { return ControlFlow::Continue(()) };
        match counted(&name, function) {
            Ok(counts) => *expr = counts,
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// The call, if it is one of these functions with arguments or an order, and over no window.
fn rank(expr: &Expr) -> Option<(String, &Function)> {
    let Expr::Function(function) = expr else { return None };
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded)?;
    let is_aggregate =
        function.over.is_none() && (!function.within_group.is_empty() || !arguments(function).is_empty());
    (RANKS.contains(&name.as_str()) && is_aggregate).then_some((name, function))
}

fn counted(name: &str, function: &Function) -> Result<Expr> {
    let (row, order) = (arguments(function), &function.within_group);
    if order.is_empty() {
        let message = format!("WITHIN GROUP is required for ordered-set aggregate {name}");
        return Err(Error::new(SqlState::WrongObjectType, message));
    }
    if row.len() != order.len() {
        let types = vec!["unknown"; row.len() + order.len()].join(", ");
        let message = format!("function {name}({types}) does not exist");
        return Err(Error::new(SqlState::UndefinedFunction, message).hint(format!(
            "To use the hypothetical-set aggregate {name}, the number of hypothetical direct arguments must match the \
             number of ordering columns."
        )));
    }
    let count = |condition: Option<Expr>| {
        let all = [condition, function.filter.as_deref().cloned()].into_iter().flatten().reduce(and);
        aggregate("count", vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)], all)
    };
    let one_more = |count: Expr| nested(binary(count, BinaryOperator::Plus, number(1)));
    let float = |expr: Expr| types::cast(expr, DataType::DoublePrecision);
    let before = before(&row, order, None);
    Ok(match name {
        "rank" => one_more(count(Some(before))),
        "dense_rank" => one_more(distinct(order, [Some(before), function.filter.as_deref().cloned()])),
        "percent_rank" => {
            let rows = call("nullif", vec![count(None), number(0)]);
            let part = binary(float(count(Some(before))), BinaryOperator::Divide, rows);
            call("coalesce", vec![part, float(number(0))])
        }
        _ => {
            let at = self::before(&row, order, Some(Expr::value(sqlparser::ast::Value::Boolean(true))));
            nested(binary(float(one_more(count(Some(at)))), BinaryOperator::Divide, one_more(count(None))))
        }
    })
}

/// Whether a row of the group comes before the hypothetical one; what is true of a row that ties with it is `tied`.
fn before(row: &[Expr], order: &[OrderByExpr], tied: Option<Expr>) -> Expr {
    let mut all = tied;
    for (value, key) in row.iter().zip(order).rev() {
        let descends = key.options.asc == Some(false);
        let (is_null, is_not_null) =
            (|expr: &Expr| Expr::IsNull(Box::new(expr.clone())), |expr: &Expr| Expr::IsNotNull(Box::new(expr.clone())));
        let op = if descends { BinaryOperator::Gt } else { BinaryOperator::Lt };
        let by_value = binary(key.expr.clone(), op, value.clone());
        let by_null = match key.options.nulls_first.unwrap_or(descends) {
            true => and(is_null(&key.expr), is_not_null(value)),
            false => and(is_not_null(&key.expr), is_null(value)),
        };
        let first = chain([by_value, by_null], BinaryOperator::Or);
        all = Some(match all {
            None => first,
            Some(rest) => {
                let same = Expr::IsNotDistinctFrom(Box::new(key.expr.clone()), Box::new(value.clone()));
                chain([first, and(same, rest)], BinaryOperator::Or)
            }
        });
    }
    all.unwrap_or_else(|| Expr::value(sqlparser::ast::Value::Boolean(false)))
}

/// How many different keys meet the conditions; NULL is one of them.
fn distinct(order: &[OrderByExpr], conditions: [Option<Expr>; 2]) -> Expr {
    let keys = order.iter().map(|key| key.expr.clone()).collect();
    let row = call("row", keys);
    let all = conditions.into_iter().flatten().reduce(and);
    let mut count = aggregate("count", vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(row))], all);
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut count {
        list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
    }
    count
}

fn aggregate(name: &str, args: Vec<FunctionArg>, condition: Option<Expr>) -> Expr {
    let mut function = call(name, Vec::new());
    if let Expr::Function(Function { args: FunctionArguments::List(list), filter, .. }) = &mut function {
        list.args = args;
        *filter = condition.map(Box::new);
    }
    function
}

fn and(left: Expr, right: Expr) -> Expr {
    nested(binary(left, BinaryOperator::And, right))
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}
