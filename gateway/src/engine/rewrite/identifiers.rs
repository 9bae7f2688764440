//! Gives every name the one meaning that PostgreSQL gives it, and writes that meaning down exactly.
//!
//! Owns: scopes of queries, WITH queries, FROM items. Must never know: a plan.
//! Unquoted names match case-insensitively when unambiguous, quoted ones exactly. A name that nothing in sight has is
//! left alone: the planner reports it.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::rc::Rc;

use sqlparser::ast::{
    Expr, GroupByExpr, Ident, LimitClause, ObjectName, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, VisitMut, With,
};
use sqlparser::tokenizer::Span;

use super::in_scope::InScope;
use super::relations::{alias_columns, aliased};
use super::scope::{Column, Columns, Scope, best};
use super::{
    Names, expand, folded, grouping, having, located, output_names, quoted, row_limits, rows, set_operations, sorting,
};
use crate::error::{Error, Result, SqlState};

/// The WITH queries in sight.
pub(super) type Ctes = Rc<HashMap<String, Cte>>;

/// A WITH query, under the name that it is planned under: the planner knows each name once.
#[derive(Clone)]
pub(super) struct Cte {
    pub(super) planned: String,
    pub(super) columns: Columns,
}

/// Resolves every name of the query; gives its result columns.
pub(super) fn rewrite(query: &mut Query, names: &dyn Names) -> Result<Columns> {
    Resolver { names }.query(query, None, &Ctes::default())
}

/// The clauses of a query that see the names of its SELECT.
#[derive(Default)]
struct Around<'q> {
    order_by: Vec<&'q mut Expr>,
    /// What LIMIT and OFFSET count.
    counts: Vec<(&'static str, &'q Expr)>,
}

pub(super) struct Resolver<'n> {
    pub(super) names: &'n dyn Names,
}

