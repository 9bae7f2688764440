//! What the catalog relations tell of the server itself: roles, settings, who is connected.

use std::sync::Arc;
use std::time::SystemTime;

use arrow::datatypes::FieldRef;
use catalog::pg_catalog::{
    ActivityFact, CursorFact, Lazily, PreparedFact, RoleFact, ServerFacts, SettingFact, pg_type_of,
};
use catalog::{Access, Snapshot};
use chrono::{DateTime, Utc};

use super::Cursor;
use super::cursor::Scroll;
use super::matview::Matviews;
use super::query_log::QueryLog;
use super::streams::Streams;
use crate::session::transaction::Status;
use crate::session::vars::domain::Unit;
use crate::session::vars::list::NO_EFFECT;
use crate::session::vars::{Context, Setting, Variable, postgresql};
use crate::session::{NamedStatement, Protocol, Registry, Session};

/// The facts at this moment, as one session may see them.
pub(super) fn now(
    session: &Arc<Session>,
    registry: &Arc<Registry>,
    (roles, started_at): (&[RoleFact], SystemTime),
    Kept { access, log, matviews, streams, snapshot }: Kept,
) -> ServerFacts {
    let (viewer, of_settings, registry) = (Arc::clone(session), Arc::clone(session), Arc::clone(registry));
    let (of_prepared, of_cursors, of_queries) = (Arc::clone(session), Arc::clone(session), Arc::clone(session));
    let (running, of_streams) = (Arc::clone(&log), Arc::clone(&snapshot));
    ServerFacts {
        roles: with_user(session, roles),
        access,
        settings: Lazily::new(move || settings(&of_settings)),
        activity: Lazily::new(move || {
            registry.living().iter().map(|living| activity(&viewer, living, &running)).collect()
        }),
        prepared: Lazily::new(move || of_prepared.statements().named().map(prepared).collect()),
        cursors: Lazily::new(move || of_cursors.cursors().values().map(|cursor| cursor_fact(cursor)).collect()),
        matviews: Lazily::new(move || matviews.facts(&snapshot)),
        streams: Lazily::new(move || streams.facts(&of_streams)),
        queries: Lazily::new(move || log.facts(&of_queries)),
        started_at: started_at.into(),
    }
}

/// What the engine keeps of rights, statements, materialized views and streams, and the lake that a statement sees.
pub(super) struct Kept {
    pub(super) access: Arc<Access>,
    pub(super) log: Arc<QueryLog>,
    pub(super) matviews: Arc<Matviews>,
    pub(super) streams: Arc<Streams>,
    pub(super) snapshot: Arc<Snapshot>,
}

fn prepared((name, statement): (&String, &NamedStatement)) -> PreparedFact {
    let of = statement.prepared.as_ref();
    let result = of.map(|prepared| &prepared.columns).filter(|columns| !columns.fields().is_empty());
    PreparedFact {
        name: name.clone(),
        statement: of.map(|prepared| prepared.statement.text.to_string()).unwrap_or_default(),
        prepared_at: Some(utc(statement.prepared_at)),
        parameter_types: of.map(|prepared| oids(prepared.param_types.iter())).unwrap_or_default(),
        result_types: result.map(|columns| oids(columns.fields().iter())),
        from_sql: statement.from_sql,
    }
}

fn oids<'a>(fields: impl Iterator<Item = &'a FieldRef>) -> Vec<u32> {
    fields.map(|field| pg_type_of(field).oid).collect()
}

fn cursor_fact(cursor: &Cursor) -> CursorFact {
    CursorFact {
        name: cursor.name.clone(),
        statement: cursor.statement.to_string(),
        is_holdable: cursor.options.hold,
        is_binary: cursor.options.binary,
        is_scrollable: cursor.options.scroll != Scroll::No,
        declared_at: Some(utc(cursor.declared_at)),
    }
}

/// A server without a roles file trusts its clients: the user of this session is then a role like any other.
fn with_user(session: &Session, roles: &[RoleFact]) -> Vec<RoleFact> {
    let mut roles = roles.to_vec();
    if !roles.iter().any(|role| role.name == session.user()) {
        roles.push(RoleFact {
            name: session.user().to_owned(),
            superuser: session.role.superuser,
            login: true,
            connection_limit: -1,
            member_of: Vec::new(),
        });
    }
    roles
}

fn settings(session: &Session) -> Vec<SettingFact> {
    let vars = session.vars();
    vars.all().map(|(told, variable, value)| setting_fact(told, variable, value, vars.reset_value(variable))).collect()
}

