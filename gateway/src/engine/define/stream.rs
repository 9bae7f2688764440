//! CREATE STREAM, ALTER STREAM and DROP STREAM. The table of a stream is made with it, and stays when it goes.
//!
//! Owns: that a stream reads no brokers but those of the configuration. Must never know: how it runs.

use std::sync::Arc;

use catalog::{Name, Stream, StreamFault};
use sqlparser::ast::{AlterTable, AlterTableOperation, CreateTable, ObjectName};

use super::{Change, may_define, wrong};
use crate::engine::streams;
use crate::error::{Error, Result, SqlState};
use crate::session::Notice;

impl Change {
    pub(super) async fn create_stream(&mut self, create: &CreateTable) -> Result<()> {
        if self.session.transaction().is_in_block() {
            let message = "CREATE STREAM cannot run inside a transaction block";
            return Err(Error::new(SqlState::ActiveSqlTransaction, message));
        }
        let name = self.scope.new_name(&create.name)?;
        if self.scope.snapshot.stream(&name).is_some() || self.script.has_stream(&name) {
            let message = format!("stream \"{}\" already exists", name.name);
            if !create.if_not_exists {
                return Err(Error::new(SqlState::DuplicateObject, message));
            }
            self.notices.push(Notice::note(SqlState::DuplicateObject, format!("{message}, skipping")));
            return Ok(());
        }
        let stream = Stream::read(name, &self.statement.text).map_err(|fault| match fault {
            StreamFault::Syntax(reason) => {
                let reason = reason.split(" at Line:").next().unwrap_or_default();
                Error::new(SqlState::SyntaxError, "syntax error in CREATE STREAM").detail(format!("{reason}."))
            }
            StreamFault::Options(reason) => wrong(reason),
        })?;
        let stream = Arc::new(stream);
        self.core.streams.brokers(&stream)?;
        self.core.lake.may_make(&stream.table)?;
        streams::make(Arc::clone(&self.core), Arc::clone(&self.session), Arc::clone(&stream)).await?;
        self.script.define_stream(&stream).map_err(Error::internal)
    }

    pub(super) fn alter_stream(&mut self, alter: &AlterTable) -> Result<()> {
        let Some(stream) = self.stream(&alter.name, alter.if_exists, "alter")? else { return Ok(()) };
        let is_paused = matches!(alter.operations.as_slice(), [AlterTableOperation::Suspend]);
        let mut changed = stream.as_ref().clone();
        changed.options = stream.options.paused(is_paused);
        self.script.define_stream(&changed).map_err(Error::internal)
    }

    pub(super) fn drop_stream(&mut self, name: &ObjectName, if_exists: bool) -> Result<()> {
        if let Some(stream) = self.stream(name, if_exists, "drop")? {
            self.script.drop_stream(&stream.name);
        }
        Ok(())
    }

    /// The stream of a name, if SQL has defined it; `None` if there is none and the statement passes over that.
    fn stream(&mut self, name: &ObjectName, if_exists: bool, verb: &str) -> Result<Option<Arc<Stream>>> {
        may_define(&self.core, &self.session)?;
        let name = self.scope.new_name(name)?;
        let Some(stream) = self.scope.snapshot.stream(&name) else {
            let message = format!("stream \"{}\" does not exist", name.name);
            if !if_exists {
                return Err(Error::new(SqlState::UndefinedObject, message));
            }
            self.notices.push(Notice::note(SqlState::SuccessfulCompletion, format!("{message}, skipping")));
            return Ok(None);
        };
        if let Some(file) = stream.file() {
            let message = format!("cannot {verb} stream \"{}\"", name.name);
            return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message)
                .detail(format!("The file sql/{file} defines it."))
                .hint("Change the file."));
        }
        Ok(Some(Arc::clone(stream)))
    }

    /// A table does not go while a stream fills it.
    pub(super) fn refuse_streamed(&self, table: &Name) -> Result<()> {
        let Some(stream) = self.scope.snapshot.streams.iter().find(|stream| stream.table == *table) else {
            return Ok(());
        };
        let message = format!("cannot drop table {} because other objects depend on it", table.name);
        Err(Error::new(SqlState::DependentObjectsStillExist, message)
            .detail(format!("stream {} depends on table {}", stream.name.name, table.name))
            .hint("Use DROP STREAM first."))
    }
}
