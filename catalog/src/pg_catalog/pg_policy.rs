//! `pg_policy` and `pg_policies`: the row policies of the tables that are there.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::directory::{Directory, RelationEntry, role_oid};
use super::relation::{Relation, Wanted};
use super::roles;
use super::rows::{Cell, Rows};
use super::view::View;
use crate::access::{Access, Grantee, RowPolicy, RowSecurity};
use crate::definition::Name;

#[derive(Debug)]
pub(crate) struct PgPolicy;

#[derive(Debug)]
pub(crate) struct PgPolicies;

#[async_trait]
impl Relation for PgPolicy {
    fn name(&self) -> &'static str {
        "pg_policy"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let directory = view.directory();
        for (relation, policy) in all(&directory, view.access()) {
            let roles = policy.to.iter().map(|to| match to {
                Grantee::Public => 0,
                Grantee::Role(role) => {
                    i64::from(roles::by_name(view, role).map_or_else(|| role_oid(role), |role| role.oid))
                }
            });
            rows.push([
                ("oid", role_oid(&format!("{} {}", policy.on, policy.name)).into()),
                ("polname", policy.name.as_str().into()),
                ("polrelid", relation.oid.into()),
                ("polcmd", policy.command.letter().into()),
                ("polpermissive", (!policy.is_restrictive).into()),
                ("polroles", Cell::Ints(roles.collect())),
                ("polqual", policy.using.as_deref().map(shown).into()),
                ("polwithcheck", policy.check.as_deref().map(shown).into()),
            ]);
        }
        rows.finish()
    }
}

#[async_trait]
impl Relation for PgPolicies {
    fn name(&self) -> &'static str {
        "pg_policies"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let directory = view.directory();
        for (relation, policy) in all(&directory, view.access()) {
            let roles = policy.to.iter().map(|to| match to {
                Grantee::Public => "public".into(),
                Grantee::Role(role) => role.as_str().into(),
            });
            rows.push([
                ("schemaname", relation.schema.as_ref().into()),
                ("tablename", relation.name.as_ref().into()),
                ("policyname", policy.name.as_str().into()),
                ("permissive", if policy.is_restrictive { "RESTRICTIVE" } else { "PERMISSIVE" }.into()),
                ("roles", Cell::Texts(roles.collect())),
                ("cmd", policy.command.word().into()),
                ("qual", policy.using.as_deref().map(shown).into()),
                ("with_check", policy.check.as_deref().map(shown).into()),
            ]);
        }
        rows.finish()
    }
}

/// Whether the policies of a relation are asked.
pub(crate) fn security(access: &Access, relation: &RelationEntry) -> RowSecurity {
    let name = relation.table().map(|table| Name { schema: table.schema.clone(), name: table.name.clone() });
    name.and_then(|name| access.secured(&name)).map(|secured| secured.security).unwrap_or_default()
}

/// The policies, relation by relation, in the order of their names.
fn all<'a>(directory: &'a Directory, access: &'a Access) -> Vec<(&'a RelationEntry, &'a RowPolicy)> {
    let relations = access.all_secured().filter_map(|(name, secured)| {
        let relation = directory.named(&name.schema, &name.name)?;
        Some(secured.policies.iter().map(move |policy| (relation, policy)))
    });
    let mut all: Vec<_> = relations.flatten().collect();
    all.sort_by(|(_, one), (_, two)| (&one.on, &one.name).cmp(&(&two.on, &two.name)));
    all
}

/// A condition as PostgreSQL shows an expression.
fn shown(condition: &str) -> String {
    format!("({condition})")
}
