//! `date_trunc(field text, source timestamp | timestamptz | interval [, zone text])` - cuts a moment to a field.
//!
//! Fields: `microseconds` to `millennium`, with `week` (from Monday) and `quarter`. A timestamptz is cut in the session's
//! time zone, or in `zone`. A date is read as timestamptz, as in PostgreSQL. NULL gives NULL; an unknown field is 22023.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-TRUNC>
//!
//! ```sql
//! SELECT date_trunc('quarter', TIMESTAMP '2024-03-05 14:07:09');  -- 2024-01-01 00:00:00
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::civil::Civil;
use super::interval::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND};
use super::unit::{self, Unit};
use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, overload, overload_of, some, stable};

/// The function.
pub fn date_trunc() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 4] = [
        overload(&[Ty::Text, Ty::Timestamp], Ty::Timestamp, timestamp),
        overload_of(&[Ty::Text, Ty::TimestampTz], Returns::Same(1), timestamptz),
        overload_of(&[Ty::Text, Ty::TimestampTz, Ty::Text], Returns::Same(1), timestamptz),
        overload(&[Ty::Text, Ty::Interval], Ty::Interval, interval),
    ];
    stable("date_trunc", &OVERLOADS)
}

fn timestamp(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, moments) = (args.text(0)?, args.timestamp(1)?);
    let mut last = Last::default();
    args.build_timestamp(|row| {
        let (field, at) = (some!(fields.get(row)), some!(moments.get(row)));
        Ok(Some(truncate(last.unit(field, unit::TIMESTAMP)?, field, at, unit::TIMESTAMP)?))
    })
}

fn timestamptz(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, moments) = (args.text(0)?, args.timestamp(1)?);
    let zones = if args.len() > 2 { Some(args.text(2)?) } else { None };
    let session = Zone::of_session(args.zone)?;
    let mut last = Last::default();
    args.build_timestamp(|row| {
        let (field, at) = (some!(fields.get(row)), some!(moments.get(row)));
        let zone = match &zones {
            Some(zones) => Zone::named(some!(zones.get(row)))?,
            None => session,
        };
        let unit = last.unit(field, unit::TIMESTAMPTZ)?;
        let cut = truncate(unit, field, zone.to_local(at)?, unit::TIMESTAMPTZ)?;
        // Below a day the offset stays as it was, so that a repeated hour is not folded into its second pass.
        if matches!(unit, Unit::Hour | Unit::Minute | Unit::Second | Unit::Milliseconds | Unit::Microseconds) {
            return Ok(Some(cut - i64::from(zone.offset_at(at)?) * MICROS_PER_SECOND));
        }
        Ok(Some(zone.to_instant(cut)?))
    })
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, spans) = (args.text(0)?, args.interval(1)?);
    args.build::<IntervalMonthDayNanoType>(|row| {
        let (field, span) = (some!(fields.get(row)), some!(spans.get(row)));
        Ok(Some(truncate_interval(field, span)?))
    })
}

/// The field of the row before, which is nearly always the field of this row.
#[derive(Default)]
struct Last(Option<(String, Unit)>);

impl Last {
    fn unit(&mut self, text: &str, of: &str) -> Result<Unit, Error> {
        if let Some((known, unit)) = &self.0
            && known == text
        {
            return Ok(*unit);
        }
        let unit = Unit::named(text, of)?;
        self.0 = Some((text.to_owned(), unit));
        Ok(unit)
    }
}

