//! `timezone(zone text | interval, source timestamp | timestamptz)` - the function behind `AT TIME ZONE`.
//!
//! A timestamptz becomes the wall clock of the zone, a timestamp is read as that wall clock. Zones: names, abbreviations,
//! and offsets with POSIX's sign (`UTC+3` lies west). NULL gives NULL; an unknown zone is 22023.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-ZONECONVERT>
//!
//! ```sql
//! SELECT TIMESTAMPTZ '2024-07-01 12:00:00Z' AT TIME ZONE 'Europe/Paris';  -- 2024-07-01 14:00:00
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::interval::MICROS_PER_SECOND;
use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn timezone() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 4] = [
        overload(&[Ty::Text, Ty::TimestampTz], Ty::Timestamp, to_local),
        overload(&[Ty::Text, Ty::Timestamp], Ty::TimestampTz, to_instant),
        overload(&[Ty::Interval, Ty::TimestampTz], Ty::Timestamp, to_local_by),
        overload(&[Ty::Interval, Ty::Timestamp], Ty::TimestampTz, to_instant_by),
    ];
    function("timezone", &OVERLOADS)
}

fn to_local(args: &Args<'_>) -> Result<ArrayRef> {
    convert(args, Zone::to_local)
}

fn to_instant(args: &Args<'_>) -> Result<ArrayRef> {
    convert(args, Zone::to_instant)
}

fn convert(args: &Args<'_>, shift: fn(Zone, i64) -> Result<i64, Error>) -> Result<ArrayRef> {
    let (names, moments) = (args.text(0)?, args.timestamp(1)?);
    let mut last: Option<(&str, Zone)> = None;
    args.build_timestamp(|row| {
        let (name, at) = (some!(names.get(row)), some!(moments.get(row)));
        let zone = match last {
            Some((known, zone)) if known == name => zone,
            _ => Zone::named(name)?,
        };
        last = Some((name, zone));
        Ok(Some(shift(zone, at)?))
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
        let seconds = i32::try_from(offset.nanoseconds / 1_000 / MICROS_PER_SECOND);
        let (0, 0, Ok(seconds)) = (offset.months, offset.days, seconds) else {
            let shown = super::interval::format(&offset, super::interval::Style::Postgres);
            let message = format!("interval time zone \"{shown}\" must not include months or days");
            return Err(Error::InvalidParameter(message).into());
        };
        Ok(Some(shift(Zone::Fixed(seconds), at)?))
    })
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
