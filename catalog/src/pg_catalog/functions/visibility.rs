//! `pg_table_is_visible` and its kin: whether an object is found by its bare name.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::procs;
use super::scope::{Object, Scope, object};
use crate::pg_catalog::directory::PG_CATALOG;
use crate::pg_catalog::dump::{Dump, PG_COLLATION, PG_OPCLASS, PG_OPERATOR, PG_OPFAMILY};
use crate::pg_catalog::rows::Cell;
use crate::pg_catalog::types;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_table_is_visible", (1, 1), "bool", table),
    Spec::new("pg_type_is_visible", (1, 1), "bool", of_type),
    Spec::new("pg_function_is_visible", (1, 1), "bool", function),
    Spec::new("pg_operator_is_visible", (1, 1), "bool", |_, arguments| dumped(&PG_OPERATOR, arguments)),
    Spec::new("pg_opclass_is_visible", (1, 1), "bool", |_, arguments| dumped(&PG_OPCLASS, arguments)),
    Spec::new("pg_opfamily_is_visible", (1, 1), "bool", |_, arguments| dumped(&PG_OPFAMILY, arguments)),
    Spec::new("pg_collation_is_visible", (1, 1), "bool", |_, arguments| dumped(&PG_COLLATION, arguments)),
    Spec::new("pg_conversion_is_visible", (1, 1), "bool", unknown),
    Spec::new("pg_statistics_obj_is_visible", (1, 1), "bool", unknown),
    Spec::new("pg_ts_config_is_visible", (1, 1), "bool", unknown),
    Spec::new("pg_ts_dict_is_visible", (1, 1), "bool", unknown),
    Spec::new("pg_ts_parser_is_visible", (1, 1), "bool", unknown),
    Spec::new("pg_ts_template_is_visible", (1, 1), "bool", unknown),
];

fn table<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(oid) = oid(arguments) else { return Ok(Cell::Null) };
    Ok(scope.directory.relation(oid).map(|relation| scope.is_visible(relation)).into())
}

fn of_type<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(oid) = oid(arguments) else { return Ok(Cell::Null) };
    if let Some(relation) = scope.directory.of_type(oid) {
        return Ok(scope.is_visible(relation).into());
    }
    let Some(of) = types::by_oid(oid) else { return Ok(Cell::Null) };
    let in_path = || scope.view.search_path.iter().any(|schema| schema == "information_schema");
    Ok((of.namespace == PG_CATALOG || in_path()).into())
}

/// Every function is in `pg_catalog`, which every search path has.
fn function<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(oid(arguments).and_then(procs::by_oid).map(|_| true).into())
}

/// Objects of PostgreSQL's own are all in `pg_catalog`.
fn dumped<'a>(dump: &Dump, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(oid) = oid(arguments) else { return Ok(Cell::Null) };
    Ok(dump.has(oid)?.then_some(true).into())
}

/// There are no such objects, and PostgreSQL answers NULL for an OID that it does not know.
fn unknown<'a>(_: &'a Scope, _: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(Cell::Null)
}

fn oid(arguments: &[Argument<'_>]) -> Option<u32> {
    match object(*arguments.first()?) {
        Object::Oid(oid) => Some(oid),
        Object::Name(_) | Object::None => None,
    }
}
