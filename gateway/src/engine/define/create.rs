//! CREATE VIEW, CREATE EXTERNAL TABLE and CREATE SCHEMA.
//! <https://www.postgresql.org/docs/16/sql-createview.html>

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use catalog::pg_catalog::pg_type_of;
use catalog::{Name, Origin};
use sqlparser::ast::{CreateTable, CreateTableOptions, CreateView, SchemaName};

use super::Change;
use super::target::{already_exists, is_view};
use crate::engine::{parse, plan};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, fold};

impl Change {
    pub(super) async fn create_view(&mut self, create: &CreateView) -> Result<()> {
        refuse_options(create)?;
        let name = self.scope.new_name(&create.name)?;
        let known = self.scope.snapshot.named(&name).map(Arc::clone);
        if let Some(known) = &known {
            if !create.or_replace {
                return Err(already_exists(&name.name));
            }
            if !is_view(known) {
                return Err(Error::new(SqlState::WrongObjectType, format!("\"{}\" is not a view", name.name)));
            }
            self.is_ours(known, "replace")?;
        } else if self.script.defines(&name.schema, &name.name).is_some() && !create.or_replace {
            return Err(already_exists(&name.name));
        }
        let columns = self.view_columns(create).await?;
        if let Some(view) = known {
            self.refuse_circle(create, &name)?;
            // One that cannot be planned any more has no column to keep.
            if let Ok(old) = self.columns_of(&view).await {
                refuse_other_columns(&old, &columns)?;
            }
        }
        self.define(name)
    }

    fn define(&mut self, name: Name) -> Result<()> {
        let path = self.scope.search_path().to_vec();
        let defined = self.script.define(name, &self.statement.text, &path);
        defined.map_err(|reason| Error::unsupported("this statement cannot be kept").detail(format!("{reason}.")))
    }

