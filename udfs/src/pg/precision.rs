//! `lakegate_precision(time | timestamp | timestamptz | interval, digits)` - the cast to `timestamp(3)` and its like.
//!
//! Rounds the seconds to so many decimals, halves away from the year 2000 as PostgreSQL stores it. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html>
//!
//! ```sql
//! SELECT '2020-01-01 00:00:00.1255'::timestamp(3);  -- 2020-01-01 00:00:00.126
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Time64MicrosecondArray};
use arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload_of, some};

/// 2000-01-01 in microseconds since 1970.
const EPOCH_2000: i64 = 946_684_800_000_000;

/// The function.
pub fn precision() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 4] = [
        overload_of(&[Ty::Timestamp, Ty::Int], Returns::Same(0), moments),
        overload_of(&[Ty::TimestampTz, Ty::Int], Returns::Same(0), moments),
        overload_of(&[Ty::Time, Ty::Int], Returns::Same(0), |args| {
            let (times, digits) = (args.column::<Time64MicrosecondArray>(0)?, args.int(1)?);
            args.build::<Time64MicrosecondType>(|row| Ok(rounded(some!(times.get(row)), some!(digits.get(row)))))
        }),
        overload_of(&[Ty::Interval, Ty::Int], Returns::Same(0), |args| {
            let (spans, digits) = (args.interval(0)?, args.int(1)?);
            args.build::<IntervalMonthDayNanoType>(|row| {
                let (span, digits) = (some!(spans.get(row)), some!(digits.get(row)));
                let micros = rounded(span.nanoseconds / 1_000, digits).and_then(|micros| micros.checked_mul(1_000));
                let nanoseconds = micros.ok_or(Error::IntervalOverflow)?;
                Ok(Some(IntervalMonthDayNano { nanoseconds, ..span }))
            })
        }),
    ];
    function("lakegate_precision", &OVERLOADS)
}

fn moments(args: &Args<'_>) -> Result<ArrayRef> {
    let (moments, digits) = (args.timestamp(0)?, args.int(1)?);
    args.build_timestamp(|row| {
        let (at, digits) = (some!(moments.get(row)), some!(digits.get(row)));
        let since = at.checked_sub(EPOCH_2000).and_then(|since| rounded(since, digits));
        let at = since.and_then(|since| since.checked_add(EPOCH_2000));
        Ok(Some(at.ok_or_else(crate::error::timestamp_out_of_range)?))
    })
}

/// Microseconds with so many decimals of a second; halves go away from zero.
fn rounded(micros: i64, digits: i64) -> Option<i64> {
    let places = u32::try_from(6 - digits.clamp(0, 6)).ok()?;
    let unit = 10_i64.pow(places);
    let half = unit / 2;
    let shifted = if micros < 0 { micros.checked_sub(half)? } else { micros.checked_add(half)? };
    Some(shifted - shifted % unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, span};
    use datafusion::common::ScalarValue;

    #[test]
    fn seconds_round_to_their_digits() {
        let digits = |value: i64| ScalarValue::Int64(Some(value));
        for (given, places, expect) in [
            ("2020-01-01T00:00:00.1255", 3, "2020-01-01T00:00:00.126"),
            ("2020-01-01T00:00:00.5", 0, "2020-01-01T00:00:01"),
            ("2020-01-01T00:00:00.123456", 6, "2020-01-01T00:00:00.123456"),
            ("1999-12-31T23:59:59.5", 0, "1999-12-31T23:59:59"),
        ] {
            assert_eq!(call(&precision(), &[moment(given), digits(places)], true), Ok(moment(expect)), "{given}");
        }
        assert_eq!(call(&precision(), &[span("1.255 seconds"), digits(2)], true), Ok(span("1.26 seconds")));
    }
}
