//! Values without parts.
//!
//! Owns: their texts, and which of them stand bare in JSON. Must never know: arrays, rows.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, UInt64Type,
};
use datafusion::common::{Result, exec_err};

use super::clock::{Clock, date, time, timestamp};
use super::{Form, Write, float};
use crate::pg::interval::{self, MICROS_PER_SECOND, Style};
use crate::pg::json::escape;
use crate::pg::numeric::{kind, text};
use crate::pg::zone::Zone;
use crate::pg_type;

/// How a text stands in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// Numbers, truth values and JSON itself.
    None,
    /// A float that is finite stands bare.
    UnlessNumber,
    /// A string that needs no escapes.
    Plain,
    Escaped,
}

pub(super) fn scalar(array: &ArrayRef, field: &Field, form: Form, zone: Zone) -> Result<Write> {
    let tag = pg_type::tag(field);
    let clock = if form == Form::Text { Clock::Iso } else { Clock::Xsd };
    let (write, quotes): (Write, Quotes) = match array.data_type() {
        DataType::Null => (Box::new(|_, _| Ok(())), Quotes::None),
        DataType::Boolean => (boolean(array, form), Quotes::None),
        DataType::UInt64 => (values::<UInt64Type>(array, display), Quotes::None),
        integer if integer.is_integer() => {
            let is_number = tag.is_none_or(|tag| matches!(tag, "int2" | "int4" | "int8"));
            let array = cast(array, &DataType::Int64)?;
            (values::<Int64Type>(&array, display), if is_number { Quotes::None } else { Quotes::Plain })
        }
        DataType::Float64 => (values::<Float64Type>(array, float::double), Quotes::UnlessNumber),
        DataType::Float32 | DataType::Float16 => {
            let array = cast(array, &DataType::Float32)?;
            (values::<Float32Type>(&array, float::single), Quotes::UnlessNumber)
        }
        decimal if decimal.is_decimal() => numeric(array, tag)?,
        DataType::Utf8 => {
            let texts = array.as_string::<i32>().clone();
            let write = move |row: usize, out: &mut String| {
                out.push_str(texts.value(row));
                Ok(())
            };
            let is_json = matches!(tag, Some("json" | "jsonb"));
            (Box::new(write), if is_json { Quotes::None } else { Quotes::Escaped })
        }
        DataType::Binary => (bytes(array, tag), Quotes::Escaped),
        DataType::Date32 | DataType::Date64 => {
            let array = cast(array, &DataType::Date32)?;
            (values::<Date32Type>(&array, |days, out| date(out, days)), Quotes::Plain)
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let array = cast(array, &DataType::Time64(TimeUnit::Microsecond))?;
            (values::<Time64MicrosecondType>(&array, |micros, out| time(out, micros)), Quotes::Plain)
        }
        DataType::Timestamp(_, zoned) => (moment(array, zoned.as_ref().map(|_| zone), clock)?, Quotes::Plain),
        DataType::Interval(_) | DataType::Duration(_) => {
            let array = cast(array, &DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano))?;
            let write = |span, out: &mut String| out.push_str(&interval::format(&span, Style::Postgres));
            (values::<IntervalMonthDayNanoType>(&array, write), Quotes::Plain)
        }
        other => return exec_err!("no text of {other}"),
    };
    Ok(match form {
        Form::Text => write,
        Form::Json { .. } => quoted(write, quotes),
    })
}

fn quoted(write: Write, quotes: Quotes) -> Write {
    match quotes {
        Quotes::None => write,
        Quotes::UnlessNumber => Box::new(move |row, out| {
            let start = out.len();
            write(row, out)?;
            if !out.ends_with(|last: char| last.is_ascii_digit()) {
                out.insert(start, '"');
                out.push('"');
            }
            Ok(())
        }),
        Quotes::Plain => Box::new(move |row, out| {
            out.push('"');
            write(row, out)?;
            out.push('"');
            Ok(())
        }),
        Quotes::Escaped => Box::new(move |row, out| {
            let start = out.len();
            write(row, out)?;
            let text = out.split_off(start);
            escape(&text, out);
            Ok(())
        }),
    }
}

