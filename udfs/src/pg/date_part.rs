//! `date_part(field text, source timestamp | timestamptz | date | time | interval) -> double precision`; also `EXTRACT`.
//!
//! Fields: PostgreSQL's, `epoch` with its fraction. A timestamptz is read in the session's time zone. NULL gives NULL; an
//! unknown field is 22023, one that the type lacks 0A000. `EXTRACT` gives double precision here, numeric in PostgreSQL.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-EXTRACT>
//!
//! ```sql
//! SELECT EXTRACT(epoch FROM TIMESTAMP '2024-03-05 14:07:09.5');  -- 1709647629.5
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Time64MicrosecondArray};
use arrow::datatypes::{Float64Type, IntervalMonthDayNano};
use datafusion::common::Result;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{Expr, ScalarUDF};

use super::civil::Civil;
use super::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};
use super::unit::{self, Unit};
use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Overload, Ty, overload, some, stable};

/// The function.
pub fn date_part() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 5] = [
        overload(&[Ty::Text, Ty::Timestamp], Ty::Float, timestamp),
        overload(&[Ty::Text, Ty::TimestampTz], Ty::Float, timestamptz),
        overload(&[Ty::Text, Ty::Date], Ty::Float, date),
        overload(&[Ty::Text, Ty::Interval], Ty::Float, interval),
        overload(&[Ty::Text, Ty::Time], Ty::Float, time),
    ];
    stable("date_part", &OVERLOADS)
}

/// Plans `EXTRACT(field FROM source)` as [`date_part`]; goes before DataFusion's own planner.
#[derive(Debug)]
pub struct Extract;

impl ExprPlanner for Extract {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(date_part().call(args)))
    }
}

fn timestamp(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, moments) = (args.text(0)?, args.timestamp(1)?);
    args.build::<Float64Type>(|row| {
        let (field, at) = (some!(fields.get(row)), some!(moments.get(row)));
        Ok(Some(
            part(Unit::named(field, unit::TIMESTAMP)?, at).ok_or_else(|| unit::unsupported(field, unit::TIMESTAMP))?,
        ))
    })
}

fn timestamptz(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, moments) = (args.text(0)?, args.timestamp(1)?);
    let zone = Zone::of_session(args.zone)?;
    args.build::<Float64Type>(|row| {
        let (field, at) = (some!(fields.get(row)), some!(moments.get(row)));
        let value = match Unit::named(field, unit::TIMESTAMPTZ)? {
            Unit::Epoch => part(Unit::Epoch, at),
            Unit::Timezone => Some(f64::from(zone.offset_at(at)?)),
            Unit::TimezoneHour => Some(f64::from(zone.offset_at(at)? / 3_600)),
            Unit::TimezoneMinute => Some(f64::from(zone.offset_at(at)? / 60 % 60)),
            other => part(other, zone.to_local(at)?),
        };
        Ok(Some(value.ok_or_else(|| unit::unsupported(field, unit::TIMESTAMPTZ))?))
    })
}

fn date(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, dates) = (args.text(0)?, args.date(1)?);
    args.build::<Float64Type>(|row| {
        let (field, days) = (some!(fields.get(row)), some!(dates.get(row)));
        let midnight = i64::from(days).checked_mul(MICROS_PER_DAY).ok_or_else(crate::error::timestamp_out_of_range)?;
        Ok(Some(part(Unit::named(field, unit::DATE)?, midnight).ok_or_else(|| unit::unsupported(field, unit::DATE))?))
    })
}

fn time(args: &Args<'_>) -> Result<ArrayRef> {
    let fields = args.text(0)?;
    let times = args.column::<Time64MicrosecondArray>(1)?;
    args.build::<Float64Type>(|row| {
        let (field, at) = (some!(fields.get(row)), some!(times.get(row)));
        let value = match Unit::named(field, unit::TIME)? {
            unit @ (Unit::Hour
            | Unit::Minute
            | Unit::Second
            | Unit::Milliseconds
            | Unit::Microseconds
            | Unit::Epoch) => part(unit, at),
            _ => None,
        };
        Ok(Some(value.ok_or_else(|| unit::unsupported(field, unit::TIME))?))
    })
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, spans) = (args.text(0)?, args.interval(1)?);
    args.build::<Float64Type>(|row| {
        let (field, span) = (some!(fields.get(row)), some!(spans.get(row)));
        Ok(Some(interval_part(field, span)?))
    })
}

