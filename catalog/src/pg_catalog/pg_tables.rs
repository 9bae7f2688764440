//! `pg_tables`: the tables, by name.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::directory::OWNER;
use super::pg_policy;
use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgTables;

#[async_trait]
impl Relation for PgTables {
    fn name(&self) -> &'static str {
        "pg_tables"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let owner = roles::by_oid(view, OWNER).map(|role| role.name).unwrap_or_default();
        let mut rows = Rows::new(self.columns()?);
        for relation in view.directory().relations.iter().filter(|relation| relation.kind() == "r") {
            rows.push([
                ("schemaname", relation.schema.as_ref().into()),
                ("tablename", relation.name.as_ref().into()),
                ("tableowner", owner.as_str().into()),
                ("hasindexes", false.into()),
                ("hasrules", false.into()),
                ("hastriggers", false.into()),
                ("rowsecurity", pg_policy::security(view.access(), relation).is_enabled.into()),
            ]);
        }
        rows.finish()
    }
}
