//! HAVING sees the columns of FROM, not those of the select list.
//!
//! Owns: 42703 for an output name there, which the planner would take. Must never know: types.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Visit, Visitor};

use super::scope::{Column, Scope};
use super::{Names, folded, located};
use crate::error::{Error, Result, SqlState};

/// Checks a condition whose names are resolved: a lone name that is left is none of a column.
pub(super) fn check(having: &Expr, output: &[Column], scope: &Scope<'_>, names: &dyn Names) -> Result<()> {
    if scope.relations.iter().any(|relation| relation.columns.is_none()) {
        return Ok(());
    }
    match having.visit(&mut Lone { output, names, queries: 0 }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Finds output names outside of subqueries.
struct Lone<'c> {
    output: &'c [Column],
    names: &'c dyn Names,
    queries: usize,
}

impl Visitor for Lone<'_> {
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
        let Expr::Identifier(ident) = expr else { return ControlFlow::Continue(()) };
        let name = folded(ident);
        if self.queries > 0 || !self.output.iter().any(|column| column.name == name) {
            return ControlFlow::Continue(());
        }
        let error = Error::new(SqlState::UndefinedColumn, format!("column \"{name}\" does not exist"));
        ControlFlow::Break(located(error, ident.span, self.names))
    }
}
