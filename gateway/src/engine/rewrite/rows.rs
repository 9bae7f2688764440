//! Rows as values: `ROW(a, b)`, `(a, b)`, the name of a relation, `(row).field`.
//!
//! Owns: which fields a row has and what they are called. Must never know: their types.
//! <https://www.postgresql.org/docs/16/rowtypes.html>

use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Value, VisitMut, VisitorMut,
    WildcardAdditionalOptions,
};

use super::arrays::{arguments, binary, chain};
use super::expand::{call, select};
use super::from_functions::query;
use super::literals::{self, narrow, string};
use super::scope::{Relation, Scope};
use super::syntax::taken;
use super::{folded, quoted};
use crate::engine::tokens::EVERY_FIELD;
use crate::error::{Error, Result, SqlState};

/// What a relation's row is a call of.
const OF_RELATION: [&str; 2] = ["lakegate_relation_row", "lakegate_outer_row"];

/// Makes rows of what is left of row constructors when every other notation is read.
pub(super) fn rewrite(query: &mut Query) {
    let _ = query.visit(&mut Constructors);
}

struct Constructors;

impl VisitorMut for Constructors {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        // `GROUP BY (a, b)` groups by both.
        if let GroupByExpr::Expressions(keys, _) = &mut select.group_by
            && keys.iter().any(|key| matches!(key, Expr::Tuple(_)))
        {
            let flat = std::mem::take(keys).into_iter().flat_map(|key| match key {
                Expr::Tuple(keys) => keys,
                key => vec![key],
            });
            *keys = flat.collect();
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(values) = constructor(expr) {
            let fields = values.into_iter().enumerate().map(|(at, value)| (format!("f{}", at + 1), typed(value)));
            *expr = row_of("lakegate_row", fields);
        }
        ControlFlow::Continue(())
    }
}

/// A field as the client sees its type: a small number is an `integer`, a text that is written out has none.
fn typed(mut value: Expr) -> Expr {
    narrow(&mut value);
    let is_null = matches!(&value, Expr::Value(value) if value.value == Value::Null);
    if is_null || literals::text(&value).is_some() {
        return call("lakegate_tagged", vec![value, string("unknown")]);
    }
    value
}

/// The fields of `(a, b)` or `ROW(a, b)`.
pub(super) fn constructor(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Tuple(fields) => Some(fields.clone()),
        Expr::Function(function) if is_constructor(function) => Some(arguments(function)),
        _ => None,
    }
}

fn is_constructor(function: &Function) -> bool {
    matches!(function.name.0.as_slice(), [name] if name.as_ident().is_some_and(|name| folded(name) == "row"))
}

fn row_of(function: &str, fields: impl Iterator<Item = (String, Expr)>) -> Expr {
    call(function, fields.flat_map(|(name, value)| [string(name), value]).collect())
}

/// The rows of a function of several columns.
pub(super) fn of_columns(columns: Vec<(String, Expr)>) -> Expr {
    row_of(OF_RELATION[0], columns.into_iter())
}

/// Whether this is the field that stands for every one.
pub(super) fn is_every_field(ident: &Ident) -> bool {
    ident.quote_style.is_some() && ident.value == EVERY_FIELD
}

/// Reads `(row).*` of a select list as what it is.
pub(super) fn read_every_field(item: &mut SelectItem) {
    let SelectItem::UnnamedExpr(Expr::CompoundFieldAccess { root, access_chain }) = item else { return };
    let Some(AccessExpr::Dot(Expr::Identifier(ident))) = access_chain.last() else { return };
    if !is_every_field(ident) {
        return;
    }
    access_chain.pop();
    let (root, access_chain) = (Box::new(taken(root)), std::mem::take(access_chain));
    let row = if access_chain.is_empty() { *root } else { Expr::CompoundFieldAccess { root, access_chain } };
    let kind = SelectItemQualifiedWildcardKind::Expr(row);
    *item = SelectItem::QualifiedWildcard(kind, WildcardAdditionalOptions::default());
}

