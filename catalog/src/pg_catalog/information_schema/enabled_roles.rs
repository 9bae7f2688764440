//! `information_schema.enabled_roles`: the roles whose rights the session has.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;
use crate::pg_catalog::view::View;

#[derive(Debug)]
pub(crate) struct EnabledRoles;

#[async_trait]
impl Relation for EnabledRoles {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "enabled_roles"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        rows.push([("role_name", view.user.as_str().into())]);
        for role in view.access().roles_of(&view.user).into_iter().filter(|role| *role != view.user) {
            rows.push([("role_name", role.into())]);
        }
        rows.finish()
    }
}
