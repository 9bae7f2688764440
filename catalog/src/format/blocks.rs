//! Files that tell their columns themselves and hold their rows in blocks, each decoded alone: Arrow IPC, Avro.
//!
//! Owns: the types under which their columns are shown, batches of bounded size, and that a panic of a decoder is an error of
//! one file. Must never know: how a format is decoded.

use std::any::Any;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};

use super::parquet::{schema_from, schema_to};
use super::{Adapted, COLUMNS_MAX};
use crate::Error;
use crate::pinned::Pinned;
use crate::remembered::Kept;

/// Rows are brought to the types of their table so many bytes at once, counted as if every value had `VALUE_BYTES`.
const ADAPTED_BYTES_MAX: usize = 256 << 20;
const VALUE_BYTES: usize = 16;

/// A format. Errors name the file: what is damaged is `UnreadableFile`, what is not known `UnsupportedFile`.
pub(crate) trait Decoder: Debug + Send + Sync {
    /// The columns of a file, from its head or its foot.
    fn columns(&self, file: Arc<Pinned>) -> BoxFuture<'static, Result<Schema, Error>>;

    /// The rows of a file, with the columns at these places, in their order.
    fn rows(&self, file: Arc<Pinned>, columns: Vec<usize>) -> BoxStream<'static, Result<RecordBatch, Error>>;
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
    file: Arc<Pinned>,
    decoded: BoxStream<'static, Result<RecordBatch, Error>>,
    /// The columns of the file that are read.
    columns: SchemaRef,
    /// What makes those of the table of them.
    adapted: Adapted,
    /// What is decoded and not brought to its types, and what is and was not given.
    waiting: Option<RecordBatch>,
    ready: Option<RecordBatch>,
    batch_rows: usize,
}

impl Reader {
    /// `schema` is what is wanted of the table: what the file does not have is NULL.
    pub(crate) fn open(
        decoder: &'static dyn Decoder,
        (file, in_file): (&Arc<Pinned>, &SchemaRef),
        schema: SchemaRef,
        batch_rows: usize,
    ) -> Result<Self> {
        let places = in_file.fields().iter().enumerate();
        let places = places.filter(|(_, field)| schema.field_with_name(field.name()).is_ok()).map(|(place, _)| place);
        let places: Vec<usize> = places.collect();
        let columns = Arc::new(in_file.project(&places)?);
        let adapted = Adapted::new(schema, Arc::clone(&columns))?;
        let decoded = decoder.rows(Arc::clone(file), places);
        let (waiting, ready) = (None, None);
        Ok(Self { file: Arc::clone(file), decoded, columns, adapted, waiting, ready, batch_rows })
    }

    /// The next rows; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = cut(&mut self.ready, self.batch_rows) {
                return Ok(Some(batch));
            }
            let adapted_rows = self.adapted_rows();
            if let Some(batch) = cut(&mut self.waiting, adapted_rows) {
                self.ready = Some(self.adapted.of(&batch)?);
                continue;
            }
            let next = AssertUnwindSafe(self.decoded.next()).catch_unwind().await;
            let next = next.unwrap_or_else(|panic| Some(Err(panicked(&self.file, panic.as_ref()))));
            let Some(batch) = next.transpose().map_err(external)? else { return Ok(None) };
            self.waiting = Some(self.checked(batch)?);
        }
    }

    fn adapted_rows(&self) -> usize {
        (ADAPTED_BYTES_MAX / VALUE_BYTES / self.adapted.schema().fields().len().max(1)).max(self.batch_rows)
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
