//! The names of result columns: PostgreSQL's for the client, unique ones for the planner.
//!
//! Owns: PostgreSQL's `FigureColname` (src/backend/parser/parse_target.c). Must never know: a plan.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{AccessExpr, Expr, Query, SelectItem, SetExpr, TrimWhereField, Value, visit_expressions};

use super::scope::{Column, Columns, Scope};
use super::{folded, quoted, rows, summaries, types};
use crate::error::Result;

/// Gives every item of a select list a unique name for the planner; `None` if a `*` is left in it.
pub(super) fn name(projection: &mut [SelectItem], scope: &Scope<'_>) -> Result<Columns> {
    let mut used: HashSet<String> = HashSet::new();
    let mut columns = Some(Vec::with_capacity(projection.len()));
    let taken = if projection.iter().any(is_unnested) { names_in_sight(scope) } else { HashSet::new() };
    for item in projection {
        let Some(name) = shown(item, scope) else {
            columns = None;
            continue;
        };
        // What is unnested is planned beside the columns that it is computed of, whose names it must not take.
        let is_column = matches!(item, SelectItem::UnnamedExpr(Expr::CompoundIdentifier(_)));
        let wanted = if taken.contains(&name) && !is_column { format!("{name}:computed") } else { name.clone() };
        let planned = unique(&wanted, &mut used);
        alias(item, &planned);
        if let Some(columns) = &mut columns {
            columns.push(Column { name, planned });
        }
    }
    Ok(columns)
}

/// Whether the item has a set-returning function, which the rewrite of FROM has made `unnest` of.
fn is_unnested(item: &SelectItem) -> bool {
    let found = visit_expressions(item, |expr| match expr {
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("unnest") => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

fn names_in_sight(scope: &Scope<'_>) -> HashSet<String> {
    let columns = scope.relations.iter().flat_map(|relation| relation.columns.iter().flatten());
    columns.map(|column| column.planned.clone()).collect()
}

/// PostgreSQL's name of the item.
fn shown(item: &SelectItem, scope: &Scope<'_>) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        SelectItem::UnnamedExpr(expr) => {
            let figured = figure(expr, scope);
            Some(figured.map_or_else(|| "?column?".to_owned(), |(name, _)| name))
        }
        SelectItem::ExprWithAliases { .. } | SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => None,
    }
}

fn unique(name: &str, used: &mut HashSet<String>) -> String {
    let mut planned = name.to_owned();
    let mut count = 0;
    while !used.insert(planned.clone()) {
        count += 1;
        planned = format!("{name}:{count}");
    }
    planned
}

/// A plain column that is planned under its own name needs no alias.
fn alias(item: &mut SelectItem, planned: &str) {
    let expr = match item {
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts))
            if parts.last().is_some_and(|part| part.value == planned) =>
        {
            return;
        }
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => expr,
        _ => return,
    };
    let expr = std::mem::replace(expr, Expr::value(Value::Null));
    *item = SelectItem::ExprWithAlias { expr, alias: quoted(planned) };
}

/// The columns that ORDER BY may name: of two under one name with one expression, the first.
pub(super) fn distinct(columns: &[Column], projection: &[SelectItem]) -> Vec<Column> {
    let text = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => expr.to_string(),
        other => other.to_string(),
    };
    let mut seen = HashSet::new();
    let items = columns.iter().zip(projection);
    items
        .filter(|(column, item)| seen.insert((column.name.clone(), text(item))))
        .map(|(column, _)| column.clone())
        .collect()
}

/// Replaces an ORDER BY expression that is a select item by a reference to that item, as PostgreSQL matches them.
pub(super) fn refer(expr: &mut Expr, projection: &[SelectItem]) {
    let text = expr.to_string();
    let meant = projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if expr.to_string() == text => Some(alias.clone()),
        _ => None,
    });
    if let Some(alias) = meant {
        *expr = Expr::Identifier(alias);
    }
}

