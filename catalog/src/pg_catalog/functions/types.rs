//! `format_type`: a type's name in SQL.

use datafusion::common::Result;

use super::function::{Argument, Spec, elements};
use super::scope::{Object, Scope, object};
use crate::pg_catalog::format_type::{self, Typmod};
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] =
    &[Spec::lax("format_type", (2, 2), "text", format_type), Spec::new("oidvectortypes", (1, 1), "text", vector_types)];

fn vector_types<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let oids = arguments.first().map(|list| elements(*list)).unwrap_or_default();
    let names = oids.into_iter().filter_map(|oid| oid.parse().ok());
    let names: Vec<String> = names.map(|oid| format_type::format_type(oid, Typmod::Absent)).collect();
    Ok(names.join(", ").into())
}

/// The name of the type of a relation's rows: the relation's.
pub(super) fn row_type_name(scope: &Scope, oid: u32) -> Option<String> {
    let relation = scope.directory.of_type(oid)?;
    let name = scope.name_of(relation);
    Some(if oid == relation.row_array { format!("{name}[]") } else { name })
}

fn format_type<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(Object::Oid(oid)) = arguments.first().map(|argument| object(*argument)) else { return Ok(Cell::Null) };
    let typmod = match arguments.get(1) {
        Some(Argument::Int(typmod)) => i32::try_from(*typmod).map_or(Typmod::Absent, Typmod::Given),
        _ => Typmod::Absent,
    };
    Ok(row_type_name(scope, oid).unwrap_or_else(|| format_type::format_type(oid, typmod)).into())
}
