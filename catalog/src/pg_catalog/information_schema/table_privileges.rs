//! `information_schema.table_privileges` and `role_table_grants`: everybody may read every table, its owner by name.

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
pub(crate) struct TablePrivileges {
    name: &'static str,
    /// Whether what everybody may do is listed too.
    of_public: bool,
}

pub(crate) static TABLE_PRIVILEGES: TablePrivileges = TablePrivileges { name: "table_privileges", of_public: true };

pub(crate) static ROLE_TABLE_GRANTS: TablePrivileges = TablePrivileges { name: "role_table_grants", of_public: false };

#[async_trait]
impl Relation for TablePrivileges {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        self.name
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let owner = roles::by_oid(view, OWNER).map(|role| role.name);
        let grantees = owner.as_deref().into_iter().chain(self.of_public.then_some("PUBLIC"));
        let grantees: Vec<&str> = grantees.collect();
        let mut rows = Rows::new(self.columns()?);
        for relation in &view.directory().relations {
            for grantee in &grantees {
                rows.push([
                    ("grantor", owner.as_ref().into()),
                    ("grantee", (*grantee).into()),
                    ("table_catalog", view.database.as_str().into()),
                    ("table_schema", relation.schema.as_ref().into()),
                    ("table_name", relation.name.as_ref().into()),
                    ("privilege_type", "SELECT".into()),
                    ("is_grantable", "NO".into()),
                    ("with_hierarchy", "YES".into()),
                ]);
            }
        }
        rows.finish()
    }
}
