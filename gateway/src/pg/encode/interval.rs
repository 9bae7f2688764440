//! Intervals and durations.
//!
//! Owns: their binary form and which of Arrow's fields are which of PostgreSQL's. The text is `udfs::pg::interval`'s.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, IntervalDayTimeType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use udfs::pg::interval;

use super::cell::{BoxCell, Look, primitive};
use super::datetime::out_of_range;
use super::row::Format;

const SECOND_MICROS: i64 = 1_000_000;

/// An interval as PostgreSQL stores it.
struct Span {
    months: i32,
    days: i32,
    micros: i64,
}

pub(super) fn cell(array: &ArrayRef, format: Format, look: &Arc<Look>) -> BoxCell {
    let span = |micros: Option<i64>| micros.map(|micros| Span { months: 0, days: 0, micros });
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            spans::<IntervalYearMonthType, _>(array, format, look, |months| Some(Span { months, days: 0, micros: 0 }))
        }
        DataType::Interval(IntervalUnit::DayTime) => spans::<IntervalDayTimeType, _>(array, format, look, |value| {
            Some(Span { months: 0, days: value.days, micros: i64::from(value.milliseconds) * 1_000 })
        }),
        DataType::Duration(TimeUnit::Second) => {
            spans::<DurationSecondType, _>(array, format, look, move |value| span(value.checked_mul(SECOND_MICROS)))
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            spans::<DurationMillisecondType, _>(array, format, look, move |value| span(value.checked_mul(1_000)))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            spans::<DurationMicrosecondType, _>(array, format, look, move |value| span(Some(value)))
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            spans::<DurationNanosecondType, _>(array, format, look, move |value| span(Some(value / 1_000)))
        }
        _ => spans::<IntervalMonthDayNanoType, _>(array, format, look, |value| {
            Some(Span { months: value.months, days: value.days, micros: value.nanoseconds / 1_000 })
        }),
    }
}

fn spans<T, F>(array: &ArrayRef, format: Format, look: &Arc<Look>, span: F) -> BoxCell
where
    T: ArrowPrimitiveType,
    F: Fn(T::Native) -> Option<Span> + 'static,
{
    let style = look.interval;
    primitive::<T, _>(array, move |value, out| {
        let Span { months, days, micros } = span(value).ok_or_else(|| out_of_range("interval"))?;
        if format == Format::Binary {
            out.array(&micros.to_be_bytes());
            out.array(&days.to_be_bytes());
            out.array(&months.to_be_bytes());
            return Ok(());
        }
        let nanoseconds = micros.checked_mul(1_000).ok_or_else(|| out_of_range("interval"))?;
        out.slice(interval::format(&IntervalMonthDayNano { months, days, nanoseconds }, style).as_bytes());
        Ok(())
    })
}
