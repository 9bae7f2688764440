//! `pg_sleep(seconds)`: waits without a thread, so that cancel and `statement_timeout` end it at once.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use async_trait::async_trait;
use datafusion::common::{Result, not_impl_err};
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use udfs::pg_type;

/// A day: longer sleeps are a mistake.
const SECONDS_MAX: f64 = 86_400.0;

#[derive(Debug, PartialEq, Eq, Hash)]
struct PgSleep {
    signature: Signature,
}

pub(super) fn udf() -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Float64], Volatility::Volatile);
    AsyncScalarUDF::new(Arc::new(PgSleep { signature })).into_scalar_udf()
}

impl ScalarUDFImpl for PgSleep {
    fn name(&self) -> &str {
        "pg_sleep"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        let void: Field = pg_type::tagged("pg_sleep", DataType::Utf8, "void");
        Ok(Arc::new(void))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        not_impl_err!("pg_sleep runs only where it can wait")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for PgSleep {
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let Some(seconds) = args.args.first() {
            let seconds = seconds.to_array(args.number_rows)?;
            let seconds = seconds.as_primitive::<Float64Type>();
            let total: f64 =
                (0..seconds.len()).filter(|row| seconds.is_valid(*row)).map(|row| seconds.value(row)).sum();
            if total > 0.0 {
                tokio::time::sleep(Duration::from_secs_f64(total.min(SECONDS_MAX))).await;
            }
        }
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(String::new()))))
    }
}
