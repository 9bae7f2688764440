//! Cuts text into records and fields, as RFC 4180 and the dialects of real files have them.
//!
//! Owns: quotes, line ends, blank and comment lines, line numbers. Pure: it is given text and told whether more comes.

use memchr::{memchr_iter, memchr2};
use serde::{Deserialize, Serialize};

use super::stops::{Found, Stops};

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Delimiter {
    Byte(u8),
    /// Any run of blanks; blanks at the ends of a line mean nothing.
    Blanks,
}

impl Delimiter {
    /// As a definition names it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Byte(b'\t') => "tab".to_owned(),
            Self::Byte(byte) => char::from(byte).to_string(),
            Self::Blanks => "whitespace".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialect {
    pub(crate) delimiter: Delimiter,
    pub(crate) quote: Option<u8>,
    /// Inside quotes; without it a quote is written twice.
    pub(crate) escape: Option<u8>,
    /// Lines that start with it are skipped.
    pub(crate) comment: Option<u8>,
    /// Whether blanks before a field mean nothing.
    pub(crate) skip_leading_blank: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::Byte(b','),
            quote: Some(b'"'),
            escape: None,
            comment: None,
            skip_leading_blank: false,
        }
    }
}

/// A place in the text that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quoted: bool,
    /// Whether it holds escaped characters.
    pub(crate) escaped: bool,
}

/// Why a record cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The file ends inside quotes that were opened on this line.
    UnclosedQuote {
        line: u64,
    },
    AfterQuote {
        line: u64,
    },
}

impl Fault {
    /// The line on which it shows.
    pub(crate) fn line(self) -> u64 {
        match self {
            Self::UnclosedQuote { line } | Self::AfterQuote { line } => line,
        }
    }

    /// The same in a text with so many lines before.
    pub(super) fn behind(self, lines: u64) -> Self {
        match self {
            Self::UnclosedQuote { line } => Self::UnclosedQuote { line: line + lines },
            Self::AfterQuote { line } => Self::AfterQuote { line: line + lines },
        }
    }
}

/// Cuts one file, record by record.
pub(crate) struct Splitter {
    dialect: Dialect,
    stops: Stops,
    /// The line on which the next record starts, from 1.
    line: u64,
    record_line: u64,
}

/// A place in a text.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
    /// Whether the file ends with the text.
    at_end: bool,
    found: Found,
}

/// The text ends before the record does, and more of it may come.
struct More;

