//! Delimited text: what a file looks like, and its rows. Columns are found by the names of the header, never by place.
//!
//! Owns: the dialect of a file, its header and its limits. Must never know: other files of the table.

mod boundary;
mod columns;
mod decimal;
mod ends;
mod head;
mod kept;
mod lines;
mod parts;
mod plan;
mod read;
mod records;
mod rejects;
mod rows;
mod sample;
mod seen;
mod split;
mod stops;

use std::sync::Arc;

use arrow::datatypes::DataType;
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

pub(crate) use lines::{Lines, reads};
pub(crate) use plan::Plan;
pub(crate) use read::Reader;
pub(crate) use rows::Wanted;
pub(crate) use sample::{Facts, sample};
pub(crate) use seen::{Class, Seen};
pub(crate) use split::{Delimiter, Dialect};

use super::text::{Filled, Text};
use super::value::Pattern;
use crate::Error;
use crate::pinned::Pinned;
use split::{Fault, Field, Splitter};

/// The largest record, with its quoted line ends.
const RECORD_BYTES_MAX: usize = 16 << 20;

/// A look whose first record is longer goes on by so much.
const LOOK_ON_BYTES: u64 = 1 << 20;

/// How line ends are shown.
const LINE_ENDS: [&str; 3] = ["\\r\\n", "\\r", "\\n"];

/// What a definition says of a table of text; the default is what a file without a definition gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// `None` is found out from the header.
    pub(crate) delimiter: Option<Delimiter>,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) comment: Option<u8>,
    pub(crate) skip_leading_blank: bool,
    /// Whether every row ends with a delimiter that the header does not have.
    pub(crate) trailing_delimiter: bool,
    /// `None` is found out from the first lines; with declared columns there is one.
    pub(crate) header: Option<bool>,
    /// `None` is found out from the bytes.
    pub(crate) encoding: Option<&'static Encoding>,
    /// Empty: the usual words, where all other values are numbers, booleans or moments.
    pub(crate) null_values: Vec<String>,
    /// `.` or `,`; `None` is found out from the values.
    pub(crate) decimal: Option<u8>,
    pub(crate) date_format: Option<Pattern>,
    pub(crate) timestamp_format: Option<Pattern>,
    /// Whether records that do not parse are left out and listed, not errors.
    pub(crate) skip_bad: bool,
    /// The columns of the definition; `None` is found out from the files.
    pub(crate) columns: Option<Vec<(String, DataType)>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delimiter: None,
            quote: Some(b'"'),
            escape: None,
            comment: None,
            skip_leading_blank: false,
            trailing_delimiter: false,
            header: None,
            encoding: None,
            null_values: Vec::new(),
            decimal: None,
            skip_bad: false,
            date_format: None,
            timestamp_format: None,
            columns: None,
        }
    }
}

impl Options {
    fn dialect(&self, delimiter: Delimiter) -> Dialect {
        Dialect {
            delimiter,
            quote: self.quote,
            escape: self.escape,
            comment: self.comment,
            skip_leading_blank: self.skip_leading_blank,
        }
    }

    /// Whether a comma can stand before decimals.
    fn has_commas(&self, delimiter: Delimiter) -> bool {
        match self.decimal {
            Some(decimal) => decimal == b',',
            None => delimiter != Delimiter::Byte(b','),
        }
    }
}

/// What one file looks like. Files of a table mostly share one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) dialect: Dialect,
    /// The names of the fields, from left to right.
    pub(crate) names: Vec<String>,
    /// Whether rows may end with one more delimiter.
    pub(crate) trailing: bool,
    #[serde(with = "kept::encoding")]
    pub(crate) encoding: &'static Encoding,
    /// Whether the first record holds the names.
    pub(crate) header: bool,
    /// Lines before the first record.
    pub(crate) skip_lines: u64,
    /// The columns with a comma before decimals, by place; empty if there are none.
    pub(crate) commas: Vec<bool>,
}

impl Layout {
    /// Whether a row has the right number of fields.
    fn fits(&self, fields: &[Field]) -> bool {
        let width = self.names.len();
        let ends_empty = fields.last().is_some_and(|field| !field.quoted && field.start == field.end);
        fields.len() == width || (self.trailing && fields.len() == width + 1 && ends_empty)
    }
}

/// Errors of one file, with its names.
struct At<'a>(&'a Pinned);

