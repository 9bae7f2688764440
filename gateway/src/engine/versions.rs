//! Earlier versions of tables, as a statement names them (`tokens/versions`).
//!
//! Owns: what the text of a version means to a session. Must never know: how a version is read.

use std::sync::Arc;

use catalog::{AsOf, Kind, Table};
use chrono::DateTime;
use datafusion::catalog::TableProvider;
use sqlparser::ast::ObjectName;
use udfs::pg::moment;

use super::scope::undefined_table;
use super::tokens::versions::{Written, split};
use crate::error::{Error, Result, SqlState};
use crate::session::Session;

/// A table as it was. A moment without a zone is of the session's.
pub(super) async fn provider(table: &Table, version: &Written, session: &Session) -> Result<Arc<dyn TableProvider>> {
    if let Kind::View(_) = table.kind {
        return Err(none("view", &table.name));
    }
    let as_of =
        match version {
            Written::Version(text) => AsOf::Version(text.parse().map_err(|_| {
                let message = format!("invalid version \"{text}\" of table \"{}\"", table.name);
                Error::new(SqlState::InvalidParameterValue, message).detail("Versions are numbers from 0.")
            })?),
            Written::Time(text) => {
                let display = session.vars().display();
                let micros = moment::instant(text, display.date_style.order(), display.time_zone)?;
                let time = micros.and_then(DateTime::from_timestamp_micros);
                AsOf::Time(time.ok_or_else(|| {
                    Error::new(SqlState::InvalidParameterValue, format!("no version is of \"{text}\""))
                })?)
            }
        };
    Ok(table.provider_as_of(as_of).await?)
}

/// What a name with a version leads to that is no table: a relation of the server, or nothing.
pub(super) fn refuse(name: &ObjectName, is_there: bool) -> Result<()> {
    match split(name) {
        None => Ok(()),
        Some((plain, _)) if is_there => Err(none("system catalog", &plain.to_string())),
        Some((plain, _)) => Err(undefined_table(&plain)),
    }
}

fn none(kind: &str, name: &str) -> Error {
    Error::unsupported(format!("{kind} \"{name}\" has no versions")).hint("Delta tables have versions.")
}
