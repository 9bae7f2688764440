//! `avg(x)` - numeric of integers and numerics, double precision of floats, interval of intervals.
//!
//! NULL when there is no value. A numeric average shows the decimals of PostgreSQL's division.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT avg(v) FROM (VALUES (1), (2)) AS t(v);  -- 1.5000000000000000
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::AggregateUDF;

use super::interval::total;
use super::numeric::divide::{divided, quotient};
use super::spans::divide;
use super::sum::{INTERVAL, addend, summed};
use crate::aggregate::{Formula, Part, aggregate};

/// The aggregate.
pub fn avg() -> Arc<AggregateUDF> {
    aggregate(Avg)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Avg;

impl Formula for Avg {
    fn name(&self) -> &'static str {
        "avg"
    }

    fn coerced(&self, given: &DataType) -> Option<DataType> {
        match given {
            DataType::Float16 | DataType::Float32 => Some(DataType::Float64),
            DataType::Interval(_) => Some(INTERVAL),
            DataType::Duration(_) => Some(given.clone()),
            given => addend(given),
        }
    }

    fn returns(&self, input: &DataType) -> DataType {
        match input {
            DataType::Float64 | DataType::Duration(_) | DataType::Interval(_) => input.clone(),
            DataType::Int32 => quotient(&DataType::Decimal128(10, 0), &COUNT),
            input => quotient(input, &COUNT),
        }
    }

    fn parts(&self, input: &DataType) -> Vec<Part> {
        match input {
            DataType::Float64 | DataType::Duration(_) => vec![Part::of(avg_udaf(), input)],
            DataType::Interval(_) => {
                let mut parts = total::parts();
                parts.push(Part::of(count_udaf(), input));
                parts
            }
            input => vec![summed(input), Part::of(count_udaf(), input)],
        }
    }

    fn finish(&self, parts: &[ArrayRef], to: &DataType) -> Result<ArrayRef> {
        match parts {
            [averages] => Ok(Arc::clone(averages)),
            [sums, counts] => {
                let sums = match sums.data_type() {
                    DataType::Int64 => cast(sums, &COUNT)?,
                    _ => Arc::clone(sums),
                };
                let none = arrow::compute::kernels::cmp::eq(counts, &arrow::array::Int64Array::new_scalar(0))?;
                let counts = nullif(counts.as_primitive::<Int64Type>(), &none)?;
                divided(&sums, &cast(&counts, &COUNT)?, to)
            }
            [sums @ .., counts] => {
                let counts = counts.as_primitive::<Int64Type>();
                total::joined(sums, |sum, row| divide(sum, counts.value(row)))
            }
            [] => exec_err!("an average of nothing"),
        }
    }
}

/// A count as a divisor.
const COUNT: DataType = DataType::Decimal128(19, 0);