fn values<T: ArrowPrimitiveType>(array: &ArrayRef, write: impl Fn(T::Native, &mut String) + 'static) -> Write {
    let values = array.as_primitive::<T>().clone();
    Box::new(move |row, out| {
        write(values.value(row), out);
        Ok(())
    })
}

fn display(value: impl std::fmt::Display, out: &mut String) {
    let _ = write!(out, "{value}");
}

fn boolean(array: &ArrayRef, form: Form) -> Write {
    let flags = array.as_boolean().clone();
    let [yes, no] = if form == Form::Text { ["t", "f"] } else { ["true", "false"] };
    Box::new(move |row, out| {
        out.push_str(if flags.value(row) { yes } else { no });
        Ok(())
    })
}

fn moment(array: &ArrayRef, zone: Option<Zone>, clock: Clock) -> Result<Write> {
    let of = array.data_type().clone();
    let zoned = if let DataType::Timestamp(_, zoned) = of { zoned } else { None };
    let instants = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zoned))?;
    let instants = instants.as_primitive::<TimestampMicrosecondType>().clone();
    Ok(Box::new(move |row, out| {
        let micros = instants.value(row);
        let offset = zone.map(|zone| zone.offset_at(micros)).transpose()?;
        let local = micros.saturating_add(i64::from(offset.unwrap_or_default()) * MICROS_PER_SECOND);
        timestamp(out, local, offset, clock);
        Ok(())
    }))
}

/// Numerics stand bare, amounts of money are strings.
fn numeric(array: &ArrayRef, tag: Option<&str>) -> Result<(Write, Quotes)> {
    if tag == Some("money") {
        let cents = cast(array, &DataType::Decimal128(38, 2))?;
        return Ok((values::<Decimal128Type>(&cents, money), Quotes::Plain));
    }
    let shown = kind::shown(array.data_type());
    let write = match array.data_type() {
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            values::<Decimal256Type>(array, move |value, out| {
                let (value, scale) = kind::wide_shown_as(value, scale, shown);
                decimal(&value, scale, out);
            })
        }
        other => {
            let (precision, scale) = match other {
                DataType::Decimal32(precision, scale)
                | DataType::Decimal64(precision, scale)
                | DataType::Decimal128(precision, scale) => (*precision, *scale),
                other => return exec_err!("{other} is no numeric"),
            };
            let array = cast(array, &DataType::Decimal128(precision, scale))?;
            values::<Decimal128Type>(&array, move |value, out| {
                let (value, scale) = kind::shown_as(value, scale, shown);
                decimal(&value, scale, out);
            })
        }
    };
    Ok((write, Quotes::None))
}

fn decimal(value: &impl std::fmt::Display, scale: i8, out: &mut String) {
    let mut digits = value.to_string();
    if scale < 0 {
        digits.extend(std::iter::repeat_n('0', scale.unsigned_abs().into()));
    }
    text::point(&digits, usize::try_from(scale).unwrap_or_default(), out);
}

fn money(cents: i128, out: &mut String) {
    let magnitude = cents.unsigned_abs();
    let whole = (magnitude / 100).to_string();
    out.push_str(if cents < 0 { "-$" } else { "$" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let _ = write!(out, ".{:02}", magnitude % 100);
}

fn bytes(array: &ArrayRef, tag: Option<&str>) -> Write {
    let values = array.as_binary::<i32>().clone();
    let is_uuid = tag == Some("uuid");
    Box::new(move |row, out| {
        let value = values.value(row);
        if !is_uuid {
            out.push_str("\\x");
        }
        for (at, byte) in value.iter().enumerate() {
            if is_uuid && matches!(at, 4 | 6 | 8 | 10) {
                out.push('-');
            }
            let _ = write!(out, "{byte:02x}");
        }
        Ok(())
    })
}