/// The row that the (qualified) name of a relation in sight means; `None` if it is no such name.
pub(super) fn of_relation(name: &[Ident], scope: &Scope<'_>) -> Result<Option<Expr>> {
    let Some(relation) = scope.relation(name)? else {
        return scope.outer.map_or(Ok(None), |outer| of_relation(name, outer));
    };
    scope.used.set(true);
    if relation.is_value {
        return Ok(fields(relation).next().map(|(_, value)| value));
    }
    let name = if relation.is_outer { OF_RELATION[1] } else { OF_RELATION[0] };
    let row = relation.columns.is_some().then(|| row_of(name, fields(relation)));
    Ok(match relation.row_type {
        Some(oid) => row.map(|row| call("lakegate_tagged", vec![row, string(udfs::pg_type::row_tag(oid))])),
        None => row,
    })
}

fn fields(relation: &Relation) -> impl Iterator<Item = (String, Expr)> {
    relation.columns.iter().flatten().map(|column| {
        let value = Expr::CompoundIdentifier(vec![quoted(&relation.planned), quoted(&column.planned)]);
        (column.name.clone(), value)
    })
}

/// `row(t.*)` has the columns of `t` as its fields; `f(t.*)` takes the row of `t`.
pub(super) fn spread(function: &mut Function, scope: &Scope<'_>) -> Result<()> {
    let is_row = is_constructor(function);
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    let is_spread = |arg: &FunctionArg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)));
    if !list.args.iter().any(is_spread) {
        return Ok(());
    }
    let unnamed = |expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr));
    let mut args = Vec::with_capacity(list.args.len());
    for arg in std::mem::take(&mut list.args) {
        let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) = &arg else {
            args.push(arg);
            continue;
        };
        let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
        match (is_row, parts.last(), scope.relation(&parts)?) {
            (true, _, Some(relation)) if relation.columns.is_some() => {
                let written = |name: &str| Expr::CompoundIdentifier(vec![quoted(&relation.name), quoted(name)]);
                args.extend(relation.columns.iter().flatten().map(|column| unnamed(written(&column.name))));
            }
            (false, Some(name), _) => args.push(unnamed(Expr::Identifier(name.clone()))),
            _ => args.push(arg),
        }
    }
    list.args = args;
    Ok(())
}

/// `(row).field` of a row whose fields are written out is that field.
pub(super) fn field(expr: &mut Expr, scope: &Scope<'_>) -> Result<()> {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return Ok(()) };
    let Some(name) = access_chain.first().and_then(selected) else { return Ok(()) };
    let root = bare(root);
    let found = if let Some(fields) = constructor(root) {
        let at = name.strip_prefix('f').and_then(|digits| digits.parse::<usize>().ok());
        let value = at.and_then(|at| fields.into_iter().nth(at.checked_sub(1)?));
        let message = format!("could not identify column \"{name}\" in record data type");
        value.map(Some).ok_or_else(|| Error::new(SqlState::UndefinedColumn, message))?
    } else {
        relation_field(root, &name, scope)?
    };
    let Some(value) = found else { return Ok(()) };
    let rest = access_chain.split_off(1);
    *expr = match rest.is_empty() {
        true => value,
        false => Expr::CompoundFieldAccess { root: Box::new(value), access_chain: rest },
    };
    Ok(())
}

/// A field of what [`of_relation`] makes.
fn relation_field(row: &Expr, name: &str, scope: &Scope<'_>) -> Result<Option<Expr>> {
    let Some(args) = relation_row(row) else { return Ok(None) };
    let value = args.chunks_exact(2).find_map(|pair| match pair {
        [field, value] if literals::text(field).as_deref() == Some(name) => Some(value.clone()),
        _ => None,
    });
    let message = match self::name(row, scope) {
        Some(relation) => format!("column {relation}.{name} does not exist"),
        None => format!("could not identify column \"{name}\" in record data type"),
    };
    value.map(Some).ok_or_else(|| Error::new(SqlState::UndefinedColumn, message))
}

