//! `system.matview_progress`: the refreshes that this server is at.
//!
//! `files_done` of `files_total` files have given all of their rows, of `bytes_read` bytes; a query whose rows do not follow its files
//! is done with all of them at once, at its end, and only `rows_written` tells how far it is. `epoch` is known once it has the
//! right to refresh.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use super::matview_status::count;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;

#[derive(Debug)]
pub(crate) struct MatviewProgress;

#[async_trait]
impl Relation for MatviewProgress {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "matview_progress"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let facts = view.server.matviews.get();
        for (fact, running) in facts.iter().filter_map(|fact| Some((fact, fact.running.as_ref()?))) {
            let [files_done, files_total, bytes_read, rows_written] = running.counts();
            rows.push([
                ("schema", (&fact.name.schema).into()),
                ("name", (&fact.name.name).into()),
                ("epoch", running.epoch().and_then(count).into()),
                ("phase", running.phase().into()),
                ("files_total", count(files_total).into()),
                ("files_done", count(files_done).into()),
                ("bytes_read", count(bytes_read).into()),
                ("rows_written", count(rows_written).into()),
                ("started_at", running.started_at.into()),
            ]);
        }
        rows.finish()
    }
}
