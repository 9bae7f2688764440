//! COPY ... TO STDOUT: the rows of a result as text lines, as CSV or as PostgreSQL's binary file.
//!
//! Owns: the form of a row and of the file around it. Must never know: how a value is written; a row comes as the
//! DataRow that `encode` wrote, whose fields are what COPY writes too.
//! <https://www.postgresql.org/docs/15/sql-copy.html>

use std::sync::Arc;

use arrow::datatypes::Schema;
use bytes::{BufMut, BytesMut};

use super::backend;
use super::connection::{Connection, Step};
use super::encode::{Format, RowEncoder};
use super::portal::{Rows, Run};
use crate::engine::{Copy, CopyFormat, QueryStream, Tag};
use crate::error::{Error, Result};
use crate::session::StatementGuard;
use crate::session::transaction::Status;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: [u8; 2] = (-1_i16).to_be_bytes();

impl Connection {
    /// Sends a whole result; COPY knows no portions.
    pub(super) async fn copy_out(
        &mut self,
        stream: QueryStream,
        (copy, tag): (Copy, Tag),
        guard: &StatementGuard,
        before: Status,
    ) -> Step {
        let columns = Arc::clone(stream.schema());
        let is_binary = copy.format == CopyFormat::Binary;
        let format = if is_binary { Format::Binary } else { Format::Text };
        let encoder = RowEncoder::of(&stream, &vec![format; columns.fields().len()], &self.display())?;
        backend::copy_out_response(&mut self.wire.output, format, columns.fields().len())?;
        let lines = Lines(copy);
        lines.begin(&columns, &mut self.wire.output);
        let mut run = Run { rows: Rows::new(stream), encoder: Arc::new(encoder), tag, copy: Some(Arc::new(lines)) };
        let sent = self.send_rows(&mut run, guard, 0).await?;
        if is_binary {
            backend::copy_data(&mut self.wire.output, |out| {
                if sent == 0 {
                    out.extend_from_slice(SIGNATURE);
                }
                out.extend_from_slice(&END);
            });
        }
        backend::signal(&mut self.wire.output, backend::Signal::CopyDone);
        self.complete(&run.tag, sent, before)
    }
}

/// Writes the rows of one COPY.
#[derive(Debug)]
pub(super) struct Lines(Copy);

impl Lines {
    pub(super) fn new(copy: Copy) -> Self {
        Self(copy)
    }

    /// What precedes the rows.
    fn begin(&self, columns: &Schema, out: &mut BytesMut) {
        match self.0.format {
            CopyFormat::Text | CopyFormat::Csv if self.0.header => {
                backend::copy_data(out, |out| self.head(columns, out));
            }
            CopyFormat::Text | CopyFormat::Csv => {}
            // The head of a binary file is in the message of its first row, where PostgreSQL has it: readers that take a
            // message for a row (ADBC, rust-postgres) look for it there.
            CopyFormat::Binary => {}
        }
    }

    /// The line with the names of columns, if there is one.
    pub(super) fn head(&self, columns: &Schema, out: &mut BytesMut) {
        if !self.0.header {
            return;
        }
        for (index, field) in columns.fields().iter().enumerate() {
            self.delimit(index, out);
            match self.0.format {
                CopyFormat::Csv => self.csv(field.name().as_bytes(), false, false, out),
                _ => self.text(field.name().as_bytes(), out),
            }
        }
        out.put_u8(b'\n');
    }

    /// Turns DataRow messages into lines.
    pub(super) fn plain(&self, rows: &[u8], out: &mut BytesMut) -> Result<()> {
        let mut rest = rows;
        while !rest.is_empty() {
            let (row, after) = frame(rest).ok_or_else(broken)?;
            rest = after;
            self.line(row, out).ok_or_else(broken)?;
        }
        Ok(())
    }

    /// Turns DataRow messages into CopyData messages.
    pub(super) fn convert(&self, rows: &[u8], is_first: bool, out: &mut BytesMut) -> Result<()> {
        let mut rest = rows;
        let mut head = if is_first { SIGNATURE } else { &[] };
        while !rest.is_empty() {
            let (row, after) = frame(rest).ok_or_else(broken)?;
            rest = after;
            backend::copy_data(out, |out| match self.0.format {
                CopyFormat::Binary => {
                    out.extend_from_slice(std::mem::take(&mut head));
                    // A row of the file is a DataRow without its frame.
                    out.extend_from_slice(row);
                    Some(())
                }
                CopyFormat::Text | CopyFormat::Csv => self.line(row, out),
            })
            .ok_or_else(broken)?;
        }
        Ok(())
    }