fn setting_fact(told: &Setting, variable: &Variable, value: &str, reset: &str) -> SettingFact {
    // SHOW prints in the handiest unit, the relation in the setting's own.
    let unit = told.unit.and_then(Unit::named);
    let in_unit = |value: &str| match unit.and_then(|unit| unit.parse(value)) {
        Some(count) => count.to_string(),
        None => value.to_owned(),
    };
    let source = match (value == variable.default, value == reset) {
        (true, _) => "default",
        (false, true) => "client",
        (false, false) => "session",
    };
    let is_ours = variable.context == Context::Internal && told.context == "user";
    let without_effect = variable.description == NO_EFFECT || postgresql::other(&variable.key()).is_some();
    let extra_desc = match (told.extra_desc, without_effect) {
        (Some(text), true) => Some(format!("{text} {NO_EFFECT}")),
        (Some(text), false) => Some(text.to_owned()),
        (None, true) => Some(NO_EFFECT.to_owned()),
        (None, false) => None,
    };
    SettingFact {
        name: told.name.to_owned(),
        setting: in_unit(value),
        unit: told.unit.map(str::to_owned),
        category: told.category.to_owned(),
        short_desc: told.short_desc.to_owned(),
        extra_desc,
        context: if is_ours { "internal" } else { told.context }.to_owned(),
        vartype: told.vartype.to_owned(),
        source: source.to_owned(),
        min_val: told.min_val.map(str::to_owned),
        max_val: told.max_val.map(str::to_owned),
        enumvals: told.enumvals.as_ref().map(|words| words.iter().map(|word| (*word).to_owned()).collect()),
        boot_val: Some(in_unit(variable.default)),
        reset_val: Some(in_unit(reset)),
    }
}

/// Of the sessions of others only a superuser is told more than whose they are, as in PostgreSQL.
/// <https://www.postgresql.org/docs/16/monitoring-stats.html#MONITORING-STATS-VIEWS>
fn activity(viewer: &Session, living: &Arc<Session>, log: &QueryLog) -> ActivityFact {
    let fact = ActivityFact {
        pid: living.id,
        database: living.database.clone(),
        user: living.user().to_owned(),
        application_name: living.vars().get("application_name").unwrap_or_default(),
        query: "<insufficient privilege>".to_owned(),
        ..ActivityFact::default()
    };
    if !viewer.may_see(living.user()) {
        return fact;
    }
    let mut activity = living.activity().clone();
    // Another protocol than PostgreSQL's runs statements side by side: the end of one is not that of the others.
    if living.protocol != Protocol::PostgreSql
        && let Some(entry) = log.running_of(living.id)
    {
        (activity.running, activity.statement) = (true, Arc::clone(&entry.text));
    }
    let (status, block_began_at) = {
        let transaction = living.transaction();
        (transaction.status, transaction.began_at)
    };
    let state = match (activity.running, status) {
        (true, _) => "active",
        (false, Status::InBlock) => "idle in transaction",
        (false, Status::Failed) => "idle in transaction (aborted)",
        (false, Status::Idle) => "idle",
    };
    let waits = match (activity.running, activity.queued) {
        (true, false) => None,
        (true, true) => Some(("Extension", "StatementQueue")),
        (false, _) => Some(("Client", "ClientRead")),
    };
    let began_at = activity.statement_began_at.map(utc);
    ActivityFact {
        client_addr: living.client.map(|client| client.ip().to_string()),
        client_port: living.client.map(|client| i32::from(client.port())),
        backend_start: Some(utc(living.started_at)),
        // A statement outside a block is a transaction of its own.
        xact_start: block_began_at.or(began_at.filter(|_| activity.running)),
        query_start: began_at,
        state_change: Some(utc(activity.changed_at)),
        wait_event_type: waits.map(|(kind, _)| kind.to_owned()),
        wait_event: waits.map(|(_, event)| event.to_owned()),
        state: Some(state.to_owned()),
        query: activity.statement.to_string(),
        backend_type: Some("client backend".to_owned()),
        ..fact
    }
}

fn utc(time: SystemTime) -> DateTime<Utc> {
    time.into()
}

/// The schemas of a search path that exist, as `current_schemas(false)` lists them. `public` always exists.
pub(super) fn existing(snapshot: &Snapshot, path: &[String]) -> Vec<String> {
    let exists = |schema: &String| {
        schema == "public"
            || snapshot.schemas.contains_key(schema)
            || ["pg_catalog", "information_schema", "system"].contains(&schema.as_str())
    };
    path.iter().filter(|schema| exists(schema)).cloned().collect()
}
