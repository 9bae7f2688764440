//! Dates, times and timestamps.
//!
//! Owns: PostgreSQL's range of each, DateStyle, and their binary forms, which count from 2000-01-01. Arrow's extreme
//! values stand for the infinities. <https://www.postgresql.org/docs/16/datatype-datetime.html>

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};

use super::calendar::{Civil, Line, civil, iso};
use super::cell::{BoxCell, Look, primitive};
use super::row::Format;
use super::writer::Writer;
use super::zone::Offsets;
use crate::error::{Error, Result, SqlState};
use crate::session::vars::{DateOrder, DateStyle};

const SECOND_MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;
/// 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * DAY_MICROS;
/// 4714-11-24 BC, Julian day 0.
const FIRST_DAY: i64 = -2_440_588;
/// 5874897-12-31.
const LAST_DAY: i64 = 2_145_042_905;
const FIRST_MICROS: i64 = FIRST_DAY * DAY_MICROS;

/// The shapes that DateStyle gives a date; `Xsd` is ISO 8601 as JSON has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Iso,
    Xsd,
    Sql { day_first: bool },
    Postgres { day_first: bool },
    German,
}

impl Layout {
    pub(super) fn new(style: DateStyle) -> Self {
        match style {
            DateStyle::Iso(_) => Self::Iso,
            DateStyle::Sql(order) => Self::Sql { day_first: order == DateOrder::Dmy },
            DateStyle::Postgres(order) => Self::Postgres { day_first: order == DateOrder::Dmy },
            DateStyle::German(_) => Self::German,
        }
    }
}

/// A day or an instant, which may be infinitely early or late.
#[derive(Clone, Copy)]
enum When {
    Early,
    Late,
    At(i64),
}

pub(super) fn date(array: &ArrayRef, format: Format, look: &Arc<Look>) -> BoxCell {
    match array.data_type() {
        DataType::Date32 => days::<Date32Type>(array, format, look, |value| match value {
            i32::MIN => When::Early,
            i32::MAX => When::Late,
            days => When::At(i64::from(days)),
        }),
        _ => days::<Date64Type>(array, format, look, |value| match value {
            i64::MIN => When::Early,
            i64::MAX => When::Late,
            millis => When::At(millis.div_euclid(DAY_MICROS / 1_000)),
        }),
    }
}

fn days<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    format: Format,
    look: &Arc<Look>,
    when: fn(T::Native) -> When,
) -> BoxCell {
    let layout = look.layout;
    let checked = move |value| match when(value) {
        When::At(days) if !(FIRST_DAY..=LAST_DAY).contains(&days) => Err(out_of_range("date")),
        when => Ok(when),
    };
    match format {
        Format::Text => primitive::<T, _>(array, move |value, out| {
            match checked(value)? {
                When::Early => out.slice(b"-infinity"),
                When::Late => out.slice(b"infinity"),
                When::At(days) => {
                    let date = civil(days);
                    if is_plain(date, layout) {
                        out.put(&iso(date, b' ', 0).0, 10);
                    } else {
                        let mut line = Line::new();
                        date_only(&mut line, date, layout);
                        out.put(&line.bytes, line.len);
                    }
                }
            }
            Ok(())
        }),
        Format::Binary => primitive::<T, _>(array, move |value, out| {
            let days = match checked(value)? {
                When::Early => i32::MIN,
                When::Late => i32::MAX,
                When::At(days) => i32::try_from(days - EPOCH_DAYS).map_err(|_| out_of_range("date"))?,
            };
            out.array(&days.to_be_bytes());
            Ok(())
        }),
    }
}

