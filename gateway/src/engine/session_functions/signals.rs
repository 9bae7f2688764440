//! `pg_cancel_backend(pid)` and `pg_terminate_backend(pid [, timeout])`: what one session does to another.
//!
//! A session may end its own user's statements and sessions, a superuser everybody's but not another superuser's through
//! a user who is none. <https://www.postgresql.org/docs/16/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL>

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, SqlState};
use crate::session::{Notice, Registry, Session, SessionEffect};

struct Signal {
    name: &'static str,
    session: Arc<Session>,
    registry: Arc<Registry>,
    signature: Signature,
    send: fn(&Session),
    verb: &'static str,
}

pub(super) fn cancel(session: &Arc<Session>, registry: &Arc<Registry>) -> ScalarUDF {
    udf("pg_cancel_backend", "cancel", session, registry, |target| target.cancel())
}

pub(super) fn terminate(session: &Arc<Session>, registry: &Arc<Registry>) -> ScalarUDF {
    udf("pg_terminate_backend", "terminate", session, registry, |target| target.terminate())
}

fn udf(
    name: &'static str,
    verb: &'static str,
    session: &Arc<Session>,
    registry: &Arc<Registry>,
    send: fn(&Session),
) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Volatile);
    let (session, registry) = (Arc::clone(session), Arc::clone(registry));
    ScalarUDF::new_from_impl(Signal { name, session, registry, signature, send, verb })
}

impl Signal {
    fn signal(&self, pid: i32) -> crate::error::Result<bool> {
        let Some(target) = self.registry.living().into_iter().find(|living| living.id == pid) else {
            let message = format!("PID {pid} is not a PostgreSQL backend process");
            self.session.push_effect(SessionEffect::Notice(Notice::warning(SqlState::Warning, message)))?;
            return Ok(false);
        };
        let denied = |detail: &str| {
            let what = if self.verb == "cancel" { "cancel query" } else { "terminate process" };
            Err(Error::new(SqlState::InsufficientPrivilege, format!("permission denied to {what}")).detail(detail))
        };
        if !self.session.role.superuser && target.role.superuser {
            return denied(
                "Only roles with the SUPERUSER attribute may do this to roles with the SUPERUSER attribute.",
            );
        }
        if !self.session.role.superuser && target.user() != self.session.user() {
            return denied("Only the same role or a superuser may do this.");
        }
        (self.send)(&target);
        Ok(true)
    }
}

impl ScalarUDFImpl for Signal {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let most = if self.verb == "cancel" { 1 } else { 2 };
        let are_numbers = given.iter().all(|of| of.is_integer() || of.is_null());
        if given.is_empty() || given.len() > most || !are_numbers {
            return plan_err!("function {} does not take these arguments", self.name);
        }
        Ok([DataType::Int32, DataType::Int64].into_iter().take(given.len()).collect())
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(pids) = args.args.first() else { return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(None))) };
        let is_scalar = matches!(pids, ColumnarValue::Scalar(_));
        let pids = cast(&pids.to_array(if is_scalar { 1 } else { args.number_rows })?, &DataType::Int32)?;
        let signaled = pids.as_primitive::<Int32Type>().iter().map(|pid| pid.map(|pid| self.signal(pid)).transpose());
        let signaled = signaled
            .collect::<crate::error::Result<BooleanArray>>()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        match is_scalar {
            true => {
                let value = (signaled.is_valid(0)).then(|| signaled.value(0));
                Ok(ColumnarValue::Scalar(ScalarValue::Boolean(value)))
            }
            false => Ok(ColumnarValue::Array(Arc::new(signaled))),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Signal {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.session, &other.session)
    }
}

impl Eq for Signal {}

impl Hash for Signal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
