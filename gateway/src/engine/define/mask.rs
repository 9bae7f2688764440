//! CREATE and DROP MASK: kept in the lake, beside what the roles file says.
//!
//! Owns: that roles, tables and columns exist, that no two masks say what one role sees, and that what the roles file declares is
//! changed there alone. Must never know: what a mask shows.

use catalog::{ColumnMask, Name, read_mask};
use datafusion::datasource::provider_as_source;
use sqlparser::ast::{AlterTable, ObjectName};

use super::Change;
use super::policy::of_roles_file;
use super::target::name_of;
use crate::engine::parse::{self, Mask};
use crate::engine::scope::view_of;
use crate::engine::{matview, row_security, zone};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, fold};

/// The command tag of a statement about a mask.
pub(super) fn command(alter: &AlterTable) -> Option<&'static str> {
    parse::of_mask(alter).map(|about| match about {
        Mask::Create => "CREATE MASK",
        Mask::Drop { .. } => "DROP MASK",
    })
}

impl Change {
    pub(super) async fn change_mask(&mut self, alter: &AlterTable) -> Result<()> {
        self.policies_in_force()?;
        match parse::of_mask(alter) {
            Some(Mask::Create) => self.create_mask().await,
            Some(Mask::Drop { name, if_exists }) => self.drop_mask(&alter.name, &fold(name), if_exists),
            None => Err(Error::internal("a statement about no mask")),
        }
    }

    async fn create_mask(&mut self) -> Result<()> {
        let syntax = |error: sqlparser::parser::ParserError| Error::new(SqlState::SyntaxError, error.to_string());
        let mut written = read_mask(&self.statement.text, Some(self.session.user())).map_err(syntax)?;
        let table = self.secured(&written.on)?;
        self.check_roles(&mut written.to)?;
        let mask = written.mask(name_of(&table), self.scope.search_path().to_vec());
        if self.masks(&mask.on).any(|known| known.name == mask.name) {
            let message = format!("mask \"{}\" for table \"{}\" already exists", mask.name, mask.on.name);
            return Err(Error::new(SqlState::DuplicateObject, message));
        }
        if let Some(known) = self.masks(&mask.on).find(|known| known.is_against(&mask)) {
            let message = format!("column \"{}\" of table \"{}\" already has a mask", mask.column, mask.on.name);
            return Err(Error::new(SqlState::DuplicateObject, message)
                .detail(format!("The mask \"{}\" is for the same role.", known.name))
                .hint("Drop it first, or say in one expression what each role sees."));
        }
        if view_of(&table).is_some() {
            return Err(matview::not_populated(&table.name));
        }
        let source = zone::localized(provider_as_source(table.provider().await?), &self.session)?;
        row_security::try_mask(&self.core, &self.session, &self.scope, (source, &mask)).await?;
        self.script.create_mask(mask);
        Ok(())
    }

    fn drop_mask(&mut self, written: &ObjectName, name: &str, if_exists: bool) -> Result<()> {
        let table = self.secured(written)?;
        let on = name_of(&table);
        if self.script.mask(&on, name).is_some() {
            self.script.drop_mask(&on, name);
            return Ok(());
        }
        if self.masks(&on).any(|known| known.name == name) {
            return Err(of_roles_file(format!("cannot drop mask \"{name}\" for table \"{}\"", on.name)));
        }
        let message = format!("mask \"{name}\" for table \"{}\" does not exist", on.name);
        if !if_exists {
            return Err(Error::new(SqlState::UndefinedObject, message));
        }
        self.notices.push(Notice::note(SqlState::SuccessfulCompletion, format!("{message}, skipping")));
        Ok(())
    }

    /// The masks on a table, of SQL and of the roles file.
    fn masks(&self, on: &Name) -> impl Iterator<Item = ColumnMask> + use<> {
        let base = self.core.base_access();
        let of_file = base.secured(on).map(|secured| secured.masks.clone()).unwrap_or_default();
        let of_sql: Vec<ColumnMask> = self.script.masks().filter(|mask| mask.on == *on).cloned().collect();
        of_file.into_iter().chain(of_sql)
    }
}
