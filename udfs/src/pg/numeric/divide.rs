//! `numeric / numeric`: a quotient with 20 decimals, shown with those that PostgreSQL's division gives.
//!
//! Owns: the operator's function, and `floor(a / b)`, which needs no decimals. A divisor of zero is 22012, a quotient that
//! does not fit 22003. NULL gives NULL. Users never name these functions.
//! <https://www.postgresql.org/docs/16/functions-math.html#FUNCTIONS-MATH-OP-TABLE>

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::compute::{cast, try_binary};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, FieldRef, i256};
use arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::digits::{divide_rounded, power, wide_divide_rounded, wide_power};
use super::kind;
use crate::Error;
use crate::function::strict;
use crate::pg::round::unwrapped;

/// The operator, where at least one side is a numeric and the other no float.
pub fn divide() -> Arc<ScalarUDF> {
    udf(false)
}

/// Those that a plan may name.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![udf(false), udf(true)]
}

/// Whether the operator means these operands.
pub fn takes(left: &DataType, right: &DataType) -> bool {
    let exact = |of: &DataType| of.is_integer() || of.is_decimal();
    exact(left) && exact(right) && (left.is_decimal() || right.is_decimal())
}

/// `floor(a / b)` for an argument `a / b`.
pub(crate) fn floor_of(argument: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = argument else { return None };
    (func.name() == NAME).then(|| Expr::ScalarFunction(ScalarFunction::new_udf(udf(true), args.clone())))
}

const NAME: &str = "lakegate_numeric_div";

