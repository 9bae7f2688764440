//! The step from the type that a client declared to the type that the plan takes.
//!
//! Owns: which steps exist, and that every one is exact: 22003 where it is not, 42846 where there is none.

use std::sync::Arc;

use arrow::array::new_empty_array;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, IntervalMonthDayNano, IntervalUnit, TimeUnit,
};
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;
use datafusion::scalar::ScalarValue;

use super::exact::Exact;
use super::value::{Array, Value, When};
use crate::error::{Error, Result, SqlState};
use crate::pg::encode::{self, Format, RowEncoder};
use crate::pg::types;
use crate::session::vars::Display;

const SECOND_MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;
/// 4714-11-24 BC to 5874897-12-31.
const DAYS: std::ops::RangeInclusive<i64> = -2_440_588..=2_145_042_905;

/// The value as `target`; `oid` is the type that it has.
pub(super) fn fit(value: Value, oid: u32, target: &DataType, display: &Display) -> Result<ScalarValue> {
    use DataType as D;
    match target {
        D::Boolean => match value {
            Value::Bool(value) => Ok(ScalarValue::Boolean(Some(value))),
            _ => Err(cannot_cast(oid, target)),
        },
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => {
            integer(&value, oid, target)
        }
        D::Float16 | D::Float32 | D::Float64 => float(&value, oid, target),
        D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..) => decimal(&value, oid, target),
        D::Utf8 => text(value, oid, display).map(|text| ScalarValue::Utf8(Some(text))),
        D::LargeUtf8 => text(value, oid, display).map(|text| ScalarValue::LargeUtf8(Some(text))),
        D::Utf8View => text(value, oid, display).map(|text| ScalarValue::Utf8View(Some(text))),
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => bytes(value, oid, target),
        D::Date32 | D::Date64 => date(&value, oid, target, display),
        D::Timestamp(unit, zone) => timestamp(&value, oid, target, display).and_then(|at| instant(at, *unit, zone)),
        D::Time32(_) | D::Time64(_) => time(&value, oid, target),
        D::Interval(_) | D::Duration(_) => interval(&value, oid, target),
        D::List(item) | D::LargeList(item) | D::FixedSizeList(item, _) => match value {
            Value::Array(array) => list(array, item, target, display),
            _ => Err(cannot_cast(oid, target)),
        },
        _ => Err(cannot_cast(oid, target)),
    }
}

/// A day within PostgreSQL's range of dates: 22008.
pub(super) fn day_in_range(day: i64) -> Result<i64> {
    if DAYS.contains(&day) { Ok(day) } else { Err(overflow("date out of range")) }
}

/// An instant within PostgreSQL's range of timestamps: 22008. Arrow's extreme values are its infinities.
pub(super) fn micros_in_range(micros: Option<i64>) -> Result<i64> {
    micros
        .filter(|micros| *micros >= DAYS.start() * DAY_MICROS && *micros < i64::MAX)
        .ok_or_else(|| overflow("timestamp out of range"))
}

fn integer(value: &Value, oid: u32, target: &DataType) -> Result<ScalarValue> {
    let number = match value {
        Value::Integer(number) => *number,
        Value::Single(number) => whole(f64::from(*number), target)?,
        Value::Double(number) => whole(*number, target)?,
        Value::Numeric(number) => number.unscaled_i128(38, 0)?,
        _ => return Err(cannot_cast(oid, target)),
    };
    let scalar = match target {
        DataType::Int8 => number.try_into().ok().map(|number| ScalarValue::Int8(Some(number))),
        DataType::Int16 => number.try_into().ok().map(|number| ScalarValue::Int16(Some(number))),
        DataType::Int32 => number.try_into().ok().map(|number| ScalarValue::Int32(Some(number))),
        DataType::Int64 => number.try_into().ok().map(|number| ScalarValue::Int64(Some(number))),
        DataType::UInt8 => number.try_into().ok().map(|number| ScalarValue::UInt8(Some(number))),
        DataType::UInt16 => number.try_into().ok().map(|number| ScalarValue::UInt16(Some(number))),
        DataType::UInt32 => number.try_into().ok().map(|number| ScalarValue::UInt32(Some(number))),
        _ => number.try_into().ok().map(|number| ScalarValue::UInt64(Some(number))),
    };
    scalar.ok_or_else(|| not_exact(&number.to_string(), target))
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64, target: &DataType) -> Result<i128> {
    if number.fract() == 0.0 && number.abs() < 1e19 {
        Ok(number as i128)
    } else {
        Err(not_exact(&number.to_string(), target))
    }
}

