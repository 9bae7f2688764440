//! The parts of a JSON text that is known to be valid, as slices of it.
//!
//! Owns: finding members and elements without building anything. Must never know: who asks.

use std::borrow::Cow;

use super::lex::is_space;
use super::strings::unescape;
use crate::Error;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    // In jsonb's order.
    Null,
    String,
    Number,
    Boolean,
    Array,
    Object,
}

pub(super) fn kind(text: &str) -> Kind {
    match trimmed(text).as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

impl Kind {
    pub(super) fn is_scalar(self) -> bool {
        !matches!(self, Self::Array | Self::Object)
    }

    /// `json_typeof`'s word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// The text without JSON's blanks around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii() && u8::try_from(c).is_ok_and(is_space))
}

/// A value as text: NULL for null, a string without its quotes.
pub(super) fn as_text(value: &str) -> Result<Option<Cow<'_, str>>, Error> {
    match kind(value) {
        Kind::Null => Ok(None),
        Kind::String => unescape(value).map(Some),
        _ => Ok(Some(Cow::Borrowed(value))),
    }
}

/// The members of an object, key and value as they are written; nothing for any other value.
pub(super) fn members(text: &str) -> Members<'_> {
    Members { parts: Parts::of(text, '{') }
}

/// The elements of an array; nothing for any other value.
pub(super) fn elements(text: &str) -> Elements<'_> {
    Elements { parts: Parts::of(text, '[') }
}

pub(super) struct Members<'a> {
    parts: Parts<'a>,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.parts.next(':')?;
        Some((key, self.parts.next(',')?))
    }
}

pub(super) struct Elements<'a> {
    parts: Parts<'a>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        self.parts.next(',')
    }
}

struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, opening: char) -> Self {
        Self { rest: trimmed(text).strip_prefix(opening).unwrap_or_default() }
    }

    /// The next value; what separates it from the one behind it is skipped.
    fn next(&mut self, separator: char) -> Option<&'a str> {
        let rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let end = end_of_value(rest.as_bytes());
        let (value, after) = rest.split_at_checked(end)?;
        if value.is_empty() {
            self.rest = "";
            return None;
        }
        let after = after.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest = after.strip_prefix(separator).unwrap_or_default();
        Some(value)
    }
}

/// Where the value that the bytes begin with ends.
fn end_of_value(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = match depth {
                    // The end of what this value is in.
                    0 => return at,
                    1 => return at + 1,
                    deeper => deeper - 1,
                };
            }
            b',' | b':' if depth == 0 => return at,
            byte if depth == 0 && is_space(*byte) => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_slices_of_the_text() {
        let text = r#" { "a" : [1, {"b":"]"}] ,"c\"":"x,y", "d":null } "#;
        let found: Vec<_> = members(text).collect();
        assert_eq!(found, [("\"a\"", r#"[1, {"b":"]"}]"#), (r#""c\"""#, "\"x,y\""), ("\"d\"", "null")]);
        let found: Vec<_> = elements(r#"[1, {"b":"]"}, [] ,true]"#).collect();
        assert_eq!(found, ["1", r#"{"b":"]"}"#, "[]", "true"]);
        assert_eq!(elements("[ ]").count() + members("{}").count() + elements("{}").count() + members("1").count(), 0);
    }
}
