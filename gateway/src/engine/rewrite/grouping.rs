//! Refuses columns that a group of rows has many values of.
//!
//! Owns: PostgreSQL's `check_ungrouped_columns` (42803), on names that are resolved. Must never know: a plan.

use std::mem::{Discriminant, discriminant};
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, GroupByExpr, Query, Select, SelectItem, Visit, Visitor};

use super::placement::is_aggregate;
use super::scope::Scope;
use super::{Names, located};
use crate::error::{Error, Result, SqlState};

/// Checks a select list, HAVING and ORDER BY against GROUP BY.
pub(super) fn check(select: &Select, order_by: &[&mut Expr], scope: &Scope<'_>, names: &dyn Names) -> Result<()> {
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return Ok(()) };
    let mut grouped = Vec::new();
    for key in keys {
        flatten(key, &mut grouped);
    }
    let grouped: Vec<&Expr> = grouped.into_iter().map(|key| meant(key, select)).collect();
    let shown = || exprs(select).chain(order_by.iter().map(|expr| &**expr));
    let is_grouped = !keys.is_empty() || select.having.is_some() || shown().any(|expr| has_aggregate(expr, names));
    if !is_grouped || !modifiers.is_empty() {
        return Ok(());
    }
    let keys = grouped.into_iter().map(|key| (discriminant(key), key.to_string())).collect();
    let mut columns = Ungrouped { keys, scope, names, skipped: 0 };
    for expr in shown().chain(&select.having) {
        // A name alone in ORDER BY is an output column, which is checked where it is made.
        if matches!(expr, Expr::Identifier(_)) {
            continue;
        }
        if let ControlFlow::Break(error) = expr.visit(&mut columns) {
            return Err(error);
        }
    }
    Ok(())
}

fn exprs(select: &Select) -> impl Iterator<Item = &Expr> {
    select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    })
}

/// The expressions of GROUPING SETS, ROLLUP and CUBE too.
pub(super) fn flatten<'e>(key: &'e Expr, found: &mut Vec<&'e Expr>) {
    match key {
        Expr::GroupingSets(sets) | Expr::Rollup(sets) | Expr::Cube(sets) => {
            sets.iter().flatten().for_each(|key| flatten(key, found));
        }
        Expr::Tuple(keys) => keys.iter().for_each(|key| flatten(key, found)),
        Expr::Nested(inner) => flatten(inner, found),
        key => found.push(key),
    }
}

/// The select item that a position or an output name in GROUP BY means.
pub(super) fn meant<'s>(key: &'s Expr, select: &'s Select) -> &'s Expr {
    let item = match key {
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::Number(digits, _) => {
                digits.parse::<usize>().ok().and_then(|at| exprs(select).nth(at.saturating_sub(1)))
            }
            _ => None,
        },
        Expr::Identifier(ident) => select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if alias.value == ident.value => Some(expr),
            _ => None,
        }),
        _ => None,
    };
    bare(item.unwrap_or(key))
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        expr => expr,
    }
}

/// Whether the expression, subqueries apart, calls an aggregate.
fn has_aggregate(expr: &Expr, names: &dyn Names) -> bool {
    struct Find<'n>(&'n dyn Names, usize);
    impl Visitor for Find<'_> {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.1 += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.1 -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if self.1 == 0 && is_aggregate(function, self.0) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Find(names, 0)).is_break()
}

/// Finds the first column outside of aggregates and keys.
struct Ungrouped<'c, 's> {
    keys: Vec<(Discriminant<Expr>, String)>,
    scope: &'c Scope<'s>,
    names: &'c dyn Names,
    /// How many expressions around the place need no further look.
    skipped: usize,
}

impl Ungrouped<'_, '_> {
    fn is_key(&self, expr: &Expr) -> bool {
        let kind = discriminant(expr);
        let mut same = self.keys.iter().filter(|(other, _)| *other == kind).peekable();
        same.peek().is_some() && {
            let text = expr.to_string();
            same.any(|(_, key)| *key == text)
        }
    }

    fn is_settled(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Function(function) if is_aggregate(function, self.names) => true,
            // Queries inside have their own columns; ours in them are checked by the planner.
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => true,
            expr => self.is_key(expr),
        }
    }
}

impl Visitor for Ungrouped<'_, '_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        if self.skipped > 0 || self.is_settled(expr) {
            self.skipped += 1;
            return ControlFlow::Continue(());
        }
        let Expr::CompoundIdentifier(parts) = expr else { return ControlFlow::Continue(()) };
        let [relation, column] = parts.as_slice() else { return ControlFlow::Continue(()) };
        match self.scope.own(&relation.value, &column.value) {
            None => ControlFlow::Continue(()),
            Some((relation_name, name)) => {
                let message = format!(
                    "column \"{relation_name}.{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
                );
                let error = Error::new(SqlState::GroupingError, message);
                ControlFlow::Break(located(error, relation.span, self.names))
            }
        }
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        self.skipped = self.skipped.saturating_sub(1);
        ControlFlow::Continue(())
    }
}
