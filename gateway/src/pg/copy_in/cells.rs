//! From fields to columns: each column has one kind of cell, chosen once.
//!
//! Owns: values of texts and bytes, and where a wrong one stands. Must never know: lines.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, RecordBatch,
    RecordBatchOptions, StringBuilder, new_empty_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, SchemaRef};
use catalog::pg_catalog::pg_type_of;
use datafusion::scalar::ScalarValue;
use udfs::pg::input;
use udfs::pg_type;

use crate::error::{Error, Result, SqlState};
use crate::pg::encode::Format;
use crate::pg::params;
use crate::session::vars::Display;

/// A batch is full with so many rows, or bytes of what was sent.
const ROWS_MAX: usize = 8_192;
const BYTES_MAX: usize = 8 << 20;

/// What messages show of a line or a value.
const SHOWN_CHARS_MAX: usize = 100;

/// A field as it was sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a [u8]),
    Binary(&'a [u8]),
}

/// Rows that were read and not handed on.
pub(super) struct Rows {
    table: String,
    schema: SchemaRef,
    columns: Vec<Column>,
    display: Display,
    count: usize,
    bytes: usize,
    line: u64,
}

enum Column {
    Bool(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Text(StringBuilder),
    /// Every other type, value by value.
    Other(Vec<ScalarValue>),
}

impl Rows {
    pub(super) fn new(table: &str, schema: &SchemaRef, display: Display) -> Self {
        let columns = schema.fields().iter().map(|field| Column::new(field)).collect();
        let (count, bytes, line) = Default::default();
        Self { table: table.to_owned(), schema: Arc::clone(schema), columns, display, count, bytes, line }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn column_name(&self, at: usize) -> Option<&str> {
        self.schema.fields().get(at).map(|field| field.name().as_str())
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Begins a row, so many lines behind the last one.
    pub(super) fn next_line(&mut self, lines: u64) {
        self.line += lines;
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= ROWS_MAX || self.bytes >= BYTES_MAX
    }

    pub(super) fn context(&self) -> String {
        format!("COPY {}, line {}", self.table, self.line)
    }

    pub(super) fn line_context(&self, line: &str) -> String {
        format!("{}: \"{}\"", self.context(), shown(line))
    }

    pub(super) fn end_row(&mut self) {
        self.count += 1;
    }

    /// Adds a field to the row. What is no value of its column is told with its place.
    pub(super) fn push(&mut self, at: usize, cell: Cell<'_>) -> Result<()> {
        let (Some(column), Some(field)) = (self.columns.get_mut(at), self.schema.fields().get(at)) else {
            return Err(Error::internal("a field without a column"));
        };
        if let Cell::Text(bytes) | Cell::Binary(bytes) = cell {
            self.bytes += bytes.len();
        }
        column.push(cell, field, &self.display).map_err(|error| {
            let name = field.name();
            let value = match cell {
                Cell::Text(bytes) => format!(": \"{}\"", shown(&String::from_utf8_lossy(bytes))),
                Cell::Null | Cell::Binary(_) => String::new(),
            };
            error.context(format!("COPY {}, line {}, column {name}{value}", self.table, self.line))
        })
    }

    /// The rows, if they are enough or the last ones.
    pub(super) fn take(&mut self, is_end: bool) -> Result<Option<RecordBatch>> {
        if self.count == 0 || !(self.is_full() || is_end) {
            return Ok(None);
        }
        let columns = self.columns.iter_mut().zip(self.schema.fields()).map(|(column, field)| column.take(field));
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.count)));
        self.bytes = 0;
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows).map(Some).map_err(Error::internal)
    }
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Column {
    fn new(field: &Field) -> Self {
        match field.data_type() {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int16 => Self::Int2(Int16Builder::new()),
            DataType::Int32 => Self::Int4(Int32Builder::new()),
            DataType::Int64 => Self::Int8(Int64Builder::new()),
            DataType::Float32 => Self::Float4(Float32Builder::new()),
            DataType::Float64 => Self::Float8(Float64Builder::new()),
            DataType::Utf8 if pg_type::tag(field).is_none() => Self::Text(StringBuilder::new()),
            _ => Self::Other(Vec::new()),
        }
    }

    fn push(&mut self, cell: Cell<'_>, field: &Field, display: &Display) -> Result<()> {
        let bytes = match cell {
            Cell::Null => {
                self.push_null(field)?;
                return Ok(());
            }
            Cell::Text(bytes) => bytes,
            Cell::Binary(bytes) => return self.push_scalar(scalar(bytes, Format::Binary, field, display)?),
        };
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Error::new(SqlState::CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"")
        })?;
        match self {
            Self::Bool(values) => values.append_value(input::boolean(text)?),
            Self::Int2(values) => values.append_value(integer(text, "smallint")?),
            Self::Int4(values) => values.append_value(integer(text, "integer")?),
            Self::Int8(values) => values.append_value(integer(text, "bigint")?),
            Self::Float4(values) => values.append_value(input::single(text)?),
            Self::Float8(values) => values.append_value(input::double(text)?),
            Self::Text(values) => values.append_value(text),
            Self::Other(values) => values.push(scalar(bytes, Format::Text, field, display)?),
        }
        Ok(())
    }

    fn push_null(&mut self, field: &Field) -> Result<()> {
        match self {
            Self::Bool(values) => values.append_null(),
            Self::Int2(values) => values.append_null(),
            Self::Int4(values) => values.append_null(),
            Self::Int8(values) => values.append_null(),
            Self::Float4(values) => values.append_null(),
            Self::Float8(values) => values.append_null(),
            Self::Text(values) => values.append_null(),
            Self::Other(values) => values.push(ScalarValue::try_from(field.data_type())?),
        }
        Ok(())
    }

    fn push_scalar(&mut self, value: ScalarValue) -> Result<()> {
        match (self, value) {
            (Self::Bool(values), ScalarValue::Boolean(value)) => values.append_option(value),
            (Self::Int2(values), ScalarValue::Int16(value)) => values.append_option(value),
            (Self::Int4(values), ScalarValue::Int32(value)) => values.append_option(value),
            (Self::Int8(values), ScalarValue::Int64(value)) => values.append_option(value),
            (Self::Float4(values), ScalarValue::Float32(value)) => values.append_option(value),
            (Self::Float8(values), ScalarValue::Float64(value)) => values.append_option(value),
            (Self::Text(values), ScalarValue::Utf8(value)) => values.append_option(value),
            (Self::Other(values), value) => values.push(value),
            (_, value) => return Err(Error::internal(format!("a value of another type: {value:?}"))),
        }
        Ok(())
    }

    fn take(&mut self, field: &Field) -> Result<ArrayRef> {
        Ok(match self {
            Self::Bool(values) => Arc::new(values.finish()),
            Self::Int2(values) => Arc::new(values.finish()),
            Self::Int4(values) => Arc::new(values.finish()),
            Self::Int8(values) => Arc::new(values.finish()),
            Self::Float4(values) => Arc::new(values.finish()),
            Self::Float8(values) => Arc::new(values.finish()),
            Self::Text(values) => Arc::new(values.finish()),
            Self::Other(values) if values.is_empty() => new_empty_array(field.data_type()),
            Self::Other(values) => {
                let values = ScalarValue::iter_to_array(std::mem::take(values))?;
                let options = CastOptions { safe: false, ..Default::default() };
                cast_with_options(&values, field.data_type(), &options)?
            }
        })
    }
}

