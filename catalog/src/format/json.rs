//! JSON, one object per line.
//!
//! Owns: lines, and which line an error is on. Must never know: other files of the table.

mod shape;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow_json::ReaderBuilder;
use encoding_rs::{Encoding, UTF_8};

pub(crate) use shape::Shape;

use super::text::{Filled, Text};
use super::{Budget, ROWS_BETWEEN_YIELDS};
use crate::Error;
use crate::pinned::Pinned;

/// The largest line.
const LINE_BYTES_MAX: usize = 16 << 20;

/// Rows are decoded in blocks of at most so many bytes, unless one row is larger.
const BLOCK_BYTES_MAX: usize = 4 << 20;

/// Looks at a file, within `budget`: the shape of its objects.
pub(crate) async fn sample(file: &Arc<Pinned>, budget: Budget) -> Result<Shape, Error> {
    let mut lines = Lines::open(file, UTF_8);
    let mut shape = Shape::default();
    let mut rows = 0;
    while rows < budget.rows && lines.text.offset() <= budget.bytes {
        let (block, block_rows) = lines.block(ROWS_BETWEEN_YIELDS.min(budget.rows - rows));
        for line in block.lines().map(str::trim_ascii) {
            rows += 1;
            match if line.is_empty() { Ok(()) } else { shape.see(line) } {
                Ok(()) => {}
                Err(error) if rows == 1 => return Err(file.unreadable(format!("line 1: {}", without_place(&error)))),
                // A later line is reported by the reader, which meets it again.
                Err(_) => return Ok(shape),
            }
        }
        if block_rows > 0 {
            let used = block.len();
            lines.take(used, block_rows);
            tokio::task::yield_now().await;
            continue;
        }
        match lines.fill().await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => break,
            Err(Error::BadEncoding { .. } | Error::RecordTooLong { .. }) if rows > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(shape)
}

/// A line is parsed alone, so the place that the parser tells is in no line of the file.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// A file that is being read.
pub(crate) struct Reader {
    file: Arc<Pinned>,
    lines: Lines,
    schema: SchemaRef,
    batch_rows: usize,
}

impl Reader {
    pub(crate) fn open(file: &Arc<Pinned>, schema: SchemaRef, encoding: &'static Encoding, batch_rows: usize) -> Self {
        Self { file: Arc::clone(file), lines: Lines::open(file, encoding), schema, batch_rows }
    }

    /// The next rows; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            let (block, lines) = self.lines.block(self.batch_rows);
            if lines > 0 {
                let used = block.len();
                let decoded = decode(&self.schema, block, lines);
                let batch = decoded.map_err(|error| self.bad_line(block, &error))?;
                self.lines.take(used, lines);
                match batch {
                    Some(batch) if batch.num_rows() > 0 => return Ok(Some(batch)),
                    _ => continue,
                }
            }
            if !self.lines.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Finds the line that cannot be decoded, now that one of the block cannot.
    fn bad_line(&self, block: &str, whole: &ArrowError) -> Error {
        let lines = block.lines().zip(self.lines.line..);
        let bad = lines.into_iter().find_map(|(line, number)| Some((number, decode(&self.schema, line, 1).err()?)));
        let (line, reason) = bad.unwrap_or_else(|| (self.lines.line, ArrowError::JsonError(whole.to_string())));
        let reason = match reason {
            ArrowError::JsonError(reason) | ArrowError::ParseError(reason) | ArrowError::CastError(reason) => reason,
            other => other.to_string(),
        };
        Error::BadRecord { table: self.file.table.clone(), file: self.file.key().to_owned(), line, reason }
    }
}

/// Decodes whole lines, an object each.
fn decode(schema: &SchemaRef, block: &str, rows: usize) -> Result<Option<RecordBatch>, ArrowError> {
    let mut decoder =
        ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows).with_coerce_primitive(true).build_decoder()?;
    let used = decoder.decode(block.as_bytes())?;
    if !block.get(used..).unwrap_or_default().trim_ascii().is_empty() {
        return Err(ArrowError::JsonError("more than one value on a line".into()));
    }
    decoder.flush()
}

/// The text of a file that is not yet taken.
struct Lines {
    file: Arc<Pinned>,
    text: Text,
    buffer: String,
    used: usize,
    at_end: bool,
    /// Why there is no more text, held back until the lines before it are taken.
    failed: Option<Error>,
    /// The line on which the text that is not taken starts, from 1.
    line: u64,
}

impl Lines {
    fn open(file: &Arc<Pinned>, encoding: &'static Encoding) -> Self {
        let text = Text::open(file, encoding);
        Self { file: Arc::clone(file), text, buffer: String::new(), used: 0, at_end: false, failed: None, line: 1 }
    }

    /// At most `lines_max` whole lines of what is there, and how many they are.
    fn block(&self, lines_max: usize) -> (&str, usize) {
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        let (mut end, mut lines) = (0, 0);
        for (at, _) in rest.match_indices('\n') {
            if lines == lines_max || (lines > 0 && at > BLOCK_BYTES_MAX) {
                break;
            }
            (end, lines) = (at + 1, lines + 1);
        }
        if lines == 0 && self.at_end && !rest.is_empty() {
            return (rest, 1);
        }
        (rest.get(..end).unwrap_or_default(), lines)
    }

    fn take(&mut self, bytes: usize, lines: usize) {
        self.used += bytes;
        self.line += lines as u64;
    }

    async fn fill(&mut self) -> Result<bool, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.at_end {
            return Ok(false);
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        if self.buffer.len() > LINE_BYTES_MAX {
            let (table, file) = (self.file.table.clone(), self.file.key().to_owned());
            return Err(Error::RecordTooLong { table, file, line: self.line, bytes_max: LINE_BYTES_MAX });
        }
        match self.text.fill(&mut self.buffer).await {
            Ok(filled) => self.at_end = filled != Filled::More,
            Err(error) => self.failed = Some(error),
        }
        Ok(true)
    }
}
