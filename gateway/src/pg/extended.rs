//! The extended query protocol: Parse, Bind, Describe, Execute, Close.
//!
//! Owns: what each message asks of the named statements and portals, and PostgreSQL's words for what is wrong with it.
//! Must never know: how rows are encoded or sent.

use std::sync::Arc;

use datafusion::scalar::ScalarValue;

use super::backend::{self, Signal};
use super::connection::{Connection, Step};
use super::encode::{Format, RowEncoder};
use super::message::{Bind, Target};
use super::portal::{Portal, Rows, Run, State};
use super::{params, types};
use crate::engine::{Copy, Incoming, Outcome, Outgoing, Prepared, QueryStream, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::transaction::{self, Status};
use crate::session::vars::Display;
use crate::session::{NamedStatement, StatementGuard};

/// PostgreSQL's pseudo-type of a literal whose type nobody said.
const UNKNOWN_OID: u32 = 705;

impl Connection {
    pub(super) async fn parse(&mut self, name: String, sql: String, declared: Vec<u32>) -> Step {
        if name.is_empty() {
            // Even a Parse that fails ends the unnamed statement before it.
            self.session.statements().remove("");
        }
        let text_bytes = sql.len();
        self.session.statements().may_add(&name, text_bytes)?;
        let guard = self.session.begin_statement();
        let mut parsed = self.parse_text(&guard, sql).await?;
        let statement = parsed.pop();
        if !parsed.is_empty() {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Error::new(SqlState::SyntaxError, message).into());
        }
        let prepared = match statement {
            None => None,
            Some(statement) => {
                let types: Vec<_> = declared.iter().map(|oid| types::field_of(*oid)).collect();
                let (engine, session) = (Arc::clone(&self.engine), Arc::clone(&self.session));
                Some(Arc::new(self.watch(&guard, engine.prepare(&session, &guard, statement, &types)).await?))
            }
        };
        self.session.statements().add(
            name,
            NamedStatement {
                prepared,
                declared,
                text_bytes,
                prepared_at: std::time::SystemTime::now(),
                from_sql: false,
            },
        )?;
        backend::signal(&mut self.wire.output, Signal::ParseComplete);
        Ok(())
    }

    pub(super) fn bind(&mut self, bind: Bind) -> Step {
        let statement = self.session.statements().get(&bind.statement)?;
        let oids = param_oids(&statement);
        let expected = oids.len();
        let formats = formats(&bind.param_formats, bind.params.len()).map_err(|error| match error {
            BadFormats::Code(code) => unsupported_format(code),
            BadFormats::Count(count) => {
                violation(format!("bind message has {count} parameter formats but {} parameters", bind.params.len()))
            }
        })?;
        if bind.params.len() != expected {
            return Err(violation(format!(
                "bind message supplies {} parameters, but prepared statement \"{}\" requires {expected}",
                bind.params.len(),
                bind.statement
            ))
            .into());
        }
        let values = match &statement.prepared {
            Some(prepared) => values(&bind, &formats, &oids, prepared, &self.display())?,
            None => Vec::new(),
        };
        let columns = match &statement.prepared {
            Some(prepared) if prepared.returns_rows => prepared.columns.fields().len(),
            Some(_) | None => 0,
        };
        let formats = result_formats(&bind.result_formats, columns)?;
        let portal = Portal { prepared: statement.prepared, formats, state: State::Bound(values) };
        self.portals.add(bind.portal, portal)?;
        backend::signal(&mut self.wire.output, Signal::BindComplete);
        Ok(())
    }

    pub(super) fn describe(&mut self, target: &Target) -> Step {
        let (prepared, formats) = match target {
            Target::Statement(name) => {
                let statement = self.session.statements().get(name)?;
                backend::parameter_description(&mut self.wire.output, &param_oids(&statement))?;
                (statement.prepared, Vec::new())
            }
            Target::Portal(name) => {
                // A cursor of DECLARE is a portal in PostgreSQL; libpq's server cursors describe it.
                let cursor = self.session.cursors().get(name).cloned();
                if let Some(cursor) = cursor.filter(|_| !self.portals.has(name)) {
                    backend::row_description(&mut self.wire.output, &cursor.columns, &[], &[])?;
                    return Ok(());
                }
                let portal = self.portals.get(name)?;
                (portal.prepared.clone(), portal.formats.clone())
            }
        };
        match &prepared {
            Some(prepared) if prepared.returns_rows => {
                backend::row_description(&mut self.wire.output, &prepared.columns, &prepared.origins(), &formats)?;
            }
            Some(_) | None => backend::signal(&mut self.wire.output, Signal::NoData),
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, name: String, rows_max: usize) -> Step {
        let (mut portal, place) = self.portals.take(&name)?;
        // A portal that fails stays out: its transaction has failed, and its rows are freed now.
        self.run_portal(&name, &mut portal, rows_max).await?;
        self.portals.put_back(name, portal, place);
        Ok(())
    }

    async fn run_portal(&mut self, name: &str, portal: &mut Portal, rows_max: usize) -> Step {
        let Some(prepared) = portal.prepared.clone() else {
            backend::signal(&mut self.wire.output, Signal::EmptyQueryResponse);
            return Ok(());
        };
        let before = self.session.transaction().status;
        let guard = self.session.begin_statement();
        let mut run = match std::mem::replace(&mut portal.state, State::Done) {
            State::Bound(values) => match self.start(portal, values, &guard, rows_max).await? {
                Started::Rows(run) => run,
                Started::Done(tag) => return self.complete(&tag, 0, before),
                Started::CopyIn(rows) => return self.copy_in(*rows, &guard, before).await,
                Started::CopyTo(rows) => return self.copy_to(*rows, &guard, before).await,
                Started::Copy(stream, how) => return self.copy_out(stream, *how, &guard, before).await,
            },
            State::Suspended(_) if before == Status::Failed => return Err(transaction::aborted().into()),
            State::Suspended(run) => *run,
            State::Done if prepared.returns_rows => return self.complete(&prepared.tag, 0, before),
            State::Done => {
                let message = format!("portal \"{name}\" cannot be run");
                return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message).into());
            }
        };
        let sent = self.send_rows(&mut run, &guard, rows_max).await?;
        if rows_max != 0 && sent >= rows_max as u64 {
            // As in PostgreSQL, also when no row is left: the next Execute then gives `SELECT 0`.
            backend::signal(&mut self.wire.output, Signal::PortalSuspended);
            portal.state = State::Suspended(Box::new(run));
            return Ok(());
        }
        self.complete(&run.tag, sent, before)
    }

    /// Begins what a portal holds; with a limit of rows it may go on after this message.
    pub(super) async fn start(
        &mut self,
        portal: &Portal,
        values: Vec<ScalarValue>,
        guard: &StatementGuard,
        rows_max: usize,
    ) -> Step<Started> {
        let Some(prepared) = portal.prepared.clone() else { return Ok(Started::Done(Tag::command(""))) };
        let limits = portal_guard(guard, rows_max);
        let (engine, session) = (Arc::clone(&self.engine), Arc::clone(&self.session));
        let outcome = self.watch(guard, engine.execute(&session, &limits, &prepared, values)).await?;
        Ok(match outcome {
            Outcome::Done(tag) => Started::Done(tag),
            Outcome::CopyIn(rows) => Started::CopyIn(rows),
            Outcome::CopyTo(rows) => Started::CopyTo(rows),
            Outcome::Copy { stream, copy, tag } => Started::Copy(stream, Box::new((copy, tag))),
            Outcome::Rows { stream, tag } => {
                let encoder = RowEncoder::of(&stream, &portal.formats, &self.display())?;
                Started::Rows(Run { rows: Rows::new(stream), encoder: Arc::new(encoder), tag, copy: None })
            }
        })
    }

    pub(super) fn close(&mut self, target: &Target) -> Step {
        match target {
            Target::Statement(name) => self.session.statements().remove(name),
            Target::Portal(name) => {
                if !self.portals.remove(name) {
                    self.session.cursors().remove(name);
                }
            }
        }
        backend::signal(&mut self.wire.output, Signal::CloseComplete);
        Ok(())
    }
}

