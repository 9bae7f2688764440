//! `date_part(field text, source timestamp | timestamptz | date | time | interval) -> double precision`.
//!
//! Fields: PostgreSQL's, `epoch` with its fraction. A timestamptz is read in the session's time zone. NULL gives NULL; an
//! unknown field is 22023, one that the type lacks 0A000. `EXTRACT` is `extract`, whose result is numeric.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-EXTRACT>
//!
//! ```sql
//! SELECT date_part('epoch', TIMESTAMP '2024-03-05 14:07:09.5');  -- 1709647629.5
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Time64MicrosecondArray};
use arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::part::{of_date, of_interval, of_time, of_timestamp, of_timestamptz};
use super::unit::{self, Unit};
use super::zone::Zone;
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

fn timestamp(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, moments) = (args.text(0)?, args.timestamp(1)?);
    args.build::<Float64Type>(|row| {
        let (field, at) = (some!(fields.get(row)), some!(moments.get(row)));
        let unit = Unit::named(field, unit::TIMESTAMP)?;
        Ok(Some(of_timestamp(unit, at)?.float(unit)))
    })
}

fn timestamptz(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, moments) = (args.text(0)?, args.timestamp(1)?);
    let zone = Zone::of_session(args.zone)?;
    args.build::<Float64Type>(|row| {
        let (field, at) = (some!(fields.get(row)), some!(moments.get(row)));
        let unit = Unit::named(field, unit::TIMESTAMPTZ)?;
        Ok(Some(of_timestamptz(unit, at, &zone)?.float(unit)))
    })
}

fn date(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, dates) = (args.text(0)?, args.date(1)?);
    args.build::<Float64Type>(|row| {
        let (field, days) = (some!(fields.get(row)), some!(dates.get(row)));
        let unit = Unit::named(field, unit::DATE)?;
        Ok(Some(of_date(unit, days)?.float(unit)))
    })
}

fn time(args: &Args<'_>) -> Result<ArrayRef> {
    let fields = args.text(0)?;
    let times = args.column::<Time64MicrosecondArray>(1)?;
    args.build::<Float64Type>(|row| {
        let (field, at) = (some!(fields.get(row)), some!(times.get(row)));
        let unit = Unit::named(field, unit::TIME)?;
        Ok(Some(of_time(unit, at)?.float(unit)))
    })
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    let (fields, spans) = (args.text(0)?, args.interval(1)?);
    args.build::<Float64Type>(|row| {
        let (field, span) = (some!(fields.get(row)), some!(spans.get(row)));
        let unit = Unit::named(field, unit::INTERVAL)?;
        Ok(Some(of_interval(unit, span)?.float(unit)))
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
        // Recorded from PostgreSQL 15, which adds the parts of a second as floats.
        for (field, at, expect) in [
            ("second", "1979-05-26 10:06:24.753368", "24.753368000000002"),
            ("julian", "2031-02-09 16:52:39.718896", "2462907.703237487"),
            ("julian", "2044-07-17 06:13:15.908360", "2467814.2592119025"),
        ] {
            assert_eq!(shown(&date_part(), &[text(field), moment(at)]), expect, "{field} {at}");
        }
    }
}
