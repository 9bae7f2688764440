//! Reads the records of a part of a file as batches of the wanted columns.
//!
//! Owns: the way from a record to a batch, and which records are wrong. It keeps nothing between two parts, so that they can be
//! read side by side. Must never guess: layout and types were found out before.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::columns::{Column, Fields, Misfits};
use super::plan::{Plan, place};
use super::records::{Cuts, Place, Records};
use super::rejects::Reject;
use super::seen::shown;
use super::split::{Cursor, Fault, Field as Split, Splitter, line_end};
use super::{At, Layout};
use crate::Error;
use crate::format::type_name;
use crate::pinned::Pinned;

/// Which rows and columns of a file to read, and how.
pub(crate) struct Wanted {
    pub(crate) plan: Arc<Plan>,
    pub(crate) layout: Arc<Layout>,
    /// The columns of the batches; those that the file does not have are NULL.
    pub(crate) schema: SchemaRef,
    pub(crate) batch_rows: usize,
    /// How many parts of the file may be read side by side.
    pub(crate) parts: usize,
}

/// How the records of one file become rows.
pub(super) struct Rows {
    pub(super) file: Arc<Pinned>,
    pub(super) wanted: Wanted,
    slots: Vec<Slot>,
    /// Every column of the table, where records that do not fit it are left out.
    checks: Option<Vec<Slot>>,
    /// The fields of a record that any of them needs, by their places.
    places: Vec<usize>,
    /// `None` if the splitter cuts every record.
    cuts: Option<Cuts>,
}

enum Slot {
    /// `cells` is which of `places`.
    Field {
        cells: usize,
        name: String,
        column: Column,
    },
    Missing(DataType),
}

/// What goes over from one part of a file to the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Start {
    /// Whether the next record holds the names.
    pub(super) header: bool,
    /// Lines of a record that is left out.
    pub(super) skip_lines: u64,
}

/// What one part of a file holds. Lines count from the start of the part.
#[derive(Default)]
pub(super) struct Part {
    pub(super) batches: Vec<RecordBatch>,
    /// Records that are left out, with the start of each.
    pub(super) rejects: Vec<(Wrong, String)>,
    /// Bytes and lines of whole records.
    pub(super) used: usize,
    pub(super) lines: u64,
    pub(super) next: Start,
}

/// A record that cannot be read.
#[derive(Debug)]
pub(super) struct Wrong {
    /// From the start of the part, from 1.
    pub(super) line: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Fault(Fault),
    Ragged { fields: usize },
    Value { column: String, expected: DataType, value: String },
    Rows(String),
}

impl Rows {
    pub(super) fn new(file: &Arc<Pinned>, wanted: Wanted) -> Result<Self, Error> {
        let mut places = Vec::new();
        let mut slots = |schema: &SchemaRef| {
            let slots: Option<Vec<Slot>> =
                schema.fields().iter().map(|field| Slot::new(&wanted, field, &mut places)).collect();
            slots.ok_or_else(|| file.unreadable("a column has a type that text cannot hold"))
        };
        let checks = wanted.plan.checked().map(&mut slots).transpose()?;
        let slots = slots(&wanted.schema)?;
        let cuts = Cuts::new(&wanted.layout, &places);
        Ok(Self { file: Arc::clone(file), wanted, slots, checks, places, cuts })
    }

    /// Whether records that do not fit are left out.
    pub(super) fn is_rejecting(&self) -> bool {
        self.checks.is_some()
    }

    /// Reads the whole records of a text; it ends with one, or goes on in the next part.
    pub(super) fn read(&self, text: &str, start: Start, ends_whole: bool) -> Result<Part, Wrong> {
        let mut cutter = Cutter {
            rows: self,
            text,
            splitter: Splitter::new(self.wanted.layout.dialect),
            cursor: Cursor::new(text.as_bytes(), ends_whole),
            fields: Vec::new(),
            part: Part { next: start, ..Part::default() },
        };
        let mut records = Records::new(self.places.len());
        loop {
            let cut = cutter.cut(&mut records);
            // A wrong value before a wrong record is the first error.
            let batch = self.batch(text, &mut records, &mut cutter.part.rejects)?;
            cutter.part.batches.extend(batch);
            if !cut? {
                break;
            }
        }
        let Cutter { cursor, splitter, mut part, .. } = cutter;
        part.used = cursor.at();
        part.lines = splitter.next_line() - 1;
        part.rejects.sort_by_key(|(wrong, _)| wrong.line);
        Ok(part)
    }

