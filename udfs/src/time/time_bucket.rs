//! `time_bucket(width interval | text, ts timestamp | timestamptz | date [, origin | offset])` - the start of the bucket of a
//! time, also by the clock of a zone.

mod moved;

pub(super) use moved::starts_in_zone;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, IntervalMonthDayNanoArray, StringArray};
use arrow::datatypes::{Date32Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::error::timestamp_out_of_range;
use crate::function::{Args, Column, Overload, Returns, Ty, function, overload, overload_of, some};
use crate::manual::Manual;
use crate::pg::interval::{self, MICROS_PER_DAY};
use crate::time::width::{Width, integer_start};

/// Its page.
pub(crate) static MANUAL: Manual = Manual {
    name: "time_bucket",
    calls: &[
        ("(width interval | text, ts timestamp [, origin timestamp])", "timestamp"),
        ("(width interval | text, ts timestamptz [, origin timestamptz])", "timestamptz"),
        ("(width interval | text, ts date [, origin date])", "date"),
        (
            "(bucket_width interval | text, ts timestamptz, timezone text [, origin timestamptz, offset interval])",
            "timestamptz",
        ),
        ("(width interval | text, ts timestamp, offset interval)", "timestamp"),
        ("(width interval | text, ts timestamptz, offset interval)", "timestamptz"),
        ("(width interval | text, ts date, offset interval)", "date"),
        ("(width bigint, ts bigint [, offset bigint])", "bigint"),
    ],
    meaning: "The start of the bucket of a time. Buckets count from Monday 2000-01-03, those of months from 2000-01-01, \
              or from the origin; an offset moves them. A timestamptz is cut in UTC, or by the clock of the time zone that \
              is given, so that days begin at its midnight. A text such as '300.000s' is read as an interval.",
    nulls: "NULL gives NULL, but beside a time zone an origin or an offset that is NULL is none. A width of zero or less, or of months and days together, is 22023.",
    example: ("SELECT time_bucket('15 min', TIMESTAMP '2024-03-05 14:07:09')", "2024-03-05 14:00:00"),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/time_bucket/",
};

/// The function.
pub fn time_bucket() -> Arc<ScalarUDF> {
    use Ty::{Date, Interval, Text, Timestamp as Clock, TimestampTz as Instant};
    static OVERLOADS: [Overload; 26] = [
        overload(&[Interval, Clock], Clock, timestamp),
        overload(&[Interval, Clock, Clock], Clock, timestamp),
        overload_of(&[Interval, Instant], Returns::Same(1), timestamp),
        overload_of(&[Interval, Instant, Instant], Returns::Same(1), timestamp),
        overload(&[Interval, Date], Date, date),
        overload(&[Interval, Date, Date], Date, date),
        overload(&[Text, Clock], Clock, timestamp),
        overload(&[Text, Clock, Clock], Clock, timestamp),
        overload_of(&[Text, Instant], Returns::Same(1), timestamp),
        overload_of(&[Text, Instant, Instant], Returns::Same(1), timestamp),
        overload(&[Text, Date], Date, date),
        overload(&[Text, Date, Date], Date, date),
        overload_of(&[Interval, Instant, Text], Returns::Same(1), moved::in_zone),
        overload_of(&[Interval, Instant, Text, Instant], Returns::Same(1), moved::in_zone),
        overload_of(&[Interval, Instant, Text, Instant, Interval], Returns::Same(1), moved::in_zone),
        overload_of(&[Text, Instant, Text], Returns::Same(1), moved::in_zone),
        overload_of(&[Text, Instant, Text, Instant], Returns::Same(1), moved::in_zone),
        overload_of(&[Text, Instant, Text, Instant, Interval], Returns::Same(1), moved::in_zone),
        overload(&[Interval, Clock, Interval], Clock, moved::by_offset),
        overload_of(&[Interval, Instant, Interval], Returns::Same(1), moved::by_offset_of_session),
        overload(&[Interval, Date, Interval], Date, moved::dates_by_offset),
        overload(&[Text, Clock, Interval], Clock, moved::by_offset),
        overload_of(&[Text, Instant, Interval], Returns::Same(1), moved::by_offset_of_session),
        overload(&[Text, Date, Interval], Date, moved::dates_by_offset),
        overload(&[Ty::Int, Ty::Int], Ty::Int, integer),
        overload(&[Ty::Int, Ty::Int, Ty::Int], Ty::Int, integer),
    ];
    function("time_bucket", &OVERLOADS)
}

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
    timestamps(args, args.len() > 2)
}

/// The start of the bucket of each time, from the origin that is the third argument, if there is one.
pub(super) fn timestamps(args: &Args<'_>, has_origin: bool) -> Result<ArrayRef> {
    let (widths, moments) = (Widths::read(args)?, args.timestamp(1)?);
    let origins = if has_origin { Some(args.timestamp(2)?) } else { None };
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
    dates(args, args.len() > 2)
}

/// The same of dates.
pub(super) fn dates(args: &Args<'_>, has_origin: bool) -> Result<ArrayRef> {
    let (widths, dates) = (Widths::read(args)?, args.date(1)?);
    let origins = if has_origin { Some(args.date(2)?) } else { None };
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
    integers(args, args.len() > 2)
}

/// The same of integers.
pub(super) fn integers(args: &Args<'_>, has_offset: bool) -> Result<ArrayRef> {
    let (widths, values) = (args.int(0)?, args.int(1)?);
    let offsets = if has_offset { Some(args.int(2)?) } else { None };
    args.build::<Int64Type>(|row| {
        let (width, value) = (some!(widths.get(row)), some!(values.get(row)));
        let offset = match &offsets {
            Some(offsets) => some!(offsets.get(row)),
            None => 0,
        };
        Ok(Some(integer_start(width, value, offset)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, moment_tz, shown, span, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn buckets_begin_on_mondays_and_first_days() {
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
        // By the clock of a zone: the day in which summer begins has 23 hours.
        let days = [text("1 day"), moment_tz("2024-03-31 21:59:00"), text("Europe/Berlin")];
        assert_eq!(call(&time_bucket(), &days, true), Ok(moment_tz("2024-03-30 23:00:00")));
        let none = || ScalarValue::TimestampMicrosecond(None, Some("UTC".into()));
        let moved = [text("1 day"), moment_tz("2024-03-31 03:59:00"), text("Europe/Berlin"), none(), span("6 hours")];
        assert_eq!(call(&time_bucket(), &moved, true), Ok(moment_tz("2024-03-30 05:00:00")));
        let moved = [text("1 day"), moment("2024-03-31 03:59:00"), span("6 hours")];
        assert_eq!(call(&time_bucket(), &moved, true), Ok(moment("2024-03-30 06:00:00")));
        assert_eq!(
            shown(&time_bucket(), &[text("1 day"), moment_tz("2024-03-05 01:00:00"), text("Mars")]),
            "time zone \"Mars\" not recognized"
        );
        let integers = [5, -7, 1].map(|value| ScalarValue::Int64(Some(value)));
        assert_eq!(shown(&time_bucket(), &integers), "-9");
    }
}
