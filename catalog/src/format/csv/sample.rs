//! Looks at a file: what it looks like, and the kinds of the values.
//!
//! Owns: how much is looked at, and what is concluded from it. Rows that are wrong end the look: reading reports them.

use std::collections::HashSet;
use std::sync::Arc;

use encoding_rs::{UTF_8, WINDOWS_1252};

use super::decimal::settle;
use super::head::{self, Head};
use super::seen::{Place, Rules, Seen};
use super::split::{Field, Splitter, unescaped};
use super::{Delimiter, LOOK_ON_BYTES, Layout, Options, Records, ends, slice};
use crate::Error;
use crate::format::value::Kinds;
use crate::format::{Budget, COLUMNS_MAX, ROWS_BETWEEN_YIELDS};
use crate::pinned::Pinned;

/// The first lines are looked at in so much text, unless the first record is longer.
const HEAD_BYTES: usize = 64 << 10;

/// A file whose name says no more than text is a table if so many of its first records have the same fields.
const COLUMNS_SHARE_MIN: f64 = 0.9;

/// In a column that is text anyway, so many rows are counted.
const TEXT_ROWS_MAX: usize = 20_000;

/// What a look at a file shows.
pub(crate) struct Sample {
    pub(crate) layout: Layout,
    /// The values of each column.
    pub(crate) seen: Vec<Seen>,
    pub(crate) facts: Facts,
}

/// What `system.csv_dialect` tells of a file besides its layout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) delimiter_share: f64,
    pub(crate) header_is_sure: bool,
    pub(crate) line_end: &'static str,
    /// The share of the sequences behind ASCII that are of the encoding and not of the other.
    pub(crate) encoding_share: f64,
}

/// Looks at a file, within `budget`. Text that is no UTF-8 is looked at again as what it is.
pub(crate) async fn sample(file: &Arc<Pinned>, options: &Options, budget: Budget) -> Result<Sample, Error> {
    let mut records = Records::look(file, options.encoding, budget.bytes);
    let found = look(&mut records, options, budget).await;
    let is_broken = matches!(found, Err(Error::BadEncoding { .. })) || found.as_ref().is_ok_and(|(_, broken)| *broken);
    // Bytes that have the marks of UTF-16 are nothing else.
    if options.encoding.is_some() || !is_broken || records.text.encoding() != UTF_8 {
        return found.map(|(sample, _)| sample);
    }
    let mut records = Records::look(file, Some(WINDOWS_1252), budget.bytes);
    match look(&mut records, options, budget).await {
        Ok((mut other, _)) if records.text.is_windows_1252() => {
            other.facts.encoding_share = records.text.share_of_windows_1252();
            Ok(other)
        }
        Ok(_) | Err(_) => found.map(|(sample, _)| sample),
    }
}

/// A look, and whether a byte that the encoding does not have ended it.
async fn look(records: &mut Records, options: &Options, budget: Budget) -> Result<(Sample, bool), Error> {
    let file = Arc::clone(&records.file);
    let head = first_lines(records, options).await?;
    let Some(head) = head else { return without_records(&file, options, records).map(|sample| (sample, false)) };
    if options.delimiter.is_none() && file.is_plain_text() && head.share < COLUMNS_SHARE_MIN {
        return Err(Error::NoColumns { table: file.table.clone(), file: file.key().to_owned() });
    }
    let mut splitter = Splitter::at(options.dialect(head.delimiter), head.skip_lines + 1);
    records.skip_lines(head.skip_lines).await?;
    let names = names(records, &mut splitter, options, &head).await?;
    let mut looking = Looking::new(file, options, records.text.encoding(), head, names);
    let mut is_broken = false;
    // Errors of rows are left to the reader, which meets them again; those of the packing mean the whole file.
    while looking.rows < budget.rows {
        match records.cut(&mut splitter) {
            Ok(Some((text, fields))) if looking.layout.fits(fields) => {
                looking.row(text, fields, Place::Line(splitter.record_line()));
                if looking.rows.is_multiple_of(ROWS_BETWEEN_YIELDS) {
                    tokio::task::yield_now().await;
                }
            }
            Ok(Some(_)) if options.skip_bad => {}
            Ok(Some(_)) => break,
            Ok(None) => match records.fill(splitter.next_line()).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error @ (Error::BadEncoding { .. } | Error::RecordTooLong { .. })) => {
                    tracing::debug!(%error, "a sample ended early");
                    is_broken = matches!(error, Error::BadEncoding { .. });
                    break;
                }
                Err(error) => return Err(error),
            },
            Err(_) => break,
        }
    }
    if budget.rows == 0 {
        is_broken = records.is_broken().await?;
    }
    if budget.ends && !is_broken {
        is_broken = ends::look(&mut looking, &mut records.text).await?;
    }
    looking.finish().map(|sample| (sample, is_broken))
}

/// Looks at the first lines; `None` if the file has no record.
async fn first_lines(records: &mut Records, options: &Options) -> Result<Option<Head>, Error> {
    let may_be_blanks = records.file.is_plain_text();
    let mut bytes_min = HEAD_BYTES;
    loop {
        let mut stuck = None;
        while records.rest().len() < bytes_min && stuck.is_none() {
            match records.fill(1).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => stuck = Some(error),
            }
        }
        let (text, is_whole) = records.head(bytes_min);
        let found = head::look(text, is_whole, options, may_be_blanks);
        match (found, stuck) {
            (Some(head), stuck) => {
                records.failed = records.failed.take().or(stuck);
                return Ok(Some(head));
            }
            (None, Some(error)) => return Err(error),
            (None, None) if is_whole => return Ok(None),
            (None, None) => {
                bytes_min = bytes_min.saturating_mul(4);
                records.text.extend(LOOK_ON_BYTES);
            }
        }
    }
}

