//! Portals of one connection, and the rows that a portal still holds.
//!
//! Owns: their names, their number, and the cutting of batches into chunks. Must never know: a socket.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::{Bytes, BytesMut};
use datafusion::scalar::ScalarValue;

use super::copy::Lines;
use super::encode::{Format, RowEncoder};
use crate::engine::{Prepared, QueryStream, Tag};
use crate::error::{Error, Result, SqlState};

const PORTALS_MAX: usize = 64;

/// What Bind left.
pub(super) struct Portal {
    /// `None` for an empty text.
    pub(super) prepared: Option<Arc<Prepared>>,
    /// One per result column.
    pub(super) formats: Vec<Format>,
    pub(super) state: State,
}

pub(super) enum State {
    Bound(Vec<ScalarValue>),
    Suspended(Box<Run>),
    Done,
}

/// A result on its way out.
pub(super) struct Run {
    pub(super) rows: Rows,
    pub(super) encoder: Arc<RowEncoder>,
    pub(super) tag: Tag,
    /// COPY writes its rows in its own form.
    pub(super) copy: Option<Arc<Lines>>,
}

#[derive(Default)]
pub(super) struct Portals {
    by_name: HashMap<String, Portal>,
    /// Counts `clear`, so that a portal taken out to run knows whether it still has a place.
    generation: u64,
}

/// A portal's way back after it ran.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

impl Portals {
    pub(super) fn get(&self, name: &str) -> Result<&Portal> {
        self.by_name.get(name).ok_or_else(|| missing(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn add(&mut self, name: String, portal: Portal) -> Result<()> {
        if !name.is_empty() && self.by_name.contains_key(&name) {
            return Err(Error::new(SqlState::DuplicateCursor, format!("cursor \"{name}\" already exists")));
        }
        if self.by_name.len() >= PORTALS_MAX && !self.by_name.contains_key(&name) {
            let message = format!("a session may hold {PORTALS_MAX} portals");
            return Err(Error::new(SqlState::ProgramLimitExceeded, message)
                .hint("Close portals that are no longer needed, or end the transaction."));
        }
        self.by_name.insert(name, portal);
        Ok(())
    }

    /// Takes a portal out to run it.
    pub(super) fn take(&mut self, name: &str) -> Result<(Portal, Place)> {
        let portal = self.by_name.remove(name).ok_or_else(|| missing(name))?;
        Ok((portal, Place(self.generation)))
    }

    /// Puts it back, unless all portals have ended meanwhile.
    pub(super) fn put_back(&mut self, name: String, portal: Portal, place: Place) {
        if place.0 == self.generation {
            self.by_name.insert(name, portal);
        }
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.by_name.remove(name).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.by_name.clear();
        self.generation = self.generation.wrapping_add(1);
    }
}

fn missing(name: &str) -> Error {
    let message = match name {
        "" => "portal \"\" does not exist".to_owned(),
        name => format!("portal \"{name}\" does not exist"),
    };
    Error::new(SqlState::InvalidCursorName, message)
}

/// The rows of one result that were not sent yet: the rest of a batch, then the stream.
pub(super) struct Rows {
    stream: QueryStream,
    rest: Option<(RecordBatch, usize)>,
    /// Whether a slice was given.
    begun: bool,
}

/// Some rows of a batch, small enough to be one chunk.
pub(super) struct Slice {
    batch: RecordBatch,
    rows: Range<usize>,
    is_first: bool,
}

impl Slice {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The DataRow messages of these rows, or what COPY makes of them.
    pub(super) fn encode(self, encoder: &RowEncoder, copy: Option<&Lines>, pace: &Pace) -> Result<(Bytes, usize)> {
        let count = self.rows.len();
        let mut out = BytesMut::with_capacity(pace.bytes(count));
        encoder.encode(&self.batch, self.rows, &mut out)?;
        if let Some(lines) = copy {
            let rows = out.split();
            out.reserve(rows.len());
            lines.convert(&rows, self.is_first, &mut out)?;
        }
        pace.learn(count, out.len());
        Ok((out.freeze(), count))
    }
}

impl Rows {
    pub(super) fn new(stream: QueryStream) -> Self {
        Self { stream, rest: None, begun: false }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        self.stream.schema()
    }

    pub(super) fn stream(&self) -> &QueryStream {
        &self.stream
    }

    /// The next rows, at most `rows_max` and not more than a chunk holds; `None` after the last.
    pub(super) async fn next(&mut self, rows_max: usize, pace: &Pace) -> Option<Result<Slice>> {
        loop {
            if let Some((batch, from)) = self.rest.take() {
                let to = batch.num_rows().min(from.saturating_add(rows_max.min(pace.rows(&batch))));
                if from < to {
                    self.rest = Some((batch.clone(), to));
                    let is_first = !std::mem::replace(&mut self.begun, true);
                    return Some(Ok(Slice { batch, rows: from..to, is_first }));
                }
            }
            match self.stream.next().await? {
                Ok(batch) => self.rest = Some((batch, 0)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// How many rows make a chunk: learned from the chunks before, so that memory is bounded for wide rows too.
pub(super) struct Pace {
    row_bytes: AtomicUsize,
}

const CHUNK_BYTES: usize = 256 << 10;
const CHUNK_ROWS_MAX: usize = 8192;
/// The first guess makes a small first chunk, so that the first row leaves early.
const ROW_BYTES_FIRST: usize = 1024;
const ROW_BYTES_LARGE: usize = 4096;

impl Pace {
    pub(super) fn new() -> Self {
        Self { row_bytes: AtomicUsize::new(ROW_BYTES_FIRST) }
    }

    fn rows(&self, batch: &RecordBatch) -> usize {
        // A batch's buffers may be shared and say too much; they are asked only where rows look enormous.
        let held = batch.get_array_memory_size().checked_div(batch.num_rows()).unwrap_or(0);
        let guess = if held > ROW_BYTES_LARGE { held } else { 1 };
        (CHUNK_BYTES / self.row_bytes.load(Ordering::Relaxed).max(guess)).clamp(1, CHUNK_ROWS_MAX)
    }

    fn bytes(&self, rows: usize) -> usize {
        // An eighth more, since rows differ and growing copies.
        let bytes = self.row_bytes.load(Ordering::Relaxed).saturating_mul(rows);
        bytes.saturating_add(bytes / 8).min(2 * CHUNK_BYTES)
    }

    fn learn(&self, rows: usize, bytes: usize) {
        if let Some(row_bytes) = bytes.checked_div(rows) {
            self.row_bytes.store(row_bytes.max(1), Ordering::Relaxed);
        }
    }
}
