//! Files that tell their columns themselves and hold their rows in blocks, each decoded alone: Arrow IPC, Avro.
//!
//! Owns: the types under which their columns are shown, batches of bounded size, how many blocks are decoded side by side, and that
//! a panic of a decoder is an error of one file. Must never know: how a format is decoded.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};

use super::parquet::{schema_from, schema_to};
use super::{Adapted, COLUMNS_MAX};
use crate::Error;
use crate::pinned::Pinned;
use crate::remembered::Kept;

/// Rows are brought to the types of their table so many bytes at once, counted as if every value had `VALUE_BYTES`.
const ADAPTED_BYTES_MAX: usize = 256 << 20;
const VALUE_BYTES: usize = 16;

/// What is decoded side by side for one stream takes no more in memory. What may take more is decoded alone, batch by batch.
const BESIDE_BYTES_MAX: u64 = 64 << 20;

/// A format. Errors name the file: what is damaged is `UnreadableFile`, what is not known `UnsupportedFile`.
pub(crate) trait Decoder: Debug + Send + Sync {
    /// The columns of a file, from its head or its foot.
    fn columns(&self, file: Arc<Pinned>) -> BoxFuture<'static, Result<Schema, Error>>;

    /// The rows of a file part by part, with the columns at these places, in their order. A part has been read when it comes,
    /// and can be decoded beside others.
    fn parts(&self, file: Arc<Pinned>, columns: Vec<usize>) -> BoxStream<'static, Result<Part, Error>>;
}

/// A block of a file, or some.
pub(crate) struct Part {
    rows: u64,
    bytes: u64,
    batches: BoxStream<'static, Result<RecordBatch, Error>>,
}

impl Part {
    /// So many rows, which take so many bytes together while they are decoded.
    pub(crate) fn new(
        (rows, bytes): (u64, u64),
        batches: impl Stream<Item = Result<RecordBatch, Error>> + Send + 'static,
    ) -> Self {
        Self { rows, bytes, batches: batches.boxed() }
    }

    /// What is not known before it is decoded.
    pub(super) fn alone(batches: impl Stream<Item = Result<RecordBatch, Error>> + Send + 'static) -> Self {
        Self::new((0, u64::MAX), batches)
    }

    /// What it takes in memory with its rows as a table of so many columns has them.
    fn cost(&self, columns: usize) -> u64 {
        self.rows.saturating_mul((columns * VALUE_BYTES) as u64).saturating_add(self.bytes)
    }
}

/// What a file shows of itself.
pub(super) struct Look {
    pub(super) schema: Schema,
}

/// Looks at a file.
pub(super) async fn look(decoder: &'static dyn Decoder, file: Arc<Pinned>) -> Result<Look, Error> {
    let columns = AssertUnwindSafe(async { decoder.columns(Arc::clone(&file)).await }).catch_unwind().await;
    let schema = columns.unwrap_or_else(|panic| Err(panicked(&file, panic.as_ref())))?;
    if schema.fields().len() > COLUMNS_MAX {
        return Err(file.too_wide(schema.fields().len()));
    }
    let mut names = std::collections::HashSet::new();
    if let Some(twice) = schema.fields().iter().find(|field| !names.insert(field.name())) {
        let (table, key, column) = (file.table.clone(), file.key().to_owned(), twice.name().clone());
        return Err(Error::DuplicateColumn { table, file: key, column });
    }
    Ok(Look { schema })
}

impl Kept for Look {
    type Shared = Schema;

    fn shared(&self) -> &Schema {
        &self.schema
    }

    fn shared_to(shared: &Schema) -> Option<String> {
        schema_to(shared)
    }

    fn shared_from(text: &str) -> Option<Schema> {
        schema_from(text)
    }

    fn own_to(&self) -> Option<String> {
        Some(String::new())
    }

    fn from_parts(shared: &Schema, _: &str, _: &Arc<Pinned>) -> Option<Self> {
        Some(Self { schema: shared.clone() })
    }
}

/// The rows of a file as its table shows them.
pub(crate) struct Reader {
    shown: Arc<Shown>,
    parts: BoxStream<'static, Result<Part, Error>>,
    /// Read, and without room beside those that are decoded.
    held: Option<Part>,
    running: VecDeque<(u64, SpawnedTask<Result<Vec<RecordBatch>>>)>,
    /// What is decoded beside nothing else.
    alone: Option<BoxStream<'static, Result<RecordBatch, Error>>>,
    /// Why nothing more comes, behind what is decoded.
    failed: Option<Error>,
    /// Parts that are decoded side by side.
    beside_max: usize,
    done: std::vec::IntoIter<RecordBatch>,
    /// What is decoded and not brought to its types, and what is and was not given.
    waiting: Option<RecordBatch>,
    ready: Option<RecordBatch>,
    batch_rows: usize,
    /// The first part is decoded alone, so that the first rows come soon and who wants no more costs no more.
    is_at_start: bool,
}

/// How the rows of a file are shown.
struct Shown {
    file: Arc<Pinned>,
    /// The columns of the file that are read.
    columns: SchemaRef,
    /// What makes those of the table of them.
    adapted: Adapted,
}

