//! Functions without arguments: one fact of the session or the server each. A new one is one line in `all`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use catalog::pg_catalog::{View, current_transaction};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;
use udfs::pg_type;

use crate::session::Session;

type Value = Arc<dyn Fn() -> ScalarValue + Send + Sync>;

/// A function that takes nothing and reads its value when it runs.
struct Fact {
    name: &'static str,
    field: Field,
    signature: Signature,
    value: Value,
}

/// All facts, by name.
pub(super) fn all(session: &Arc<Session>, view: &Arc<View>) -> Vec<(&'static str, ScalarUDF)> {
    let name = |name: &'static str, value: String| fact(name, DataType::Utf8, Some("name"), text(value));
    let none = |name: &'static str, data_type: DataType, tag| {
        let value = ScalarValue::try_from(&data_type).unwrap_or(ScalarValue::Null);
        fact(name, data_type, tag, Arc::new(move || value.clone()))
    };
    let schema = view.search_path.first().cloned();
    let current = current_transaction(view);
    let id = session.id;
    let started_at = view.server.started_at;
    let client = session.client;
    vec![
        fact("version", DataType::Utf8, None, text(version())),
        name("current_database", session.database.clone()),
        name("current_catalog", session.database.clone()),
        name("current_user", session.user().to_owned()),
        name("session_user", session.user().to_owned()),
        name("current_role", session.user().to_owned()),
        name("user", session.user().to_owned()),
        fact("current_schema", DataType::Utf8, Some("name"), Arc::new(move || ScalarValue::Utf8(schema.clone()))),
        fact("pg_backend_pid", DataType::Int32, None, Arc::new(move || ScalarValue::Int32(Some(id)))),
        fact("pg_postmaster_start_time", timestamptz(), None, Arc::new(move || instant(started_at))),
        fact("pg_conf_load_time", timestamptz(), None, Arc::new(move || instant(started_at))),
        fact("clock_timestamp", zoned(session), None, clock(session)),
        fact("now", zoned(session), None, began_at(session)),
        fact("current_timestamp", zoned(session), None, began_at(session)),
        fact("transaction_timestamp", zoned(session), None, began_at(session)),
        fact("statement_timestamp", zoned(session), None, statement_began_at(session)),
        fact("pg_is_in_recovery", DataType::Boolean, None, Arc::new(|| ScalarValue::Boolean(Some(false)))),
        fact("pg_my_temp_schema", DataType::UInt32, Some("oid"), Arc::new(|| ScalarValue::UInt32(Some(0)))),
        // Nothing is locked and nothing is written: these answer what PostgreSQL answers then.
        fact("pg_advisory_unlock_all", DataType::Utf8, Some("void"), text(String::new())),
        fact("txid_current", DataType::Int64, None, Arc::new(move || ScalarValue::Int64(Some(current.into())))),
        fact(
            "pg_current_xact_id",
            DataType::UInt64,
            Some("xid8"),
            Arc::new(move || ScalarValue::UInt64(Some(current.into()))),
        ),
        none("txid_current_if_assigned", DataType::Int64, None),
        none("pg_current_xact_id_if_assigned", DataType::UInt64, Some("xid8")),
        none("inet_server_addr", DataType::Utf8, Some("inet")),
        none("inet_server_port", DataType::Int32, None),
        fact(
            "inet_client_addr",
            DataType::Utf8,
            Some("inet"),
            Arc::new(move || ScalarValue::Utf8(client.map(|client| client.ip().to_string()))),
        ),
        fact(
            "inet_client_port",
            DataType::Int32,
            None,
            Arc::new(move || ScalarValue::Int32(client.map(|client| i32::from(client.port())))),
        ),
    ]
}

/// Clients parse this text: `PostgreSQL MAJOR.MINOR` comes first (SQLAlchemy, asyncpg).
fn version() -> String {
    let default = crate::session::vars::list::find("server_version").map_or("16.6", |variable| variable.default);
    format!("PostgreSQL {default} (Lakegate {}) on {}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH)
}

fn timestamptz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// An instant in the session's zone, whose calendar `extract` and `date_trunc` then use.
fn zoned(session: &Session) -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(zone(session)))
}

fn zone(session: &Session) -> Arc<str> {
    session.vars().display().time_zone.name().into()
}

fn instant_in(at: chrono::DateTime<chrono::Utc>, zone: Arc<str>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some(zone))
}

fn clock(session: &Session) -> Value {
    let zone = zone(session);
    Arc::new(move || instant_in(chrono::Utc::now(), Arc::clone(&zone)))
}

fn instant(at: chrono::DateTime<chrono::Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into()))
}

fn began_at(session: &Arc<Session>) -> Value {
    let (session, zone) = (Arc::clone(session), zone(session));
    Arc::new(move || {
        let began_at = session.transaction().began_at;
        let at = began_at.unwrap_or_else(|| session.activity().statement_began_at.into());
        instant_in(at, Arc::clone(&zone))
    })
}

fn statement_began_at(session: &Arc<Session>) -> Value {
    let (session, zone) = (Arc::clone(session), zone(session));
    Arc::new(move || instant_in(session.activity().statement_began_at.into(), Arc::clone(&zone)))
}

fn text(value: String) -> Value {
    Arc::new(move || ScalarValue::Utf8(Some(value.clone())))
}

fn fact(name: &'static str, data_type: DataType, tag: Option<&str>, value: Value) -> (&'static str, ScalarUDF) {
    let field = match tag {
        Some(tag) => pg_type::tagged(name, data_type, tag),
        None => Field::new(name, data_type, true),
    };
    let signature = Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::Exact(vec![])], Volatility::Stable);
    (name, ScalarUDF::new_from_impl(Fact { name, field, signature, value }))
}

impl ScalarUDFImpl for Fact {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.field.data_type().clone())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(self.field.clone()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if !args.args.is_empty() {
            return exec_err!("function {} takes no argument", self.name);
        }
        Ok(ColumnarValue::Scalar((self.value)()))
    }
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fact({})", self.name)
    }
}

/// Two facts are the same function if they read the same value: plans compare functions.
impl PartialEq for Fact {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.value, &other.value)
    }
}

impl Eq for Fact {}

impl Hash for Fact {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
