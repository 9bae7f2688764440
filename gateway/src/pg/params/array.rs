//! The text of arrays, `{1,NULL,"a b"}`, and of the catalogs' vectors, `1 2 3`.
//!
//! Owns: the grammar of `array_in`. Must never know: what an element means; its own reader does.

use super::value::Array;
use super::{integer, is_space, text};
use crate::error::{Error, Result, SqlState};
use crate::pg::types;
use crate::session::vars::Display;

const DIMENSIONS_MAX: usize = 6;

/// The array of `element` type that a text names.
pub(super) fn read(literal: &str, element: u32, display: &Display) -> Result<Array> {
    let malformed = |detail: &str| {
        let message = format!("malformed array literal: \"{literal}\"");
        Error::new(SqlState::InvalidTextRepresentation, message).detail(detail)
    };
    let body = match literal.trim_start_matches(is_space) {
        bounds if bounds.starts_with('[') => {
            let (_, body) = bounds.split_once('=').ok_or_else(|| malformed("Missing \"=\" after array dimensions."))?;
            body
        }
        body => body,
    };
    let mut reader = Reader { rest: body, dimensions: Vec::new(), elements: Vec::new(), leaf_depth: None };
    reader.rest = reader.rest.trim_start_matches(is_space);
    if !reader.rest.starts_with('{') {
        return Err(malformed("Array value must start with \"{\" or dimension information."));
    }
    reader.list(0).map_err(malformed)?;
    if !reader.rest.trim_start_matches(is_space).is_empty() {
        return Err(malformed("Junk after closing right brace."));
    }
    let mut dimensions: Vec<usize> = reader.dimensions.into_iter().flatten().collect();
    let mut elements = Vec::with_capacity(reader.elements.len());
    for text in reader.elements {
        elements.push(text.map(|text| text::read(&text, element, display)).transpose()?);
    }
    if elements.is_empty() {
        dimensions.clear();
    }
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

struct Reader<'a> {
    rest: &'a str,
    /// The length of each dimension, once its first list has ended.
    dimensions: Vec<Option<usize>>,
    elements: Vec<Option<String>>,
    leaf_depth: Option<usize>,
}

const RAGGED: &str = "Multidimensional arrays must have sub-arrays with matching dimensions.";
const END: &str = "Unexpected end of input.";

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches(is_space);
        self.rest.chars().next()
    }

    fn skip(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    /// Reads `{...}`; the brace is there.
    fn list(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth == DIMENSIONS_MAX {
            return Err("Too many dimensions.");
        }
        self.skip();
        if self.dimensions.len() == depth {
            self.dimensions.push(None);
        }
        let mut length = 0;
        if self.peek() == Some('}') {
            self.skip();
        } else {
            loop {
                match self.peek().ok_or(END)? {
                    '{' => self.list(depth + 1)?,
                    _ => self.element(depth)?,
                }
                length += 1;
                match (self.peek(), self.skip()) {
                    (Some(','), _) => {}
                    (Some('}'), _) => break,
                    (None, _) => return Err(END),
                    _ => return Err("Unexpected array element."),
                }
            }
        }
        match self.dimensions.get_mut(depth) {
            Some(Some(known)) if *known != length => Err(RAGGED),
            Some(known) => {
                *known = Some(length);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn element(&mut self, depth: usize) -> Result<(), &'static str> {
        if *self.leaf_depth.get_or_insert(depth) != depth || self.dimensions.len() > depth + 1 {
            return Err(RAGGED);
        }
        let mut text = String::new();
        if self.peek() == Some('"') {
            self.skip();
            loop {
                match self.skip().ok_or(END)? {
                    '"' => break,
                    '\\' => text.push(self.skip().ok_or(END)?),
                    c => text.push(c),
                }
            }
            self.elements.push(Some(text));
            return Ok(());
        }
        let mut is_escaped = false;
        let mut kept = 0;
        while let Some(c) = self.rest.chars().next().filter(|c| !matches!(c, ',' | '}')) {
            match c {
                '{' => return Err("Unexpected \"{\" character."),
                '"' => return Err("Incorrectly quoted array element."),
                '\\' => {
                    self.skip();
                    text.push(self.skip().ok_or(END)?);
                    is_escaped = true;
                    kept = text.len();
                }
                c => {
                    self.skip();
                    text.push(c);
                    if !is_space(c) {
                        kept = text.len();
                    }
                }
            }
        }
        text.truncate(kept);
        if text.is_empty() {
            return Err("Unexpected \",\" or \"}\" character.");
        }
        let is_null = !is_escaped && text.eq_ignore_ascii_case("null");
        self.elements.push((!is_null).then_some(text));
        Ok(())
    }
}
