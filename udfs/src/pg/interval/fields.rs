//! The fields of an interval type: `interval year to month`, `interval day`.
//!
//! Owns: what such a type keeps of an interval (PostgreSQL's `AdjustIntervalForTypmod`). Must never know: texts.

use arrow::datatypes::IntervalMonthDayNano;

use super::MICROS_PER_HOUR;
use super::parse::Unit;

/// The fields that a type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// The smallest.
    pub last: Field,
    /// Whether they are minutes and seconds alone, so that `10:20` is no time of day.
    pub is_minute_to_second: bool,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Field {
    /// What a number without a unit counts.
    pub(super) fn unit(self) -> Unit {
        match self {
            Self::Year => Unit::Year,
            Self::Month => Unit::Month,
            Self::Day => Unit::Day,
            Self::Hour => Unit::Hour,
            Self::Minute => Unit::Minute,
            Self::Second => Unit::Second,
        }
    }

    /// The interval without what is smaller than this field.
    pub(super) fn truncated(self, span: IntervalMonthDayNano) -> IntervalMonthDayNano {
        let IntervalMonthDayNano { months, days, nanoseconds } = span;
        let to = |unit: i64| nanoseconds - nanoseconds % unit;
        let nanos_per_hour = 1_000 * MICROS_PER_HOUR;
        match self {
            Self::Year => IntervalMonthDayNano { months: months - months % 12, days: 0, nanoseconds: 0 },
            Self::Month => IntervalMonthDayNano { months, days: 0, nanoseconds: 0 },
            Self::Day => IntervalMonthDayNano { months, days, nanoseconds: 0 },
            Self::Hour => IntervalMonthDayNano { months, days, nanoseconds: to(nanos_per_hour) },
            Self::Minute => IntervalMonthDayNano { months, days, nanoseconds: to(nanos_per_hour / 60) },
            Self::Second => span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Style, format, parse_fields};
    use super::*;

    #[test]
    fn fields_count_bare_numbers_and_cut_what_is_smaller() {
        let of = |last| Fields { last, is_minute_to_second: false };
        let cases = [
            ("5", of(Field::Day), "5 days"),
            ("1-2", of(Field::Month), "1 year 2 mons"),
            ("1 2:03", of(Field::Minute), "1 day 02:03:00"),
            ("10:20", Fields { last: Field::Second, is_minute_to_second: true }, "00:10:20"),
            ("10:20:30", Fields { last: Field::Second, is_minute_to_second: true }, "10:20:30"),
            ("1 year 2 mons 3 days 4:05:06", of(Field::Year), "1 year"),
            ("-1 year -2 mons", of(Field::Year), "-1 years"),
            ("3 days 4:05:06", of(Field::Hour), "3 days 04:00:00"),
            ("1.5", of(Field::Second), "00:00:01.5"),
        ];
        for (text, fields, expect) in cases {
            let read = parse_fields(text, Style::Postgres, fields).map(|span| format(&span, Style::Postgres));
            assert_eq!(read.as_deref(), Ok(expect), "{text}");
        }
    }
}
