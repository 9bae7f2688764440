//! What one text value can mean: a number, a date, a time, or only text.
//!
//! Owns: the forms that columns are recognised by, and their parsing. Pure, so that guess and reading never differ.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// Days from the first of the first year to 1970-01-01.
const UNIX_EPOCH_DAY: i32 = 719_163;
const MICROS: i64 = 1_000_000;

/// A set of the kinds of the values of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const INTEGER: Self = Self(1);
    pub(crate) const FLOAT: Self = Self(1 << 1);
    /// `NaN` and the infinities: numbers among numbers, else words.
    pub(crate) const SPECIAL: Self = Self(1 << 2);
    pub(crate) const BOOLEAN: Self = Self(1 << 3);
    pub(crate) const DATE: Self = Self(1 << 4);
    pub(crate) const TIMESTAMP: Self = Self(1 << 5);
    /// A time with an offset.
    pub(crate) const INSTANT: Self = Self(1 << 6);
    pub(crate) const TEXT: Self = Self(1 << 7);

    pub(crate) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Adds the kind of a value, unless the column is text anyway.
    pub(crate) fn see(&mut self, value: &str) {
        if !self.has(Self::TEXT) {
            self.add(classify(value));
        }
    }

    /// The narrowest type that holds every value. A column without values is text.
    pub(crate) fn data_type(self) -> DataType {
        let numbers = Self(Self::INTEGER.0 | Self::FLOAT.0 | Self::SPECIAL.0);
        let times = Self(Self::DATE.0 | Self::TIMESTAMP.0);
        if self.is_empty() || self == Self::SPECIAL {
            DataType::Utf8View
        } else if self == Self::INTEGER {
            DataType::Int64
        } else if self.within(numbers) {
            DataType::Float64
        } else if self == Self::BOOLEAN {
            DataType::Boolean
        } else if self == Self::DATE {
            DataType::Date32
        } else if self.within(times) {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        } else if self == Self::INSTANT {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        } else {
            DataType::Utf8View
        }
    }
}

/// The kind of one value; blanks alone are no value.
pub(crate) fn classify(value: &str) -> Kinds {
    let value = value.trim_ascii();
    let Some(first) = value.bytes().next() else { return Kinds::default() };
    match first {
        b'0'..=b'9' | b'-' | b'.' => number(value).or_else(|| moment(value)).unwrap_or(Kinds::TEXT),
        b't' | b'T' | b'f' | b'F' if boolean(value).is_some() => Kinds::BOOLEAN,
        b'N' | b'i' | b'I' if matches!(value, "NaN" | "inf" | "Infinity") => Kinds::SPECIAL,
        _ => Kinds::TEXT,
    }
}

/// A number in the form in which it would be written again: a leading zero or a plus sign belongs to a code.
fn number(value: &str) -> Option<Kinds> {
    let digits = value.strip_prefix('-').unwrap_or(value).as_bytes();
    if matches!(value, "-inf" | "-Infinity") {
        return Some(Kinds::SPECIAL);
    }
    if matches!(digits, [b'0', b'0'..=b'9', ..]) {
        return None;
    }
    if digits.iter().all(u8::is_ascii_digit) {
        return value.parse::<i64>().ok().map(|_| Kinds::INTEGER);
    }
    let is_float = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'));
    (is_float && value.parse::<f64>().is_ok()).then_some(Kinds::FLOAT)
}

fn moment(value: &str) -> Option<Kinds> {
    if date(value).is_some() {
        return Some(Kinds::DATE);
    }
    let (_, has_offset) = timestamp(value)?;
    Some(if has_offset { Kinds::INSTANT } else { Kinds::TIMESTAMP })
}

