//! `POST /console/api/query`: a text with any number of statements, and their rows as lines of JSON.
//!
//! ```text
//! {"columns":[{"name":"n","type":"int8"}],"pid":7}     of each statement that gives rows
//! {"rows":[["1"],[null]]}                              values as PostgreSQL's texts
//! {"done":{"tag":"SELECT 2","rows":2,"truncated":false,"seconds":0.01,"notices":[]}}
//! {"error":{"sqlstate":"22012","message":"division by zero",...}}    the last line, if it is there
//! ```
//!
//! Owns: how many rows a page gets. A browser that goes away takes its statement along. The first failure, before any line, is
//! the answer itself.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::{self, Failure};
use super::login::malformed;
use super::rows::Cells;
use super::session::{Given, Seat};
use crate::engine::{Count, QueryStream, Statement, Tag};
use crate::error::{Error, Result};

/// Rows that a page gets unless it asks for fewer or more, and the most.
const ROWS: usize = 1_000;
const ROWS_MAX: usize = 100_000;
/// The bytes of all of them.
const BYTES_MAX: usize = 32 << 20;
/// Rows of a line.
const LINE_ROWS: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    sql: String,
    #[serde(default = "rows")]
    rows_max: usize,
    /// What the session is called in `pg_stat_activity` and `system.queries`.
    #[serde(default = "application")]
    application_name: String,
}

fn rows() -> usize {
    ROWS
}

fn application() -> String {
    "Lakegate console".to_owned()
}

pub(super) async fn query(
    Shared(console): Shared<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let visitor = console.visitor_of_page(&headers, None)?;
    let asked: Asked = serde_json::from_slice(&body).map_err(|_| malformed())?;
    let seat = console.seat(&visitor.login, peer, &asked.application_name)?;
    let statements = console.engine.parse(asked.sql).await?.into();
    let rows_max = asked.rows_max.min(ROWS_MAX);
    let mut run =
        Run { console: Arc::clone(&console), seat, statements, current: None, rows_max, bytes_left: BYTES_MAX };
    let first = run.line().await?;
    let lines = stream::unfold(Some((first, run)), |state| async move {
        let (ready, mut run) = state?;
        let line = match ready {
            Some(line) => line,
            None => match run.line().await {
                Ok(line) => line?,
                Err(error) => return Some((Ok(text(&json!({ "error": failure::report(&error) })).into()), None)),
            },
        };
        Some((Ok::<Bytes, Error>(line.into()), Some((None, run))))
    });
    let lines = console.streams.watch(lines.boxed());
    let answer = ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response();
    Ok(visitor.answer(answer))
}

/// The statements of one request.
struct Run {
    console: Arc<Console>,
    seat: Seat,
    statements: VecDeque<Statement>,
    current: Option<Current>,
    rows_max: usize,
    bytes_left: usize,
}

/// The statement whose rows are sent.
struct Current {
    stream: Box<QueryStream>,
    tag: Tag,
    cells: Arc<Cells>,
    /// What of the last batch was not sent.
    rest: Option<RecordBatch>,
    rows: usize,
    began_at: Instant,
}

impl Run {
    /// The next line; `None` behind the last.
    async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        if let Some(mut current) = self.current.take() {
            return match self.rows(&mut current).await? {
                Some(line) => {
                    self.current = Some(current);
                    Ok(Some(line))
                }
                None => Ok(Some(self.done(current))),
            };
        }
        let Some(statement) = self.statements.pop_front() else { return Ok(None) };
        let began_at = Instant::now();
        let (guard, prepared) = self.console.prepare(&self.seat, statement).await.inspect_err(|_| self.fail())?;
        match self.console.execute(&self.seat, &guard, &prepared).await.inspect_err(|_| self.fail())? {
            Given::Done(tag) => {
                let rows = if let Count::Changed(rows) = tag.count { rows } else { 0 };
                Ok(Some(self.told(&tag.command, rows, (false, began_at))))
            }
            Given::Rows(stream, tag) => {
                let output = self.console.engine.output(&self.seat.session.vars().display());
                let cells = Arc::new(Cells::of(&stream, output));
                let line = text(&json!({ "columns": cells.described(), "pid": self.seat.session.id }));
                self.current = Some(Current { stream, tag, cells, rest: None, rows: 0, began_at });
                Ok(Some(line))
            }
        }
    }

    /// The next rows; `None` if there are no more, or no more are wanted.
    async fn rows(&mut self, current: &mut Current) -> Result<Option<Vec<u8>>> {
        let batch = loop {
            let batch = match current.rest.take() {
                Some(rest) => rest,
                None => match current.stream.next().await.transpose().inspect_err(|_| self.fail())? {
                    Some(batch) => batch,
                    None => return Ok(None),
                },
            };
            if batch.num_rows() > 0 {
                break batch;
            }
        };
        let wanted = self.rows_max.saturating_sub(current.rows).min(LINE_ROWS);
        if wanted == 0 || self.bytes_left == 0 {
            current.rest = Some(batch);
            return Ok(None);
        }
        let count = batch.num_rows().min(wanted);
        let (cells, rows) = (Arc::clone(&current.cells), batch.slice(0, count));
        current.rest = Some(batch.slice(count, batch.num_rows() - count));
        current.rows += count;
        let encode = move || {
            let mut line = b"{\"rows\":".to_vec();
            cells.json(&rows, &mut line)?;
            line.extend_from_slice(b"}\n");
            Ok::<_, Error>(line)
        };
        let line: Vec<u8> = self.console.engine.on_cpu(encode).await.flatten().inspect_err(|_| self.fail())?;
        self.bytes_left = self.bytes_left.saturating_sub(line.len());
        if let Some(entry) = current.stream.entry() {
            entry.add_sent(line.len());
        }
        Ok(Some(line))
    }

    /// The end of a statement that gave rows.
    fn done(&self, mut current: Current) -> Vec<u8> {
        let is_truncated = current.rest.as_ref().is_some_and(|rest| rest.num_rows() > 0);
        // Who wanted no more is no failure.
        current.stream.close();
        let (command, rows) = (&current.tag.command, current.rows as u64);
        let tag = if current.tag.count == Count::Sent { format!("{command} {rows}") } else { command.to_string() };
        self.told(&tag, rows, (is_truncated, current.began_at))
    }

    fn told(&self, tag: &str, rows: u64, (truncated, began_at): (bool, Instant)) -> Vec<u8> {
        self.seat.session.activity().end();
        let seconds = began_at.elapsed().as_secs_f64();
        let notices = self.seat.notices();
        text(&json!({ "done": {
            "tag": tag, "rows": rows, "truncated": truncated, "seconds": seconds, "notices": notices,
        } }))
    }

    fn fail(&self) {
        self.seat.session.transaction().fail();
        self.seat.session.activity().end();
    }
}

fn text(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}
