//! SQL functions whose answer depends on the session: who, where, when, which setting.
//!
//! Owns: functions that must never fold into a plan of another session, so each statement gets its own.

mod current_schemas;
mod fact;
mod pg_sleep;
mod setting;
mod signals;
mod transactions;

use std::collections::HashMap;
use std::sync::Arc;

use catalog::pg_catalog::View;
use datafusion::logical_expr::ScalarUDF;

use crate::session::{Registry, Session};

/// All of them, by name.
pub(super) fn all(
    session: &Arc<Session>,
    registry: &Arc<Registry>,
    view: &Arc<View>,
) -> HashMap<&'static str, Arc<ScalarUDF>> {
    let mut functions = fact::all(session, view);
    functions.push(("current_schemas", current_schemas::udf(view)));
    functions.push(("current_setting", setting::current_setting(session)));
    functions.push(("set_config", setting::set_config(session)));
    functions.push(("age", transactions::age(view)));
    functions.push(("pg_cancel_backend", signals::cancel(session, registry)));
    functions.push(("pg_terminate_backend", signals::terminate(session, registry)));
    functions.push(("pg_sleep", pg_sleep::udf()));
    functions.into_iter().map(|(name, udf)| (name, Arc::new(udf))).collect()
}
