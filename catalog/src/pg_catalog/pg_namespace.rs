//! `pg_namespace`: the server's own schemas and those of the lake.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::acl::Lists;
use super::directory::OWNER;
use super::relation::{Relation, Wanted};
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgNamespace;

#[async_trait]
impl Relation for PgNamespace {
    fn name(&self) -> &'static str {
        "pg_namespace"
    }

    fn is_of_lake(&self) -> bool {
        true
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let lists = Lists::new(view);
        for schema in &view.directory().schemas {
            rows.push([
                ("oid", schema.oid.into()),
                ("nspname", schema.name.as_ref().into()),
                ("nspowner", OWNER.into()),
                ("nspacl", lists.of_schema(&schema.name)),
            ]);
        }
        rows.finish()
    }
}