/// Names and values of the fields of a relation's row, in turns.
fn relation_row(expr: &Expr) -> Option<Vec<Expr>> {
    let Expr::Function(function) = expr else { return None };
    let name = function.name.0.last().and_then(|part| part.as_ident())?;
    if name.value == "lakegate_tagged" {
        return relation_row(arguments(function).first()?);
    }
    OF_RELATION.contains(&name.value.as_str()).then(|| arguments(function))
}

/// The name of the relation whose row the expression is.
pub(super) fn name(expr: &Expr, scope: &Scope<'_>) -> Option<String> {
    let args = relation_row(expr)?;
    let Some(Expr::CompoundIdentifier(parts)) = args.get(1) else { return None };
    let planned = parts.first()?;
    let mut scope = Some(scope);
    while let Some(here) = scope {
        if let Some(relation) = here.relations.iter().find(|relation| relation.planned == planned.value) {
            return Some(relation.name.clone());
        }
        scope = here.outer;
    }
    None
}

/// `SELECT (row).field` is called by its field, and a function of one value by its alias, whatever they become.
pub(super) fn keep_name(item: &mut SelectItem, scope: &Scope<'_>) -> Result<()> {
    let name = match item {
        SelectItem::UnnamedExpr(Expr::CompoundFieldAccess { access_chain, .. }) => {
            access_chain.last().and_then(selected).filter(|name| name != EVERY_FIELD)
        }
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) if scope.own_column(ident)?.is_none() => {
            let relation = scope.relation(std::slice::from_ref(ident))?;
            relation.filter(|relation| relation.is_value).map(|relation| relation.name.clone())
        }
        _ => None,
    };
    let Some(name) = name else { return Ok(()) };
    if let SelectItem::UnnamedExpr(expr) = item {
        *item = SelectItem::ExprWithAlias { expr: taken(expr), alias: quoted(&name) };
    }
    Ok(())
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        expr => expr,
    }
}

fn selected(access: &AccessExpr) -> Option<String> {
    match access {
        AccessExpr::Dot(Expr::Value(value)) => match &value.value {
            Value::SingleQuotedString(name) => Some(name.clone()),
            _ => None,
        },
        AccessExpr::Dot(Expr::Identifier(ident)) => Some(folded(ident)),
        _ => None,
    }
}

/// The columns of `(row).*`; `None` where they are not known before planning.
pub(super) fn columns(row: &Expr, scope: &Scope<'_>) -> Result<Option<Vec<SelectItem>>> {
    let row = bare(row);
    let aliased = |(name, expr): (String, Expr)| SelectItem::ExprWithAlias { expr, alias: quoted(&name) };
    if let Some(values) = constructor(row) {
        let named = values.into_iter().enumerate().map(|(at, value)| (format!("f{}", at + 1), value));
        return Ok(Some(named.map(aliased).collect()));
    }
    if let Some(fields) = relation_row(row) {
        let pairs = fields.chunks_exact(2).filter_map(|pair| match pair {
            [name, value] => Some((literals::text(name)?, value.clone())),
            _ => None,
        });
        return Ok(Some(pairs.map(aliased).collect()));
    }
    let Expr::Identifier(ident) = row else { return Ok(None) };
    let relation = scope.relation(std::slice::from_ref(ident))?;
    Ok(relation.filter(|relation| relation.columns.is_some()).map(|relation| fields(relation).map(aliased).collect()))
}

/// What the subquery of a row comparison is called.
const RELATION: &str = "row_query";

