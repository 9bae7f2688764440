//! Sums of intervals, field by field, as the sums of numbers that the engine adds.
//!
//! Owns: how an interval comes apart and together again. Must never know: which aggregate asks.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::{Result, exec_err};
use datafusion::functions_aggregate::sum::sum_udaf;

use crate::Error;
use crate::aggregate::{Map, Part};

/// Many intervals of 2^63 ns fit.
const NANOSECONDS: DataType = DataType::Decimal128(38, 0);

/// The sums of months, of days and of nanoseconds.
pub(crate) fn parts() -> Vec<Part> {
    let part = |input, compute| Part { udaf: sum_udaf(), input, map: Some(Map { compute, injective: false }) };
    vec![
        part(DataType::Int64, |spans, _| field(spans, |span| i64::from(span.months))),
        part(DataType::Int64, |spans, _| field(spans, |span| i64::from(span.days))),
        part(NANOSECONDS, |spans, to| Ok(cast(&field(spans, |span| span.nanoseconds)?, to)?)),
    ]
}

fn field(spans: &ArrayRef, of: fn(IntervalMonthDayNano) -> i64) -> Result<ArrayRef> {
    Ok(Arc::new(spans.as_primitive::<IntervalMonthDayNanoType>().unary::<_, Int64Type>(of)))
}

/// The intervals of these sums, each changed with its row; 22008 for one that its fields do not hold.
pub(crate) fn joined(
    sums: &[ArrayRef],
    change: impl Fn(IntervalMonthDayNano, usize) -> Result<IntervalMonthDayNano, Error>,
) -> Result<ArrayRef> {
    let [months, days, nanoseconds] = sums else { return exec_err!("an interval of {} parts", sums.len()) };
    let (months, days) = (months.as_primitive::<Int64Type>(), days.as_primitive::<Int64Type>());
    let nanoseconds = nanoseconds.as_primitive::<Decimal128Type>();
    let span = |row| -> Result<_, Error> {
        if months.is_null(row) {
            return Ok(None);
        }
        let fits = |value: i64| i32::try_from(value).map_err(|_| Error::IntervalOverflow);
        let clock = i64::try_from(nanoseconds.value(row)).map_err(|_| Error::IntervalOverflow)?;
        let sum = IntervalMonthDayNano::new(fits(months.value(row))?, fits(days.value(row))?, clock);
        change(sum, row).map(Some)
    };
    let spans = (0..months.len()).map(span).collect::<Result<IntervalMonthDayNanoArray, Error>>()?;
    Ok(Arc::new(spans))
}
