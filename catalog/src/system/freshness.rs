//! `system.freshness`: how new the data of each table is, and when the lake was last looked at.
//!
//! `newest_key` and `newest_at` are those of the object that was written last, `lag` is how long ago that was. `listed_at` is
//! when the source of the table was last listed as a whole: what was uploaded before is in the snapshot. `newest_event` is the
//! greatest moment in the rows, of the column `event_column`, where the files tell it without being read: Parquet.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use chrono::Utc;
use datafusion::common::Result;

use super::SCHEMA;
use super::manifest;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};

#[derive(Debug)]
pub(crate) struct Freshness;

#[async_trait]
impl Relation for Freshness {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "freshness"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let (mut rows, now) = (Rows::new(self.columns()?), Utc::now());
        for table in view.snapshot.tables() {
            let files = manifest::files(table);
            let Some(newest) = files.iter().max_by_key(|file| file.modified_at) else { continue };
            let event = manifest::newest_event(table);
            let lag = (now - newest.modified_at).num_seconds().max(0);
            rows.push([
                ("schema", (&table.schema).into()),
                ("name", (&table.name).into()),
                ("newest_key", newest.path.as_ref().into()),
                ("newest_at", newest.modified_at.into()),
                ("lag", i32::try_from(lag).map_or(Cell::Null, Cell::Seconds)),
                ("listed_at", manifest::listed_at(table).into()),
                ("newest_event", event.as_ref().map_or(Cell::Null, |(_, micros)| Cell::Time(*micros))),
                ("event_column", event.as_ref().map(|(column, _)| column.as_str()).into()),
            ]);
        }
        rows.finish()
    }
}
