//! `variance(x)`, also `var_samp`, `var_pop`, `stddev(x)`, also `stddev_samp`, `stddev_pop`.
//!
//! Numeric of integers and numerics, exact but for the last digits; double precision of floats. NULL when there is no
//! value, and for a sample of one. <https://www.postgresql.org/docs/16/functions-aggregate.html#FUNCTIONS-AGGREGATE-STATISTICS-TABLE>
//!
//! ```sql
//! SELECT variance(v), stddev_pop(v) FROM (VALUES (1), (2), (4)) AS t(v);  -- 2.3333333333333333  1.2472191289246471
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal256Array};
use arrow::compute::cast;
use arrow::compute::kernels::numeric::mul;
use arrow::datatypes::{DataType, Decimal256Type, Int64Type, i256};
use datafusion::common::{Result, exec_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use datafusion::logical_expr::AggregateUDF;

use super::numeric::digits::{wide_divide_rounded, wide_power};
use super::numeric::kind;
use super::numeric::real::wide_root;
use super::sum::{addend, summed};
use crate::Error;
use crate::aggregate::{Formula, Map, Part, aggregate};

/// All four.
pub fn variances() -> Vec<Arc<AggregateUDF>> {
    let of = |of_sample, root| aggregate(Variance { of_sample, root });
    vec![of(true, false), of(false, false), of(true, true), of(false, true)]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Variance {
    of_sample: bool,
    /// Whether it is the deviation, the root of the variance.
    root: bool,
}

const SCALE: i32 = 20;

impl Formula for Variance {
    fn name(&self) -> &'static str {
        match (self.root, self.of_sample) {
            (false, true) => "variance",
            (false, false) => "var_pop",
            (true, true) => "stddev",
            (true, false) => "stddev_pop",
        }
    }

    fn aliases(&self) -> &'static [&'static str] {
        match (self.root, self.of_sample) {
            (false, true) => &["var_samp"],
            (true, true) => &["stddev_samp"],
            _ => &[],
        }
    }

    fn coerced(&self, given: &DataType) -> Option<DataType> {
        if given.is_floating() { Some(DataType::Float64) } else { addend(given) }
    }

    fn returns(&self, input: &DataType) -> DataType {
        if *input == DataType::Float64 { DataType::Float64 } else { kind::WIDE_QUOTIENT }
    }

    fn parts(&self, input: &DataType) -> Vec<Part> {
        if *input == DataType::Float64 {
            let udaf = match (self.root, self.of_sample) {
                (false, true) => var_samp_udaf(),
                (false, false) => var_pop_udaf(),
                (true, true) => stddev_udaf(),
                (true, false) => stddev_pop_udaf(),
            };
            return vec![Part::of(udaf, input)];
        }
        let (precision, scale) = digits(input);
        let squares = DataType::Decimal256((2 * precision + 1).min(76), 2 * scale);
        let squares = Part { udaf: sum_udaf(), input: squares, map: Some(Map { compute: square, injective: false }) };
        vec![Part::of(count_udaf(), input), summed(input), squares]
    }

    fn finish(&self, parts: &[ArrayRef], to: &DataType) -> Result<ArrayRef> {
        let [counts, sums, squares] = parts else {
            return match parts {
                [values] => Ok(Arc::clone(values)),
                _ => exec_err!("a variance of {} parts", parts.len()),
            };
        };
        let DataType::Decimal256(_, scale) = squares.data_type() else { return exec_err!("squares are numerics") };
        let sums = match sums.data_type() {
            DataType::Int64 => cast(sums, &DataType::Decimal128(19, 0))?,
            _ => Arc::clone(sums),
        };
        let sums = cast(&sums, &DataType::Decimal256(76, scale / 2))?;
        let (sums, squares) = (sums.as_primitive::<Decimal256Type>(), squares.as_primitive::<Decimal256Type>());
        let counts = counts.as_primitive::<Int64Type>();
        let value = |row: usize| -> Result<Option<i256>, Error> {
            let count = i256::from_i128(counts.value(row).into());
            let others = if self.of_sample { count.wrapping_sub(i256::ONE) } else { count };
            if others <= i256::ZERO || sums.is_null(row) || squares.is_null(row) {
                return Ok(None);
            }
            let (sum, square) = (sums.value(row), squares.value(row));
            self.of(count, others, (sum, square), i32::from(*scale)).map(Some).ok_or(Error::NumericFormatOverflow)
        };
        let values = (0..counts.len()).map(value).collect::<Result<Decimal256Array, Error>>()?;
        Ok(Arc::new(values.with_data_type(to.clone())))
    }
}

impl Variance {
    /// `(n * sum(x^2) - sum(x)^2) / (n * others)`, or its root, to 20 decimals; `scale` is that of the squares.
    fn of(&self, count: i256, others: i256, (sum, squares): (i256, i256), scale: i32) -> Option<i256> {
        let above = count.checked_mul(squares)?.checked_sub(sum.checked_mul(sum)?)?;
        let above = if above.is_negative() { i256::ZERO } else { above };
        let below = count.checked_mul(others)?;
        // Fewer decimals where 76 digits do not hold all.
        let decimals = [SCALE, 16, 12, 8, 4, 0].into_iter();
        let mut tried = decimals.filter_map(|decimals| {
            let places = if self.root { 2 * decimals } else { decimals };
            let shift = places - scale;
            let above = above.checked_mul(wide_power(shift.max(0).unsigned_abs())?)?;
            let below = below.checked_mul(wide_power(shift.min(0).unsigned_abs())?)?;
            let value = wide_divide_rounded(above, below)?;
            let value = if self.root { wide_root(value)? } else { value };
            value.checked_mul(wide_power((SCALE - decimals).unsigned_abs())?)
        });
        tried.next()
    }
}

/// Precision and scale of a column that is added.
fn digits(of: &DataType) -> (u8, i8) {
    match of {
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => (*p, *s),
        _ => (10, 0),
    }
}

fn square(values: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let (precision, scale) = digits(values.data_type());
    let values = match values.data_type() {
        DataType::Int32 => cast(values, &DataType::Decimal128(10, 0))?,
        _ => Arc::clone(values),
    };
    let wide = cast(&values, &DataType::Decimal256(precision, scale))?;
    let squares = mul(&wide, &wide)?;
    Ok(Arc::new(squares.as_primitive::<Decimal256Type>().clone().with_data_type(to.clone())))
}
