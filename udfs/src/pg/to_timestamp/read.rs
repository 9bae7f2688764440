//! Reads a text after a pattern, as `DCH_from_char` and `do_to_timestamp` do.
//!
//! Owns: the fields and how they make a moment.

use super::EPOCH;
use crate::Error;
use crate::pg::civil::{Civil, is_date, iso_week_start, to_days};
use crate::pg::interval::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND};
use crate::pg::to_char::pattern::{Field, Node};
use crate::pg::to_char::{DAYS, MONTHS, ROMAN};

/// What the text said.
#[derive(Debug, Default)]
struct Read {
    year: Option<i64>,
    iso_year: Option<i64>,
    century: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    week: Option<i64>,
    julian: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    second_of_day: Option<i64>,
    micro: i64,
    afternoon: Option<bool>,
    before_christ: bool,
    twelve_hours: bool,
    zone_hour: Option<(bool, i64)>,
    zone_minute: i64,
}

/// The wall clock of a text, with its offset in seconds east if it names one.
pub(super) fn moment(nodes: &[Node], text: &str) -> Result<(Civil, Option<i32>), Error> {
    let mut read = Read::default();
    let mut rest = text;
    for (index, node) in nodes.iter().enumerate() {
        match node {
            Node::Literal(c) if c.is_alphanumeric() => {
                let mut chars = rest.chars();
                chars.next();
                rest = chars.as_str();
            }
            // A separator of the pattern takes spaces and one separator of the text.
            Node::Literal(_) => {
                rest = rest.trim_start();
                let mut chars = rest.chars();
                if chars
                    .next()
                    .is_some_and(|c| c.is_ascii_punctuation() && !signs_number(c, chars.as_str(), nodes.get(index + 1)))
                {
                    rest = chars.as_str().trim_start();
                }
            }
            Node::Field { field, ordinal, .. } => {
                let next_is_digits =
                    matches!(nodes.get(index + 1), Some(Node::Field { field, .. }) if is_number(*field));
                rest = read.field(*field, rest.trim_start(), next_is_digits)?;
                if ordinal.is_some() && rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    rest = rest.get(2..).unwrap_or_default();
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    read.finish(text)
}

/// A minus before a number belongs to the number only where the pattern's next field is a zone's hour.
fn signs_number(c: char, rest: &str, next: Option<&Node>) -> bool {
    matches!(c, '-' | '+')
        && rest.starts_with(|c: char| c.is_ascii_digit())
        && matches!(next, Some(Node::Field { field: Field::ZoneHour | Field::Offset, .. }))
}

fn is_number(field: Field) -> bool {
    !matches!(
        field,
        Field::HalfDay { .. }
            | Field::Era { .. }
            | Field::MonthName
            | Field::MonthShort
            | Field::MonthRoman
            | Field::DayName
            | Field::DayShort
            | Field::Zone
            | Field::ZoneHour
            | Field::Offset
    )
}

/// An integer of at most `width` digits where another number follows, else as long as it is.
fn integer<'a>(text: &'a str, width: usize, limited: bool, name: &str) -> Result<(i64, usize, &'a str), Error> {
    let signed = usize::from(text.starts_with(['-', '+']));
    let run = text.get(signed..).unwrap_or_default().bytes().take_while(u8::is_ascii_digit).count();
    let length = signed + if limited { run.min(width) } else { run };
    let (digits, rest) = text.split_at(length);
    match digits.parse() {
        Ok(value) => Ok((value, length - signed, rest)),
        Err(_) if run > 0 => {
            Err(Error::DatetimeOverflow(format!("value for \"{name}\" in source string is out of range")))
        }
        Err(_) => {
            let shown: String = text.chars().take(width).collect();
            Err(Error::InvalidDatetimeFormat(format!("invalid value \"{shown}\" for \"{name}\"")))
        }
    }
}

/// The index of the name that a text begins with, whole or by its first three letters.
fn named<'a>(text: &'a str, names: &[&str], short: bool, field: &str) -> Result<(i64, &'a str), Error> {
    for (index, name) in (1..).zip(names) {
        let name = if short { name.get(..3).unwrap_or(name) } else { name };
        if text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) {
            return Ok((index, text.get(name.len()..).unwrap_or_default()));
        }
    }
    let word: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    Err(Error::InvalidDatetimeFormat(format!("invalid value \"{word}\" for \"{field}\"")))
}