impl Splitter {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let stops = Stops::new(match dialect.delimiter {
            Delimiter::Byte(byte) => [byte, b'\n', b'\r', b'\r'],
            Delimiter::Blanks => [b' ', b'\t', b'\n', b'\r'],
        });
        Self { dialect, stops, line: 1, record_line: 1 }
    }

    /// For text that starts on this line.
    pub(crate) fn at(dialect: Dialect, line: u64) -> Self {
        Self { line, record_line: line, ..Self::new(dialect) }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The line on which the last record started.
    pub(crate) fn record_line(&self) -> u64 {
        self.record_line
    }

    /// The line on which the next record starts.
    pub(crate) fn next_line(&self) -> u64 {
        self.line
    }

    /// Goes to the line of the next record, past those that were cut elsewhere.
    pub(super) fn move_to(&mut self, line: u64) {
        self.line = line;
    }

    /// Cuts the first record: its fields, and the bytes used with it. `None` if the text holds no whole record.
    pub(crate) fn next(&mut self, text: &[u8], at_end: bool, fields: &mut Vec<Field>) -> Result<Option<usize>, Fault> {
        let mut cursor = Cursor::new(text, at_end);
        self.cut(&mut cursor, fields).map(|is_whole| is_whole.then_some(cursor.at))
    }

    /// Cuts the record at a place, and moves the place behind it; false, and it stays, if the text holds no whole one.
    pub(super) fn cut(&mut self, cursor: &mut Cursor<'_>, fields: &mut Vec<Field>) -> Result<bool, Fault> {
        let start = cursor.at;
        cursor.line = self.line;
        loop {
            fields.clear();
            let Ok(true) = self.skip_empty_lines(cursor) else {
                cursor.at = start;
                return Ok(false);
            };
            let record_line = cursor.line;
            match self.record(cursor, fields) {
                // A line of blanks alone.
                Ok(()) if fields.is_empty() => {}
                Ok(()) => {
                    self.record_line = record_line;
                    self.line = cursor.line;
                    return Ok(true);
                }
                Err(stop) => {
                    cursor.at = start;
                    return match stop {
                        Stop::More => Ok(false),
                        Stop::Fault(fault) => Err(fault),
                    };
                }
            }
        }
    }

    /// Goes to the next record; false at the end of the text.
    fn skip_empty_lines(&self, cursor: &mut Cursor<'_>) -> Result<bool, More> {
        loop {
            match cursor.peek() {
                None => return Ok(false),
                Some(b'\n' | b'\r') => cursor.line_end()?,
                Some(byte) if Some(byte) == self.dialect.comment => {
                    let rest = cursor.text.get(cursor.at..).unwrap_or_default();
                    match rest.iter().position(|byte| *byte == b'\n') {
                        Some(end) => cursor.at += end,
                        None if cursor.at_end => cursor.at = cursor.text.len(),
                        None => return Err(More),
                    }
                }
                Some(_) => return Ok(true),
            }
        }
    }

    fn record(&self, cursor: &mut Cursor<'_>, fields: &mut Vec<Field>) -> Result<(), Stop> {
        let blanks = self.dialect.delimiter == Delimiter::Blanks;
        loop {
            if blanks || self.dialect.skip_leading_blank {
                self.skip_blanks(cursor);
            }
            let next = cursor.peek();
            if next.is_none() && !cursor.at_end {
                return Err(Stop::More);
            }
            match next {
                None | Some(b'\n' | b'\r') if blanks => {}
                Some(byte) if Some(byte) == self.dialect.quote => fields.push(self.quoted(cursor, byte)?),
                _ => fields.push(self.unquoted(cursor)?),
            }
            match cursor.peek() {
                None => return Ok(()),
                Some(b'\n' | b'\r') => return Ok(cursor.line_end()?),
                Some(_) => cursor.at += 1,
            }
        }
    }

    fn skip_blanks(&self, cursor: &mut Cursor<'_>) {
        let is_blank = |byte: u8| match self.dialect.delimiter {
            Delimiter::Byte(delimiter) => byte == b' ' && byte != delimiter,
            Delimiter::Blanks => matches!(byte, b' ' | b'\t'),
        };
        while cursor.peek().is_some_and(is_blank) {
            cursor.at += 1;
        }
    }

    fn unquoted(&self, cursor: &mut Cursor<'_>) -> Result<Field, More> {
        let start = cursor.at;
        cursor.at = match self.stops.next(cursor.text, start, &mut cursor.found) {
            Some(stop) => stop,
            None if cursor.at_end => cursor.text.len(),
            None => return Err(More),
        };
        Ok(Field { start, end: cursor.at, quoted: false, escaped: false })
    }

    fn quoted(&self, cursor: &mut Cursor<'_>, quote: u8) -> Result<Field, Stop> {
        let opened = cursor.line;
        let start = cursor.at + 1;
        let mut escaped = false;
        cursor.at = start;
        loop {
            let rest = cursor.text.get(cursor.at..).unwrap_or_default();
            let mark = memchr2(quote, self.dialect.escape.unwrap_or(quote), rest);
            let plain = rest.get(..mark.unwrap_or(rest.len())).unwrap_or_default();
            cursor.line += memchr_iter(b'\n', plain).count() as u64;
            cursor.at += plain.len();
            let Some(byte) = cursor.peek() else {
                return Err(if cursor.at_end {
                    Stop::Fault(Fault::UnclosedQuote { line: opened })
                } else {
                    Stop::More
                });
            };
            let doubled = byte == quote && cursor.text.get(cursor.at + 1) == Some(&quote);
            if doubled || (Some(byte) == self.dialect.escape && byte != quote) {
                escaped = true;
                cursor.line += u64::from(cursor.text.get(cursor.at + 1) == Some(&b'\n'));
                cursor.at += 2;
                continue;
            }
            break;
        }
        let field = Field { start, end: cursor.at, quoted: true, escaped };
        cursor.at += 1;
        if self.dialect.skip_leading_blank {
            self.skip_blanks(cursor);
        }
        match cursor.peek() {
            None if !cursor.at_end => Err(Stop::More),
            Some(byte) if !self.stops.has(byte) => Err(Stop::Fault(Fault::AfterQuote { line: cursor.line })),
            _ => Ok(field),
        }
    }
}

enum Stop {
    More,
    Fault(Fault),
}