fn float(value: &Value, oid: u32, target: &DataType) -> Result<ScalarValue> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "compared after the cast")]
    let number = match value {
        Value::Single(number) => f64::from(*number),
        Value::Double(number) => *number,
        Value::Integer(number) if (*number as f64) as i128 == *number => *number as f64,
        Value::Integer(number) => return Err(not_exact(&number.to_string(), target)),
        Value::Numeric(number) => number.text().parse().map_err(|_| cannot_cast(oid, target))?,
        _ => return Err(cannot_cast(oid, target)),
    };
    let is_decimal = matches!(value, Value::Numeric(_));
    #[expect(clippy::cast_possible_truncation, reason = "compared after the cast")]
    let single = number as f32;
    let is_exact = is_decimal || number.is_nan() || f64::from(single).to_bits() == number.to_bits();
    match target {
        DataType::Float64 => Ok(ScalarValue::Float64(Some(number))),
        _ if !is_exact || (single.is_infinite() && number.is_finite()) => Err(not_exact(&number.to_string(), target)),
        DataType::Float32 => Ok(ScalarValue::Float32(Some(single))),
        _ => Ok(ScalarValue::Float32(Some(single)).cast_to(target)?),
    }
}

/// The number in the smallest decimal that holds it as it is written.
pub(super) fn numeric(exact: &Exact) -> Result<ScalarValue> {
    match exact.size() {
        Some((precision, scale)) if precision <= DECIMAL128_MAX_PRECISION => {
            Ok(ScalarValue::Decimal128(Some(exact.unscaled_i128(precision, scale)?), precision, scale))
        }
        Some((precision, scale)) if precision <= DECIMAL256_MAX_PRECISION => {
            Ok(ScalarValue::Decimal256(Some(exact.unscaled_i256(precision, scale)?), precision, scale))
        }
        Some(_) | None if matches!(exact, Exact::Finite { .. }) => Err(Error::unsupported(format!(
            "numeric values of more than {DECIMAL256_MAX_PRECISION} digits are not supported"
        ))),
        _ => Err(Error::unsupported("numeric values NaN and Infinity are not supported")),
    }
}

fn decimal(value: &Value, oid: u32, target: &DataType) -> Result<ScalarValue> {
    let exact = match value {
        Value::Numeric(exact) => exact.clone(),
        Value::Integer(number) => Exact::from_integer(*number),
        // The shortest digits, as PostgreSQL's own cast takes them.
        Value::Single(number) => Exact::parse(&format!("{number:e}"))?,
        Value::Double(number) => Exact::parse(&format!("{number:e}"))?,
        _ => return Err(cannot_cast(oid, target)),
    };
    let narrow = |_| not_exact(&exact.text(), target);
    Ok(match target {
        DataType::Decimal32(p, s) => {
            ScalarValue::Decimal32(Some(exact.unscaled_i128(*p, *s)?.try_into().map_err(narrow)?), *p, *s)
        }
        DataType::Decimal64(p, s) => {
            ScalarValue::Decimal64(Some(exact.unscaled_i128(*p, *s)?.try_into().map_err(narrow)?), *p, *s)
        }
        DataType::Decimal256(p, s) => ScalarValue::Decimal256(Some(exact.unscaled_i256(*p, *s)?), *p, *s),
        DataType::Decimal128(p, s) => ScalarValue::Decimal128(Some(exact.unscaled_i128(*p, *s)?), *p, *s),
        _ => return Err(cannot_cast(oid, target)),
    })
}

