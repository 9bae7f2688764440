//! DROP VIEW, DROP TABLE and DROP SCHEMA. A table that SQL can write goes with its files. Of others the files stay: a
//! definition goes, and what their names say holds again.
//! <https://www.postgresql.org/docs/16/sql-dropview.html>

use std::sync::Arc;

use catalog::{Defined, Kind, Origin, Table};
use sqlparser::ast::{ObjectName, ObjectType};

use super::target::{denied, kind, name_of, undefined_schema};
use super::{Change, may_define};
use crate::engine::authorize::Need;
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, fold};

impl Change {
    pub(super) fn drop(
        &mut self,
        object_type: ObjectType,
        names: &[ObjectName],
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        let wanted = match object_type {
            ObjectType::View => Defined::View,
            ObjectType::MaterializedView => Defined::Matview,
            _ => Defined::Table,
        };
        let mut dropped: Vec<Arc<Table>> = Vec::new();
        for name in names {
            match self.existing(name)? {
                Some(table) if kind(&table) != word(wanted) => return Err(wrong_kind(&table, wanted)),
                Some(table) => {
                    self.refuse_streamed(&name_of(&table))?;
                    match self.drops_files(&table)? {
                        true => self.core.allow(&self.session, &[Need::Own(name_of(&table))])?,
                        false => self.is_ours(&table, "drop")?,
                    }
                    dropped.push(table);
                }
                None => self.drop_unseen(name, wanted, if_exists)?,
            }
        }
        self.drop_all(dropped, cascade)
    }

    /// A definition without files is there too.
    fn drop_unseen(&mut self, name: &ObjectName, wanted: Defined, if_exists: bool) -> Result<()> {
        if let Ok(target) = self.scope.new_name(name)
            && self.script.defines(&target.schema, &target.name) == Some(wanted)
        {
            may_define(&self.core, &self.session)?;
            self.script.drop(&target.schema, &target.name);
            return Ok(());
        }
        let kind = word(wanted);
        let shown = shown(name);
        if !if_exists {
            return Err(Error::new(SqlState::UndefinedTable, format!("{kind} \"{shown}\" does not exist")));
        }
        let message = format!("{kind} \"{shown}\" does not exist, skipping");
        self.notices.push(Notice::note(SqlState::SuccessfulCompletion, message));
        Ok(())
    }

    /// Drops relations, and with CASCADE the views that use them.
    fn drop_all(&mut self, mut dropped: Vec<Arc<Table>>, cascade: bool) -> Result<()> {
        let asked = dropped.len();
        let mut next = 0;
        while let Some(table) = dropped.get(next).map(Arc::clone) {
            next += 1;
            for view in self.scope.users_of(&name_of(&table)) {
                if dropped.iter().any(|known| Arc::ptr_eq(known, &view)) {
                    continue;
                }
                if !cascade {
                    let (kind, name) = (kind(&table), &table.name);
                    let message = format!("cannot drop {kind} {name} because other objects depend on it");
                    return Err(Error::new(SqlState::DependentObjectsStillExist, message)
                        .detail(format!("{} {} depends on {kind} {name}", self::kind(&view), view.name))
                        .hint("Use DROP ... CASCADE to drop the dependent objects too."));
                }
                self.is_ours(&view, "drop")?;
                dropped.push(view);
            }
        }
        match dropped.get(asked..).unwrap_or_default() {
            [] => {}
            [view] => self.tell_cascade(format!("drop cascades to {} {}", kind(view), view.name)),
            views => self.tell_cascade(format!("drop cascades to {} other objects", views.len())),
        }
        for table in dropped {
            if table.origin() != Origin::Lake {
                self.script.drop(&table.schema, &table.name);
            }
            // The rows of a materialized view go with it.
            if table.origin() == Origin::Lake || (table.matview.is_some() && matches!(table.kind, Kind::Lake(_))) {
                self.removed.push(table);
            }
        }
        Ok(())
    }

    /// Whether a table is its files alone, in a source that can be written: with it they go.
    fn drops_files(&self, table: &Table) -> Result<bool> {
        let is_table = table.origin() == Origin::Lake && table.is_writable();
        if !is_table && table.matview.is_none() {
            return Ok(false);
        }
        if self.session.transaction().is_in_block() {
            let kind = kind(table);
            let message = format!("DROP {} cannot run inside a transaction block", kind.to_uppercase());
            return Err(Error::new(SqlState::ActiveSqlTransaction, message)
                .detail(format!("The files of {kind} \"{}\" go at once.", table.name))
                .hint("Let it be a transaction of its own (autocommit)."));
        }
        Ok(is_table)
    }

    fn tell_cascade(&mut self, message: String) {
        self.notices.push(Notice::note(SqlState::SuccessfulCompletion, message));
    }

    pub(super) fn drop_schema(&mut self, name: &ObjectName, if_exists: bool, cascade: bool) -> Result<()> {
        let schema = name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
        if !self.scope.has_schema(&schema) {
            if !if_exists {
                return Err(undefined_schema(&schema));
            }
            let message = format!("schema \"{schema}\" does not exist, skipping");
            self.notices.push(Notice::note(SqlState::SuccessfulCompletion, message));
            return Ok(());
        }
        let in_it: Vec<Arc<Table>> = self
            .scope
            .snapshot
            .schemas
            .get(&schema)
            .map(|tables| tables.values().map(Arc::clone).collect())
            .unwrap_or_default();
        if !self.script.defines_schema(&schema) {
            if in_it.is_empty() {
                return Err(denied(&schema));
            }
            let message = format!("cannot drop schema \"{schema}\"");
            return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message)
                .detail("It is the folder of its tables in the lake."));
        }
        if let Some(table) = in_it.iter().find(|table| !cascade || table.origin() != Origin::Sql) {
            if cascade {
                return self.is_ours(table, "drop");
            }
            let message = format!("cannot drop schema {schema} because other objects depend on it");
            return Err(Error::new(SqlState::DependentObjectsStillExist, message)
                .detail(format!("{} {}.{} depends on schema {schema}", kind(table), table.schema, table.name))
                .hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        self.drop_all(in_it, cascade)?;
        self.script.drop_schema(&schema);
        Ok(())
    }
}

fn word(kind: Defined) -> &'static str {
    match kind {
        Defined::Table => "table",
        Defined::View => "view",
        Defined::Matview => "materialized view",
    }
}

fn wrong_kind(table: &Table, wanted: Defined) -> Error {
    let is = kind(table);
    let hint = format!("Use DROP {} to remove a {is}.", is.to_uppercase());
    Error::new(SqlState::WrongObjectType, format!("\"{}\" is not a {}", table.name, word(wanted))).hint(hint)
}

/// A name as PostgreSQL shows it.
fn shown(name: &ObjectName) -> String {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
    parts.join(".")
}
