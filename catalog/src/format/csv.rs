//! Delimited text: what a file looks like, and its rows. Columns are found by the names of the header, never by place.
//!
//! Owns: the dialect of a file, its header and its limits. Must never know: other files of the table.

mod columns;
mod read;
mod sample;
mod split;

use std::sync::Arc;

use arrow::datatypes::DataType;
use encoding_rs::Encoding;

pub(crate) use read::{Reader, Wanted};
pub(crate) use sample::sample;
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
    pub(crate) header: bool,
    /// `None` is found out from the bytes.
    pub(crate) encoding: Option<&'static Encoding>,
    pub(crate) null_values: Vec<String>,
    pub(crate) date_format: Option<Pattern>,
    pub(crate) timestamp_format: Option<Pattern>,
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
            header: true,
            encoding: None,
            null_values: Vec::new(),
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

    /// Whether a value stands for NULL. Quotes make a text of a marker, as in PostgreSQL's COPY.
    fn is_null(&self, value: &str, quoted: bool, is_text: bool) -> bool {
        match (quoted, is_text) {
            (true, true) => false,
            (_, false) => value.trim_ascii().is_empty() || self.null_values.iter().any(|null| null == value),
            (false, true) => value.is_empty() || self.null_values.iter().any(|null| null == value),
        }
    }
}

/// What one file looks like. Files of a table mostly share one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) dialect: Dialect,
    /// The names of the fields, from left to right.
    pub(crate) names: Vec<String>,
    /// Whether rows may end with one more delimiter.
    pub(crate) trailing: bool,
    pub(crate) encoding: &'static Encoding,
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

/// The text of a file that is not yet cut, and the records cut from it.
struct Records {
    file: Arc<Pinned>,
    text: Text,
    buffer: String,
    used: usize,
    at_end: bool,
    /// Why there is no more text, held back until the records before it are taken.
    failed: Option<Error>,
    fields: Vec<Field>,
}

impl Records {
    /// For all rows.
    fn open(file: &Arc<Pinned>, encoding: &'static Encoding) -> Self {
        Self::of(file, Text::open(file, encoding))
    }

    /// For a look at the start of the file.
    fn look(file: &Arc<Pinned>, encoding: Option<&'static Encoding>, bytes: u64) -> Self {
        Self::of(file, Text::look(file, encoding, bytes))
    }

    fn of(file: &Arc<Pinned>, text: Text) -> Self {
        Self {
            file: Arc::clone(file),
            text,
            buffer: String::new(),
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

    /// Cuts the next record out of the text that is there; `None` if there is no whole one.
    fn cut<'a>(&'a mut self, splitter: &mut Splitter) -> Result<Option<(&'a str, &'a [Field])>, Error> {
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        match splitter.next(rest.as_bytes(), self.at_end, &mut self.fields) {
            Ok(None) => Ok(None),
            Ok(Some(used)) => {
                self.used += used;
                Ok(Some((rest, &self.fields)))
            }
            Err(fault) => Err(At(&self.file).fault(fault)),
        }
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
