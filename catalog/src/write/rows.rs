//! From the rows of a statement to data files.
//!
//! Owns: that rows are what their columns take, the size of files, and the memory of all that are open. Must never know: a
//! commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::execution::memory_pool::MemoryReservation;

use super::action::Added;
use super::file::File;
use super::leftovers::Held;
use super::{Column, Fault, begun, partitions};
use crate::Error;
use crate::store::Source;

/// A larger file is completed and another begun.
pub(super) const FILE_BYTES_MAX: u64 = 128 << 20;

/// Files that are open at once, of different partitions; the largest makes room for the next.
pub(super) const OPEN_MAX: usize = 32;

/// Files of one statement: each is a line of its commit.
const FILES_MAX: usize = 10_000;

/// Writes the rows of one table. Without `finish` nothing stays of them.
pub struct Writer {
    table: String,
    source: Arc<Source>,
    folder: String,
    columns: Arc<[Column]>,
    /// All columns as files have them, and those that are in files.
    row: SchemaRef,
    of_files: SchemaRef,
    places: Vec<usize>,
    partitions: Vec<usize>,
    open: Vec<File>,
    done: Vec<Added>,
    held: Option<Held>,
    /// Whether its files must be hidden before the first of them.
    begins: bool,
    memory: MemoryReservation,
    rows: u64,
    /// Who else is told of them.
    told: Option<Arc<AtomicU64>>,
    file_bytes_max: u64,
}

/// The files of a writer that came to its end.
pub(super) struct Written {
    pub(super) adds: Vec<Added>,
    pub(super) held: Option<Held>,
}

impl Writer {
    pub(super) fn new(
        table: &str,
        (source, folder): (&Arc<Source>, &str),
        columns: &Arc<[Column]>,
        (held, memory): (Held, MemoryReservation),
    ) -> Self {
        let row = Arc::new(Schema::new(columns.iter().map(Column::of_file).collect::<Vec<_>>()));
        let places: Vec<usize> =
            (0..columns.len()).filter(|at| columns.get(*at).is_some_and(|c| !c.is_partition)).collect();
        let of_files = places.iter().filter_map(|at| row.fields().get(*at).cloned()).collect::<Vec<_>>();
        Self {
            table: table.to_owned(),
            source: Arc::clone(source),
            folder: folder.to_owned(),
            columns: Arc::clone(columns),
            row,
            of_files: Arc::new(Schema::new(of_files)),
            partitions: (0..columns.len()).filter(|at| !places.contains(at)).collect(),
            places,
            open: Vec::new(),
            done: Vec::new(),
            held: Some(held),
            begins: false,
            memory,
            rows: 0,
            told: None,
            file_bytes_max: FILE_BYTES_MAX,
        }
    }

    /// Hides its files until there is a log that names them.
    pub(super) fn hide(&mut self) {
        self.begins = true;
    }

    /// Completes files that are so large, and not only those of the usual size.
    pub(super) fn with_file_bytes(mut self, file_bytes_max: u64) -> Self {
        self.file_bytes_max = file_bytes_max;
        self
    }

    /// Adds the rows of each batch to a counter.
    pub fn telling(mut self, rows: Arc<AtomicU64>) -> Self {
        self.told = Some(rows);
        self
    }