/// A string takes every type, as its output function prints it.
fn text(value: Value, oid: u32, display: &Display) -> Result<String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Uuid(bytes) => Ok(uuid::Uuid::from_bytes(bytes).to_string()),
        Value::Numeric(number) => Ok(number.text()),
        Value::Integer(number) => Ok(number.to_string()),
        value => {
            let natural = types::data_type_of(oid).filter(|natural| *natural != DataType::Utf8);
            let natural = natural.ok_or_else(|| cannot_cast(oid, &DataType::Utf8))?;
            print(&fit(value, oid, &natural, display)?, display)
        }
    }
}

fn print(scalar: &ScalarValue, display: &Display) -> Result<String> {
    /// `D`, the message's length, the field count and the field's length.
    const FRAME_BYTES: usize = 11;
    let array = scalar.to_array()?;
    let field = Field::new("text", array.data_type().clone(), true);
    let schema = Arc::new(arrow::datatypes::Schema::new(vec![field]));
    let mut out = BytesMut::new();
    let encoder = RowEncoder::new(&schema, &[Format::Text], display)?;
    encoder.encode(&RecordBatch::try_new(schema, vec![array])?, 0..1, &mut out)?;
    Ok(String::from_utf8_lossy(out.get(FRAME_BYTES..).unwrap_or_default()).into_owned())
}

fn bytes(value: Value, oid: u32, target: &DataType) -> Result<ScalarValue> {
    let bytes = match value {
        Value::Bytes(bytes) => bytes,
        Value::Uuid(bytes) => bytes.to_vec(),
        _ => return Err(cannot_cast(oid, target)),
    };
    Ok(match target {
        DataType::Binary => ScalarValue::Binary(Some(bytes)),
        DataType::LargeBinary => ScalarValue::LargeBinary(Some(bytes)),
        DataType::BinaryView => ScalarValue::BinaryView(Some(bytes)),
        DataType::FixedSizeBinary(size) if usize::try_from(*size) == Ok(bytes.len()) => {
            ScalarValue::FixedSizeBinary(*size, Some(bytes))
        }
        _ => return Err(not_exact(&format!("of {} bytes", bytes.len()), target)),
    })
}

fn date(value: &Value, oid: u32, target: &DataType, display: &Display) -> Result<ScalarValue> {
    let days = match value {
        Value::Date(when) => *when,
        Value::Timestamp { .. } => {
            match timestamp(value, oid, &DataType::Timestamp(TimeUnit::Microsecond, None), display)? {
                When::At(micros) if micros.rem_euclid(DAY_MICROS) != 0 => {
                    return Err(not_exact("with a time of day", target));
                }
                When::At(micros) => When::At(micros.div_euclid(DAY_MICROS)),
                when => when,
            }
        }
        _ => return Err(cannot_cast(oid, target)),
    };
    Ok(match (target, days) {
        (DataType::Date32, When::Early) => ScalarValue::Date32(Some(i32::MIN)),
        (DataType::Date32, When::Late) => ScalarValue::Date32(Some(i32::MAX)),
        (DataType::Date32, When::At(days)) => {
            ScalarValue::Date32(Some(days.try_into().map_err(|_| overflow("date out of range"))?))
        }
        (_, When::Early) => ScalarValue::Date64(Some(i64::MIN)),
        (_, When::Late) => ScalarValue::Date64(Some(i64::MAX)),
        (_, When::At(days)) => ScalarValue::Date64(Some(days * (DAY_MICROS / 1_000))),
    })
}