impl At<'_> {
    fn record(&self, line: u64, reason: impl Into<String>) -> Error {
        Error::BadRecord { table: self.0.table.clone(), file: self.0.key().to_owned(), line, reason: reason.into() }
    }

    fn fault(&self, fault: Fault) -> Error {
        match fault {
            Fault::UnclosedQuote { line } => {
                self.record(line, format!("the quote opened on line {line} is never closed"))
            }
            Fault::AfterQuote { line } => self.record(line, "text after a closing quote"),
        }
    }

    fn ragged(&self, line: u64, found: usize, expected: usize) -> Error {
        self.record(line, format!("{found} fields, expected {expected}"))
    }

    fn too_long(&self, line: u64) -> Error {
        Error::RecordTooLong {
            table: self.0.table.clone(),
            file: self.0.key().to_owned(),
            line,
            bytes_max: RECORD_BYTES_MAX,
        }
    }
}

/// The start of a file that is not yet cut, and the records cut from it.
struct Records {
    file: Arc<Pinned>,
    text: Text,
    buffer: String,
    /// Where the last record starts, and how far the text is taken.
    start: usize,
    used: usize,
    at_end: bool,
    /// Why there is no more text, held back until the records before it are taken.
    failed: Option<Error>,
    fields: Vec<Field>,
}

impl Records {
    /// For a look at the start of the file.
    fn look(file: &Arc<Pinned>, encoding: Option<&'static Encoding>, bytes: u64) -> Self {
        Self {
            file: Arc::clone(file),
            text: Text::look(file, encoding, bytes),
            buffer: String::new(),
            start: 0,
            used: 0,
            at_end: false,
            failed: None,
            fields: Vec::new(),
        }
    }

    /// The text from the next record on.
    fn rest(&self) -> &str {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// The text that the fields of the last record are places in.
    fn last(&self) -> &str {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// At most so many bytes of it, and whether that is all to the end of the file.
    fn head(&self, bytes_max: usize) -> (&str, bool) {
        let rest = self.rest();
        match rest.get(..rest.floor_char_boundary(bytes_max)) {
            Some(part) if part.len() < rest.len() => (part, false),
            _ => (rest, self.at_end),
        }
    }

    /// Goes past so many lines.
    async fn skip_lines(&mut self, lines: u64) -> Result<(), Error> {
        let mut skipped = 0;
        while skipped < lines {
            match split::line_end(self.rest().as_bytes(), self.at_end) {
                Some(end) => {
                    self.used += end;
                    skipped += 1;
                }
                None if self.fill(skipped + 1).await? => {}
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Cuts the next record out of the text that is there; `None` if there is no whole one.
    fn cut<'a>(&'a mut self, splitter: &mut Splitter) -> Result<Option<(&'a str, &'a [Field])>, Error> {
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        let used = splitter.next(rest.as_bytes(), self.at_end, &mut self.fields);
        let Some(used) = used.map_err(|fault| At(&self.file).fault(fault))? else { return Ok(None) };
        self.start = self.used;
        self.used += used;
        Ok(Some((rest, &self.fields)))
    }

    /// Reads on; `line` is where the record starts that is not whole. False at the end of the file or of the look.
    async fn fill(&mut self, line: u64) -> Result<bool, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.at_end {
            return Ok(false);
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        if self.buffer.len() > RECORD_BYTES_MAX {
            return Err(At(&self.file).too_long(line));
        }
        match self.text.fill(&mut self.buffer).await {
            Ok(Filled::More) => {}
            Ok(Filled::End) => self.at_end = true,
            Ok(Filled::Limit) => return Ok(false),
            Err(error) => self.failed = Some(error),
        }
        Ok(true)
    }

    /// Reads on, behind the end of the look if the first record goes on there.
    async fn fill_on(&mut self, line: u64) -> Result<bool, Error> {
        let more = self.fill(line).await?;
        if !more && !self.at_end {
            self.text.extend(LOOK_ON_BYTES);
            return Ok(true);
        }
        Ok(more)
    }

    /// Reads what is left of the look; true if a byte in it is none of the encoding.
    async fn is_broken(&mut self) -> Result<bool, Error> {
        loop {
            self.used = self.buffer.len();
            match self.fill(1).await {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Error::BadEncoding { .. }) => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }
}

fn slice<'a>(text: &'a str, field: &Field) -> &'a str {
    text.get(field.start..field.end).unwrap_or_default()
}