/// `true` or `false`, in any case.
pub(crate) fn boolean(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// `YYYY-MM-DD` as days since 1970-01-01.
pub(crate) fn date(value: &str) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = value.as_bytes() else { return None };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    days(NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, two(*m1, *m2)?, two(*d1, *d2)?)?)
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
    let micros = day * 86_400 * MICROS + time(clock)?;
    Some((micros - offset.unwrap_or(0) * MICROS, offset.is_some()))
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fffffffff` as microseconds, rounded as PostgreSQL rounds.
fn time(clock: &str) -> Option<i64> {
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(whole, fraction)| (whole, Some(fraction)));
    let (hour, minute, second) = match whole.as_bytes() {
        [h1, h2, b':', m1, m2] if fraction.is_none() => (two(*h1, *h2)?, two(*m1, *m2)?, 0),
        [h1, h2, b':', m1, m2, b':', s1, s2] => (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * MICROS + fraction.map_or(Some(0), micros)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_kinds() {
        let cases = [
            ("0", Kinds::INTEGER),
            ("-12", Kinds::INTEGER),
            (" 5 ", Kinds::INTEGER),
            ("9223372036854775808", Kinds::TEXT),
            ("07064001", Kinds::TEXT),
            ("-07", Kinds::TEXT),
            ("+33612345678", Kinds::TEXT),
            ("-0.17", Kinds::FLOAT),
            (".5", Kinds::FLOAT),
            ("1e-5", Kinds::FLOAT),
            ("00.5", Kinds::TEXT),
            ("1-5", Kinds::TEXT),
            ("-", Kinds::TEXT),
            ("NaN", Kinds::SPECIAL),
            ("True", Kinds::BOOLEAN),
            ("t", Kinds::TEXT),
            ("2024-02-29", Kinds::DATE),
            ("2023-02-29", Kinds::TEXT),
            ("2024-01-01T00:00:00", Kinds::TIMESTAMP),
            ("2024-01-01 00:00", Kinds::TIMESTAMP),
            ("2013-01-01T06:00:00Z", Kinds::INSTANT),
            ("2013-01-01 06:00:00.25+02", Kinds::INSTANT),
            ("2013-01-01T25:00:00Z", Kinds::TEXT),
            ("", Kinds::default()),
            ("  ", Kinds::default()),
            ("é", Kinds::TEXT),
        ];
        for (value, kind) in cases {
            assert_eq!(classify(value), kind, "{value:?}");
        }
    }

    #[test]
    fn kinds_widen_to_one_type() {
        let of = |values: &[&str]| {
            let mut kinds = Kinds::default();
            values.iter().for_each(|value| kinds.see(value));
            kinds.data_type()
        };
        assert_eq!(of(&["1", "2"]), DataType::Int64);
        assert_eq!(of(&["1", "2.5", "NaN"]), DataType::Float64);
        assert_eq!(of(&["1", "x"]), DataType::Utf8View);
        assert_eq!(of(&["NaN"]), DataType::Utf8View);
        assert_eq!(of(&["2024-01-01", "2024-01-01 10:00:00"]), DataType::Timestamp(TimeUnit::Microsecond, None));
        assert_eq!(of(&["2024-01-01 10:00:00", "2024-01-01 10:00:00Z"]), DataType::Utf8View);
        assert_eq!(of(&["", ""]), DataType::Utf8View);
    }

    #[test]
    fn times_are_microseconds() {
        assert_eq!(timestamp("1970-01-02T00:00:01Z"), Some((86_401_000_000, true)));
        assert_eq!(timestamp("1970-01-01 02:00:00.0000015+02:00"), Some((2, true)));
        assert_eq!(timestamp("1970-01-01 00:01"), Some((60_000_000, false)));
        assert_eq!(date("1969-12-31"), Some(-1));
    }

    #[test]
    fn patterns_need_not_have_every_part() {
        let hours = Pattern::new("%Y%m%d%H").unwrap();
        assert_eq!(hours.timestamp("1970010203"), Some(((24 + 3) * 3_600_000_000, false)));
        assert_eq!(hours.timestamp("1970010224"), None);
        assert_eq!(Pattern::new("%Y%m%d").unwrap().date("19970101"), Some(9862));
        assert_eq!(Pattern::new("%Y%m%d").unwrap().timestamp("19700102"), Some((86_400_000_000, false)));
        assert!(Pattern::new("%Q").is_none());
    }
}
