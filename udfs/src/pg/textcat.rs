//! `lakegate_textcat(text, text) -> text`: the operator `||`, which asks whether there is room before it makes its texts.
//!
//! Of large texts a few of it in one expression take more memory than the query has otherwise.
//! <https://www.postgresql.org/docs/16/functions-string.html>

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::kernels::concat_elements::concat_elements_utf8;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::function::strict;
use crate::room::Growing;

/// The operator on two texts.
pub(crate) fn textcat() -> Arc<ScalarUDF> {
    let signature = Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(TextCat { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TextCat {
    signature: Signature,
}

impl ScalarUDFImpl for TextCat {
    fn name(&self) -> &'static str {
        "lakegate_textcat"
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
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let texts: Option<Vec<&StringArray>> = arrays.iter().map(|array| array.as_string_opt()).collect();
        let Some([left, right]) = texts.as_deref() else { return exec_err!("two texts are joined") };
        let mut room = Growing::default();
        room.reach(bytes(left) + bytes(right))?;
        let joined: ArrayRef = Arc::new(concat_elements_utf8(left, right)?);
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?),
            false => ColumnarValue::Array(joined),
        })
    }
}

fn bytes(texts: &StringArray) -> usize {
    let offsets = texts.value_offsets();
    let length = offsets.last().zip(offsets.first()).map_or(0, |(end, start)| end - start);
    usize::try_from(length).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};

    #[test]
    fn texts_are_joined_and_null_joins_nothing() {
        assert_eq!(shown(&textcat(), &[text("ab"), text("c")]), "abc");
        assert_eq!(shown(&textcat(), &[text("ab"), ScalarValue::Utf8(None)]), "NULL");
    }
}
