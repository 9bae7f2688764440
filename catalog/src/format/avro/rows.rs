//! The rows of a file, some thousands at once.
//!
//! Owns: that the decoder is given whole rows, as many as it is told, and which blocks are decoded together. Must never know: where
//! a block is in the file.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use arrow_avro::reader::ReaderBuilder;
use bytes::Bytes;
use futures::stream;

use super::container::{Block, Container, Head};
use super::damaged;
use super::shape::{Shape, VALUE_BYTES};
use crate::Error;
use crate::format::blocks::Part;
use crate::pinned::Pinned;

/// Rows are decoded together up to so many, and so many bytes, of the file or in memory.
const ROWS_MAX: usize = 8_192;
const BYTES_MAX: usize = 4 << 20;
const DECODED_BYTES_MAX: usize = 64 << 20;

/// The columns of a file as the decoder makes them.
pub(super) fn schema(head: &Head) -> Result<SchemaRef, Error> {
    let plain = head.plain_head(0..head.shape.fields().len());
    let reader = ReaderBuilder::new().build(Cursor::new(plain));
    reader.map(|reader| reader.schema()).map_err(|error| head.file.unreadable(format!("its schema: {error}")))
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
    fn new(of: &Head, wanted: Vec<usize>) -> Self {
        let fields = of.shape.fields();
        let has_bytes = wanted.iter().any(|place| fields.get(*place).is_some_and(|field| field.has_bytes()));
        let (columns, taken) = if has_bytes { (wanted, None) } else { ((0..fields.len()).collect(), Some(wanted)) };
        let is_all = columns.iter().copied().eq(0..fields.len());
        let head = of.plain_head(columns.iter().copied());
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

/// The rows of a file, part by part.
pub(super) struct Parts {
    container: Container,
    /// `None` if rows are only counted.
    decoding: Option<Arc<Decoding>>,
    /// Read, and not given.
    next: Option<Block>,
}

/// How rows are decoded.
struct Decoding {
    head: Arc<Head>,
    projection: Projection,
    rows_max: usize,
}

impl Parts {
    pub(super) fn new(container: Container, columns: Vec<usize>) -> Result<Self, Error> {
        let head = Arc::clone(&container.head);
        if columns.last().is_some_and(|last| *last >= head.shape.fields().len()) {
            return Err(damaged(&head.file, "its columns are not those that it began with"));
        }
        let rows_max = (DECODED_BYTES_MAX / VALUE_BYTES / head.shape.values.max(1)).clamp(1, ROWS_MAX);
        let projection = (!columns.is_empty()).then(|| Projection::new(&head, columns));
        let decoding = projection.map(|projection| Arc::new(Decoding { head, projection, rows_max }));
        Ok(Self { container, decoding, next: None })
    }

    /// The next blocks, as many as are decoded at once, or one that is more; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, Error> {
        let Some(decoding) = &self.decoding else {
            let counted = counted(&mut self.container).await?;
            return Ok(counted.map(|batch| Part::alone(stream::once(async { Ok(batch) }))));
        };
        let (mut blocks, mut rows, mut bytes) = (VecDeque::new(), 0_u64, 0_usize);
        loop {
            let block = match self.next.take() {
                Some(block) => block,
                None => match self.container.block().await? {
                    Some(block) => block,
                    None => break,
                },
            };
            // Blocks without a row are counted too.
            let rows_after = rows + block.rows.max(1);
            let is_full = rows_after > decoding.rows_max as u64 || bytes + block.bytes.len() > BYTES_MAX;
            if is_full && !blocks.is_empty() {
                self.next = Some(block);
                break;
            }
            rows = rows_after;
            bytes += block.bytes.len();
            blocks.push_back(block);
        }
        if blocks.is_empty() {
            return Ok(None);
        }
        let values = rows.saturating_mul((decoding.head.shape.values * VALUE_BYTES) as u64);
        // Their bytes are there again as the decoder gets them.
        let cost = values.saturating_add(2 * bytes as u64);
        let rows_of = Rows { of: Arc::clone(decoding), blocks, block: Block { rows: 0, bytes: Bytes::new() } };
        let batches = stream::iter(rows_of);
        Ok(Some(Part::new((rows, cost), batches)))
    }
}

/// The rows of some blocks.
struct Rows {
    of: Arc<Decoding>,
    blocks: VecDeque<Block>,
    block: Block,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

impl Rows {
    /// The next rows; `None` after the last.
    fn batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Self { of, blocks, block } = self;
        let Decoding { head, projection, rows_max } = of.as_ref();
        let (mut rows, mut bytes, mut ends) = (0, Vec::new(), Vec::new());
        while rows < *rows_max && bytes.len() < BYTES_MAX {
            if block.rows == 0 {
                if !block.bytes.is_empty() {
                    return Err(damaged(&head.file, "a block holds more than its rows"));
                }
                let Some(next) = blocks.pop_front() else { break };
                *block = next;
                continue;
            }
            let mut rest = block.bytes.as_ref();
            while block.rows > 0 && rows < *rows_max && bytes.len() < BYTES_MAX {
                let behind = projection.take(&head.shape, rest, (&mut bytes, &mut ends));
                rest = behind.ok_or_else(|| damaged(&head.file, "a row does not end where its values do"))?;
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
        head.write_plain(rows, &bytes, &mut plain);
        drop(bytes);
        projection.decode(&head.file, plain, rows).map(Some)
    }
}

/// The rows of a block without their columns.
async fn counted(container: &mut Container) -> Result<Option<RecordBatch>, Error> {
    let Some(rows) = container.count().await? else { return Ok(None) };
    let options = RecordBatchOptions::new().with_row_count(usize::try_from(rows).ok());
    let batch = RecordBatch::try_new_with_options(Schema::empty().into(), Vec::new(), &options);
    batch.map(Some).map_err(|error| damaged(&container.head.file, error))
}