#[expect(clippy::cast_precision_loss, reason = "double precision is what the function returns")]
fn part(unit: Unit, at: i64) -> Option<f64> {
    let civil = Civil::from_micros(at);
    // There is no year 0: 1 BC is -1.
    let year = |year: i64| if year > 0 { year } else { year - 1 };
    let grouped = |span: i64| match civil.year {
        after if after > 0 => (after + span - 1) / span,
        before => -((1 - before + span - 1) / span),
    };
    let of_minute = civil.micros % (60 * MICROS_PER_SECOND);
    let whole = match unit {
        Unit::Microseconds => of_minute,
        Unit::Milliseconds => return Some(of_minute as f64 / 1e3),
        Unit::Second => return Some(of_minute as f64 / 1e6),
        Unit::Minute => civil.minute(),
        Unit::Hour => civil.hour(),
        Unit::Day => civil.day,
        Unit::Week => civil.iso_week().1,
        Unit::Month => civil.month,
        Unit::Quarter => (civil.month - 1) / 3 + 1,
        Unit::Year => year(civil.year),
        Unit::Decade => civil.year.div_euclid(10),
        Unit::Century => grouped(100),
        Unit::Millennium => grouped(1_000),
        Unit::Dow => civil.isodow() % 7,
        Unit::Isodow => civil.isodow(),
        Unit::Doy => civil.doy(),
        Unit::Isoyear => year(civil.iso_week().0),
        Unit::Julian => return Some(civil.julian() as f64 + civil.micros as f64 / MICROS_PER_DAY as f64),
        Unit::Epoch => return Some(at as f64 / 1e6),
        Unit::Timezone | Unit::TimezoneHour | Unit::TimezoneMinute => return None,
    };
    Some(whole as f64)
}

#[expect(clippy::cast_precision_loss, reason = "double precision is what the function returns")]
fn interval_part(field: &str, span: IntervalMonthDayNano) -> Result<f64, Error> {
    let (years, months) = (span.months / 12, span.months % 12);
    let micros = span.nanoseconds / 1_000;
    let of_minute = micros % (60 * MICROS_PER_SECOND);
    Ok(match Unit::named(field, unit::INTERVAL)? {
        Unit::Microseconds => of_minute as f64,
        Unit::Milliseconds => of_minute as f64 / 1e3,
        Unit::Second => of_minute as f64 / 1e6,
        Unit::Minute => (micros / (60 * MICROS_PER_SECOND) % 60) as f64,
        Unit::Hour => (micros / (3_600 * MICROS_PER_SECOND)) as f64,
        Unit::Day => f64::from(span.days),
        Unit::Month => f64::from(months),
        Unit::Quarter => f64::from(months / 3 + 1),
        Unit::Year => f64::from(years),
        Unit::Decade => f64::from(years / 10),
        Unit::Century => f64::from(years / 100),
        Unit::Millennium => f64::from(years / 1_000),
        Unit::Epoch => {
            let days = f64::from(years) * 365.25 + f64::from(months) * 30.0 + f64::from(span.days);
            days * 86_400.0 + micros as f64 / 1e6
        }
        _ => return Err(unit::unsupported(field, unit::INTERVAL)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{moment, shown, span, text};

    #[test]
    fn fields_are_postgres_s() {
        for (field, expect) in [
            ("millennium", "3"),
            ("century", "21"),
            ("decade", "202"),
            ("isoyear", "2024"),
            ("quarter", "1"),
            ("week", "10"),
            ("dow", "2"),
            ("isodow", "2"),
            ("doy", "65"),
            ("second", "9.123456"),
            ("milliseconds", "9123.456"),
            ("microseconds", "9123456"),
            ("epoch", "1709647629.123456"),
            ("julian", "2460375.58830004"),
            ("timezone", "unit \"timezone\" not supported for type timestamp without time zone"),
        ] {
            assert_eq!(shown(&date_part(), &[text(field), moment("2024-03-05 14:07:09.123456")]), expect, "{field}");
        }
        for (field, expect) in [("epoch", "36572461.5"), ("hour", "25"), ("day", "-3"), ("quarter", "1"), ("year", "1")]
        {
            assert_eq!(shown(&date_part(), &[text(field), span("14 months -3 days 25:01:01.5")]), expect, "{field}");
        }
    }
}
