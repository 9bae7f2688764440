//! `json_array_elements`, `json_each`, `json_object_keys` and their kin, as arrays of what they return a row for.
//!
//! The engine unnests the arrays, so these have internal names: that of the function after `lakegate_`, and for the two
//! columns of `json_each` its column. A value of another kind is 22023. NULL gives no rows.
//! <https://www.postgresql.org/docs/16/functions-json.html#FUNCTIONS-JSON-PROCESSING>

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListBuilder, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::strings::unescape;
use super::walk::{Kind, as_text, elements, kind, members};
use crate::Error;

/// Every function of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    use Of::{Elements, Keys, Objects, TextElements, TextValues, Values};
    [
        ("lakegate_json_array_elements", Elements),
        ("lakegate_json_array_elements_text", TextElements),
        ("lakegate_json_each_key", Keys),
        ("lakegate_json_each_value", Values),
        ("lakegate_json_each_text_key", Keys),
        ("lakegate_json_each_text_value", TextValues),
        ("lakegate_json_object_keys", Keys),
        ("lakegate_json_to_recordset", Objects),
        ("lakegate_jsonb_array_elements", Elements),
        ("lakegate_jsonb_array_elements_text", TextElements),
        ("lakegate_jsonb_each_key", Keys),
        ("lakegate_jsonb_each_value", Values),
        ("lakegate_jsonb_each_text_key", Keys),
        ("lakegate_jsonb_each_text_value", TextValues),
        ("lakegate_jsonb_object_keys", Keys),
        ("lakegate_jsonb_to_recordset", Objects),
    ]
    .into_iter()
    .map(|(name, of)| {
        let signature = Signature::any(1, Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Set { name, of, signature }))
    })
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Elements,
    Objects,
    TextElements,
    Keys,
    Values,
    TextValues,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Set {
    name: &'static str,
    of: Of,
    signature: Signature,
}

impl ScalarUDFImpl for Set {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Utf8, true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(values)] => ColumnarValue::Array(self.lists(values)?),
            [ColumnarValue::Scalar(value)] => {
                let lists = self.lists(&value.to_array_of_size(1)?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&lists, 0)?)
            }
            _ => return exec_err!("{} takes one value", self.name),
        })
    }
}

impl Set {
    fn lists(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(values, &DataType::Utf8)?;
        let mut out = ListBuilder::new(StringBuilder::new());
        for text in texts.as_string::<i32>() {
            if let Some(text) = text {
                self.check(kind(text))?;
                self.append(text, out.values())?;
            }
            out.append(text.is_some());
        }
        Ok(Arc::new(out.finish()))
    }

    fn append(&self, text: &str, out: &mut StringBuilder) -> Result<(), Error> {
        match self.of {
            Of::Elements => elements(text).for_each(|element| out.append_value(element)),
            Of::Objects => {
                for element in elements(text) {
                    if kind(element) != Kind::Object {
                        let name = self.name.trim_start_matches("lakegate_");
                        let message = format!("argument of {name} must be an array of objects");
                        return Err(Error::InvalidParameter(message));
                    }
                    out.append_value(element);
                }
            }
            Of::TextElements => {
                for element in elements(text) {
                    out.append_option(as_text(element)?);
                }
            }
            Of::Keys => {
                for (key, _) in members(text) {
                    out.append_value(unescape(key)?);
                }
            }
            Of::Values => members(text).for_each(|(_, value)| out.append_value(value)),
            Of::TextValues => {
                for (_, value) in members(text) {
                    out.append_option(as_text(value)?);
                }
            }
        }
        Ok(())
    }

    /// 22023 for a value without such parts, in the words of the function.
    fn check(&self, kind: Kind) -> Result<(), Error> {
        let name = self.name.trim_start_matches("lakegate_");
        let name = name.trim_end_matches("_key").trim_end_matches("_value");
        let is_array = matches!(self.of, Of::Elements | Of::Objects | Of::TextElements);
        let jsonb = name.starts_with("jsonb");
        let message = match (kind, is_array) {
            (Kind::Array, true) | (Kind::Object, false) => return Ok(()),
            (Kind::Object, true) if name.ends_with("recordset") => format!("cannot call {name} on an object"),
            (_, true) if name.ends_with("recordset") => format!("cannot call {name} on a scalar"),
            (Kind::Object, true) if jsonb => "cannot extract elements from an object".to_owned(),
            (_, true) if jsonb => "cannot extract elements from a scalar".to_owned(),
            (Kind::Object, true) => format!("cannot call {name} on a non-array"),
            (_, true) => format!("cannot call {name} on a scalar"),
            (Kind::Array, false) if name.ends_with("object_keys") => format!("cannot call {name} on an array"),
            (_, false) if name.ends_with("object_keys") => format!("cannot call {name} on a scalar"),
            (_, false) if jsonb => format!("cannot call {name} on a non-object"),
            (Kind::Array, false) => "cannot deconstruct an array as an object".to_owned(),
            (_, false) => "cannot deconstruct a scalar".to_owned(),
        };
        Err(Error::InvalidParameter(message))
    }
}
