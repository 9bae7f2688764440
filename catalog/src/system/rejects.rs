//! `system.rejects`: records that a definition with `on_error 'skip'` leaves out, as far as queries have met them.
//! The first of each file are shown; `file_rejects` counts them all.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::format::Content;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};
use crate::snapshot::Kind;

#[derive(Debug)]
pub(crate) struct Rejects;

#[async_trait]
impl Relation for Rejects {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "rejects"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let int = |number: u64| Cell::Int(i64::try_from(number).unwrap_or(i64::MAX));
        for table in view.snapshot.tables() {
            let Kind::Lake(lake) = &table.kind else { continue };
            let Some(opened) = lake.opened() else { continue };
            let Content::Csv { plan, files, .. } = &opened.content else { continue };
            for (file, _) in files {
                let Some(rejects) = plan.rejects(file.key()) else { continue };
                let (count, kept) = rejects.found();
                for reject in &kept {
                    rows.push([
                        ("schema", (&table.schema).into()),
                        ("name", (&table.name).into()),
                        ("source", lake.root().into()),
                        ("key", file.key().into()),
                        ("line", int(reject.line)),
                        ("column_name", reject.column.as_deref().into()),
                        ("reason", (&reject.reason).into()),
                        ("text", (&reject.text).into()),
                        ("file_rejects", int(count)),
                    ]);
                }
            }
        }
        rows.finish()
    }
}
