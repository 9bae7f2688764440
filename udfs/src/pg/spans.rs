//! `lakegate_interval_mul(interval, float8)`, `lakegate_interval_div(interval, float8)`,
//! `lakegate_interval_order(interval)`, `lakegate_timestamp_sub(timestamp, timestamp)` - PostgreSQL's `interval * number`,
//! `interval / number`, the order of intervals, and the interval between two moments.
//!
//! A fraction of a month becomes days of which a month has 30, a fraction of a day becomes time. Intervals compare as
//! if a month had 30 days and a day 24 hours. NULL gives NULL; zero divides nothing: 22012. Users never name these
//! functions. <https://www.postgresql.org/docs/16/functions-datetime.html#OPERATORS-DATETIME-TABLE>
//!
//! ```sql
//! SELECT interval '1 month' * 1.5;  -- 1 mon 15 days
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, ListArray};
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

const DAYS_PER_MONTH: f64 = 30.0;
const DAY_SECONDS: f64 = 86_400.0;

/// `lakegate_interval_mul`.
pub fn times() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Interval, Ty::Float], Ty::Interval, |args| {
        scaled(args, |span, factor| scale(span, factor, |part, factor| part * factor))
    })];
    function("lakegate_interval_mul", &OVERLOADS)
}

/// `lakegate_interval_div`.
pub fn divided() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Interval, Ty::Float], Ty::Interval, |args| {
        scaled(args, |span, factor| {
            if factor == 0.0 { Err(Error::DivisionByZero) } else { scale(span, factor, |part, factor| part / factor) }
        })
    })];
    function("lakegate_interval_div", &OVERLOADS)
}

/// `lakegate_timestamp_sub(later, earlier)`: days of 24 hours and time, without months.
pub fn between() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Timestamp, Ty::Timestamp], Ty::Interval, difference),
        overload(&[Ty::TimestampTz, Ty::TimestampTz], Ty::Interval, difference),
    ];
    function("lakegate_timestamp_sub", &OVERLOADS)
}

fn difference(args: &Args<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (args.timestamp(0)?, args.timestamp(1)?);
    args.build::<IntervalMonthDayNanoType>(|row| {
        let (later, earlier) = (some!(later.get(row)), some!(earlier.get(row)));
        let micros = later.checked_sub(earlier).ok_or(Error::IntervalOverflow)?;
        let days = i32::try_from(micros / MICROS_PER_DAY).map_err(|_| Error::IntervalOverflow)?;
        Ok(Some(IntervalMonthDayNano::new(0, days, micros % MICROS_PER_DAY * 1_000)))
    })
}

/// What intervals, and times with zones, are ordered by.
pub(super) const KEY: DataType = DataType::Decimal128(38, 0);

/// `lakegate_interval_order`: nanoseconds, with months of 30 days; of an array, those of its items.
pub fn order() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload_of(&[Ty::Interval], Returns::From(|_| KEY), |args| lengths(&args.expanded(0)?)),
        overload_of(&[Ty::AnyArray], Returns::From(key_of), |args| keys(&args.expanded(0)?, lengths)),
    ];
    function("lakegate_interval_order", &OVERLOADS)
}

