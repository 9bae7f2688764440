//! `lakegate_tagged(x, type text)` - `x`, as a value of the PostgreSQL type of this name; of none where it is empty.
//!
//! The engine puts it around expressions whose type the planner forgets. Users never name it.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::pg_type;

/// The function.
pub fn tagged() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Tagged { signature: Signature::any(2, Volatility::Immutable) }))
}

/// The expression as a value of the type.
pub fn as_tagged(expr: Expr, pg_type: &str) -> Expr {
    tagged().call(vec![expr, lit(pg_type)])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Tagged {
    signature: Signature,
}

impl ScalarUDFImpl for Tagged {
    fn name(&self) -> &str {
        "lakegate_tagged"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (Some(field), Some(Some(ScalarValue::Utf8(Some(tag))))) =
            (args.arg_fields.first(), args.scalar_arguments.get(1))
        else {
            return exec_err!("a value and the name of its type");
        };
        let data_type = field.data_type().clone();
        let field = match tag.as_str() {
            "" => arrow::datatypes::Field::new(self.name(), data_type, true),
            tag => pg_type::tagged(self.name(), data_type, tag),
        };
        Ok(Arc::new(field.with_nullable(args.arg_fields.first().is_none_or(|field| field.is_nullable()))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.into_iter().next() {
            Some(value) => Ok(value),
            None => exec_err!("a value and the name of its type"),
        }
    }
}
