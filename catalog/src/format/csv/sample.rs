//! Looks at the start of a file: delimiter, header, and the kinds of the values.
//!
//! Owns: how much is looked at, and what is concluded from it. Rows that are wrong end the look: reading reports them.

use std::collections::HashSet;
use std::sync::Arc;

use encoding_rs::WINDOWS_1252;

use super::split::{Delimiter, Field, Splitter, unescaped};
use super::{Layout, Options, Records, slice};
use crate::Error;
use crate::format::value::Kinds;
use crate::format::{Budget, COLUMNS_MAX, ROWS_BETWEEN_YIELDS};
use crate::pinned::Pinned;

/// In the order that decides between equals.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What the start of a file shows.
pub(crate) struct Sample {
    pub(crate) layout: Layout,
    /// The kinds of each column's values.
    pub(crate) kinds: Vec<Kinds>,
    /// Whether a byte that the encoding does not have ended the look.
    is_broken: bool,
}

/// Looks at a file, within `budget`. Text that is no UTF-8 is looked at again as what it is.
pub(crate) async fn sample(file: &Arc<Pinned>, options: &Options, budget: Budget) -> Result<Sample, Error> {
    let mut records = Records::look(file, options.encoding, budget.bytes);
    let found = look(&mut records, options, budget).await;
    let is_broken =
        matches!(found, Err(Error::BadEncoding { .. })) || found.as_ref().is_ok_and(|found| found.is_broken);
    if options.encoding.is_some() || !is_broken {
        return found;
    }
    let mut records = Records::look(file, Some(WINDOWS_1252), budget.bytes);
    match look(&mut records, options, budget).await {
        Ok(other) if records.text.is_windows_1252() => Ok(other),
        Ok(_) | Err(_) => found,
    }
}

async fn look(records: &mut Records, options: &Options, budget: Budget) -> Result<Sample, Error> {
    let file = Arc::clone(&records.file);
    let delimiter = match options.delimiter {
        Some(delimiter) => delimiter,
        None => Delimiter::Byte(detect(records, options).await?),
    };
    let dialect = options.dialect(delimiter);
    let mut splitter = Splitter::new(dialect);
    let names = header(records, &mut splitter, options).await?;
    let trailing = options.trailing_delimiter || names.last().is_some_and(String::is_empty);
    let mut seen = Seen {
        kinds: vec![Kinds::default(); names.len()],
        layout: Layout { dialect, names, trailing, encoding: records.text.encoding() },
        unescaped: String::new(),
    };
    let (mut rows, mut is_broken) = (0, false);
    // Errors of rows are left to the reader, which meets them again; those of the packing mean the whole file.
    while rows < budget.rows {
        match records.cut(&mut splitter) {
            Ok(Some((text, fields))) if seen.layout.fits(fields) => {
                seen.row(text, fields, options);
                rows += 1;
                if rows % ROWS_BETWEEN_YIELDS == 0 {
                    tokio::task::yield_now().await;
                }
            }
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
    seen.finish(&file, is_broken)
}

struct Seen {
    layout: Layout,
    kinds: Vec<Kinds>,
    unescaped: String,
}

impl Seen {
    fn row(&mut self, text: &str, fields: &[Field], options: &Options) {
        for (kinds, field) in self.kinds.iter_mut().zip(fields) {
            if kinds.has(Kinds::TEXT) {
                continue;
            }
            let mut value = slice(text, field);
            if field.escaped {
                unescaped(value, &self.layout.dialect, &mut self.unescaped);
                value = &self.unescaped;
            }
            // A quoted marker of NULL is a text only in a column of texts.
            if !options.is_null(value, field.quoted, false) {
                kinds.see(value);
            }
        }
    }

    /// Takes the last column away if it only stands for the delimiters at the ends of the lines, and names the others.
    fn finish(mut self, file: &Arc<Pinned>, is_broken: bool) -> Result<Sample, Error> {
        let names = &mut self.layout.names;
        let is_empty = self.kinds.last().is_some_and(|kinds| kinds.is_empty());
        if names.len() > 1 && is_empty && names.last().is_some_and(String::is_empty) {
            names.pop();
            self.kinds.pop();
        }
        for (index, name) in names.iter_mut().enumerate() {
            if name.is_empty() {
                *name = format!("column_{}", index + 1);
            }
        }
        let mut known = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
            let (table, key) = (file.table.clone(), file.key().to_owned());
            return Err(Error::DuplicateColumn { table, file: key, column: twice.clone() });
        }
        Ok(Sample { layout: self.layout, kinds: self.kinds, is_broken })
    }
}

/// The delimiter that the first line holds most of, outside quotes.
async fn detect(records: &mut Records, options: &Options) -> Result<u8, Error> {
    loop {
        if let Some(line) = first_line(records.rest().as_bytes(), records.at_end, options) {
            let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
            let most = DELIMITERS.iter().map(count).max().unwrap_or_default();
            return Ok(DELIMITERS.into_iter().find(|delimiter| count(delimiter) == most).unwrap_or(b','));
        }
        if !records.fill_on(1).await? {
            return Ok(b',');
        }
    }
}

/// The first line that is neither blank nor a comment, without what is in quotes.
fn first_line(text: &[u8], at_end: bool, options: &Options) -> Option<Vec<u8>> {
    let (mut line, mut in_quotes, mut is_comment) = (Vec::new(), false, false);
    for byte in text {
        match byte {
            b'\n' | b'\r' if !in_quotes => {
                if !line.is_empty() && !is_comment {
                    return Some(line);
                }
                line.clear();
                is_comment = false;
            }
            _ if is_comment => {}
            _ if line.is_empty() && Some(*byte) == options.comment => is_comment = true,
            _ if Some(*byte) == options.quote => {
                in_quotes = !in_quotes;
                line.push(*byte);
            }
            _ if in_quotes => {}
            _ => line.push(*byte),
        }
    }
    (at_end && !line.is_empty() && !is_comment).then_some(line)
}

/// The names of the columns: from the first record, the definition, or their places.
async fn header(records: &mut Records, splitter: &mut Splitter, options: &Options) -> Result<Vec<String>, Error> {
    let file = Arc::clone(&records.file);
    let dialect = splitter.dialect();
    let declared = options.columns.as_ref().filter(|_| !options.header);
    loop {
        let before = records.used;
        if let Some((text, fields)) = records.cut(splitter)? {
            check_width(&file, fields.len())?;
            if options.header {
                let mut name = String::new();
                let names = fields.iter().map(|field| {
                    unescaped(slice(text, field), &dialect, &mut name);
                    name.trim().to_owned()
                });
                return Ok(names.collect());
            }
            let width = fields.len() - usize::from(options.trailing_delimiter && fields.len() > 1);
            records.used = before;
            splitter.rewind();
            return Ok(match declared {
                Some(columns) => columns.iter().map(|(name, _)| name.clone()).collect(),
                None => (1..=width).map(|place| format!("column_{place}")).collect(),
            });
        }
        if !records.fill_on(splitter.next_line()).await? {
            return match declared {
                Some(columns) => Ok(columns.iter().map(|(name, _)| name.clone()).collect()),
                None => Err(file.unreadable("the file has no header")),
            };
        }
    }
}

fn check_width(file: &Pinned, columns: usize) -> Result<(), Error> {
    if columns > COLUMNS_MAX + 1 {
        return Err(Error::TooManyColumns { table: file.table.clone(), columns, columns_max: COLUMNS_MAX });
    }
    Ok(())
}
