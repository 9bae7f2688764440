//! Text and CSV: where a line ends, and where a field does.
//!
//! Owns: the two syntaxes. Must never know: the type of a field.

use bytes::{Buf, BytesMut};

use super::cells::{Cell, Rows};
use crate::engine::{Copy, CopyFormat};
use crate::error::{Error, Result, SqlState};

/// One row; PostgreSQL's is 1 GiB, and everything of it is in memory here too.
const LINE_BYTES_MAX: usize = 64 << 20;

pub(super) struct Lines {
    how: Copy,
    skips_header: bool,
    /// Whether the end of the data was marked in it.
    is_over: bool,
    /// Of the line that is not complete: how much of it was looked at, and whether that ends in quotes.
    looked_at: usize,
    in_quotes: bool,
    /// Line ends within quotes.
    inner_lines: u64,
    fields: Fields,
}

/// The fields of one line. Their bytes lie in one buffer.
#[derive(Default)]
struct Fields {
    bytes: Vec<u8>,
    /// Where each ends, and whether it is NULL.
    ends: Vec<(usize, bool)>,
}

impl Lines {
    pub(super) fn new(how: Copy) -> Self {
        let skips_header = how.header;
        let (is_over, looked_at, in_quotes, inner_lines, fields) = Default::default();
        Self { how, skips_header, is_over, looked_at, in_quotes, inner_lines, fields }
    }

    pub(super) fn read(&mut self, bytes: &mut BytesMut, is_end: bool, rows: &mut Rows) -> Result<()> {
        while !rows.is_full() {
            if self.is_over {
                bytes.clear();
                return Ok(());
            }
            let Some(end) = self.line_end(bytes, is_end) else {
                if self.in_quotes && is_end && !bytes.is_empty() {
                    rows.next_line(1);
                    return Err(bad("unterminated CSV quoted field").context(rows.context()));
                }
                if bytes.len() > LINE_BYTES_MAX {
                    let message = format!("a line of COPY has more than {LINE_BYTES_MAX} bytes");
                    return Err(Error::new(SqlState::ProgramLimitExceeded, message).context(rows.context()));
                }
                return Ok(());
            };
            let line = bytes.split_to(end);
            bytes.advance(usize::from(!bytes.is_empty()));
            rows.next_line(1 + std::mem::take(&mut self.inner_lines));
            self.looked_at = 0;
            self.line(line.strip_suffix(b"\r").unwrap_or(&line), rows)?;
        }
        Ok(())
    }

