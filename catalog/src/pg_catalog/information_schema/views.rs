//! `information_schema.views`: the views that the role may do anything with; their definitions are for who owns them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::directory::RelationEntry;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;
use crate::pg_catalog::view::View;

#[derive(Debug)]
pub(crate) struct Views;

#[async_trait]
impl Relation for Views {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "views"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let is_owner = view.access().is_free(&view.user);
        let views = |relation: &&RelationEntry| relation.kind() == "v" && view.holds_any(relation);
        for relation in view.directory().relations.iter().filter(views) {
            rows.push([
                ("table_catalog", view.database.as_str().into()),
                ("table_schema", relation.schema.as_ref().into()),
                ("table_name", relation.name.as_ref().into()),
                ("view_definition", relation.definition().filter(|_| is_owner).into()),
                ("check_option", "NONE".into()),
                ("is_updatable", "NO".into()),
                ("is_insertable_into", "NO".into()),
                ("is_trigger_updatable", "NO".into()),
                ("is_trigger_deletable", "NO".into()),
                ("is_trigger_insertable_into", "NO".into()),
            ]);
        }
        rows.finish()
    }
}
