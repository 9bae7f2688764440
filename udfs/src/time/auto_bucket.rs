//! `auto_bucket(from, to, max_points) -> interval` - the width for `time_bucket` that a chart of so many points needs.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::width::MONDAY;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};
use crate::manual::Manual;
use crate::pg::civil::Civil;
use crate::pg::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};

/// Its page.
pub(crate) static MANUAL: Manual = Manual {
    name: "auto_bucket",
    calls: &[
        ("(from timestamp with time zone, to timestamp with time zone, max_points integer)", "interval"),
        ("(from timestamp, to timestamp, max_points integer)", "interval"),
    ],
    meaning: "The smallest of the widths 1, 2, 5, 10, 15, 30 seconds and minutes, 1, 2, 3, 6, 12 hours, 1 and 7 days, 1 and \
              3 months, 1, 2, 5, 10, 20, 50, ... years by which time_bucket cuts the time from the first argument to before \
              the second into at most max_points buckets. Those of a timestamptz are cut in UTC.",
    nulls: "NULL gives NULL. max_points below 1, an end before the begin, and a time that not even the greatest width cuts \
            into so few buckets are 22023.",
    example: (
        "SELECT extract(epoch FROM auto_bucket(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', 100))::int",
        "900",
    ),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/time_bucket/",
};

/// The function.
pub fn auto_bucket() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::TimestampTz, Ty::TimestampTz, Ty::Int], Ty::Interval, kernel),
        overload(&[Ty::Timestamp, Ty::Timestamp, Ty::Int], Ty::Interval, kernel),
    ];
    function("auto_bucket", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (begins, ends, counts) = (args.timestamp(0)?, args.timestamp(1)?, args.int(2)?);
    args.build::<IntervalMonthDayNanoType>(|row| {
        let (begin, end) = (some!(begins.get(row)), some!(ends.get(row)));
        Ok(Some(width(begin, end, some!(counts.get(row)))?))
    })
}

fn width(begin: i64, end: i64, count: i64) -> Result<IntervalMonthDayNano, Error> {
    if count < 1 {
        return Err(Error::InvalidParameter("the number of points must be greater than 0".to_owned()));
    }
    if end < begin {
        return Err(Error::InvalidParameter("the end of the time must not be before its begin".to_owned()));
    }
    // The end itself is outside, but for a time that is one moment.
    let last = end.saturating_sub(1).max(begin);
    let fits = |index: &dyn Fn(i64) -> i64| index(last) - index(begin) < count;
    for seconds in SECONDS {
        let micros = seconds * MICROS_PER_SECOND;
        if fits(&|at| (at.div_euclid(micros)) - i64::from(at.rem_euclid(micros) < MONDAY.rem_euclid(micros))) {
            let (days, seconds) = (seconds / 86_400, seconds % 86_400);
            let days = i32::try_from(days).map_err(|_| Error::IntervalOverflow)?;
            return Ok(IntervalMonthDayNano::new(0, days, seconds * 1_000_000_000));
        }
    }
    for months in months() {
        // Months count from 2000-01.
        let index = |at: i64| {
            let civil = Civil::from_micros(at);
            ((civil.year - 2_000) * 12 + civil.month - 1).div_euclid(i64::from(months))
        };
        if fits(&index) {
            return Ok(IntervalMonthDayNano::new(months, 0, 0));
        }
    }
    Err(Error::InvalidParameter("the time is too long for so few points".to_owned()))
}

const SECONDS: [i64; 19] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    MICROS_PER_DAY / MICROS_PER_SECOND,
    7 * MICROS_PER_DAY / MICROS_PER_SECOND,
];

/// A month, a quarter, and years by 1, 2 and 5 times powers of ten.
fn months() -> impl Iterator<Item = i32> {
    let years = (0..6).flat_map(|power| [1, 2, 5].map(|of| of * 10_i32.pow(power)));
    [1, 3].into_iter().chain(years.map(|years| years * 12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, moment_tz, shown, span};
    use crate::time::testing::Dice;
    use crate::time::time_bucket::time_bucket;
    use datafusion::common::ScalarValue;

    fn of(begin: &str, end: &str, count: i64) -> ScalarValue {
        let both = [moment as fn(&str) -> ScalarValue, moment_tz].map(|moment| {
            call(&auto_bucket(), &[moment(begin), moment(end), ScalarValue::Int64(Some(count))], true).unwrap()
        });
        assert_eq!(both[0], both[1]);
        both[0].clone()
    }

    #[test]
    fn widths_are_the_smallest_that_fit() {
        for (end, count, expect) in [
            ("2024-01-01 00:00:00", 1, "1 second"),
            ("2024-01-01 00:01:00", 60, "1 second"),
            ("2024-01-01 00:01:00.000001", 60, "2 seconds"),
            ("2024-01-01 01:00:00", 60, "1 minute"),
            ("2024-01-02 00:00:00", 100, "15 minutes"),
            ("2024-01-08 00:00:00", 7, "1 day"),
            ("2024-02-01 00:00:00", 5, "7 days"),
            ("2024-02-01 00:00:00", 4, "1 month"),
            ("2025-01-01 00:00:00", 4, "3 months"),
            ("2024-12-31 00:00:00", 1, "1 year"),
            ("2074-01-01 00:00:00", 20, "5 years"),
        ] {
            assert_eq!(of("2024-01-01 00:00:00", end, count), span(expect), "{end} {count}");
        }
        let moments = |count| [moment("2024-01-02"), moment("2024-01-01"), ScalarValue::Int64(Some(count))];
        assert_eq!(shown(&auto_bucket(), &moments(5)), "the end of the time must not be before its begin");
        assert_eq!(shown(&auto_bucket(), &moments(0)), "the number of points must be greater than 0");
        let unknown =
            [ScalarValue::TimestampMicrosecond(None, None), moment("2024-01-01"), ScalarValue::Int64(Some(1))];
        assert_eq!(shown(&auto_bucket(), &unknown), "NULL");
    }

    /// Whatever the ends are, so many starts of buckets lie between, and by the next smaller width there are more.
    #[test]
    fn time_bucket_makes_no_more_buckets() {
        let mut dice = Dice(4);
        for _ in 0..200 {
            let begin = i64::try_from(dice.roll(1 << 31)).unwrap() * 700_001;
            let length = i64::try_from(dice.roll(1 << 31) >> dice.roll(28)).unwrap() * 100_003 + 1;
            let count = i64::try_from(dice.roll(300)).unwrap() + 10;
            let width = ScalarValue::IntervalMonthDayNano(Some(width(begin, begin + length, count).unwrap()));
            let start = |at: i64| {
                let at = ScalarValue::TimestampMicrosecond(Some(at), None);
                match call(&time_bucket(), &[width.clone(), at], false).unwrap() {
                    ScalarValue::TimestampMicrosecond(Some(start), None) => start,
                    other => panic!("{other}"),
                }
            };
            // Every bucket begins where the one before has ended.
            let (mut buckets, mut at) = (1, begin + length - 1);
            while start(at) > begin {
                at = start(at) - 1;
                buckets += 1;
            }
            assert!(buckets <= count, "{begin} {length} {count} {width}");
        }
    }
}
