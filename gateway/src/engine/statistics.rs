//! ANALYZE.
//!
//! Owns: which tables it may be asked of. What is known of the rows of a table is known of its files, as they are when they are
//! found: there is nothing to be brought up to date. <https://www.postgresql.org/docs/15/sql-analyze.html>

use sqlparser::ast::Analyze;

use super::scope::{Found, Scope, undefined_table};
use crate::error::{Error, Result, SqlState};

/// Refuses a table that does not exist (42P01) or may not be read (42501), and what is not PostgreSQL's.
pub(super) fn check(scope: &Scope, asked: &Analyze) -> Result<()> {
    let is_of_others = asked.has_table_keyword
        || asked.partitions.is_some()
        || asked.for_columns
        || asked.cache_metadata
        || asked.noscan
        || asked.compute_statistics;
    if is_of_others {
        return Err(Error::new(SqlState::SyntaxError, "ANALYZE takes the name of a table only"));
    }
    if !asked.columns.is_empty() {
        return Err(Error::unsupported("ANALYZE of columns is not supported"));
    }
    let Some(name) = &asked.table_name else { return Ok(()) };
    match scope.find(name) {
        None => Err(undefined_table(name)),
        Some(Found::Lake(found) | Found::Earlier { table: found, .. }) => scope.rights().read(&found).map(drop),
        Some(Found::Catalog { .. }) => Ok(()),
    }
}
