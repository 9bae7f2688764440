//! The text of arrays and of the catalogs' vectors, `1 2 3`.
//!
//! Must never know: what an element means; its own reader does.

use udfs::pg::input::{self, Elements};

use super::value::Array;
use super::{integer, is_space, text};
use crate::error::Result;
use crate::pg::types;
use crate::session::vars::Display;

/// The array of `element` type that a text names.
pub(super) fn read(literal: &str, element: u32, display: &Display) -> Result<Array> {
    let Elements { dimensions, texts } = input::array(literal)?;
    let value = |text: Option<String>| text.map(|text| text::read(&text, element, display)).transpose();
    let elements = texts.into_iter().map(value).collect::<Result<_>>()?;
    Ok(Array { element_oid: element, dimensions, elements })
}

/// `int2vector` and `oidvector`.
pub(super) fn vector(text: &str, oid: u32) -> Result<Array> {
    let element_oid = types::element_of(oid).unwrap_or(types::OID);
    let numbers = text.split(is_space).filter(|number| !number.is_empty());
    let elements: Vec<_> = numbers
        .map(|number| integer::read(number, element_oid).map(|number| Some(super::value::Value::Integer(number))))
        .collect::<Result<_>>()?;
    let dimensions = if elements.is_empty() { Vec::new() } else { vec![elements.len()] };
    Ok(Array { element_oid, dimensions, elements })
}
