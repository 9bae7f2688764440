//! `system.schema_drift`: how the columns of each file differ from those of the file before it. It opens no file: a table is
//! told once it was opened, as in `system.csv_dialect`.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::format::drift::Change;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};
use crate::snapshot::Kind;

#[derive(Debug)]
pub(crate) struct SchemaDrift;

#[async_trait]
impl Relation for SchemaDrift {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "schema_drift"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for table in view.snapshot.tables() {
            let Kind::Lake(lake) = &table.kind else { continue };
            let Some(opened) = lake.opened() else { continue };
            for difference in &opened.drift.kept {
                let (before, now) = match &difference.change {
                    Change::Added | Change::Missing => (None, None),
                    Change::Renamed { before } => (Some(before.clone()), Some(difference.column.clone())),
                    Change::Moved { before, now } => (Some(before.to_string()), Some(now.to_string())),
                    Change::Retyped { before, now } => (Some((*before).to_owned()), Some((*now).to_owned())),
                };
                rows.push([
                    ("schema", (&table.schema).into()),
                    ("name", (&table.name).into()),
                    ("source", lake.root().into()),
                    ("key", difference.file.key().into()),
                    ("modified_at", difference.file.file.modified_at.into()),
                    ("column_name", (&difference.column).into()),
                    ("change", difference.change.name().into()),
                    ("before", before.into()),
                    ("now", now.into()),
                    ("table_differences", Cell::Int(i64::try_from(opened.drift.count).unwrap_or(i64::MAX))),
                ]);
            }
        }
        rows.finish()
    }
}
