//! The text of dates, times and timestamps.
//!
//! Owns: the order of fields and PostgreSQL's conditions 22007, 22008 and 22009. Must never know: which value of Arrow
//! holds the moment. <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-DATETIME-INPUT>

mod fields;

use chrono_tz::Tz;

use super::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};
use super::zone::Zone;
use crate::Error;
use fields::{Failure, Fields};

/// 4714-11-24 BC to 5874897-12-31.
const DAYS: std::ops::RangeInclusive<i64> = -2_440_588..=2_145_042_905;

/// In which order a date of numbers has its fields, where the year does not lead: `DateStyle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    Ymd,
    Dmy,
    #[default]
    Mdy,
}

/// A day, which may be infinitely early or late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    Early,
    Late,
    /// Days since 1970-01-01.
    At(i64),
}

/// What lies between a wall clock and UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Named(Tz),
}

/// What a wall clock shows, which may be infinitely early or late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Early,
    Late,
    At {
        /// Microseconds since 1970-01-01.
        micros: i64,
        /// The clock's own place, if the text names one.
        offset: Option<Offset>,
    },
}

/// The day that a text names; `today` and its like are of the zone.
pub fn date(text: &str, order: Order, zone: Tz) -> Result<Day, Error> {
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    match infinity(&word) {
        Some(true) => return Ok(Day::Late),
        Some(false) => return Ok(Day::Early),
        None => {}
    }
    if let Some(micros) = relative(&word, zone)? {
        return Ok(Day::At(micros.div_euclid(MICROS_PER_DAY)));
    }
    let failed = |failure| error(failure, "date", text);
    let fields = Fields::read(text, order).map_err(failed)?;
    let day = fields.day.ok_or_else(|| failed(Failure::Syntax))?;
    if DAYS.contains(&day) {
        return Ok(Day::At(day));
    }
    Err(Error::DatetimeOverflow(format!("date out of range: \"{text}\"")))
}

/// The microseconds since midnight that a text names; a date or zone beside them is read and dropped.
pub fn time(text: &str) -> Result<i64, Error> {
    let failed = |failure| error(failure, "time", text);
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    if word == "allballs" {
        return Ok(0);
    }
    // A number alone is no date here.
    let is_clock = matches!(word.len(), 4 | 6) && word.bytes().all(|byte| byte.is_ascii_digit());
    let written = if is_clock { format!("t{word}") } else { text.to_owned() };
    let fields = Fields::read(&written, Order::default()).map_err(failed)?;
    fields.micros.ok_or_else(|| failed(Failure::Syntax))
}

/// The wall clock that a text names. `zoned` tells which type the text is to be of, for messages; `today` and its like
/// are of the zone.
pub fn timestamp(text: &str, zoned: bool, order: Order, zone: Tz) -> Result<Clock, Error> {
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    match infinity(&word) {
        Some(true) => return Ok(Clock::Late),
        Some(false) => return Ok(Clock::Early),
        None => {}
    }
    if word == "epoch" {
        return Ok(Clock::At { micros: 0, offset: Some(Offset::Fixed(0)) });
    }
    if let Some(micros) = relative(&word, zone)? {
        return Ok(Clock::At { micros, offset: None });
    }
    let of = if zoned { "timestamp with time zone" } else { "timestamp" };
    let failed = |failure| error(failure, of, text);
    let fields = Fields::read(text, order).map_err(failed)?;
    let day = fields.day.ok_or_else(|| failed(Failure::Syntax))?;
    let micros = day.checked_mul(MICROS_PER_DAY).and_then(|day| day.checked_add(fields.micros.unwrap_or(0)));
    let micros = micros.filter(|_| day >= *DAYS.start()).ok_or_else(|| timestamp_out_of_range(text))?;
    Ok(Clock::At { micros, offset: fields.zone })
}

/// 22008 for a text whose instant no timestamp holds.
pub fn timestamp_out_of_range(text: &str) -> Error {
    Error::DatetimeOverflow(format!("timestamp out of range: \"{text}\""))
}

/// Whether a text names the infinite future (true) or past.
fn infinity(word: &str) -> Option<bool> {
    match word {
        "infinity" | "+infinity" => Some(true),
        "-infinity" => Some(false),
        _ => None,
    }
}

/// The words that the clock gives a meaning, as microseconds of the zone's wall clock.
fn relative(word: &str, zone: Tz) -> Result<Option<i64>, Error> {
    if !matches!(word, "now" | "today" | "tomorrow" | "yesterday" | "epoch") {
        return Ok(None);
    }
    let local = Zone::Named(zone).to_local(chrono::Utc::now().timestamp_micros())?;
    let midnight = local - local.rem_euclid(MICROS_PER_DAY);
    Ok(Some(match word {
        "now" => local,
        "today" => midnight,
        "tomorrow" => midnight + MICROS_PER_DAY,
        "yesterday" => midnight - MICROS_PER_DAY,
        _ => 0,
    }))
}

fn error(failure: Failure, of: &'static str, text: &str) -> Error {
    match failure {
        Failure::Syntax => Error::InvalidDatetime { of, value: text.to_owned() },
        Failure::MonthOrDay => Error::DatetimeField(text.to_owned()),
        Failure::Range => Error::DatetimeOverflow(format!("date/time field value out of range: \"{text}\"")),
        Failure::Zone => Error::ZoneDisplacement(text.to_owned()),
    }
}

/// The characters that C's `isspace` skips.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// Microseconds of one second, for those who place a wall clock.
pub const SECOND_MICROS: i64 = MICROS_PER_SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_postgres_reads_them() {
        let at = |text: &str| timestamp(text, true, Order::Mdy, Tz::UTC);
        let hour = 3_600 * MICROS_PER_SECOND;
        let clock = |micros, offset| Ok(Clock::At { micros, offset });
        assert_eq!(at("1970-01-01 01:00+00"), clock(hour, Some(Offset::Fixed(0))));
        assert_eq!(at("1970-01-01 01:00"), clock(hour, None));
        assert_eq!(at("1970-01-01T24:00:00Z"), clock(24 * hour, Some(Offset::Fixed(0))));
        assert_eq!(at("Jan 1 1970 01:00 Europe/Paris"), clock(hour, Some(Offset::Named(Tz::Europe__Paris))));
        assert_eq!(at("x"), Err(Error::InvalidDatetime { of: "timestamp with time zone", value: "x".to_owned() }));
        assert_eq!(at("2024-13-01"), Err(Error::DatetimeField("2024-13-01".to_owned())));
        assert_eq!(at("1970-01-01 00:00+99"), Err(Error::ZoneDisplacement("1970-01-01 00:00+99".to_owned())));
        assert_eq!(
            time("25:00").map_err(|error| error.to_string()),
            Err("date/time field value out of range: \"25:00\"".to_owned())
        );
        assert_eq!(date("1/2/1970", Order::Dmy, Tz::UTC), Ok(Day::At(31)));
        assert_eq!(date("1/2/1970", Order::Mdy, Tz::UTC), Ok(Day::At(1)));
    }
}
