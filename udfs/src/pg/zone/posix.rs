//! `EST5EDT`: a zone as POSIX writes it, with the hours west of Greenwich and perhaps the name of its summer time.
//!
//! Owns: PostgreSQL's `tzparse` without rules of its own: summers are those of New York, its `posixrules`. Must never
//! know: the names of other zones.
//! <https://www.postgresql.org/docs/16/datetime-posix-timezone-specs.html>

use chrono::{Datelike, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::{MICROS_PER_SECOND, naive};
use crate::Error;
use crate::error::timestamp_out_of_range;

/// A zone whose clock changes twice a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posix {
    /// Seconds east of Greenwich.
    standard: i32,
    summer: i32,
}

/// What a text means.
pub(super) enum Parsed {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Changing(Posix),
}

const HOUR: i32 = 3_600;
/// Seconds west of Greenwich of New York's winters.
const RULES_WEST: i32 = 5 * HOUR;
/// The file of the rules ends there.
const RULES_END_YEAR: i32 = 2_037;

/// A name, an offset, and perhaps the name and the offset of the summer time.
pub(super) fn parse(text: &str) -> Option<Parsed> {
    let (_, rest) = name(text);
    let (west, rest) = offset(rest)?;
    if rest.is_empty() {
        return Some(Parsed::Fixed(-west));
    }
    let (summer_name, rest) = name(rest);
    if summer_name.is_empty() {
        return None;
    }
    let summer_west = match rest {
        "" => west - HOUR,
        rest => offset(rest).filter(|(_, rest)| rest.is_empty())?.0,
    };
    Some(Parsed::Changing(Posix { standard: -west, summer: -summer_west }))
}

fn name(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_ascii_digit() || matches!(c, ',' | '+' | '-')).unwrap_or(text.len());
    text.split_at(end)
}

/// `5`, `-5:45`, `+5:45:30`: seconds, and what follows.
fn offset(text: &str) -> Option<(i32, &str)> {
    const HOURS_MAX: i32 = 24 * 7 - 1;
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, mut rest) = number(rest, HOURS_MAX)?;
    let mut seconds = hours * HOUR;
    for (unit, most) in [(60, 59), (1, 60)] {
        let Some(after) = rest.strip_prefix(':') else { break };
        let (count, after) = number(after, most)?;
        seconds += count * unit;
        rest = after;
    }
    Some((sign * seconds, rest))
}

fn number(text: &str, most: i32) -> Option<(i32, &str)> {
    let (digits, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let number = digits.parse().ok().filter(|number| *number <= most)?;
    Some((number, rest))
}

impl Posix {
    /// Seconds east of Greenwich at an instant.
    pub(super) fn offset_at(self, micros: i64) -> Result<i32, Error> {
        Ok(if self.is_summer(micros)? { self.summer } else { self.standard })
    }

    /// Seconds east of Greenwich of a wall clock: a gap is read with the offset before it, a repeated hour as its second
    /// pass, which both are the standard time's.
    pub fn offset_of_local(self, local: i64) -> Result<i32, Error> {
        let instant =
            |east: i32| local.checked_sub(i64::from(east) * MICROS_PER_SECOND).ok_or_else(timestamp_out_of_range);
        let is_summer = self.is_summer(instant(self.standard)?)? && self.is_summer(instant(self.summer)?)?;
        Ok(if is_summer { self.summer } else { self.standard })
    }

    /// The clock changes when New York's clock would show the same.
    fn is_summer(self, micros: i64) -> Result<bool, Error> {
        let at = naive(micros)?;
        let shifted = |east: i32, rules_east: i32| {
            at.checked_add_signed(TimeDelta::seconds((east - rules_east).into())).ok_or_else(timestamp_out_of_range)
        };
        let from_winter = shifted(self.standard, -RULES_WEST)?;
        let from_summer = shifted(self.summer, HOUR - RULES_WEST)?;
        if from_winter.year() > RULES_END_YEAR {
            return Ok(false);
        }
        let rules_summer = |at: chrono::NaiveDateTime| {
            let offset = Tz::America__New_York.offset_from_utc_datetime(&at).fix();
            offset.local_minus_utc() > -RULES_WEST
        };
        let (begun, goes_on) = (rules_summer(from_winter), rules_summer(from_summer));
        // They differ near a change only; behind that into summer time there is more of it.
        Ok(if begun == goes_on { begun } else { rules_summer(from_winter + TimeDelta::days(30)) == begun })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn micros(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(&format!("{text}Z")).unwrap().timestamp_micros()
    }

    #[test]
    fn zones_without_summer_are_fixed() {
        for (text, east) in [("EST5", Some(-5 * HOUR)), ("e-2:30", Some(9_000)), ("+167", Some(-167 * HOUR))] {
            let fixed = parse(text).and_then(|parsed| match parsed {
                Parsed::Fixed(east) => Some(east),
                Parsed::Changing(_) => None,
            });
            assert_eq!(fixed, east, "{text}");
        }
        for bad in ["", "EST", "EST168", "EST5:60", "0530", "EST5EDT4x", "EST5,"] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn summers_are_those_of_new_york() {
        let Some(Parsed::Changing(zone)) = parse("est0bc") else { panic!("a zone") };
        for (at, hours) in [
            ("2024-01-01T00:00:00", 0),
            ("2024-03-10T01:59:59", 0),
            ("2024-03-10T02:00:00", 1),
            ("2024-11-03T00:59:59", 1),
            ("2024-11-03T01:00:00", 0),
            ("2050-07-01T00:00:00", 0),
        ] {
            assert_eq!(zone.offset_at(micros(at)), Ok(hours * HOUR), "{at}");
        }
        assert_eq!(zone.offset_of_local(micros("2024-07-01T12:00:00")), Ok(HOUR));
        assert_eq!(zone.offset_of_local(micros("2024-03-10T02:30:00")), Ok(0));
        assert_eq!(zone.offset_of_local(micros("2024-11-03T01:30:00")), Ok(0));
    }
}
