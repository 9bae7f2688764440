//! `system.skipped_files`: objects of the lake that are in no table, and why.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;

#[derive(Debug)]
pub(crate) struct SkippedFiles;

#[async_trait]
impl Relation for SkippedFiles {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "skipped_files"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for file in view.snapshot.skipped_files() {
            let (schema, table) = file.table.unzip();
            rows.push([
                ("source", file.source.into()),
                ("key", file.key.into()),
                ("schema", schema.into()),
                ("table", table.into()),
                ("reason", file.reason.into()),
            ]);
        }
        rows.finish()
    }
}
