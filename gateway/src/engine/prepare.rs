//! Which way each kind of statement goes.
//!
//! Owns: that a statement is planned before it runs, whatever it does.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use sqlparser::ast::{CopyTarget, Statement as Ast};

use super::{
    Core, Prepared, Statement, copy, cursor, define, explain, lock, matview, named, no_columns, plan, statistics, write,
};
use crate::error::Result;
use crate::session::{Session, command};

impl Core {
    /// Runs on a planner's thread as a whole: a busy worker must not keep others from planning.
    pub(super) async fn prepare(
        self: Arc<Self>,
        session: Arc<Session>,
        statement: Statement,
        declared: Vec<Option<FieldRef>>,
    ) -> Result<Prepared> {
        let ast = Arc::clone(&statement.ast);
        if write::is_write(&ast) {
            return Box::pin(write::prepare(self, session, statement, declared)).await;
        }
        match ast.as_ref() {
            Ast::Query(query) => {
                let planned = plan::query(self, session, query.clone(), Arc::clone(&statement.message), declared);
                Ok(Prepared::query(statement, planned.await?))
            }
            Ast::Explain { statement: explained, analyze, verbose, format, options, .. } => {
                let how = explain::how(*analyze, *verbose, format.as_ref(), options.as_deref())?;
                let query = match explained.as_ref() {
                    Ast::Query(query) => query,
                    Ast::Execute { .. } => {
                        let execute = Statement { ast: Arc::new(explained.as_ref().clone()), ..statement.clone() };
                        let executed = named::execute(self, session, execute).await?;
                        return executed.explained(how).ok_or_else(|| plan::refuse(&statement));
                    }
                    Ast::Msck(asked) => {
                        let view = asked.table_name.clone();
                        return Ok(Prepared::matview(statement, matview::Command::Explain { view }));
                    }
                    Ast::CreateView(create) if create.materialized && !analyze => {
                        return Ok(Prepared::matview(statement, matview::Command::ExplainCreate));
                    }
                    _ => return Err(plan::refuse(&statement)),
                };
                let planned = plan::query(self, session, query.clone(), Arc::clone(&statement.message), declared);
                Ok(Prepared::explain(statement, planned.await?, how))
            }
            Ast::Declare { stmts } => {
                let declare = cursor::declare(&session, stmts)?;
                let message = Arc::clone(&statement.message);
                let planned = plan::query(self, session, declare.query, message, declared).await?;
                Ok(Prepared::declare(statement, declare.name, declare.options, planned))
            }
            Ast::Fetch { name, direction, into: None, .. } => {
                let fetch = cursor::fetch(name, direction, statement.is_move)?;
                let cursor = cursor::find(&session, &fetch.cursor)?;
                Ok(Prepared::fetch(statement, cursor, fetch))
            }
            Ast::Copy { source, to: true, target: CopyTarget::Stdout, options, legacy_options, .. } => {
                let message = Arc::clone(&statement.message);
                let planned = plan::query(self, session, Box::new(copy::query(source)), message, declared).await?;
                let copy = copy::how(options, legacy_options, &planned.columns)?;
                Ok(Prepared::copy(statement, copy, planned))
            }
            Ast::Prepare { .. } => named::prepare(self, session, statement).await,
            Ast::Execute { .. } => named::execute(self, session, statement).await,
            Ast::ShowVariable { variable } => {
                let columns = command::show_columns(variable);
                Ok(Prepared::command(statement, columns))
            }
            Ast::Lock(asked) => {
                lock::check(&self.scope(&session, &statement.message), asked)?;
                Ok(Prepared::command(statement, no_columns()))
            }
            Ast::Analyze(asked) => {
                statistics::check(&self.scope(&session, &statement.message), asked)?;
                Ok(Prepared::command(statement, no_columns()))
            }
            Ast::Msck(asked) => match matview::Command::of(asked, statement.ending)? {
                Some(refresh) => Ok(Prepared::matview(statement, refresh)),
                None if asked.partition_action.is_none() => Ok(Prepared::refresh(statement, asked.table_name.clone())),
                None => Err(plan::refuse(&statement)),
            },
            Ast::CreateView(create) if create.materialized => {
                let with_data = !statement.is_without_data;
                Ok(Prepared::matview(statement, matview::Command::Create { with_data }))
            }
            other if command::is_command(other) => Ok(Prepared::command(statement, no_columns())),
            other => match define::command(other) {
                Some(command) => Ok(Prepared::define(statement, command)),
                None => Err(plan::refuse(&statement)),
            },
        }
    }
}
