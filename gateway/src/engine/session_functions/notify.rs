//! `pg_notify(channel, payload)`: NOTIFY whose channel is a value. It is sent when its statement, or its block, has ended well.
//!
//! <https://www.postgresql.org/docs/15/sql-notify.html>

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use udfs::pg_type;

use crate::session::{Session, channels};

struct PgNotify {
    session: Arc<Session>,
    signature: Signature,
}

/// A channel that is NULL, empty or over 63 bytes and a payload over 7,999 are 22023; a payload that is NULL is empty.
pub(super) fn udf(session: &Arc<Session>) -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Volatile);
    ScalarUDF::new_from_impl(PgNotify { session: Arc::clone(session), signature })
}

impl ScalarUDFImpl for PgNotify {
    fn name(&self) -> &str {
        "pg_notify"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        let void: Field = pg_type::tagged("pg_notify", DataType::Utf8, "void");
        Ok(Arc::new(void))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let texts = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = texts.iter().map(|array| cast(array, &DataType::Utf8)).collect::<Result<Vec<_>, _>>()?;
        let text = |column: usize, row: usize| {
            let array = texts.get(column)?.as_string_opt::<i32>()?;
            // Arguments that are all constants are of one row.
            let row = if array.len() == 1 { 0 } else { row };
            array.is_valid(row).then(|| array.value(row))
        };
        for row in 0..rows {
            channels::notify(&self.session, text(0, row).unwrap_or_default(), text(1, row).unwrap_or_default())
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
        }
        Ok(ColumnarValue::Array(Arc::new(StringArray::from(vec![""; rows]))))
    }
}

impl fmt::Debug for PgNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pg_notify")
    }
}

impl PartialEq for PgNotify {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.session, &other.session)
    }
}

impl Eq for PgNotify {}

impl Hash for PgNotify {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "pg_notify".hash(state);
    }
}