    fn batch(
        &self,
        text: &str,
        records: &mut Records,
        rejects: &mut Vec<(Wrong, String)>,
    ) -> Result<Option<RecordBatch>, Wrong> {
        if let Some(checks) = &self.checks {
            self.leave_out(text, checks, records, rejects);
        }
        let rows = records.lines.len();
        let mut first: Option<(usize, &Slot)> = None;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let mut misfits = Misfits { rows: Vec::new(), first_only: true };
            arrays.push(slot.read(self.fields(text, slot, records), rows, &mut misfits));
            if let Some(row) = misfits.rows.first().filter(|row| first.is_none_or(|(known, _)| **row < known)) {
                first = Some((*row, slot));
            }
        }
        if let Some((row, slot)) = first {
            return Err(self.bad_value(text, slot, records, row));
        }
        if rows == 0 {
            return Ok(None);
        }
        let line = records.lines.first().copied().unwrap_or_default();
        records.clear();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.wanted.schema), arrays, &options)
            .map(Some)
            .map_err(|error| Wrong { line, what: What::Rows(error.to_string()) })
    }

    /// Takes the records out that do not fit every column of the table.
    fn leave_out(&self, text: &str, checks: &[Slot], records: &mut Records, rejects: &mut Vec<(Wrong, String)>) {
        let mut bad: Vec<Option<&Slot>> = vec![None; records.lines.len()];
        for slot in checks {
            let mut misfits = Misfits { rows: Vec::new(), first_only: false };
            slot.read(self.fields(text, slot, records), records.lines.len(), &mut misfits);
            for row in misfits.rows {
                if let Some(bad) = bad.get_mut(row) {
                    bad.get_or_insert(slot);
                }
            }
        }
        for (row, slot) in bad.iter().enumerate() {
            rejects.extend(slot.map(|slot| (self.bad_value(text, slot, records, row), String::new())));
        }
        let keep = |row: usize| bad.get(row).is_none_or(Option::is_none);
        keep_rows(&mut records.lines, keep);
        records.cells.iter_mut().for_each(|cells| keep_rows(cells, keep));
    }

    fn fields<'a>(&'a self, text: &'a str, slot: &Slot, records: &'a Records) -> Fields<'a> {
        let cells = match slot {
            Slot::Field { cells, .. } => records.cells.get(*cells),
            Slot::Missing(_) => None,
        };
        let fields = cells.map(Vec::as_slice).unwrap_or_default();
        Fields { text, fields, dialect: &self.wanted.layout.dialect }
    }

    fn bad_value(&self, text: &str, slot: &Slot, records: &Records, row: usize) -> Wrong {
        let fields = self.fields(text, slot, records);
        let mut scratch = String::new();
        let value = fields.fields.get(row).map_or("", |field| fields.value(field, &mut scratch));
        let (column, expected) = match slot {
            Slot::Field { name, column, .. } => (name.clone(), column.data_type().clone()),
            Slot::Missing(data_type) => (String::new(), data_type.clone()),
        };
        let line = records.lines.get(row).copied().unwrap_or_default();
        Wrong { line, what: What::Value { column, expected, value: shown(value) } }
    }
}

impl Slot {
    /// `None` if text cannot hold the type.
    fn new(wanted: &Wanted, field: &Field, places: &mut Vec<usize>) -> Option<Self> {
        let Some(place) = place(&wanted.plan, &wanted.layout, field.name()) else {
            return Some(Self::Missing(field.data_type().clone()));
        };
        let declared = wanted.plan.options.columns.is_some();
        let has_commas = wanted.layout.commas.get(place).copied().unwrap_or_default();
        let way = wanted.plan.way(field.name())?.clone();
        let column = Column::new(field.data_type(), declared, way, has_commas)?;
        let cells = places.iter().position(|known| *known == place).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        Some(Self::Field { cells, name: field.name().clone(), column })
    }

    fn read(&self, fields: Fields<'_>, rows: usize, misfits: &mut Misfits) -> ArrayRef {
        match self {
            Self::Field { column, .. } => column.read(fields, misfits),
            Self::Missing(data_type) => new_null_array(data_type, rows),
        }
    }
}

/// Cuts the records of one part.
struct Cutter<'a> {
    rows: &'a Rows,
    text: &'a str,
    splitter: Splitter,
    cursor: Cursor<'a>,
    fields: Vec<Split>,
    part: Part,
}

