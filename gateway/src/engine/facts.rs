//! What the catalog relations tell of the server itself: roles, settings, who is connected.

use std::sync::Arc;
use std::time::SystemTime;

use catalog::Snapshot;
use catalog::pg_catalog::{ActivityFact, RoleFact, ServerFacts, SettingFact};
use chrono::{DateTime, Utc};

use crate::session::vars::domain::Domain;
use crate::session::vars::{Context, Variable};
use crate::session::{Registry, Session};

/// The facts at this moment, as one session may see them.
pub(super) fn now(session: &Session, registry: &Registry, roles: &[RoleFact], started_at: SystemTime) -> ServerFacts {
    ServerFacts {
        roles: with_user(session, roles),
        settings: settings(session),
        activity: registry.living().iter().map(|living| activity(session, living)).collect(),
        started_at: started_at.into(),
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
        });
    }
    roles
}

fn settings(session: &Session) -> Vec<SettingFact> {
    let vars = session.vars();
    vars.all().map(|(variable, setting)| setting_fact(variable, setting, vars.reset_value(variable))).collect()
}

fn setting_fact(variable: &'static Variable, setting: &str, reset: &str) -> SettingFact {
    let (min, max, words) = match variable.domain {
        Domain::Integer(min, max) => (Some(min.to_string()), Some(max.to_string()), None),
        Domain::Enum(words) => (None, None, Some(words.iter().map(|word| (*word).to_owned()).collect())),
        _ => (None, None, None),
    };
    SettingFact {
        name: variable.name.to_owned(),
        setting: setting.to_owned(),
        unit: None,
        category: "Client Connection Defaults".to_owned(),
        short_desc: variable.description.to_owned(),
        context: if variable.context == Context::Internal { "internal" } else { "user" }.to_owned(),
        vartype: variable.domain.vartype().to_owned(),
        source: if setting == variable.default { "default" } else { "session" }.to_owned(),
        min_val: min,
        max_val: max,
        enumvals: words,
        boot_val: Some(variable.default.to_owned()),
        reset_val: Some(reset.to_owned()),
    }
}

/// Statements of others are for superusers, as in PostgreSQL.
fn activity(viewer: &Session, living: &Arc<Session>) -> ActivityFact {
    let activity = living.activity().clone();
    let may_read = viewer.role.superuser || viewer.user() == living.user();
    let transaction = living.transaction();
    let state = match (activity.running, transaction.is_in_block()) {
        (true, _) => "active",
        (false, true) => "idle in transaction",
        (false, false) => "idle",
    };
    ActivityFact {
        pid: living.id,
        database: living.database.clone(),
        user: living.user().to_owned(),
        application_name: living.vars().get("application_name").unwrap_or_default(),
        client_addr: living.client.map(|client| client.ip().to_string()),
        client_port: living.client.map(|client| i32::from(client.port())),
        backend_start: Some(utc(living.started_at)),
        xact_start: transaction.began_at,
        query_start: Some(utc(activity.statement_began_at)),
        state_change: Some(utc(activity.changed_at)),
        state: Some(state.to_owned()),
        query: if may_read { activity.statement.to_string() } else { "<insufficient privilege>".to_owned() },
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
