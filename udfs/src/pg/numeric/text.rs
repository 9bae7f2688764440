//! `x::text` of the numerics whose scale follows the value; the others' is Arrow's own cast.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::kind::{self, Shown};
use crate::function::strict;

/// The function that replaces a cast to text.
pub fn checked(from: &DataType, to: &DataType) -> Option<Arc<ScalarUDF>> {
    let is_text = matches!(to, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    (is_text && kind::shown(from) != Shown::Fixed).then(udf)
}

/// `lakegate_numeric_text(numeric) -> text`.
pub fn udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Text { signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Text {
    signature: Signature,
}

impl ScalarUDFImpl for Text {
    fn name(&self) -> &str {
        "lakegate_numeric_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(array)] => ColumnarValue::Array(texts(array)?),
            [ColumnarValue::Scalar(value)] => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&texts(&value.to_array_of_size(1)?)?, 0)?)
            }
            _ => return exec_err!("a text of one number"),
        })
    }
}

fn texts(array: &ArrayRef) -> Result<ArrayRef> {
    let shown = kind::shown(array.data_type());
    let mut out = StringBuilder::with_capacity(array.len(), array.len() * 20);
    let mut digits = String::new();
    let mut text = String::new();
    let mut append = |out: &mut StringBuilder, value: Option<(&dyn std::fmt::Display, i8)>| {
        let Some((value, scale)) = value else { return out.append_null() };
        digits.clear();
        text.clear();
        let _ = write!(digits, "{value}");
        point(&digits, scale.unsigned_abs().into(), &mut text);
        out.append_value(&text);
    };
    match array.data_type() {
        DataType::Decimal128(_, scale) => {
            for value in array.as_primitive::<Decimal128Type>() {
                match value.map(|value| kind::shown_as(value, *scale, shown)) {
                    Some((value, scale)) => append(&mut out, Some((&value, scale))),
                    None => append(&mut out, None),
                }
            }
        }
        DataType::Decimal256(_, scale) => {
            for value in array.as_primitive::<Decimal256Type>() {
                match value.map(|value| kind::wide_shown_as(value, *scale, shown)) {
                    Some((value, scale)) => append(&mut out, Some((&value, scale))),
                    None => append(&mut out, None),
                }
            }
        }
        other => return exec_err!("{other} is no numeric"),
    }
    Ok(Arc::new(out.finish()))
}

/// Puts the point `places` digits from the end.
pub(crate) fn point(digits: &str, places: usize, out: &mut String) {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    out.push_str(sign);
    if places == 0 {
        return out.push_str(digits);
    }
    match digits.len().checked_sub(places).filter(|whole| *whole > 0).and_then(|whole| digits.split_at_checked(whole)) {
        Some((whole, fraction)) => {
            let _ = write!(out, "{whole}.{fraction}");
        }
        None => {
            let _ = write!(out, "0.{digits:0>places$}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;

    #[test]
    fn the_text_is_that_of_the_wire() {
        let own = |value| ScalarValue::Decimal128(Some(value), 38, 16);
        let quotient = |value| ScalarValue::Decimal128(Some(value), 38, 20);
        for (value, expect) in [
            (own(15 * 10_i128.pow(15)), "1.5"),
            (own(-5 * 10_i128.pow(14)), "-0.05"),
            (own(0), "0"),
            (quotient(-25 * 10_i128.pow(19)), "-2.5000000000000000"),
            (quotient(0), "0.00000000000000000000"),
        ] {
            assert_eq!(shown(&udf(), &[value]), expect);
        }
    }
}
