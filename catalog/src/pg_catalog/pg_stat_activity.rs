//! `pg_stat_activity`: the sessions of the server.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::directory::DATABASE;
use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgStatActivity;

#[async_trait]
impl Relation for PgStatActivity {
    fn name(&self) -> &'static str {
        "pg_stat_activity"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for fact in &view.server.activity.get() {
            rows.push([
                ("datid", DATABASE.into()),
                ("datname", (&fact.database).into()),
                ("pid", fact.pid.into()),
                ("usesysid", roles::by_name(view, &fact.user).map(|role| role.oid).into()),
                ("usename", (&fact.user).into()),
                ("application_name", (&fact.application_name).into()),
                ("client_addr", fact.client_addr.as_ref().into()),
                ("client_port", fact.client_port.into()),
                ("backend_start", fact.backend_start.into()),
                ("xact_start", fact.xact_start.into()),
                ("query_start", fact.query_start.into()),
                ("state_change", fact.state_change.into()),
                ("wait_event_type", fact.wait_event_type.as_ref().into()),
                ("wait_event", fact.wait_event.as_ref().into()),
                ("state", fact.state.as_ref().into()),
                ("query", (&fact.query).into()),
                ("backend_type", fact.backend_type.as_ref().into()),
            ]);
        }
        rows.finish()
    }
}
