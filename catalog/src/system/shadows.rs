//! `system.shadows`: the objects that are read from their shadows, with what these take and when they were used.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};
use crate::snapshot::Kind;

#[derive(Debug)]
pub(crate) struct Shadows;

#[async_trait]
impl Relation for Shadows {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "shadows"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let int = |number: u64| Cell::Int(i64::try_from(number).unwrap_or(i64::MAX));
        for table in view.snapshot.tables() {
            let Kind::Lake(lake) = &table.kind else { continue };
            let Some(opened) = lake.opened() else { continue };
            for (file, id) in opened.content.files().zip(&opened.ids) {
                let Some(place) = id.and_then(|id| file.source().shadows.peek(id)) else { continue };
                rows.push([
                    ("schema", (&table.schema).into()),
                    ("table", (&table.name).into()),
                    ("source", lake.root().into()),
                    ("key", file.key().into()),
                    ("bytes", int(file.file.bytes)),
                    ("shadow_bytes", int(place.bytes_on_disk())),
                    ("rows", int(place.rows().len() as u64)),
                    ("reads", int(place.reads())),
                    ("pack", place.shadow.is_pack().then(|| place.shadow.name().into_owned()).into()),
                    ("used_at", place.shadow.used_at().into()),
                ]);
            }
        }
        rows.finish()
    }
}
