//! `system.objects`: every object of the lake that is part of a table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use super::manifest;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;

#[derive(Debug)]
pub(crate) struct Objects;

#[async_trait]
impl Relation for Objects {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "objects"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for table in view.snapshot.tables() {
            for object in manifest::objects(table) {
                rows.push([
                    ("schema", (&table.schema).into()),
                    ("table", (&table.name).into()),
                    ("source", object.source.into()),
                    ("key", object.key.into()),
                    ("bytes", object.bytes.into()),
                    ("etag", object.etag.into()),
                    ("modified_at", object.modified_at.into()),
                    ("partitions", object.partitions.into()),
                    ("rows", object.rows.into()),
                ]);
            }
        }
        rows.finish()
    }
}
