//! `stats_agg(v) -> stddev('pop')`, `stddev(stats_agg(v))`: what is asked of summaries under the names of aggregates.
//!
//! Owns: which of these mean a function of a record. The planner knows functions by their names alone, and before types; a
//! call over a column whose name is that of an aggregate stays the aggregate. Must never know: what a summary tells.
//! <https://docs.timescale.com/api/latest/hyperfunctions/>

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Select, SelectItem, Value,
    VisitMut, VisitorMut,
};
use udfs::time::{Called, accessor};

use super::arrays::arguments;
use super::expand::call;
use super::{folded, quoted};

/// The aggregates that make summaries.
const SUMMARIES: &[&str] = &["percentile_agg", "rolling", "rollup", "stats_agg", "uddsketch"];

/// Says all of them as calls of their functions.
pub(super) fn rewrite(query: &mut Query) {
    let _ = query.visit(&mut Calls);
}

/// What a column is called that only calls a function for an aggregate's name.
pub(super) fn shown(function: &str) -> &str {
    function.strip_prefix("lakegate_summary_").unwrap_or(function)
}

struct Calls;

impl VisitorMut for Calls {
    type Break = ();

    /// An operator gives a column no name.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && arrow(expr).is_some()
            {
                let expr = std::mem::replace(expr, Expr::value(Value::Null));
                *item = SelectItem::ExprWithAlias { expr, alias: quoted("?column?") };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(said) = arrow(expr).or_else(|| of_aggregate(expr)) {
            *expr = said;
        }
        ControlFlow::Continue(())
    }
}

/// `summary -> name(argument)`.
fn arrow(expr: &Expr) -> Option<Expr> {
    let Expr::BinaryOp { left, op: BinaryOperator::Arrow, right } = expr else { return None };
    let Expr::Function(function) = right.as_ref() else { return None };
    let arguments = arguments(function);
    let called = accessor(&plain(function)?, arguments.len())?;
    Some(called_with(&called, left.as_ref().clone(), arguments))
}

/// `name(summary)`, where the name is an aggregate's and the argument can only be a summary.
fn of_aggregate(expr: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expr else { return None };
    let (name, mut arguments) = (plain(function)?, arguments(function));
    let called = accessor(&name, arguments.len().checked_sub(1)?).filter(|called| called.is_hidden)?;
    let at = if called.number_first { arguments.len() - 1 } else { 0 };
    // Of two arguments only approx_percentile is an aggregate, too.
    let is_sure = arguments.len() == 2 && !called.number_first;
    if !is_sure && !arguments.get(at).is_some_and(is_summary) {
        return None;
    }
    let record = arguments.remove(at);
    Some(called_with(&called, record, arguments))
}

fn called_with(called: &Called, record: Expr, mut arguments: Vec<Expr>) -> Expr {
    arguments.insert(if called.number_first { arguments.len() } else { 0 }, record);
    call(&called.function, arguments)
}

fn is_summary(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_summary(inner),
        Expr::Function(function) => name(function).is_some_and(|name| SUMMARIES.contains(&name.as_str())),
        _ => false,
    }
}

fn name(function: &Function) -> Option<String> {
    match function.name.0.as_slice() {
        [name] => name.as_ident().map(folded),
        _ => None,
    }
}

/// The name of a call of plain arguments without a clause of aggregates.
fn plain(function: &Function) -> Option<String> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let are_plain = list.args.iter().all(|arg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(_))));
    let has_clauses = function.filter.is_some()
        || function.over.is_some()
        || !function.within_group.is_empty()
        || !list.clauses.is_empty()
        || list.duplicate_treatment.is_some();
    if are_plain && !has_clauses { name(function) } else { None }
}
