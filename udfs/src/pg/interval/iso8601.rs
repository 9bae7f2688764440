//! Reads `P1Y2M3DT4H5M6.7S`, `P0001-02-03T04:05:06` and `P00010203T040506`, as `DecodeISO8601Interval` does.
//!
//! Owns: the ISO 8601 forms of an interval.

use super::parse::{Failure, Sum, Unit};
use super::{MICROS_PER_HOUR, MICROS_PER_SECOND};

/// The interval of a text that begins with `P`.
pub(super) fn parse(text: &str) -> Result<Sum, Failure> {
    let mut reader = Reader { rest: text.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or(Failure::Syntax)? };
    let mut sum = Sum::default();
    let (mut in_date, mut is_first) = (true, true);
    while !reader.rest.is_empty() {
        if reader.eat('T') {
            (in_date, is_first) = (false, true);
            continue;
        }
        let number = reader.number()?;
        let unit = reader.take();
        let designated = match (in_date, unit) {
            (true, Some('Y')) => Some(Unit::Year),
            (true, Some('M')) => Some(Unit::Month),
            (true, Some('W')) => Some(Unit::Week),
            (true, Some('D')) => Some(Unit::Day),
            (false, Some('H')) => Some(Unit::Hour),
            (false, Some('M')) => Some(Unit::Minute),
            (false, Some('S')) => Some(Unit::Second),
            (true, None | Some('T' | '-')) | (false, None | Some(':')) => None,
            _ => return Err(Failure::Syntax),
        };
        match designated {
            Some(unit) => {
                sum.add(unit, number.whole, number.part)?;
                is_first = false;
            }
            None if !is_first => return Err(Failure::Syntax),
            None if in_date => {
                let clock = reader.date(&mut sum, number, unit)?;
                if !clock {
                    break;
                }
                (in_date, is_first) = (false, true);
            }
            None => {
                reader.clock(&mut sum, number, unit)?;
                break;
            }
        }
    }
    Ok(sum)
}

/// A number whose part has its sign.
#[derive(Clone, Copy)]
struct Number {
    whole: i64,
    part: f64,
    /// Digits before anything else.
    width: usize,
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        Some(next)
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.rest.strip_prefix(wanted).map(|rest| self.rest = rest).is_some()
    }

    /// The longest number of C's `strtod` that stands here.
    #[expect(clippy::cast_possible_truncation, reason = "at most 1e15")]
    fn number(&mut self) -> Result<Number, Failure> {
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = |from: usize| self.rest.get(from..).unwrap_or_default();
        let sign = usize::from(self.rest.starts_with('-'));
        let width = digits(after(sign));
        let mut end = sign + width;
        let mut count = width;
        if after(end).starts_with('.') {
            let part = digits(after(end + 1));
            count += part;
            end += 1 + part;
        }
        if count == 0 {
            return Err(Failure::Syntax);
        }
        if after(end).starts_with(['e', 'E']) {
            let sign = usize::from(after(end + 1).starts_with(['-', '+']));
            let power = digits(after(end + 1 + sign));
            end += if power > 0 { 1 + sign + power } else { 0 };
        }
        let (text, rest) = self.rest.split_at_checked(end).ok_or(Failure::Syntax)?;
        let value: f64 = text.parse().map_err(|_| Failure::Syntax)?;
        if value.abs() > 1e15 {
            return Err(Failure::Range);
        }
        self.rest = rest;
        Ok(Number { whole: value as i64, part: value - value.trunc(), width })
    }

    /// `0001-02-03` or `00010203` behind their first number; whether a clock follows.
    fn date(&mut self, sum: &mut Sum, first: Number, delimiter: Option<char>) -> Result<bool, Failure> {
        if first.width == 8 && delimiter != Some('-') {
            sum.add(Unit::Year, first.whole / 10_000, 0.0)?;
            sum.add(Unit::Month, first.whole / 100 % 100, 0.0)?;
            sum.add(Unit::Day, first.whole % 100, first.part)?;
            return Ok(delimiter.is_some());
        }
        sum.add(Unit::Year, first.whole, first.part)?;
        if delimiter != Some('-') {
            return Ok(delimiter.is_some());
        }
        for unit in [Unit::Month, Unit::Day] {
            let number = self.number()?;
            sum.add(unit, number.whole, number.part)?;
            match self.take() {
                None => return Ok(false),
                Some('T') => return Ok(true),
                Some('-') if unit == Unit::Month => {}
                Some(_) => return Err(Failure::Syntax),
            }
        }
        Err(Failure::Syntax)
    }

    /// `04:05:06` or `040506` behind their first number.
    fn clock(&mut self, sum: &mut Sum, first: Number, delimiter: Option<char>) -> Result<(), Failure> {
        if first.width == 6 && delimiter.is_none() {
            let seconds = first.whole / 10_000 * 3_600 + first.whole / 100 % 100 * 60 + first.whole % 100;
            // PostgreSQL counts microseconds here.
            return sum.add_micros(seconds * MICROS_PER_SECOND, 1, 0.0).and_then(|()| sum.add_micros(0, 1, first.part));
        }
        sum.add_micros(first.whole, MICROS_PER_HOUR, first.part)?;
        if delimiter.is_none() {
            return Ok(());
        }
        for unit in [Unit::Minute, Unit::Second] {
            let number = self.number()?;
            sum.add(unit, number.whole, number.part)?;
            match self.take() {
                None => return Ok(()),
                Some(':') if unit == Unit::Minute => {}
                Some(_) => return Err(Failure::Syntax),
            }
        }
        Err(Failure::Syntax)
    }
}
