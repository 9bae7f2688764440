//! `generate_series(start, stop [, step])` - the array whose elements the set-returning function gives.
//!
//! Integers and numerics (step 1 unless given), timestamps and timestamptz (the step is an interval, whose days and months
//! are those of the session's zone). A step of zero is 22023, more than 16,777,216 elements at once 54000; NULL gives NULL,
//! no row.
//! <https://www.postgresql.org/docs/16/functions-srf.html>
//!
//! ```sql
//! SELECT generate_series(1.0, 2.0, 0.5);  -- 1.0  1.5  2.0
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, ListArray, NullBufferBuilder, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::civil::Civil;
use super::interval::MICROS_PER_DAY;
use super::numeric::digits::{power, rescale};
use super::sized::CHARS_MAX;
use super::zone::Zone;
use crate::Error;
use crate::error::timestamp_out_of_range;
use crate::function::{Args, Overload, Returns, Ty, overload_of, stable, utc};

/// The function.
pub fn generate_series() -> Arc<ScalarUDF> {
    const INTEGERS: Returns = Returns::From(|_| list(DataType::Int64));
    const NUMERICS: Returns = Returns::From(|given| list(DataType::Decimal128(38, scale(given))));
    const LOCAL: Returns = Returns::From(|_| list(Ty::Timestamp.arrow()));
    const ZONED: Returns = Returns::From(|given| list(given.first().cloned().unwrap_or(Ty::TimestampTz.arrow())));
    static OVERLOADS: [Overload; 6] = [
        overload_of(&[Ty::Int, Ty::Int], INTEGERS, integers),
        overload_of(&[Ty::Int, Ty::Int, Ty::Int], INTEGERS, integers),
        overload_of(&[Ty::Numeric, Ty::Numeric], NUMERICS, numerics),
        overload_of(&[Ty::Numeric, Ty::Numeric, Ty::Numeric], NUMERICS, numerics),
        overload_of(&[Ty::Timestamp, Ty::Timestamp, Ty::Interval], LOCAL, local),
        overload_of(&[Ty::TimestampTz, Ty::TimestampTz, Ty::Interval], ZONED, zoned),
    ];
    stable("generate_series", &OVERLOADS)
}

fn list(of: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(of, true)))
}

/// The scale of the elements: that of start or step.
fn scale(given: &[DataType]) -> i8 {
    let of = |index| if let Some(DataType::Decimal128(_, scale)) = given.get(index) { *scale } else { 0 };
    of(0).max(of(2)).max(0)
}

/// The elements of all rows, bounded in their number.
struct Series<T> {
    elements: Vec<T>,
    lengths: Vec<usize>,
    nulls: NullBufferBuilder,
}

impl<T: Copy + Ord> Series<T> {
    fn new(rows: usize) -> Self {
        Self { elements: Vec::new(), lengths: Vec::with_capacity(rows), nulls: NullBufferBuilder::new(rows) }
    }

    /// From `start` as far as `stop`; `next` is `None` where the type ends.
    fn push(&mut self, start: T, stop: T, rises: bool, next: impl Fn(T) -> Result<Option<T>, Error>) -> Result<()> {
        let before = self.elements.len();
        let mut at = Some(start);
        while let Some(element) = at.filter(|at| if rises { *at <= stop } else { *at >= stop }) {
            if self.elements.len() == CHARS_MAX {
                return Err(Error::LimitExceeded(format!("a series has more than {CHARS_MAX} elements")).into());
            }
            self.elements.push(element);
            at = next(element)?;
        }
        self.lengths.push(self.elements.len() - before);
        self.nulls.append_non_null();
        Ok(())
    }

    fn push_null(&mut self) {
        self.lengths.push(0);
        self.nulls.append_null();
    }

    fn finish(mut self, returns: &DataType, array: impl Fn(Vec<T>, &DataType) -> ArrayRef) -> Result<ArrayRef> {
        let DataType::List(item) = returns else { return exec_err!("{returns} is no array type") };
        let values = array(self.elements, item.data_type());
        let lengths = OffsetBuffer::from_lengths(self.lengths);
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), lengths, values, self.nulls.finish())?))
    }
}

fn zero_step() -> Error {
    Error::InvalidParameter("step size cannot equal zero".to_owned())
}

fn integers(args: &Args<'_>) -> Result<ArrayRef> {
    let (starts, stops) = (args.int(0)?, args.int(1)?);
    let steps = if args.len() > 2 { Some(args.int(2)?) } else { None };
    let mut series = Series::new(args.rows);
    for row in 0..args.rows {
        let step = steps.as_ref().map_or(Some(1), |steps| steps.get(row));
        match (starts.get(row), stops.get(row), step) {
            (Some(_), Some(_), Some(0)) => return Err(zero_step().into()),
            (Some(start), Some(stop), Some(step)) => {
                series.push(start, stop, step > 0, |at| Ok(at.checked_add(step)))?;
            }
            _ => series.push_null(),
        }
    }
    series.finish(args.returns, |elements, _| Arc::new(Int64Array::from(elements)))
}

