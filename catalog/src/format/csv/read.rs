//! Reads the rows of a file as batches of the wanted columns.
//!
//! Owns: the way from a record to a batch. Must never guess: layout and types were found out before.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::columns::Column;
use super::plan::{Plan, Way};
use super::rejects::{Reject, Rejects};
use super::seen::shown;
use super::split::{Dialect, Field as Split, Splitter, unescaped};
use super::{At, Layout, Records, slice};
use crate::Error;
use crate::format::type_name;
use crate::pinned::Pinned;

/// A batch of long records has fewer of them.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Which rows and columns of a file to read, and how.
pub(crate) struct Wanted {
    pub(crate) plan: Arc<Plan>,
    pub(crate) layout: Arc<Layout>,
    /// The columns of the batches; those that the file does not have are NULL.
    pub(crate) schema: SchemaRef,
    pub(crate) batch_rows: usize,
}

/// A file that is being read.
pub(crate) struct Reader {
    wanted: Wanted,
    records: Records,
    splitter: Splitter,
    slots: Vec<Slot>,
    /// Every column of the table, to leave out the records that do not fit.
    checks: Vec<Slot>,
    rejects: Option<Arc<Rejects>>,
    /// The last line of what is left out now.
    skip_past: u64,
    unescaped: String,
    header_is_next: bool,
    is_at_start: bool,
    /// Text in the batch under construction.
    batch_bytes: usize,
}

enum Slot {
    /// A field of the file, by its place in a record.
    Field {
        place: usize,
        name: String,
        data_type: DataType,
        column: Column,
        way: Way,
    },
    Missing(DataType),
}

impl Slot {
    /// `None` if text cannot hold the type.
    fn new(wanted: &Wanted, field: &Field) -> Option<Self> {
        let Some(place) = place(wanted, field.name()) else { return Some(Self::Missing(field.data_type().clone())) };
        let declared = wanted.plan.options.columns.is_some();
        let has_commas = wanted.layout.commas.get(place).copied().unwrap_or_default();
        let way = wanted.plan.way(field.name())?.clone();
        let column = Column::new(field.data_type(), declared, &way.form, has_commas)?;
        let (name, data_type) = (field.name().clone(), field.data_type().clone());
        Some(Self::Field { place, name, data_type, column, way })
    }

    /// Forgets the values that were taken to be checked.
    fn clear(&mut self) {
        if let Self::Field { column, .. } = self {
            column.finish();
        }
    }

    /// Takes its value out of a record.
    fn take<'a>(
        &mut self,
        (text, fields): (&'a str, &[Split]),
        dialect: &Dialect,
        scratch: &'a mut String,
    ) -> Result<(), &'a str> {
        let Self::Field { place, column, way, .. } = self else { return Ok(()) };
        let Some(field) = fields.get(*place) else { return Ok(()) };
        let value = value(text, field, dialect, scratch);
        let is_null = if column.is_text() { way.is_null_text(value, field.quoted) } else { way.is_null(value) };
        if is_null {
            column.push_null();
            return Ok(());
        }
        column.push(value).map_err(|_| value)
    }
}

impl Reader {
    pub(crate) fn open(file: &Arc<Pinned>, wanted: Wanted) -> Result<Self, Error> {
        let slots = |schema: &SchemaRef| {
            let slots: Option<Vec<Slot>> = schema.fields().iter().map(|field| Slot::new(&wanted, field)).collect();
            slots.ok_or_else(|| file.unreadable("a column has a type that text cannot hold"))
        };
        let rejects = wanted.plan.rejects(file.key()).map(Arc::clone);
        let checks = wanted.plan.checked().map(slots).transpose()?.unwrap_or_default();
        let slots = slots(&wanted.schema)?;
        Ok(Self {
            records: Records::open(file, wanted.layout.encoding),
            splitter: Splitter::at(wanted.layout.dialect, wanted.layout.skip_lines + 1),
            slots,
            checks,
            rejects,
            skip_past: 0,
            unescaped: String::new(),
            header_is_next: wanted.layout.header,
            is_at_start: true,
            batch_bytes: 0,
            wanted,
        })
    }

