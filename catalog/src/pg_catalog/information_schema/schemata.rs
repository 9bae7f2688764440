//! `information_schema.schemata`: the schemas that the role may do anything with.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::directory::OWNER;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::roles;
use crate::pg_catalog::rows::Rows;
use crate::pg_catalog::view::View;

#[derive(Debug)]
pub(crate) struct Schemata;

#[async_trait]
impl Relation for Schemata {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "schemata"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let owner = roles::by_oid(view, OWNER).map(|role| role.name).unwrap_or_default();
        let is_seen = |name: &str| !view.access().on_schema(Some(&view.user), name).is_empty();
        for schema in view.directory().schemas.iter().filter(|schema| is_seen(&schema.name)) {
            rows.push([
                ("catalog_name", view.database.as_str().into()),
                ("schema_name", schema.name.as_ref().into()),
                ("schema_owner", owner.as_str().into()),
            ]);
        }
        rows.finish()
    }
}
