//! What Arrow computes of floats and PostgreSQL refuses: division by zero, overflow, underflow.
//!
//! Owns: the look at operands and results. One pass over the result finds whether there is anything to look at.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Datum, PrimitiveArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::Operator;

use crate::Error;

/// Arrow divides a float by zero to infinity; PostgreSQL refuses, except for NaN / 0.
pub(super) fn refuse_zero(left: &dyn Datum, right: &dyn Datum) -> Result<()> {
    match (left.get().0.data_type(), right.get().0.data_type()) {
        (DataType::Float64, DataType::Float64) => refuse_zero_of::<Float64Type>(left, right),
        (DataType::Float32, DataType::Float32) => refuse_zero_of::<Float32Type>(left, right),
        _ => Ok(()),
    }
}

fn refuse_zero_of<T: ArrowPrimitiveType>(left: &dyn Datum, right: &dyn Datum) -> Result<()>
where
    T::Native: Into<f64>,
{
    let pairs = Pairs::<T>::new(left, right);
    let divides = |row| pairs.get(row).is_some_and(|(left, right)| right == 0.0 && !left.is_nan());
    if pairs.right.values().iter().any(|value| (*value).into() == 0.0) && (0..pairs.rows()).any(divides) {
        return Err(Error::DivisionByZero.into());
    }
    Ok(())
}

/// Refuses a result that is infinite though no operand is, and zero though no operand is.
pub(super) fn refuse_overflow<T: ArrowPrimitiveType>(
    op: Operator,
    left: &dyn Datum,
    right: &dyn Datum,
    result: &ArrayRef,
) -> Result<()>
where
    T::Native: Into<f64>,
{
    let values = result.as_primitive::<T>().values();
    let scales = matches!(op, Operator::Multiply | Operator::Divide);
    let suspicious = |value: f64| value.is_infinite() | (scales & (value == 0.0));
    // Without an early exit, so that the loop is vectorised.
    if !values.iter().fold(false, |found, value| found | suspicious((*value).into())) {
        return Ok(());
    }
    let pairs = Pairs::<T>::new(left, right);
    for (row, value) in values.iter().enumerate() {
        let value: f64 = (*value).into();
        if !suspicious(value) || result.is_null(row) {
            continue;
        }
        let Some((left, right)) = pairs.get(row) else { continue };
        if value.is_infinite() && left.is_finite() && right.is_finite() {
            return Err(Error::Overflow.into());
        }
        let vanished = left != 0.0 && if op == Operator::Divide { right.is_finite() } else { right != 0.0 };
        if value == 0.0 && scales && vanished {
            return Err(Error::Underflow.into());
        }
    }
    Ok(())
}

/// The operands of each row.
struct Pairs<'a, T: ArrowPrimitiveType> {
    left: &'a PrimitiveArray<T>,
    right: &'a PrimitiveArray<T>,
    left_constant: bool,
    right_constant: bool,
}

impl<'a, T: ArrowPrimitiveType> Pairs<'a, T>
where
    T::Native: Into<f64>,
{
    fn new(left: &'a dyn Datum, right: &'a dyn Datum) -> Self {
        let ((left, left_constant), (right, right_constant)) = (left.get(), right.get());
        Self { left: left.as_primitive(), right: right.as_primitive(), left_constant, right_constant }
    }

    fn rows(&self) -> usize {
        if self.left_constant { self.right.len() } else { self.left.len() }
    }

    fn get(&self, row: usize) -> Option<(f64, f64)> {
        let (left, right) = (if self.left_constant { 0 } else { row }, if self.right_constant { 0 } else { row });
        let known = self.left.is_valid(left) && self.right.is_valid(right);
        known.then(|| (self.left.value(left).into(), self.right.value(right).into()))
    }
}
