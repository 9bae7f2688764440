//! DECLARE, FETCH, MOVE: a query whose rows a client takes in portions by SQL.
//!
//! Owns: what DECLARE says of a cursor. In `movement` is where a FETCH goes, in `rows` the rows and the place among them.

mod movement;
mod rows;

use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use catalog::pg_catalog::Registry;
use datafusion::execution::memory_pool::MemoryReservation;
use sqlparser::ast::{Declare, DeclareType, FetchDirection, Ident, Query};
use tokio::sync::Mutex;

pub(crate) use self::movement::Movement;
pub(super) use self::rows::Scroll;
use self::rows::{Purpose, Rows, Taken};
use super::QueryStream;
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, fold};

/// Cursors of one session.
const CURSORS_MAX: usize = 64;

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
    pub scroll: Scroll,
}

impl Cursor {
    /// `memory` accounts for the rows that it keeps.
    pub fn new(
        name: String,
        options: Options,
        statement: Arc<str>,
        stream: QueryStream,
        memory: MemoryReservation,
    ) -> Self {
        let (declared_at, columns, registry) = (SystemTime::now(), Arc::clone(stream.schema()), stream.registry());
        let rows = Mutex::new(Rows::new(stream, options.scroll, memory));
        Self { name, columns, options, registry, statement, declared_at, rows }
    }

    /// Moves, and tells how many rows a FETCH would have given.
    pub async fn pass(&self, movement: Movement) -> Result<u64> {
        Ok(self.go(movement, Purpose::Count).await?.rows)
    }

    /// Moves, and gives the rows that it comes upon.
    pub async fn fetch(&self, movement: Movement) -> Result<Vec<RecordBatch>> {
        Ok(self.go(movement, Purpose::Give).await?.batches)
    }

    async fn go(&self, movement: Movement, purpose: Purpose) -> Result<Taken> {
        let mut rows = self.rows.lock().await;
        if rows.failed {
            let message = format!("portal \"{}\" cannot be run", self.name);
            return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message));
        }
        rows.go(movement, purpose).await
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
    let name = fold(name);
    let scroll = match declare.scroll {
        Some(true) => Scroll::Yes,
        Some(false) => Scroll::No,
        None => Scroll::WhileSmall,
    };
    let options = Options { hold: declare.hold == Some(true), binary: declare.binary == Some(true), scroll };
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

/// A FETCH or a MOVE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    pub cursor: String,
    pub movement: Movement,
    /// MOVE, whose rows are counted and not sent.
    pub is_move: bool,
}

pub(super) fn fetch(name: &Ident, direction: &FetchDirection, is_move: bool) -> Result<Fetch> {
    Ok(Fetch { cursor: fold(name), movement: Movement::of(direction)?, is_move })
}
