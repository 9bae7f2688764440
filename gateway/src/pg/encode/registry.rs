//! `regclass` and its kin in text: the names of what their OIDs mean. In binary they are OIDs.
//!
//! Owns: how often a name is looked up. Must never know: the catalogs.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, UInt32Type};

use super::cell::{BoxCell, Column, Look, each};
use super::row::Format;
use super::scalar;
use crate::pg::types;

/// A cell of names, if the column has them.
fn names(array: &ArrayRef, column: &Column, look: &Look) -> Option<BoxCell> {
    let of = match column.oid {
        types::REGCLASS => "regclass",
        types::REGNAMESPACE => "regnamespace",
        types::REGOPER => "regoper",
        types::REGOPERATOR => "regoperator",
        types::REGPROC => "regproc",
        types::REGPROCEDURE => "regprocedure",
        types::REGROLE => "regrole",
        types::REGTYPE => "regtype",
        _ => return None,
    };
    let registry = Arc::clone(look.registry.as_ref()?);
    if column.format == Format::Binary || *array.data_type() != DataType::UInt32 {
        return None;
    }
    let oids = array.as_primitive::<UInt32Type>().values().clone();
    let mut known: HashMap<u32, String> = HashMap::new();
    Some(each(array.nulls(), move |row, out| {
        if let Some(oid) = oids.get(row) {
            let name = known.entry(*oid).or_insert_with(|| registry.text(of, *oid).unwrap_or_else(|| oid.to_string()));
            out.slice(name.as_bytes());
        }
        Ok(())
    }))
}

/// The OIDs themselves, where nothing names them.
pub(super) fn or_integer(array: &ArrayRef, column: &Column, look: &Look) -> BoxCell {
    names(array, column, look).unwrap_or_else(|| scalar::integer(array, column.oid, column.format))
}