fn numerics(args: &Args<'_>) -> Result<ArrayRef> {
    let types = (0..args.len()).map(|index| Ok(args.array(index)?.data_type().clone())).collect::<Result<Vec<_>>>()?;
    let elements = scale(&types);
    let stops = if let Some(DataType::Decimal128(_, scale)) = types.get(1) { *scale } else { 0 };
    let common = elements.max(stops);
    let unit = power(u32::from((common - elements).unsigned_abs())).ok_or(Error::NumericOverflow("value"))?;
    let columns = (0..args.len()).map(|index| args.numeric(index)).collect::<Result<Vec<_>>>()?;
    let value = |index: usize, row: usize| match (columns.get(index), types.get(index)) {
        (Some(column), Some(DataType::Decimal128(_, scale))) => column
            .get(row)
            .map(|value| rescale(value, i32::from(common - scale)).ok_or(Error::NumericOverflow("value"))),
        _ => Some(rescale(1, i32::from(common)).ok_or(Error::NumericOverflow("value"))),
    };
    let mut series = Series::new(args.rows);
    for row in 0..args.rows {
        match (value(0, row).transpose()?, value(1, row).transpose()?, value(2, row).transpose()?) {
            (Some(_), Some(_), Some(0)) => return Err(zero_step().into()),
            (Some(start), Some(stop), Some(step)) => {
                series.push(start, stop, step > 0, |at| Ok(at.checked_add(step)))?;
            }
            _ => series.push_null(),
        }
    }
    series.finish(args.returns, |mut elements, of| {
        // Sums of starts and steps, so nothing is cut off.
        elements.iter_mut().for_each(|element| *element /= unit);
        Arc::new(Decimal128Array::from(elements).with_data_type(of.clone()))
    })
}

fn local(args: &Args<'_>) -> Result<ArrayRef> {
    moments(args, None)
}

fn zoned(args: &Args<'_>) -> Result<ArrayRef> {
    moments(args, Some(Zone::of_session(args.zone)?))
}

fn moments(args: &Args<'_>, zone: Option<Zone>) -> Result<ArrayRef> {
    let (starts, stops, steps) = (args.timestamp(0)?, args.timestamp(1)?, args.interval(2)?);
    let mut series = Series::new(args.rows);
    for row in 0..args.rows {
        let (Some(start), Some(stop), Some(step)) = (starts.get(row), stops.get(row), steps.get(row)) else {
            series.push_null();
            continue;
        };
        let days = i128::from(step.months) * 30 + i128::from(step.days);
        let length = days * i128::from(MICROS_PER_DAY) + i128::from(step.nanoseconds / 1_000);
        if length == 0 {
            return Err(zero_step().into());
        }
        series.push(start, stop, length > 0, |at| later(at, step, zone).map(Some))?;
    }
    series.finish(args.returns, |elements, of| {
        let zone = if let DataType::Timestamp(_, zone) = of { zone.clone() } else { Some(utc()) };
        Arc::new(TimestampMicrosecondArray::from(elements).with_timezone_opt(zone))
    })
}

/// A moment and an interval: months and days by the calendar of the zone, the rest by the clock.
pub(crate) fn later(at: i64, step: IntervalMonthDayNano, zone: Option<Zone>) -> Result<i64, Error> {
    let mut at = at;
    if step.months != 0 || step.days != 0 {
        let wall = zone.map_or(Ok(at), |zone| zone.to_local(at))?;
        let moved = Civil::from_micros(wall).plus_months(i64::from(step.months)).to_micros()?;
        let days = i64::from(step.days).checked_mul(MICROS_PER_DAY).ok_or_else(timestamp_out_of_range)?;
        let moved = moved.checked_add(days).ok_or_else(timestamp_out_of_range)?;
        at = zone.map_or(Ok(moved), |zone| zone.to_instant(moved))?;
    }
    at.checked_add(step.nanoseconds / 1_000).ok_or_else(timestamp_out_of_range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call_in, moment, moment_tz, shown, span};
    use datafusion::common::ScalarValue;

    #[test]
    fn series_end_where_their_stop_or_their_type_does() {
        let int = |value: i64| ScalarValue::Int64(Some(value));
        assert_eq!(shown(&generate_series(), &[int(1), int(3)]), "[1, 2, 3]");
        assert_eq!(shown(&generate_series(), &[int(3), int(1), int(-2)]), "[3, 1]");
        assert_eq!(shown(&generate_series(), &[int(3), int(1)]), "[]");
        assert_eq!(shown(&generate_series(), &[int(i64::MAX - 1), int(i64::MAX), int(5)]), "[9223372036854775806]");
        assert_eq!(shown(&generate_series(), &[int(1), int(2), int(0)]), "step size cannot equal zero");
        assert!(shown(&generate_series(), &[int(0), int(i64::MAX)]).starts_with("a series has more than"));
        let tenth = |value: i128| ScalarValue::Decimal128(Some(value), 10, 1);
        assert_eq!(shown(&generate_series(), &[tenth(10), tenth(20), tenth(5)]), "[1.0, 1.5, 2.0]");
        assert_eq!(shown(&generate_series(), &[int(1), tenth(25)]), "[1, 2]");
    }

    #[test]
    fn months_are_those_of_the_calendar_and_days_those_of_the_zone() {
        let of = |zone: &str, start, stop, step: &str| {
            let ScalarValue::List(list) = call_in(zone, &generate_series(), &[start, stop, span(step)], true).unwrap()
            else {
                panic!("no list")
            };
            arrow::compute::cast(&list.value(0), &DataType::Int64).unwrap()
        };
        let hours = |array: ArrayRef| {
            let values = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&array).values().to_vec();
            values.windows(2).map(|pair| (pair[1] - pair[0]) / 3_600_000_000).collect::<Vec<_>>()
        };
        let months = of("UTC", moment("2024-01-31T00:00:00"), moment("2024-04-30T00:00:00"), "1 month");
        assert_eq!(hours(months), [29 * 24, 29 * 24, 31 * 24]);
        let days = of("Europe/Paris", moment_tz("2024-03-29T23:00:00"), moment_tz("2024-04-01T00:00:00"), "1 day");
        assert_eq!(hours(days), [24, 23]);
    }
}