impl From<More> for Stop {
    fn from(_: More) -> Self {
        Self::More
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8], at_end: bool) -> Self {
        Self { text, at: 0, line: 1, at_end, found: Found::default() }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(super) fn move_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether nothing comes behind its text.
    pub(super) fn is_last(&self) -> bool {
        self.at_end
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Takes `\n`, `\r\n` or a lone `\r`.
    fn line_end(&mut self) -> Result<(), More> {
        let is_return = self.peek() == Some(b'\r');
        match self.text.get(self.at + 1) {
            Some(b'\n') if is_return => self.at += 2,
            None if is_return && !self.at_end => return Err(More),
            _ => self.at += 1,
        }
        self.line += 1;
        Ok(())
    }
}

/// Where the first line ends; `None` if it goes on behind the text.
pub(crate) fn line_end(text: &[u8], at_end: bool) -> Option<usize> {
    let at = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let mut cursor = Cursor { at, ..Cursor::new(text, at_end) };
    cursor.line_end().ok().map(|()| cursor.at)
}

/// The text of a field without its escapes.
pub(crate) fn unescaped(text: &str, dialect: &Dialect, into: &mut String) {
    into.clear();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let is = |byte: Option<u8>| byte.is_some_and(|byte| char == char::from(byte));
        match chars.clone().next() {
            Some(next) if is(dialect.escape) || (is(dialect.quote) && next == char) => {
                into.push(next);
                chars.next();
            }
            _ => into.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str, dialect: Dialect) -> Result<Vec<(u64, Vec<String>)>, Fault> {
        // Every cut of the text into two must give the same records.
        let whole = cut(text, text.len(), dialect);
        for at in 0..text.len() {
            assert_eq!(cut(text, at, dialect), whole, "cut at {at}");
        }
        whole
    }

    fn cut(text: &str, seen: usize, dialect: Dialect) -> Result<Vec<(u64, Vec<String>)>, Fault> {
        let (mut splitter, mut fields, mut records, mut at) = (Splitter::new(dialect), Vec::new(), Vec::new(), 0);
        let mut at_end = false;
        loop {
            let given = if at_end { &text[at..] } else { &text[at..seen.max(at)] };
            match splitter.next(given.as_bytes(), at_end, &mut fields)? {
                Some(used) => {
                    let shown = |field: &Field| {
                        let mut out = String::new();
                        unescaped(&given[field.start..field.end], &dialect, &mut out);
                        if field.quoted && !field.escaped {
                            format!("\"{}\"", &given[field.start..field.end])
                        } else {
                            out
                        }
                    };
                    records.push((splitter.record_line(), fields.iter().map(shown).collect()));
                    at += used;
                }
                None if at_end => return Ok(records),
                None => at_end = true,
            }
        }
    }

    fn check(text: &str, dialect: Dialect, expected: &[(u64, &[&str])]) {
        let expected = expected.iter().map(|(line, fields)| (*line, fields.iter().map(|f| (*f).to_owned()).collect()));
        assert_eq!(records(text, dialect).unwrap(), expected.collect::<Vec<_>>(), "{text:?}");
    }

    #[test]
    fn records_end_at_any_line_end() {
        let plain = Dialect::default();
        check("a,b\n1,2\n", plain, &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a,b\r\n1,2", plain, &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a\rb\r", plain, &[(1, &["a"]), (2, &["b"])]);
        check("\n\na,\n\n,b\n", plain, &[(3, &["a", ""]), (5, &["", "b"])]);
    }

    #[test]
    fn quotes_hold_anything() {
        let plain = Dialect::default();
        check("\"a,1\",\"x\ny\"\n\"\",z\n", plain, &[(1, &["\"a,1\"", "\"x\ny\""]), (3, &["\"\"", "z"])]);
        check("\"say \"\"hi\"\"\",b\n", plain, &[(1, &["say \"hi\"", "b"])]);
        let escaping = Dialect { escape: Some(b'\\'), ..plain };
        check("\"a\\\"b\",c\n", escaping, &[(1, &["a\"b", "c"])]);
        assert_eq!(records("a\n\"b\nc\n", plain), Err(Fault::UnclosedQuote { line: 2 }));
        assert_eq!(records("a\n\"b\"c\n", plain), Err(Fault::AfterQuote { line: 2 }));
    }

    #[test]
    fn blanks_can_delimit() {
        let blanks = Dialect { delimiter: Delimiter::Blanks, ..Default::default() };
        check(
            " id  date\r\n 01 1997  x \n   \n2\t3",
            blanks,
            &[(1, &["id", "date"]), (2, &["01", "1997", "x"]), (4, &["2", "3"])],
        );
        let skipping = Dialect { skip_leading_blank: true, ..Default::default() };
        check("a, \"b,c\" , d\n", skipping, &[(1, &["a", "\"b,c\"", "d"])]);
    }

    #[test]
    fn comments_are_no_records() {
        let dialect = Dialect { comment: Some(b'#'), ..Default::default() };
        check("# x\na,#b\n#", dialect, &[(2, &["a", "#b"])]);
    }
}
