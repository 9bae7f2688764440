//! Rows of a batch, one DataRow each.
//!
//! Owns: the frame of the message and what a stream's columns share. What a column is, is decided once a stream; how its
//! array lies in memory, once a batch.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;

use super::cell::{self, Column, Look};
use super::writer::Writer;
use crate::engine::QueryStream;
use crate::error::{Error, Result, SqlState};
use crate::session::vars::Display;

/// PostgreSQL's two formats of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Binary,
}

/// Writes the rows of one stream; several threads may write different rows at once.
#[derive(Debug)]
pub struct RowEncoder {
    columns: Vec<Column>,
    /// The field count of every row.
    count: i16,
    look: Arc<Look>,
}

/// A message's length counts itself; more than this no client can read.
const ROW_BYTES_MAX: usize = 0x3fff_ffff;

impl RowEncoder {
    /// Decides every column's type and format. A type that has no binary form: 42883, as PostgreSQL says.
    pub fn new(schema: &Schema, formats: &[Format], display: &Display) -> Result<RowEncoder> {
        let fields = schema.fields();
        if formats.len() != fields.len() {
            return Err(Error::internal(format!("{} formats for {} columns", formats.len(), fields.len())));
        }
        let count = i16::try_from(fields.len())
            .map_err(|_| Error::new(SqlState::TooManyColumns, "target lists can have at most 1664 entries"))?;
        let columns =
            fields.iter().zip(formats).map(|(field, format)| Column::new(field, *format)).collect::<Result<_>>()?;
        Ok(RowEncoder { columns, count, look: Arc::new(Look::new(display)) })
    }

    /// For the rows of a stream, whose OIDs get their names.
    pub fn of(stream: &QueryStream, formats: &[Format], display: &Display) -> Result<RowEncoder> {
        let encoder = Self::new(stream.schema(), formats, display)?;
        let look = Look { registry: stream.registry(), ..Look::new(display) };
        Ok(RowEncoder { look: Arc::new(look), ..encoder })
    }

    /// Appends complete DataRow messages of `rows` to `out`. After an error the rows before the failed one are there.
    pub fn encode(&self, batch: &RecordBatch, rows: Range<usize>, out: &mut BytesMut) -> Result<()> {
        let rows = rows.start.min(batch.num_rows())..rows.end.min(batch.num_rows());
        if rows.is_empty() {
            return Ok(());
        }
        if batch.num_columns() != self.columns.len() {
            return Err(Error::internal(format!("a batch of {} columns", batch.num_columns())));
        }
        let mut cells = Vec::with_capacity(self.columns.len());
        for (column, array) in self.columns.iter().zip(batch.columns()) {
            cells.push(cell::bind(&array.slice(rows.start, rows.len()), column, &self.look)?);
        }
        let mut writer = Writer::new(out, rows.len() * (7 + 16 * cells.len()));
        let head = [b'D', 0, 0, 0, 0].into_iter().chain(self.count.to_be_bytes());
        let mut header = [0; 7];
        header.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        let mut outcome = Ok(());
        for row in 0..rows.len() {
            let start = writer.at();
            writer.array(&header);
            outcome = cells.iter_mut().try_for_each(|cell| cell.field(row, &mut writer));
            if outcome.is_ok() && writer.at() - start > ROW_BYTES_MAX {
                outcome = Err(Error::new(SqlState::ProgramLimitExceeded, "a row of the result is larger than 1 GB"));
            }
            if outcome.is_err() {
                writer.rewind(start);
                break;
            }
            writer.end(start + 1, start + 1);
        }
        writer.finish();
        outcome
    }
}