/// The microseconds of UTC, or of the wall clock if the target has no zone.
fn timestamp(value: &Value, oid: u32, target: &DataType, display: &Display) -> Result<When> {
    let to_zoned = matches!(target, DataType::Timestamp(_, Some(_)));
    let (at, zoned) = match value {
        Value::Timestamp { at, zoned } => (*at, *zoned),
        Value::Date(When::At(days)) => (When::At(micros_in_range(days.checked_mul(DAY_MICROS))?), false),
        Value::Date(when) => (*when, false),
        _ => return Err(cannot_cast(oid, target)),
    };
    let When::At(micros) = at else { return Ok(at) };
    let seconds = micros.div_euclid(SECOND_MICROS);
    let shift = match (zoned, to_zoned) {
        (true, false) => i64::from(encode::offset(display.time_zone, seconds)),
        (false, true) => -i64::from(encode::offset_of_local(display.time_zone, seconds)),
        _ => 0,
    };
    micros_in_range(micros.checked_add(shift * SECOND_MICROS)).map(When::At)
}

fn instant(at: When, unit: TimeUnit, zone: &Option<Arc<str>>) -> Result<ScalarValue> {
    let target = DataType::Timestamp(unit, zone.clone());
    let value = match (at, unit) {
        (When::Early, _) => i64::MIN,
        (When::Late, _) => i64::MAX,
        (When::At(micros), TimeUnit::Microsecond) => micros,
        (When::At(micros), TimeUnit::Nanosecond) => {
            micros.checked_mul(1_000).ok_or_else(|| overflow("timestamp out of range"))?
        }
        (When::At(micros), TimeUnit::Millisecond) => divide(micros, 1_000, &target)?,
        (When::At(micros), TimeUnit::Second) => divide(micros, SECOND_MICROS, &target)?,
    };
    let zone = zone.clone();
    Ok(match unit {
        TimeUnit::Second => ScalarValue::TimestampSecond(Some(value), zone),
        TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(value), zone),
        TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(value), zone),
        TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(value), zone),
    })
}

fn divide(micros: i64, unit: i64, target: &DataType) -> Result<i64> {
    if micros % unit == 0 { Ok(micros / unit) } else { Err(not_exact(&format!("of {micros} microseconds"), target)) }
}

fn time(value: &Value, oid: u32, target: &DataType) -> Result<ScalarValue> {
    let Value::Time(micros) = *value else { return Err(cannot_cast(oid, target)) };
    let narrow = |unit| {
        divide(micros, unit, target).and_then(|value| i32::try_from(value).map_err(|_| overflow("time out of range")))
    };
    Ok(match target {
        DataType::Time32(TimeUnit::Second) => ScalarValue::Time32Second(Some(narrow(SECOND_MICROS)?)),
        DataType::Time32(_) => ScalarValue::Time32Millisecond(Some(narrow(1_000)?)),
        DataType::Time64(TimeUnit::Nanosecond) => ScalarValue::Time64Nanosecond(Some(micros * 1_000)),
        _ => ScalarValue::Time64Microsecond(Some(micros)),
    })
}

fn interval(value: &Value, oid: u32, target: &DataType) -> Result<ScalarValue> {
    let Value::Interval(interval) = *value else { return Err(cannot_cast(oid, target)) };
    let IntervalMonthDayNano { months, days, nanoseconds } = interval;
    let inexact = || not_exact("of an interval", target);
    match target {
        DataType::Interval(IntervalUnit::MonthDayNano) => Ok(ScalarValue::IntervalMonthDayNano(Some(interval))),
        DataType::Interval(IntervalUnit::YearMonth) if days == 0 && nanoseconds == 0 => {
            Ok(ScalarValue::IntervalYearMonth(Some(months)))
        }
        DataType::Interval(IntervalUnit::DayTime) if months == 0 && nanoseconds % 1_000_000 == 0 => {
            let milliseconds = i32::try_from(nanoseconds / 1_000_000).map_err(|_| inexact())?;
            Ok(ScalarValue::IntervalDayTime(Some(arrow::datatypes::IntervalDayTime { days, milliseconds })))
        }
        // Months have no fixed length; a day of a duration has 24 hours.
        DataType::Duration(unit) if months == 0 => {
            let whole_days = i64::from(days).checked_mul(DAY_MICROS);
            let micros = whole_days.and_then(|days| days.checked_add(nanoseconds / 1_000)).ok_or_else(inexact)?;
            Ok(match unit {
                TimeUnit::Second => ScalarValue::DurationSecond(Some(divide(micros, SECOND_MICROS, target)?)),
                TimeUnit::Millisecond => ScalarValue::DurationMillisecond(Some(divide(micros, 1_000, target)?)),
                TimeUnit::Microsecond => ScalarValue::DurationMicrosecond(Some(micros)),
                TimeUnit::Nanosecond => {
                    ScalarValue::DurationNanosecond(Some(micros.checked_mul(1_000).ok_or_else(inexact)?))
                }
            })
        }
        _ => Err(inexact()),
    }
}