/// A file without a record has the columns that its definition declares.
fn without_records(file: &Arc<Pinned>, options: &Options, records: &mut Records) -> Result<Sample, Error> {
    let declared = options.columns.as_ref().filter(|_| options.header == Some(false));
    let Some(columns) = declared else {
        // An unclosed quote, or nothing at all.
        let mut splitter = Splitter::new(options.dialect(Delimiter::Byte(b',')));
        records.cut(&mut splitter)?;
        return Err(file.unreadable("the file has no header"));
    };
    let head = Head {
        delimiter: options.delimiter.unwrap_or(Delimiter::Byte(b',')),
        share: 1.0,
        skip_lines: 0,
        header: false,
        header_is_comment: false,
        is_sure: true,
        line_end: "\\n",
    };
    let names = columns.iter().map(|(name, _)| name.clone()).collect();
    Looking::new(Arc::clone(file), options, records.text.encoding(), head, names).finish()
}

/// The names of the columns: from the first record, the definition, or their places.
async fn names(
    records: &mut Records,
    splitter: &mut Splitter,
    options: &Options,
    head: &Head,
) -> Result<Vec<String>, Error> {
    let file = Arc::clone(&records.file);
    let dialect = splitter.dialect();
    let before = loop {
        let before = records.used;
        if records.cut(splitter)?.is_some() {
            break before;
        }
        if !records.fill_on(splitter.next_line()).await? {
            return Err(file.unreadable("the file has no header"));
        }
    };
    let width = records.fields.len();
    check_width(&file, width)?;
    if head.header {
        let mut name = String::new();
        let text = records.last();
        let names = records.fields.iter().enumerate().map(|(place, field)| {
            unescaped(slice(text, field), &dialect, &mut name);
            let name = name.trim();
            // The header of a file whose comments begin with `#`.
            let bare = name.trim_start_matches('#').trim_start();
            (if place == 0 && head.header_is_comment && !bare.is_empty() { bare } else { name }).to_owned()
        });
        return Ok(names.collect());
    }
    records.used = before;
    *splitter = Splitter::at(dialect, head.skip_lines + 1);
    Ok(match options.columns.as_ref() {
        Some(columns) => columns.iter().map(|(name, _)| name.clone()).collect(),
        None => {
            let width = width - usize::from(options.trailing_delimiter && width > 1);
            (1..=width).map(|place| format!("column_{place}")).collect()
        }
    })
}

fn check_width(file: &Pinned, columns: usize) -> Result<(), Error> {
    if columns > COLUMNS_MAX + 1 {
        return Err(file.too_wide(columns));
    }
    Ok(())
}

/// A look that goes on.
pub(super) struct Looking<'a> {
    pub(super) file: Arc<Pinned>,
    pub(super) layout: Layout,
    pub(super) rules: Rules<'a>,
    head: Head,
    seen: Vec<Seen>,
    unescaped: String,
    rows: usize,
}

impl<'a> Looking<'a> {
    fn new(
        file: Arc<Pinned>,
        options: &'a Options,
        encoding: &'static encoding_rs::Encoding,
        head: Head,
        names: Vec<String>,
    ) -> Self {
        let trailing = options.trailing_delimiter || (head.header && names.last().is_some_and(String::is_empty));
        let seen = vec![Seen::default(); names.len()];
        let layout = Layout {
            dialect: options.dialect(head.delimiter),
            names,
            trailing,
            encoding,
            header: head.header,
            skip_lines: head.skip_lines,
            commas: Vec::new(),
        };
        let rules = Rules { options, has_commas: options.has_commas(head.delimiter) };
        Self { file, layout, rules, head, seen, unescaped: String::new(), rows: 0 }
    }

    pub(super) fn row(&mut self, text: &str, fields: &[Field], place: Place) {
        self.rows += 1;
        for (seen, field) in self.seen.iter_mut().zip(fields) {
            if self.rows > TEXT_ROWS_MAX && seen.kinds.has(Kinds::TEXT) {
                continue;
            }
            let mut value = slice(text, field);
            if field.escaped {
                unescaped(value, &self.layout.dialect, &mut self.unescaped);
                value = &self.unescaped;
            }
            seen.see(value, &self.rules, (&self.file, place));
        }
    }

    /// Takes the last column away if it only stands for the delimiters at the ends of the lines, and names the others.
    fn finish(mut self) -> Result<Sample, Error> {
        let names = &mut self.layout.names;
        let is_empty = self.seen.last().is_some_and(|seen| seen.kinds.is_empty());
        if names.len() > 1 && is_empty && names.last().is_some_and(String::is_empty) {
            names.pop();
            self.seen.pop();
        }
        for (index, name) in names.iter_mut().enumerate() {
            if name.is_empty() {
                *name = format!("column_{}", index + 1);
            }
        }
        let mut known = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
            let (table, key) = (self.file.table.clone(), self.file.key().to_owned());
            return Err(Error::DuplicateColumn { table, file: key, column: twice.clone() });
        }
        self.layout.commas = settle(&mut self.seen, self.rules.options.decimal);
        let facts = Facts {
            delimiter_share: self.head.share,
            header_is_sure: self.head.is_sure,
            line_end: self.head.line_end,
            encoding_share: 1.0,
        };
        Ok(Sample { layout: self.layout, seen: self.seen, facts })
    }
}
