//! `time_bucket(width interval | text, ts timestamp | timestamptz | date [, origin])` - the start of the bucket of a time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, IntervalMonthDayNanoArray, StringArray};
use arrow::datatypes::{Date32Type, Int64Type, IntervalMonthDayNano};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::error::timestamp_out_of_range;
use crate::function::{Args, Column, Overload, Returns, Ty, function, overload, overload_of, some};
use crate::manual::Manual;
use crate::pg::civil::Civil;
use crate::pg::interval::{self, MICROS_PER_DAY};

/// Its page.
pub(crate) static MANUAL: Manual = Manual {
    name: "time_bucket",
    calls: &[
        ("(width interval | text, ts timestamp [, origin timestamp])", "timestamp"),
        ("(width interval | text, ts timestamptz [, origin timestamptz])", "timestamptz"),
        ("(width interval | text, ts date [, origin date])", "date"),
        ("(width bigint, ts bigint [, offset bigint])", "bigint"),
    ],
    meaning: "The start of the bucket of a time. Buckets count from Monday 2000-01-03, those of months from 2000-01-01, \
              or from the origin; a timestamptz is cut in UTC. A text such as '300.000s' is read as an interval.",
    nulls: "NULL gives NULL. A width of zero or less, or of months and days together, is 22023.",
    example: ("SELECT time_bucket('15 min', TIMESTAMP '2024-03-05 14:07:09')", "2024-03-05 14:00:00"),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/time_bucket/",
};

/// The function.
pub fn time_bucket() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 14] = [
        overload(&[Ty::Interval, Ty::Timestamp], Ty::Timestamp, timestamp),
        overload(&[Ty::Interval, Ty::Timestamp, Ty::Timestamp], Ty::Timestamp, timestamp),
        overload_of(&[Ty::Interval, Ty::TimestampTz], Returns::Same(1), timestamp),
        overload_of(&[Ty::Interval, Ty::TimestampTz, Ty::TimestampTz], Returns::Same(1), timestamp),
        overload(&[Ty::Interval, Ty::Date], Ty::Date, date),
        overload(&[Ty::Interval, Ty::Date, Ty::Date], Ty::Date, date),
        overload(&[Ty::Text, Ty::Timestamp], Ty::Timestamp, timestamp),
        overload(&[Ty::Text, Ty::Timestamp, Ty::Timestamp], Ty::Timestamp, timestamp),
        overload_of(&[Ty::Text, Ty::TimestampTz], Returns::Same(1), timestamp),
        overload_of(&[Ty::Text, Ty::TimestampTz, Ty::TimestampTz], Returns::Same(1), timestamp),
        overload(&[Ty::Text, Ty::Date], Ty::Date, date),
        overload(&[Ty::Text, Ty::Date, Ty::Date], Ty::Date, date),
        overload(&[Ty::Int, Ty::Int], Ty::Int, integer),
        overload(&[Ty::Int, Ty::Int, Ty::Int], Ty::Int, integer),
    ];
    function("time_bucket", &OVERLOADS)
}

/// The width of a bucket.
#[derive(Debug, Clone, Copy)]
enum Width {
    Months(i64),
    Micros(i64),
}

impl Width {
    fn of(span: IntervalMonthDayNano) -> Result<Self, Error> {
        let days = i64::from(span.days).checked_mul(MICROS_PER_DAY);
        let micros = days.and_then(|days| days.checked_add(span.nanoseconds / 1_000)).ok_or(Error::IntervalOverflow)?;
        match (span.months, micros) {
            (0, micros) if micros > 0 => Ok(Self::Micros(micros)),
            (months, 0) if months > 0 => Ok(Self::Months(i64::from(months))),
            (months, micros) if months != 0 && micros != 0 => {
                Err(Error::InvalidParameter("month intervals cannot have day or time component".to_owned()))
            }
            _ => Err(Error::InvalidParameter("period must be greater than 0".to_owned())),
        }
    }

    /// The start of the bucket of a moment, in microseconds.
    fn start(self, at: i64, origin: Option<i64>) -> Result<i64, Error> {
        match self {
            Self::Micros(width) => {
                let origin = origin.unwrap_or(MONDAY).rem_euclid(width);
                let shifted = at.checked_sub(origin).ok_or_else(timestamp_out_of_range)?;
                shifted
                    .checked_sub(shifted.rem_euclid(width))
                    .and_then(|start| start.checked_add(origin))
                    .ok_or_else(timestamp_out_of_range)
            }
            Self::Months(width) => {
                let civil = Civil::from_micros(at);
                let origin = origin.map_or(Civil::midnight(2000, 1, 1), Civil::from_micros);
                let month = |civil: Civil| civil.year * 12 + civil.month - 1;
                let passed = month(civil) - month(origin);
                let mut start = month(origin) + passed - passed.rem_euclid(width);
                let of = |month: i64| {
                    let mut begin = origin.plus_months(month - (origin.year * 12 + origin.month - 1));
                    begin.micros = origin.micros;
                    begin.to_micros()
                };
                if of(start)? > at {
                    start -= width;
                }
                of(start)
            }
        }
    }
}

/// Monday 2000-01-03 in microseconds since 1970.
pub(super) const MONDAY: i64 = 10_959 * MICROS_PER_DAY;

