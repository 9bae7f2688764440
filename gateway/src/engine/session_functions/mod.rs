//! SQL functions whose answer depends on the session: who, where, when, which setting.
//!
//! Owns: functions that must never fold into a plan of another session, so each statement gets its own.

mod current_schemas;
mod fact;
mod notify;
mod pg_sleep;
mod reload;
mod setting;
mod signals;
mod transactions;

use std::sync::Arc;

use catalog::pg_catalog::View;
use datafusion::logical_expr::ScalarUDF;

use crate::session::{Registry, Session};

/// The function of this name, for one statement.
pub(super) fn find(
    name: &str,
    session: &Arc<Session>,
    registry: &Arc<Registry>,
    view: &Arc<View>,
) -> Option<Arc<ScalarUDF>> {
    let function = match name {
        "current_schemas" => current_schemas::udf(view),
        "current_setting" => setting::current_setting(session),
        "set_config" => setting::set_config(session),
        "age" => transactions::age(view),
        "pg_cancel_backend" => signals::cancel(session, registry),
        "pg_terminate_backend" => signals::terminate(session, registry),
        "pg_notify" => notify::udf(session),
        "pg_sleep" => pg_sleep::udf(),
        "pg_reload_conf" => reload::udf(session, registry),
        _ => fact::find(name, session, view)?,
    };
    Some(Arc::new(function))
}
