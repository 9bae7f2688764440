//! `pg_matviews`: the materialized views, by name.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::directory::OWNER;
use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgMatviews;

#[async_trait]
impl Relation for PgMatviews {
    fn name(&self) -> &'static str {
        "pg_matviews"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let owner = roles::by_oid(view, OWNER).map(|role| role.name).unwrap_or_default();
        let mut rows = Rows::new(self.columns()?);
        for relation in view.directory().relations.iter().filter(|relation| relation.kind() == "m") {
            rows.push([
                ("schemaname", relation.schema.as_ref().into()),
                ("matviewname", relation.name.as_ref().into()),
                ("matviewowner", owner.as_str().into()),
                ("hasindexes", false.into()),
                ("ispopulated", relation.is_populated().into()),
                ("definition", relation.definition().into()),
            ]);
        }
        rows.finish()
    }
}