/// Builds the lists from the outermost dimension to the innermost.
fn list(array: Array, item: &Arc<Field>, target: &DataType, display: &Display) -> Result<ScalarValue> {
    let Array { element_oid, dimensions, mut elements } = array;
    let inner = dimensions.get(1..).unwrap_or_default().to_vec();
    let size = inner.iter().product::<usize>().max(1);
    let mut values = Vec::new();
    while !elements.is_empty() {
        let rest = elements.split_off(size.min(elements.len()));
        let chunk = std::mem::replace(&mut elements, rest);
        values.push(match types::list_item(item.data_type()) {
            Some(nested) if !inner.is_empty() => {
                let array = Array { element_oid, dimensions: inner.clone(), elements: chunk };
                list(array, &Arc::new(nested.clone()), item.data_type(), display)?
            }
            None if inner.is_empty() => match chunk.into_iter().next().flatten() {
                Some(value) => fit(value, element_oid, types::plain(item.data_type()), display)?,
                None => ScalarValue::try_from(item.data_type())?,
            },
            _ => {
                let message = format!("parameters of arrays of {} dimensions are not supported here", dimensions.len());
                return Err(Error::unsupported(message));
            }
        });
    }
    let values = match values.is_empty() {
        true => new_empty_array(item.data_type()),
        false => ScalarValue::iter_to_array(values)?,
    };
    one_list(values, item, target)
}

fn one_list(values: arrow::array::ArrayRef, item: &Arc<Field>, target: &DataType) -> Result<ScalarValue> {
    use arrow::array::{FixedSizeListArray, LargeListArray, ListArray};
    use arrow::buffer::OffsetBuffer;
    let (item, length) = (Arc::clone(item), values.len());
    Ok(match target {
        DataType::LargeList(_) => {
            let offsets = OffsetBuffer::from_lengths([length]);
            ScalarValue::LargeList(Arc::new(LargeListArray::try_new(item, offsets, values, None)?))
        }
        DataType::FixedSizeList(_, size) => {
            if usize::try_from(*size) != Ok(length) {
                return Err(not_exact(&format!("of {length} elements"), target));
            }
            ScalarValue::FixedSizeList(Arc::new(FixedSizeListArray::try_new(item, *size, values, None)?))
        }
        _ => {
            let offsets = OffsetBuffer::from_lengths([length]);
            ScalarValue::List(Arc::new(ListArray::try_new(item, offsets, values, None)?))
        }
    })
}

fn cannot_cast(oid: u32, target: &DataType) -> Error {
    let (from, to) = (types::sql_name(oid), types::sql_name(types::param_oid(target)));
    Error::new(SqlState::CannotCoerce, format!("cannot cast type {from} to {to}"))
}

fn not_exact(value: &str, target: &DataType) -> Error {
    let name = types::sql_name(types::param_oid(target));
    Error::new(SqlState::NumericValueOutOfRange, format!("value {value} does not fit type {name} exactly"))
}

fn overflow(message: &str) -> Error {
    Error::new(SqlState::DatetimeFieldOverflow, message)
}
