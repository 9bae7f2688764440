//! `pg_roles`: the roles as everybody may see them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::Rows;
use super::view::View;

/// PostgreSQL shows this in place of every password.
pub(crate) const PASSWORD: &str = "********";

#[derive(Debug)]
pub(crate) struct PgRoles;

#[async_trait]
impl Relation for PgRoles {
    fn name(&self) -> &'static str {
        "pg_roles"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for role in roles::all(view) {
            let bypasses_rls = role.superuser || view.access().has_bypassrls(&role.name);
            rows.push([
                ("rolname", role.name.into()),
                ("rolsuper", role.superuser.into()),
                ("rolinherit", true.into()),
                ("rolcreaterole", false.into()),
                ("rolcreatedb", false.into()),
                ("rolcanlogin", role.login.into()),
                ("rolreplication", false.into()),
                ("rolconnlimit", role.connection_limit.into()),
                ("rolpassword", PASSWORD.into()),
                ("rolbypassrls", bypasses_rls.into()),
                ("oid", role.oid.into()),
            ]);
        }
        rows.finish()
    }
}
