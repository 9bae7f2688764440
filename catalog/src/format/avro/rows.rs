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
use super::shape::VALUE_BYTES;
use crate::Error;
use crate::pinned::Pinned;

/// Rows are decoded together up to so many, and so many bytes, of the file or in memory.
const ROWS_MAX: usize = 8_192;
const BYTES_MAX: usize = 4 << 20;
const DECODED_BYTES_MAX: usize = 64 << 20;

/// Which columns are decoded.
#[derive(Debug)]
pub(super) struct Projection {
    /// What the decoder makes.
    pub(super) schema: SchemaRef,
    /// What it is asked for; `None` is everything.
    asked: Option<Vec<usize>>,
    /// What is taken of what it makes; `None` is everything.
    taken: Option<Vec<usize>>,
    head: Vec<u8>,
}

impl Projection {
    /// All columns.
    pub(super) fn all(file: &Pinned, container: &Container) -> Result<Self, Error> {
        let head = container.plain_head();
        let schema = schema_of(&head, None).map_err(|error| file.unreadable(format!("its schema: {error}")))?;
        Ok(Self { schema, asked: None, taken: None, head })
    }

    /// Some columns. Where a type is named by one that is not wanted, all are decoded.
    fn of(file: &Pinned, container: &Container, columns: Vec<usize>) -> Result<Self, Error> {
        let all = Self::all(file, container)?;
        if columns.iter().copied().eq(0..all.schema.fields().len()) {
            return Ok(all);
        }
        match schema_of(&all.head, Some(&columns)) {
            Ok(schema) => Ok(Self { schema, asked: Some(columns), ..all }),
            Err(_) => Ok(Self { taken: Some(columns), ..all }),
        }
    }

    fn decode(&self, file: &Pinned, bytes: Vec<u8>, rows: usize) -> Result<RecordBatch, Error> {
        let failed = |error: arrow::error::ArrowError| damaged(file, error);
        let mut reader =
            builder(self.asked.as_ref()).with_batch_size(rows).build(Cursor::new(bytes)).map_err(failed)?;
        let batch = reader.next().transpose().map_err(failed)?;
        let batch = batch.filter(|batch| batch.num_rows() == rows);
        let batch = batch.ok_or_else(|| damaged(file, "a block does not hold as many rows as it claims"))?;
        self.taken.as_ref().map_or(Ok(batch.clone()), |taken| batch.project(taken)).map_err(failed)
    }
}

fn builder(columns: Option<&Vec<usize>>) -> ReaderBuilder {
    let builder = ReaderBuilder::new();
    columns.map_or(builder, |columns| ReaderBuilder::new().with_projection(columns.clone()))
}

fn schema_of(head: &[u8], columns: Option<&Vec<usize>>) -> Result<SchemaRef, arrow::error::ArrowError> {
    Ok(builder(columns).build(Cursor::new(head))?.schema())
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
        let projection = match columns.is_empty() {
            true => None,
            false => Some(Projection::of(&container.file, &container, columns)?),
        };
        let rows_max = (DECODED_BYTES_MAX / VALUE_BYTES / container.shape.values.max(1)).clamp(1, ROWS_MAX);
        Ok(Self { container, projection, block: Block { rows: 0, bytes: Bytes::new() }, rows_max })
    }

    /// The next rows; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Self { container, projection, block, rows_max } = self;
        let Some(projection) = projection else { return counted(container).await };
        let (mut rows, mut bytes) = (0, Vec::new());
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
            while block.rows > 0 && rows < *rows_max && bytes.len() + block.bytes.len() - rest.len() < BYTES_MAX {
                let behind = container.shape.skip(rest);
                rest = behind.ok_or_else(|| damaged(&container.file, "a row does not end where its values do"))?;
                block.rows -= 1;
                rows += 1;
            }
            let taken = block.bytes.len() - rest.len();
            bytes.extend_from_slice(&block.bytes.split_to(taken));
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
