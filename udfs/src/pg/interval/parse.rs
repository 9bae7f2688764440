//! Reads the text of an interval, as `DecodeInterval` does.
//!
//! Owns: the traditional grammar (`1 day 02:03:04`, `1-2`, `5 min ago`). ISO 8601 is its sibling's.

use arrow::datatypes::IntervalMonthDayNano;

use super::fields::{self, Fields};
use super::format::Style;
use super::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, iso8601};
use crate::Error;
use crate::pg::moment::{Field, Kind, split};

/// The interval that a text names in a session of this `IntervalStyle`; 22007 when it names none, 22015 when a field does
/// not fit, 22008 when the months of all fields do not.
pub fn parse(text: &str, style: Style) -> Result<IntervalMonthDayNano, Error> {
    parse_fields(text, style, Fields { last: fields::Field::Second, is_minute_to_second: false })
}

/// The interval that a text names in a type of these fields, which tell what a number without a unit counts, and beyond
/// which nothing is kept.
pub fn parse_fields(text: &str, style: Style, of_type: Fields) -> Result<IntervalMonthDayNano, Error> {
    let failed = |failure| match failure {
        Failure::Syntax => Error::InvalidDatetime { of: "interval", value: text.to_owned() },
        Failure::Range => Error::IntervalFieldOverflow(text.to_owned()),
        Failure::Months => Error::IntervalOverflow,
    };
    let read = split(text).map_err(|_| Failure::Syntax).and_then(|fields| traditional(&fields, style, of_type));
    match read {
        Err(Failure::Syntax) => iso8601::parse(text).map_err(failed),
        other => other.map_err(failed),
    }
    .and_then(|sum| sum.finish().map_err(failed))
    .map(|span| of_type.last.truncated(span))
}

/// Why a text is not an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Syntax,
    Range,
    /// Years and months each fit, but not together.
    Months,
}

/// A unit that a number can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
}

/// The interval so far, in the widths of PostgreSQL's own, which decide what fits.
#[derive(Debug, Default)]
pub(super) struct Sum {
    years: i32,
    months: i32,
    days: i32,
    micros: i64,
}

