//! The text of dates, times and timestamps.
//!
//! Owns: the order of fields (`parse_date` reads the day, `parse_zone` the offset) and PostgreSQL's conditions 22007 and
//! 22008. <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-DATETIME-INPUT>

mod fields;

use chrono_tz::Tz;

use super::value::When;
use super::{fit, is_space};
use crate::error::{Error, Result, SqlState};
use crate::pg::{encode, types};
use crate::session::vars::Display;
use fields::{Failure, Fields, Offset};

const SECOND_MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;

/// The day that a text names, counted from 1970-01-01.
pub(super) fn date(text: &str, display: &Display) -> Result<When> {
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    if let Some(when) = infinity(&word) {
        return Ok(when);
    }
    if let Some(micros) = relative(&word, display.time_zone) {
        return Ok(When::At(micros.div_euclid(DAY_MICROS)));
    }
    let failed = |failure| error(failure, types::DATE, text);
    let fields = Fields::read(text, display.date_style).map_err(failed)?;
    let day = fields.day.ok_or_else(|| failed(Failure::Syntax))?;
    fit::day_in_range(day)
        .map(When::At)
        .map_err(|_| Error::new(SqlState::DatetimeFieldOverflow, format!("date out of range: \"{text}\"")))
}

/// The microseconds since midnight that a text names; a date or zone beside them is read and dropped.
pub(super) fn time(text: &str) -> Result<i64> {
    let failed = |failure| error(failure, types::TIME, text);
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    if word == "allballs" {
        return Ok(0);
    }
    let fields = Fields::read(text, Display::default().date_style).map_err(failed)?;
    fields.micros.ok_or_else(|| failed(Failure::Syntax))
}

/// The instant that a text names: of UTC if `zoned`, where a text without an offset means the session's wall clock; else
/// of the wall clock, where an offset is dropped.
pub(super) fn timestamp(text: &str, zoned: bool, display: &Display) -> Result<When> {
    let oid = if zoned { types::TIMESTAMPTZ } else { types::TIMESTAMP };
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    if let Some(when) = infinity(&word) {
        return Ok(when);
    }
    let failed = |failure| error(failure, oid, text);
    let out_of_range = || Error::new(SqlState::DatetimeFieldOverflow, format!("timestamp out of range: \"{text}\""));
    let (local, zone) = match (word.as_str(), relative(&word, display.time_zone)) {
        ("epoch", _) => (0, Some(Offset::Fixed(0))),
        (_, Some(micros)) => (micros, None),
        _ => {
            let fields = Fields::read(text, display.date_style).map_err(failed)?;
            let day = fields.day.ok_or_else(|| failed(Failure::Syntax))?;
            let micros = day.checked_mul(DAY_MICROS).and_then(|day| day.checked_add(fields.micros.unwrap_or(0)));
            (micros.ok_or_else(out_of_range)?, fields.zone)
        }
    };
    let seconds = local.div_euclid(SECOND_MICROS);
    let offset = match (zoned, zone) {
        (false, _) => 0,
        (true, Some(Offset::Fixed(seconds))) => seconds,
        (true, Some(Offset::Named(tz))) => encode::offset_of_local(tz, seconds),
        (true, None) => encode::offset_of_local(display.time_zone, seconds),
    };
    fit::micros_in_range(local.checked_sub(i64::from(offset) * SECOND_MICROS)).map(When::At).map_err(|_| out_of_range())
}

fn infinity(word: &str) -> Option<When> {
    match word {
        "infinity" | "+infinity" => Some(When::Late),
        "-infinity" => Some(When::Early),
        _ => None,
    }
}

/// The words that the clock gives a meaning, as microseconds of the session's wall clock.
fn relative(word: &str, tz: Tz) -> Option<i64> {
    let now = chrono::Utc::now().timestamp_micros();
    let local = now + i64::from(encode::offset(tz, now.div_euclid(SECOND_MICROS))) * SECOND_MICROS;
    let midnight = local - local.rem_euclid(DAY_MICROS);
    match word {
        "now" => Some(local),
        "today" => Some(midnight),
        "tomorrow" => Some(midnight + DAY_MICROS),
        "yesterday" => Some(midnight - DAY_MICROS),
        "epoch" => Some(0),
        _ => None,
    }
}

fn error(failure: Failure, oid: u32, text: &str) -> Error {
    match failure {
        Failure::Syntax => {
            let name = types::sql_name(oid);
            let message = format!("invalid input syntax for type {name}: \"{text}\"");
            Error::new(SqlState::InvalidDatetimeFormat, message)
        }
        Failure::MonthOrDay => overflow(text).hint("Perhaps you need a different \"datestyle\" setting."),
        Failure::Range => overflow(text),
        Failure::Zone => {
            let message = format!("time zone displacement out of range: \"{text}\"");
            Error::new(SqlState::InvalidTimeZoneDisplacementValue, message)
        }
    }
}

fn overflow(text: &str) -> Error {
    Error::new(SqlState::DatetimeFieldOverflow, format!("date/time field value out of range: \"{text}\""))
}
