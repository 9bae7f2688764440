//! The rows of a file, some thousands at once.
//!
//! Owns: that the decoder is given whole rows, as many as it is told. Must never know: blocks of the file.

use std::io::Cursor;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use arrow_avro::reader::ReaderBuilder;
use bytes::Bytes;

use super::container::{Block, Container};
use super::damaged;
use super::shape::{Shape, VALUE_BYTES};
use crate::Error;
use crate::pinned::Pinned;

/// Rows are decoded together up to so many, and so many bytes, of the file or in memory.
const ROWS_MAX: usize = 8_192;
const BYTES_MAX: usize = 4 << 20;
const DECODED_BYTES_MAX: usize = 64 << 20;

/// The columns of a file as the decoder makes them.
pub(super) fn schema(container: &Container) -> Result<SchemaRef, Error> {
    let head = container.plain_head(0..container.shape.fields().len());
    let reader = ReaderBuilder::new().build(Cursor::new(head));
    reader.map(|reader| reader.schema()).map_err(|error| container.file.unreadable(format!("its schema: {error}")))
}

/// Which columns are decoded.
#[derive(Debug)]
struct Projection {
    /// Their places in a row, in their order.
    columns: Vec<usize>,
    is_all: bool,
    /// What is taken of what the decoder makes; `None` is everything.
    taken: Option<Vec<usize>>,
    /// Of a file that has these columns alone.
    head: Vec<u8>,
}

impl Projection {
    /// Columns whose values have no bytes are decoded with all others.
    fn new(container: &Container, wanted: Vec<usize>) -> Self {
        let fields = container.shape.fields();
        let has_bytes = wanted.iter().any(|place| fields.get(*place).is_some_and(|field| field.has_bytes()));
        let (columns, taken) = if has_bytes { (wanted, None) } else { ((0..fields.len()).collect(), Some(wanted)) };
        let is_all = columns.iter().copied().eq(0..fields.len());
        let head = container.plain_head(columns.iter().copied());
        Self { columns, is_all, taken, head }
    }

    /// Takes the next row off `rest` and puts its columns behind `bytes`; `None` if it does not end where its values do.
    fn take<'a>(
        &self,
        shape: &Shape,
        rest: &'a [u8],
        (bytes, ends): (&mut Vec<u8>, &mut Vec<usize>),
    ) -> Option<&'a [u8]> {
        if self.is_all {
            let behind = shape.skip(rest)?;
            bytes.extend_from_slice(rest.get(..rest.len() - behind.len())?);
            return Some(behind);
        }
        ends.clear();
        ends.push(0);
        let mut behind = rest;
        for field in shape.fields() {
            behind = field.skip(behind)?;
            ends.push(rest.len() - behind.len());
        }
        for place in &self.columns {
            bytes.extend_from_slice(rest.get(*ends.get(*place)?..*ends.get(*place + 1)?)?);
        }
        Some(behind)
    }

    fn decode(&self, file: &Pinned, bytes: Vec<u8>, rows: usize) -> Result<RecordBatch, Error> {
        let failed = |error: arrow::error::ArrowError| damaged(file, error);
        let mut reader = ReaderBuilder::new().with_batch_size(rows).build(Cursor::new(bytes)).map_err(failed)?;
        let batch = reader.next().transpose().map_err(failed)?;
        let batch = batch.filter(|batch| batch.num_rows() == rows);
        let batch = batch.ok_or_else(|| damaged(file, "a block does not hold as many rows as it claims"))?;
        match &self.taken {
            Some(taken) => batch.project(taken).map_err(failed),
            None => Ok(batch),
        }
    }
}

/// The rows of a file.
pub(super) struct Rows {
    container: Container,
    /// `None` if rows are only counted.
    projection: Option<Projection>,
    block: Block,
    rows_max: usize,
}

impl Rows {
    pub(super) fn new(container: Container, columns: Vec<usize>) -> Result<Self, Error> {
        if columns.last().is_some_and(|last| *last >= container.shape.fields().len()) {
            return Err(damaged(&container.file, "its columns are not those that it began with"));
        }
        let projection = (!columns.is_empty()).then(|| Projection::new(&container, columns));
        let rows_max = (DECODED_BYTES_MAX / VALUE_BYTES / container.shape.values.max(1)).clamp(1, ROWS_MAX);
        Ok(Self { container, projection, block: Block { rows: 0, bytes: Bytes::new() }, rows_max })
    }

    /// The next rows; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Self { container, projection, block, rows_max } = self;
        let Some(projection) = projection else { return counted(container).await };
        let (mut rows, mut bytes, mut ends) = (0, Vec::new(), Vec::new());
        while rows < *rows_max && bytes.len() < BYTES_MAX {
            if block.rows == 0 {
                if !block.bytes.is_empty() {
                    return Err(damaged(&container.file, "a block holds more than its rows"));
                }
                let Some(next) = container.block().await? else { break };
                *block = next;
                continue;
            }
            let mut rest = block.bytes.as_ref();
            while block.rows > 0 && rows < *rows_max && bytes.len() < BYTES_MAX {
                let behind = projection.take(&container.shape, rest, (&mut bytes, &mut ends));
                rest = behind.ok_or_else(|| damaged(&container.file, "a row does not end where its values do"))?;
                block.rows -= 1;
                rows += 1;
            }
            block.bytes = block.bytes.slice(block.bytes.len() - rest.len()..);
        }
        if rows == 0 {
            return Ok(None);
        }
        let mut plain = projection.head.clone();
        plain.reserve(bytes.len() + 64);
        container.write_plain(rows, &bytes, &mut plain);
        drop(bytes);
        projection.decode(&container.file, plain, rows).map(Some)
    }
}

/// The rows of a block without their columns.
async fn counted(container: &mut Container) -> Result<Option<RecordBatch>, Error> {
    let Some(rows) = container.count().await? else { return Ok(None) };
    let options = RecordBatchOptions::new().with_row_count(usize::try_from(rows).ok());
    let batch = RecordBatch::try_new_with_options(Schema::empty().into(), Vec::new(), &options);
    batch.map(Some).map_err(|error| damaged(&container.file, error))
}