    /// Plans the view's query, as whoever asks for its rows will.
    async fn view_columns(&self, create: &CreateView) -> Result<Vec<FieldRef>> {
        let (core, session) = (Arc::clone(&self.core), Arc::clone(&self.session));
        let message = Arc::clone(&self.statement.message);
        let planned = plan::query(core, session, create.query.clone(), message, Vec::new()).await?;
        if !planned.param_types.is_empty() {
            return Err(Error::new(SqlState::UndefinedParameter, "there is no parameter $1"));
        }
        let fields = planned.columns.fields();
        if create.columns.len() > fields.len() {
            let message = "CREATE VIEW specifies more column names than columns";
            return Err(Error::new(SqlState::SyntaxError, message));
        }
        let mut names = HashSet::new();
        let named = fields.iter().enumerate().map(|(at, field)| {
            let name = create.columns.get(at).map_or_else(|| field.name().clone(), |column| fold(&column.name));
            if !names.insert(name.clone()) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(Error::new(SqlState::DuplicateColumn, message));
            }
            Ok(Arc::new(field.as_ref().clone().with_name(name)))
        });
        named.collect()
    }

    /// A view may not use itself, directly or through others.
    fn refuse_circle(&self, create: &CreateView, name: &Name) -> Result<()> {
        let first = plan::relations(&create.query);
        let mut open: Vec<Name> = first.iter().filter_map(|used| self.scope.lake_name(used, None)).collect();
        let mut seen = HashSet::new();
        while let Some(used) = open.pop() {
            if used == *name {
                let message = format!("infinite recursion detected in rules for relation \"{}\"", name.name);
                return Err(Error::new(SqlState::InvalidObjectDefinition, message));
            }
            if seen.insert((used.schema.clone(), used.name.clone())) {
                open.extend(
                    self.scope.snapshot.named(&used).map(|table| self.scope.used_by(table)).unwrap_or_default(),
                );
            }
        }
        Ok(())
    }

    pub(super) fn create_table(&mut self, create: &CreateTable) -> Result<()> {
        let name = self.scope.new_name(&create.name)?;
        let known = self.scope.snapshot.named(&name).map(Arc::clone);
        let is_taken = match &known {
            // The files of that name are a table already: the definition says how they are read.
            Some(table) => table.origin() != Origin::Lake,
            None => self.script.defines(&name.schema, &name.name).is_some(),
        };
        if is_taken && create.if_not_exists {
            let message = format!("relation \"{}\" already exists, skipping", name.name);
            self.notices.push(Notice::note(SqlState::DuplicateTable, message));
            return Ok(());
        }
        if is_taken && (!create.or_replace || known.as_deref().is_some_and(|known| known.query().is_some())) {
            return Err(already_exists(&name.name));
        }
        if let Some(table) = known.filter(|_| is_taken) {
            self.is_ours(&table, "replace")?;
        }
        self.check_table(&name, &self.statement.text)?;
        self.created = Some(name.clone());
        self.define(name)
    }

    /// Whether a CREATE EXTERNAL TABLE is right.
    pub(super) fn check_table(&self, name: &Name, statement: &str) -> Result<()> {
        self.core.lake.check_table(name, statement).map_err(|error| match error {
            catalog::Error::Definition { reason, .. } => {
                Error::new(SqlState::SyntaxError, parse::lowercase_first(&reason))
            }
            catalog::Error::Location { location, .. } => {
                let message = format!("permission denied for location \"{location}\"");
                Error::new(SqlState::InsufficientPrivilege, message)
                    .hint("A location must be inside a source of the configuration.")
            }
            other => other.into(),
        })
    }

    pub(super) fn create_schema(&mut self, name: &SchemaName, if_not_exists: bool) -> Result<()> {
        let (name, owner) = match name {
            SchemaName::Simple(name) => (Some(name), None),
            SchemaName::UnnamedAuthorization(owner) => (None, Some(owner)),
            SchemaName::NamedAuthorization(name, owner) => (Some(name), Some(owner)),
        };
        let owner = owner.map(fold);
        if owner.as_ref().is_some_and(|owner| owner != self.session.user()) {
            return Err(Error::unsupported("a schema has no owner but who creates it"));
        }
        let name = match name.map(|name| name.0.as_slice()) {
            Some([part]) => part.as_ident().map(fold),
            Some(_) => None,
            None => owner,
        };
        let name = name.ok_or_else(|| Error::new(SqlState::SyntaxError, "a schema's name has one part"))?;
        if name.starts_with("pg_") {
            return Err(Error::new(SqlState::ReservedName, format!("unacceptable schema name \"{name}\""))
                .detail("The prefix \"pg_\" is reserved for system schemas."));
        }
        if self.scope.has_schema(&name) {
            let message = format!("schema \"{name}\" already exists");
            if !if_not_exists {
                return Err(Error::new(SqlState::DuplicateSchema, message));
            }
            self.notices.push(Notice::note(SqlState::DuplicateSchema, format!("{message}, skipping")));
            return Ok(());
        }
        self.script.create_schema(&name);
        Ok(())
    }
}

fn refuse_options(create: &CreateView) -> Result<()> {
    if create.temporary {
        return Err(Error::unsupported("temporary views are not supported"));
    }
    if create.options != CreateTableOptions::None || create.with_no_schema_binding {
        return Err(Error::unsupported("a view takes no options"));
    }
    if create.if_not_exists {
        return Err(
            Error::new(SqlState::SyntaxError, "syntax error at or near \"NOT\"").hint("Write CREATE OR REPLACE VIEW.")
        );
    }
    Ok(())
}

/// A view may gain columns at its end, and lose and change none: others count on them.
fn refuse_other_columns(old: &SchemaRef, new: &[FieldRef]) -> Result<()> {
    let wrong = |message: String| Error::new(SqlState::InvalidTableDefinition, message);
    if new.len() < old.fields().len() {
        return Err(wrong("cannot drop columns from view".to_owned()));
    }
    for (old, new) in old.fields().iter().zip(new) {
        let name = old.name();
        if name != new.name() {
            let message = format!("cannot change name of view column \"{name}\" to \"{}\"", new.name());
            return Err(
                wrong(message).hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
            );
        }
        let (old, new) = (pg_type_of(old), pg_type_of(new));
        if old.oid != new.oid {
            let (old, new) = (old.sql_name(), new.sql_name());
            return Err(wrong(format!("cannot change data type of view column \"{name}\" from {old} to {new}")));
        }
    }
    Ok(())
}
