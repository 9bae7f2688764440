//! `information_schema.tables`: the tables and views that the role may do anything with. It opens no file.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;
use crate::pg_catalog::view::View;

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
        for relation in view.directory().relations.iter().filter(|relation| view.holds_any(relation)) {
            rows.push([
                ("table_catalog", view.database.as_str().into()),
                ("table_schema", relation.schema.as_ref().into()),
                ("table_name", relation.name.as_ref().into()),
                ("table_type", if relation.kind() == "v" { "VIEW" } else { "BASE TABLE" }.into()),
                ("is_insertable_into", if relation.is_writable() { "YES" } else { "NO" }.into()),
                ("is_typed", "NO".into()),
            ]);
        }
        rows.finish()
    }
}