    fn line(&self, row: &[u8], out: &mut BytesMut) -> Option<()> {
        let (count, mut rest) = row.split_first_chunk::<2>()?;
        let count = i16::from_be_bytes(*count);
        for index in 0..usize::try_from(count).ok()? {
            self.delimit(index, out);
            let (length, after) = rest.split_first_chunk::<4>()?;
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                out.extend_from_slice(self.0.null.as_bytes());
                rest = after;
                continue;
            };
            let (value, after) = after.split_at_checked(length)?;
            rest = after;
            match self.0.format {
                CopyFormat::Csv => self.csv(value, self.0.force_quote.contains(&index), count == 1, out),
                _ => self.text(value, out),
            }
        }
        out.put_u8(b'\n');
        Some(())
    }

    fn delimit(&self, index: usize, out: &mut BytesMut) {
        if index > 0 {
            out.put_u8(self.0.delimiter);
        }
    }

    /// A value with a backslash before what a reader would take for something else.
    fn text(&self, value: &[u8], out: &mut BytesMut) {
        let mut plain = 0;
        for (at, byte) in value.iter().enumerate() {
            let escaped = match byte {
                0x08 => b'b',
                0x0c => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x0b => b'v',
                b'\\' => b'\\',
                byte if *byte == self.0.delimiter => *byte,
                _ => continue,
            };
            out.extend_from_slice(value.get(plain..at).unwrap_or_default());
            out.extend_from_slice(&[b'\\', escaped]);
            plain = at + 1;
        }
        out.extend_from_slice(value.get(plain..).unwrap_or_default());
    }

    /// A value in quotes, if it must be.
    fn csv(&self, value: &[u8], force: bool, alone: bool, out: &mut BytesMut) {
        let Copy { delimiter, quote, escape, null, .. } = &self.0;
        let special = |byte: &u8| matches!(byte, b'\n' | b'\r') || byte == delimiter || byte == quote;
        // A lone `\.` would end the data.
        let quoted = force || value == null.as_bytes() || (alone && value == b"\\.") || value.iter().any(special);
        if !quoted {
            out.extend_from_slice(value);
            return;
        }
        out.put_u8(*quote);
        for byte in value {
            if byte == quote || byte == escape {
                out.put_u8(*escape);
            }
            out.put_u8(*byte);
        }
        out.put_u8(*quote);
    }
}

/// The body of the first DataRow, and what follows it.
fn frame(rows: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = rows.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_sub(4)?)
}

fn broken() -> Error {
    Error::internal("a row without its frame")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(format: CopyFormat) -> Lines {
        let (delimiter, null) = if format == CopyFormat::Csv { (b',', "") } else { (b'\t', "\\N") };
        let (quote, escape) = (b'"', b'"');
        let null = null.to_owned();
        let (force_quote, force_not_null, force_null) = Default::default();
        Lines(Copy { format, delimiter, null, header: false, quote, escape, force_quote, force_not_null, force_null })
    }

    fn row(values: &[Option<&str>]) -> Vec<u8> {
        let mut body = (values.len() as i16).to_be_bytes().to_vec();
        for value in values {
            let length = value.map_or(-1, |value| value.len() as i32);
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(value.unwrap_or_default().as_bytes());
        }
        let mut row = vec![b'D'];
        row.extend_from_slice(&(body.len() as i32 + 4).to_be_bytes());
        row.extend_from_slice(&body);
        row
    }

    fn check(format: CopyFormat, values: &[Option<&str>], expect: &str) {
        let mut out = BytesMut::new();
        lines(format).convert(&row(values), true, &mut out).unwrap();
        assert_eq!(out[0], b'd');
        assert_eq!(String::from_utf8_lossy(&out[5..]), expect);
    }

    #[test]
    fn a_text_line_escapes_what_would_end_a_field_or_a_line() {
        check(CopyFormat::Text, &[Some("a\tb\\c\nd"), None, Some("")], "a\\tb\\\\c\\nd\t\\N\t\n");
    }

    #[test]
    fn a_csv_line_quotes_what_would_end_a_field_and_what_would_be_null() {
        check(
            CopyFormat::Csv,
            &[Some("a,b"), Some("say \"x\""), None, Some(""), Some("c")],
            "\"a,b\",\"say \"\"x\"\"\",,\"\",c\n",
        );
        check(CopyFormat::Csv, &[Some("\\.")], "\"\\.\"\n");
        check(CopyFormat::Csv, &[Some("\\."), Some("x")], "\\.,x\n");
    }
}
