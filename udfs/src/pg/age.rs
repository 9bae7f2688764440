//! `age(later, earlier)`, `age(timestamp)`, `isfinite(x)` - the time between two moments in years, months and days.
//!
//! Months are counted from the earlier moment's; a negative age has only negative parts. With one argument the later
//! moment is midnight of today in the session's zone. NULL gives NULL. No interval is infinite.
//! <https://www.postgresql.org/docs/16/functions-datetime.html>
//!
//! ```sql
//! SELECT age(TIMESTAMP '2024-03-31', TIMESTAMP '2024-02-29');  -- 1 mon 2 days
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{Date32Type, IntervalMonthDayNano, IntervalMonthDayNanoType, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::civil::{Civil, days_in_month};
use super::interval::MICROS_PER_DAY;
use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some, stable};

/// `age`.
pub fn age() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 4] = [
        overload(&[Ty::Timestamp, Ty::Timestamp], Ty::Interval, between),
        overload(&[Ty::TimestampTz, Ty::TimestampTz], Ty::Interval, between_zoned),
        overload(&[Ty::Timestamp], Ty::Interval, until_today),
        overload(&[Ty::TimestampTz], Ty::Interval, until_today_zoned),
    ];
    stable("age", &OVERLOADS)
}

/// `isfinite`.
pub fn isfinite() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 4] = [
        overload(&[Ty::Timestamp], Ty::Bool, finite::<TimestampMicrosecondType>),
        overload(&[Ty::TimestampTz], Ty::Bool, finite::<TimestampMicrosecondType>),
        overload(&[Ty::Date], Ty::Bool, finite::<Date32Type>),
        overload(&[Ty::Interval], Ty::Bool, |args| {
            let values = args.expanded(0)?;
            args.build_bool(|row| Ok(values.is_valid(row).then_some(true)))
        }),
    ];
    function("isfinite", &OVERLOADS)
}

/// The least and the greatest number stand for the infinities.
fn finite<T: ArrowPrimitiveType>(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.expanded(0)?;
    let values = values.as_primitive::<T>();
    args.build_bool(|row| {
        let is_finite = |at: T::Native| !at.is_eq(T::Native::MIN_TOTAL_ORDER) && !at.is_eq(T::Native::MAX_TOTAL_ORDER);
        Ok(values.is_valid(row).then(|| is_finite(values.value(row))))
    })
}

fn between(args: &Args<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (args.timestamp(0)?, args.timestamp(1)?);
    args.build::<IntervalMonthDayNanoType>(|row| Ok(Some(difference(some!(later.get(row)), some!(earlier.get(row)))?)))
}

fn between_zoned(args: &Args<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (args.timestamp(0)?, args.timestamp(1)?);
    let zone = Zone::of_session(args.zone)?;
    args.build::<IntervalMonthDayNanoType>(|row| {
        let (later, earlier) = (some!(later.get(row)), some!(earlier.get(row)));
        Ok(Some(difference(zone.to_local(later)?, zone.to_local(earlier)?)?))
    })
}

fn until_today(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = args.timestamp(0)?;
    let today = today(Zone::of_session(args.zone)?)?;
    args.build::<IntervalMonthDayNanoType>(|row| Ok(Some(difference(today, some!(moments.get(row)))?)))
}

fn until_today_zoned(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = args.timestamp(0)?;
    let zone = Zone::of_session(args.zone)?;
    let today = today(zone)?;
    args.build::<IntervalMonthDayNanoType>(|row| Ok(Some(difference(today, zone.to_local(some!(moments.get(row)))?)?)))
}

fn today(zone: Zone) -> Result<i64, Error> {
    let now = zone.to_local(chrono::Utc::now().timestamp_micros())?;
    Ok(now - now.rem_euclid(MICROS_PER_DAY))
}

fn difference(later: i64, earlier: i64) -> Result<IntervalMonthDayNano, Error> {
    let sign = if later < earlier { -1 } else { 1 };
    let (high, low) = (Civil::from_micros(later.max(earlier)), Civil::from_micros(later.min(earlier)));
    let mut months = (high.year - low.year) * 12 + high.month - low.month;
    let mut days = high.day - low.day;
    let mut micros = high.micros - low.micros;
    if micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    }
    if days < 0 {
        // The month that is broken up is the earlier moment's.
        days += days_in_month(low.year, low.month);
        months -= 1;
    }
    let overflow = |_| Error::IntervalOverflow;
    Ok(IntervalMonthDayNano::new(
        i32::try_from(months * sign).map_err(overflow)?,
        i32::try_from(days * sign).map_err(overflow)?,
        micros * sign * 1_000,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, span};

    #[test]
    fn ages_are_postgres_s() {
        for (later, earlier, expect) in include_str!("age_cases.txt").lines().map(|line| {
            let mut parts = line.split('|');
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
        }) {
            let given = call(&age(), &[moment(later), moment(earlier)], true);
            assert_eq!(given, Ok(span(expect)), "{later} {earlier}");
        }
    }
}
