//! Rows as values: ROW(...), rows of relations, and structs of files.
//!
//! Owns: `record_out` and `record_send`. Must never know: how a field looks; its own writer does.
//! <https://www.postgresql.org/docs/16/rowtypes.html#ROWTYPES-IO-SYNTAX>

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};

use super::cell::{self, BoxCell, Column, Look, each};
use super::row::Format;
use super::writer::Writer;
use crate::error::Result;

pub(super) fn cell(array: &ArrayRef, column: &Column, look: &Arc<Look>) -> Result<BoxCell> {
    let rows = array.as_struct();
    let mut fields = Vec::with_capacity(rows.num_columns());
    for (field, values) in rows.fields().iter().zip(rows.columns()) {
        let column = Column::new(field, column.format)?;
        fields.push((column.oid.to_be_bytes(), cell::bind(values, &column, look)?));
    }
    let nulls = array.nulls();
    Ok(match column.format {
        Format::Text => {
            let mut quoted = Vec::new();
            each(nulls, move |row, out| {
                out.byte(b'(');
                for (at, (_, field)) in fields.iter_mut().enumerate() {
                    if at > 0 {
                        out.byte(b',');
                    }
                    if !field.is_null(row) {
                        let start = out.at();
                        field.value(row, out)?;
                        quote(start, &mut quoted, out);
                    }
                }
                out.byte(b')');
                Ok(())
            })
        }
        Format::Binary => {
            let count = i32::try_from(fields.len()).unwrap_or(i32::MAX).to_be_bytes();
            each(nulls, move |row, out| {
                out.array(&count);
                fields.iter_mut().try_for_each(|(oid, field)| {
                    out.array(oid);
                    field.field(row, out)
                })
            })
        }
    })
}

/// Quotes the field written from `start` on, where it would not read back as itself.
fn quote(start: usize, quoted: &mut Vec<u8>, out: &mut Writer<'_>) {
    let field = out.since(start);
    let special =
        |byte: &u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 11 | 12);
    if !field.is_empty() && !field.iter().any(special) {
        return;
    }
    quoted.clear();
    quoted.push(b'"');
    for byte in field {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(*byte);
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    out.rewind(start);
    out.slice(quoted);
}
