//! `information_schema.table_privileges` and `role_table_grants`: what the user, everybody, and who owns all hold.
//!
//! Without grants in force everybody may read every table, and its owner by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::access::{Grantee, Privileges};
use crate::definition::Name;
use crate::pg_catalog::directory::{OWNER, RelationEntry};
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

const PUBLIC: &str = "PUBLIC";

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
        let mut rows = Rows::new(self.columns()?);
        for relation in &view.directory().relations {
            for (grantee, privilege) in self.of(view, owner.as_deref(), relation) {
                rows.push([
                    ("grantor", owner.as_ref().into()),
                    ("grantee", grantee.into()),
                    ("table_catalog", view.database.as_str().into()),
                    ("table_schema", relation.schema.as_ref().into()),
                    ("table_name", relation.name.as_ref().into()),
                    ("privilege_type", privilege.into()),
                    ("is_grantable", "NO".into()),
                    ("with_hierarchy", if privilege == "SELECT" { "YES" } else { "NO" }.into()),
                ]);
            }
        }
        rows.finish()
    }
}

impl TablePrivileges {
    /// Who holds what on a relation, as far as the user is told.
    fn of(&self, view: &View, owner: Option<&str>, relation: &RelationEntry) -> Vec<(String, &'static str)> {
        let access = view.access();
        let everybody = self.of_public.then_some((PUBLIC.to_owned(), "SELECT"));
        let table = match relation.table() {
            Some(table) if access.is_enforced() => table,
            _ => return owner.map(|owner| (owner.to_owned(), "SELECT")).into_iter().chain(everybody).collect(),
        };
        let name = Name { schema: table.schema.clone(), name: table.name.clone() };
        // Who owns all has granted all.
        let is_owner = access.is_free(&view.user);
        let mut held: BTreeSet<(String, &'static str)> = BTreeSet::new();
        if let Some(owner) = owner.filter(|_| is_owner) {
            held.extend(Privileges::OF_RELATIONS.iter().map(|privilege| (owner.to_owned(), privilege.word())));
        }
        for grant in access.of_relation(&name).filter(|grant| grant.columns.is_empty()) {
            let grantee = match &grant.grantee {
                Grantee::Public if self.of_public => PUBLIC,
                Grantee::Role(role) if is_owner || access.is_member(&view.user, role) => role,
                _ => continue,
            };
            held.extend(grant.privileges.iter().map(|privilege| (grantee.to_owned(), privilege.word())));
        }
        held.into_iter().collect()
    }
}
