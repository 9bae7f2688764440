//! Rows by the values of the partition columns.
//!
//! Owns: how a log writes such a value. Pure.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#partition-value-serialization>

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{SortColumn, lexsort_to_indices, partition, take_record_batch};
use arrow::datatypes::{Decimal128Type, DecimalType};
use datafusion::common::ScalarValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Fault, stats};

/// Of each partition column the text of its value; `None` is NULL.
pub(super) type Values = BTreeMap<String, Option<String>>;

/// Folders with longer names are not made: a file system may refuse them.
const FOLDER_BYTES_MAX: usize = 200;

/// What a folder's name keeps as it is; of the rest a reader would make something else.
const NAME: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The folders of a file of this partition, as Hive names them. The log alone says what its values are, but Polars asks
/// the folders.
pub(super) fn folders(values: &Values) -> String {
    let folder = |(name, value): (&String, &Option<String>)| {
        let value = value
            .as_deref()
            .map_or("__HIVE_DEFAULT_PARTITION__".into(), |value| utf8_percent_encode(value, &NAME).to_string());
        format!("{}={value}", utf8_percent_encode(name, &NAME))
    };
    let folders: Vec<String> = values.iter().map(folder).collect();
    if folders.iter().any(|folder| folder.len() > FOLDER_BYTES_MAX) {
        return String::new();
    }
    folders.into_iter().map(|folder| folder + "/").collect()
}

/// The rows of a batch in parts, each of one partition. `places` are those of the partition columns.
pub(super) fn split(batch: &RecordBatch, places: &[usize]) -> Result<Vec<(Values, RecordBatch)>, Fault> {
    if places.is_empty() {
        return Ok(vec![(Values::new(), batch.clone())]);
    }
    let failed = |error: arrow::error::ArrowError| Fault::Rows { table: String::new(), reason: error.to_string() };
    let columns = |batch: &RecordBatch| places.iter().map(|place| Arc::clone(batch.column(*place))).collect::<Vec<_>>();
    let keys = columns(batch).into_iter().map(|values| SortColumn { values, options: None });
    let order = lexsort_to_indices(&keys.collect::<Vec<_>>(), None).map_err(failed)?;
    let sorted = take_record_batch(batch, &order).map_err(failed)?;
    let keys = columns(&sorted);
    let ranges = partition(&keys).map_err(failed)?.ranges();
    let schema = sorted.schema();
    let part = |range: std::ops::Range<usize>| {
        let named = places.iter().zip(&keys).map(|(place, values)| {
            let name = schema.field(*place).name();
            Ok((name.clone(), text(name, values, range.start)?))
        });
        Ok((named.collect::<Result<Values, Fault>>()?, sorted.slice(range.start, range.len())))
    };
    ranges.into_iter().map(part).collect()
}

/// A value as a log writes it.
fn text(column: &str, values: &ArrayRef, at: usize) -> Result<Option<String>, Fault> {
    let failed = |reason: String| Fault::Rows { table: String::new(), reason };
    if values.is_null(at) {
        return Ok(None);
    }
    let value = ScalarValue::try_from_array(values, at).map_err(|error| failed(error.to_string()))?;
    let told = match &value {
        ScalarValue::Boolean(Some(value)) => Some(value.to_string()),
        ScalarValue::Int8(Some(value)) => Some(value.to_string()),
        ScalarValue::Int16(Some(value)) => Some(value.to_string()),
        ScalarValue::Int32(Some(value)) => Some(value.to_string()),
        ScalarValue::Int64(Some(value)) => Some(value.to_string()),
        ScalarValue::Utf8(Some(text)) if text.is_empty() => {
            return Err(Fault::EmptyPartition { column: column.to_owned() });
        }
        ScalarValue::Utf8(Some(text)) => Some(text.clone()),
        ScalarValue::Decimal128(Some(value), precision, scale) => {
            Some(Decimal128Type::format_decimal(*value, *precision, *scale))
        }
        ScalarValue::Date32(Some(days)) => stats::date(*days),
        ScalarValue::TimestampMicrosecond(Some(micros), Some(_)) => stats::moment(*micros, "%Y-%m-%dT%H:%M:%S%.6fZ"),
        ScalarValue::TimestampMicrosecond(Some(micros), None) => stats::moment(*micros, "%Y-%m-%d %H:%M:%S%.6f"),
        _ => None,
    };
    told.map(Some).ok_or_else(|| Fault::Feature {
        table: String::new(),
        feature: format!("the value {value} in partition column \"{column}\""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_hive_names_them() {
        let of = |values: &[(&str, Option<&str>)]| {
            folders(&values.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect())
        };
        assert_eq!(of(&[]), "");
        assert_eq!(of(&[("day", Some("2026-01-02")), ("n", None)]), "day=2026-01-02/n=__HIVE_DEFAULT_PARTITION__/");
        assert_eq!(of(&[("a b", Some("x/y=%1:2"))]), "a%20b=x%2Fy%3D%251%3A2/");
        assert_eq!(of(&[("a", Some(&"x".repeat(300)))]), "");
    }
}
