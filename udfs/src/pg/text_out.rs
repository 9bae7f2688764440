//! `lakegate_text_out(x)` - PostgreSQL's output functions: what a value shows, as a text.
//!
//! Casts to text are planned as calls of it. The writer is the wire's (`settings::Output`), so that a cast and a client
//! see the same characters, in the styles of the session. NULL gives NULL. Users never name it.
//! <https://www.postgresql.org/docs/16/xfunc-c.html>

use std::hash::Hash;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::function::strict;
use crate::pg_type;
use crate::settings::Outputs;

/// Whether a plain cast of the column to text would not write as PostgreSQL does.
pub fn applies(from: &Field) -> bool {
    match from.data_type() {
        DataType::Null | DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => false,
        DataType::Dictionary(_, values) => applies(&Field::new("", values.as_ref().clone(), true)),
        number if number.is_integer() || number.is_decimal() => pg_type::tag(from) == Some("money"),
        _ => true,
    }
}

/// The function.
pub fn text_out() -> Arc<ScalarUDF> {
    // The styles are the session's.
    Arc::new(ScalarUDF::new_from_impl(TextOut { signature: Signature::any(1, Volatility::Stable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TextOut {
    signature: Signature,
}

impl ScalarUDFImpl for TextOut {
    fn name(&self) -> &str {
        "lakegate_text_out"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // The planner asks what a subquery without rows gives, and has no session then.
        if let [ColumnarValue::Scalar(value)] = args.args.as_slice()
            && value.is_null()
        {
            return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None)));
        }
        let Some(outputs) = args.config_options.extensions.get::<Outputs>() else {
            return exec_err!("{} needs a session", self.name());
        };
        // A text of another type is its own text.
        if let [value] = args.args.as_slice()
            && matches!(value.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        {
            return value.cast_to(&DataType::Utf8, None);
        }
        let (Some(field), Some(value)) = (args.arg_fields.first(), args.args.first()) else {
            return exec_err!("{} takes one value", self.name());
        };
        Ok(match value {
            ColumnarValue::Array(values) => ColumnarValue::Array(outputs.texts(values, field)?),
            ColumnarValue::Scalar(value) => {
                let text = outputs.texts(&value.to_array_of_size(1)?, field)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&text, 0)?)
            }
        })
    }
}
