//! Rows of a batch as PostgreSQL's texts, in JSON and in CSV.
//!
//! Owns: how a column becomes text, decided once a stream. Must never know: how any type looks; the session's output functions
//! do.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, FieldRef, UInt32Type};
use catalog::pg_catalog::{Registry, pg_type_of};
use serde_json::{Value, json};
use udfs::pg_type;
use udfs::settings::Output;

use crate::engine::QueryStream;
use crate::error::{Error, Result};

/// The columns of one result.
pub(super) struct Cells {
    fields: Vec<FieldRef>,
    output: Arc<dyn Output>,
    registry: Option<Arc<Registry>>,
}

impl Cells {
    pub(super) fn of(stream: &QueryStream, output: Arc<dyn Output>) -> Self {
        let fields = stream.schema().fields().iter().map(Arc::clone).collect();
        Self { fields, output, registry: stream.registry() }
    }

    /// Their names and types.
    pub(super) fn described(&self) -> Value {
        let column = |field: &FieldRef| json!({ "name": field.name(), "type": pg_type_of(field).name });
        self.fields.iter().map(column).collect()
    }

    /// Rows as an array of arrays of texts and nulls.
    pub(super) fn json(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns = self.texts(batch)?;
        out.push(b'[');
        for row in 0..batch.num_rows() {
            out.extend_from_slice(if row == 0 { b"[" } else { b",[" });
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                match column.is_valid(row) {
                    true => serde_json::to_writer(&mut *out, column.value(row)).map_err(Error::internal)?,
                    false => out.extend_from_slice(b"null"),
                }
            }
            out.push(b']');
        }
        out.push(b']');
        Ok(())
    }

    /// The line with the names, as COPY writes it.
    pub(super) fn csv_head(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            quoted(field.name(), self.fields.len() == 1, &mut out);
        }
        out.push(b'\n');
        out
    }

    /// Rows as COPY writes them in CSV: NULL is nothing, and an empty text is in quotes.
    pub(super) fn csv(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let (columns, mut out) = (self.texts(batch)?, Vec::new());
        for row in 0..batch.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                if column.is_valid(row) {
                    quoted(column.value(row), columns.len() == 1, &mut out);
                }
            }
            out.push(b'\n');
        }
        Ok(out)
    }

    fn texts(&self, batch: &RecordBatch) -> Result<Vec<StringArray>> {
        self.fields.iter().zip(batch.columns()).map(|(field, values)| self.text(field, values)).collect()
    }

    fn text(&self, field: &FieldRef, values: &ArrayRef) -> Result<StringArray> {
        match pg_type::tag(field) {
            Some(tag) if tag.starts_with("reg") && *field.data_type() == DataType::UInt32 => {
                Ok(self.names(values, tag))
            }
            _ => {
                let texts = self.output.texts(values, field)?;
                let texts = texts.as_string_opt::<i32>().cloned();
                texts.ok_or_else(|| Error::internal("an output function gives no text"))
            }
        }
    }

    /// What OIDs mean.
    fn names(&self, values: &ArrayRef, of: &str) -> StringArray {
        let mut known: HashMap<u32, String> = HashMap::new();
        let registry = self.registry.as_deref();
        let oids = values.as_primitive_opt::<UInt32Type>().into_iter().flatten();
        let names = oids.map(|oid| {
            oid.map(|oid| {
                let name = || registry.and_then(|registry| registry.text(of, oid)).unwrap_or_else(|| oid.to_string());
                known.entry(oid).or_insert_with(name).clone()
            })
        });
        names.collect()
    }
}

/// A value with quotes where it needs them. Alone in its line `\.` would be the end of the file.
fn quoted(value: &str, is_alone: bool, out: &mut Vec<u8>) {
    let is_end = is_alone && value == "\\.";
    if !value.is_empty() && !value.contains([',', '"', '\n', '\r']) && !is_end {
        return out.extend_from_slice(value.as_bytes());
    }
    out.push(b'"');
    for (at, part) in value.split('"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_value_is_quoted_where_it_must_be() {
        for (value, alone, expect) in [
            ("a b", false, "a b"),
            ("", false, "\"\""),
            ("a,b", false, "\"a,b\""),
            ("say \"x\"", false, "\"say \"\"x\"\"\""),
            ("two\nlines", false, "\"two\nlines\""),
            ("\\.", true, "\"\\.\""),
            ("\\.", false, "\\."),
        ] {
            let mut out = Vec::new();
            quoted(value, alone, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        }
    }
}
