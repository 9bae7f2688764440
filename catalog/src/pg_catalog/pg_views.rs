//! `pg_views`: the views, by name. Those of the server are computed and have no definition.

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
pub(crate) struct PgViews;

#[async_trait]
impl Relation for PgViews {
    fn name(&self) -> &'static str {
        "pg_views"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let owner = roles::by_oid(view, OWNER).map(|role| role.name).unwrap_or_default();
        let mut rows = Rows::new(self.columns()?);
        for relation in view.directory().relations.iter().filter(|relation| relation.kind() == "v") {
            rows.push([
                ("schemaname", relation.schema.as_ref().into()),
                ("viewname", relation.name.as_ref().into()),
                ("viewowner", owner.as_str().into()),
                ("definition", relation.definition().into()),
            ]);
        }
        rows.finish()
    }
}