fn udf(floor: bool) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Divide { floor, signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Divide {
    floor: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Divide {
    fn name(&self) -> &str {
        if self.floor { "lakegate_numeric_floor_div" } else { NAME }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        given.iter().map(operand).collect()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let [left, right] = given else { return exec_err!("{} takes two numbers", self.name()) };
        let quotient = quotient(left, right);
        Ok(match (self.floor, quotient) {
            (false, quotient) => quotient,
            // As `floor` of the quotient's type.
            (true, DataType::Decimal128(p, s)) => DataType::Decimal128(p - s.unsigned_abs() + 1, 0),
            (true, DataType::Decimal256(p, s)) => DataType::Decimal256(p - s.unsigned_abs() + 1, 0),
            (true, other) => other,
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return exec_err!("{} takes two numbers", self.name()) };
        let to = args.return_field.data_type();
        let constants = matches!((left, right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let result = match (left, right) {
            (ColumnarValue::Array(left), ColumnarValue::Scalar(right)) => {
                self.compute(left, &right.to_array_of_size(1)?, true, to)?
            }
            _ => {
                let arrays = ColumnarValue::values_to_arrays(&args.args)?;
                let [left, right] = arrays.as_slice() else { return exec_err!("two operands") };
                self.compute(left, right, false, to)?
            }
        };
        Ok(match constants {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }
}

fn operand(given: &DataType) -> Result<DataType> {
    Ok(match given {
        DataType::Decimal128(..) | DataType::Decimal256(..) => given.clone(),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        DataType::Int8 | DataType::UInt8 => DataType::Decimal128(3, 0),
        DataType::Int16 | DataType::UInt16 => DataType::Decimal128(5, 0),
        DataType::Int32 | DataType::UInt32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(19, 0),
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Null => DataType::Decimal128(1, 0),
        other => return exec_err!("{other} is not numeric"),
    })
}

/// 38 digits hold the quotient when at most 18 of them can stand before the point.
pub(crate) fn quotient(left: &DataType, right: &DataType) -> DataType {
    match (left, right) {
        (DataType::Decimal128(p, s), DataType::Decimal128(_, divisor_scale))
            if i16::from(*p) - i16::from(*s) + i16::from(*divisor_scale) <= 18 =>
        {
            kind::QUOTIENT
        }
        _ => kind::WIDE_QUOTIENT,
    }
}

fn scale(of: &DataType) -> i32 {
    match of {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => i32::from(*scale),
        _ => 0,
    }
}

fn overflow() -> ArrowError {
    ArrowError::from_external_error(Box::new(Error::NumericFormatOverflow))
}

fn by_zero() -> ArrowError {
    ArrowError::from_external_error(Box::new(Error::DivisionByZero))
}

/// The quotients of two numeric columns as a quotient type.
pub(crate) fn divided(left: &ArrayRef, right: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    Divide { floor: false, signature: Signature::user_defined(Volatility::Immutable) }.compute(left, right, false, to)
}

impl Divide {
    /// `constant`: the right side is one value for all rows.
    fn compute(&self, left: &ArrayRef, right: &ArrayRef, constant: bool, to: &DataType) -> Result<ArrayRef> {
        // What `left` lacks of the scale that makes the mantissas' quotient the result's mantissa.
        let shift = scale(to) + scale(right.data_type()) - scale(left.data_type());
        let narrow = |array: &ArrayRef| matches!(array.data_type(), DataType::Decimal128(..));
        if narrow(left) && narrow(right) && matches!(to, DataType::Decimal128(..)) {
            let (more, fewer) = (power(shift.max(0).unsigned_abs()), power(shift.min(0).unsigned_abs()));
            let (Some(more), Some(fewer)) = (more, fewer) else { return Err(overflow().into()) };
            if self.floor
                && constant
                && more == 1
                && let Some(result) = floored_by(left, right, fewer)
            {
                return Ok(Arc::new(result.with_data_type(to.clone())));
            }
            let (wide_more, wide_fewer) = (i256::from_i128(more), i256::from_i128(fewer));
            let floor = self.floor;
            return apply::<Decimal128Type>(left, right, constant, to, move |left, right| {
                if right == 0 {
                    return Err(by_zero());
                }
                match (left.checked_mul(more), right.checked_mul(fewer)) {
                    (Some(left), Some(right)) if floor => Ok(floored(left, right)),
                    (Some(left), Some(right)) => Ok(rounded(left, right)),
                    _ => {
                        let left = i256::from_i128(left).checked_mul(wide_more).ok_or_else(overflow)?;
                        let right = i256::from_i128(right).checked_mul(wide_fewer).ok_or_else(overflow)?;
                        wide(left, right, floor).and_then(i256::to_i128).ok_or_else(overflow)
                    }
                }
            });
        }
        let (more, fewer) = (wide_power(shift.max(0).unsigned_abs()), wide_power(shift.min(0).unsigned_abs()));
        let (Some(more), Some(fewer)) = (more, fewer) else { return Err(overflow().into()) };
        let widened = |array: &ArrayRef| cast(array, &DataType::Decimal256(76, array_scale(array)));
        let floor = self.floor;
        let result_type = DataType::Decimal256(76, array_scale_of(to));
        let result =
            apply::<Decimal256Type>(&widened(left)?, &widened(right)?, constant, &result_type, |left, right| {
                if right == i256::ZERO {
                    return Err(by_zero());
                }
                let left = left.checked_mul(more).ok_or_else(overflow)?;
                let right = right.checked_mul(fewer).ok_or_else(overflow)?;
                wide(left, right, floor).ok_or_else(overflow)
            })?;
        Ok(if result.data_type() == to { result } else { cast(&result, to)? })
    }
}

fn array_scale(array: &ArrayRef) -> i8 {
    array_scale_of(array.data_type())
}

fn array_scale_of(of: &DataType) -> i8 {
    i8::try_from(scale(of)).unwrap_or(0)
}

/// The floors by one divisor of 64 bits: time series group by them, so nothing else is done per row.
fn floored_by(left: &ArrayRef, right: &ArrayRef, fewer: i128) -> Option<PrimitiveArray<Decimal128Type>> {
    let right = right.as_primitive::<Decimal128Type>();
    let divisor = right.is_valid(0).then(|| right.value(0)).and_then(|value| value.checked_mul(fewer))?;
    let small = i64::try_from(divisor).ok().filter(|divisor| *divisor > 0)?;
    Some(left.as_primitive::<Decimal128Type>().unary(|value| match i64::try_from(value) {
        Ok(value) => value.div_euclid(small).into(),
        Err(_) => floored(value, divisor),
    }))
}

fn rounded(left: i128, right: i128) -> i128 {
    if right > 0 { divide_rounded(left, right) } else { -divide_rounded(left, right.wrapping_neg()) }
}

#[inline]
fn floored(left: i128, right: i128) -> i128 {
    // Most columns hold values of 64 bits, which divide much faster.
    if let (Ok(left), Ok(right)) = (i64::try_from(left), i64::try_from(right))
        && right > 0
    {
        return left.div_euclid(right).into();
    }
    let whole = left / right;
    if left % right != 0 && (left < 0) != (right < 0) { whole - 1 } else { whole }
}

fn wide(left: i256, right: i256, floor: bool) -> Option<i256> {
    if !floor {
        return wide_divide_rounded(left, right);
    }
    let (whole, rest) = (left.checked_div(right)?, left.checked_rem(right)?);
    let below = rest != i256::ZERO && left.is_negative() != right.is_negative();
    if below { whole.checked_sub(i256::ONE) } else { Some(whole) }
}

fn apply<T: ArrowPrimitiveType>(
    left: &ArrayRef,
    right: &ArrayRef,
    constant: bool,
    to: &DataType,
    op: impl Fn(T::Native, T::Native) -> Result<T::Native, ArrowError>,
) -> Result<ArrayRef> {
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    let result: PrimitiveArray<T> = match constant {
        true if right.is_null(0) => PrimitiveArray::new_null(left.len()),
        true => {
            let divisor = right.value(0);
            left.try_unary::<_, T, ArrowError>(|value| op(value, divisor)).map_err(unwrapped)?
        }
        false => try_binary(left, right, op).map_err(unwrapped)?,
    };
    Ok(Arc::new(result.with_data_type(to.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn decimal(value: i128, precision: u8, scale: i8) -> ScalarValue {
        ScalarValue::Decimal128(Some(value), precision, scale)
    }

    #[test]
    fn quotients_have_twenty_decimals() {
        let unit = power(20).unwrap();
        for (left, right, expect) in [
            (decimal(100, 3, 1), ScalarValue::Int32(Some(4)), 5 * unit / 2),
            (decimal(2, 1, 0), decimal(-3, 1, 0), -66_666_666_666_666_666_667),
            (decimal(1, 2, 2), decimal(1, 2, 2), unit),
            (ScalarValue::Int64(Some(i64::MAX)), decimal(i128::from(i64::MAX), 19, 0), unit),
        ] {
            for columns in [false, true] {
                let quotient = call(&divide(), &[left.clone(), right.clone()], columns).unwrap();
                let value = match quotient {
                    ScalarValue::Decimal128(value, 38, 20) => value,
                    ScalarValue::Decimal256(value, 76, 20) => value.and_then(i256::to_i128),
                    other => panic!("{other}"),
                };
                assert_eq!(value, Some(expect), "{left} / {right}");
            }
        }
        let zero = call(&divide(), &[decimal(1, 2, 1), decimal(0, 2, 1)], true);
        assert_eq!(zero, Err(Error::DivisionByZero));
        let null = call(&divide(), &[decimal(1, 2, 1), ScalarValue::Decimal128(None, 2, 1)], true);
        assert_eq!(null, Ok(ScalarValue::Decimal128(None, 38, 20)));
    }

    #[test]
    fn the_floor_of_a_quotient_goes_down() {
        for (left, right, expect) in [
            (decimal(1_709_647_629_500_000, 20, 6), decimal(300, 10, 0), 5_698_825),
            (decimal(-1, 20, 6), decimal(300, 10, 0), -1),
            (decimal(7, 1, 0), decimal(-2, 1, 0), -4),
            (decimal(6, 1, 0), decimal(-2, 1, 0), -3),
        ] {
            for columns in [false, true] {
                let floor = call(&udf(true), &[left.clone(), right.clone()], columns);
                assert_eq!(floor, Ok(decimal(expect, 19, 0)), "floor({left} / {right})");
            }
            let column: ArrayRef = left.to_array_of_size(3).unwrap();
            let divide = Divide { floor: true, signature: Signature::user_defined(Volatility::Immutable) };
            let right = right.to_array_of_size(1).unwrap();
            let floors = divide.compute(&column, &right, true, &DataType::Decimal128(19, 0)).unwrap();
            assert_eq!(floors.as_primitive::<Decimal128Type>().values().to_vec(), vec![expect; 3]);
        }
    }
}
