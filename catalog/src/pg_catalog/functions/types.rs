//! `format_type`: a type's name in SQL.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::{Object, Scope, object};
use crate::pg_catalog::format_type::{self, Typmod};
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[Spec::lax("format_type", (2, 2), "text", format_type)];

fn format_type<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(Object::Oid(oid)) = arguments.first().map(|argument| object(*argument)) else { return Ok(Cell::Null) };
    let typmod = match arguments.get(1) {
        Some(Argument::Int(typmod)) => i32::try_from(*typmod).map_or(Typmod::Absent, Typmod::Given),
        _ => Typmod::Absent,
    };
    Ok(format_type::format_type(oid, typmod).into())
}
