//! JSON: objects on lines, one after the other, or in an array.
//!
//! Owns: their decoding, and which line an error is on. Must never know: other files of the table.

mod cut;
mod records;
mod shape;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow_json::ReaderBuilder;
use encoding_rs::{Encoding, UTF_8};

pub(crate) use shape::Shape;

use self::records::{Block, Records};
use super::{Budget, ROWS_BETWEEN_YIELDS};
use crate::Error;
use crate::pinned::Pinned;

/// Looks at a file, within `budget`: the shape of its objects.
pub(crate) async fn sample(file: &Arc<Pinned>, budget: Budget) -> Result<Shape, Error> {
    let mut records = Records::open(file, UTF_8);
    let mut shape = Shape::default();
    let mut rows = 0;
    while rows < budget.rows && records.text.offset() <= budget.bytes {
        let block = match records.block(ROWS_BETWEEN_YIELDS.min(budget.rows - rows)) {
            Ok(block) => block,
            Err(Error::BadRecord { line, reason, .. }) if rows == 0 => {
                return Err(file.unreadable(format!("line {line}: {reason}")));
            }
            // What is wrong later is reported by the reader, which meets it again.
            Err(_) => return Ok(shape),
        };
        for (line, value) in values(&records, &block) {
            rows += 1;
            match if value.is_empty() { Ok(()) } else { shape.see(value) } {
                Ok(()) => {}
                Err(error) if rows == 1 => {
                    return Err(file.unreadable(format!("line {line}: {}", without_place(&error))));
                }
                Err(_) => return Ok(shape),
            }
        }
        records.take(&block);
        if block.rows > 0 {
            tokio::task::yield_now().await;
            continue;
        }
        match records.fill().await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => break,
            Err(Error::BadEncoding { .. } | Error::RecordTooLong { .. }) if rows > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(shape)
}

/// The values of a block, each with the line on which it begins; blank lines are empty values.
fn values<'a>(records: &'a Records, block: &'a Block) -> impl Iterator<Item = (u64, &'a str)> {
    let (mut first, mut counted) = (records.line, 0);
    block.values.iter().flat_map(move |range| {
        first += records.lines_in(counted..range.start);
        counted = range.start;
        let text = records.rest().get(range.clone()).unwrap_or_default();
        // A range of one value over several lines is not cut at them.
        let is_one = block.rows == block.values.len();
        let lines = (!is_one).then(|| text.lines()).into_iter().flatten();
        let one = is_one.then_some(text).into_iter();
        (first..).zip(lines.chain(one).map(str::trim_ascii))
    })
}

/// A line is parsed alone, so the place that the parser tells is in no line of the file.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// A file that is being read.
pub(crate) struct Reader {
    file: Arc<Pinned>,
    records: Records,
    schema: SchemaRef,
    batch_rows: usize,
}

impl Reader {
    pub(crate) fn open(file: &Arc<Pinned>, schema: SchemaRef, encoding: &'static Encoding, batch_rows: usize) -> Self {
        Self { file: Arc::clone(file), records: Records::open(file, encoding), schema, batch_rows }
    }

    /// The next rows; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            let block = self.records.block(self.batch_rows)?;
            if block.rows > 0 {
                let decoded = decode(&self.schema, self.records.rest(), &block.values, block.rows);
                let batch = decoded.map_err(|error| self.bad_value(&block, &error))?;
                self.records.take(&block);
                match batch {
                    Some(batch) if batch.num_rows() > 0 => return Ok(Some(batch)),
                    _ => continue,
                }
            }
            self.records.take(&block);
            if !self.records.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Finds the value that cannot be decoded, now that one of the block cannot.
    fn bad_value(&self, block: &Block, whole: &ArrowError) -> Error {
        let bad = values(&self.records, block).find_map(|(line, value)| {
            Some((line, decode(&self.schema, value, std::slice::from_ref(&(0..value.len())), 1).err()?))
        });
        let (line, error) = bad.unwrap_or_else(|| (self.records.line, ArrowError::JsonError(whole.to_string())));
        let reason = reason(error);
        Error::BadRecord { table: self.file.table.clone(), file: self.file.key().to_owned(), line, reason }
    }
}

/// Decodes whole values, an object each.
fn decode(
    schema: &SchemaRef,
    text: &str,
    values: &[Range<usize>],
    rows: usize,
) -> Result<Option<RecordBatch>, ArrowError> {
    objects(schema, values.iter().map(|value| text.get(value.clone()).unwrap_or_default()), rows)
}

/// What a decoder says of a value, without the kind of its error.
pub(crate) fn reason(error: ArrowError) -> String {
    match error {
        ArrowError::JsonError(reason) | ArrowError::ParseError(reason) | ArrowError::CastError(reason) => reason,
        other => other.to_string(),
    }
}

/// Decodes texts that are an object each.
pub(crate) fn objects<'a>(
    schema: &SchemaRef,
    values: impl Iterator<Item = &'a str>,
    rows: usize,
) -> Result<Option<RecordBatch>, ArrowError> {
    let mut decoder =
        ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows).with_coerce_primitive(true).build_decoder()?;
    for value in values {
        let used = decoder.decode(value.as_bytes())?;
        if !value.get(used..).unwrap_or_default().trim_ascii().is_empty() {
            return Err(ArrowError::JsonError("more than one value on a line".into()));
        }
    }
    decoder.flush()
}
