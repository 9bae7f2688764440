//! Time zones by the names that PostgreSQL takes, and both directions between instants and wall clocks.
//!
//! Owns: names, abbreviations, offsets and what happens in a gap or a repeated hour. Must never know: the session.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-TIMEZONES>

mod abbreviation;
mod posix;

use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};

use super::civil::{self, Civil};
use super::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::Error;
use crate::error::timestamp_out_of_range;
pub use abbreviation::abbreviations;
pub(crate) use abbreviation::{Abbreviation, Dynamic, abbreviation};
use posix::Parsed;
pub(crate) use posix::Posix;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Named(Tz),
    Posix(Posix),
    Abbreviated(Dynamic),
}

impl Zone {
    /// The zone of an argument. An offset has POSIX's sign, as in PostgreSQL: `+02` and `UTC+2` lie west of Greenwich.
    pub(crate) fn named(name: &str) -> Result<Self, Error> {
        Self::by_name(name, -1).ok_or_else(|| Error::InvalidParameter(format!("time zone \"{name}\" not recognized")))
    }

    /// The zone of an argument, which in the row before was mostly the same.
    pub(crate) fn named_again<'a>(name: &'a str, last: &mut Option<(&'a str, Self)>) -> Result<Self, Error> {
        match last {
            Some((known, zone)) if *known == name => Ok(*zone),
            _ => {
                let zone = Self::named(name)?;
                *last = Some((name, zone));
                Ok(zone)
            }
        }
    }

    /// The zone of a setting or a data type, where `+02:00` lies east.
    pub(crate) fn of_session(name: &str) -> Result<Self, Error> {
        Self::by_name(name, 1).ok_or_else(|| Error::InvalidParameter(format!("time zone \"{name}\" not recognized")))
    }

    fn by_name(name: &str, bare_offset_sign: i32) -> Option<Self> {
        let name = name.trim();
        match abbreviation(name) {
            Some(Abbreviation::Fixed { east, .. }) => return Some(Self::Fixed(east)),
            Some(Abbreviation::Dynamic(zone)) => return Some(Self::Abbreviated(zone)),
            None => {}
        }
        if let Some(tz) = Tz::from_str(name).ok().or_else(|| ignoring_case(name)) {
            return Some(Self::Named(tz));
        }
        if !name.starts_with(|c: char| c.is_ascii_alphabetic())
            && let Some(seconds) = offset(name)
        {
            return Some(Self::Fixed(bare_offset_sign * seconds));
        }
        Some(match posix::parse(name)? {
            Parsed::Fixed(east) => Self::Fixed(east),
            Parsed::Changing(zone) => Self::Posix(zone),
        })
    }

    /// Whether the clock was never changed.
    pub(crate) fn is_fixed(self) -> bool {
        let Self::Named(tz) = self else { return matches!(self, Self::Fixed(_)) };
        // Every other zone has another offset in one of these halves of years than at the first.
        let days = (1_850..2_050).flat_map(|year| [civil::to_days(year, 1, 1), civil::to_days(year, 7, 1)]);
        let mut offsets = days
            .filter_map(|day| naive(day * MICROS_PER_DAY).ok())
            .map(|at| tz.offset_from_utc_datetime(&at).fix().local_minus_utc());
        let first = offsets.next();
        offsets.all(|offset| Some(offset) == first)
    }

    /// Seconds east of Greenwich at an instant.
    pub(crate) fn offset_at(self, micros: i64) -> Result<i32, Error> {
        match self {
            Self::Fixed(seconds) => Ok(seconds),
            Self::Named(Tz::UTC) => Ok(0),
            Self::Posix(zone) => Ok(zone.offset_at(micros)),
            Self::Abbreviated(zone) => zone.offset_at(micros),
            Self::Named(tz) => Ok(tz.offset_from_utc_datetime(&naive(within_rules(micros))?).fix().local_minus_utc()),
        }
    }

    /// The wall clock at an instant.
    pub(crate) fn to_local(self, micros: i64) -> Result<i64, Error> {
        if is_infinite(micros) {
            return Ok(micros);
        }
        let shift = i64::from(self.offset_at(micros)?) * MICROS_PER_SECOND;
        micros.checked_add(shift).ok_or_else(timestamp_out_of_range)
    }

    /// The instant of a wall clock: a gap is read with the offset before it, a repeated hour as its second pass.
    pub(crate) fn to_instant(self, local: i64) -> Result<i64, Error> {
        if is_infinite(local) {
            return Ok(local);
        }
        let seconds = match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(Tz::UTC) => 0,
            Self::Posix(zone) => zone.offset_of_local(local),
            Self::Abbreviated(zone) => zone.offset_of_local(local)?,
            Self::Named(tz) => {
                let clock = naive(within_rules(local))?;
                match tz.offset_from_local_datetime(&clock) {
                    MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(_, offset) => offset.fix(),
                    MappedLocalTime::None => {
                        // Clocks are a day from the gap at most, so a day earlier the old offset holds.
                        tz.offset_from_utc_datetime(&(clock - chrono::TimeDelta::days(1))).fix()
                    }
                }
                .local_minus_utc()
            }
        };
        local.checked_sub(i64::from(seconds) * MICROS_PER_SECOND).ok_or_else(timestamp_out_of_range)
    }

    /// What `TZ` prints at an instant: `CET`, or the offset of a zone without abbreviations as the tables write it, `+0545`.
    pub(crate) fn abbreviation_at(self, micros: i64) -> Result<String, Error> {
        let seconds = self.offset_at(micros)?;
        if let Self::Named(tz) = self {
            let offset = tz.offset_from_utc_datetime(&naive(within_rules(micros))?);
            return Ok(offset.abbreviation().map_or_else(|| numeric_abbreviation(seconds), str::to_owned));
        }
        if seconds == 0 {
            return Ok("UTC".to_owned());
        }
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        Ok(match minutes % 60 {
            0 => format!("{sign}{:02}", minutes / 60),
            rest => format!("{sign}{:02}:{rest:02}", minutes / 60),
        })
    }
}