impl Sum {
    /// Adds `whole.fraction` units; the fraction carries the sign of the number.
    pub(super) fn add(&mut self, unit: Unit, whole: i64, fraction: f64) -> Result<(), Failure> {
        match unit {
            Unit::Microsecond => self.add_micros(whole, 1, fraction),
            Unit::Millisecond => self.add_micros(whole, 1_000, fraction),
            Unit::Second => self.add_micros(whole, MICROS_PER_SECOND, fraction),
            Unit::Minute => self.add_micros(whole, 60 * MICROS_PER_SECOND, fraction),
            Unit::Hour => self.add_micros(whole, MICROS_PER_HOUR, fraction),
            Unit::Day => self.add_days(whole, 1, fraction),
            Unit::Week => self.add_days(whole, 7, fraction),
            Unit::Month => {
                self.months = more(self.months, whole, 1)?;
                self.add_days(0, 30, fraction)
            }
            Unit::Year => self.add_years(whole, 1, fraction),
            Unit::Decade => self.add_years(whole, 10, fraction),
            Unit::Century => self.add_years(whole, 100, fraction),
            Unit::Millennium => self.add_years(whole, 1_000, fraction),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a fraction is below 1")]
    fn add_years(&mut self, whole: i64, scale: i32, fraction: f64) -> Result<(), Failure> {
        self.years = more(self.years, whole, scale)?;
        let rest = (fraction * f64::from(scale) * 12.0).round_ties_even() as i64;
        self.months = more(self.months, rest, 1)?;
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "a fraction is below 1")]
    fn add_days(&mut self, whole: i64, scale: i32, fraction: f64) -> Result<(), Failure> {
        let days = fraction * f64::from(scale);
        self.days = more(more(self.days, whole, scale)?, days.trunc() as i64, 1)?;
        self.add_micros(0, MICROS_PER_DAY, days.fract())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a fraction is below 1")]
    pub(super) fn add_micros(&mut self, whole: i64, scale: i64, fraction: f64) -> Result<(), Failure> {
        let part = fraction * scale as f64;
        // `AdjustFractMicroseconds`: a half goes towards zero.
        let rest = part.trunc() as i64 + if part.fract().abs() > 0.5 { part.signum() as i64 } else { 0 };
        self.micros = plus(plus(self.micros, times(whole, scale)?)?, rest)?;
        Ok(())
    }

    fn finish(&self) -> Result<IntervalMonthDayNano, Failure> {
        let months = i64::from(self.years) * 12 + i64::from(self.months);
        Ok(IntervalMonthDayNano {
            months: i32::try_from(months).map_err(|_| Failure::Months)?,
            days: self.days,
            nanoseconds: times(self.micros, 1_000)?,
        })
    }

    fn negate(&mut self) -> Result<(), Failure> {
        let negated = |count: i32| count.checked_neg().ok_or(Failure::Range);
        (self.years, self.months, self.days) = (negated(self.years)?, negated(self.months)?, negated(self.days)?);
        self.micros = self.micros.checked_neg().ok_or(Failure::Range)?;
        Ok(())
    }
}

/// `count + whole * scale`, all of which must fit 32 bits.
fn more(count: i32, whole: i64, scale: i32) -> Result<i32, Failure> {
    let added = i32::try_from(whole).ok().and_then(|whole| whole.checked_mul(scale));
    added.and_then(|added| count.checked_add(added)).ok_or(Failure::Range)
}

fn plus(left: i64, right: i64) -> Result<i64, Failure> {
    left.checked_add(right).ok_or(Failure::Range)
}

fn times(left: i64, right: i64) -> Result<i64, Failure> {
    left.checked_mul(right).ok_or(Failure::Range)
}

/// The whole number that a text begins with, 0 without digits, and what follows it: C's `strtol`.
fn leading(text: &str) -> Result<(i64, &str), Failure> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 {
        return Ok((0, text));
    }
    let (number, rest) = text.split_at(text.len() - unsigned.len() + digits);
    Ok((number.parse().map_err(|_| Failure::Range)?, rest))
}

/// The part of a unit that `.5` names; a point alone names none.
fn fraction(text: &str) -> Result<f64, Failure> {
    match text.strip_prefix('.') {
        Some("") => Ok(0.0),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("0.{digits}").parse().map_err(|_| Failure::Syntax)
        }
        _ => Err(Failure::Syntax),
    }
}

/// A time of day, or minutes and seconds where the type has no hours.
fn clock(text: &str, of_type: Fields) -> Result<i64, Failure> {
    let has_seconds = text.contains('.') || text.matches(':').count() > 1;
    if of_type.is_minute_to_second && !has_seconds { time(&format!("{text}.0")) } else { time(text) }
}

/// What a number counts whose unit does not stand behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Unit(Unit),
    /// `ago`, or a unit that no interval has, stands behind it.
    Nothing,
}

/// Whether a minus before the first field is that of all: so the SQL standard has it, and so `IntervalStyle`
/// `sql_standard` reads where no other field has a sign of its own.
fn all_negative(fields: &[Field], style: Style) -> bool {
    let Some((first, others)) = fields.split_first() else { return false };
    style == Style::SqlStandard
        && first.text.starts_with('-')
        && !others.iter().any(|field| field.text.starts_with(['-', '+']))
}

