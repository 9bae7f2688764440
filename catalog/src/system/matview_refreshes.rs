//! `system.matview_refreshes`: what refreshes of materialized views did, the newest last; of each view the last hundred. Those
//! that found every file as it was count as one.
//!
//! The numbers of objects are those of all tables of the query, `bytes_read` is the size of the files that were read, and
//! `reason` says why all was read, or what failed.

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
pub(crate) struct MatviewRefreshes;

#[async_trait]
impl Relation for MatviewRefreshes {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "matview_refreshes"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let facts = view.server.matviews.get();
        for (fact, attempt) in facts.iter().flat_map(|fact| fact.attempts.iter().map(move |attempt| (fact, attempt))) {
            rows.push([
                ("schema", (&fact.name.schema).into()),
                ("name", (&fact.name.name).into()),
                ("epoch", Some(attempt.epoch).filter(|epoch| *epoch > 0).and_then(count).into()),
                ("started_at", attempt.started_at.into()),
                ("ended_at", attempt.ended_at.into()),
                ("outcome", attempt.outcome.text().into()),
                ("class", attempt.class.clone().into()),
                ("reason", attempt.reason.clone().into()),
                ("objects_added", count(attempt.objects_added).into()),
                ("objects_changed", count(attempt.objects_changed).into()),
                ("objects_removed", count(attempt.objects_removed).into()),
                ("bytes_read", count(attempt.bytes_read).into()),
                ("rows_written", count(attempt.rows_written).into()),
                ("files_written", count(attempt.files_written).into()),
                ("files_removed", count(attempt.files_removed).into()),
                ("version", attempt.version.and_then(count).into()),
                ("asked_by", (&attempt.asked_by).into()),
                ("replica", (&attempt.replica).into()),
            ]);
        }
        rows.finish()
    }
}
