//! The names of one expression.
//!
//! Owns: the walk through it: what is a column, what is the row of a relation, where another query begins. Must never
//! know: what a name means; the scope does.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, VisitorMut};

use super::identifiers::{Ctes, Resolver};
use super::scope::Scope;
use super::{fields, rows, set_operations};
use crate::error::{Error, Result};

/// Resolves the names of one expression; subqueries in it open their own scopes.
pub(super) struct InScope<'r, 's> {
    resolver: &'r Resolver<'r>,
    scope: &'r Scope<'s>,
    ctes: &'r Ctes,
    nested: usize,
}

impl VisitorMut for InScope<'_, '_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if self.nested == 0
            && let Err(error) = self.resolver.query(query, Some(self.scope), self.ctes)
        {
            return ControlFlow::Break(error);
        }
        self.nested += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.nested -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if self.nested > 0 {
            return ControlFlow::Continue(());
        }
        if let Expr::CompoundFieldAccess { root, access_chain } = expr {
            if let Err(error) = fields::qualify(root, access_chain, self.scope) {
                return ControlFlow::Break(error);
            }
            fields::as_text(access_chain);
        }
        if let Expr::Function(function) = expr
            && let Err(error) = rows::spread(function, self.scope)
        {
            return ControlFlow::Break(error);
        }
        match self.resolver.name(expr, self.scope) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if self.nested == 0
            && let Err(error) = self.row(expr)
        {
            return ControlFlow::Break(error);
        }
        match set_operations::one_column(expr, self.resolver.names) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl<'r, 's> InScope<'r, 's> {
    pub(super) fn new(resolver: &'r Resolver<'r>, scope: &'r Scope<'s>, ctes: &'r Ctes) -> Self {
        Self { resolver, scope, ctes, nested: 0 }
    }

    /// A name that is no column may be that of a relation, and means its row.
    fn row(&self, expr: &mut Expr) -> Result<()> {
        if let Expr::Identifier(ident) = &*expr
            && let Some(row) = rows::of_relation(std::slice::from_ref(ident), self.scope)?
        {
            *expr = row;
        }
        rows::field(expr, self.scope)
    }
}
