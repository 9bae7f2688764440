//! `overlaps(start1, end1, start2, end2) -> boolean` - the function behind `(s1, e1) OVERLAPS (s2, e2)`.
//!
//! Times may be timestamps, timestamptz, dates or times, and an end may be an interval from the start. A period holds its earlier end but not its later one, unless both are
//! equal; the order of its two ends does not matter. Unknown when NULL could decide.
//! <https://www.postgresql.org/docs/16/functions-datetime.html>
//!
//! ```sql
//! SELECT overlaps(DATE '2001-02-16', DATE '2001-12-21', DATE '2001-10-30', DATE '2002-10-30');  -- true
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::{cast, kernels::numeric::add};
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::interval::MICROS_PER_DAY;
use crate::function::{Args, Overload, Ty, overload, some, stable};

/// The function.
pub fn overlaps() -> Arc<ScalarUDF> {
    const fn of(args: &'static [Ty]) -> Overload {
        overload(args, Ty::Bool, kernel)
    }
    use Ty::{Interval as I, Time as C, Timestamp as T, TimestampTz as Z};
    static OVERLOADS: [Overload; 12] = [
        of(&[T, T, T, T]),
        of(&[T, I, T, I]),
        of(&[T, T, T, I]),
        of(&[T, I, T, T]),
        of(&[Z, Z, Z, Z]),
        of(&[Z, I, Z, I]),
        of(&[Z, Z, Z, I]),
        of(&[Z, I, Z, Z]),
        of(&[C, C, C, C]),
        of(&[C, I, C, I]),
        of(&[C, C, C, I]),
        of(&[C, I, C, C]),
    ];
    stable("overlaps", &OVERLOADS)
}

/// The starts and ends of a period in microseconds; an interval counts from the start.
fn period(args: &Args<'_>, first: usize) -> Result<(ArrayRef, ArrayRef)> {
    let (mut start, mut end) = (args.expanded(first)?, args.expanded(first + 1)?);
    if matches!(end.data_type(), DataType::Interval(_)) {
        if let DataType::Timestamp(unit, Some(_)) = start.data_type() {
            start = cast(&start, &DataType::Timestamp(*unit, Some(args.zone.into())))?;
        }
        end = match start.data_type() {
            DataType::Time64(_) => after_midnight(&start, &end)?,
            _ => add(&start, &end)?,
        };
    }
    let micros = |times: &ArrayRef| match times.data_type() {
        DataType::Timestamp(_, Some(zone)) => {
            let plain = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone))))?;
            cast(&plain, &DataType::Int64)
        }
        _ => cast(times, &DataType::Int64),
    };
    Ok((micros(&start)?, micros(&end)?))
}

/// A time of day goes on at midnight.
fn after_midnight(start: &ArrayRef, span: &ArrayRef) -> Result<ArrayRef> {
    let (start, spans) = (cast(start, &DataType::Int64)?, span.as_primitive::<IntervalMonthDayNanoType>());
    let starts = start.as_primitive::<Int64Type>().iter().zip(spans.iter());
    let end = |(start, span): (Option<i64>, Option<arrow::datatypes::IntervalMonthDayNano>)| {
        Some((start? + span?.nanoseconds / 1_000).rem_euclid(MICROS_PER_DAY))
    };
    Ok(Arc::new(starts.map(end).collect::<arrow::array::Int64Array>()))
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let ((start1, end1), (start2, end2)) = (period(args, 0)?, period(args, 2)?);
    let get = |times: &ArrayRef, row| {
        let times = times.as_primitive::<Int64Type>();
        arrow::array::Array::is_valid(times, row).then(|| times.value(row))
    };
    args.build_bool(|row| {
        // As PostgreSQL: a period with one known end is taken at that end.
        let span = |start: Option<i64>, end: Option<i64>| match (start, end) {
            (Some(start), Some(end)) => Some((start.min(end), Some(start.max(end)))),
            (Some(known), None) | (None, Some(known)) => Some((known, None)),
            (None, None) => None,
        };
        let first = some!(span(get(&start1, row), get(&end1, row)));
        let second = some!(span(get(&start2, row), get(&end2, row)));
        let (early, late) = if first.0 <= second.0 { (first, second) } else { (second, first) };
        if early.0 == late.0 {
            return Ok(early.1.and(late.1).map(|_| true));
        }
        match early.1 {
            Some(end) if late.0 < end => Ok(Some(true)),
            Some(_) => Ok(late.1.map(|_| false)),
            None => Ok(None),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{moment, shown};

    #[test]
    fn a_period_does_not_hold_its_later_end() {
        let check = |times: [&str; 4], expect: &str| {
            assert_eq!(shown(&overlaps(), &times.map(moment)), expect, "{times:?}");
        };
        check(["2001-02-16T00:00:00", "2001-12-21T00:00:00", "2001-10-30T00:00:00", "2002-10-30T00:00:00"], "true");
        check(["2001-10-29T00:00:00", "2001-10-30T00:00:00", "2001-10-30T00:00:00", "2001-10-31T00:00:00"], "false");
        check(["2001-10-30T00:00:00", "2001-10-30T00:00:00", "2001-10-30T00:00:00", "2001-10-31T00:00:00"], "true");
        let month = [moment("2001-01-31T00:00:00"), crate::testing::span("1 month")];
        for (start, expect) in [("2001-02-27T00:00:00", "true"), ("2001-02-28T00:00:00", "false")] {
            let others = [moment(start), moment("2001-03-30T00:00:00")];
            assert_eq!(shown(&overlaps(), &[&month[..], &others[..]].concat()), expect, "{start}");
        }
    }
}
