//! `timezone(zone text | interval, source timestamp | timestamptz | time)` - the function behind `AT TIME ZONE`.
//!
//! A timestamptz becomes the wall clock of the zone, a timestamp is read as that wall clock. Zones: names, abbreviations,
//! and offsets with POSIX's sign (`UTC+3` lies west). NULL gives NULL; an unknown zone is 22023.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-ZONECONVERT>
//!
//! ```sql
//! SELECT TIMESTAMPTZ '2024-07-01 12:00:00Z' AT TIME ZONE 'Europe/Paris';  -- 2024-07-01 14:00:00
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Time64MicrosecondArray};
use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};
use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, overload, overload_of, some, stable};

/// The function.
pub fn timezone() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 6] = [
        overload(&[Ty::Text, Ty::TimestampTz], Ty::Timestamp, to_local),
        overload(&[Ty::Text, Ty::Timestamp], Ty::TimestampTz, to_instant),
        overload(&[Ty::Interval, Ty::TimestampTz], Ty::Timestamp, to_local_by),
        overload(&[Ty::Interval, Ty::Timestamp], Ty::TimestampTz, to_instant_by),
        overload_of(&[Ty::Text, Ty::Time], Returns::Tagged(Ty::Text, "timetz"), of_time),
        overload_of(&[Ty::Interval, Ty::Time], Returns::Tagged(Ty::Text, "timetz"), of_time_by),
    ];
    stable("timezone", &OVERLOADS)
}

/// A time of day is the session's, with its offset of now; there it is another time, with the offset there of now.
fn of_time(args: &Args<'_>) -> Result<ArrayRef> {
    let names = args.text(0)?;
    let now = chrono::Utc::now().timestamp_micros();
    times_there(args, now, |row| names.get(row).map(|name| Zone::named(name)?.offset_at(now)))
}

fn of_time_by(args: &Args<'_>) -> Result<ArrayRef> {
    let offsets = args.interval(0)?;
    times_there(args, chrono::Utc::now().timestamp_micros(), |row| offsets.get(row).map(seconds))
}

fn times_there(args: &Args<'_>, now: i64, offset: impl Fn(usize) -> Option<Result<i32, Error>>) -> Result<ArrayRef> {
    let times = args.column::<Time64MicrosecondArray>(1)?;
    let here = Zone::of_session(args.zone)?.offset_at(now)?;
    args.build_text(|row| {
        let (there, time) = (some!(offset(row).transpose()?), some!(times.get(row)));
        let shift = i64::from(there - here) * MICROS_PER_SECOND;
        Ok(Some(super::timetz::shown((time + shift).rem_euclid(MICROS_PER_DAY), there)))
    })
}

fn to_local(args: &Args<'_>) -> Result<ArrayRef> {
    convert(args, Zone::to_local)
}

fn to_instant(args: &Args<'_>) -> Result<ArrayRef> {
    convert(args, Zone::to_instant)
}

fn convert(args: &Args<'_>, shift: fn(Zone, i64) -> Result<i64, Error>) -> Result<ArrayRef> {
    let (names, moments) = (args.text(0)?, args.timestamp(1)?);
    let mut last = None;
    args.build_timestamp(|row| {
        let (name, at) = (some!(names.get(row)), some!(moments.get(row)));
        Ok(Some(shift(Zone::named_again(name, &mut last)?, at)?))
    })
}

fn to_local_by(args: &Args<'_>) -> Result<ArrayRef> {
    convert_by(args, Zone::to_local)
}

fn to_instant_by(args: &Args<'_>) -> Result<ArrayRef> {
    convert_by(args, Zone::to_instant)
}

/// An interval is an offset east of Greenwich.
fn convert_by(args: &Args<'_>, shift: fn(Zone, i64) -> Result<i64, Error>) -> Result<ArrayRef> {
    let (offsets, moments) = (args.interval(0)?, args.timestamp(1)?);
    args.build_timestamp(|row| {
        let (offset, at) = (some!(offsets.get(row)), some!(moments.get(row)));
        Ok(Some(shift(Zone::Fixed(seconds(offset)?), at)?))
    })
}

/// The seconds of an offset.
fn seconds(offset: IntervalMonthDayNano) -> Result<i32, Error> {
    match (offset.months, offset.days, i32::try_from(offset.nanoseconds / 1_000 / MICROS_PER_SECOND)) {
        (0, 0, Ok(seconds)) => Ok(seconds),
        _ => {
            let shown = super::interval::format(&offset, super::interval::Style::Postgres);
            Err(Error::InvalidParameter(format!("interval time zone \"{shown}\" must not include months or days")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, moment_tz, span, text};

    #[test]
    fn both_directions_are_postgres_s() {
        let check = |args: &[datafusion::common::ScalarValue], expect| {
            assert_eq!(call(&timezone(), args, true), Ok(expect));
        };
        let noon = || moment_tz("2024-07-01 12:00:00");
        check(&[text("Europe/Paris"), noon()], moment("2024-07-01 14:00:00"));
        check(&[text("Europe/Paris"), moment("2024-07-01 14:00:00")], noon());
        check(&[text("UTC+3"), noon()], moment("2024-07-01 09:00:00"));
        check(&[span("5 hours"), noon()], moment("2024-07-01 17:00:00"));
    }
}
