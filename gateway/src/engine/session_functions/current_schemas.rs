//! `current_schemas(include_implicit)`: the schemas of the search path that exist, as `name[]`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, FieldRef};
use catalog::pg_catalog::View;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use udfs::pg_type;

#[derive(Debug)]
struct CurrentSchemas {
    search_path: Vec<String>,
    signature: Signature,
}

pub(super) fn udf(view: &Arc<View>) -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Boolean], Volatility::Stable);
    ScalarUDF::new_from_impl(CurrentSchemas { search_path: view.search_path.clone(), signature })
}

impl CurrentSchemas {
    fn list(&self, include_implicit: bool) -> ScalarValue {
        let implicit = include_implicit && !self.search_path.iter().any(|schema| schema == "pg_catalog");
        let schemas: Vec<ScalarValue> = implicit
            .then_some("pg_catalog")
            .into_iter()
            .chain(self.search_path.iter().map(String::as_str))
            .map(ScalarValue::from)
            .collect();
        ScalarValue::List(ScalarValue::new_list_nullable(&schemas, &DataType::Utf8))
    }
}

impl ScalarUDFImpl for CurrentSchemas {
    fn name(&self) -> &str {
        "current_schemas"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Utf8, true))
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        let list: Field = pg_type::tagged("current_schemas", DataType::new_list(DataType::Utf8, true), "_name");
        Ok(Arc::new(list))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.first() {
            Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(include)))) => {
                Ok(ColumnarValue::Scalar(self.list(*include)))
            }
            Some(ColumnarValue::Array(flags)) => {
                let lists = flags.as_boolean().iter().map(|flag| self.list(flag.unwrap_or(false)));
                Ok(ColumnarValue::Array(ScalarValue::iter_to_array(lists)?))
            }
            _ => Ok(ColumnarValue::Scalar(ScalarValue::try_from(&DataType::new_list(DataType::Utf8, true))?)),
        }
    }
}

impl PartialEq for CurrentSchemas {
    fn eq(&self, other: &Self) -> bool {
        self.search_path == other.search_path
    }
}

impl Eq for CurrentSchemas {}

impl Hash for CurrentSchemas {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.search_path.hash(state);
    }
}