/// PostgreSQL's `EncodeDateOnly`.
#[inline]
fn date_only(line: &mut Line, date: Civil, layout: Layout) {
    let (month, day) = (u32::from(date.month), u32::from(date.day));
    let (first, second, separator) = match layout {
        Layout::Iso | Layout::Xsd => {
            line.year(date.year);
            line.array([b'-']);
            line.two(month);
            line.array([b'-']);
            line.two(day);
            return before_christ(line, date);
        }
        Layout::Sql { day_first: true } => (day, month, b'/'),
        Layout::Sql { day_first: false } => (month, day, b'/'),
        Layout::Postgres { day_first: true } => (day, month, b'-'),
        Layout::Postgres { day_first: false } => (month, day, b'-'),
        Layout::German => (day, month, b'.'),
    };
    line.two(first);
    line.array([separator]);
    line.two(second);
    line.array([separator]);
    line.year(date.year);
    before_christ(line, date);
}

#[inline]
fn before_christ(line: &mut Line, date: Civil) {
    if date.year <= 0 {
        line.array(*b" BC");
    }
}

pub(super) fn timestamp(array: &ArrayRef, format: Format, look: &Arc<Look>) -> BoxCell {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            instants::<TimestampSecondType, _>(array, format, look, |value| value.checked_mul(SECOND_MICROS))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            instants::<TimestampMillisecondType, _>(array, format, look, |value| value.checked_mul(1_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            instants::<TimestampNanosecondType, _>(array, format, look, |value| Some(value.div_euclid(1_000)))
        }
        _ => instants::<TimestampMicrosecondType, _>(array, format, look, Some),
    }
}

fn instants<T, F>(array: &ArrayRef, format: Format, look: &Arc<Look>, micros: F) -> BoxCell
where
    T: ArrowPrimitiveType<Native = i64>,
    F: Fn(i64) -> Option<i64> + Copy + 'static,
{
    let when = move |value: i64| match value {
        i64::MIN => Ok(When::Early),
        i64::MAX => Ok(When::Late),
        value => match micros(value) {
            Some(micros) if micros >= FIRST_MICROS => Ok(When::At(micros)),
            _ => Err(out_of_range("timestamp")),
        },
    };
    if format == Format::Binary {
        return primitive::<T, _>(array, move |value, out| {
            let micros = match when(value)? {
                When::Early => i64::MIN,
                When::Late => i64::MAX,
                When::At(micros) => micros - EPOCH_MICROS,
            };
            out.array(&micros.to_be_bytes());
            Ok(())
        });
    }
    let with_zone = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    let mut offsets = with_zone.then(|| Offsets::new(&look.zone));
    let layout = look.layout;
    primitive::<T, _>(array, move |value, out| match when(value)? {
        When::Early => {
            out.slice(b"-infinity");
            Ok(())
        }
        When::Late => {
            out.slice(b"infinity");
            Ok(())
        }
        When::At(micros) => instant(micros, offsets.as_mut(), layout, out),
    })
}

#[inline]
fn instant(micros: i64, offsets: Option<&mut Offsets>, layout: Layout, out: &mut Writer<'_>) -> Result<()> {
    let Some(offsets) = offsets else {
        let (days, time) = split(micros);
        let date = civil(days);
        if is_plain(date, layout) {
            let (bytes, len) = iso(date, b' ', time);
            out.put(&bytes, len);
        } else {
            let mut line = Line::new();
            date_time(&mut line, days, time, layout, |_| ());
            out.put(&line.bytes, line.len);
        }
        return Ok(());
    };
    let offset = if offsets.zone().is_utc() { 0 } else { offsets.at(micros.div_euclid(SECOND_MICROS)) };
    let local = micros.checked_add(i64::from(offset) * SECOND_MICROS).ok_or_else(|| out_of_range("timestamp"))?;
    let (days, time) = split(local);
    let date = civil(days);
    let mut line = Line::new();
    if is_plain(date, layout) {
        let (bytes, len) = iso(date, b' ', time);
        out.put(&bytes, len);
        if offset == 0 {
            out.array(b"+00");
        } else {
            numeric_zone(&mut line, offset, false);
            out.put(&line.bytes, line.len);
        }
        return Ok(());
    }
    date_time(&mut line, days, time, layout, |line| match layout {
        Layout::Iso | Layout::Xsd => numeric_zone(line, offset, layout == Layout::Xsd),
        _ => {
            line.array([b' ']);
            line.text(&offsets.zone().abbreviation(micros.div_euclid(SECOND_MICROS)));
        }
    });
    out.put(&line.bytes, line.len);
    Ok(())
}

