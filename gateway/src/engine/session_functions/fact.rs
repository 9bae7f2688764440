//! Functions without arguments: one fact of the session or the server each. A new one is one line in `FACTS`.

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

/// What a fact is: its type, the tag of that, and how it is read.
struct Told {
    data_type: DataType,
    tag: Option<&'static str>,
    value: Value,
}

type Tell = fn(&Arc<Session>, &Arc<View>) -> Told;

/// All facts, by name.
const FACTS: &[(&str, Tell)] = &[
    ("version", |_, _| told(DataType::Utf8, None, text(version()))),
    ("current_database", |session, _| name(&session.database)),
    ("current_catalog", |session, _| name(&session.database)),
    ("current_user", |session, _| name(session.user())),
    ("session_user", |session, _| name(session.user())),
    ("current_role", |session, _| name(session.user())),
    ("user", |session, _| name(session.user())),
    ("current_schema", |_, view| {
        told(DataType::Utf8, Some("name"), constant(ScalarValue::Utf8(view.search_path.first().cloned())))
    }),
    ("pg_backend_pid", |session, _| told(DataType::Int32, None, constant(ScalarValue::Int32(Some(session.id))))),
    ("pg_postmaster_start_time", |_, view| told(timestamptz(), None, constant(instant(view.server.started_at)))),
    ("pg_conf_load_time", |_, view| told(timestamptz(), None, constant(instant(view.server.started_at)))),
    ("clock_timestamp", |session, _| told(zoned(session), None, clock(session))),
    ("now", |session, _| told(zoned(session), None, began_at(session))),
    ("current_timestamp", |session, _| told(zoned(session), None, began_at(session))),
    ("transaction_timestamp", |session, _| told(zoned(session), None, began_at(session))),
    ("statement_timestamp", |session, _| told(zoned(session), None, statement_began_at(session))),
    ("pg_is_in_recovery", |_, _| told(DataType::Boolean, None, constant(ScalarValue::Boolean(Some(false))))),
    ("pg_my_temp_schema", |_, _| told(DataType::UInt32, Some("oid"), constant(ScalarValue::UInt32(Some(0))))),
    // Nothing is locked and nothing is written: these answer what PostgreSQL answers then.
    ("pg_advisory_unlock_all", |_, _| told(DataType::Utf8, Some("void"), text(String::new()))),
    ("txid_current", |_, view| {
        told(DataType::Int64, None, constant(ScalarValue::Int64(Some(current_transaction(view).into()))))
    }),
    ("pg_current_xact_id", |_, view| {
        told(DataType::UInt64, Some("xid8"), constant(ScalarValue::UInt64(Some(current_transaction(view).into()))))
    }),
    ("txid_current_if_assigned", |_, _| told(DataType::Int64, None, constant(ScalarValue::Int64(None)))),
    ("pg_current_xact_id_if_assigned", |_, _| {
        told(DataType::UInt64, Some("xid8"), constant(ScalarValue::UInt64(None)))
    }),
    ("inet_server_addr", |_, _| told(DataType::Utf8, Some("inet"), constant(ScalarValue::Utf8(None)))),
    ("inet_server_port", |_, _| told(DataType::Int32, None, constant(ScalarValue::Int32(None)))),
    ("inet_client_addr", |session, _| {
        let address = session.client.map(|client| client.ip().to_string());
        told(DataType::Utf8, Some("inet"), constant(ScalarValue::Utf8(address)))
    }),
    ("inet_client_port", |session, _| {
        let port = session.client.map(|client| i32::from(client.port()));
        told(DataType::Int32, None, constant(ScalarValue::Int32(port)))
    }),
];

/// The fact of this name.
pub(super) fn find(name: &str, session: &Arc<Session>, view: &Arc<View>) -> Option<ScalarUDF> {
    let (name, tell) = FACTS.iter().find(|(known, _)| *known == name)?;
    let Told { data_type, tag, value } = tell(session, view);
    let field = match tag {
        Some(tag) => pg_type::tagged(*name, data_type, tag),
        None => Field::new(*name, data_type, true),
    };
    let signature = Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::Exact(vec![])], Volatility::Stable);
    Some(ScalarUDF::new_from_impl(Fact { name, field, signature, value }))
}

fn told(data_type: DataType, tag: Option<&'static str>, value: Value) -> Told {
    Told { data_type, tag, value }
}

fn name(value: &str) -> Told {
    told(DataType::Utf8, Some("name"), text(value.to_owned()))
}

fn constant(value: ScalarValue) -> Value {
    Arc::new(move || value.clone())
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
        let at = began_at.unwrap_or_else(|| session.activity().began_at().into());
        instant_in(at, Arc::clone(&zone))
    })
}

fn statement_began_at(session: &Arc<Session>) -> Value {
    let (session, zone) = (Arc::clone(session), zone(session));
    Arc::new(move || instant_in(session.activity().began_at().into(), Arc::clone(&zone)))
}

fn text(value: String) -> Value {
    constant(ScalarValue::Utf8(Some(value)))
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
