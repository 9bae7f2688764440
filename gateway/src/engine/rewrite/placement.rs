//! Refuses aggregate and window functions where no group or window of rows exists yet.
//!
//! Owns: PostgreSQL's `check_agglevels_and_constraints` (42803) and `transformWindowFuncCall` (42P20). Must never know:
//! what a function computes.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, GroupByExpr, Ident, JoinConstraint, LimitClause, Query, Select,
    SelectItem, SetExpr, TableFactor, Visit, Visitor,
};

use super::relations::constraint_of;
use super::{Names, folded, located};
use crate::error::{Error, Result, SqlState};

/// Checks every query of the query.
pub(super) fn check(query: &Query, names: &dyn Names) -> Result<()> {
    match query.visit(&mut Queries { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Checks a list that stands for one row at a time, as that of RETURNING.
pub(super) fn check_values(list: &[SelectItem], clause: &'static str, names: &dyn Names) -> Result<()> {
    let queries = Queries { names };
    for item in list {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
            && let ControlFlow::Break(error) = queries.place(expr, Some(clause), Some(clause))
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Whether a call stands for many rows: an aggregate, not over a window.
pub(super) fn is_aggregate(function: &Function, names: &dyn Names) -> bool {
    function.over.is_none() && last(function).is_some_and(|name| names.is_aggregate(&folded(name)))
}

fn last(function: &Function) -> Option<&Ident> {
    function.name.0.last().and_then(|part| part.as_ident())
}

struct Queries<'n> {
    names: &'n dyn Names,
}

impl Visitor for Queries<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        if let SetExpr::Values(values) = query.body.as_ref() {
            for expr in values.rows.iter().flat_map(|row| row.content.iter()) {
                self.place(expr, Some("VALUES"), Some("VALUES"))?;
            }
        }
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            for (expr, clause) in [(limit.as_ref(), "LIMIT"), (offset.as_ref().map(|offset| &offset.value), "OFFSET")] {
                if let Some(expr) = expr {
                    self.place(expr, Some(clause), Some(clause))?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.place(expr, None, None)?;
            }
        }
        for join in select.from.iter().flat_map(|item| item.joins.iter()) {
            if let Some(JoinConstraint::On(expr)) = constraint_of(&join.join_operator) {
                self.place(expr, Some("JOIN conditions"), Some("JOIN conditions"))?;
            }
        }
        if let Some(expr) = &select.selection {
            self.place(expr, Some("WHERE"), Some("WHERE"))?;
        }
        if let GroupByExpr::Expressions(exprs, _) = &select.group_by {
            for expr in exprs {
                self.place(expr, Some("GROUP BY"), Some("GROUP BY"))?;
            }
        }
        match &select.having {
            Some(expr) => self.place(expr, None, Some("HAVING")),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        let args = match factor {
            TableFactor::Function { args, .. } => args.as_slice(),
            TableFactor::Table { args: Some(args), .. } => args.args.as_slice(),
            _ => &[],
        };
        for arg in args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg {
                self.place(expr, Some("functions in FROM"), Some("functions in FROM"))?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Queries<'_> {
    /// Checks an expression that stands where the named clauses have no aggregates and no windows.
    fn place(&self, expr: &Expr, no_aggregates: Clause, no_windows: Clause) -> ControlFlow<Error> {
        let names = self.names;
        expr.visit(&mut Calls { names, no_aggregates, no_windows, queries: 0, open: Vec::new() })
    }
}

/// The name of a clause that refuses.
type Clause = Option<&'static str>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Aggregate,
    Window,
}

/// The calls of one expression; subqueries in it are looked at on their own.
struct Calls<'n> {
    names: &'n dyn Names,
    no_aggregates: Clause,
    no_windows: Clause,
    queries: usize,
    /// The calls around the place.
    open: Vec<Kind>,
}

impl Calls<'_> {
    fn kind(&self, expr: &Expr) -> Option<Kind> {
        match expr {
            Expr::Function(function) if function.over.is_some() => Some(Kind::Window),
            Expr::Function(function) if is_aggregate(function, self.names) => Some(Kind::Aggregate),
            _ => None,
        }
    }

    fn refusal(&self, kind: Kind) -> Option<(SqlState, String)> {
        let within = |kind| self.open.contains(&kind);
        let (state, message) = match (kind, self.no_aggregates, self.no_windows) {
            (Kind::Aggregate, Some(clause), _) => {
                (SqlState::GroupingError, format!("aggregate functions are not allowed in {clause}"))
            }
            (Kind::Window, _, Some(clause)) => {
                (SqlState::WindowingError, format!("window functions are not allowed in {clause}"))
            }
            (Kind::Aggregate, ..) if within(Kind::Aggregate) => {
                (SqlState::GroupingError, "aggregate function calls cannot be nested".to_owned())
            }
            (Kind::Window, ..) if within(Kind::Aggregate) => {
                let message = "aggregate function calls cannot contain window function calls";
                (SqlState::GroupingError, message.to_owned())
            }
            (Kind::Window, ..) if within(Kind::Window) => {
                (SqlState::WindowingError, "window function calls cannot be nested".to_owned())
            }
            _ => return None,
        };
        Some((state, message))
    }
}

impl Visitor for Calls<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        if self.queries > 0 {
            return ControlFlow::Continue(());
        }
        let Some(kind) = self.kind(expr) else { return ControlFlow::Continue(()) };
        if let Some((state, message)) = self.refusal(kind)
            && let Expr::Function(function) = expr
        {
            let error = Error::new(state, message);
            return ControlFlow::Break(match last(function) {
                Some(name) => located(error, name.span, self.names),
                None => error,
            });
        }
        self.open.push(kind);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        if self.queries == 0 && self.kind(expr).is_some() {
            self.open.pop();
        }
        ControlFlow::Continue(())
    }
}
