//! `make_date`, `make_time`, `make_timestamp`, `make_timestamptz`, `make_interval` - times from their fields.
//!
//! `make_timestamptz(year, month, day, hour, min, sec [, zone])` reads the wall clock in the session's zone or in `zone`;
//! `make_interval(years, months, weeks, days, hours, mins, secs)` takes any number of them from the left. A year below
//! zero is BC. NULL gives NULL; a field out of range is 22008.
//! <https://www.postgresql.org/docs/16/functions-datetime.html>
//!
//! ```sql
//! SELECT make_date(2024, 2, 29), make_timestamp(2024, 3, 5, 14, 7, 9.5);
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::civil::{Civil, is_date};
use super::interval::{MICROS_PER_HOUR, MICROS_PER_SECOND};
use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some, stable};

/// `make_date`.
pub fn make_date() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Int, Ty::Int, Ty::Int], Ty::Date, |args| {
        let (years, months, days) = (args.int(0)?, args.int(1)?, args.int(2)?);
        args.build::<Date32Type>(|row| {
            let civil = date(some!(years.get(row)), some!(months.get(row)), some!(days.get(row)))?;
            Ok(i32::try_from(civil.days()).ok())
        })
    })];
    function("make_date", &OVERLOADS)
}

/// `make_time`.
pub fn make_time() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Int, Ty::Int, Ty::Float], Ty::Time, |args| {
        let (hours, minutes, seconds) = (args.int(0)?, args.int(1)?, args.float(2)?);
        args.build::<Time64MicrosecondType>(|row| {
            Ok(Some(time(some!(hours.get(row)), some!(minutes.get(row)), some!(seconds.get(row)))?))
        })
    })];
    function("make_time", &OVERLOADS)
}

/// `make_timestamp`.
pub fn make_timestamp() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Float], Ty::Timestamp, |args| {
            args.build_timestamp(|row| clock(args, row))
        })];
    function("make_timestamp", &OVERLOADS)
}

/// `make_timestamptz`.
pub fn make_timestamptz() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Float], Ty::TimestampTz, |args| {
            let zone = Zone::of_session(args.zone)?;
            args.build_timestamp(|row| Ok(Some(zone.to_instant(some!(clock(args, row)?))?)))
        }),
        overload(&[Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Float, Ty::Text], Ty::TimestampTz, |args| {
            let zones = args.text(6)?;
            args.build_timestamp(|row| {
                let zone = Zone::named(some!(zones.get(row)))?;
                Ok(Some(zone.to_instant(some!(clock(args, row)?))?))
            })
        }),
    ];
    stable("make_timestamptz", &OVERLOADS)
}

/// `make_interval`.
pub fn make_interval() -> Arc<ScalarUDF> {
    const ARGS: &[Ty] = &[Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Float];
    static OVERLOADS: [Overload; 7] = [
        overload(ARGS, Ty::Interval, interval),
        overload(ARGS.split_at(6).0, Ty::Interval, interval),
        overload(ARGS.split_at(5).0, Ty::Interval, interval),
        overload(ARGS.split_at(4).0, Ty::Interval, interval),
        overload(ARGS.split_at(3).0, Ty::Interval, interval),
        overload(ARGS.split_at(2).0, Ty::Interval, interval),
        overload(ARGS.split_at(1).0, Ty::Interval, interval),
    ];
    function("make_interval", &OVERLOADS)
}

fn clock(args: &Args<'_>, row: usize) -> Result<Option<i64>> {
    let day = date(some!(args.int(0)?.get(row)), some!(args.int(1)?.get(row)), some!(args.int(2)?.get(row)))?;
    let micros = time(some!(args.int(3)?.get(row)), some!(args.int(4)?.get(row)), some!(args.float(5)?.get(row)))?;
    Ok(Some(Civil { micros: 0, ..day }.to_micros()? + micros))
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    args.build::<IntervalMonthDayNanoType>(|row| {
        let mut fields = [0_i64; 6];
        for (index, field) in fields.iter_mut().enumerate().take(args.len()) {
            *field = some!(args.int(index)?.get(row));
        }
        let seconds = if args.len() > 6 { some!(args.float(6)?.get(row)) } else { 0.0 };
        let [years, months, weeks, days, hours, minutes] = fields;
        let total = |high: i64, unit: i64, low: i64| {
            high.checked_mul(unit).and_then(|sum| sum.checked_add(low)).ok_or(Error::IntervalOverflow)
        };
        let fit = |value: i64| i32::try_from(value).map_err(|_| Error::IntervalOverflow);
        if !seconds.is_finite() || seconds.abs() > 9e9 {
            return Err(Error::IntervalOverflow.into());
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
        let of_seconds = (seconds * 1e6).round_ties_even() as i64;
        let micros = total(minutes, 60 * MICROS_PER_SECOND, of_seconds)?;
        let micros = total(hours, MICROS_PER_HOUR, micros)?;
        Ok(Some(IntervalMonthDayNano::new(
            fit(total(years, 12, months)?)?,
            fit(total(weeks, 7, days)?)?,
            micros.checked_mul(1_000).ok_or(Error::IntervalOverflow)?,
        )))
    })
}

fn date(year: i64, month: i64, day: i64) -> Result<Civil, Error> {
    // Year -1 is 1 BC, which the calendar counts as 0.
    let counted = if year < 0 { year + 1 } else { year };
    if year == 0 || !(-4712..=294_276).contains(&counted) || !is_date(counted, month, day) {
        return Err(Error::DatetimeOverflow(format!("date field value out of range: {year}-{month:02}-{day:02}")));
    }
    Ok(Civil::midnight(counted, month, day))
}

fn time(hour: i64, minute: i64, second: f64) -> Result<i64, Error> {
    let in_range = (0..=24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60.0).contains(&second);
    #[expect(clippy::cast_possible_truncation, reason = "at most 60 seconds")]
    let micros = hour * MICROS_PER_HOUR
        + minute * 60 * MICROS_PER_SECOND
        + if in_range { (second * 1e6).round_ties_even() as i64 } else { 0 };
    if !in_range || micros > 24 * MICROS_PER_HOUR {
        return Err(Error::DatetimeOverflow(format!("time field value out of range: {hour}:{minute:02}:{second:02}")));
    }
    Ok(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, moment_tz, shown, span, text};
    use datafusion::common::ScalarValue;

    fn ints(values: &[i64]) -> Vec<ScalarValue> {
        values.iter().map(|value| ScalarValue::Int64(Some(*value))).collect()
    }

    #[test]
    fn fields_out_of_range_are_refused() {
        assert_eq!(shown(&make_date(), &ints(&[2024, 2, 30])), "date field value out of range: 2024-02-30");
        assert_eq!(shown(&make_date(), &ints(&[2024, 2, 29])), "2024-02-29");
        assert_eq!(shown(&make_time(), &ints(&[25, 0, 0])), "time field value out of range: 25:00:00");
        let mut fields = ints(&[2024, 3, 5, 14, 7]);
        fields.push(ScalarValue::Float64(Some(9.5)));
        assert_eq!(call(&make_timestamp(), &fields, true), Ok(moment("2024-03-05 14:07:09.5")));
        fields.push(text("Europe/Paris"));
        assert_eq!(call(&make_timestamptz(), &fields, true), Ok(moment_tz("2024-03-05 13:07:09.5")));
        assert_eq!(call(&make_interval(), &ints(&[1, 2, 1]), true), Ok(span("14 months 7 days")));
    }
}
