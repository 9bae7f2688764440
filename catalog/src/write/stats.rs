//! What a log tells of the values in a file, so that readers leave it out.
//!
//! Owns: which bounds are told, as readers of the protocol expect them. Pure.

use std::fmt::Write as _;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, Decimal128Type, DecimalType};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use datafusion::common::ScalarValue;

use crate::format::bounds::FileBounds;

/// Columns of which a log tells the bounds, the first ones; that of a file is one line.
const COLUMNS_MAX: usize = 32;

/// The years that all readers take.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// The statistics as JSON.
pub(super) fn text<'a>(bounds: &FileBounds, columns: impl Iterator<Item = &'a str>) -> String {
    let (mut least, mut greatest, mut nulls) = (Object::default(), Object::default(), Object::default());
    for name in columns.take(COLUMNS_MAX) {
        let Some(range) = bounds.columns.get(name) else { continue };
        nulls.add(name, &range.nulls.to_string());
        if let (Some(from), Some(to)) = (value(&range.least), value(&range.greatest)) {
            least.add(name, &from);
            greatest.add(name, &to);
        }
    }
    format!(
        "{{\"numRecords\":{},\"minValues\":{},\"maxValues\":{},\"nullCount\":{}}}",
        bounds.rows,
        least.text(),
        greatest.text(),
        nulls.text()
    )
}

#[derive(Default)]
struct Object(String);

impl Object {
    fn add(&mut self, name: &str, value: &str) {
        let separator = if self.0.is_empty() { "" } else { "," };
        let _ = write!(self.0, "{separator}{}:{value}", quoted(name));
    }

    fn text(self) -> String {
        format!("{{{}}}", self.0)
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value as JSON has it; digits of a decimal are kept. `None` is not told.
fn value(value: &ScalarValue) -> Option<String> {
    Some(match value {
        ScalarValue::Boolean(Some(value)) => value.to_string(),
        ScalarValue::Int8(Some(value)) => value.to_string(),
        ScalarValue::Int16(Some(value)) => value.to_string(),
        ScalarValue::Int32(Some(value)) => value.to_string(),
        ScalarValue::Int64(Some(value)) => value.to_string(),
        ScalarValue::Decimal128(Some(value), _, scale) => {
            Decimal128Type::format_decimal(*value, DECIMAL128_MAX_PRECISION, *scale)
        }
        ScalarValue::Utf8(Some(text)) => quoted(text),
        ScalarValue::Date32(Some(days)) => quoted(&date(*days)?),
        ScalarValue::TimestampMicrosecond(Some(micros), zone) => {
            let form = if zone.is_some() { "%Y-%m-%dT%H:%M:%S%.6fZ" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
            quoted(&moment(*micros, form)?)
        }
        _ => return None,
    })
}

/// A day, if its year has four digits.
pub(super) fn date(days: i32) -> Option<String> {
    let date = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(days)))?;
    YEARS.contains(&date.year()).then(|| date.format("%Y-%m-%d").to_string())
}

/// A moment in UTC, if its year has four digits.
pub(super) fn moment(micros: i64, form: &str) -> Option<String> {
    let moment = DateTime::from_timestamp_micros(micros)?;
    YEARS.contains(&moment.year()).then(|| moment.format(form).to_string())
}
