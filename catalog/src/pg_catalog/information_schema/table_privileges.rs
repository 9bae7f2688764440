//! `information_schema.table_privileges`: everybody may read every table.

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
pub(crate) struct TablePrivileges;

#[async_trait]
impl Relation for TablePrivileges {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "table_privileges"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let owner = roles::by_oid(view, OWNER).map(|role| role.name);
        let mut rows = Rows::new(self.columns()?);
        for relation in &view.directory().relations {
            rows.push([
                ("grantor", owner.as_ref().into()),
                ("grantee", "PUBLIC".into()),
                ("table_catalog", view.database.as_str().into()),
                ("table_schema", relation.schema.as_ref().into()),
                ("table_name", relation.name.as_ref().into()),
                ("privilege_type", "SELECT".into()),
                ("is_grantable", "NO".into()),
                ("with_hierarchy", "YES".into()),
            ]);
        }
        rows.finish()
    }
}