/// Nearly every value of nearly every session.
#[inline]
fn is_plain(date: Civil, layout: Layout) -> bool {
    layout == Layout::Iso && (1..=9_999).contains(&date.year)
}

#[inline]
fn split(micros: i64) -> (i64, i64) {
    (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS))
}

/// PostgreSQL's `EncodeDateTime`.
#[inline]
fn date_time(line: &mut Line, days: i64, time: i64, layout: Layout, zone: impl FnOnce(&mut Line)) {
    let date = civil(days);
    match layout {
        Layout::Iso | Layout::Xsd if date.year > 0 => {
            date_only(line, date, layout);
            line.array([if layout == Layout::Xsd { b'T' } else { b' ' }]);
            line.time(time);
            zone(line);
            return;
        }
        Layout::Postgres { day_first } => {
            const DAYS: [&str; 7] = ["Thu ", "Fri ", "Sat ", "Sun ", "Mon ", "Tue ", "Wed "];
            const MONTHS: [&str; 12] =
                ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let name = usize::try_from(days.rem_euclid(7)).ok().and_then(|day| DAYS.get(day));
            line.text(name.copied().unwrap_or_default());
            let month = MONTHS.get(usize::from(date.month) - 1).copied().unwrap_or_default();
            if day_first {
                line.two(u32::from(date.day));
                line.array([b' ']);
                line.text(month);
            } else {
                line.text(month);
                line.array([b' ']);
                line.two(u32::from(date.day));
            }
            line.array([b' ']);
            line.time(time);
            line.array([b' ']);
            line.year(date.year);
        }
        _ => {
            let positive = Civil { year: if date.year > 0 { date.year } else { 1 - date.year }, ..date };
            date_only(line, positive, layout);
            line.array([if layout == Layout::Xsd { b'T' } else { b' ' }]);
            line.time(time);
        }
    }
    zone(line);
    before_christ(line, date);
}

/// PostgreSQL's `EncodeTimezone`: minutes and seconds only where they are not zero.
pub(super) fn numeric_zone(line: &mut Line, offset: i32, with_minutes: bool) {
    let seconds = offset.unsigned_abs();
    line.array([if offset < 0 { b'-' } else { b'+' }]);
    line.two(seconds / 3_600);
    if with_minutes || !seconds.is_multiple_of(3_600) {
        line.array([b':']);
        line.two(seconds / 60 % 60);
    }
    if !seconds.is_multiple_of(60) {
        line.array([b':']);
        line.two(seconds % 60);
    }
}

pub(super) fn time(array: &ArrayRef, format: Format) -> BoxCell {
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            times::<Time32SecondType, _>(array, format, |value| i64::from(value) * SECOND_MICROS)
        }
        DataType::Time32(_) => times::<Time32MillisecondType, _>(array, format, |value| i64::from(value) * 1_000),
        DataType::Time64(TimeUnit::Nanosecond) => {
            times::<Time64NanosecondType, _>(array, format, |value| value.div_euclid(1_000))
        }
        _ => times::<Time64MicrosecondType, _>(array, format, |value| value),
    }
}

fn times<T, F>(array: &ArrayRef, format: Format, micros: F) -> BoxCell
where
    T: ArrowPrimitiveType,
    F: Fn(T::Native) -> i64 + 'static,
{
    primitive::<T, _>(array, move |value, out| {
        let micros = micros(value);
        if !(0..=DAY_MICROS).contains(&micros) {
            return Err(out_of_range("time"));
        }
        if format == Format::Binary {
            out.array(&micros.to_be_bytes());
            return Ok(());
        }
        let mut line = Line::new();
        line.time(micros);
        out.put(&line.bytes, line.len);
        Ok(())
    })
}

#[cold]
pub(super) fn out_of_range(name: &str) -> Error {
    Error::new(SqlState::DatetimeFieldOverflow, format!("{name} out of range"))
}
