//! `pg_reload_conf()`: the roles file is read now.
//!
//! Unlike PostgreSQL's it waits, and tells whether the file is in force: `false` leaves what was.
//! <https://www.postgresql.org/docs/16/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL>

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, SqlState};
use crate::session::{Registry, Session};

struct Reload {
    session: Arc<Session>,
    registry: Arc<Registry>,
    signature: Signature,
}

pub(super) fn udf(session: &Arc<Session>, registry: &Arc<Registry>) -> ScalarUDF {
    let signature = Signature::nullary(Volatility::Volatile);
    ScalarUDF::new_from_impl(Reload { session: Arc::clone(session), registry: Arc::clone(registry), signature })
}

impl ScalarUDFImpl for Reload {
    fn name(&self) -> &'static str {
        "pg_reload_conf"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if !self.session.role.superuser {
            let message = "permission denied for function pg_reload_conf";
            let error = Error::new(SqlState::InsufficientPrivilege, message);
            return Err(DataFusionError::External(Box::new(error)));
        }
        Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(self.registry.reload()))))
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pg_reload_conf")
    }
}

impl PartialEq for Reload {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.session, &other.session)
    }
}

impl Eq for Reload {}

impl Hash for Reload {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "pg_reload_conf".hash(state);
    }
}