/// `DecodeInterval`: adds up the fields from the last to the first, so that a unit is known before its number.
fn traditional(fields: &[Field], style: Style, of_type: Fields) -> Result<Sum, Failure> {
    let all_negative = all_negative(fields, style);
    let mut sum = Sum::default();
    let mut counted = Counted::Unit(of_type.last.unit());
    let mut seen: u32 = 0;
    let mut ago = false;
    for field in fields.iter().rev() {
        let micros = match field.kind {
            Kind::Time => Some(clock(&field.text, of_type)?),
            Kind::Zone if field.text.contains(':') => clock(&field.text, of_type).ok(),
            _ => None,
        };
        let filled = match (field.kind, micros) {
            (Kind::Word, _) => {
                counted = match field.text.as_str() {
                    "ago" => {
                        ago = true;
                        Counted::Nothing
                    }
                    "qtr" | "quarter" | "timezone" => Counted::Nothing,
                    word => Counted::Unit(unit_named(word).ok_or(Failure::Syntax)?),
                };
                continue;
            }
            (_, Some(micros)) => {
                // PostgreSQL forgets the parts of days that it has read by now.
                sum.micros = if all_negative { -micros.abs() } else { micros };
                counted = Counted::Unit(Unit::Day);
                bit(Unit::Hour) | bit(Unit::Minute) | SECONDS
            }
            _ => {
                let (unit, has_part) = count(&mut sum, &field.text, counted, all_negative)?;
                counted = Counted::Unit(if unit == Unit::Hour { Unit::Day } else { unit });
                // Parts of a second are milliseconds and microseconds too.
                if unit == Unit::Second && has_part { SECONDS } else { bit(unit) }
            }
        };
        if seen & filled != 0 {
            return Err(Failure::Syntax);
        }
        seen |= filled;
    }
    if seen == 0 {
        return Err(Failure::Syntax);
    }
    if ago {
        sum.negate()?;
    }
    Ok(sum)
}

const SECONDS: u32 = bit(Unit::Second) | bit(Unit::Millisecond) | bit(Unit::Microsecond);

const fn bit(unit: Unit) -> u32 {
    1 << unit as u32
}

/// Adds a number, or the year-month `1-2`; tells which field it filled, and whether it had a part of a unit.
fn count(sum: &mut Sum, text: &str, counted: Counted, negative: bool) -> Result<(Unit, bool), Failure> {
    let (whole, rest) = leading(text)?;
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let signed = |whole: i64| if negative && whole > 0 { -whole } else { whole };
    if let Some(months) = rest.strip_prefix('-') {
        let (months, rest) = leading(months)?;
        if !(0..12).contains(&months) {
            return Err(Failure::Range);
        }
        if !rest.is_empty() {
            return Err(Failure::Syntax);
        }
        sum.add(Unit::Month, signed(plus(times(whole, 12)?, months * sign)?), 0.0)?;
        return Ok((Unit::Month, false));
    }
    let part = if rest.is_empty() { 0.0 } else { fraction(rest)? };
    let Counted::Unit(unit) = counted else { return Err(Failure::Syntax) };
    let part = if negative || sign < 0 { -part } else { part };
    sum.add(unit, signed(whole), part)?;
    Ok((unit, part != 0.0))
}

/// The microseconds of `h:m`, `h:m:s[.f]` or `m:s.f`.
fn time(text: &str) -> Result<i64, Failure> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (first, rest) = leading(unsigned)?;
    let (second, rest) = leading(rest.strip_prefix(':').ok_or(Failure::Syntax)?)?;
    let (hours, minutes, seconds, part) = match rest.strip_prefix(':') {
        Some(third) => {
            let (seconds, rest) = leading(third)?;
            (first, second, seconds, if rest.is_empty() { 0.0 } else { fraction(rest)? })
        }
        None if rest.is_empty() => (first, second, 0, 0.0),
        None => (0, first, second, fraction(rest)?),
    };
    if hours < 0 || !(0..60).contains(&minutes) || !(0..=60).contains(&seconds) {
        return Err(Failure::Range);
    }
    let mut sum = Sum::default();
    sum.add(Unit::Hour, hours, 0.0)?;
    sum.add(Unit::Minute, minutes, 0.0)?;
    sum.add(Unit::Second, seconds, 0.0)?;
    // `ParseFractionalSecond`: a half goes to the even one.
    #[expect(clippy::cast_possible_truncation, reason = "at most a second")]
    sum.add(Unit::Microsecond, (part * 1e6).round_ties_even() as i64, 0.0)?;
    Ok(if text.starts_with('-') { -sum.micros } else { sum.micros })
}

