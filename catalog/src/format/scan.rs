//! Reads the files of one partition of a plan, one after the other, as one stream of batches.
//!
//! Owns: the columns that folder names add. Must never know: how a format is decoded.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use encoding_rs::Encoding;
use futures::stream;

use super::csv::{self, Layout, Plan};
use super::{Content, Opened, blocks, json};
use crate::Error;
use crate::left_out::LeftOut;
use crate::pinned::Pinned;
use crate::reads::Reads;

/// A file and how to read it.
#[derive(Debug, Clone)]
pub(crate) enum TextFile {
    Csv { file: Arc<Pinned>, plan: Arc<Plan>, layout: Arc<Layout> },
    Json { file: Arc<Pinned>, encoding: &'static Encoding },
}

impl TextFile {
    /// The same file for a statement that counts what it reads.
    fn counted(self, reads: Option<&Arc<Reads>>) -> Self {
        match self {
            Self::Csv { file, plan, layout } => Self::Csv { file: file.counted(reads), plan, layout },
            Self::Json { file, encoding } => Self::Json { file: file.counted(reads), encoding },
        }
    }
}

/// The files of one partition of a plan.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) opened: Arc<Opened>,
    /// The places of its files.
    pub(crate) files: Vec<usize>,
    /// The wanted columns of the files.
    pub(crate) file_schema: SchemaRef,
    pub(crate) schema: SchemaRef,
    /// Where each column of `schema` comes from.
    pub(crate) origins: Vec<Origin>,
    /// How many parts of one file may be read side by side.
    pub(crate) parts: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// A column of `file_schema`.
    File(usize),
    /// A partition of the file.
    Partition(usize),
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let scan = Running {
            opened: Arc::clone(&self.opened),
            waiting: self.files.iter().copied().collect(),
            current: None,
            file_schema: Arc::clone(&self.file_schema),
            schema: Arc::clone(&self.schema),
            origins: self.origins.clone(),
            batch_rows: context.session_config().batch_size(),
            parts: self.parts,
            left_out: context.session_config().get_extension(),
            reads: context.session_config().get_extension(),
        };
        let batches = stream::try_unfold(scan, |mut scan| async move {
            let batch = scan.next().await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, scan)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

struct Running {
    opened: Arc<Opened>,
    waiting: VecDeque<usize>,
    current: Option<Current>,
    file_schema: SchemaRef,
    schema: SchemaRef,
    origins: Vec<Origin>,
    batch_rows: usize,
    parts: usize,
    /// Where its statement learns what is left out.
    left_out: Option<Arc<LeftOut>>,
    reads: Option<Arc<Reads>>,
}

/// The file that is being read.
struct Current {
    at: usize,
    file: Arc<Pinned>,
    rows: Rows,
    count: u64,
    began_at: DateTime<Utc>,
}

/// The rows of a file.
enum Rows {
    Text(Reader),
    Blocks(Box<blocks::Reader>),
}

/// The rows of a file of text.
pub(crate) enum Reader {
    Csv(Box<csv::Reader>),
    Json(Box<json::Reader>),
}

impl Reader {
    /// `parts` of the file may be read side by side.
    pub(crate) fn open(
        text: TextFile,
        schema: SchemaRef,
        (batch_rows, parts): (usize, usize),
    ) -> Result<(Arc<Pinned>, Self), Error> {
        match text {
            TextFile::Csv { file, plan, layout } => {
                let wanted = csv::Wanted { plan, layout, schema, batch_rows, parts };
                let reader = csv::Reader::open(&file, wanted)?;
                Ok((file, Self::Csv(Box::new(reader))))
            }
            TextFile::Json { file, encoding } => {
                let reader = json::Reader::open(&file, schema, encoding, batch_rows);
                Ok((file, Self::Json(Box::new(reader))))
            }
        }
    }

    /// The next rows; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        match self {
            Self::Csv(reader) => reader.next().await,
            Self::Json(reader) => reader.next().await,
        }
    }
}

impl Running {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(at) = self.waiting.pop_front() else { return Ok(None) };
                let Some((file, rows)) = self.open(at)? else { continue };
                self.current = Some(Current { at, file, rows, count: 0, began_at: Utc::now() });
                continue;
            };
            let next = current.rows.next().await;
            if let (Some(left_out), count @ 1..) = (&self.left_out, current.rows.left_out()) {
                left_out.see(&current.file, count);
            }
            match next? {
                Some(batch) => {
                    current.count += batch.num_rows() as u64;
                    return with_partitions(&batch, &current.file, &self.schema, &self.origins).map(Some);
                }
                None => {
                    let read = (current.at, current.count, current.began_at);
                    current.file.source().shadows.was_read(&self.opened, read);
                    self.current = None;
                }
            }
        }
    }

    fn open(&self, at: usize) -> Result<Option<(Arc<Pinned>, Rows)>> {
        let schema = Arc::clone(&self.file_schema);
        if let Content::Blocks { decoder, files } = &self.opened.content {
            let Some((file, columns)) = files.get(at) else { return Ok(None) };
            let file = file.counted(self.reads.as_ref());
            let reader = blocks::Reader::open(*decoder, (&file, columns), schema, (self.batch_rows, self.parts))?;
            return Ok(Some((file, Rows::Blocks(Box::new(reader)))));
        }
        let Some(text) = self.opened.text(at) else { return Ok(None) };
        let text = text.counted(self.reads.as_ref());
        let (file, reader) = Reader::open(text, schema, (self.batch_rows, self.parts)).map_err(external)?;
        Ok(Some((file, Rows::Text(reader))))
    }
}

impl Rows {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Self::Text(reader) => reader.next().await.map_err(external),
            Self::Blocks(reader) => reader.next().await,
        }
    }

    /// How many records were left out so far.
    fn left_out(&self) -> u64 {
        match self {
            Self::Text(Reader::Csv(reader)) => reader.left_out(),
            Self::Text(Reader::Json(_)) | Self::Blocks(_) => 0,
        }
    }
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn with_partitions(batch: &RecordBatch, file: &Pinned, schema: &SchemaRef, origins: &[Origin]) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let missing = || DataFusionError::Internal("a scan names a column that its files do not have".into());
    let columns: Result<Vec<ArrayRef>> = origins
        .iter()
        .map(|origin| match origin {
            Origin::File(index) => batch.columns().get(*index).map(Arc::clone).ok_or_else(missing),
            Origin::Partition(index) => file.file.partitions.get(*index).ok_or_else(missing)?.to_array_of_size(rows),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns?, &options)?)
}
