//! ALTER VIEW and ALTER TABLE ... RENAME TO and SET SCHEMA. Views name what they use, so that those of the old name see
//! what has it next.
//! <https://www.postgresql.org/docs/16/sql-alterview.html>

use sqlparser::ast::{AlterTable, AlterTableOperation, RenameTableNameKind};

use super::Change;
use super::target::{already_exists, is_view, name_of};
use crate::error::{Error, Result, SqlState};
use crate::session::fold;

impl Change {
    pub(super) fn rename(&mut self, alter: &AlterTable, wants_view: bool) -> Result<()> {
        let [
            AlterTableOperation::RenameTable { table_name: RenameTableNameKind::To(to) | RenameTableNameKind::As(to) },
        ] = alter.operations.as_slice()
        else {
            return Err(Error::internal("not a RENAME"));
        };
        let Some(table) = self.altered(alter)? else { return Ok(()) };
        if wants_view && !is_view(&table) {
            return Err(Error::new(SqlState::WrongObjectType, format!("\"{}\" is not a view", table.name)));
        }
        if table.matview.is_some() {
            let message = format!("materialized view \"{}\" cannot be renamed", table.name);
            return Err(Error::unsupported(message).hint("Create another one of the same query, and drop this one."));
        }
        self.is_ours(&table, "rename")?;
        let from = name_of(&table);
        let mut target = from.clone();
        match to.0.as_slice() {
            // RENAME TO keeps the schema, and SET SCHEMA the name.
            [name] => target.name = name.as_ident().map(fold).unwrap_or_default(),
            _ => target.schema = self.scope.new_name(to)?.schema,
        }
        let is_taken =
            self.scope.snapshot.named(&target).is_some() || self.script.defines(&target.schema, &target.name).is_some();
        if is_taken {
            return Err(already_exists(&target.name));
        }
        self.script.rename(&from, &target);
        Ok(())
    }
}
