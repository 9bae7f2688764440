//! `lakegate_type_name(x) -> text` - the name of an expression's type, for `pg_typeof`, which the engine rewrites to it.
//! <https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-INFO-CATALOG>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::function::pg_name;
use crate::pg_type;

/// The function.
pub fn type_name() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(TypeName { signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TypeName {
    signature: Signature,
}

impl ScalarUDFImpl for TypeName {
    fn name(&self) -> &str {
        "lakegate_type_name"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.arg_fields.first() {
            Some(field) => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(name(field))))),
            None => exec_err!("the type of nothing"),
        }
    }
}

fn name(field: &Field) -> String {
    match pg_type::tag(field) {
        Some("varchar") => "character varying".to_owned(),
        Some("bpchar") => "character".to_owned(),
        Some("char") => "\"char\"".to_owned(),
        // The OID names it to `regtype` as well as a name does.
        Some(tag) if pg_type::row_type(tag).is_some() => tag.trim_start_matches("row:").to_owned(),
        Some(tag) if !tag.starts_with("_row:") => match tag.strip_prefix('_') {
            Some(element) => format!("{element}[]"),
            None => tag.to_owned(),
        },
        _ => pg_name(field.data_type()),
    }
}