impl Resolver<'_> {
    pub(super) fn query(&self, query: &mut Query, outer: Option<&Scope<'_>>, ctes: &Ctes) -> Result<Columns> {
        let ctes = match &mut query.with {
            Some(with) => self.with(with, outer, ctes)?,
            None => Rc::clone(ctes),
        };
        let columns = self.body(query, outer, &ctes)?;
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
            // What a subquery counts is of no row of this query.
            let scope = Scope { outer, ..Scope::default() };
            for count in limit.iter_mut().chain(offset.iter_mut().map(|offset| &mut offset.value)) {
                self.expr(count, &scope, &ctes)?;
                row_limits::count_whole(count);
            }
        }
        Ok(columns)
    }

    fn body(&self, query: &mut Query, outer: Option<&Scope<'_>>, ctes: &Ctes) -> Result<Columns> {
        let order_by = match query.order_by.as_mut().map(|order_by| &mut order_by.kind) {
            Some(OrderByKind::Expressions(exprs)) => exprs.iter_mut().map(|order| &mut order.expr).collect(),
            _ => Vec::new(),
        };
        match query.body.as_mut() {
            SetExpr::Select(select) => {
                let around = Around { order_by, counts: row_limits::counts(query.limit_clause.as_ref()) };
                self.select(select, around, outer, ctes)
            }
            body => {
                let columns = self.set_expr(body, outer, ctes)?;
                for expr in order_by {
                    self.output_reference(expr, columns.as_deref())?;
                    if let (SetExpr::SetOperation { .. } | SetExpr::Select(_), Some(columns)) = (&*body, &columns) {
                        sorting::of_set_operation(expr, columns, self.names)?;
                    }
                }
                Ok(columns)
            }
        }
    }

    fn with(&self, with: &mut With, outer: Option<&Scope<'_>>, ctes: &Ctes) -> Result<Ctes> {
        let mut known: HashMap<String, Cte> = ctes.as_ref().clone();
        let mut own: HashSet<String> = HashSet::new();
        for cte in &mut with.cte_tables {
            let name = folded(&cte.alias.name);
            if !own.insert(name.clone()) {
                let message = format!("WITH query name \"{name}\" specified more than once");
                let error = Error::new(SqlState::DuplicateAlias, message);
                return Err(located(error, cte.alias.name.span, self.names));
            }
            let mut planned = name.clone();
            while known.values().any(|other| other.planned == planned) {
                planned.push('_');
            }
            if with.recursive {
                let columns = match cte.alias.columns.as_slice() {
                    [] => self.first_branch(&cte.query, outer, &known, &name)?,
                    columns => Some(alias_columns(columns)),
                };
                known.insert(name.clone(), Cte { planned: planned.clone(), columns });
            }
            let columns = self.query(&mut cte.query, outer, &Rc::new(known.clone()))?;
            let columns = aliased(columns, &mut cte.alias);
            if planned != name {
                cte.alias.name = quoted(&planned);
            }
            known.insert(name, Cte { planned, columns });
        }
        Ok(Rc::new(known))
    }

    /// The columns of a recursive query, which its first branch decides, without touching it.
    fn first_branch(
        &self,
        query: &Query,
        outer: Option<&Scope<'_>>,
        known: &HashMap<String, Cte>,
        name: &str,
    ) -> Result<Columns> {
        let SetExpr::SetOperation { left, .. } = query.body.as_ref() else { return Ok(None) };
        let mut known = known.clone();
        known.insert(name.to_owned(), Cte { planned: name.to_owned(), columns: None });
        let columns = self.set_expr(&mut left.clone(), outer, &Rc::new(known))?;
        Ok(columns.map(|columns| columns.into_iter().map(|column| Column::plain(column.planned)).collect()))
    }

    fn set_expr(&self, body: &mut SetExpr, outer: Option<&Scope<'_>>, ctes: &Ctes) -> Result<Columns> {
        match body {
            SetExpr::Select(select) => self.select(select, Around::default(), outer, ctes),
            SetExpr::Query(query) => self.query(query, outer, ctes),
            SetExpr::SetOperation { op, left, right, .. } => {
                let columns = self.set_expr(left, outer, ctes)?;
                let others = self.set_expr(right, outer, ctes)?;
                let widths = (columns.as_ref().map(Vec::len), others.map(|others| others.len()));
                set_operations::check(*op, widths, right, self.names)?;
                if let Some(columns) = &columns {
                    set_operations::count_copies(body, columns);
                }
                Ok(columns)
            }
            SetExpr::Values(values) => {
                let scope = Scope { outer, ..Scope::default() };
                let width = values.rows.first().map_or(0, |row| row.content.len());
                for expr in values.rows.iter_mut().flat_map(|row| row.content.iter_mut()) {
                    self.expr(expr, &scope, ctes)?;
                }
                Ok(Some((1..=width).map(|at| Column::plain(format!("column{at}"))).collect()))
            }
            SetExpr::Table(table) => {
                let parts = [table.schema_name.as_ref(), table.table_name.as_ref()];
                let parts: Vec<Ident> = parts.into_iter().flatten().map(|part| Ident::new(part.as_str())).collect();
                *body = SetExpr::Select(Box::new(expand::select_all(ObjectName::from(parts))));
                self.set_expr(body, outer, ctes)
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(Error::unsupported("data-modifying statements inside a query are not supported"))
            }
        }
    }

    fn select(
        &self,
        select: &mut Select,
        around: Around<'_>,
        outer: Option<&Scope<'_>>,
        ctes: &Ctes,
    ) -> Result<Columns> {
        let mut scope = Scope { outer, ..Scope::default() };
        for item in &mut select.from {
            self.table_with_joins(item, &mut scope, ctes)?;
        }
        for item in &mut select.projection {
            expand::keep_merged_name(item, &scope);
            rows::keep_name(item, &scope)?;
            rows::read_every_field(item);
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(row), _) = item {
                self.expr(row, &scope, ctes)?;
            }
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.expr(expr, &scope, ctes)?;
            }
        }
        expand::wildcards(select, &scope, self.names)?;
        let columns = output_names::name(&mut select.projection, &scope)?;
        for expr in [&mut select.selection, &mut select.having, &mut select.qualify].into_iter().flatten() {
            self.expr(expr, &scope, ctes)?;
        }
        if let (Some(having), Some(columns)) = (&select.having, columns.as_deref()) {
            having::check(having, columns, &scope, self.names)?;
        }
        if let GroupByExpr::Expressions(exprs, _) = &mut select.group_by {
            for expr in exprs {
                self.group_by(expr, &scope, columns.as_deref(), ctes)?;
            }
        }
        if let Some(sqlparser::ast::Distinct::On(exprs)) = &mut select.distinct {
            for expr in exprs {
                self.order_by(expr, &scope, columns.as_deref(), ctes)?;
                self.position(expr, "SELECT DISTINCT ON", columns.as_deref())?;
                output_to_input(expr, &select.projection);
            }
        }
        let is_distinct_on = matches!(select.distinct, Some(sqlparser::ast::Distinct::On(_)));
        let sortable = columns.as_deref().map(|columns| output_names::distinct(columns, &select.projection));
        let Around { mut order_by, counts } = around;
        for (clause, count) in counts {
            let mut resolved = count.clone();
            self.expr(&mut resolved, &scope, ctes)?;
            row_limits::check(clause, &resolved, &scope, self.names)?;
        }
        for expr in &mut order_by {
            self.order_by(expr, &scope, sortable.as_deref(), ctes)?;
            self.position(expr, "ORDER BY", columns.as_deref())?;
            if is_distinct_on && matches!(expr, Expr::Value(_)) {
                output_to_input(expr, &select.projection);
            }
            if !matches!(expr, Expr::Identifier(_) | Expr::Value(_)) {
                output_names::refer(expr, &select.projection);
            }
        }
        if columns.is_some() {
            grouping::check(select, &order_by, &scope, self.names)?;
            sorting::check(select, &order_by, self.names)?;
            sorting::align(select, &order_by);
        }
        Ok(columns)
    }

    /// Refuses a position that the select list does not have.
    fn position(&self, expr: &Expr, clause: &str, columns: Option<&[Column]>) -> Result<()> {
        columns.map_or(Ok(()), |columns| sorting::position(expr, clause, columns.len(), self.names))
    }

    /// GROUP BY prefers input columns over output names.
    fn group_by(&self, expr: &mut Expr, scope: &Scope<'_>, output: Option<&[Column]>, ctes: &Ctes) -> Result<()> {
        if let Expr::Identifier(ident) = expr {
            if let Some(input) = scope.own_column(ident)? {
                *expr = input;
                return Ok(());
            }
            let before = expr.clone();
            self.output_reference(expr, output)?;
            // What is neither a column nor an output name may be the row of a relation.
            return if *expr == before { self.expr(expr, scope, ctes) } else { Ok(()) };
        }
        self.position(expr, "GROUP BY", output)?;
        self.expr(expr, scope, ctes)
    }

    /// ORDER BY prefers output names over input columns, but only for a name that stands alone.
    fn order_by(&self, expr: &mut Expr, scope: &Scope<'_>, output: Option<&[Column]>, ctes: &Ctes) -> Result<()> {
        if let Expr::Identifier(_) = expr {
            let before = expr.clone();
            self.output_reference(expr, output)?;
            if *expr != before {
                return Ok(());
            }
        }
        self.expr(expr, scope, ctes)
    }

    /// Replaces a lone name that is an output column by the name under which that column is planned.
    fn output_reference(&self, expr: &mut Expr, output: Option<&[Column]>) -> Result<()> {
        let (Expr::Identifier(ident), Some(output)) = (&*expr, output) else { return Ok(()) };
        let found = best(ident, output.iter().map(|column| (column.name.as_str(), column)).collect());
        let Some(first) = found.first() else { return Ok(()) };
        if found.iter().any(|column| column.planned != first.planned) {
            let message = format!("ORDER BY \"{}\" is ambiguous", ident.value);
            return Err(located(Error::new(SqlState::AmbiguousColumn, message), ident.span, self.names));
        }
        *expr = Expr::Identifier(quoted(&first.planned));
        Ok(())
    }

    pub(super) fn expr(&self, expr: &mut Expr, scope: &Scope<'_>, ctes: &Ctes) -> Result<()> {
        broken(expr.visit(&mut InScope::new(self, scope, ctes)))
    }

    pub(super) fn name(&self, expr: &mut Expr, scope: &Scope<'_>) -> Result<()> {
        let resolved = match &*expr {
            Expr::CompoundIdentifier(parts) if parts.last().is_some_and(rows::is_every_field) => {
                let Some((_, relation)) = parts.split_last() else { return Ok(()) };
                let row = rows::of_relation(relation, scope)?;
                *expr = row.ok_or_else(|| self.missing_relation(relation, scope))?;
                return Ok(());
            }
            Expr::Identifier(ident) => scope.column(ident).map_err(|error| located(error, ident.span, self.names))?,
            Expr::CompoundIdentifier(parts) => {
                let parts = match parts.as_slice() {
                    [database, rest @ ..] if rest.len() == 3 && folded(database) == self.names.database() => rest,
                    all => all,
                };
                match parts.split_last() {
                    Some((ident, qualifier)) => {
                        let found = scope.qualified(qualifier, ident);
                        let found = found.map_err(|error| located(error, ident.span, self.names))?;
                        Some(found.ok_or_else(|| self.missing_relation(qualifier, scope))?)
                    }
                    None => None,
                }
            }
            _ => None,
        };
        if let Some(mut resolved) = resolved {
            if let (Some(at), Expr::CompoundIdentifier(parts)) = (start(expr), &mut resolved)
                && let Some(first) = parts.first_mut()
            {
                // What the planner and later checks say about the column is about this place.
                first.span = at;
            }
            *expr = resolved;
        }
        Ok(())
    }

    fn missing_relation(&self, qualifier: &[Ident], scope: &Scope<'_>) -> Error {
        let written = qualifier.iter().map(folded).collect::<Vec<_>>().join(".");
        let error = match scope.hidden(qualifier) {
            Some(alias) => {
                let message = format!("invalid reference to FROM-clause entry for table \"{written}\"");
                Error::new(SqlState::UndefinedTable, message)
                    .hint(format!("Perhaps you meant to reference the table alias \"{alias}\"."))
            }
            None => {
                let message = format!("missing FROM-clause entry for table \"{written}\"");
                Error::new(SqlState::UndefinedTable, message)
            }
        };
        match qualifier.first() {
            Some(first) => located(error, first.span, self.names),
            None => error,
        }
    }
}

/// Where a written name begins.
fn start(expr: &Expr) -> Option<Span> {
    match expr {
        Expr::Identifier(ident) => Some(ident.span),
        Expr::CompoundIdentifier(parts) => parts.first().map(|part| part.span),
        _ => None,
    }
}

/// DISTINCT ON sees input columns only; an output name or a position there means the expression behind it.
fn output_to_input(expr: &mut Expr, projection: &[SelectItem]) {
    *expr = sorting::meant(expr, projection).clone();
}

fn broken(flow: ControlFlow<Error>) -> Result<()> {
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}