/// How surely a name is the name: a cast's type gives way to a column, a CASE to nothing.
type Figured = Option<(String, Strength)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Weak,
    Strong,
}

fn strong(name: impl Into<String>) -> Figured {
    Some((name.into(), Strength::Strong))
}

fn figure(expr: &Expr, scope: &Scope<'_>) -> Figured {
    match expr {
        Expr::Identifier(ident) => strong(folded(ident)),
        Expr::CompoundIdentifier(parts) => {
            let shown = match parts.as_slice() {
                [relation, column] => shown_column(&relation.value, &column.value, scope),
                _ => None,
            };
            shown.or_else(|| parts.last().map(folded)).and_then(strong)
        }
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => figure(inner, scope),
        Expr::CompoundFieldAccess { root, access_chain } => field(access_chain).or_else(|| figure(root, scope)),
        Expr::Cast { expr, data_type, .. } => typed(figure(expr, scope), types::name(data_type)),
        Expr::TypedString(typed) => Some((types::name(&typed.data_type), Strength::Weak)),
        Expr::Interval(_) => Some(("interval".to_owned(), Strength::Weak)),
        Expr::Case { else_result, .. } => {
            let otherwise = else_result.as_ref().and_then(|otherwise| figure(otherwise, scope));
            typed(otherwise, "case".to_owned())
        }
        Expr::Function(function) => {
            if let Some(name) = rows::name(expr, scope) {
                return strong(name);
            }
            let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded);
            name.and_then(|name| strong(summaries::shown(&name)))
        }
        Expr::Exists { negated: false, .. } => strong("exists"),
        Expr::Subquery(query) => first_column(query, scope),
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::Extract { .. } => strong("extract"),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Position { .. } => strong("position"),
        Expr::Substring { shorthand, .. } => strong(if *shorthand { "substr" } else { "substring" }),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Trim { trim_where, .. } => strong(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
            Some(TrimWhereField::Both) | None => "btrim",
        }),
        Expr::BinaryOp { op: sqlparser::ast::BinaryOperator::Overlaps, .. } => strong("overlaps"),
        Expr::IsNormalized { .. } => strong("is_normalized"),
        _ => None,
    }
}

/// A strong name of what is cast wins; else the type's name, weakly.
fn typed(inner: Figured, name: String) -> Figured {
    match inner {
        Some((name, Strength::Strong)) => Some((name, Strength::Strong)),
        _ => Some((name, Strength::Weak)),
    }
}

/// The name under which a planned column is known.
fn shown_column(relation: &str, planned: &str, scope: &Scope<'_>) -> Option<String> {
    let here = scope.relations.iter().find(|other| other.planned == relation);
    let column = here.and_then(|here| here.columns.iter().flatten().find(|column| column.planned == planned));
    match column {
        Some(column) => Some(column.name.clone()),
        None => scope.outer.and_then(|outer| shown_column(relation, planned, outer)),
    }
}

/// The last field of a chain of subscripts and fields.
fn field(chain: &[AccessExpr]) -> Figured {
    chain.iter().rev().find_map(|access| match access {
        AccessExpr::Dot(Expr::Identifier(ident)) => strong(folded(ident)),
        AccessExpr::Dot(Expr::Value(value)) => value.value.clone().into_string().and_then(strong),
        AccessExpr::Dot(_) | AccessExpr::Subscript(_) => None,
    })
}

fn first_column(query: &Query, scope: &Scope<'_>) -> Figured {
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::Select(select) => {
                return match select.projection.first() {
                    Some(SelectItem::UnnamedExpr(expr)) => figure(expr, scope),
                    Some(SelectItem::ExprWithAlias { alias, .. }) => strong(folded(alias)),
                    _ => None,
                }
                .filter(|(name, _)| name != "?column?")
                .map(|(name, _)| (name, Strength::Strong));
            }
            SetExpr::Query(query) => body = &query.body,
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Values(_) => return strong("column1"),
            _ => return None,
        }
    }
}