fn lengths(values: &ArrayRef) -> Result<ArrayRef> {
    let spans = arrow::compute::cast(values, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let lengths: Decimal128Array = spans.as_primitive::<IntervalMonthDayNanoType>().unary(length);
    Ok(Arc::new(lengths.with_data_type(KEY)))
}

/// The type of the keys of an array's items.
pub(super) fn key_of(given: &[DataType]) -> DataType {
    fn of(data_type: &DataType) -> DataType {
        match data_type {
            DataType::List(item) => DataType::new_list(of(item.data_type()), true),
            _ => KEY,
        }
    }
    given.first().map_or(KEY, of)
}

/// The keys of the items of arrays.
pub(super) fn keys(arrays: &ArrayRef, of: fn(&ArrayRef) -> Result<ArrayRef>) -> Result<ArrayRef> {
    let Some(arrays) = arrays.as_list_opt::<i32>() else { return of(arrays) };
    let items = keys(arrays.values(), of)?;
    let item = Field::new_list_field(items.data_type().clone(), true);
    let (offsets, nulls) = (arrays.offsets().clone(), arrays.nulls().cloned());
    Ok(Arc::new(ListArray::try_new(Arc::new(item), offsets, items, nulls)?))
}

/// The nanoseconds of an interval whose months have 30 days.
pub(crate) fn length(IntervalMonthDayNano { months, days, nanoseconds }: IntervalMonthDayNano) -> i128 {
    let days = i128::from(months) * 30 + i128::from(days);
    days * i128::from(MICROS_PER_DAY) * 1_000 + i128::from(nanoseconds)
}

/// PostgreSQL's `interval_lerp`: the interval at a part of the way from one to another.
pub(super) fn between_spans(
    low: IntervalMonthDayNano,
    high: IntervalMonthDayNano,
    part: f64,
) -> Result<IntervalMonthDayNano, Error> {
    let way = IntervalMonthDayNano::new(
        high.months.checked_sub(low.months).ok_or(Error::IntervalOverflow)?,
        high.days.checked_sub(low.days).ok_or(Error::IntervalOverflow)?,
        high.nanoseconds.checked_sub(low.nanoseconds).ok_or(Error::IntervalOverflow)?,
    );
    let step = scale(way, part, |value, part| value * part)?;
    Ok(IntervalMonthDayNano::new(
        low.months.checked_add(step.months).ok_or(Error::IntervalOverflow)?,
        low.days.checked_add(step.days).ok_or(Error::IntervalOverflow)?,
        low.nanoseconds.checked_add(step.nanoseconds).ok_or(Error::IntervalOverflow)?,
    ))
}

fn scaled(
    args: &Args<'_>,
    compute: impl Fn(IntervalMonthDayNano, f64) -> Result<IntervalMonthDayNano, Error>,
) -> Result<ArrayRef> {
    let (spans, factors) = (args.interval(0)?, args.float(1)?);
    args.build::<IntervalMonthDayNanoType>(|row| Ok(Some(compute(some!(spans.get(row)), some!(factors.get(row)))?)))
}

/// An interval divided by a count that is not 0.
#[expect(clippy::cast_precision_loss, reason = "PostgreSQL counts in double precision there")]
pub(super) fn divide(span: IntervalMonthDayNano, by: i64) -> Result<IntervalMonthDayNano, Error> {
    scale(span, by as f64, |value, by| value / by)
}

/// PostgreSQL's `interval_mul` and `interval_div`: what is left of a unit cascades down to the next.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "every cast is checked for its range")]
fn scale(span: IntervalMonthDayNano, factor: f64, by: impl Fn(f64, f64) -> f64) -> Result<IntervalMonthDayNano, Error> {
    let fits = |value: f64| value.abs() <= f64::from(i32::MAX);
    let (months, days) = (by(f64::from(span.months), factor), by(f64::from(span.days), factor));
    if !fits(months) || !fits(days) {
        return Err(Error::IntervalOverflow);
    }
    let (mut whole_days, whole_months) = (days.trunc(), months.trunc());
    let month_days = rounded((months - whole_months) * DAYS_PER_MONTH);
    let mut seconds = rounded((days - whole_days + month_days - month_days.trunc()) * DAY_SECONDS);
    if seconds.abs() >= DAY_SECONDS {
        whole_days += (seconds / DAY_SECONDS).trunc();
        seconds -= (seconds / DAY_SECONDS).trunc() * DAY_SECONDS;
    }
    whole_days += month_days.trunc();
    let micros = (by((span.nanoseconds / 1_000) as f64, factor) + seconds * MICROS_PER_SECOND as f64).round_ties_even();
    if !fits(whole_days) || !micros.is_finite() || micros.abs() > 9.2e15 {
        return Err(Error::IntervalOverflow);
    }
    let nanoseconds = (micros as i64).checked_mul(1_000).ok_or(Error::IntervalOverflow)?;
    Ok(IntervalMonthDayNano::new(whole_months as i32, whole_days as i32, nanoseconds))
}

/// `TSROUND`: to the microsecond.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round_ties_even() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, span};
    use datafusion::common::ScalarValue;

    #[test]
    fn fractions_cascade_as_in_postgres() {
        let float = |value: f64| ScalarValue::Float64(Some(value));
        for (given, factor, expect) in [
            ("1 day", 1.5, "1 day 12:00:00"),
            ("1 month", 1.5, "1 month 15 days"),
            ("1 year 2 months 3 days 04:05:06", 0.5, "7 months 1 day 14:02:33"),
            ("-1 month", 0.25, "-7 days -12:00:00"),
        ] {
            assert_eq!(call(&times(), &[span(given), float(factor)], true), Ok(span(expect)), "{given} * {factor}");
        }
        assert_eq!(call(&divided(), &[span("3 days"), float(2.0)], true), Ok(span("1 day 12:00:00")));
        assert_eq!(call(&divided(), &[span("3 days"), float(0.0)], true), Err(Error::DivisionByZero));
        let months = |text: &str| call(&order(), &[span(text)], true);
        assert_eq!(months("1 month"), months("720 hours"));
        let sides = [moment("2024-03-01T00:00:00"), moment("2024-02-28T12:30:00")];
        assert_eq!(call(&between(), &sides, true), Ok(span("1 day 11:30:00")));
    }
}
