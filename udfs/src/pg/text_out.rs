//! `lakegate_text_out(x)` - PostgreSQL's output functions of moments, intervals, floats, arrays and rows.
//!
//! Casts to text are planned as calls of it. Dates follow ISO 8601 with a space before the time, whatever `DateStyle`
//! is; a timestamptz shows the wall clock and the offset of its column's zone. NULL gives NULL. Users never name it.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-DATETIME-OUTPUT>

use std::fmt::Write;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, FieldRef, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::civil::Civil;
use super::interval::{self, MICROS_PER_HOUR, MICROS_PER_SECOND, Style};
use super::out::{Form, Values};
use super::zone::Zone;
use crate::function::strict;

/// Whether a plain cast of the type to text would not write as PostgreSQL does.
pub fn applies(from: &DataType) -> bool {
    matches!(
        from,
        DataType::Date32
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Interval(IntervalUnit::MonthDayNano)
            | DataType::Float32
            | DataType::Float64
    ) || from.is_nested()
}

/// The function.
pub fn text_out() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(TextOut { signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TextOut {
    signature: Signature,
}

impl ScalarUDFImpl for TextOut {
    fn name(&self) -> &str {
        "lakegate_text_out"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(values)] => ColumnarValue::Array(texts(values, &args)?),
            [ColumnarValue::Scalar(value)] => {
                let text = texts(&value.to_array_of_size(1)?, &args)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&text, 0)?)
            }
            _ => return exec_err!("{} takes one value", self.name()),
        })
    }
}

fn texts(values: &ArrayRef, args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    match values.data_type() {
        DataType::Date32 => write::<Date32Type>(values, |out, days| {
            date(out, days);
            Ok(())
        }),
        DataType::Time64(_) => {
            let values = cast(values, &DataType::Time64(TimeUnit::Microsecond))?;
            write::<Time64MicrosecondType>(&values, |out, micros| {
                time(out, micros);
                Ok(())
            })
        }
        DataType::Timestamp(_, zone) => {
            let values = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            let zone = zone.as_deref().map(Zone::of_session).transpose()?;
            write::<TimestampMicrosecondType>(&values, |out, micros| {
                let offset = zone.map_or(Ok(0), |zone| zone.offset_at(micros))?;
                let local = micros.saturating_add(i64::from(offset) * MICROS_PER_SECOND);
                timestamp(out, local, zone.map(|_| offset), Clock::Iso);
                Ok(())
            })
        }
        DataType::Interval(_) => write::<IntervalMonthDayNanoType>(values, |out, span| {
            out.push_str(&interval::format(&span, Style::Postgres));
            Ok(())
        }),
        _ => general(values, args),
    }
}

/// The text of values of any type.
fn general(values: &ArrayRef, args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let Some(field) = args.arg_fields.first() else { return exec_err!("the text of nothing") };
    let zone = Zone::of_session(args.config_options.execution.time_zone.as_deref().unwrap_or("UTC"))?;
    let values = Values::new(values, field, Form::Text, zone)?;
    let rows = args.args.first().map_or(0, |arg| match arg {
        ColumnarValue::Array(array) => array.len(),
        ColumnarValue::Scalar(_) => 1,
    });
    let mut out = StringBuilder::with_capacity(rows, rows * 16);
    let mut text = String::new();
    for row in 0..rows {
        if values.is_null(row) {
            out.append_null();
            continue;
        }
        text.clear();
        values.write(row, &mut text)?;
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}

/// How a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// With a blank before the time, and as much of the offset as there is.
    Iso,
    /// With a `T`, and minutes in every offset: XML Schema's form, and JSON's.
    Xsd,
}

fn write<T: ArrowPrimitiveType>(
    values: &ArrayRef,
    one: impl Fn(&mut String, T::Native) -> Result<()>,
) -> Result<ArrayRef> {
    let mut out = StringBuilder::with_capacity(values.len(), values.len() * 24);
    let mut text = String::new();
    for value in values.as_primitive::<T>() {
        text.clear();
        if let Some(value) = value {
            one(&mut text, value)?;
        }
        out.append_option(value.map(|_| &text));
    }
    Ok(Arc::new(out.finish()))
}

/// Writing to a `String` does not fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// Year 0 of the calendar is 1 BC.
pub(crate) fn date(out: &mut String, days: i32) {
    let civil = Civil::from_date(days);
    day(out, &civil);
    if civil.year < 1 {
        out.push_str(" BC");
    }
}

fn day(out: &mut String, civil: &Civil) {
    let year = if civil.year < 1 { 1 - civil.year } else { civil.year };
    put(out, format_args!("{year:04}-{:02}-{:02}", civil.month, civil.day));
}

/// `01:02:03.5`, without zeros at its end.
pub(crate) fn time(out: &mut String, micros: i64) {
    let (hour, rest) = (micros / MICROS_PER_HOUR, micros % MICROS_PER_HOUR);
    let (seconds, fraction) = (rest / MICROS_PER_SECOND, rest % MICROS_PER_SECOND);
    put(out, format_args!("{hour:02}:{:02}:{:02}", seconds / 60, seconds % 60));
    if fraction != 0 {
        put(out, format_args!(".{fraction:06}"));
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// The wall clock, and its offset from UTC in seconds.
pub(crate) fn timestamp(out: &mut String, local: i64, offset: Option<i32>, clock: Clock) {
    match local {
        i64::MAX => return out.push_str("infinity"),
        i64::MIN => return out.push_str("-infinity"),
        _ => {}
    }
    let civil = Civil::from_micros(local);
    day(out, &civil);
    out.push(if clock == Clock::Iso { ' ' } else { 'T' });
    time(out, civil.micros);
    if let Some(offset) = offset {
        let (sign, seconds) = (if offset < 0 { '-' } else { '+' }, offset.abs());
        put(out, format_args!("{sign}{:02}", seconds / 3_600));
        if seconds % 3_600 != 0 || clock == Clock::Xsd {
            put(out, format_args!(":{:02}", seconds / 60 % 60));
        }
        if seconds % 60 != 0 {
            put(out, format_args!(":{:02}", seconds % 60));
        }
    }
    if civil.year < 1 {
        out.push_str(" BC");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{moment, moment_tz, shown, span};

    #[test]
    fn values_are_written_as_postgres_writes_them() {
        let zoned = |text: &str| match moment_tz(text) {
            ScalarValue::TimestampMicrosecond(value, _) => {
                ScalarValue::TimestampMicrosecond(value, Some("Asia/Kathmandu".into()))
            }
            other => other,
        };
        for (value, expect) in [
            (moment("2024-02-29T12:34:56.700"), "2024-02-29 12:34:56.7"),
            (moment("1700-01-01T00:00:00"), "1700-01-01 00:00:00"),
            (moment_tz("2024-02-29T12:34:56"), "2024-02-29 12:34:56+00"),
            (zoned("2024-02-29T12:00:00"), "2024-02-29 17:45:00+05:45"),
            (ScalarValue::Date32(Some(-719_528)), "0001-01-01 BC"),
            (ScalarValue::Time64Microsecond(Some(86_400_000_000)), "24:00:00"),
            (span("1 day 0.5 sec"), "1 day 00:00:00.5"),
            (ScalarValue::Date32(None), "NULL"),
        ] {
            assert_eq!(shown(&text_out(), &[value]), expect);
        }
    }
}
