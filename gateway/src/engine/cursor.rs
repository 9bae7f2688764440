//! DECLARE, FETCH, MOVE: a query whose rows a client takes in portions by SQL.
//!
//! Owns: the rows not yet taken. They are never kept: a cursor reads forward only, as PostgreSQL's NO SCROLL.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use sqlparser::ast::{Declare, DeclareType, FetchDirection, Ident, Query, Value, ValueWithSpan};
use tokio::sync::Mutex;

use super::QueryStream;
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, fold};

/// Cursors of one session.
const CURSORS_MAX: usize = 64;

/// Rows that one FETCH may hold in memory, at most: FETCH answers as a whole, unlike a portal.
const FETCH_ROWS_MAX: usize = 1_000_000;

pub struct Cursor {
    pub name: String,
    pub columns: SchemaRef,
    /// WITH HOLD: it outlives its transaction block.
    pub hold: bool,
    rows: Mutex<Rows>,
}

struct Rows {
    stream: QueryStream,
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
}

impl Cursor {
    pub fn new(name: String, columns: SchemaRef, hold: bool, stream: QueryStream) -> Self {
        Self { name, columns, hold, rows: Mutex::new(Rows { stream, rest: None }) }
    }

    /// The next `count` rows, fewer at the end.
    pub async fn fetch(&self, count: usize) -> Result<Vec<RecordBatch>> {
        let mut rows = self.rows.lock().await;
        let mut taken = Vec::new();
        let mut missing = count;
        while missing > 0 {
            let Some(batch) = rows.next().await.transpose()? else { break };
            let part = batch.slice(0, missing.min(batch.num_rows()));
            if part.num_rows() < batch.num_rows() {
                rows.rest = Some(batch.slice(part.num_rows(), batch.num_rows() - part.num_rows()));
            }
            missing -= part.num_rows();
            if count - missing > FETCH_ROWS_MAX {
                return Err(Error::new(SqlState::ProgramLimitExceeded, "too many rows in one FETCH")
                    .hint(format!("Fetch at most {FETCH_ROWS_MAX} rows at a time.")));
            }
            taken.push(part);
        }
        Ok(taken)
    }
}

impl Rows {
    async fn next(&mut self) -> Option<Result<RecordBatch>> {
        match self.rest.take() {
            Some(batch) => Some(Ok(batch)),
            None => self.stream.next().await,
        }
    }
}

/// A DECLARE as far as it matters here.
pub(super) struct Declaration {
    pub name: String,
    pub hold: bool,
    pub query: Box<Query>,
}

/// Reads a DECLARE and checks that the session may have the cursor.
pub(super) fn declare(session: &Session, declares: &[Declare]) -> Result<Declaration> {
    let [declare] = declares else { return Err(not_a_cursor()) };
    let (Some(DeclareType::Cursor), [name], Some(query)) =
        (&declare.declare_type, declare.names.as_slice(), &declare.for_query)
    else {
        return Err(not_a_cursor());
    };
    if declare.binary == Some(true) {
        return Err(Error::unsupported("DECLARE BINARY CURSOR is not supported")
            .hint("Ask for binary results in the Bind message."));
    }
    if declare.scroll == Some(true) {
        return Err(Error::unsupported("DECLARE SCROLL CURSOR is not supported").hint("Fetch forward only."));
    }
    let (name, hold) = (fold(name), declare.hold == Some(true));
    if !hold && !session.transaction().is_in_block() {
        let message = "DECLARE CURSOR can only be used in transaction blocks";
        return Err(Error::new(SqlState::NoActiveSqlTransaction, message));
    }
    let cursors = session.cursors();
    if cursors.contains_key(&name) {
        return Err(Error::new(SqlState::DuplicateCursor, format!("cursor \"{name}\" already exists")));
    }
    if cursors.len() >= CURSORS_MAX {
        return Err(Error::new(SqlState::ProgramLimitExceeded, "too many open cursors"));
    }
    Ok(Declaration { name, hold, query: query.clone() })
}

fn not_a_cursor() -> Error {
    Error::new(SqlState::SyntaxError, "syntax error in DECLARE").hint("Write DECLARE name CURSOR FOR query.")
}

/// The cursor of a FETCH. Unknown: 34000.
pub(super) fn find(session: &Session, name: &Ident) -> Result<Arc<Cursor>> {
    let name = fold(name);
    let cursor = session.cursors().get(&name).cloned();
    cursor.ok_or_else(|| Error::new(SqlState::InvalidCursorName, format!("cursor \"{name}\" does not exist")))
}

/// How many rows a FETCH asks for. Backwards: 55000, as PostgreSQL says of a cursor that cannot scroll.
pub(crate) fn count(direction: &FetchDirection) -> Result<usize> {
    match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Ok(1),
        FetchDirection::All | FetchDirection::ForwardAll => Ok(usize::MAX),
        FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => number(limit),
        FetchDirection::Relative { limit } if number(limit)? == 1 => Ok(1),
        FetchDirection::Prior
        | FetchDirection::First
        | FetchDirection::Last
        | FetchDirection::Absolute { .. }
        | FetchDirection::Relative { .. }
        | FetchDirection::Backward { .. }
        | FetchDirection::BackwardAll => {
            Err(Error::new(SqlState::ObjectNotInPrerequisiteState, "cursor can only scan forward")
                .hint("Cursors of this server have no SCROLL option; run the query again to read from its start."))
        }
    }
}

fn number(value: &ValueWithSpan) -> Result<usize> {
    match &value.value {
        Value::Number(text, _) => text.to_string().parse().map_err(|_| not_a_count(&text.to_string())),
        other => Err(not_a_count(&other.to_string())),
    }
}

fn not_a_count(text: &str) -> Error {
    Error::new(SqlState::SyntaxError, format!("syntax error at or near \"{text}\""))
}
