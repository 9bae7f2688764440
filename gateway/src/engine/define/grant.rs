//! GRANT and REVOKE: rights that are kept in the lake, beside those of the roles file.
//! <https://www.postgresql.org/docs/16/sql-grant.html>, <https://www.postgresql.org/docs/16/sql-revoke.html>
//!
//! Owns: that roles and objects exist, and that what the roles file grants is changed there alone. Must never know: what a
//! right is good for.

use std::collections::BTreeSet;

use catalog::{Grant, Granted, Grantee, Privileges};

use super::Change;
use super::target::{denied, name_of, undefined_schema};
use crate::auth::grants::{self, Granting, On};
use crate::engine::scope::{Found, undefined_table};
use crate::error::{Error, Result, SqlState};
use crate::session::fold;

/// Schemas whose relations everybody reads and nobody changes.
const OWN_SCHEMAS: [&str; 3] = ["pg_catalog", "information_schema", "system"];

impl Change {
    pub(super) async fn grant(&mut self) -> Result<()> {
        let asked = grants::statement(&self.statement.text)?;
        let base = self.core.base_access();
        if !base.is_enforced() {
            return Err(not_in_force());
        }
        for grantee in &asked.grantees {
            if let Grantee::Role(role) = grantee
                && !base.is_role(role)
            {
                let message = format!("role \"{role}\" does not exist");
                return Err(Error::new(SqlState::UndefinedObject, message));
            }
        }
        let objects = self.objects(&asked.written.on)?;
        let held = asked.written.held()?;
        for (columns, _) in &held {
            for on in &objects {
                self.has_columns(on, columns).await?;
            }
        }
        for grantee in &asked.grantees {
            for on in &objects {
                for (columns, privileges) in &held {
                    let grant = Grant {
                        grantee: grantee.clone(),
                        privileges: *privileges,
                        on: on.clone(),
                        columns: columns.clone(),
                    };
                    self.change_right(&asked, grant)?;
                }
            }
        }
        Ok(())
    }

    fn change_right(&mut self, asked: &Granting, grant: Grant) -> Result<()> {
        if asked.is_grant {
            self.script.grant(grant);
            return Ok(());
        }
        let base = self.core.base_access();
        let of: Vec<&Grant> = match &grant.on {
            Granted::Relation(name) => base.of_relation(name).collect(),
            Granted::Schema(schema) => base.of_schema(schema).collect(),
            Granted::AllIn(_) => Vec::new(),
        };
        let of_file = of.into_iter().find(|known| {
            let is_same = grant.columns.is_empty() || grant.columns == known.columns || known.columns.is_empty();
            known.grantee == grant.grantee && is_same && !known.privileges.both(grant.privileges).is_empty()
        });
        match of_file {
            None => self.script.revoke(&grant),
            Some(known) => {
                let privileges = known.privileges.both(grant.privileges);
                return Err(of_roles_file(&grant, privileges));
            }
        }
        Ok(())
    }

    /// What is meant, of what is there now.
    fn objects(&self, on: &On) -> Result<Vec<Granted>> {
        match on {
            On::Relations(names) => {
                let relation = |name| match self.scope.find(name) {
                    Some(Found::Lake(table)) => Ok(Granted::Relation(name_of(&table))),
                    Some(Found::Catalog { .. }) => {
                        Err(Error::unsupported("privileges on relations of the server are not supported")
                            .detail("Everybody may read them."))
                    }
                    Some(Found::Earlier { .. }) | None => Err(undefined_table(name)),
                };
                names.iter().map(relation).collect()
            }
            On::AllIn(schemas) => {
                let mut all = Vec::new();
                for schema in schemas.iter().map(fold) {
                    self.granted_schema(&schema)?;
                    let tables = self.scope.snapshot.schemas.get(&schema);
                    let tables = tables.into_iter().flat_map(|tables| tables.values());
                    all.extend(tables.map(|table| Granted::Relation(name_of(table))));
                }
                Ok(all)
            }
            On::Schemas(schemas) => {
                let schema = |schema: String| self.granted_schema(&schema).map(|()| Granted::Schema(schema));
                schemas.iter().map(fold).map(schema).collect()
            }
            On::Other(kind) => Err(grants::no_kind(kind)),
        }
    }

    fn granted_schema(&self, schema: &str) -> Result<()> {
        if OWN_SCHEMAS.contains(&schema) {
            return Err(denied(schema));
        }
        if self.scope.has_schema(schema) { Ok(()) } else { Err(undefined_schema(schema)) }
    }

    async fn has_columns(&self, on: &Granted, columns: &BTreeSet<String>) -> Result<()> {
        let Granted::Relation(name) = on else { return Ok(()) };
        let Some(table) = self.scope.snapshot.named(name).filter(|_| !columns.is_empty()) else { return Ok(()) };
        let known = self.columns_of(table).await?;
        match columns.iter().find(|column| known.field_with_name(column).is_err()) {
            None => Ok(()),
            Some(column) => {
                let message = format!("column \"{column}\" of relation \"{}\" does not exist", name.name);
                Err(Error::new(SqlState::UndefinedColumn, message))
            }
        }
    }
}

pub(super) fn not_in_force() -> Error {
    Error::new(SqlState::ObjectNotInPrerequisiteState, "grants are not in force")
        .detail("Every role may do everything, as the roles file says.")
        .hint("Set authorization = \"grants\" in the roles file.")
}

fn of_roles_file(grant: &Grant, privileges: Privileges) -> Error {
    let words: Vec<&str> = privileges.iter().map(catalog::Privilege::word).collect();
    let on = match &grant.on {
        Granted::Relation(name) => name.name.clone(),
        Granted::Schema(schema) | Granted::AllIn(schema) => format!("schema {schema}"),
    };
    let of = match &grant.grantee {
        Grantee::Public => "PUBLIC".to_owned(),
        Grantee::Role(role) => format!("role \"{role}\""),
    };
    let message = format!("cannot revoke {} on {on} from {of}", words.join(", "));
    Error::new(SqlState::ObjectNotInPrerequisiteState, message)
        .detail("The roles file grants it.")
        .hint("Change the roles file.")
}