    /// Where the first line ends; `None` if more must come.
    fn line_end(&mut self, bytes: &[u8], is_end: bool) -> Option<usize> {
        let is_csv = self.how.format == CopyFormat::Csv;
        let mut at = self.looked_at;
        let mut after_backslash = false;
        // Of text, a line is looked at from its start each time: an escape may lie before.
        if !is_csv {
            at = 0;
        }
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' if !self.in_quotes && !after_backslash => return Some(at),
                b'\n' if self.in_quotes => self.inner_lines += 1,
                byte if is_csv && self.in_quotes && *byte == self.how.escape && self.how.escape != self.how.quote => {
                    // What is escaped ends no quotes; it may not be there yet.
                    if bytes.get(at + 1).is_none() && !is_end {
                        break;
                    }
                    at += 1;
                }
                byte if is_csv && *byte == self.how.quote => self.in_quotes = !self.in_quotes,
                _ => {}
            }
            after_backslash = !is_csv && *byte == b'\\' && !after_backslash;
            at += 1;
        }
        self.looked_at = at;
        (is_end && !bytes.is_empty() && !self.in_quotes).then_some(bytes.len())
    }

    fn line(&mut self, line: &[u8], rows: &mut Rows) -> Result<()> {
        if std::mem::take(&mut self.skips_header) {
            return Ok(());
        }
        if line == b"\\." {
            self.is_over = true;
            return Ok(());
        }
        let text = std::str::from_utf8(line).map_err(|error| {
            let rest = line.get(error.valid_up_to()..).unwrap_or_default();
            let shown: Vec<String> =
                rest.iter().take(error.error_len().unwrap_or(1)).map(|b| format!("0x{b:02x}")).collect();
            let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
            Error::new(SqlState::CharacterNotInRepertoire, message).context(rows.context())
        })?;
        if text.contains('\0') {
            let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
            return Err(Error::new(SqlState::CharacterNotInRepertoire, message).context(rows.context()));
        }
        self.fields.clear();
        match self.how.format {
            CopyFormat::Csv => self.csv(line),
            _ => self.text(line),
        }
        let wanted = rows.columns();
        if self.fields.ends.len() > wanted {
            return Err(bad("extra data after last expected column").context(rows.line_context(text)));
        }
        if let Some(name) = rows.column_name(self.fields.ends.len()) {
            return Err(bad(format!("missing data for column \"{name}\"")).context(rows.line_context(text)));
        }
        let mut start = 0;
        for (at, (end, is_null)) in self.fields.ends.iter().enumerate() {
            let bytes = self.fields.bytes.get(start..*end).unwrap_or_default();
            rows.push(at, if *is_null { Cell::Null } else { Cell::Text(bytes) })?;
            start = *end;
        }
        rows.end_row();
        Ok(())
    }

    fn text(&mut self, line: &[u8]) {
        for raw in line_fields(line, self.how.delimiter) {
            let is_null = raw == self.how.null.as_bytes();
            if !is_null {
                unescape(raw, &mut self.fields.bytes);
            }
            self.fields.end(is_null);
        }
    }

    fn csv(&mut self, line: &[u8]) {
        let Copy { delimiter, quote, escape, .. } = self.how;
        let (mut in_quotes, mut was_quoted) = (false, false);
        let mut start = self.fields.bytes.len();
        let mut rest = line;
        loop {
            match rest {
                [] => break,
                [byte, after @ ..] if !in_quotes && *byte == delimiter => {
                    self.end_csv(start, was_quoted);
                    start = self.fields.bytes.len();
                    was_quoted = false;
                    rest = after;
                }
                [byte, after @ ..] if !in_quotes && *byte == quote => {
                    (in_quotes, was_quoted) = (true, true);
                    rest = after;
                }
                [byte, next, after @ ..] if in_quotes && *byte == escape && (*next == quote || *next == escape) => {
                    self.fields.bytes.push(*next);
                    rest = after;
                }
                [byte, after @ ..] if in_quotes && *byte == quote => {
                    in_quotes = false;
                    rest = after;
                }
                [byte, after @ ..] => {
                    self.fields.bytes.push(*byte);
                    rest = after;
                }
            }
        }
        self.end_csv(start, was_quoted);
    }

    fn end_csv(&mut self, start: usize, was_quoted: bool) {
        let at = self.fields.ends.len();
        let is_marked = self.fields.bytes.get(start..) == Some(self.how.null.as_bytes());
        let is_null = is_marked
            && match was_quoted {
                true => self.how.force_null.contains(&at),
                false => !self.how.force_not_null.contains(&at),
            };
        if is_null {
            self.fields.bytes.truncate(start);
        }
        self.fields.end(is_null);
    }
}

impl Fields {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&mut self, is_null: bool) {
        self.ends.push((self.bytes.len(), is_null));
    }
}

/// The parts between delimiters that no backslash stands before.
fn line_fields(line: &[u8], delimiter: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let mut at = 0;
        while let Some(byte) = line.get(at) {
            match byte {
                b'\\' => at += 2,
                byte if *byte == delimiter => break,
                _ => at += 1,
            }
        }
        let (field, after) = line.split_at_checked(at).unwrap_or((line, &[]));
        rest = after.split_first().map(|(_, after)| after);
        Some(field)
    })
}

fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let Some((escaped, after)) = after.split_first().filter(|_| *byte == b'\\') else {
            out.push(*byte);
            continue;
        };
        rest = after;
        let digits = |rest: &mut &[u8], first: Option<u8>, radix: u32, max: usize| {
            let mut value = first.map_or(0, u32::from);
            for _ in 0..max {
                let Some(digit) = rest.first().and_then(|byte| char::from(*byte).to_digit(radix)) else { break };
                value = value * radix + digit;
                *rest = rest.get(1..).unwrap_or_default();
            }
            // As PostgreSQL: what is above a byte is cut.
            (value & 0xff) as u8
        };
        out.push(match escaped {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'0'..=b'7' => digits(&mut rest, Some(escaped - b'0'), 8, 2),
            b'x' if rest.first().is_some_and(u8::is_ascii_hexdigit) => digits(&mut rest, None, 16, 2),
            other => *other,
        });
    }
}

pub(super) fn bad(message: impl Into<String>) -> Error {
    Error::new(SqlState::BadCopyFileFormat, message)
}
