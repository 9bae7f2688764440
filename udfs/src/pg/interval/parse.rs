//! Reads the text of an interval, as `DecodeInterval` does with `IntervalStyle` postgres.
//!
//! Owns: the traditional grammar (`1 day 02:03:04`, `1-2`, `5 min ago`). ISO 8601 is its sibling's.

use arrow::datatypes::IntervalMonthDayNano;

use super::fields::{Field, Fields};
use super::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, iso8601};
use crate::Error;

/// The interval that a text names; 22007 when it names none, 22015 when a field does not fit.
pub fn parse(text: &str) -> Result<IntervalMonthDayNano, Error> {
    parse_fields(text, Fields { last: Field::Second, is_minute_to_second: false })
}

/// The interval that a text names in a type of these fields, which tell what a number without a unit counts, and beyond
/// which nothing is kept.
pub fn parse_fields(text: &str, fields: Fields) -> Result<IntervalMonthDayNano, Error> {
    let failed = |failure| match failure {
        Failure::Syntax => Error::InvalidDatetime { of: "interval", value: text.to_owned() },
        Failure::Range => Error::IntervalFieldOverflow(text.to_owned()),
    };
    let read = match tokens(text) {
        Ok(tokens) => traditional(&tokens, fields),
        Err(failure) => Err(failure),
    };
    match read {
        Err(Failure::Syntax) => iso8601::parse(text).map_err(failed),
        other => other.map_err(failed),
    }
    .and_then(|sum| sum.finish().map_err(failed))
    .map(|span| fields.last.truncated(span))
}

/// Why a text is not an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Syntax,
    Range,
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

/// The interval so far.
#[derive(Debug, Default)]
pub(super) struct Sum {
    months: i64,
    days: i64,
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
                self.months = plus(self.months, whole)?;
                self.add_days(0, 30, fraction)
            }
            Unit::Year => self.add_months(whole, 12, fraction),
            Unit::Decade => self.add_months(whole, 120, fraction),
            Unit::Century => self.add_months(whole, 1_200, fraction),
            Unit::Millennium => self.add_months(whole, 12_000, fraction),
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a fraction is below 1")]
    fn add_months(&mut self, whole: i64, scale: i64, fraction: f64) -> Result<(), Failure> {
        let rest = (fraction * scale as f64).round_ties_even() as i64;
        self.months = plus(plus(self.months, times(whole, scale)?)?, rest)?;
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a fraction is below 1")]
    fn add_days(&mut self, whole: i64, scale: i64, fraction: f64) -> Result<(), Failure> {
        let days = fraction * scale as f64;
        self.days = plus(plus(self.days, times(whole, scale)?)?, days.trunc() as i64)?;
        self.add_micros(0, MICROS_PER_DAY, days.fract())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a fraction is below 1")]
    fn add_micros(&mut self, whole: i64, scale: i64, fraction: f64) -> Result<(), Failure> {
        let rest = (fraction * scale as f64).round_ties_even() as i64;
        self.micros = plus(plus(self.micros, times(whole, scale)?)?, rest)?;
        Ok(())
    }

    fn finish(&self) -> Result<IntervalMonthDayNano, Failure> {
        let range = |_| Failure::Range;
        Ok(IntervalMonthDayNano {
            months: i32::try_from(self.months).map_err(range)?,
            days: i32::try_from(self.days).map_err(range)?,
            nanoseconds: times(self.micros, 1_000)?,
        })
    }

    fn negate(&mut self) {
        (self.months, self.days, self.micros) = (-self.months, -self.days, -self.micros);
    }
}

fn plus(left: i64, right: i64) -> Result<i64, Failure> {
    left.checked_add(right).ok_or(Failure::Range)
}

fn times(left: i64, right: i64) -> Result<i64, Failure> {
    left.checked_mul(right).ok_or(Failure::Range)
}

/// Splits `12.5` into its whole part and its fraction, which takes the sign.
pub(super) fn number(text: &str) -> Result<(i64, f64), Failure> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(Failure::Syntax);
    }
    let value: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Failure::Range)? };
    let part: f64 =
        if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().map_err(|_| Failure::Syntax)? };
    Ok(if negative { (-value, -part) } else { (value, part) })
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// `hh:mm[:ss[.f]]`, with its sign if any.
    Time(String),
    /// `12`, `-1.5` or the year-month `1-2`.
    Number(String),
    Word(String),
}

/// Cuts a text into fields; other punctuation (`@`, `,`) only separates them.
fn tokens(text: &str) -> Result<Vec<Token>, Failure> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let run = |from: usize, accept: fn(u8) -> bool| from + bytes[from..].iter().take_while(|b| accept(**b)).count();
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_alphabetic() {
            let end = run(at, |b| b.is_ascii_alphabetic());
            found.push(Token::Word(text[at..end].to_ascii_lowercase()));
            at = end;
        } else if byte.is_ascii_digit() || byte == b'.' || byte == b'-' || byte == b'+' {
            let signed = byte == b'-' || byte == b'+';
            let mut start = if signed { at + 1 } else { at };
            while signed && bytes.get(start).is_some_and(u8::is_ascii_whitespace) {
                start += 1;
            }
            if signed && !bytes.get(start).is_some_and(u8::is_ascii_digit) {
                return Err(Failure::Syntax);
            }
            let end = run(start, |b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'-'));
            let body = &text[start..end];
            let value = if signed { format!("{}{body}", char::from(byte)) } else { body.to_owned() };
            found.push(if body.contains(':') { Token::Time(value) } else { Token::Number(value) });
            at = end;
        } else if byte.is_ascii_whitespace() || byte.is_ascii_punctuation() {
            at += 1;
        } else {
            return Err(Failure::Syntax);
        }
    }
    Ok(found)
}

