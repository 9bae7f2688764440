//! What a log says of the values in a file: how many rows it has, and between which values they lie.
//!
//! Owns: which of it can be believed. It rules files out; it is never an answer, as a text may be cut and an instant rounded.
//! Pure.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use datafusion::common::ScalarValue;
use serde::Deserialize;
use serde_json::Value;

use crate::format::bounds::{FileBounds, Range};

/// Longer texts are no bounds: there is one for each column of each file.
const TEXT_BYTES_MAX: usize = 128;

/// Writers cut instants after the milliseconds.
const CUT_MICROS: i64 = 999;

/// Digits that a number keeps on its way through JSON.
const DIGITS_MAX: usize = 15;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    num_records: Option<u64>,
    #[serde(default)]
    min_values: HashMap<String, Value>,
    #[serde(default)]
    max_values: HashMap<String, Value>,
    #[serde(default)]
    null_count: HashMap<String, Value>,
}

/// The bounds of a file; `None` if its number of rows is not told. Columns are each with their names in the log.
pub(super) fn bounds<'a>(stats: &str, columns: impl Iterator<Item = (&'a Field, &'a str)>) -> Option<FileBounds> {
    let stats: Stats = serde_json::from_str(stats).ok()?;
    let mut bounds = FileBounds { rows: stats.num_records?, ..FileBounds::default() };
    for (field, name) in columns {
        match range(&stats, field.data_type(), name, bounds.rows) {
            Some(range) => drop(bounds.columns.insert(field.name().clone(), range)),
            None => drop(bounds.unknown.insert(field.name().clone())),
        }
    }
    Some(bounds)
}

/// The number of rows alone.
pub(super) fn without_values(stats: &str) -> Option<Box<str>> {
    let stats: Stats = serde_json::from_str(stats).ok()?;
    stats.num_records.map(|rows| format!("{{\"numRecords\":{rows}}}").into())
}

fn range(stats: &Stats, data_type: &DataType, name: &str, rows: u64) -> Option<Range> {
    let nulls = stats.null_count.get(name)?.as_u64().filter(|nulls| *nulls <= rows)?;
    if nulls == rows {
        let null = ScalarValue::try_from(data_type).ok()?;
        return Some(Range { least: null.clone(), greatest: null, nulls });
    }
    let least = bound(stats.min_values.get(name)?, data_type)?;
    let greatest = bound(stats.max_values.get(name)?, data_type)?;
    let greatest = match greatest {
        ScalarValue::TimestampMicrosecond(Some(micros), zone) => {
            ScalarValue::TimestampMicrosecond(Some(micros.saturating_add(CUT_MICROS)), zone)
        }
        other => other,
    };
    Some(Range { least, greatest, nulls })
}

/// A value of JSON as one of the column; `None` if it is none, or may have lost digits.
fn bound(value: &Value, data_type: &DataType) -> Option<ScalarValue> {
    Some(match (data_type, value) {
        (DataType::Int16, Value::Number(number)) => ScalarValue::Int16(Some(number.as_i64()?.try_into().ok()?)),
        (DataType::Int32, Value::Number(number)) => ScalarValue::Int32(Some(number.as_i64()?.try_into().ok()?)),
        (DataType::Int64, Value::Number(number)) => ScalarValue::Int64(Some(number.as_i64()?)),
        (DataType::Boolean, Value::Bool(value)) => ScalarValue::Boolean(Some(*value)),
        (DataType::Utf8View, Value::String(text)) if text.len() <= TEXT_BYTES_MAX => {
            ScalarValue::Utf8View(Some(text.clone()))
        }
        (DataType::Decimal128(precision, scale), Value::Number(number)) => {
            ScalarValue::Decimal128(Some(decimal(&number.to_string(), *scale)?), *precision, *scale)
        }
        (DataType::Date32, Value::String(text)) => {
            let date: NaiveDate = text.parse().ok()?;
            ScalarValue::Date32(Some(i32::try_from((date - NaiveDate::default()).num_days()).ok()?))
        }
        (DataType::Timestamp(TimeUnit::Microsecond, zone), Value::String(text)) => {
            ScalarValue::TimestampMicrosecond(Some(instant(text)?), zone.clone())
        }
        _ => return None,
    })
}

/// A short number as a decimal of a scale.
fn decimal(text: &str, scale: i8) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let scale = usize::try_from(scale).ok()?;
    let is_plain = part.bytes().all(|byte| byte.is_ascii_digit()) && whole.len() + part.len() <= DIGITS_MAX;
    let part = if part == "0" { "" } else { part };
    (is_plain && part.len() <= scale).then(|| format!("{whole}{part:0<scale$}").parse().ok())?
}

fn instant(text: &str) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp_micros());
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok();
    let naive = naive.or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok())?;
    Some(naive.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_rows_is_kept_without_values() {
        let full = r#"{"numRecords":7,"minValues":{"x":1},"maxValues":{"x":2},"nullCount":{"x":0}}"#;
        let short = without_values(full).unwrap();
        let field = Field::new("x", DataType::Int64, true);
        let told = bounds(&short, std::iter::once((&field, "x"))).unwrap();
        assert_eq!((told.rows, told.unknown.contains("x"), told.columns.len()), (7, true, 0));
        assert_eq!(without_values("no json"), None);
    }

    #[test]
    fn values_that_may_have_lost_digits_are_no_bounds() {
        let bound = |json: &str, data_type| bound(&serde_json::from_str(json).unwrap(), &data_type);
        let money = DataType::Decimal128(20, 2);
        let cases = [
            ("12.5", money.clone(), Some(ScalarValue::Decimal128(Some(1250), 20, 2))),
            ("-3", money.clone(), Some(ScalarValue::Decimal128(Some(-300), 20, 2))),
            ("-0.05", money.clone(), Some(ScalarValue::Decimal128(Some(-5), 20, 2))),
            ("7.0", DataType::Decimal128(5, 0), Some(ScalarValue::Decimal128(Some(7), 5, 0))),
            ("12345678901234567.89", money.clone(), None),
            ("1.234", money.clone(), None),
            ("1e30", money, None),
            ("\"2020-02-30\"", DataType::Date32, None),
            ("\"1969-12-31\"", DataType::Date32, Some(ScalarValue::Date32(Some(-1)))),
            ("70000", DataType::Int16, None),
            ("1.5", DataType::Int64, None),
        ];
        for (json, data_type, expected) in cases {
            assert_eq!(bound(json, data_type.clone()), expected, "{json} {data_type}");
        }
        assert_eq!(instant("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(instant("1970-01-01T02:00:00+02:00"), Some(0));
        assert_eq!(instant("1970-01-01T00:00:00.000"), Some(0));
    }
}
