//! The simple query protocol: a text with any number of statements, each answered before the next begins.
//!
//! Owns: the order of the answers. Results are text, but those of binary cursors. Must never know: how rows are encoded or sent.

use std::sync::Arc;

use super::backend::{self, Signal};
use super::connection::{Connection, Step};
use super::encode::{Format, RowEncoder};
use super::portal::{Rows, Run};
use crate::engine::{Outcome, Statement};
use crate::error::{Error, SqlState};
use crate::session::StatementGuard;

impl Connection {
    /// Runs the statements of a text. The first error ends it; the caller tells the error.
    pub(super) async fn query(&mut self, sql: String) -> Step {
        // As in PostgreSQL, a simple query does away with the unnamed statement and portal.
        self.session.statements().remove("");
        self.portals.remove("");
        let guard = self.session.begin_statement();
        let statements = self.parse_text(&guard, sql).await?;
        if statements.is_empty() {
            backend::signal(&mut self.wire.output, Signal::EmptyQueryResponse);
        }
        for statement in statements {
            self.run_statement(statement).await?;
        }
        Ok(())
    }

    pub(super) async fn parse_text(&mut self, guard: &StatementGuard, sql: String) -> Step<Vec<Statement>> {
        let engine = Arc::clone(&self.engine);
        self.watch(guard, engine.parse(sql)).await
    }

    async fn run_statement(&mut self, statement: Statement) -> Step {
        if let Some(fetch) = statement.fetch()?
            && self.fetches_portal(&fetch)
        {
            return self.fetch_portal(&fetch).await;
        }
        // Each statement has its own deadline, as in PostgreSQL since 13.
        let guard = self.session.begin_statement();
        let before = self.session.transaction().status;
        let (engine, session) = (Arc::clone(&self.engine), Arc::clone(&self.session));
        let prepared = self.watch(&guard, engine.prepare(&session, &guard, statement, &[])).await?;
        if !prepared.param_types.is_empty() {
            return Err(Error::new(SqlState::UndefinedParameter, "there is no parameter $1").into());
        }
        let outcome = self.watch(&guard, engine.execute(&session, &guard, &prepared, Vec::new())).await?;
        match outcome {
            Outcome::Done(tag) => self.complete(&tag, 0, before),
            Outcome::Copy { stream, copy, tag } => self.copy_out(stream, (copy, tag), &guard, before).await,
            Outcome::CopyIn(rows) => self.copy_in(*rows, &guard, before).await,
            Outcome::CopyTo(rows) => self.copy_to(*rows, &guard, before).await,
            Outcome::Rows { stream, tag } => {
                let format = if prepared.is_binary() { Format::Binary } else { Format::Text };
                let formats = vec![format; prepared.columns.fields().len()];
                let encoder = Arc::new(RowEncoder::of(&stream, &formats, &self.display())?);
                backend::row_description(&mut self.wire.output, &prepared.columns, &prepared.origins(), &formats)?;
                let mut run = Run { rows: Rows::new(stream), encoder, tag, copy: None };
                let rows = self.send_rows(&mut run, &guard, 0).await?;
                self.complete(&run.tag, rows, before)
            }
        }
    }
}
