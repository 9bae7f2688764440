//! `sum(x)` - bigint of smaller integers, numeric of bigint and numeric, real, double precision and interval of their own.
//!
//! No sum wraps around: those of bigint and of wide numerics are added in twice the bits. NULL when there is no value.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT sum(v) FROM (VALUES (9223372036854775807), (1)) AS t(v);  -- 9223372036854775808
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::Result;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::AggregateUDF;

use super::interval::total;
use super::numeric::kind;
use crate::aggregate::{Formula, Map, Part, aggregate};

/// The aggregate.
pub fn sum() -> Arc<AggregateUDF> {
    aggregate(Sum)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum;

impl Formula for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn coerced(&self, given: &DataType) -> Option<DataType> {
        match given {
            DataType::Interval(_) => Some(INTERVAL),
            DataType::Duration(_) => Some(given.clone()),
            given => addend(given),
        }
    }

    fn returns(&self, input: &DataType) -> DataType {
        match input {
            DataType::Decimal128(p, s) if *p <= SUMMED_IN_128_MAX => DataType::Decimal128(p + 10, *s),
            DataType::Int32 => DataType::Int64,
            own if *own == kind::OWN => kind::OWN,
            quotient if *quotient == kind::QUOTIENT => kind::WIDE_QUOTIENT,
            DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => DataType::Decimal256((*p).min(66) + 10, *s),
            other => other.clone(),
        }
    }

    fn parts(&self, input: &DataType) -> Vec<Part> {
        match input {
            DataType::Interval(_) => total::parts(),
            input => vec![summed(input)],
        }
    }

    fn finish(&self, parts: &[ArrayRef], to: &DataType) -> Result<ArrayRef> {
        let [sums] = parts else { return total::joined(parts, |sum, _| Ok(sum)) };
        if sums.data_type() == to {
            return Ok(Arc::clone(sums));
        }
        match super::numeric::cast::checked(sums.data_type(), to) {
            Some(_) => super::numeric::cast::convert(sums, to),
            None => Ok(cast(sums, to)?),
        }
    }
}

pub(super) const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// A sum of so many digits has room for ten more.
const SUMMED_IN_128_MAX: u8 = 28;

/// What a number is read as to be added; reading it again changes nothing.
pub(super) fn addend(given: &DataType) -> Option<DataType> {
    use DataType as D;
    Some(match given {
        D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 => D::Int32,
        D::Int64 | D::UInt32 => D::Decimal128(19, 0),
        D::UInt64 => D::Decimal128(20, 0),
        D::Decimal32(p, s) | D::Decimal64(p, s) => D::Decimal128(*p, *s),
        D::Decimal128(..) | D::Decimal256(..) | D::Float32 | D::Float64 => given.clone(),
        D::Float16 => D::Float32,
        D::Null => D::Float64,
        D::Dictionary(_, value) => return addend(value),
        _ => return None,
    })
}

/// The sum of a column of this type, in a type that it fits.
pub(super) fn summed(input: &DataType) -> Part {
    let wider = match input {
        DataType::Decimal128(p, s) if *p > SUMMED_IN_128_MAX => Some(DataType::Decimal256(*p, *s)),
        DataType::Int32 => Some(DataType::Int64),
        DataType::Float32 => Some(DataType::Float64),
        _ => None,
    };
    match wider {
        Some(wider) => {
            let widen = Map { compute: |array, to| Ok(cast(array, to)?), injective: true };
            Part { udaf: sum_udaf(), input: wider, map: Some(widen) }
        }
        None => Part::of(sum_udaf(), input),
    }
}
