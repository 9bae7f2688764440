//! LOCK TABLE.
//!
//! Owns: which locks may be asked for. ACCESS SHARE keeps others from changing a table, which nobody can here, so it is
//! held as soon as it is asked for; the others need the right to write. Must never know: a transaction.
//! <https://www.postgresql.org/docs/16/sql-lock.html>

use sqlparser::ast::{Lock, LockTableMode};

use super::scope::{Found, Scope, undefined_table};
use crate::error::{Error, Result, SqlState};

/// Refuses tables that do not exist (42P01) and locks that only a writer may take (42501).
pub(super) fn check(scope: &Scope, lock: &Lock) -> Result<()> {
    for table in &lock.tables {
        match scope.find(&table.name) {
            None => return Err(undefined_table(&table.name)),
            Some(Found::Lake(found) | Found::Earlier { table: found, .. }) => drop(scope.rights().read(&found)?),
            Some(Found::Catalog { .. }) => {}
        }
        if lock.lock_mode != Some(LockTableMode::AccessShare) {
            let message = format!("permission denied for table {}", table.name);
            return Err(Error::new(SqlState::InsufficientPrivilege, message)
                .hint("The lake is read-only: only LOCK TABLE ... IN ACCESS SHARE MODE is allowed."));
        }
    }
    Ok(())
}
