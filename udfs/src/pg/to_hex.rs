//! `to_hex(integer | bigint)` - the hexadecimal digits of a number, as many as its type has below zero.
//!
//! NULL gives NULL. <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT to_hex(255), to_hex(-1);  -- ff  ffffffff
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::function::strict;

/// The function.
pub fn to_hex() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(ToHex { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToHex {
    signature: Signature,
}

impl ScalarUDFImpl for ToHex {
    fn name(&self) -> &str {
        "to_hex"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![match given {
            [DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16] => {
                DataType::Int32
            }
            [DataType::Int64 | DataType::UInt32 | DataType::Null] => DataType::Int64,
            _ => return plan_err!("function to_hex takes one integer"),
        }])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(values)] => ColumnarValue::Array(digits(values)?),
            [ColumnarValue::Scalar(value)] => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&digits(&value.to_array_of_size(1)?)?, 0)?)
            }
            _ => return exec_err!("to_hex takes one value"),
        })
    }
}

fn digits(values: &ArrayRef) -> Result<ArrayRef> {
    let texts: StringArray = match values.data_type() {
        DataType::Int32 => values.as_primitive::<Int32Type>().iter().map(|v| v.map(|v| format!("{v:x}"))).collect(),
        _ => {
            let values = cast(values, &DataType::Int64)?;
            values.as_primitive::<Int64Type>().iter().map(|v| v.map(|v| format!("{v:x}"))).collect()
        }
    };
    Ok(Arc::new(texts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;

    #[test]
    fn a_negative_number_has_the_digits_of_its_type() {
        assert_eq!(shown(&to_hex(), &[ScalarValue::Int32(Some(-1))]), "ffffffff");
        assert_eq!(shown(&to_hex(), &[ScalarValue::Int64(Some(-1))]), "ffffffffffffffff");
        assert_eq!(shown(&to_hex(), &[ScalarValue::Int32(Some(255))]), "ff");
    }
}
