//! `information_schema.information_schema_catalog_name`: the database's name.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;
use crate::pg_catalog::view::View;

#[derive(Debug)]
pub(crate) struct CatalogName;

#[async_trait]
impl Relation for CatalogName {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "information_schema_catalog_name"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        rows.push([("catalog_name", view.database.as_str().into())]);
        rows.finish()
    }
}
