//! Reads the text files of one partition of a plan, one after the other, as one stream of batches.
//!
//! Owns: the columns that folder names add. Must never know: how a format is decoded.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use encoding_rs::Encoding;
use futures::stream;

use super::csv::{self, Layout, Plan};
use super::json;
use crate::Error;
use crate::pinned::Pinned;

/// A file and how to read it.
#[derive(Debug, Clone)]
pub(crate) enum TextFile {
    Csv { file: Arc<Pinned>, plan: Arc<Plan>, layout: Arc<Layout> },
    Json { file: Arc<Pinned>, encoding: &'static Encoding },
}

/// The files of one partition of a plan.
#[derive(Debug)]
pub(crate) struct TextScan {
    pub(crate) files: Vec<TextFile>,
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

impl PartitionStream for TextScan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let scan = Running {
            waiting: self.files.iter().cloned().collect(),
            current: None,
            file_schema: Arc::clone(&self.file_schema),
            schema: Arc::clone(&self.schema),
            origins: self.origins.clone(),
            batch_rows: context.session_config().batch_size(),
            parts: self.parts,
        };
        let batches = stream::try_unfold(scan, |mut scan| async move {
            let batch = scan.next().await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, scan)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

struct Running {
    waiting: VecDeque<TextFile>,
    current: Option<(Arc<Pinned>, Reader)>,
    file_schema: SchemaRef,
    schema: SchemaRef,
    origins: Vec<Origin>,
    batch_rows: usize,
    parts: usize,
}

enum Reader {
    Csv(Box<csv::Reader>),
    Json(Box<json::Reader>),
}

impl Running {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some((file, reader)) = &mut self.current else {
                let Some(file) = self.waiting.pop_front() else { return Ok(None) };
                self.current = Some(self.open(file).map_err(external)?);
                continue;
            };
            let batch = match reader {
                Reader::Csv(reader) => reader.next().await,
                Reader::Json(reader) => reader.next().await,
            };
            match batch.map_err(external)? {
                Some(batch) => return with_partitions(&batch, file, &self.schema, &self.origins).map(Some),
                None => self.current = None,
            }
        }
    }

    fn open(&self, file: TextFile) -> Result<(Arc<Pinned>, Reader), Error> {
        let schema = Arc::clone(&self.file_schema);
        match file {
            TextFile::Csv { file, plan, layout } => {
                let wanted = csv::Wanted { plan, layout, schema, batch_rows: self.batch_rows, parts: self.parts };
                let reader = csv::Reader::open(&file, wanted)?;
                Ok((file, Reader::Csv(Box::new(reader))))
            }
            TextFile::Json { file, encoding } => {
                let reader = json::Reader::open(&file, schema, encoding, self.batch_rows);
                Ok((file, Reader::Json(Box::new(reader))))
            }
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
