//! What the fields of a date and of a time say.
//!
//! Owns: PostgreSQL's `DecodeDate`, `DecodeNumber`, `DecodeNumberField`, `DecodeTime`, `DecodeTimezone` and
//! `ValidateDate`. Must never know: which fields a text has.

use super::words::{self, Word};
use super::{Failure, Order};
use crate::pg::civil;

pub(super) const YEAR: u32 = 1;
pub(super) const MONTH: u32 = 1 << 1;
pub(super) const DAY: u32 = 1 << 2;
pub(super) const DATE: u32 = YEAR | MONTH | DAY;
pub(super) const DAY_OF_YEAR: u32 = 1 << 3;
pub(super) const TIME: u32 = 1 << 4;
pub(super) const ZONE: u32 = 1 << 5;
pub(super) const WEEKDAY: u32 = 1 << 6;
pub(super) const AFTERNOON: u32 = 1 << 7;
pub(super) const ERA: u32 = 1 << 8;
pub(super) const SUMMER: u32 = 1 << 9;
pub(super) const SUMMER_WORD: u32 = 1 << 10;

const SECOND_MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) order: Order,
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) day_of_year: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) fraction: i64,
    pub(super) is_julian: bool,
    pub(super) before_christ: bool,
    pub(super) has_text_month: bool,
    pub(super) has_two_digits: bool,
}

/// C's `strtol` to 32 bits: the number and what follows it.
pub(super) fn integer(text: &str, overflow: Failure) -> Result<(i64, &str), Failure> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Ok((0, text));
    }
    let end = text.len() - unsigned.len() + digits;
    let (number, rest) = text.split_at_checked(end).ok_or(Failure::Syntax)?;
    let number: i32 = number.parse().map_err(|_| overflow)?;
    Ok((number.into(), rest))
}

/// Microseconds of `.5`; a point alone is none.
pub(super) fn fraction(text: &str) -> Result<i64, Failure> {
    let digits = text.get(1..).ok_or(Failure::Syntax)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Syntax);
    }
    let part: f64 = if digits.is_empty() { 0.0 } else { text.parse().map_err(|_| Failure::Syntax)? };
    #[expect(clippy::cast_possible_truncation, reason = "a part of one")]
    Ok((part * 1e6).round_ties_even() as i64)
}

/// Seconds east of Greenwich.
pub(super) fn zone(text: &str) -> Result<i32, Failure> {
    let west = match text.as_bytes().first() {
        Some(b'-') => true,
        Some(b'+') => false,
        _ => return Err(Failure::Syntax),
    };
    let (mut hours, mut rest) = integer(text.get(1..).unwrap_or_default(), Failure::Zone)?;
    let (mut minutes, mut seconds) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        (minutes, rest) = integer(after, Failure::Zone)?;
        if let Some(after) = rest.strip_prefix(':') {
            (seconds, rest) = integer(after, Failure::Zone)?;
        }
    } else if rest.is_empty() && text.len() > 3 {
        (hours, minutes) = (hours / 100, hours % 100);
    }
    if !(0..=15).contains(&hours) || !(0..60).contains(&minutes) || !(0..60).contains(&seconds) {
        return Err(Failure::Zone);
    }
    if !rest.is_empty() {
        return Err(Failure::Syntax);
    }
    let east = i32::try_from((hours * 60 + minutes) * 60 + seconds).map_err(|_| Failure::Zone)?;
    Ok(if west { -east } else { east })
}