/// What a portal became when it was executed first.
pub(super) enum Started {
    Rows(Run),
    Copy(QueryStream, Box<(Copy, Tag)>),
    CopyIn(Box<Incoming>),
    CopyTo(Box<Outgoing>),
    Done(Tag),
}

/// What ends the engine's side of an execution. A portal that may be suspended outlives the Execute that began it, so
/// it must not end with that Execute's deadline or cancel request; `send_rows` holds each Execute to its own.
fn portal_guard(guard: &StatementGuard, rows_max: usize) -> StatementGuard {
    match rows_max {
        0 => guard.clone(),
        _ => guard.unbounded(),
    }
}

/// The client's own types, the inferred ones where it named none.
fn param_oids(statement: &NamedStatement) -> Vec<u32> {
    let inferred = statement.prepared.as_ref().map_or(&[][..], |prepared| &prepared.param_types);
    (0..statement.declared.len().max(inferred.len()))
        .map(|index| match (statement.declared.get(index), inferred.get(index)) {
            (Some(oid), _) if *oid != 0 && *oid != UNKNOWN_OID => *oid,
            (_, Some(field)) => types::oid_of(field),
            (_, None) => types::TEXT,
        })
        .collect()
}

/// Decodes the parameters that the statement uses; a client may declare and send more.
fn values(
    bind: &Bind,
    formats: &[Format],
    oids: &[u32],
    prepared: &Prepared,
    display: &Display,
) -> Result<Vec<ScalarValue>> {
    prepared
        .param_types
        .iter()
        .zip(oids)
        .zip(bind.params.iter().zip(formats))
        .map(|((target, oid), (value, format))| params::decode_as(value.as_deref(), *format, *oid, target, display))
        .collect()
}

enum BadFormats {
    Count(usize),
    Code(i16),
}

/// No code is text for all, one code is for all, else there is one each.
fn formats(codes: &[i16], count: usize) -> Result<Vec<Format>, BadFormats> {
    match codes {
        [] => Ok(vec![Format::Text; count]),
        [code] => Ok(vec![format(*code)?; count]),
        codes if codes.len() == count => codes.iter().map(|code| format(*code)).collect(),
        codes => Err(BadFormats::Count(codes.len())),
    }
}

fn format(code: i16) -> Result<Format, BadFormats> {
    match code {
        0 => Ok(Format::Text),
        1 => Ok(Format::Binary),
        code => Err(BadFormats::Code(code)),
    }
}

fn result_formats(codes: &[i16], columns: usize) -> Result<Vec<Format>> {
    formats(codes, columns).or_else(|error| match error {
        // Without a result there is nothing that the codes could disagree with.
        BadFormats::Count(_) if columns == 0 => Ok(Vec::new()),
        BadFormats::Count(count) => {
            Err(violation(format!("bind message has {count} result formats but query has {columns} columns")))
        }
        BadFormats::Code(code) => Err(unsupported_format(code)),
    })
}

fn unsupported_format(code: i16) -> Error {
    Error::new(SqlState::InvalidParameterValue, format!("unsupported format code: {code}"))
}

fn violation(message: String) -> Error {
    Error::new(SqlState::ProtocolViolation, message)
}