fn numeric_abbreviation(seconds: i32) -> String {
    let (sign, size) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let (hours, minutes, seconds) = (size / 3_600, size / 60 % 60, size % 60);
    match (minutes, seconds) {
        (0, 0) => format!("{sign}{hours:02}"),
        (_, 0) => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
    }
}

/// An instant whose calendar year looks like the given one's, and lies where the tables have the last rules.
fn within_rules(micros: i64) -> i64 {
    const LAST_YEAR: i64 = 2_095;
    let moment = Civil::from_micros(micros);
    if moment.year <= LAST_YEAR {
        return micros;
    }
    let days = micros.div_euclid(MICROS_PER_DAY);
    let first = civil::to_days(moment.year, 1, 1);
    let length = |year: i64| civil::to_days(year + 1, 1, 1) - civil::to_days(year, 1, 1);
    let looks_like = |year: i64| (civil::to_days(year, 1, 1) - first) % 7 == 0 && length(year) == length(moment.year);
    let year = (2_068..=LAST_YEAR).find(|year| looks_like(*year)).unwrap_or(LAST_YEAR);
    (civil::to_days(year, 1, 1) + days - first) * MICROS_PER_DAY + moment.micros
}

/// Arrow's extreme values stand for the infinities.
fn is_infinite(micros: i64) -> bool {
    matches!(micros, i64::MIN | i64::MAX)
}

fn ignoring_case(name: &str) -> Option<Tz> {
    chrono_tz::TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(name)).copied()
}

fn naive(micros: i64) -> Result<NaiveDateTime, Error> {
    DateTime::from_timestamp_micros(micros).map(|at| at.naive_utc()).ok_or_else(timestamp_out_of_range)
}

/// Seconds of `+2`, `-02:30`, `+0530`, `3`.
fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (hours, minutes, seconds) = match digits.split(':').collect::<Vec<_>>().as_slice() {
        [hours] if hours.len() == 4 => (hours.get(..2)?, hours.get(2..)?, "0"),
        [hours] => (*hours, "0", "0"),
        [hours, minutes] => (*hours, *minutes, "0"),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let (hours, minutes, seconds): (i32, i32, i32) =
        (hours.parse().ok()?, minutes.parse().ok()?, seconds.parse().ok()?);
    (hours <= 24 && minutes < 60 && seconds < 60).then(|| sign * (hours * 3_600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64, minute: i64, month: i64, day: i64) -> i64 {
        let mut moment = Civil::midnight(2024, month, day);
        moment.micros = (hour * 60 + minute) * 60 * MICROS_PER_SECOND;
        moment.to_micros().unwrap()
    }

    #[test]
    fn names_are_postgres_s() {
        for (name, hours) in [("UTC", 0), ("est", -5), ("UTC+3", -3), ("+02", -2), ("-3", 3), ("EST5", -5)] {
            assert_eq!(Zone::named(name).and_then(|zone| zone.offset_at(0)), Ok(hours * 3_600), "{name}");
        }
        assert_eq!(Zone::named("+02:30").and_then(|zone| zone.offset_at(0)), Ok(-9_000));
        assert_eq!(Zone::of_session("+02:00").and_then(|zone| zone.offset_at(0)), Ok(7_200));
        assert_eq!(Zone::named("europe/paris"), Ok(Zone::Named(Tz::Europe__Paris)));
        assert_eq!(
            Zone::named("Nowhere/X"),
            Err(Error::InvalidParameter("time zone \"Nowhere/X\" not recognized".to_owned()))
        );
        assert!(Zone::named("+2147483647").is_err());
    }

    #[test]
    fn a_gap_reads_with_the_old_offset_and_a_repeated_hour_as_its_second_pass() {
        let paris = Zone::named("Europe/Paris").unwrap();
        assert_eq!(paris.to_instant(at(2, 30, 3, 31)), Ok(at(1, 30, 3, 31)));
        assert_eq!(paris.to_instant(at(2, 30, 10, 27)), Ok(at(1, 30, 10, 27)));
        assert_eq!(paris.to_local(at(12, 0, 7, 1)), Ok(at(14, 0, 7, 1)));
        assert_eq!(paris.abbreviation_at(at(12, 0, 7, 1)).as_deref(), Ok("CEST"));
        let kathmandu = Zone::named("Asia/Kathmandu").unwrap();
        assert_eq!(kathmandu.abbreviation_at(at(12, 0, 7, 1)).as_deref(), Ok("+0545"));
    }
}
