//! The texts of days and times.
//!
//! Owns: the forms in which they are written. Pure, so that guess and reading never differ.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// Days from the first of the first year to 1970-01-01.
const UNIX_EPOCH_DAY: i32 = 719_163;
const MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * MICROS;

/// How the moments of a column are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Form {
    /// ISO 8601.
    #[default]
    Iso,
    /// `YYYYMMDD`, `YYYYMMDDHH`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`.
    Compact { digits: u8 },
    /// `2024/01/31`.
    YearFirst,
    /// `31/01/2024` or `31.01.2024`.
    DayFirst { between: u8 },
    /// `01/31/2024`.
    MonthFirst,
    /// As a definition says.
    Pattern(Pattern),
}

impl Form {
    /// Days since 1970-01-01.
    pub(crate) fn date(&self, value: &str) -> Option<i32> {
        match self {
            Self::Iso => date(value),
            Self::Compact { digits: 8 } => compact(value, 8).map(|(day, _)| day),
            Self::Compact { .. } => None,
            Self::Pattern(pattern) => pattern.date(value),
            Self::YearFirst | Self::DayFirst { .. } | Self::MonthFirst => {
                self.parted(value).filter(|(_, rest)| rest.is_empty()).map(|(day, _)| day)
            }
        }
    }

    /// Microseconds since 1970-01-01, and whether the value has an offset. A day is its midnight.
    pub(crate) fn timestamp(&self, value: &str) -> Option<(i64, bool)> {
        match self {
            Self::Iso => timestamp(value).or_else(|| date(value).map(|day| (i64::from(day) * DAY_MICROS, false))),
            Self::Compact { digits } => {
                compact(value, usize::from(*digits)).map(|(day, clock)| (i64::from(day) * DAY_MICROS + clock, false))
            }
            Self::Pattern(pattern) => pattern.timestamp(value),
            Self::YearFirst | Self::DayFirst { .. } | Self::MonthFirst => {
                let (day, rest) = self.parted(value)?;
                let clock = if rest.is_empty() { 0 } else { time(rest.strip_prefix([' ', 'T'])?)? };
                Some((i64::from(day) * DAY_MICROS + clock, false))
            }
        }
    }

    /// The day of three numbers, and what stands behind it.
    pub(super) fn parted<'a>(&self, value: &'a str) -> Option<(i32, &'a str)> {
        let (parts, rest) = parts(value, if *self == (Self::DayFirst { between: b'.' }) { b'.' } else { b'/' })?;
        let ((year, width), month, day) = match (self, parts) {
            (Self::YearFirst, [year, (month, 1..=2), (day, 1..=2)]) => (year, month, day),
            (Self::DayFirst { .. }, [(day, 1..=2), (month, 1..=2), year])
            | (Self::MonthFirst, [(month, 1..=2), (day, 1..=2), year]) => (year, month, day),
            _ => return None,
        };
        (width == 4).then(|| ymd(year, month, day)).flatten().map(|day| (day, rest))
    }

    /// The form by the name that `system.csv_dialect` shows.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Iso => "ISO 8601",
            Self::Compact { digits: 8 } => "YYYYMMDD",
            Self::Compact { digits: 10 } => "YYYYMMDDHH",
            Self::Compact { digits: 12 } => "YYYYMMDDHHMM",
            Self::Compact { .. } => "YYYYMMDDHHMMSS",
            Self::YearFirst => "YYYY/MM/DD",
            Self::DayFirst { between: b'.' } => "DD.MM.YYYY",
            Self::DayFirst { .. } => "DD/MM/YYYY",
            Self::MonthFirst => "MM/DD/YYYY",
            Self::Pattern(_) => "pattern",
        }
    }
}

/// Three numbers of at most four digits with their digits, and the rest behind the third.
fn parts(value: &str, between: u8) -> Option<([(u32, usize); 3], &str)> {
    let (mut parts, mut rest) = ([(0, 0); 3], value);
    for (place, part) in parts.iter_mut().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(char::from(between))?;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = (1..=4).contains(&digits).then(|| rest.split_at(digits))?;
        (*part, rest) = ((number.parse().ok()?, digits), behind);
    }
    Some((parts, rest))
}