/// Adds up the fields from the last to the first, so that a unit is known before its number.
fn traditional(tokens: &[Token], fields_of_type: Fields) -> Result<Sum, Failure> {
    let mut sum = Sum::default();
    let mut unit = None;
    let mut seen: u32 = 0;
    let mut ago = false;
    let mut unit_waits = false;
    for (index, token) in tokens.iter().enumerate().rev() {
        let fields = match token {
            Token::Word(word) if word == "ago" && index + 1 == tokens.len() && index > 0 => {
                ago = true;
                0
            }
            Token::Word(word) => {
                if unit_waits {
                    return Err(Failure::Syntax);
                }
                unit = Some(unit_named(word).ok_or(Failure::Syntax)?);
                unit_waits = true;
                0
            }
            Token::Time(text) => {
                if unit_waits {
                    return Err(Failure::Syntax);
                }
                match (fields_of_type.is_minute_to_second, text.matches(':').count()) {
                    (true, 1) if !text.contains('.') => sum.add_micros(time(&format!("{text}.0"))?, 1, 0.0)?,
                    _ => sum.add_micros(time(text)?, 1, 0.0)?,
                }
                unit = Some(Unit::Day);
                bit(Unit::Hour) | bit(Unit::Minute) | SECONDS
            }
            Token::Number(text) => {
                unit_waits = false;
                let counted = unit.unwrap_or(fields_of_type.last.unit());
                let field = count(&mut sum, text, counted)?;
                unit = Some(if field == Unit::Hour { Unit::Day } else { field });
                // Parts of a second are milliseconds and microseconds too.
                let has_part = text.split_once('.').is_some_and(|(_, part)| part.bytes().any(|digit| digit != b'0'));
                if field == Unit::Second && has_part { SECONDS } else { bit(field) }
            }
        };
        if seen & fields != 0 {
            return Err(Failure::Syntax);
        }
        seen |= fields;
    }
    if seen == 0 || unit_waits {
        return Err(Failure::Syntax);
    }
    if ago {
        sum.negate();
    }
    Ok(sum)
}

const SECONDS: u32 = bit(Unit::Second) | bit(Unit::Millisecond) | bit(Unit::Microsecond);

const fn bit(unit: Unit) -> u32 {
    1 << unit as u32
}

/// Adds a number, or the year-month `1-2`, and tells which field it filled.
fn count(sum: &mut Sum, text: &str, unit: Unit) -> Result<Unit, Failure> {
    let unsigned = text.trim_start_matches(['-', '+']);
    let Some((years, months)) = unsigned.split_once('-') else {
        let (whole, fraction) = number(text)?;
        sum.add(unit, whole, fraction)?;
        return Ok(unit);
    };
    let ((years, no_fraction), (months, no_rest)) = (number(years)?, number(months)?);
    if no_fraction != 0.0 || no_rest != 0.0 {
        return Err(Failure::Syntax);
    }
    if !(0..12).contains(&months) {
        return Err(Failure::Range);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    sum.add(Unit::Month, plus(times(years, 12)?, months)? * sign, 0.0)?;
    Ok(Unit::Month)
}

/// The microseconds of `h:m`, `h:m:s[.f]` or `m:s.f`.
pub(super) fn time(text: &str) -> Result<i64, Failure> {
    let negative = text.starts_with('-');
    let unsigned = text.trim_start_matches(['-', '+']);
    if unsigned.contains('-') {
        return Err(Failure::Syntax);
    }
    let mut parts = unsigned.split(':');
    let (Some(first), Some(second), third, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Failure::Syntax);
    };
    let (hours, minutes, seconds) = match third {
        Some(seconds) => (first, second, seconds),
        None if second.contains('.') => ("0", first, second),
        None => (first, second, "0"),
    };
    let ((hours, of_hour), (minutes, of_minute), (seconds, fraction)) =
        (number(hours)?, number(minutes)?, number(seconds)?);
    if of_hour != 0.0 || of_minute != 0.0 {
        return Err(Failure::Syntax);
    }
    if minutes > 59 || seconds > 60 || i32::try_from(hours).is_err() {
        return Err(Failure::Range);
    }
    let mut sum = Sum::default();
    sum.add(Unit::Hour, hours, 0.0)?;
    sum.add(Unit::Minute, minutes, 0.0)?;
    sum.add(Unit::Second, seconds, fraction)?;
    Ok(if negative { -sum.micros } else { sum.micros })
}

/// The unit that PostgreSQL's `deltatktbl` gives a word.
fn unit_named(word: &str) -> Option<Unit> {
    Some(match word {
        "us" | "usec" | "usecond" | "useconds" | "usecs" | "microsecond" | "microseconds" => Unit::Microsecond,
        "ms" | "msec" | "msecond" | "mseconds" | "msecs" | "millisecond" | "milliseconds" => Unit::Millisecond,
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
    use super::super::{Style, format};
    use super::*;

    #[test]
    fn accepts_what_postgres_accepts() {
        for case in include_str!("accepted.txt").lines() {
            let (input, expect) = case.split_once(" => ").unwrap();
            assert_eq!(parse(input).map(|value| format(&value, Style::Postgres)).as_deref(), Ok(expect), "{input}");
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
        ] {
            let expect = Error::InvalidDatetime { of: "interval", value: input.to_owned() };
            assert_eq!(parse(input), Err(expect), "{input}");
        }
        for input in ["1:60:00", "1-13", "1000000000000 years", "9999999999:00", "99999999999999999999 s"] {
            assert_eq!(parse(input), Err(Error::IntervalFieldOverflow(input.to_owned())), "{input}");
        }
    }
}
