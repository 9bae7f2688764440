//! The table that a statement writes, by the name that it has there.
//!
//! Owns: PostgreSQL's words for what cannot be written.

use std::sync::Arc;

use arrow::datatypes::Field;
use catalog::{Name, Table, Target};
use sqlparser::ast::{Ident, ObjectName};

use super::Asked;
use super::block::refused;
use crate::engine::scope::{Found, Scope, undefined_table, view_of};
use crate::engine::{parse, plan};
use crate::error::{Error, Result, SqlState};

impl Asked {
    /// The scope of the lake as the statement sees it.
    pub(super) fn scope(&self) -> Scope {
        self.core.scope(&self.session, &self.statement.message)
    }

    /// A table that takes rows: one of the lake, or the one that the block has made.
    pub(super) async fn target(&self, name: &ObjectName, verb: &str) -> Result<Target> {
        let scope = self.scope();
        if let Some(target) = self.written(&scope, name) {
            let mut transaction = self.session.transaction();
            if transaction.written.as_mut().is_some_and(|block| block.change().alters()) {
                return Err(refused("cannot write to a table after altering it in the same transaction"));
            }
            return Ok(target);
        }
        let table = self.table(&scope, name, verb).map_err(|error| self.at(error, name))?;
        Ok(self.core.lake.target(&table).await?)
    }

    /// The table of the lake of this name.
    pub(super) fn table(&self, scope: &Scope, name: &ObjectName, verb: &str) -> Result<Arc<Table>> {
        match scope.find(name) {
            Some(Found::Lake(table)) if table.matview.is_some() => {
                let message = format!("cannot change materialized view \"{}\"", table.name);
                Err(Error::new(SqlState::WrongObjectType, message))
            }
            Some(Found::Lake(table)) if view_of(&table).is_some() => {
                let message = format!("cannot {verb} view \"{}\"", table.name);
                Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message)
                    .detail("Views of this server are not updatable."))
            }
            Some(Found::Lake(table)) => Ok(table),
            Some(Found::Catalog { name, .. }) => {
                let message = format!("permission denied: \"{name}\" is a system catalog");
                Err(Error::new(SqlState::InsufficientPrivilege, message))
            }
            Some(Found::Earlier { table, .. }) => {
                let message = format!("cannot {verb} an earlier version of table \"{}\"", table.name);
                Err(Error::new(SqlState::FeatureNotSupported, message))
            }
            None => Err(undefined_table(name)),
        }
    }

    /// The table that the block writes already, if the name means it.
    pub(super) fn written(&self, scope: &Scope, name: &ObjectName) -> Option<Target> {
        let transaction = self.session.transaction();
        let target = transaction.written.as_ref()?.target();
        means(scope, name, &target.name).then(|| target.clone())
    }

    /// The type that the client gave a parameter.
    pub(super) fn declared_type(&self, name: &str) -> Option<Field> {
        let number: usize = name.strip_prefix('$')?.parse().ok()?;
        self.declared.get(number.checked_sub(1)?)?.as_deref().cloned()
    }

    pub(super) fn at(&self, error: Error, name: &ObjectName) -> Error {
        plan::locate(error, name, &self.statement.message)
    }

    pub(super) fn at_ident(&self, error: Error, ident: &Ident) -> Error {
        match ident.span.start {
            start if start.line > 0 => error.at(parse::offset(&self.statement.message, start)),
            _ => error,
        }
    }
}

/// Whether a name as written means a relation of the path.
pub(in crate::engine) fn means(scope: &Scope, written: &ObjectName, name: &Name) -> bool {
    scope.new_name(written).is_ok_and(|written| written.schema == name.schema && written.name == name.name)
}