/// The widths of the rows, from intervals or from their texts.
enum Widths<'a> {
    Spans(Column<'a, IntervalMonthDayNanoArray>),
    Texts(Column<'a, StringArray>),
}

impl<'a> Widths<'a> {
    fn read(args: &'a Args<'_>) -> Result<Self> {
        Ok(match args.array(0)?.data_type() {
            arrow::datatypes::DataType::Utf8 => Self::Texts(args.text(0)?),
            _ => Self::Spans(args.interval(0)?),
        })
    }

    fn get(&self, row: usize, last: &mut Option<(String, Width)>) -> Result<Option<Width>> {
        match self {
            Self::Spans(spans) => Ok(Some(Width::of(some!(spans.get(row)))?)),
            Self::Texts(texts) => {
                let text = some!(texts.get(row));
                if let Some((known, width)) = last
                    && known == text
                {
                    return Ok(Some(*width));
                }
                let width = Width::of(interval::parse(text, interval::Style::default())?)?;
                *last = Some((text.to_owned(), width));
                Ok(Some(width))
            }
        }
    }
}

fn timestamp(args: &Args<'_>) -> Result<ArrayRef> {
    let (widths, moments) = (Widths::read(args)?, args.timestamp(1)?);
    let origins = if args.len() > 2 { Some(args.timestamp(2)?) } else { None };
    let mut last = None;
    args.build_timestamp(|row| {
        let (width, at) = (some!(widths.get(row, &mut last)?), some!(moments.get(row)));
        let origin = match &origins {
            Some(origins) => Some(some!(origins.get(row))),
            None => None,
        };
        Ok(Some(width.start(at, origin)?))
    })
}

fn date(args: &Args<'_>) -> Result<ArrayRef> {
    let (widths, dates) = (Widths::read(args)?, args.date(1)?);
    let origins = if args.len() > 2 { Some(args.date(2)?) } else { None };
    let mut last = None;
    args.build::<Date32Type>(|row| {
        let (width, day) = (some!(widths.get(row, &mut last)?), some!(dates.get(row)));
        let origin = match &origins {
            Some(origins) => Some(i64::from(some!(origins.get(row))) * MICROS_PER_DAY),
            None => None,
        };
        let at = i64::from(day).checked_mul(MICROS_PER_DAY).ok_or_else(timestamp_out_of_range)?;
        let start = width.start(at, origin)?.div_euclid(MICROS_PER_DAY);
        Ok(Some(i32::try_from(start).map_err(|_| timestamp_out_of_range())?))
    })
}

fn integer(args: &Args<'_>) -> Result<ArrayRef> {
    let (widths, values) = (args.int(0)?, args.int(1)?);
    let offsets = if args.len() > 2 { Some(args.int(2)?) } else { None };
    args.build::<Int64Type>(|row| {
        let (width, value) = (some!(widths.get(row)), some!(values.get(row)));
        let offset = match &offsets {
            Some(offsets) => some!(offsets.get(row)),
            None => 0,
        };
        if width <= 0 {
            return Err(Error::InvalidParameter("period must be greater than 0".to_owned()).into());
        }
        let offset = offset.rem_euclid(width);
        let overflow = || Error::DatetimeOverflow("timestamp out of range".to_owned());
        let shifted = value.checked_sub(offset).ok_or_else(overflow)?;
        let start = shifted.checked_sub(shifted.rem_euclid(width)).ok_or_else(overflow)?;
        Ok(Some(start + offset))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::civil::to_days;
    use crate::testing::{call, moment, moment_tz, shown, span, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn buckets_begin_on_mondays_and_first_days() {
        assert_eq!(MONDAY, to_days(2000, 1, 3) * MICROS_PER_DAY);
        for (width, at, expect) in [
            ("15 min", "2024-03-05 14:07:09", "2024-03-05 14:00:00"),
            ("300.000s", "2024-03-05 14:07:09", "2024-03-05 14:05:00"),
            ("5m", "2024-03-05 14:07:09", "2024-03-05 14:05:00"),
            ("1 week", "2024-03-05 14:07:09", "2024-03-04 00:00:00"),
            ("1 day", "1999-12-31 23:59:59", "1999-12-31 00:00:00"),
            ("3 months", "2024-03-05 14:07:09", "2024-01-01 00:00:00"),
            ("5 months", "1999-12-05 14:07:09", "1999-08-01 00:00:00"),
        ] {
            for given in [text(width), span(width)] {
                assert_eq!(call(&time_bucket(), &[given, moment(at)], true), Ok(moment(expect)), "{width}");
            }
            let given = call(&time_bucket(), &[text(width), moment_tz(at)], true);
            assert_eq!(given, Ok(moment_tz(expect)), "{width}");
        }
        let origin = [text("1 day"), moment("2024-03-05 01:00:00"), moment("2000-01-01 06:00:00")];
        assert_eq!(call(&time_bucket(), &origin, false), Ok(moment("2024-03-04 06:00:00")));
        assert_eq!(
            shown(&time_bucket(), &[text("0 s"), moment("2024-03-05 01:00:00")]),
            "period must be greater than 0"
        );
        let integers = [5, -7, 1].map(|value| ScalarValue::Int64(Some(value)));
        assert_eq!(shown(&time_bucket(), &integers), "-9");
    }
}
