//! DECLARE, FETCH, MOVE: a query whose rows a client takes in portions by SQL.
//!
//! Owns: the rows not yet taken. They are never kept: a cursor reads forward only, as PostgreSQL's NO SCROLL.

use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use catalog::pg_catalog::Registry;
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
    pub options: Options,
    /// What OIDs in the rows mean to its statement.
    pub(super) registry: Option<Arc<Registry>>,
    /// The text of DECLARE.
    pub statement: Arc<str>,
    pub declared_at: SystemTime,
    rows: Mutex<Rows>,
}

/// What DECLARE says of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// WITH HOLD: it outlives its transaction block.
    pub hold: bool,
    /// BINARY: a FETCH of the simple protocol gives rows in the binary format.
    pub binary: bool,
}

struct Rows {
    stream: QueryStream,
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
}

impl Cursor {
    pub fn new(name: String, columns: SchemaRef, options: Options, statement: Arc<str>, stream: QueryStream) -> Self {
        let (declared_at, registry) = (SystemTime::now(), stream.registry());
        let rows = Mutex::new(Rows { stream, rest: None });
        Self { name, columns, options, registry, statement, declared_at, rows }
    }

    /// Passes over the next `count` rows, fewer at the end, and tells how many.
    pub async fn pass(&self, count: usize) -> Result<u64> {
        let mut rows = self.rows.lock().await;
        let mut missing = count;
        while missing > 0 {
            let Some(part) = rows.take(missing).await.transpose()? else { break };
            missing -= part.num_rows();
        }
        Ok((count - missing) as u64)
    }

    /// The next `count` rows, fewer at the end.
    pub async fn fetch(&self, count: usize) -> Result<Vec<RecordBatch>> {
        let mut rows = self.rows.lock().await;
        let mut taken = Vec::new();
        let mut missing = count;
        while missing > 0 {
            let Some(part) = rows.take(missing).await.transpose()? else { break };
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
    /// The next rows, at most `count`; `None` after the last.
    async fn take(&mut self, count: usize) -> Option<Result<RecordBatch>> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.stream.next().await? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            },
        };
        let part = batch.slice(0, count.min(batch.num_rows()));
        if part.num_rows() < batch.num_rows() {
            self.rest = Some(batch.slice(part.num_rows(), batch.num_rows() - part.num_rows()));
        }
        Some(Ok(part))
    }
}

/// A DECLARE as far as it matters here.
pub(super) struct Declaration {
    pub name: String,
    pub options: Options,
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
    if declare.scroll == Some(true) {
        return Err(Error::unsupported("DECLARE SCROLL CURSOR is not supported").hint("Fetch forward only."));
    }
    let name = fold(name);
    let options = Options { hold: declare.hold == Some(true), binary: declare.binary == Some(true) };
    if !options.hold && !session.transaction().is_in_block() {
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
    Ok(Declaration { name, options, query: query.clone() })
}

fn not_a_cursor() -> Error {
    Error::new(SqlState::SyntaxError, "syntax error in DECLARE").hint("Write DECLARE name CURSOR FOR query.")
}

/// The cursor of a FETCH. Unknown: 34000.
pub(super) fn find(session: &Session, name: &str) -> Result<Arc<Cursor>> {
    let cursor = session.cursors().get(name).cloned();
    cursor.ok_or_else(|| Error::new(SqlState::InvalidCursorName, format!("cursor \"{name}\" does not exist")))
}

/// A FETCH or a MOVE: rows to pass over, then rows to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    pub cursor: String,
    pub skip: usize,
    pub take: usize,
    /// MOVE, whose rows are counted and not sent.
    pub is_move: bool,
}

/// Reads the direction of a FETCH. Backwards: 55000, as PostgreSQL says of a cursor that cannot scroll.
pub(super) fn fetch(name: &Ident, direction: &FetchDirection, is_move: bool) -> Result<Fetch> {
    let (skip, take) = count(direction)?;
    Ok(Fetch { cursor: fold(name), skip, take, is_move })
}

fn count(direction: &FetchDirection) -> Result<(usize, usize)> {
    let next = |take| Ok((0, take));
    match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => next(1),
        FetchDirection::All | FetchDirection::ForwardAll => next(usize::MAX),
        FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => {
            next(usize::try_from(number(limit)?).map_err(|_| forward_only())?)
        }
        FetchDirection::Relative { limit } => match usize::try_from(number(limit)?) {
            Ok(distance @ 1..) => Ok((distance - 1, 1)),
            _ => Err(forward_only()),
        },
        FetchDirection::Prior
        | FetchDirection::First
        | FetchDirection::Last
        | FetchDirection::Absolute { .. }
        | FetchDirection::Backward { .. }
        | FetchDirection::BackwardAll => Err(forward_only()),
    }
}

fn forward_only() -> Error {
    Error::new(SqlState::ObjectNotInPrerequisiteState, "cursor can only scan forward")
        .hint("Cursors of this server have no SCROLL option; run the query again to read from its start.")
}

fn number(value: &ValueWithSpan) -> Result<i64> {
    let text = match &value.value {
        Value::Number(text, _) => text.to_string(),
        other => other.to_string(),
    };
    text.parse().map_err(|_| Error::new(SqlState::SyntaxError, format!("syntax error at or near \"{text}\"")))
}