impl Read {
    fn field<'a>(&mut self, field: Field, text: &'a str, limited: bool) -> Result<&'a str, Error> {
        let number = |width: usize, name: &str| integer(text, width, limited, name);
        let rest = match field {
            Field::Hour12 => {
                self.twelve_hours = true;
                let (value, _, rest) = number(2, "HH12")?;
                if !(1..=12).contains(&value) {
                    let message = format!("hour \"{value}\" is invalid for the 12-hour clock");
                    return Err(Error::InvalidDatetimeFormat(message));
                }
                self.hour = value;
                rest
            }
            Field::Hour24 => take(number(2, "HH24")?, &mut self.hour),
            Field::Minute => take(number(2, "MI")?, &mut self.minute),
            Field::Second => take(number(2, "SS")?, &mut self.second),
            Field::Milli => self.fraction(integer(text, 3, true, "MS")?),
            Field::Micro => self.fraction(integer(text, 6, true, "US")?),
            Field::Fraction(places) => self.fraction(integer(text, usize::try_from(places).unwrap_or(6), true, "FF")?),
            Field::SecondOfDay => some_of(number(5, "SSSS")?, &mut self.second_of_day),
            Field::HalfDay { .. } => {
                let (half, rest) = one_of(text, &["P.M.", "PM", "A.M.", "AM"], "AM")?;
                self.afternoon = Some(half < 2);
                rest
            }
            Field::Era { .. } => {
                let (era, rest) = one_of(text, &["B.C.", "BC", "A.D.", "AD"], "BC")?;
                self.before_christ = era < 2;
                rest
            }
            Field::YearComma => {
                let (thousands, _, rest) = integer(text, 3, true, "Y,YYY")?;
                let (units, _, rest) = integer(rest.strip_prefix(',').unwrap_or(rest), 3, true, "Y,YYY")?;
                self.year = Some(thousands * 1_000 + units);
                rest
            }
            Field::Year(count) => {
                let (value, digits, rest) = number(usize::try_from(count).unwrap_or(4), "YYYY")?;
                self.year = Some(adjusted(value, digits, count));
                rest
            }
            Field::IsoYear(count) => {
                let (value, digits, rest) = number(usize::try_from(count).unwrap_or(4), "IYYY")?;
                self.iso_year = Some(adjusted(value, digits, count));
                rest
            }
            Field::MonthName => some_named(named(text, &MONTHS, false, "Month")?, &mut self.month),
            Field::MonthShort => some_named(named(text, &MONTHS, true, "Mon")?, &mut self.month),
            Field::MonthRoman => {
                // The longest first, so that VIII is not read as V.
                let mut longest: Vec<_> = (1_i64..).zip(ROMAN).collect();
                longest.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
                let names: Vec<_> = longest.iter().map(|(_, name)| *name).collect();
                let (index, rest) = one_of(text, &names, "RM")?;
                self.month = longest.get(index).map(|(month, _)| *month);
                rest
            }
            Field::Month => some_of(number(2, "MM")?, &mut self.month),
            Field::DayName => named(text, &DAYS, false, "Day")?.1,
            Field::DayShort => named(text, &DAYS, true, "Dy")?.1,
            Field::Day => some_of(number(2, "DD")?, &mut self.day),
            Field::DayOfYear => some_of(number(3, "DDD")?, &mut self.day_of_year),
            Field::IsoDayOfYear => some_of(number(3, "IDDD")?, &mut self.day_of_year),
            Field::IsoDayOfWeek => some_of(number(1, "ID")?, &mut self.iso_day),
            Field::DayOfWeek => number(1, "D")?.2,
            Field::WeekOfMonth | Field::Quarter => number(1, "Q")?.2,
            Field::WeekOfYear => some_of(number(2, "WW")?, &mut self.week),
            Field::IsoWeek => some_of(number(2, "IW")?, &mut self.iso_week),
            Field::Century => some_of(number(2, "CC")?, &mut self.century),
            Field::Julian => some_of(number(7, "J")?, &mut self.julian),
            Field::Zone => {
                return Err(Error::Unsupported("formatting field \"TZ\" is only supported in to_char".to_owned()));
            }
            Field::ZoneHour | Field::Offset => {
                let (value, _, mut rest) = integer(text, 2, true, "TZH")?;
                self.zone_hour = Some((text.starts_with('-'), value.abs()));
                if field == Field::Offset
                    && let Some(minutes) = rest.strip_prefix(':')
                {
                    rest = take(integer(minutes, 2, true, "TZM")?, &mut self.zone_minute);
                }
                rest
            }
            Field::ZoneMinute => take(number(2, "TZM")?, &mut self.zone_minute),
        };
        Ok(rest)
    }

    /// Digits after a point: `5` of `MS` is half a second.
    fn fraction<'a>(&mut self, (value, digits, rest): (i64, usize, &'a str)) -> &'a str {
        let missing = 6_u32.saturating_sub(u32::try_from(digits).unwrap_or(6));
        self.micro = value * 10_i64.pow(missing);
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
    }

    fn finish(mut self, text: &str) -> Result<(Civil, Option<i32>), Error> {
        let wrong = || Error::DatetimeOverflow(format!("date/time field value out of range: \"{text}\""));
        if let Some(seconds) = self.second_of_day {
            (self.hour, self.minute, self.second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        }
        if self.twelve_hours {
            match self.afternoon {
                Some(true) if self.hour < 12 => self.hour += 12,
                Some(false) if self.hour == 12 => self.hour = 0,
                _ => {}
            }
        }
        if !(0..=24).contains(&self.hour) || !(0..60).contains(&self.minute) || !(0..=60).contains(&self.second) {
            return Err(wrong());
        }
        let days = self.days().ok_or_else(wrong)?;
        let micros = self.hour * MICROS_PER_HOUR + (self.minute * 60 + self.second) * MICROS_PER_SECOND + self.micro;
        if micros > MICROS_PER_DAY {
            return Err(wrong());
        }
        let midnight = days.checked_mul(MICROS_PER_DAY).ok_or_else(wrong)?;
        let civil = Civil::from_micros(midnight.checked_add(micros).ok_or_else(wrong)?);
        let offset = match self.zone_hour {
            Some((_, hours)) if hours > 15 || self.zone_minute > 59 => return Err(wrong()),
            Some((west, hours)) => {
                let seconds = i32::try_from(hours * 3_600 + self.zone_minute * 60).map_err(|_| wrong())?;
                Some(if west { -seconds } else { seconds })
            }
            None => None,
        };
        Ok((civil, offset))
    }

    /// Days since 1970; `None` when the calendar has no such day.
    fn days(&self) -> Option<i64> {
        if let Some(julian) = self.julian {
            return Some(julian - 2_440_588);
        }
        if let Some(iso_year) = self.iso_year {
            let start = iso_week_start(iso_year, self.iso_week.unwrap_or(1));
            return Some(match self.day_of_year {
                Some(day) => iso_week_start(iso_year, 1) + day - 1,
                None => start + self.iso_day.unwrap_or(1) - 1,
            });
        }
        let year = match (self.year, self.century) {
            (Some(year), Some(century)) if year < 100 => (century - 1) * 100 + year,
            (Some(year), _) => year,
            (None, Some(century)) => (century - 1) * 100 + 1,
            (None, None) => EPOCH.year,
        };
        if self.year == Some(0) || !(-4_800..=294_276).contains(&year) {
            return (self.year == Some(0)).then(|| to_days(0, self.month.unwrap_or(1), self.day.unwrap_or(1)));
        }
        let year = match (self.before_christ, year < 0) {
            (true, false) if self.year.is_some() => 1 - year,
            (false, true) => year + 1,
            _ => year,
        };
        if let Some(day) = self.day_of_year.or(self.week.map(|week| (week - 1) * 7 + 1)) {
            return (1..=366).contains(&day).then(|| to_days(year, 1, 1) + day - 1);
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        is_date(year, month, day).then(|| to_days(year, month, day))
    }
}

/// The nearest year to 2020 with these last digits.
fn adjusted(value: i64, digits: usize, count: u32) -> i64 {
    match (count, digits) {
        (4, _) | (_, 4..) => value,
        _ if value < 70 => value + 2_000,
        _ if value < 100 => value + 1_900,
        _ if value < 520 => value + 2_000,
        _ if value < 1_000 => value + 1_000,
        _ => value,
    }
}

fn one_of<'a>(text: &'a str, names: &[&str], field: &str) -> Result<(usize, &'a str), Error> {
    names
        .iter()
        .position(|name| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)))
        .map(|index| (index, text.get(names.get(index).map_or(0, |name| name.len())..).unwrap_or_default()))
        .ok_or_else(|| {
            let shown: String = text.chars().take(field.len()).collect();
            Error::InvalidDatetimeFormat(format!("invalid value \"{shown}\" for \"{field}\""))
        })
}

fn take<'a>((value, _, rest): (i64, usize, &'a str), target: &mut i64) -> &'a str {
    *target = value;
    rest
}

fn some_of<'a>((value, _, rest): (i64, usize, &'a str), target: &mut Option<i64>) -> &'a str {
    *target = Some(value);
    rest
}

fn some_named<'a>((value, rest): (i64, &'a str), target: &mut Option<i64>) -> &'a str {
    *target = Some(value);
    rest
}
