//! `lag(x, n, default)` and `lead(x, n, default)` whose default is a value of the row: the planner takes constants alone.
//!
//! Owns: that the default stands where there is no such row, and not where its value is NULL. Must never know: columns.
//! <https://www.postgresql.org/docs/15/functions-window.html>

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Select, SelectItem, VisitMut,
    VisitorMut, visit_expressions,
};

use super::{folded, literals, quoted};

pub(super) fn rewrite(query: &mut Query) {
    let _ = query.visit(&mut Calls);
}

struct Calls;

impl VisitorMut for Calls {
    type Break = ();

    /// The column is called after the function all the same.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(Expr::Function(function)) = item
                && let Some(name) = name(function)
                && is_computed(function)
            {
                *item = SelectItem::ExprWithAlias { expr: Expr::Function(function.clone()), alias: quoted(&name) };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && is_computed(function)
            && let Some(said) = said(function)
        {
            *expr = said;
        }
        ControlFlow::Continue(())
    }
}

/// `CASE WHEN lag(1, n) OVER w IS NULL THEN default ELSE lag(x, n) OVER w END`
fn said(function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let [value, offset, FunctionArg::Unnamed(FunctionArgExpr::Expr(default))] = list.args.as_slice() else {
        return None;
    };
    let of = |value: FunctionArg| {
        let mut call = function.clone();
        if let FunctionArguments::List(list) = &mut call.args {
            list.args = vec![value, offset.clone()];
        }
        Box::new(Expr::Function(call))
    };
    let one = FunctionArg::Unnamed(FunctionArgExpr::Expr(literals::number(1)));
    let is_there_none = CaseWhen { condition: Expr::IsNull(of(one)), result: default.clone() };
    Some(Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![is_there_none],
        else_result: Some(of(value.clone())),
    })
}

fn name(function: &Function) -> Option<String> {
    match function.name.0.as_slice() {
        [name] => name.as_ident().map(folded).filter(|name| matches!(name.as_str(), "lag" | "lead")),
        _ => None,
    }
}

/// Whether it is one of both, with a default that reads the row.
fn is_computed(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else { return false };
    let [_, _, FunctionArg::Unnamed(FunctionArgExpr::Expr(default))] = list.args.as_slice() else { return false };
    name(function).is_some() && function.over.is_some() && reads_the_row(default)
}

fn reads_the_row(expr: &Expr) -> bool {
    let read = visit_expressions(expr, |expr| match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    read.is_break()
}
