//! `system.stream_partitions`: how far each stream that runs here has come in each partition of its topic.
//!
//! `offset` is the record that comes next into the table, as the log of the table says it; `end_offset` the one that comes next into
//! the topic, as the brokers said last.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;

#[derive(Debug)]
pub(crate) struct StreamPartitions;

#[async_trait]
impl Relation for StreamPartitions {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "stream_partitions"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for fact in view.server.streams.get() {
            for partition in &fact.partitions {
                rows.push([
                    ("schema", (&fact.name.schema).into()),
                    ("name", (&fact.name.name).into()),
                    ("table", (&fact.table.name).into()),
                    ("topic", (&fact.topic).into()),
                    ("partition", i64::from(partition.partition).into()),
                    ("offset", partition.offset.into()),
                    ("end_offset", partition.end.into()),
                    ("lag", partition.lag().into()),
                ]);
            }
        }
        rows.finish()
    }
}