/// The unit that PostgreSQL's `deltatktbl` gives a word, of which it reads ten letters.
fn unit_named(word: &str) -> Option<Unit> {
    Some(match word.get(..10).unwrap_or(word) {
        "us" | "usec" | "usecond" | "useconds" | "usecs" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "msecond" | "mseconds" | "msecs" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "second" | "seconds" | "secs" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hour" | "hours" | "hr" | "hrs" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "y" | "year" | "years" | "yr" | "yrs" => Unit::Year,
        "dec" | "decade" | "decades" | "decs" => Unit::Decade,
        "c" | "cent" | "centuries" | "century" => Unit::Century,
        "mil" | "millennia" | "millennium" | "mils" => Unit::Millennium,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::format;
    use super::*;

    fn read(text: &str) -> Result<IntervalMonthDayNano, Error> {
        parse(text, Style::Postgres)
    }

    #[test]
    fn accepts_what_postgres_accepts() {
        for case in include_str!("accepted.txt").lines() {
            let (input, expect) = case.split_once(" => ").unwrap();
            assert_eq!(read(input).map(|value| format(&value, Style::Postgres)).as_deref(), Ok(expect), "{input}");
        }
    }

    #[test]
    fn one_minus_is_that_of_all_fields_in_the_standard_s_style() {
        for (input, expect) in [
            ("-8 17:16:57", "-8 17:16:57"),
            ("-78 m 107 hours", "-108:18:00"),
            ("-83 century 24 milliseconds 188 months", "-8315-8 +0 -0:00:00.024"),
            ("-433.646 y 66 hour", "-433-8 +0 -66:00:00"),
            ("-2-3 40 21:21:28.021 ", "-2-3 -40 -21:21:28.021"),
            ("-42 months 196 decade", "-1963-6"),
            ("-1 mon 2:00 1.5 days", "-0-1 -1 -2:00:00"),
            ("-1:00 1.5 days", "-1 1:00:00"),
            ("-1 day +2:00", "+0-0 -1 +2:00:00"),
            ("-1 day 2 hours ago", "1 2:00:00"),
            ("P-1Y2M", "-0-10"),
        ] {
            let read = parse(input, Style::SqlStandard).map(|value| format(&value, Style::SqlStandard));
            assert_eq!(read.as_deref(), Ok(expect), "{input}");
        }
    }

    #[test]
    fn refuses_what_postgres_refuses() {
        for input in [
            "1e3 s",
            "P",
            "1 day 2 hours 3:00",
            "infinity",
            "1:2:3:4",
            "12:-1",
            "1 day 2 days",
            "x",
            "",
            "day",
            "é",
            "1d-",
            "P34Y+5D",
            "64.-4",
            "63h 051335 ago",
            "7/m",
            "117 c4.429yrs",
            "194 ,on 154d",
            "-9 on",
            "5 days at",
            "0.5 quarter",
            "5 dow",
            "1 microseconds 2:00 ago",
        ] {
            let expect = Error::InvalidDatetime { of: "interval", value: input.to_owned() };
            assert_eq!(read(input), Err(expect), "{input}");
        }
        for input in [
            "1:60:00",
            "1-13",
            "1000000000000 years",
            "9999999999:00",
            "99999999999999999999 s",
            "9-162-10",
            "2147483647 9days",
            "3000000000 months",
            "-2147483648 days ago",
            "-9223372036854775808 us ago",
        ] {
            assert_eq!(read(input), Err(Error::IntervalFieldOverflow(input.to_owned())), "{input}");
        }
        for input in ["1780000000 years", "178956970 years 8 mons", "P178956970Y8M"] {
            assert_eq!(read(input), Err(Error::IntervalOverflow), "{input}");
        }
    }
}