/// Most integers are digits; what is not is read as PostgreSQL reads it, and refused in its words.
fn integer<T: TryFrom<i128> + std::str::FromStr>(text: &str, of: &'static str) -> Result<T> {
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    let value = input::whole(text, of)?;
    T::try_from(value).map_err(|_| Error::new(SqlState::NumericValueOutOfRange, format!("{of} out of range")))
}

/// A value of a type that has no builder of its own. A numeric is rounded to the digits of its column.
fn scalar(bytes: &[u8], format: Format, field: &Field, display: &Display) -> Result<ScalarValue> {
    let DataType::Decimal128(precision, scale) = field.data_type() else {
        // What keeps texts of a type takes what is read as one of it.
        let oid = pg_type::tag(field).map_or(0, |_| pg_type_of(field).oid);
        return params::decode_as(Some(bytes), format, oid, field, display);
    };
    let free = pg_type::tagged("", udfs::pg::numeric::kind::OWN, "numeric");
    let value = params::decode_as(Some(bytes), format, 0, &free, display)?;
    let options = CastOptions { safe: false, ..Default::default() };
    value.cast_to_with_options(field.data_type(), &options).map_err(|_| {
        let digits = i16::from(*precision) - i16::from(*scale);
        Error::new(SqlState::NumericValueOutOfRange, "numeric field overflow").detail(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value less than 10^{digits}."
        ))
    })
}