    /// The next rows; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        if std::mem::take(&mut self.is_at_start) {
            self.records.skip_lines(self.wanted.layout.skip_lines).await?;
        }
        let mut rows = 0;
        self.batch_bytes = 0;
        while rows < self.wanted.batch_rows && self.batch_bytes < BATCH_BYTES_MAX {
            rows += self.take(self.wanted.batch_rows - rows)?;
            let is_full = rows == self.wanted.batch_rows || self.batch_bytes >= BATCH_BYTES_MAX;
            if !is_full && !self.records.fill(self.splitter.next_line()).await? {
                break;
            }
        }
        if rows == 0 { Ok(None) } else { self.batch(rows).map(Some) }
    }

    /// Takes rows out of the text that is there.
    fn take(&mut self, rows_max: usize) -> Result<usize, Error> {
        let file = Arc::clone(&self.records.file);
        let mut rows = 0;
        while rows < rows_max && self.batch_bytes < BATCH_BYTES_MAX {
            if !self.records.skip_past(self.skip_past, &mut self.splitter) {
                break;
            }
            let (text, fields) = match self.records.try_cut(&mut self.splitter) {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(fault) => {
                    let error = At(&file).fault(fault);
                    let Some(rejects) = &self.rejects else { return Err(error) };
                    self.skip_past = fault.line();
                    reject(rejects, fault.line(), &error, self.records.rest());
                    continue;
                }
            };
            if std::mem::take(&mut self.header_is_next) {
                continue;
            }
            let line = self.splitter.record_line();
            let end = fields.last().map_or(0, |field| field.end);
            let checked = if self.wanted.layout.fits(fields) {
                let dialect = &self.wanted.layout.dialect;
                self.checks.iter_mut().try_for_each(|slot| {
                    let taken = slot.take((text, fields), dialect, &mut self.unescaped);
                    taken.map_err(|value| bad_value(&file, line, slot, value))
                })
            } else {
                Err(At(&file).ragged(line, fields.len(), self.wanted.layout.names.len()))
            };
            match (checked, &self.rejects) {
                (Ok(()), _) => {}
                (Err(error), None) => return Err(error),
                (Err(error), Some(rejects)) => {
                    reject(rejects, line, &error, text.get(..end).unwrap_or_default());
                    continue;
                }
            }
            self.batch_bytes += end;
            for slot in &mut self.slots {
                let taken = slot.take((text, fields), &self.wanted.layout.dialect, &mut self.unescaped);
                taken.map_err(|value| bad_value(&file, line, slot, value))?;
            }
            rows += 1;
        }
        Ok(rows)
    }

    fn batch(&mut self, rows: usize) -> Result<RecordBatch, Error> {
        self.checks.iter_mut().for_each(Slot::clear);
        let arrays: Vec<ArrayRef> = self
            .slots
            .iter_mut()
            .map(|slot| match slot {
                Slot::Field { column, .. } => column.finish(),
                Slot::Missing(data_type) => new_null_array(data_type, rows),
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.wanted.schema), arrays, &options).map_err(|error| {
            let file = &self.records.file;
            Error::Rows { table: file.table.clone(), file: file.key().to_owned(), reason: error.to_string() }
        })
    }
}

/// Where a column is in the records of the file. A definition's names match in any case if that is one only.
fn place(wanted: &Wanted, name: &str) -> Option<usize> {
    let names = &wanted.layout.names;
    let exact = names.iter().position(|known| known == name);
    if exact.is_some() || wanted.plan.options.columns.is_none() {
        return exact;
    }
    let mut same = names.iter().enumerate().filter(|(_, known)| known.to_lowercase() == name.to_lowercase());
    let (place, _) = same.next()?;
    same.next().is_none().then_some(place)
}

fn value<'a>(text: &'a str, field: &Split, dialect: &Dialect, scratch: &'a mut String) -> &'a str {
    let value = slice(text, field);
    if !field.escaped {
        return value;
    }
    unescaped(value, dialect, scratch);
    scratch
}

fn bad_value(file: &Pinned, line: u64, slot: &Slot, value: &str) -> Error {
    let (column, data_type) = match slot {
        Slot::Field { name, data_type, .. } => (name.as_str(), data_type),
        Slot::Missing(data_type) => ("", data_type),
    };
    Error::BadValue {
        table: file.table.clone(),
        file: file.key().to_owned(),
        line,
        column: column.to_owned(),
        expected: type_name(data_type).to_owned(),
        value: shown(value),
    }
}

/// Leaves out a record.
fn reject(rejects: &Rejects, line: u64, error: &Error, record: &str) {
    rejects.add(line, || {
        let (column, reason, text) = match error {
            Error::BadValue { column, expected, value, .. } => {
                (Some(column.clone()), format!("no value of type {expected}"), value.clone())
            }
            Error::BadRecord { reason, .. } => (None, reason.clone(), shown(record.lines().next().unwrap_or_default())),
            other => (None, other.reason(), shown(record)),
        };
        Reject { line, column, reason, text }
    });
}
