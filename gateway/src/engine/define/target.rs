//! What a definition is about: the name that it makes, or the relation that it changes.
//!
//! Owns: PostgreSQL's words for names that cannot be made or changed.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use catalog::pg_catalog::ColumnSource;
use catalog::{Kind, Name, Origin, Table};
use sqlparser::ast::{AlterTable, Ident, ObjectName};

use super::{Change, may_define};
use crate::engine::scope::{Found, Scope, undefined_table};
use crate::engine::view_columns::Columns;
use crate::engine::{parse, plan};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, fold};

const OWN_SCHEMAS: [&str; 4] = ["pg_catalog", "information_schema", "system", "pg_toast"];

impl Scope {
    pub(in crate::engine) fn has_schema(&self, schema: &str) -> bool {
        schema == "public" || OWN_SCHEMAS.contains(&schema) || self.snapshot.schemas.contains_key(schema)
    }

    /// The name that a CREATE makes: in its own schema, or in the first one of the path that is there.
    pub(in crate::engine) fn new_name(&self, name: &ObjectName) -> Result<Name> {
        let (schema, name) = self.parts(name)?;
        match schema {
            Some(schema) if OWN_SCHEMAS.contains(&schema.as_str()) => Err(denied(&schema)),
            Some(schema) if !self.has_schema(&schema) => Err(undefined_schema(&schema)),
            Some(schema) => Ok(Name { schema, name }),
            None => {
                let mut path = self.search_path().iter();
                let schema = path.find(|schema| self.has_schema(schema)).ok_or_else(|| {
                    Error::new(SqlState::InvalidSchemaName, "no schema has been selected to create in")
                })?;
                if OWN_SCHEMAS.contains(&schema.as_str()) {
                    Err(denied(schema))
                } else {
                    Ok(Name { schema: schema.clone(), name })
                }
            }
        }
    }

    fn parts(&self, name: &ObjectName) -> Result<(Option<String>, String)> {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        match parts.as_slice() {
            [name] => Ok((None, fold(name))),
            [schema, name] => Ok((Some(fold(schema)), fold(name))),
            [database, schema, name] if fold(database) == self.session.database => Ok((Some(fold(schema)), fold(name))),
            [_, _, _] => {
                let message = format!("cross-database references are not implemented: \"{name}\"");
                Err(Error::unsupported(message))
            }
            _ => {
                let message = format!("improper qualified name (too many dotted names): {name}");
                Err(Error::new(SqlState::SyntaxError, message))
            }
        }
    }

    /// The views that name a relation.
    pub(in crate::engine) fn users_of(&self, name: &Name) -> Vec<Arc<Table>> {
        let views = self.snapshot.tables().filter(|table| table.query().is_some());
        views.filter(|view| self.used_by(view).contains(name)).map(Arc::clone).collect()
    }

    /// The names that a view's query uses.
    pub(super) fn used_by(&self, table: &Table) -> Vec<Name> {
        let Some(view) = table.query() else { return Vec::new() };
        let parsed = parse::statements(&view.sql).ok().and_then(|mut statements| statements.pop());
        let Some(query) = parsed.as_ref().and_then(|statement| plan::view_query(&statement.ast)) else {
            return Vec::new();
        };
        plan::relations(query).iter().filter_map(|name| self.lake_name(name, view.search_path.as_deref())).collect()
    }

    /// The table or view of the lake that a name leads to.
    pub(super) fn lake_name(&self, name: &ObjectName, search_path: Option<&[String]>) -> Option<Name> {
        match self.find_by(name, search_path.unwrap_or(self.search_path()))? {
            Found::Lake(table) | Found::Earlier { table, .. } => Some(name_of(&table)),
            Found::Catalog { .. } => None,
        }
    }
}

impl Change {
    /// The table or view that a statement changes. `None` if there is none of this name that anybody sees.
    pub(super) fn existing(&self, name: &ObjectName) -> Result<Option<Arc<Table>>> {
        match self.scope.find(name) {
            None | Some(Found::Earlier { .. }) => Ok(None),
            Some(Found::Lake(table)) => Ok(Some(table)),
            Some(Found::Catalog { name, .. }) => {
                let message = format!("permission denied: \"{name}\" is a system catalog");
                Err(Error::new(SqlState::InsufficientPrivilege, message))
            }
        }
    }

    /// The relation that an ALTER changes; `None` if there is none and the statement passes over that.
    pub(super) fn altered(&mut self, alter: &AlterTable) -> Result<Option<Arc<Table>>> {
        let found = self.existing(&alter.name)?;
        if found.is_none() {
            if !alter.if_exists {
                return Err(undefined_table(&alter.name));
            }
            let message = format!("relation \"{}\" does not exist, skipping", alter.name);
            self.notices.push(Notice::note(SqlState::SuccessfulCompletion, message));
        }
        Ok(found)
    }

    /// The columns of a relation, as a query of it would have them.
    pub(super) async fn columns_of(&self, table: &Table) -> Result<SchemaRef> {
        let columns = Columns { core: Arc::clone(&self.core), session: Arc::clone(&self.session) };
        Ok(columns.columns(table).await?)
    }

    /// Only what SQL defined can be changed by it.
    pub(super) fn is_ours(&self, table: &Table, verb: &str) -> Result<()> {
        let kind = kind(table);
        let error =
            || Error::new(SqlState::ObjectNotInPrerequisiteState, format!("cannot {verb} {kind} \"{}\"", table.name));
        match table.origin() {
            Origin::Sql => may_define(&self.core, &self.session),
            Origin::File(file) => {
                Err(error().detail(format!("The file sql/{file} defines it.")).hint("Change the file."))
            }
            Origin::Lake => Err(error()
                .detail("It is made of the files of its name in the lake.")
                .hint("Move or delete the files, or define a table over them with CREATE EXTERNAL TABLE.")),
        }
    }
}

pub(in crate::engine) fn name_of(table: &Table) -> Name {
    Name { schema: table.schema.clone(), name: table.name.clone() }
}

pub(in crate::engine) fn kind(table: &Table) -> &'static str {
    match table.kind {
        _ if table.matview.is_some() => "materialized view",
        Kind::Lake(_) => "table",
        Kind::View(_) => "view",
    }
}

pub(super) fn is_view(table: &Table) -> bool {
    matches!(table.kind, Kind::View(_)) && table.matview.is_none()
}

pub(in crate::engine) fn already_exists(name: &str) -> Error {
    Error::new(SqlState::DuplicateTable, format!("relation \"{name}\" already exists"))
}

pub(super) fn undefined_schema(schema: &str) -> Error {
    Error::new(SqlState::InvalidSchemaName, format!("schema \"{schema}\" does not exist"))
}

pub(super) fn denied(schema: &str) -> Error {
    Error::new(SqlState::InsufficientPrivilege, format!("permission denied for schema {schema}"))
}
