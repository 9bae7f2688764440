//! `system.queries`: the statements that run on this server, and the last that ran.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};

#[derive(Debug)]
pub(crate) struct Queries;

#[async_trait]
impl Relation for Queries {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "queries"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for fact in &view.server.queries.get() {
            rows.push([
                ("id", fact.id.into()),
                ("pid", fact.pid.into()),
                ("role", (&fact.role).into()),
                ("protocol", (&fact.protocol).into()),
                ("application_name", (&fact.application_name).into()),
                ("client_addr", fact.client_addr.as_ref().into()),
                ("query", fact.query.as_ref().into()),
                ("state", (&fact.state).into()),
                ("started_at", fact.started_at.into()),
                ("ended_at", fact.ended_at.into()),
                ("duration", Cell::Micros(fact.duration_us)),
                ("rows", fact.rows.into()),
                ("bytes_sent", fact.bytes_sent.into()),
                ("bytes_read", fact.bytes_read.into()),
                ("files_scanned", fact.files_scanned.into()),
                ("files_pruned", fact.files_pruned.into()),
                ("cache_hits", fact.cache_hits.into()),
                ("sqlstate", fact.sqlstate.as_ref().into()),
            ]);
        }
        rows.finish()
    }
}
