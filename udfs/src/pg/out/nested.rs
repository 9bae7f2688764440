//! Arrays, rows, maps and unions.
//!
//! Owns: `array_out`, `record_out`, and their JSON. Must never know: how a value without parts looks.
//! <https://www.postgresql.org/docs/16/rowtypes.html#ROWTYPES-IO-SYNTAX>

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;

use super::{COMPACT, Form, Values, Write};
use crate::pg::json::escape;
use crate::pg::zone::Zone;
use crate::pg_type;

pub(super) fn list(array: &ArrayRef, field: &Field, form: Form, zone: Zone) -> Result<Write> {
    let lists = array.as_list::<i32>().clone();
    // The array's tag is that of its elements, for within the type it would make two types of one.
    let item = match (lists.data_type(), pg_type::tag(field)) {
        (DataType::List(item), Some(tag)) if pg_type::tag(item).is_none() => {
            let tag = if item.data_type().is_nested() { tag } else { tag.strip_prefix('_').unwrap_or(tag) };
            pg_type::tagged("", item.data_type().clone(), tag)
        }
        (DataType::List(item), _) => item.as_ref().clone(),
        _ => Field::new("", DataType::Null, true),
    };
    let nests = matches!(item.data_type(), DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..));
    let elements = Values::new(lists.values(), &item, form.inner(), zone)?;
    let offsets = lists.offsets().clone();
    Ok(Box::new(move |row, out| {
        let bound = |at: usize| offsets.get(at).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
        let (start, end) = (bound(row), bound(row + 1));
        out.push(if form == Form::Text { '{' } else { '[' });
        for at in start..end {
            if at > start {
                out.push_str(form.separator());
            }
            match form {
                Form::Json { .. } => elements.write_json(at, out)?,
                Form::Text if elements.is_null(at) => out.push_str("NULL"),
                Form::Text => {
                    let before = out.len();
                    elements.write(at, out)?;
                    if !nests {
                        quote_element(before, out);
                    }
                }
            }
        }
        out.push(if form == Form::Text { '}' } else { ']' });
        Ok(())
    }))
}

pub(super) fn composite(array: &ArrayRef, form: Form, zone: Zone) -> Result<Write> {
    let rows = array.as_struct();
    let mut columns = Vec::with_capacity(rows.num_columns());
    for (field, values) in rows.fields().iter().zip(rows.columns()) {
        let mut key = String::new();
        escape(field.name(), &mut key);
        key.push(':');
        columns.push((key, Values::new(values, field, form.inner(), zone)?));
    }
    Ok(match form {
        Form::Json { .. } => Box::new(move |row, out| {
            out.push('{');
            for (at, (key, values)) in columns.iter().enumerate() {
                if at > 0 {
                    out.push_str(form.separator());
                }
                out.push_str(key);
                values.write_json(row, out)?;
            }
            out.push('}');
            Ok(())
        }),
        Form::Text => Box::new(move |row, out| {
            out.push('(');
            for (at, (_, values)) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if !values.is_null(row) {
                    let before = out.len();
                    values.write(row, out)?;
                    quote_field(before, out);
                }
            }
            out.push(')');
            Ok(())
        }),
    })
}

/// Keys that are no strings are quoted, for JSON has no others.
pub(super) fn map(array: &ArrayRef, zone: Zone) -> Result<Write> {
    let map = array.as_map().clone();
    let (key_field, value_field) = map.entries_fields();
    let keys = Values::new(map.keys(), key_field, COMPACT, zone)?;
    let values = Values::new(map.values(), value_field, COMPACT, zone)?;
    Ok(Box::new(move |row, out| {
        let bound = |at: usize| map.offsets().get(at).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
        out.push('{');
        for at in bound(row)..bound(row + 1) {
            if at > bound(row) {
                out.push(',');
            }
            let before = out.len();
            keys.write_json(at, out)?;
            if !out.get(before..).is_some_and(|key| key.starts_with('"')) {
                let key = out.split_off(before);
                escape(&key, out);
            }
            out.push(':');
            values.write_json(at, out)?;
        }
        out.push('}');
        Ok(())
    }))
}

/// A union is the value that it holds.
pub(super) fn union(array: &ArrayRef, form: Form, zone: Zone) -> Result<Write> {
    let union = array.as_union().clone();
    let mut children = Vec::new();
    if let DataType::Union(fields, _) = array.data_type() {
        for (id, field) in fields.iter() {
            children.push((id, Values::new(union.child(id), field, form, zone)?));
        }
    }
    Ok(Box::new(move |row, out| {
        let (id, at) = (union.type_id(row), union.value_offset(row));
        match children.iter().find(|(child, _)| *child == id) {
            Some((_, values)) => values.write_json(at, out),
            None => Ok(()),
        }
    }))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 11 | 12)
}

/// Quotes an element of an array that would not read back as itself.
fn quote_element(from: usize, out: &mut String) {
    let text = out.get(from..).unwrap_or_default();
    let special = |byte: u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',') || is_space(byte);
    if text.is_empty() || text.eq_ignore_ascii_case("null") || text.bytes().any(special) {
        quote(from, out, "\\\"", "\\\\");
    }
}

/// Quotes a field of a row that would not read back as itself.
fn quote_field(from: usize, out: &mut String) {
    let text = out.get(from..).unwrap_or_default();
    let special = |byte: u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b',') || is_space(byte);
    if text.is_empty() || text.bytes().any(special) {
        quote(from, out, "\"\"", "\\\\");
    }
}

fn quote(from: usize, out: &mut String, for_quote: &str, for_backslash: &str) {
    let text = out.split_off(from);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str(for_quote),
            '\\' => out.push_str(for_backslash),
            other => out.push(other),
        }
    }
    out.push('"');
}
