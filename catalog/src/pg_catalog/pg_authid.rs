//! `pg_authid`: the roles, without their passwords.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgAuthid;

#[async_trait]
impl Relation for PgAuthid {
    fn name(&self) -> &'static str {
        "pg_authid"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for role in roles::all(view) {
            let bypasses_rls = role.superuser || view.access().has_bypassrls(&role.name);
            rows.push([
                ("oid", role.oid.into()),
                ("rolname", role.name.into()),
                ("rolsuper", role.superuser.into()),
                ("rolinherit", true.into()),
                ("rolcreaterole", false.into()),
                ("rolcreatedb", false.into()),
                ("rolcanlogin", role.login.into()),
                ("rolreplication", false.into()),
                ("rolbypassrls", bypasses_rls.into()),
                ("rolconnlimit", role.connection_limit.into()),
            ]);
        }
        rows.finish()
    }
}