impl Fields {
    /// `2024-01-02`, `jan-2-2024`.
    pub(super) fn date(&mut self, text: &str, mask: u32) -> Result<u32, Failure> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let Some(first) = rest.bytes().next() else { return Err(Failure::Syntax) };
            let same = |byte: &u8| match first.is_ascii_digit() {
                true => byte.is_ascii_digit(),
                false => byte.is_ascii_alphabetic(),
            };
            let (part, after) = rest.split_at(rest.bytes().take_while(same).count());
            parts.push(part);
            // Whatever stands there is taken for a separator.
            rest = after.get(1..).unwrap_or_default();
        }
        let (mut mask, mut read) = (mask, 0);
        let mut has_text_month = false;
        for part in parts.iter().filter(|part| part.starts_with(|c: char| c.is_ascii_alphabetic())) {
            match words::special(part) {
                Some(Word::Ignored) => continue,
                Some(Word::Month(month)) => self.month = month,
                _ => return Err(Failure::Syntax),
            }
            has_text_month = true;
            if mask & MONTH != 0 {
                return Err(Failure::Syntax);
            }
            mask |= MONTH;
            read |= MONTH;
        }
        for part in parts.iter().filter(|part| part.starts_with(|c: char| c.is_ascii_digit())) {
            let found = self.number(part, has_text_month, mask)?;
            if mask & found != 0 {
                return Err(Failure::Syntax);
            }
            mask |= found;
            read |= found;
        }
        if mask & !(DAY_OF_YEAR | ZONE) == DATE { Ok(read) } else { Err(Failure::Syntax) }
    }

    /// One number of a date, or the time behind a whole date.
    pub(super) fn number(&mut self, text: &str, has_text_month: bool, mask: u32) -> Result<u32, Failure> {
        let (value, rest) = integer(text, Failure::Range)?;
        if rest.len() == text.len() {
            return Err(Failure::Syntax);
        }
        if rest.starts_with('.') {
            if text.len() - rest.len() > 2 {
                return self.run_together(text, mask | DATE);
            }
            self.fraction = fraction(rest)?;
        } else if !rest.is_empty() {
            return Err(Failure::Syntax);
        }
        if text.len() == 3 && mask & DATE == YEAR && (1..=366).contains(&value) {
            self.day_of_year = value;
            return Ok(DAY_OF_YEAR | MONTH | DAY);
        }
        let is_long = text.len() >= 3;
        let read = match mask & DATE {
            0 if is_long || self.order == Order::Ymd => YEAR,
            0 if self.order == Order::Dmy => DAY,
            0 => MONTH,
            YEAR => MONTH,
            MONTH if has_text_month && (is_long || self.order == Order::Ymd) => YEAR,
            MONTH => DAY,
            found if found == YEAR | MONTH => {
                if has_text_month && is_long && self.has_two_digits {
                    // The first number was the day after all.
                    self.day = self.year;
                    self.year = value;
                    self.has_two_digits = false;
                    return Ok(DAY);
                }
                DAY
            }
            DAY => MONTH,
            found if found == MONTH | DAY => YEAR,
            DATE => return self.run_together(text, mask),
            _ => return Err(Failure::Syntax),
        };
        match read {
            YEAR => {
                self.year = value;
                self.has_two_digits = text.len() <= 2;
            }
            MONTH => self.month = value,
            _ => self.day = value,
        }
        Ok(read)
    }

    /// `20240102`, `240102`, `102030.5`, `1020`.
    pub(super) fn run_together(&mut self, text: &str, mask: u32) -> Result<u32, Failure> {
        let digits = match text.find('.') {
            Some(point) => {
                self.fraction = fraction(text.get(point..).unwrap_or_default())?;
                text.get(..point).unwrap_or_default()
            }
            None if mask & DATE != DATE && text.len() >= 6 => {
                let part = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<i32>().ok());
                let end = text.len();
                self.day = part(end - 2..end).ok_or(Failure::Syntax)?.into();
                self.month = part(end - 4..end - 2).ok_or(Failure::Syntax)?.into();
                self.year = part(0..end - 4).ok_or(Failure::Range)?.into();
                self.has_two_digits = end == 6;
                return Ok(DATE);
            }
            None => text,
        };
        if mask & TIME != 0 || !matches!(digits.len(), 4 | 6) {
            return Err(Failure::Syntax);
        }
        let part = |range: std::ops::Range<usize>| match digits.get(range) {
            Some(part) => part.parse::<i64>().map_err(|_| Failure::Syntax),
            None => Ok(0),
        };
        (self.hour, self.minute, self.second) = (part(0..2)?, part(2..4)?, part(4..6)?);
        Ok(TIME)
    }

    /// `10:20`, `10:20:30.5`; `20:30.5` are minutes and seconds.
    pub(super) fn time(&mut self, text: &str) -> Result<u32, Failure> {
        let (hour, rest) = integer(text, Failure::Range)?;
        let rest = rest.strip_prefix(':').ok_or(Failure::Syntax)?;
        let (minute, rest) = integer(rest, Failure::Range)?;
        (self.hour, self.minute, self.second, self.fraction) = (hour, minute, 0, 0);
        if rest.starts_with('.') {
            self.fraction = fraction(rest)?;
            (self.hour, self.minute, self.second) = (0, hour, minute);
        } else if let Some(after) = rest.strip_prefix(':') {
            let (second, rest) = integer(after, Failure::Range)?;
            self.second = second;
            match rest.as_bytes().first() {
                None => {}
                Some(b'.') => self.fraction = fraction(rest)?,
                Some(_) => return Err(Failure::Syntax),
            }
        } else if !rest.is_empty() {
            return Err(Failure::Syntax);
        }
        let fits = self.hour >= 0 && (0..60).contains(&self.minute) && (0..=60).contains(&self.second);
        if fits { Ok(TIME) } else { Err(Failure::Range) }
    }

    /// Whether the time is beyond 24:00.
    pub(super) fn is_late(&self) -> bool {
        let fits = (0..=24).contains(&self.hour) && (0..60).contains(&self.minute) && (0..=60).contains(&self.second);
        !fits || self.micros() > DAY_MICROS
    }

    pub(super) fn micros(&self) -> i64 {
        ((self.hour * 60 + self.minute) * 60 + self.second) * SECOND_MICROS + self.fraction
    }

    /// Days since 1970-01-01.
    pub(super) fn days(&self) -> i64 {
        civil::to_days(self.year, self.month, self.day)
    }

    /// The day of a Julian day number.
    pub(super) fn set_julian(&mut self, number: i64) {
        const UNIX_JULIAN: i64 = 2_440_588;
        (self.year, self.month, self.day) = civil::from_days(number - UNIX_JULIAN);
        self.is_julian = true;
    }

    pub(super) fn set_days(&mut self, days: i64) {
        (self.year, self.month, self.day) = civil::from_days(days);
        self.is_julian = true;
    }

    /// Gives years their era and their century, and refuses days that no calendar has.
    pub(super) fn settle_date(&mut self, mask: u32) -> Result<(), Failure> {
        if mask & YEAR != 0 && !self.is_julian {
            if self.before_christ {
                if self.year <= 0 {
                    return Err(Failure::Range);
                }
                self.year = 1 - self.year;
            } else if self.has_two_digits {
                match self.year {
                    0..70 => self.year += 2_000,
                    70..100 => self.year += 1_900,
                    _ => {}
                }
            } else if self.year <= 0 {
                return Err(Failure::Range);
            }
        }
        if mask & DAY_OF_YEAR != 0 {
            let first = civil::to_days(self.year, 1, 1);
            (self.year, self.month, self.day) = civil::from_days(first + self.day_of_year - 1);
        }
        let wrong_month = mask & MONTH != 0 && !(1..=12).contains(&self.month);
        if wrong_month || (mask & DAY != 0 && !(1..=31).contains(&self.day)) {
            return Err(Failure::MonthOrDay);
        }
        // A day that the month has not becomes one of the next.
        if mask & DATE == DATE && civil::from_days(self.days()) != (self.year, self.month, self.day) {
            return Err(Failure::Range);
        }
        Ok(())
    }
}