fn truncate(unit: Unit, text: &str, at: i64, of: &str) -> Result<i64, Error> {
    let to = |step: i64| Ok(at - at.rem_euclid(step));
    // Years are counted from 1, so 2001 begins a century; year 0 is 1 BC.
    let years = |civil: Civil, span: i64| {
        let year = (civil.year - 1).div_euclid(span) * span + 1;
        Civil::midnight(year, 1, 1).to_micros()
    };
    match unit {
        Unit::Microseconds => Ok(at),
        Unit::Milliseconds => to(1_000),
        Unit::Second => to(MICROS_PER_SECOND),
        Unit::Minute => to(60 * MICROS_PER_SECOND),
        Unit::Hour => to(MICROS_PER_HOUR),
        Unit::Day => to(MICROS_PER_DAY),
        _ => {
            let civil = Civil::from_micros(at);
            match unit {
                Unit::Week => Ok((civil.days() - civil.isodow() + 1) * MICROS_PER_DAY),
                Unit::Month => Civil::midnight(civil.year, civil.month, 1).to_micros(),
                Unit::Quarter => Civil::midnight(civil.year, (civil.month - 1) / 3 * 3 + 1, 1).to_micros(),
                Unit::Year => Civil::midnight(civil.year, 1, 1).to_micros(),
                Unit::Decade => Civil::midnight(civil.year.div_euclid(10) * 10, 1, 1).to_micros(),
                Unit::Century => years(civil, 100),
                Unit::Millennium => years(civil, 1_000),
                _ => Err(unit::unsupported(text, of)),
            }
        }
    }
}

fn truncate_interval(field: &str, span: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, Error> {
    let months = |step: i32| Ok(IntervalMonthDayNano::new(span.months / step * step, 0, 0));
    let time = |step: i64| {
        let step = step * 1_000;
        Ok(IntervalMonthDayNano::new(span.months, span.days, span.nanoseconds / step * step))
    };
    match Unit::named(field, unit::INTERVAL)? {
        Unit::Millennium => months(12_000),
        Unit::Century => months(1_200),
        Unit::Decade => months(120),
        Unit::Year => months(12),
        Unit::Quarter => months(3),
        Unit::Month => months(1),
        Unit::Day => Ok(IntervalMonthDayNano::new(span.months, span.days, 0)),
        Unit::Hour => time(MICROS_PER_HOUR),
        Unit::Minute => time(60 * MICROS_PER_SECOND),
        Unit::Second => time(MICROS_PER_SECOND),
        Unit::Milliseconds => time(1_000),
        Unit::Microseconds => time(1),
        _ => Err(unit::unsupported(field, unit::INTERVAL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call_in, moment, moment_tz, shown, text};

    #[test]
    fn every_field_is_postgres_s() {
        for (field, expect) in [
            ("millennium", "2001-01-01 00:00:00"),
            ("century", "2001-01-01 00:00:00"),
            ("decade", "2020-01-01 00:00:00"),
            ("year", "2024-01-01 00:00:00"),
            ("quarter", "2024-01-01 00:00:00"),
            ("month", "2024-03-01 00:00:00"),
            ("week", "2024-03-04 00:00:00"),
            ("day", "2024-03-05 00:00:00"),
            ("hour", "2024-03-05 14:00:00"),
            ("minute", "2024-03-05 14:07:00"),
            ("second", "2024-03-05 14:07:09"),
            ("milliseconds", "2024-03-05 14:07:09.123"),
            ("microseconds", "2024-03-05 14:07:09.123456"),
        ] {
            let given = shown(&date_trunc(), &[text(field), moment("2024-03-05 14:07:09.123456")]);
            assert_eq!(given, moment(expect).to_string(), "{field}");
        }
        let given = shown(&date_trunc(), &[text("foo"), moment("2024-03-05 00:00:00")]);
        assert_eq!(given, "unit \"foo\" not recognized for type timestamp without time zone");
    }

    #[test]
    fn a_day_begins_where_the_session_is() {
        let at = moment_tz("2024-03-05 23:30:00");
        assert_eq!(
            call_in("Europe/Paris", &date_trunc(), &[text("day"), at.clone()], true),
            Ok(moment_tz("2024-03-05 23:00:00"))
        );
        let sydney = [text("day"), at, text("Australia/Sydney")];
        assert_eq!(call_in("UTC", &date_trunc(), &sydney, true), Ok(moment_tz("2024-03-05 13:00:00")));
    }
}
