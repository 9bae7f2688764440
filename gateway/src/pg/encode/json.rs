//! Maps and unions, which PostgreSQL's clients read as JSON.
//!
//! Owns: `to_json`'s shape of every type. Must never know: how a scalar prints; its own writer does that.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field};

use super::cell::{self, BoxCell, Column, Look, each};
use super::row::Format;
use super::writer::Writer;
use super::{scalar, tagged};
use crate::error::{Error, Result};
use crate::pg::types;

/// Writes the JSON of a row, null included.
type Write = Box<dyn FnMut(usize, &mut Writer<'_>) -> Result<()>>;

pub(super) fn cell(array: &ArrayRef, column: &Column, look: &Arc<Look>) -> Result<BoxCell> {
    let mut write = json(array, &column.field, &Arc::new(look.json()))?;
    let is_jsonb = column.oid == types::JSONB && column.format == Format::Binary;
    Ok(each(array.logical_nulls().as_ref(), move |row, out| {
        if is_jsonb {
            out.byte(tagged::JSONB_VERSION);
        }
        write(row, out)
    }))
}

fn json(array: &ArrayRef, field: &Field, look: &Arc<Look>) -> Result<Write> {
    match array.data_type() {
        DataType::Struct(_) => object(array, look),
        DataType::Map(..) => map(array, look),
        DataType::Union(..) => union(array, look),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => list(array, look),
        DataType::ListView(_) | DataType::LargeListView(_) => list(array, look),
        _ => scalar_json(array, field, look),
    }
}

fn object(array: &ArrayRef, look: &Arc<Look>) -> Result<Write> {
    let object = array.as_struct();
    let mut members = Vec::with_capacity(object.num_columns());
    for (field, values) in object.fields().iter().zip(object.columns()) {
        let mut name = Vec::new();
        escape(field.name().as_bytes(), &mut name);
        name.push(b':');
        members.push((name, json(values, field, look)?));
    }
    let nulls = array.nulls().cloned();
    Ok(Box::new(move |row, out| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.array(b"null");
            return Ok(());
        }
        out.byte(b'{');
        for (at, (name, write)) in members.iter_mut().enumerate() {
            if at > 0 {
                out.byte(b',');
            }
            out.slice(name);
            write(row, out)?;
        }
        out.byte(b'}');
        Ok(())
    }))
}

/// Keys that are no strings are quoted, for JSON has no others.
fn map(array: &ArrayRef, look: &Arc<Look>) -> Result<Write> {
    let map = array.as_map().clone();
    let (key_field, value_field) = map.entries_fields();
    let mut key = json(map.keys(), key_field, look)?;
    let mut value = json(map.values(), value_field, look)?;
    Ok(Box::new(move |row, out| {
        if map.is_null(row) {
            out.array(b"null");
            return Ok(());
        }
        out.byte(b'{');
        let offsets = map.offsets();
        let bounds = offsets.get(row).zip(offsets.get(row + 1));
        let (start, end) = bounds.map_or((0, 0), |(start, end)| (*start, *end));
        for at in start..end {
            if at != start {
                out.byte(b',');
            }
            let at = usize::try_from(at).unwrap_or(0);
            let begin = out.at();
            key(at, out)?;
            if out.since(begin).first() != Some(&b'"') {
                let mut quoted = Vec::new();
                escape(out.since(begin), &mut quoted);
                out.rewind(begin);
                out.slice(&quoted);
            }
            out.byte(b':');
            value(at, out)?;
        }
        out.byte(b'}');
        Ok(())
    }))
}

/// A union is the value that it holds.
fn union(array: &ArrayRef, look: &Arc<Look>) -> Result<Write> {
    let union = array.as_union().clone();
    let mut children = Vec::new();
    if let DataType::Union(fields, _) = array.data_type() {
        for (id, field) in fields.iter() {
            children.push((id, json(union.child(id), field, look)?));
        }
    }
    Ok(Box::new(move |row, out| {
        let (id, at) = (union.type_id(row), union.value_offset(row));
        match children.iter_mut().find(|child| child.0 == id) {
            Some((_, write)) => write(at, out),
            None => {
                out.array(b"null");
                Ok(())
            }
        }
    }))
}

fn list(array: &ArrayRef, look: &Arc<Look>) -> Result<Write> {
    let Some((ranges, values)) = super::list::rows(array) else {
        return Err(Error::internal("a list without levels"));
    };
    let field = types::list_item(array.data_type()).cloned();
    let mut element = json(&values, &field.unwrap_or_else(|| Field::new("item", DataType::Null, true)), look)?;
    let nulls = array.nulls().cloned();
    Ok(Box::new(move |row, out| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.array(b"null");
            return Ok(());
        }
        out.byte(b'[');
        let range = ranges(row);
        let first = range.start;
        for at in range {
            if at != first {
                out.byte(b',');
            }
            element(at, out)?;
        }
        out.byte(b']');
        Ok(())
    }))
}

/// Numbers, booleans and JSON stand bare; all else is a string.
fn scalar_json(array: &ArrayRef, field: &Field, look: &Arc<Look>) -> Result<Write> {
    let column = Column { field: field.clone(), oid: types::oid_of(field), format: Format::Text };
    let oid = column.oid;
    let mut cell = cell::bind(array, &column, look)?;
    let mut quoted = Vec::new();
    Ok(Box::new(move |row, out| {
        if cell.is_null(row) {
            out.array(b"null");
            return Ok(());
        }
        let start = out.at();
        cell.value(row, out)?;
        let is_bare = match oid {
            types::BOOL => {
                let yes = out.since(start) == b"t";
                out.rewind(start);
                out.slice(if yes { "true" } else { "false" }.as_bytes());
                true
            }
            types::JSON | types::JSONB | types::INT2 | types::INT4 | types::INT8 | types::NUMERIC => true,
            // NaN and the infinities are no numbers of JSON.
            types::FLOAT4 | types::FLOAT8 => out.since(start).last().is_some_and(u8::is_ascii_digit),
            _ => false,
        };
        if !is_bare {
            quoted.clear();
            escape(out.since(start), &mut quoted);
            out.rewind(start);
            out.slice(&quoted);
        }
        Ok(())
    }))
}

/// PostgreSQL's `escape_json`.
fn escape(text: &[u8], to: &mut Vec<u8>) {
    to.push(b'"');
    for byte in text.iter().copied() {
        match byte {
            b'"' => to.extend_from_slice(b"\\\""),
            b'\\' => to.extend_from_slice(b"\\\\"),
            8 => to.extend_from_slice(b"\\b"),
            12 => to.extend_from_slice(b"\\f"),
            b'\n' => to.extend_from_slice(b"\\n"),
            b'\r' => to.extend_from_slice(b"\\r"),
            b'\t' => to.extend_from_slice(b"\\t"),
            0..=31 => {
                to.extend_from_slice(b"\\u00");
                to.extend_from_slice(&scalar::hex_of(byte));
            }
            _ => to.push(byte),
        }
    }
    to.push(b'"');
}
