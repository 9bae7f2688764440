//! `pg_user`: the roles that may log in.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::pg_roles::PASSWORD;
use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgUser;

#[async_trait]
impl Relation for PgUser {
    fn name(&self) -> &'static str {
        "pg_user"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for role in roles::all(view).into_iter().filter(|role| role.login) {
            let bypasses_rls = role.superuser || view.access().has_bypassrls(&role.name);
            rows.push([
                ("usename", role.name.into()),
                ("usesysid", role.oid.into()),
                ("usecreatedb", false.into()),
                ("usesuper", role.superuser.into()),
                ("userepl", false.into()),
                ("usebypassrls", bypasses_rls.into()),
                ("passwd", PASSWORD.into()),
            ]);
        }
        rows.finish()
    }
}
