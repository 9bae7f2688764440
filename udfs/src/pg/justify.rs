//! `justify_days(interval)`, `justify_hours(interval)`, `justify_interval(interval)` - 30 days to a month, 24 hours to a day.
//!
//! `justify_interval` does both and gives all parts one sign. NULL gives NULL; a result that does not fit is 22008.
//! <https://www.postgresql.org/docs/16/functions-datetime.html>
//!
//! ```sql
//! SELECT justify_interval(INTERVAL '1 mon -1 hour');  -- 29 days 23:00:00
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

const NANOS_PER_DAY: i64 = super::interval::MICROS_PER_DAY * 1_000;

/// `justify_days`.
pub fn justify_days() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Interval], Ty::Interval, |args| map(args, days))];
    function("justify_days", &OVERLOADS)
}

/// `justify_hours`.
pub fn justify_hours() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Interval], Ty::Interval, |args| map(args, hours))];
    function("justify_hours", &OVERLOADS)
}

/// `justify_interval`.
pub fn justify_interval() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Interval], Ty::Interval, |args| map(args, both))];
    function("justify_interval", &OVERLOADS)
}

fn map(args: &Args<'_>, justify: fn(Parts) -> Parts) -> Result<ArrayRef> {
    let spans = args.interval(0)?;
    args.build::<IntervalMonthDayNanoType>(|row| {
        let span = some!(spans.get(row));
        let parts = (i64::from(span.months), i64::from(span.days), span.nanoseconds);
        let (months, days, nanos) = justify(parts);
        let overflow = |_| Error::IntervalOverflow;
        Ok(Some(IntervalMonthDayNano::new(
            i32::try_from(months).map_err(overflow)?,
            i32::try_from(days).map_err(overflow)?,
            nanos,
        )))
    })
}

/// Months, days, nanoseconds.
type Parts = (i64, i64, i64);

fn hours((months, days, nanos): Parts) -> Parts {
    let (days, nanos) = one_sign(days + nanos / NANOS_PER_DAY, nanos % NANOS_PER_DAY, NANOS_PER_DAY);
    (months, days, nanos)
}

fn days((months, days, nanos): Parts) -> Parts {
    let (months, days) = one_sign(months + days / 30, days % 30, 30);
    (months, days, nanos)
}

fn both((months, days, nanos): Parts) -> Parts {
    let (mut days, mut nanos) = (days + nanos / NANOS_PER_DAY, nanos % NANOS_PER_DAY);
    let mut months = months + days / 30;
    days %= 30;
    if months > 0 && (days < 0 || (days == 0 && nanos < 0)) {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && (days > 0 || (days == 0 && nanos > 0)) {
        (months, days) = (months + 1, days - 30);
    }
    (days, nanos) = one_sign(days, nanos, NANOS_PER_DAY);
    (months, days, nanos)
}

/// Moves one unit down where the two parts differ in sign.
fn one_sign(high: i64, low: i64, unit: i64) -> (i64, i64) {
    if high > 0 && low < 0 {
        (high - 1, low + unit)
    } else if high < 0 && low > 0 {
        (high + 1, low - unit)
    } else {
        (high, low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, span};

    #[test]
    fn results_are_postgres_s() {
        for (udf, given, expect) in [
            (justify_interval(), "1 mon -1 hour", "29 days 23:00:00"),
            (justify_days(), "35 days", "1 mon 5 days"),
            (justify_hours(), "27 hours", "1 day 03:00:00"),
            (justify_interval(), "-1 mon 1 day", "-29 days"),
        ] {
            assert_eq!(call(&udf, &[span(given)], true), Ok(span(expect)), "{given}");
        }
    }
}
