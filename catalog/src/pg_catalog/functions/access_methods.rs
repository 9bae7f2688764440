//! `pg_indexam_has_property` and its kin: what access methods can do.
//!
//! Owns: the properties of PostgreSQL's own methods. There are no indexes here, so of an index nothing is known.
//! <https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-INFO-INDEXAM-PROPS>

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::{Object, Scope, object};
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_indexam_has_property", (2, 2), "bool", method),
    Spec::new("pg_index_has_property", (2, 2), "bool", |_, _| Ok(Cell::Null)),
    Spec::new("pg_index_column_has_property", (3, 3), "bool", |_, _| Ok(Cell::Null)),
];

/// `pg_am.oid`, and whether the method can order, be unique, have several columns, exclude, include.
const METHODS: [(u32, [bool; 5]); 6] = [
    (403, [true, true, true, true, true]),
    (405, [false, false, false, true, false]),
    (783, [false, false, true, true, true]),
    (2742, [false, false, true, false, false]),
    (3580, [false, false, true, false, false]),
    (4000, [false, false, false, true, true]),
];

const PROPERTIES: [&str; 5] = ["can_order", "can_unique", "can_multi_col", "can_exclude", "can_include"];

fn method<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [method, Argument::Text(property)] = arguments else { return Ok(Cell::Null) };
    let Object::Oid(oid) = object(*method) else { return Ok(Cell::Null) };
    let known = METHODS.iter().find(|(known, _)| *known == oid).map(|(_, can)| can);
    let at = PROPERTIES.iter().position(|known| known.eq_ignore_ascii_case(property));
    Ok(known.zip(at).and_then(|(can, at)| can.get(at)).copied().into())
}
