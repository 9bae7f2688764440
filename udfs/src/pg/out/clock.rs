//! Days, times of day and moments as text.
//!
//! Owns: their ISO forms. Must never know: Arrow's arrays.

use std::fmt::Write as _;

use crate::pg::civil::Civil;
use crate::pg::interval::{MICROS_PER_HOUR, MICROS_PER_SECOND};

/// How a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// With a blank before the time, and as much of the offset as there is.
    Iso,
    /// With a `T`, and minutes in every offset: XML Schema's form, and JSON's.
    Xsd,
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