impl Cutter<'_> {
    /// Takes the records of a batch; false after the last of the part.
    fn cut(&mut self, records: &mut Records) -> Result<bool, Wrong> {
        while records.lines.len() < self.rows.wanted.batch_rows {
            if !self.skip_lines() {
                return Ok(false);
            }
            self.cut_usual(records);
            if records.lines.len() >= self.rows.wanted.batch_rows {
                break;
            }
            match self.splitter.cut(&mut self.cursor, &mut self.fields) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(fault) => {
                    self.reject(Wrong { line: fault.line(), what: What::Fault(fault) })?;
                    self.part.next.skip_lines = (fault.line() + 1).saturating_sub(self.splitter.next_line());
                    continue;
                }
            }
            if std::mem::take(&mut self.part.next.header) {
                continue;
            }
            let line = self.splitter.record_line();
            if !self.rows.wanted.layout.fits(&self.fields) {
                self.reject(Wrong { line, what: What::Ragged { fields: self.fields.len() } })?;
                continue;
            }
            records.lines.push(line);
            for (place, cells) in self.rows.places.iter().zip(&mut records.cells) {
                cells.extend(self.fields.get(*place));
            }
        }
        Ok(true)
    }

    /// Takes the records that are nothing special, up to the next one that is.
    fn cut_usual(&mut self, records: &mut Records) {
        if let Some(cuts) = self.rows.cuts.as_ref().filter(|_| !self.part.next.header) {
            let from = Place { at: self.cursor.at(), line: self.splitter.next_line() };
            let place = cuts.take(self.cursor.text(), from, records, self.rows.wanted.batch_rows);
            self.cursor.move_to(place.at);
            self.splitter.move_to(place.line);
        }
    }

    /// Goes past the lines that are left out; false if the text ends before.
    fn skip_lines(&mut self) -> bool {
        while self.part.next.skip_lines > 0 {
            let at = self.cursor.at();
            let rest = self.text.as_bytes().get(at..).unwrap_or_default();
            let end = match line_end(rest, self.cursor.is_last()) {
                Some(end) => end,
                None if self.cursor.is_last() => rest.len(),
                None => return false,
            };
            self.cursor.move_to(at + end);
            self.splitter = Splitter::at(self.splitter.dialect(), self.splitter.next_line() + 1);
            self.part.next.skip_lines -= 1;
        }
        true
    }

    fn reject(&mut self, wrong: Wrong) -> Result<(), Wrong> {
        if !self.rows.is_rejecting() {
            return Err(wrong);
        }
        let end = self.fields.last().map_or(0, |field| field.end);
        let record = match wrong.what {
            // It was not cut.
            What::Fault(_) => self.text.get(self.cursor.at()..),
            _ => self.fields.first().and_then(|field| self.text.get(field.start - usize::from(field.quoted)..end)),
        };
        let record = record.unwrap_or_default().trim_start_matches(['\r', '\n']);
        self.part.rejects.push((wrong, shown(record.lines().next().unwrap_or_default())));
        Ok(())
    }
}

impl Wrong {
    pub(super) fn into_error(self, rows: &Rows, lines_before: u64) -> Error {
        let line = lines_before + self.line;
        let file = &rows.file;
        match self.what {
            What::Fault(fault) => At(file).fault(fault.behind(lines_before)),
            What::Ragged { fields } => At(file).ragged(line, fields, rows.wanted.layout.names.len()),
            What::Value { column, expected, value } => Error::BadValue {
                table: file.table.clone(),
                file: file.key().to_owned(),
                line,
                column,
                expected: type_name(&expected).to_owned(),
                value,
            },
            What::Rows(reason) => Error::Rows { table: file.table.clone(), file: file.key().to_owned(), reason },
        }
    }

    /// For a record that starts so.
    pub(super) fn into_reject(self, record: String, rows: &Rows, lines_before: u64) -> Reject {
        let line = lines_before + self.line;
        match self.into_error(rows, lines_before) {
            Error::BadValue { column, expected, value, .. } => {
                Reject { line, column: Some(column), reason: format!("no value of type {expected}"), text: value }
            }
            Error::BadRecord { reason, .. } => Reject { line, column: None, reason, text: record },
            other => Reject { line, column: None, reason: other.reason(), text: record },
        }
    }
}

fn keep_rows<T>(rows: &mut Vec<T>, keep: impl Fn(usize) -> bool) {
    let mut row = 0;
    rows.retain(|_| {
        row += 1;
        keep(row - 1)
    });
}
