//! `pg_table_size` and its kin: bytes of the objects in the lake, by the snapshot's manifest.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::{Object, Scope, object};
use crate::pg_catalog::directory::DATABASE;
use crate::pg_catalog::error::LookupError;
use crate::pg_catalog::rows::Cell;
use crate::system::manifest::bytes;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_relation_size", (1, 2), "int8", table),
    Spec::new("pg_table_size", (1, 1), "int8", table),
    Spec::new("pg_total_relation_size", (1, 1), "int8", table),
    Spec::new("pg_indexes_size", (1, 1), "int8", |_, _| Ok(0.into())),
    Spec::new("pg_database_size", (1, 1), "int8", database),
    Spec::new("pg_tablespace_size", (1, 1), "int8", tablespace),
    Spec::new("pg_tablespace_location", (1, 1), "text", |_, _| Ok("".into())),
];

/// `pg_default` and `pg_global`.
const DEFAULT_TABLESPACE: u32 = 1663;
const GLOBAL_TABLESPACE: u32 = 1664;

fn table<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(relation) = arguments.first() else { return Ok(Cell::Null) };
    let found = scope.relation(*relation)?;
    Ok(found.map(|relation| relation.table().map_or(0, |table| bytes(table))).into())
}

/// Everything of the lake is in the default tablespace.
fn tablespace<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(match arguments.first().map(|argument| object(*argument)) {
        Some(Object::Oid(DEFAULT_TABLESPACE)) | Some(Object::Name("pg_default")) => lake(scope).into(),
        Some(Object::Oid(GLOBAL_TABLESPACE)) | Some(Object::Name("pg_global")) => 0_i64.into(),
        Some(Object::Name(name)) => return Err(LookupError::UndefinedTablespace(name.to_owned()).into()),
        Some(Object::Oid(_) | Object::None) | None => Cell::Null,
    })
}

/// Bytes of all objects.
fn lake(scope: &Scope) -> i64 {
    let tables = scope.directory.relations.iter().filter_map(|relation| relation.table());
    tables.map(|table| bytes(table)).sum()
}

fn database<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(of) = arguments.first() else { return Ok(Cell::Null) };
    match object(*of) {
        Object::Oid(oid) if oid != DATABASE => return Ok(Cell::Null),
        Object::Name(name) if name != scope.view.database => {
            return Err(LookupError::UndefinedDatabase(name.to_owned()).into());
        }
        _ => {}
    }
    Ok(lake(scope).into())
}