impl Reader {
    /// `schema` is what is wanted of the table: what the file does not have is NULL. `beside_max` parts are decoded side by side.
    pub(crate) fn open(
        decoder: &'static dyn Decoder,
        (file, in_file): (&Arc<Pinned>, &SchemaRef),
        schema: SchemaRef,
        (batch_rows, beside_max): (usize, usize),
    ) -> Result<Self> {
        let places = in_file.fields().iter().enumerate();
        let places = places.filter(|(_, field)| schema.field_with_name(field.name()).is_ok()).map(|(place, _)| place);
        let places: Vec<usize> = places.collect();
        let columns = Arc::new(in_file.project(&places)?);
        // Rows that are only counted cost nothing to decode.
        let beside_max = if places.is_empty() { 0 } else { beside_max };
        let adapted = Adapted::new(schema, Arc::clone(&columns))?;
        let parts = decoder.parts(Arc::clone(file), places);
        Ok(Self {
            shown: Arc::new(Shown { file: Arc::clone(file), columns, adapted }),
            parts,
            held: None,
            running: VecDeque::new(),
            alone: None,
            failed: None,
            beside_max,
            done: Vec::new().into_iter(),
            waiting: None,
            ready: None,
            batch_rows,
            is_at_start: true,
        })
    }

    /// The next rows; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = cut(&mut self.ready, self.batch_rows) {
                return Ok(Some(batch));
            }
            let adapted_rows = self.shown.adapted_rows().max(self.batch_rows);
            if let Some(batch) = cut(&mut self.waiting, adapted_rows) {
                self.ready = Some(self.shown.adapted.of(&batch)?);
                continue;
            }
            if let Some(batch) = self.done.next() {
                self.ready = Some(batch);
                continue;
            }
            let more = AssertUnwindSafe(self.more()).catch_unwind().await;
            let is_more = more.unwrap_or_else(|panic| Err(external(panicked(&self.shown.file, panic.as_ref()))));
            if !is_more? {
                return Ok(None);
            }
        }
    }

    /// Decodes what comes next; false at the end.
    async fn more(&mut self) -> Result<bool> {
        if let Some(alone) = &mut self.alone {
            match alone.try_next().await.map_err(external)? {
                Some(batch) => self.waiting = Some(self.shown.checked(batch)?),
                None => self.alone = None,
            }
            return Ok(true);
        }
        self.start().await;
        if let Some((_, task)) = self.running.pop_front() {
            let ended = |error: tokio::task::JoinError| external(self.shown.file.unreadable(error.to_string()));
            self.done = task.join_unwind().await.map_err(ended)??.into_iter();
            return Ok(true);
        }
        match (self.held.take(), self.failed.take()) {
            (Some(part), failed) => {
                (self.alone, self.failed) = (Some(part.batches), failed);
                Ok(true)
            }
            (None, Some(error)) => Err(external(error)),
            (None, None) => Ok(false),
        }
    }

    /// Has as many parts decoded as have room; one that has none beside others is held.
    async fn start(&mut self) {
        let columns = self.shown.adapted.schema().fields().len();
        let mut bytes: u64 = self.running.iter().map(|(bytes, _)| bytes).sum();
        while self.running.len() < self.beside_max.max(1) && self.failed.is_none() {
            let part = match self.held.take() {
                Some(part) => part,
                None => match self.parts.try_next().await {
                    Ok(Some(part)) => part,
                    Ok(None) => return,
                    Err(error) => {
                        self.failed = Some(error);
                        return;
                    }
                },
            };
            let cost = part.cost(columns);
            let is_alone = self.beside_max == 0 || std::mem::take(&mut self.is_at_start);
            bytes = bytes.saturating_add(cost);
            if is_alone || bytes > BESIDE_BYTES_MAX {
                self.held = Some(part);
                return;
            }
            let shown = Arc::clone(&self.shown);
            self.running.push_back((cost, SpawnedTask::spawn(shown.all(part.batches))));
        }
    }
}

impl Shown {
    /// All rows of a part that takes little memory.
    async fn all(
        self: Arc<Self>,
        mut batches: BoxStream<'static, Result<RecordBatch, Error>>,
    ) -> Result<Vec<RecordBatch>> {
        let mut all = Vec::new();
        while let Some(batch) = batches.try_next().await.map_err(external)? {
            all.push(self.adapted.of(&self.checked(batch)?)?);
        }
        Ok(all)
    }

    fn adapted_rows(&self) -> usize {
        ADAPTED_BYTES_MAX / VALUE_BYTES / self.adapted.schema().fields().len().max(1)
    }

    /// Holds the decoder to the columns that were found: the expressions are made for them. Names and tags inside of types are
    /// as they were found.
    fn checked(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let (found, expected) = (batch.schema_ref().fields(), self.columns.fields());
        if found.iter().map(|field| field.data_type()).eq(expected.iter().map(|field| field.data_type())) {
            return Ok(batch);
        }
        let is_same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, other)| found.data_type().equals_datatype(other.data_type()));
        if !is_same {
            return Err(external(self.file.unreadable("its columns are not those that it began with")));
        }
        let columns = batch.columns().iter().zip(expected);
        let columns = columns.map(|(column, field)| arrow::compute::cast(column, field.data_type()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.columns), columns, &options)?)
    }
}

/// Takes the first rows of a batch.
fn cut(rest: &mut Option<RecordBatch>, rows: usize) -> Option<RecordBatch> {
    let batch = rest.take().filter(|batch| batch.num_rows() > 0)?;
    let first = batch.num_rows().min(rows);
    *rest = Some(batch.slice(first, batch.num_rows() - first));
    Some(batch.slice(0, first))
}

fn panicked(file: &Pinned, panic: &(dyn Any + Send)) -> Error {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    tracing::warn!(file = file.key(), panic = said.unwrap_or_default(), "a file made its decoder panic");
    file.unreadable("its data is damaged")
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
