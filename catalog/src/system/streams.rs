//! `system.streams`: the topics that go to tables, where each of them runs, and how far it has come.
//!
//! `state` is `running`, `starting`, `unreachable` where no broker answers, `paused`, `failed` where it has stopped for
//! `last_error` and tries again later, and `elsewhere` where another server runs it: of such a stream only what its definition says is
//! known here. `lag` is how many records of the topic are not in the table; rows, rejects and the other counters are those since this server
//! runs it.

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
pub(crate) struct Streams;

#[async_trait]
impl Relation for Streams {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "streams"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for fact in view.server.streams.get() {
            let partitions = fact.partitions.len() as u64;
            rows.push([
                ("schema", (&fact.name.schema).into()),
                ("name", (&fact.name.name).into()),
                ("table", (&fact.table.name).into()),
                ("topic", (&fact.topic).into()),
                ("state", fact.state.text().into()),
                ("partitions", Some(partitions).filter(|partitions| *partitions > 0).and_then(count).into()),
                ("lag", fact.lag().into()),
                ("rows", count(fact.rows).into()),
                ("rejects", count(fact.rejects).into()),
                ("unknown_fields", count(fact.unknown_fields).into()),
                ("lost", count(fact.lost).into()),
                ("commits", count(fact.commits).into()),
                ("started_at", fact.started_at.into()),
                ("last_commit", fact.committed_at.into()),
                ("version", fact.version.and_then(count).into()),
                ("last_error", fact.error.clone().into()),
            ]);
        }
        rows.finish()
    }
}
