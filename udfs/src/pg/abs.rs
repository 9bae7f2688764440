//! `abs(number)` - of the argument's type; 22003 for the least integer, which has no positive. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT abs(-17), abs(-1.5);  -- 17  1.5
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::Error;
use crate::function::pg_name;

/// The function.
pub fn abs() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Abs { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Abs {
    signature: Signature,
}

impl ScalarUDFImpl for Abs {
    fn name(&self) -> &str {
        "abs"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        use DataType as D;
        Ok(vec![match given {
            [D::Int8 | D::Int16 | D::UInt8] => D::Int16,
            [D::Int32 | D::UInt16] => D::Int32,
            [D::Int64 | D::UInt32] => D::Int64,
            [D::UInt64] => D::Decimal128(20, 0),
            [D::Decimal32(p, s) | D::Decimal64(p, s)] => D::Decimal128(*p, *s),
            [of @ (D::Decimal128(..) | D::Decimal256(..) | D::Float32)] => of.clone(),
            [D::Float16] => D::Float32,
            [D::Float64 | D::Null | D::Utf8 | D::LargeUtf8 | D::Utf8View] => D::Float64,
            _ => {
                let types: Vec<_> = given.iter().map(pg_name).collect();
                return plan_err!("function abs({}) does not exist", types.join(", "));
            }
        }])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(array)] => ColumnarValue::Array(absolute(array)?),
            [ColumnarValue::Scalar(value)] => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&absolute(&value.to_array_of_size(1)?)?, 0)?)
            }
            _ => return exec_err!("abs takes one number"),
        })
    }
}

fn absolute(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Int16 => checked::<Int16Type>(array, i16::checked_abs, "smallint")?,
        DataType::Int32 => checked::<Int32Type>(array, i32::checked_abs, "integer")?,
        DataType::Int64 => checked::<Int64Type>(array, i64::checked_abs, "bigint")?,
        DataType::Decimal128(..) => checked::<Decimal128Type>(array, i128::checked_abs, "value")?,
        DataType::Decimal256(..) => checked::<Decimal256Type>(array, |value| Some(value.wrapping_abs()), "value")?,
        DataType::Float32 => Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::abs)),
        DataType::Float64 => Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::abs)),
        other => return exec_err!("abs takes no {other}"),
    })
}

fn checked<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    abs: impl Fn(T::Native) -> Option<T::Native>,
    of: &'static str,
) -> Result<ArrayRef> {
    let values = array.as_primitive::<T>();
    let values = values.try_unary::<_, T, Error>(|value| abs(value).ok_or(Error::NumericOverflow(of)))?;
    Ok(Arc::new(values.with_data_type(array.data_type().clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn the_least_integer_has_no_positive() {
        let int = |value: i32| ScalarValue::Int32(Some(value));
        for columns in [false, true] {
            assert_eq!(call(&abs(), &[int(-5)], columns), Ok(int(5)));
            assert_eq!(call(&abs(), &[int(i32::MIN)], columns), Err(Error::NumericOverflow("integer")));
            let numeric = |value: i128| ScalarValue::Decimal128(Some(value), 5, 2);
            assert_eq!(call(&abs(), &[numeric(-150)], columns), Ok(numeric(150)));
            assert_eq!(call(&abs(), &[ScalarValue::Int64(None)], columns), Ok(ScalarValue::Int64(None)));
        }
    }
}