    /// Rows that were written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes rows, whose columns are those of the table in its order.
    ///
    /// A NULL where none may be is 23502, a text that is too long 22001.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let batch = self.checked(batch)?;
        for (partition, rows) in partitions::split(&batch, &self.partitions).map_err(|fault| fault.of(&self.table))? {
            let rows = rows.project(&self.places).map_err(|error| self.failed(error))?;
            let known = self.open.iter().position(|file| *file.partition() == partition);
            let at = match known {
                Some(at) => at,
                None => self.begin(partition).await?,
            };
            let Some(file) = self.open.get_mut(at) else { continue };
            file.write(&self.source, &rows).await?;
            if file.written_bytes() >= self.file_bytes_max {
                self.complete(at).await?;
            }
        }
        self.rows += batch.num_rows() as u64;
        if let Some(told) = &self.told {
            told.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        }
        self.account().await
    }

    /// Completes all files.
    pub(super) async fn finish(mut self) -> Result<Written, Error> {
        while !self.open.is_empty() {
            self.complete(0).await?;
        }
        Ok(Written { adds: std::mem::take(&mut self.done), held: self.held.take() })
    }

    async fn begin(&mut self, partition: partitions::Values) -> Result<usize, Error> {
        if self.done.len() + self.open.len() >= FILES_MAX {
            return Err(Fault::Partitions { partitions_max: FILES_MAX }.into());
        }
        if self.open.len() >= OPEN_MAX {
            self.complete_largest().await?;
        }
        if std::mem::take(&mut self.begins)
            && let Some(held) = &mut self.held
        {
            held.hide_behind(begun::begin(&self.source, &self.folder).await?);
        }
        let file = File::new(&self.folder, Arc::clone(&self.of_files), partition);
        self.open.push(file.map_err(|error| self.failed(error))?);
        Ok(self.open.len() - 1)
    }

    async fn complete_largest(&mut self) -> Result<(), Error> {
        let largest = self.open.iter().enumerate().max_by_key(|(_, file)| file.memory_bytes()).map(|(at, _)| at);
        match largest {
            Some(at) => self.complete(at).await,
            None => Ok(()),
        }
    }

    async fn complete(&mut self, at: usize) -> Result<(), Error> {
        let file = self.open.swap_remove(at);
        if let Some(held) = &mut self.held {
            self.done.push(file.finish(&self.source, held).await?);
        }
        Ok(())
    }

    /// Reserves what the open files hold; if that is refused, they let go of their rows first.
    async fn account(&mut self) -> Result<(), Error> {
        let held = |files: &[File]| files.iter().map(File::memory_bytes).sum::<usize>();
        if self.memory.try_resize(held(&self.open)).is_ok() {
            return Ok(());
        }
        for file in &mut self.open {
            file.flush(&self.source).await?;
        }
        let resized = self.memory.try_resize(held(&self.open));
        resized.map_err(|error| Fault::Memory { reason: error.strip_backtrace() }.into())
    }

    /// The rows as files have them, if their columns take them.
    fn checked(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        if batch.num_columns() != self.columns.len() {
            return Err(self.failed("it has other columns"));
        }
        let columns = self.columns.iter().zip(batch.columns()).zip(self.row.fields());
        let columns = columns.map(|((column, values), field)| {
            if !column.field.is_nullable() && values.null_count() > 0 {
                let (table, column) = (self.table.clone(), column.name().to_owned());
                return Err(Error::Write(Fault::Null { table, column }));
            }
            column.stored(cast(values, field.data_type()).map_err(|error| self.failed(error))?)
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>, Error>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.row), columns, &rows).map_err(|error| self.failed(error))
    }

    fn failed(&self, reason: impl ToString) -> Error {
        Fault::Rows { table: self.table.clone(), reason: reason.to_string() }.into()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            self.open.drain(..).for_each(|file| file.abort(held));
        }
    }
}

/// The same values as files have them.
fn cast(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, arrow::error::ArrowError> {
    if values.data_type() == data_type {
        return Ok(Arc::clone(values));
    }
    cast_with_options(values, data_type, &CastOptions { safe: false, ..Default::default() })
}

/// Texts of at most so many characters. Blanks beyond are cut, as PostgreSQL cuts them where a value is stored.
pub(super) fn fitted(values: ArrayRef, characters_max: u32) -> Result<ArrayRef, Error> {
    let Some(texts) = values.as_string_opt::<i32>() else { return Ok(values) };
    let max = usize::try_from(characters_max).unwrap_or(usize::MAX);
    // Fewer bytes are fewer characters.
    let end = |text: &str| if text.len() <= max { None } else { text.char_indices().nth(max).map(|(end, _)| end) };
    if !texts.iter().flatten().any(|text| end(text).is_some()) {
        return Ok(values);
    }
    let fitted = texts.iter().map(|text| {
        let Some((text, end)) = text.and_then(|text| Some((text, end(text)?))) else { return Ok(text) };
        match text.split_at_checked(end) {
            Some((kept, rest)) if rest.bytes().all(|byte| byte == b' ') => Ok(Some(kept)),
            _ => Err(Error::Write(Fault::TooLong { characters_max })),
        }
    });
    Ok(Arc::new(fitted.collect::<Result<StringArray, Error>>()?))
}

impl Fault {
    /// With the name of the table, where the place of the failure does not know it.
    fn of(self, of: &str) -> Error {
        Error::Write(match self {
            Self::Rows { table, reason } if table.is_empty() => Self::Rows { table: of.to_owned(), reason },
            Self::Feature { table, feature } if table.is_empty() => Self::Feature { table: of.to_owned(), feature },
            other => other,
        })
    }
}