/// Digits alone: the day, and the microseconds of its clock.
pub(super) fn compact(value: &str, digits: usize) -> Option<(i32, i64)> {
    let bytes = value.as_bytes();
    if bytes.len() != digits {
        return None;
    }
    let pair = |at: usize| two(*bytes.get(at)?, *bytes.get(at + 1)?);
    let part = |at: usize| if at < digits { pair(at) } else { Some(0) };
    let day = ymd(pair(0)? * 100 + pair(2)?, pair(4)?, pair(6)?)?;
    Some((day, clock(part(8)?, part(10)?, part(12)?)?))
}

/// `YYYY-MM-DD` as days since 1970-01-01.
pub(crate) fn date(value: &str) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = value.as_bytes() else { return None };
    ymd(two(*y1, *y2)? * 100 + two(*y3, *y4)?, two(*m1, *m2)?, two(*d1, *d2)?)
}

fn ymd(year: u32, month: u32, day: u32) -> Option<i32> {
    days(NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?)
}

fn days(date: NaiveDate) -> Option<i32> {
    use chrono::Datelike;
    date.num_days_from_ce().checked_sub(UNIX_EPOCH_DAY)
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

/// ISO 8601 date and time as microseconds since 1970-01-01, and whether it has an offset.
pub(crate) fn timestamp(value: &str) -> Option<(i64, bool)> {
    let day = i64::from(date(value.get(..10)?)?);
    let rest = value.get(10..)?.strip_prefix(['T', ' ', 't'])?;
    let (clock, offset) = split_offset(rest)?;
    let micros = day * DAY_MICROS + time(clock)?;
    Some((micros - offset.unwrap_or(0) * MICROS, offset.is_some()))
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fffffffff` as microseconds, rounded as PostgreSQL rounds.
pub(super) fn time(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let seconds = match whole.as_bytes() {
        [h1, h2, b':', m1, m2] if fraction.is_none() => clock(two(*h1, *h2)?, two(*m1, *m2)?, 0)?,
        [h1, h2, b':', m1, m2, b':', s1, s2] => clock(two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?)?,
        _ => return None,
    };
    Some(seconds + fraction.map_or(Some(0), micros)?)
}

fn clock(hour: u32, minute: u32, second: u32) -> Option<i64> {
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    (hour < 24 && minute < 60 && second < 60).then_some(seconds * MICROS)
}

fn micros(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    Some((nanos + 500) / 1000)
}

/// The clock and the seconds of the offset behind it, if there is one.
fn split_offset(rest: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = rest.strip_suffix(['Z', 'z']) {
        return Some((clock, Some(0)));
    }
    let Some(at) = rest.find(['+', '-']) else { return Some((rest, None)) };
    let (clock, offset) = rest.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match offset.get(1..)?.as_bytes() {
        [h1, h2] => (two(*h1, *h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?),
        _ => return None,
    };
    (hours < 16 && minutes < 60).then(|| (clock, Some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))))
}

/// A form of dates or times that a definition names, as `%Y%m%d%H`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern(Vec<Item<'static>>);

impl Pattern {
    /// `None` if the text is not a pattern.
    pub(crate) fn new(text: &str) -> Option<Self> {
        StrftimeItems::new(text).parse_to_owned().ok().map(Self)
    }

    pub(crate) fn date(&self, value: &str) -> Option<i32> {
        days(self.parsed(value)?.to_naive_date().ok()?)
    }

    /// Parts of the time that the pattern does not have are zero.
    pub(crate) fn timestamp(&self, value: &str) -> Option<(i64, bool)> {
        let mut parsed = self.parsed(value)?;
        let date = parsed.to_naive_date().ok()?;
        if parsed.hour_mod_12().is_none() {
            parsed.set_hour(0).ok()?;
        }
        if parsed.minute().is_none() {
            parsed.set_minute(0).ok()?;
        }
        let time: NaiveTime = parsed.to_naive_time().ok()?;
        let micros = NaiveDateTime::new(date, time).and_utc().timestamp_micros();
        let offset = parsed.offset().map(i64::from);
        Some((micros - offset.unwrap_or(0) * MICROS, offset.is_some()))
    }

    fn parsed(&self, value: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, value, self.0.iter()).ok()?;
        Some(parsed)
    }
}
