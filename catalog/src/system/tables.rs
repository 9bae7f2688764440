//! `system.tables`: the tables and views of the lake, with their sizes. The rows are those that the files tell without being read.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use super::manifest::{self, bytes};
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;

#[derive(Debug)]
pub(crate) struct Tables;

#[async_trait]
impl Relation for Tables {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "tables"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for table in view.snapshot.tables() {
            let files = manifest::files(table);
            rows.push([
                ("schema", (&table.schema).into()),
                ("name", (&table.name).into()),
                ("kind", manifest::kind(table).into()),
                ("format", manifest::format(table).into()),
                ("files", i64::try_from(files.len()).unwrap_or(i64::MAX).into()),
                ("bytes", bytes(table).into()),
                ("newest_at", files.iter().map(|file| file.modified_at).max().into()),
                ("rows", manifest::rows(table).into()),
            ]);
        }
        rows.finish()
    }
}
