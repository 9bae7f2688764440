//! `numeric * numeric` where the engine's product is not PostgreSQL's: scales that follow the value, or more digits than
//! 128 bits hold.
//!
//! Owns: the operator's function, whose type follows its operands: parameters get their scales after planning. A product
//! that does not fit is 22003. NULL gives NULL. Users never name it.
//! <https://www.postgresql.org/docs/16/functions-math.html#FUNCTIONS-MATH-OP-TABLE>

use std::sync::Arc;

use arrow::array::{ArrayRef, Datum, Scalar};
use arrow::compute::kernels::numeric::mul;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::kind;
use crate::Error;
use crate::function::strict;

/// The name by which a plan knows it.
pub const NAME: &str = "lakegate_numeric_mul";

/// The function.
pub fn multiply() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Multiply { signature: Signature::user_defined(Volatility::Immutable) }))
}

/// Whether the operator means these operands, and the engine's own product would not do.
pub fn takes(left: &DataType, right: &DataType) -> bool {
    let Some(((left_digits, _), (right_digits, _))) = digits(left).zip(digits(right)) else { return false };
    (left.is_decimal() || right.is_decimal()) && (kind_of(left, right).is_some() || left_digits + right_digits >= 38)
}

/// The kind of product of which one operand has a scale that follows the value.
fn kind_of(left: &DataType, right: &DataType) -> Option<DataType> {
    let is = |kinds: &[DataType]| kinds.contains(left) || kinds.contains(right);
    if is(&[kind::QUOTIENT, kind::WIDE_QUOTIENT]) {
        return Some(kind::WIDE_QUOTIENT);
    }
    is(&[kind::OWN]).then_some(kind::OWN)
}

/// Precision and scale of an exact number.
fn digits(of: &DataType) -> Option<(u8, i8)> {
    Some(match of {
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => (*p, *s),
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 | DataType::UInt64 => (20, 0),
        DataType::Null => (1, 0),
        _ => return None,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Multiply {
    signature: Signature,
}

impl ScalarUDFImpl for Multiply {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let operand = |of: &DataType| match (of, digits(of)) {
            (of, Some(_)) if of.is_decimal() => Ok(of.clone()),
            (_, Some((precision, scale))) => Ok(DataType::Decimal128(precision, scale)),
            (other, None) => exec_err!("{other} is not numeric"),
        };
        given.iter().map(operand).collect()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let [left, right] = given else { return exec_err!("{NAME} takes two numbers") };
        if let Some(kind) = kind_of(left, right) {
            return Ok(kind);
        }
        let Some(((left, left_scale), (right, right_scale))) = digits(left).zip(digits(right)) else {
            return exec_err!("{NAME} takes two numbers");
        };
        let (precision, scale) = (left + right + 1, left_scale.saturating_add(right_scale));
        Ok(match precision {
            // The kinds have 38.
            ..38 => DataType::Decimal128(precision, scale),
            _ if scale <= 75 => DataType::Decimal256(precision.min(75), scale),
            _ => kind::OWN,
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return exec_err!("{NAME} takes two numbers") };
        let constants = matches!((left, right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let (left, right) = (widened(left)?, widened(right)?);
        let product = mul(left.as_ref(), right.as_ref()).map_err(condition)?;
        let result = cast_with_options(&product, args.return_field.data_type(), &STRICT).map_err(condition)?;
        Ok(match constants {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }
}

const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// In 256 bits, so that only the result needs to fit.
fn widened(value: &ColumnarValue) -> Result<Box<dyn Datum>> {
    let widen = |array: &ArrayRef| match digits(array.data_type()) {
        Some((precision, scale)) => {
            cast_with_options(array, &DataType::Decimal256(precision, scale), &STRICT).map_err(condition)
        }
        None => exec_err!("{} is not numeric", array.data_type()),
    };
    Ok(match value {
        ColumnarValue::Array(array) => Box::new(widen(array)?),
        ColumnarValue::Scalar(value) => Box::new(Scalar::<ArrayRef>::new(widen(&value.to_array_of_size(1)?)?)),
    })
}

fn condition(error: ArrowError) -> datafusion::common::DataFusionError {
    match error {
        ArrowError::ArithmeticOverflow(_) | ArrowError::CastError(_) | ArrowError::InvalidArgumentError(_) => {
            Error::NumericFormatOverflow.into()
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn decimal(value: i128, precision: u8, scale: i8) -> ScalarValue {
        ScalarValue::Decimal128(Some(value), precision, scale)
    }

    #[test]
    fn the_scale_is_that_of_both_operands() {
        for (left, right, expect) in [
            (decimal(227_409_498, 9, 0), decimal(990_180, 6, 3), decimal(225_176_336_729_640, 16, 3)),
            (decimal(15, 2, 1), decimal(2 * 10_i128.pow(16), 38, 16), decimal(3 * 10_i128.pow(16), 38, 16)),
            (decimal(15, 2, 1), ScalarValue::Int32(Some(2)), decimal(30, 13, 1)),
        ] {
            for columns in [false, true] {
                let product = call(&multiply(), &[left.clone(), right.clone()], columns);
                assert_eq!(product, Ok(expect.clone()), "{left} * {right}");
            }
        }
        let large = decimal(10_i128.pow(37), 38, 16);
        assert_eq!(call(&multiply(), &[large.clone(), large], true), Err(Error::NumericFormatOverflow));
    }
}