/// `(a, b) IN (SELECT x, y ...)`, with NULL where a pair is neither equal nor different.
fn in_subquery(left: Vec<Expr>, subquery: Query, negated: bool) -> Result<Expr> {
    if let Some(width) = width(&subquery.body)
        && width != left.len()
    {
        let which = if width > left.len() { "many" } else { "few" };
        return Err(Error::new(SqlState::SyntaxError, format!("subquery has too {which} columns")));
    }
    let name = |at: usize| format!("row_column{at}");
    let columns =
        (0..left.len()).map(|at| sqlparser::ast::TableAliasColumnDef { name: quoted(&name(at)), data_type: None });
    let alias =
        sqlparser::ast::TableAlias { explicit: true, name: quoted(RELATION), columns: columns.collect(), at: None };
    let pairs = left.into_iter().enumerate().map(|(at, value)| {
        let column = Expr::CompoundIdentifier(vec![quoted(RELATION), quoted(&name(at))]);
        binary(value, BinaryOperator::Eq, column)
    });
    let equal = chain(pairs, BinaryOperator::And);
    let exists = |condition: Expr| {
        let relation = sqlparser::ast::TableFactor::Derived {
            lateral: false,
            subquery: Box::new(subquery.clone()),
            alias: Some(alias.clone()),
            sample: None,
        };
        let from = vec![sqlparser::ast::TableWithJoins { relation, joins: Vec::new() }];
        let item = SelectItem::ExprWithAlias { expr: literals::number(1), alias: quoted("one") };
        let mut rows = select(vec![item], from);
        rows.selection = Some(condition);
        Expr::Exists { subquery: Box::new(query(rows)), negated: false }
    };
    let when = |condition: Expr, result: Value| sqlparser::ast::CaseWhen { condition, result: Expr::value(result) };
    let case = Expr::Case {
        case_token: sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        end_token: sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        operand: None,
        conditions: vec![
            when(exists(equal.clone()), Value::Boolean(!negated)),
            when(exists(Expr::IsNull(Box::new(equal))), Value::Null),
        ],
        else_result: Some(Box::new(Expr::value(Value::Boolean(negated)))),
    };
    Ok(case)
}

/// How many columns a query has, where that is written.
pub(super) fn width(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Select(select) => {
            let is_one =
                |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
            select.projection.iter().all(is_one).then_some(select.projection.len())
        }
        SetExpr::SetOperation { left, .. } => width(left),
        SetExpr::Query(query) => width(&query.body),
        SetExpr::Values(values) => values.rows.first().map(|row| row.content.len()),
        _ => None,
    }
}

/// Rows are distinct where one of their fields is.
pub(super) fn distinct(expr: &mut Expr) -> Result<()> {
    let (Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right)) = &mut *expr else { return Ok(()) };
    let (Some(left), Some(right)) = (constructor(bare(left)), constructor(bare(right))) else { return Ok(()) };
    if left.len() != right.len() {
        return Err(Error::new(SqlState::SyntaxError, "unequal number of entries in row expressions"));
    }
    let pairs = left.into_iter().zip(right).map(|(one, other)| (Box::new(one), Box::new(other)));
    *expr = match expr {
        Expr::IsDistinctFrom(..) => {
            chain(pairs.map(|(one, other)| Expr::IsDistinctFrom(one, other)), BinaryOperator::Or)
        }
        _ => chain(pairs.map(|(one, other)| Expr::IsNotDistinctFrom(one, other)), BinaryOperator::And),
    };
    Ok(())
}

/// `ROW(a, b) IS NULL` is true where every field is null, `IS NOT NULL` where none is.
pub(super) fn null(expr: &mut Expr) {
    let (Expr::IsNull(row) | Expr::IsNotNull(row)) = &mut *expr else { return };
    let Some(values) = constructor(bare(row)).filter(|values| !values.is_empty()) else { return };
    let is_null = matches!(expr, Expr::IsNull(_));
    let questions = values.into_iter().map(|value| match is_null {
        true => Expr::IsNull(Box::new(value)),
        false => Expr::IsNotNull(Box::new(value)),
    });
    *expr = chain(questions, BinaryOperator::And);
}

/// `(a, b) IN (SELECT ...)` as it is written.
pub(super) fn in_rows(expr: &mut Expr) -> Result<()> {
    let Expr::InSubquery { expr: left, subquery, negated } = expr else { return Ok(()) };
    let Some(values) = constructor(bare(left)) else { return Ok(()) };
    let (subquery, negated) = (subquery.as_ref().clone(), *negated);
    taken(left);
    *expr = in_subquery(values, subquery, negated)?;
    Ok(())
}
