//! What the footer of a file showed, as it is kept: its schema, its rows, and the bounds of its columns.
//!
//! Owns: the written form of a bound. Must never know: when it is believed.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use datafusion::common::ScalarValue;
use serde_json::Value;

use super::Look;
use crate::format::bounds::{FileBounds, Range};
use crate::pinned::Pinned;
use crate::remembered::Kept;

/// The least and the greatest value and the number of NULLs of each column of the schema; `None` if they are unknown.
type Columns = Vec<Option<(Value, Value, u64)>>;

impl Kept for Look {
    type Shared = Schema;

    fn shared(&self) -> &Schema {
        &self.schema
    }

    fn shared_to(shared: &Schema) -> Option<String> {
        schema_to(shared)
    }

    fn shared_from(text: &str) -> Option<Schema> {
        schema_from(text)
    }

    fn own_to(&self) -> Option<String> {
        told(&self.schema, self.rows, &self.bounds)
    }

    fn from_parts(shared: &Schema, own: &str, _: &Arc<Pinned>) -> Option<Self> {
        let (rows, bounds) = from_told(shared, own)?;
        Some(Self { schema: shared.clone(), rows, bounds })
    }
}

/// The columns of a file, as they are written.
pub(crate) fn schema_to(schema: &Schema) -> Option<String> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema).ok()?;
    writer.finish().ok()?;
    let text = serde_json::to_string(&writer.into_inner().ok()?).ok()?;
    // What is read again must be what was found.
    (schema_from(&text).as_ref() == Some(schema)).then_some(text)
}

/// The same from what was written.
pub(crate) fn schema_from(text: &str) -> Option<Schema> {
    let bytes: Vec<u8> = serde_json::from_str(text).ok()?;
    // The decoder panics at some of what it does not know.
    let read = || StreamReader::try_new(bytes.as_slice(), None).map(|reader| reader.schema());
    Some(Arc::unwrap_or_clone(std::panic::catch_unwind(read).ok()?.ok()?))
}

/// The rows of a file and the bounds of its columns, as they are written.
pub(crate) fn told(schema: &Schema, rows: usize, bounds: &FileBounds) -> Option<String> {
    let column = |name: &String, data_type: &DataType| match bounds.columns.get(name) {
        None => Some(None),
        Some(range) => Some(Some((value(&range.least, data_type)?, value(&range.greatest, data_type)?, range.nulls))),
    };
    let fields = schema.fields().iter();
    let columns: Columns = fields.map(|field| column(field.name(), field.data_type())).collect::<Option<_>>()?;
    serde_json::to_string(&(rows, columns)).ok()
}

/// The same from what was written.
pub(crate) fn from_told(schema: &Schema, told: &str) -> Option<(usize, FileBounds)> {
    let (rows, columns): (usize, Columns) = serde_json::from_str(told).ok()?;
    if columns.len() != schema.fields().len() {
        return None;
    }
    let mut bounds = FileBounds { rows: rows as u64, ..FileBounds::default() };
    for (field, column) in schema.fields().iter().zip(columns) {
        let Some((least, greatest, nulls)) = column else {
            bounds.unknown.insert(field.name().clone());
            continue;
        };
        let bound = |value: &Value| bound(value, field.data_type());
        let range = Range { least: bound(&least)?, greatest: bound(&greatest)?, nulls };
        bounds.columns.insert(field.name().clone(), range);
    }
    Some((rows, bounds))
}

/// A bound as it is written; `None` if it is of another type than the column, or of one that has no bounds.
fn value(value: &ScalarValue, data_type: &DataType) -> Option<Value> {
    if value.data_type() != *data_type {
        return None;
    }
    Some(match value {
        null if null.is_null() => Value::Null,
        ScalarValue::Boolean(Some(value)) => (*value).into(),
        ScalarValue::Int8(Some(value)) => (*value).into(),
        ScalarValue::Int16(Some(value)) => (*value).into(),
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => (*value).into(),
        ScalarValue::Int64(Some(value))
        | ScalarValue::TimestampMillisecond(Some(value), _)
        | ScalarValue::TimestampMicrosecond(Some(value), _)
        | ScalarValue::TimestampNanosecond(Some(value), _) => (*value).into(),
        ScalarValue::UInt8(Some(value)) => (*value).into(),
        ScalarValue::UInt16(Some(value)) => (*value).into(),
        ScalarValue::UInt32(Some(value)) => (*value).into(),
        ScalarValue::UInt64(Some(value)) => (*value).into(),
        ScalarValue::Decimal128(Some(value), ..) => value.to_string().into(),
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            text.as_str().into()
        }
        _ => return None,
    })
}

/// A bound from what was written of it.
fn bound(value: &Value, data_type: &DataType) -> Option<ScalarValue> {
    if value.is_null() {
        return ScalarValue::try_from(data_type).ok();
    }
    fn integer<T: TryFrom<i64>>(value: &Value) -> Option<Option<T>> {
        T::try_from(value.as_i64()?).ok().map(Some)
    }
    let text = || value.as_str().map(|text| Some(text.to_owned()));
    Some(match data_type {
        DataType::Boolean => ScalarValue::Boolean(Some(value.as_bool()?)),
        DataType::Int8 => ScalarValue::Int8(integer(value)?),
        DataType::Int16 => ScalarValue::Int16(integer(value)?),
        DataType::Int32 => ScalarValue::Int32(integer(value)?),
        DataType::Int64 => ScalarValue::Int64(integer(value)?),
        DataType::UInt8 => ScalarValue::UInt8(integer(value)?),
        DataType::UInt16 => ScalarValue::UInt16(integer(value)?),
        DataType::UInt32 => ScalarValue::UInt32(integer(value)?),
        DataType::UInt64 => ScalarValue::UInt64(Some(value.as_u64()?)),
        DataType::Date32 => ScalarValue::Date32(integer(value)?),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            ScalarValue::TimestampMillisecond(integer(value)?, zone.clone())
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            ScalarValue::TimestampMicrosecond(integer(value)?, zone.clone())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            ScalarValue::TimestampNanosecond(integer(value)?, zone.clone())
        }
        DataType::Decimal128(precision, scale) => {
            ScalarValue::Decimal128(Some(value.as_str()?.parse().ok()?), *precision, *scale)
        }
        DataType::Utf8 => ScalarValue::Utf8(text()?),
        DataType::LargeUtf8 => ScalarValue::LargeUtf8(text()?),
        DataType::Utf8View => ScalarValue::Utf8View(text()?),
        _ => return None,
    })
}
