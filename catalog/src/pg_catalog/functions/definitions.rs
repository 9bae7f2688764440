//! `pg_get_viewdef` and its kin: the SQL that made an object.
//!
//! Views are the only objects here with a definition: there are no indexes, constraints, rules or triggers, and
//! PostgreSQL answers NULL for those that it does not know.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::Scope;
use crate::definition::Name;
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_get_viewdef", (1, 2), "text", view),
    Spec::new("pg_get_expr", (2, 3), "text", expression),
    Spec::new("pg_get_constraintdef", (1, 2), "text", none),
    Spec::new("pg_get_indexdef", (1, 3), "text", none),
    Spec::new("pg_get_ruledef", (1, 2), "text", none),
    Spec::new("pg_get_triggerdef", (1, 2), "text", none),
    Spec::new("pg_get_partkeydef", (1, 1), "text", none),
    Spec::new("pg_get_partition_constraintdef", (1, 1), "text", none),
    Spec::new("pg_get_statisticsobjdef", (1, 1), "text", none),
    Spec::new("pg_get_statisticsobjdef_columns", (1, 1), "text", none),
    Spec::new("pg_get_function_sqlbody", (1, 1), "text", none),
    Spec::new("pg_get_function_arg_default", (2, 2), "text", none),
    Spec::new("pg_get_serial_sequence", (2, 2), "text", no_sequence),
    Spec::new("pg_relation_is_publishable", (1, 1), "bool", not_published),
    Spec::new("pg_relation_is_updatable", (2, 2), "int4", updatable),
    Spec::new("pg_column_is_updatable", (3, 3), "bool", updatable_column),
    Spec::new("pg_stat_get_numscans", (1, 1), "int8", |_, _| Ok(0.into())),
    Spec::new("row_security_active", (1, 1), "bool", row_security),
];

fn view<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(relation) = arguments.first() else { return Ok(Cell::Null) };
    Ok(scope.relation(*relation)?.and_then(|relation| relation.definition()).into())
}

/// Expressions are kept as their text.
fn expression<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(match arguments.first() {
        Some(Argument::Text(text)) => (*text).to_owned().into(),
        _ => Cell::Null,
    })
}

/// Whether row policies bind the user on a relation.
fn row_security<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(relation) = arguments.first() else { return Ok(Cell::Null) };
    let relation = scope.relation(*relation)?;
    let table = relation.and_then(|relation| relation.table());
    let name = table.map(|table| Name { schema: table.schema.clone(), name: table.name.clone() });
    let rules = name.as_ref().and_then(|name| scope.view.access().rules(&scope.view.user, name));
    Ok(relation.map(|_| rules.is_some()).into())
}

fn none<'a>(_: &'a Scope, _: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(Cell::Null)
}

/// The table must exist.
fn no_sequence<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    if let Some(table) = arguments.first() {
        scope.relation(*table)?;
    }
    Ok(Cell::Null)
}

/// A bit of PostgreSQL's `CmdType` for each of UPDATE, INSERT and DELETE.
const CHANGES: i64 = 1 << 2 | 1 << 3 | 1 << 4;

/// The statements that change a relation: none of one that is not there.
fn updatable<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(relation) = arguments.first() else { return Ok(Cell::Null) };
    Ok(scope.relation(*relation)?.filter(|relation| relation.is_writable()).map_or(0, |_| CHANGES).into())
}

fn updatable_column<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [relation, Argument::Int(column), _] = arguments else { return Ok(Cell::Null) };
    let is_writable = scope.relation(*relation)?.is_some_and(|relation| relation.is_writable());
    Ok((is_writable && *column > 0).into())
}

/// Nothing can be published, but the relation must exist.
fn not_published<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(relation) = arguments.first() else { return Ok(Cell::Null) };
    Ok(scope.relation(*relation)?.map(|_| false).into())
}
