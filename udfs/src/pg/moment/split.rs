//! A text of a moment, taken apart into fields by the characters that they begin with.
//!
//! Owns: PostgreSQL's `ParseDateTime`, whose quirks decide which texts are moments. Must never know: what a field means.

use super::Failure;
use super::words;

/// What a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pg) enum Kind {
    Number,
    Date,
    Time,
    /// A sign and digits.
    Zone,
    Word,
}

/// A field in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pg) struct Field {
    pub(in crate::pg) kind: Kind,
    pub(in crate::pg) text: String,
}

const FIELDS_MAX: usize = 25;

/// The fields of a text.
pub(in crate::pg) fn split(text: &str) -> Result<Vec<Field>, Failure> {
    let mut reader = Reader { rest: text.as_bytes(), field: String::new() };
    let mut fields = Vec::new();
    while let Some(first) = reader.peek() {
        if is_space(first) {
            reader.rest = reader.rest.get(1..).unwrap_or_default();
            continue;
        }
        let kind = match first {
            b'0'..=b'9' => reader.number(),
            b'.' => {
                reader.take();
                reader.take_while(|byte| byte.is_ascii_digit());
                Kind::Number
            }
            first if first.is_ascii_alphabetic() => reader.word(),
            b'+' | b'-' => reader.signed()?,
            first if first.is_ascii_punctuation() => {
                reader.rest = reader.rest.get(1..).unwrap_or_default();
                continue;
            }
            _ => return Err(Failure::Syntax),
        };
        if fields.len() == FIELDS_MAX {
            return Err(Failure::Syntax);
        }
        fields.push(Field { kind, text: std::mem::take(&mut reader.field) });
    }
    Ok(fields)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 11 | 12)
}

struct Reader<'a> {
    rest: &'a [u8],
    field: String,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next_is(&self, test: impl Fn(u8) -> bool) -> bool {
        self.peek().is_some_and(test)
    }

    fn take(&mut self) {
        if let Some((byte, rest)) = self.rest.split_first() {
            self.field.push(char::from(byte.to_ascii_lowercase()));
            self.rest = rest;
        }
    }

    fn take_while(&mut self, test: impl Fn(u8) -> bool) {
        while self.next_is(&test) {
            self.take();
        }
    }

    fn number(&mut self) -> Kind {
        self.take_while(|byte| byte.is_ascii_digit());
        match self.peek() {
            Some(b':') => {
                self.take_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
                Kind::Time
            }
            Some(delimiter @ (b'-' | b'/' | b'.')) => {
                self.take();
                if !self.next_is(|byte| byte.is_ascii_digit()) {
                    self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == delimiter);
                    return Kind::Date;
                }
                self.take_while(|byte| byte.is_ascii_digit());
                if self.peek() == Some(delimiter) {
                    self.take_while(|byte| byte.is_ascii_digit() || byte == delimiter);
                    return Kind::Date;
                }
                if delimiter == b'.' { Kind::Number } else { Kind::Date }
            }
            _ => Kind::Number,
        }
    }

    /// A word, or what begins with one and is a date or a zone's name.
    fn word(&mut self) -> Kind {
        self.take_while(|byte| byte.is_ascii_alphabetic());
        let goes_on = match self.peek() {
            Some(b'-' | b'/' | b'.') => true,
            Some(next) if next == b'+' || next.is_ascii_digit() => words::special(&self.field).is_none(),
            _ => false,
        };
        if !goes_on {
            return Kind::Word;
        }
        self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/' | b'_' | b'.' | b':'));
        Kind::Date
    }

    fn signed(&mut self) -> Result<Kind, Failure> {
        self.take();
        while self.next_is(is_space) {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.take_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-'));
                Ok(Kind::Zone)
            }
            Some(first) if first.is_ascii_alphabetic() => {
                self.take_while(|byte| byte.is_ascii_alphabetic());
                Ok(Kind::Word)
            }
            _ => Err(Failure::Syntax),
        }
    }
}
