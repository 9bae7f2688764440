//! Aggregates, window calls and keys of GROUP BY that the planner could not tell apart: its names leave casts out, so that
//! `sum(1)` and `sum(1::bigint)` were one column twice.
//!
//! Owns: which expressions of a query are alike but for casts, and the names that tell them apart. Must never know: types.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, OrderBy, Query, Select, SetExpr, VisitMut,
    VisitorMut, visit_expressions, visit_expressions_mut,
};

use super::expand::call;
use super::grouping::{flatten, meant};
use super::literals::string;
use super::placement::is_aggregate;
use super::syntax::taken;
use super::{Names, casts};

/// Tells them apart in every SELECT of the query.
pub(super) fn rewrite(query: &mut Query, names: &dyn Names) {
    let _ = query.visit(&mut Queries { names });
}

struct Queries<'n> {
    names: &'n dyn Names,
}

impl VisitorMut for Queries<'_> {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_mut() {
            keys(select, query.order_by.as_mut());
            calls(select, query.order_by.as_mut(), self.names);
        }
        ControlFlow::Continue(())
    }
}

/// Aggregates and window calls: their first argument names them.
fn calls(select: &mut Select, order_by: Option<&mut OrderBy>, names: &dyn Names) {
    let is_call = |expr: &Expr| matches!(expr, Expr::Function(function) if function.over.is_some() || is_aggregate(function, names));
    let mut found: Vec<Expr> = Vec::new();
    let mut collect = |expr: &Expr| {
        if is_call(expr) {
            found.push(expr.clone());
        }
        ControlFlow::<()>::Continue(())
    };
    let _ = visit_expressions(&select.projection, &mut collect);
    let _ = visit_expressions(&select.having, &mut collect);
    if let Some(order_by) = &order_by {
        let _ = visit_expressions(&**order_by, &mut collect);
    }
    let alike = alike(&found);
    if alike.is_empty() {
        return;
    }
    let mut name = Naming { is_meant: |expr: &Expr| is_call(expr) && alike.contains(&expr.to_string()) };
    let _ = select.projection.visit(&mut name);
    let _ = select.having.visit(&mut name);
    let _ = order_by.map(|order_by| order_by.visit(&mut name));
}

/// Names a call before its arguments are looked at: their own names would change its text.
struct Naming<F> {
    is_meant: F,
}

impl<F: Fn(&Expr) -> bool> VisitorMut for Naming<F> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if !(self.is_meant)(expr) {
            return ControlFlow::Continue(());
        }
        let name = expr.to_string();
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let FunctionArguments::List(list) = &mut function.args else { return ControlFlow::Continue(()) };
        if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))) = list.args.first_mut() {
            *arg = call(casts::NAMED, vec![taken(arg), string(name)]);
        }
        ControlFlow::Continue(())
    }
}

/// Keys of GROUP BY that are casts, wherever they are written.
fn keys(select: &mut Select, order_by: Option<&mut OrderBy>) {
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return };
    let mut written = Vec::new();
    for key in keys {
        flatten(key, &mut written);
    }
    let written: Vec<Expr> = written.into_iter().map(|key| meant(key, select).clone()).collect();
    let alike = alike(&written);
    let casts: HashSet<String> = written
        .iter()
        .filter(|key| !matches!(key, Expr::Value(_)) && bare(key) != **key)
        .map(ToString::to_string)
        .filter(|text| alike.contains(text))
        .collect();
    if casts.is_empty() {
        return;
    }
    let mut name = |expr: &mut Expr| {
        let text = expr.to_string();
        if casts.contains(&text) {
            *expr = call(casts::NAMED, vec![taken(expr), string(text)]);
        }
        ControlFlow::<()>::Continue(())
    };
    let _ = visit_expressions_mut(&mut select.projection, &mut name);
    let _ = visit_expressions_mut(&mut select.group_by, &mut name);
    let _ = visit_expressions_mut(&mut select.having, &mut name);
    let _ = order_by.map(|order_by| visit_expressions_mut(order_by, &mut name));
}

/// The texts of those that differ in casts only.
fn alike(exprs: &[Expr]) -> HashSet<String> {
    if exprs.len() < 2 {
        return HashSet::new();
    }
    let mut texts: HashMap<String, HashSet<String>> = HashMap::new();
    for expr in exprs {
        texts.entry(bare(expr).to_string()).or_default().insert(expr.to_string());
    }
    texts.into_values().filter(|texts| texts.len() > 1).flatten().collect()
}

/// The expression without its casts and parentheses.
fn bare(expr: &Expr) -> Expr {
    let mut bare = expr.clone();
    let _ = visit_expressions_mut(&mut bare, |expr| {
        while let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = expr {
            *expr = taken(inner);
        }
        ControlFlow::<()>::Continue(())
    });
    bare
}
