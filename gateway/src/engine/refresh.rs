//! REFRESH TABLE: the lake is listed now, instead of at the next poll or event.
//!
//! Owns: what may be refreshed. Must never know: how a lake is listed.

use std::sync::Arc;

use catalog::Privilege;
use sqlparser::ast::ObjectName;

use super::authorize::Need;
use super::define::name_of;
use super::scope::{Found, undefined_table};
use super::{Core, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::Session;

/// Lists the lake, so that the next statement sees the table's files as they are. A table that appears by it is no error;
/// one that is not there then is 42P01. A store that does not answer is its own error, and nothing changes.
pub(super) async fn table(
    core: &Arc<Core>,
    session: &Arc<Session>,
    name: &ObjectName,
    message: &Arc<str>,
) -> Result<Tag> {
    let scope = core.scope(session, message);
    // One that is not there yet is meant by its name.
    let meant = match scope.find(name) {
        Some(Found::Lake(table)) => Some(name_of(&table)),
        _ => scope.new_name(name).ok(),
    };
    drop(scope);
    if let Some(name) = meant {
        core.allow(session, &[Need::On(name, Privilege::Maintain)])?;
    }
    core.lake.refresh().await?;
    match core.scope(session, message).find(name) {
        Some(Found::Lake(_)) => Ok(Tag::command("REFRESH TABLE")),
        Some(_) => Err(Error::new(SqlState::WrongObjectType, format!("\"{name}\" is not a table of the lake"))),
        None => Err(undefined_table(name)),
    }
}
