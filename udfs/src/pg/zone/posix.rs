//! `EST5EDT`: a zone as POSIX writes it, with the hours west of Greenwich and perhaps the name of its summer time.
//!
//! Owns: PostgreSQL's `tzparse` without rules of its own: summers are those of `M3.2.0,M11.1.0`, in all years. Must never
//! know: the names of other zones.
//! <https://www.postgresql.org/docs/16/datetime-posix-timezone-specs.html>

use super::MICROS_PER_SECOND;
use crate::pg::civil;

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
const DAY_SECONDS: i64 = 24 * 3_600;

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
    pub(super) fn offset_at(self, micros: i64) -> i32 {
        self.offset_at_second(micros.div_euclid(MICROS_PER_SECOND))
    }

    /// Seconds east of Greenwich of a wall clock, as `DetermineTimeZoneOffset` finds them: around the first change after
    /// the day before. A gap is read with the offset before it, a repeated hour as its second pass.
    pub fn offset_of_local(self, local: i64) -> i32 {
        let local = local.div_euclid(MICROS_PER_SECOND);
        let start = local - DAY_SECONDS;
        let before = self.offset_at_second(start);
        let change = self.change_after(start);
        let after = self.offset_at_second(change);
        let (with_before, with_after) = (local - i64::from(before), local - i64::from(after));
        if with_before < change && with_after < change {
            before
        } else if with_before > change && with_after >= change || with_before <= with_after {
            after
        } else {
            before
        }
    }

    fn offset_at_second(self, second: i64) -> i32 {
        let (begin, end) = self.summer_of(year_of(second));
        if (begin..end).contains(&second) { self.summer } else { self.standard }
    }

    /// The first change of the clock behind a second.
    fn change_after(self, second: i64) -> i64 {
        let year = year_of(second);
        let ((begin, end), (next, _)) = (self.summer_of(year), self.summer_of(year + 1));
        [begin, end].into_iter().find(|change| *change > second).unwrap_or(next)
    }

    /// From when until when a year has summer time: the second Sunday of March and the first of November, at two.
    fn summer_of(self, year: i64) -> (i64, i64) {
        let at_two = |day: i64, east: i32| day * DAY_SECONDS + i64::from(2 * HOUR - east);
        (at_two(sunday(year, 3, 2), self.standard), at_two(sunday(year, 11, 1), self.summer))
    }
}

fn year_of(second: i64) -> i64 {
    civil::from_days(second.div_euclid(DAY_SECONDS)).0
}

/// The day of a month's `nth` Sunday.
fn sunday(year: i64, month: i64, nth: i64) -> i64 {
    let first = civil::to_days(year, month, 1);
    // 1970-01-04 was a Sunday.
    first + (3 - first).rem_euclid(7) + 7 * (nth - 1)
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
    fn summers_are_those_of_the_default_rule_in_every_year() {
        let Some(Parsed::Changing(zone)) = parse("est0bc") else { panic!("a zone") };
        for (at, hours) in [
            ("2024-01-01T00:00:00", 0),
            ("2024-03-10T01:59:59", 0),
            ("2024-03-10T02:00:00", 1),
            ("2024-11-03T00:59:59", 1),
            ("2024-11-03T01:00:00", 0),
            ("2050-07-01T00:00:00", 1),
            ("2051-03-12T02:00:00", 1),
            ("1700-07-01T00:00:00", 1),
            ("1943-02-01T00:00:00", 0),
            ("1974-02-01T00:00:00", 0),
            ("1980-04-10T00:00:00", 1),
        ] {
            assert_eq!(zone.offset_at(micros(at)), hours * HOUR, "{at}");
        }
        assert_eq!(zone.offset_of_local(micros("2024-07-01T12:00:00")), HOUR);
        assert_eq!(zone.offset_of_local(micros("2024-03-10T02:30:00")), 0);
        assert_eq!(zone.offset_of_local(micros("2024-11-03T01:30:00")), 0);
    }
}
