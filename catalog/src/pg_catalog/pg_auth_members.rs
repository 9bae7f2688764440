//! `pg_auth_members`: which role is a member of which.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::directory::{OWNER, role_oid};
use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgAuthMembers;

#[async_trait]
impl Relation for PgAuthMembers {
    fn name(&self) -> &'static str {
        "pg_auth_members"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let roles = roles::all(view);
        for member in &roles {
            for group in &member.member_of {
                let Some(of) = roles.iter().find(|role| role.name == *group) else { continue };
                rows.push([
                    ("oid", role_oid(&format!("{group} {}", member.name)).into()),
                    ("roleid", of.oid.into()),
                    ("member", member.oid.into()),
                    ("grantor", OWNER.into()),
                    ("admin_option", false.into()),
                    ("inherit_option", true.into()),
                    ("set_option", false.into()),
                ]);
            }
        }
        rows.finish()
    }
}
