//! `coalesce(...)`, `greatest(...)`, `least(...)`, `nullif(a, b)`: DataFusion's, which take a literal beside arrays,
//! moments, truth values and bytes too.
//!
//! A text beside one of those is read as one of them, as PostgreSQL reads a literal of unknown type; what it becomes is
//! decided where types are settled. NULL only if all are, but for `nullif`.
//! <https://www.postgresql.org/docs/16/functions-conditional.html#FUNCTIONS-COALESCE-NVL-IFNULL>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The functions.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    use datafusion::functions::core;
    [core::coalesce(), core::greatest(), core::least(), core::nullif()].into_iter().map(lenient).collect()
}

fn lenient(inner: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Alternatives {
        inner,
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

/// The types of alternatives: a text among those that texts are read as is one of them.
fn with_texts_read(given: &[DataType]) -> Vec<DataType> {
    let reads_texts = |of: &&DataType| {
        of.is_temporal()
            || matches!(of, DataType::List(_) | DataType::Boolean | DataType::Binary | DataType::BinaryView)
    };
    match given.iter().find(reads_texts) {
        Some(to) => given.iter().map(|of| if of.is_string() { to.clone() } else { of.clone() }).collect(),
        None => given.to_vec(),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Alternatives {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for Alternatives {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let known = with_texts_read(given);
        let field = |of: DataType| Arc::new(Field::new("x", of, true));
        let fields: Vec<FieldRef> = known.into_iter().map(field).collect();
        let coerced = fields_with_udf(&fields, self.inner.as_ref())?;
        Ok(coerced.iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(given)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.inner().return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.inner().invoke_with_args(args)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.inner().simplify(args, info)
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.inner().conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        self.inner.inner().short_circuits()
    }
}
