//! `json_in` and `jsonb_in`: whether a text is JSON, and jsonb's normal form of it.
//!
//! Owns: JSON's grammar with PostgreSQL's DETAIL, the order and uniqueness of keys, the digits of numbers.
//! <https://www.postgresql.org/docs/16/datatype-json.html>

use std::borrow::Cow;

use super::lex::{Lexeme, Lexer, Token, invalid};
use super::strings::{escape, unescape};
use crate::Error;

/// How deep arrays and objects may lie in each other; texts are also read on threads with small stacks.
const DEPTH_MAX: usize = 1_000;

/// The digits that PostgreSQL's numeric has before and after its point.
const WHOLE_MAX: i64 = 131_072;
const FRACTION_MAX: i64 = 16_383;

/// Refuses what is no JSON: 22P02.
pub fn check(text: &str) -> Result<(), Error> {
    Reader { lexer: Lexer::new(text, false), normal: false }.all().map(drop)
}

/// jsonb's normal form: one blank after commas and colons, keys by length and then by bytes, the last of equal keys.
pub fn normal(text: &str) -> Result<String, Error> {
    Reader { lexer: Lexer::new(text, true), normal: true }.all()
}

/// Refuses a valid text that is nested deeper than texts that are read: those who walk it would not come back.
pub(super) fn bounded(text: &str) -> Result<(), Error> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(too_deep());
        }
    }
    Ok(())
}

fn too_deep() -> Error {
    Error::LimitExceeded("JSON is nested too deep".to_owned())
}

/// The keys of an object in the order of jsonb.
pub(super) fn key_order(one: &str, other: &str) -> std::cmp::Ordering {
    one.len().cmp(&other.len()).then_with(|| one.as_bytes().cmp(other.as_bytes()))
}

/// Appends an object of normal members, sorted and without the earlier ones of equal keys.
pub(super) fn write_object<'a, V: AsRef<str>>(mut members: Vec<(Cow<'a, str>, V)>, out: &mut String) {
    members.sort_by(|(one, _), (other, _)| key_order(one, other));
    out.push('{');
    let mut is_first = true;
    for (at, (key, value)) in members.iter().enumerate() {
        if members.get(at + 1).is_some_and(|(next, _)| next == key) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push_str(", ");
        }
        escape(key, out);
        out.push_str(": ");
        out.push_str(value.as_ref());
    }
    out.push('}');
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    /// Whether the normal form is made, or the text only checked.
    normal: bool,
}

fn unexpected(expected: &str, found: Lexeme<'_>) -> Error {
    match found.token {
        Token::End => invalid("The input string ended unexpectedly."),
        _ => invalid(format!("Expected {expected}, but found \"{}\".", found.text)),
    }
}

impl Reader<'_> {
    fn all(mut self) -> Result<String, Error> {
        let mut out = String::new();
        let first = self.lexer.next()?;
        self.value(first, 0, &mut out)?;
        let end = self.lexer.next()?;
        if end.token != Token::End {
            return Err(unexpected("end of input", end));
        }
        Ok(out)
    }

    fn value(&mut self, lexeme: Lexeme<'_>, depth: usize, out: &mut String) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(too_deep());
        }
        match lexeme.token {
            Token::ObjectStart => self.object(depth, out),
            Token::ArrayStart => self.array(depth, out),
            _ if !self.normal && is_scalar(lexeme.token) => Ok(()),
            Token::String => {
                escape(&unescape(lexeme.text)?, out);
                Ok(())
            }
            Token::Number => {
                let written = number(lexeme.text, out);
                if written.is_err() {
                    // PostgreSQL reads the token behind a scalar before it takes the scalar's value.
                    self.lexer.next()?;
                }
                written
            }
            Token::True | Token::False | Token::Null => {
                out.push_str(lexeme.text);
                Ok(())
            }
            _ => Err(unexpected("JSON value", lexeme)),
        }
    }

    fn array(&mut self, depth: usize, out: &mut String) -> Result<(), Error> {
        if self.normal {
            out.push('[');
        }
        let mut next = self.lexer.next()?;
        if next.token != Token::ArrayEnd {
            loop {
                self.value(next, depth + 1, out)?;
                next = self.lexer.next()?;
                match next.token {
                    Token::ArrayEnd => break,
                    Token::Comma => {}
                    _ => return Err(unexpected("\",\" or \"]\"", next)),
                }
                if self.normal {
                    out.push_str(", ");
                }
                next = self.lexer.next()?;
            }
        }
        if self.normal {
            out.push(']');
        }
        Ok(())
    }

    fn object(&mut self, depth: usize, out: &mut String) -> Result<(), Error> {
        let mut members: Vec<(Cow<'_, str>, String)> = Vec::new();
        let mut next = self.lexer.next()?;
        let mut expected = "string or \"}\"";
        if next.token == Token::ObjectEnd {
            if self.normal {
                out.push_str("{}");
            }
            return Ok(());
        }
        loop {
            if next.token != Token::String {
                return Err(unexpected(expected, next));
            }
            expected = "string";
            let colon = self.lexer.next()?;
            if colon.token != Token::Colon {
                return Err(unexpected("\":\"", colon));
            }
            let first = self.lexer.next()?;
            let mut value = String::new();
            self.value(first, depth + 1, &mut value)?;
            if self.normal {
                members.push((unescape(next.text)?, value));
            }
            next = self.lexer.next()?;
            match next.token {
                Token::ObjectEnd => break,
                Token::Comma => next = self.lexer.next()?,
                _ => return Err(unexpected("\",\" or \"}\"", next)),
            }
        }
        if self.normal {
            write_object(members, out);
        }
        Ok(())
    }
}

fn is_scalar(token: Token) -> bool {
    matches!(token, Token::String | Token::Number | Token::True | Token::False | Token::Null)
}

/// A number as PostgreSQL's numeric writes it: the digits that it has, without an exponent.
pub(super) fn number(text: &str, out: &mut String) -> Result<(), Error> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: String = [whole, fraction].concat();
    let overflow = || Error::NumericFormatOverflow;
    let length = |text: &str| i64::try_from(text.len()).map_err(|_| overflow());
    let exponent: i64 = exponent.parse().map_err(|_| overflow())?;
    let point = length(whole)?.checked_add(exponent).ok_or_else(overflow)?;
    let is_zero = all.bytes().all(|digit| digit == b'0');
    let scale = length(fraction)?.saturating_sub(exponent).max(0);
    if (point > WHOLE_MAX && !is_zero) || scale > FRACTION_MAX {
        return Err(overflow());
    }
    if negative && !is_zero {
        out.push('-');
    }
    let scale = usize::try_from(scale).map_err(|_| overflow())?;
    let digit = |place: i64| usize::try_from(place).ok().and_then(|place| all.as_bytes().get(place)).copied();
    let first = if is_zero { point } else { (0..point).find(|place| digit(*place) != Some(b'0')).unwrap_or(point) };
    if first >= point {
        out.push('0');
    }
    for place in first..point {
        out.push(char::from(digit(place).unwrap_or(b'0')));
    }
    if scale > 0 {
        out.push('.');
        for place in (point..).take(scale) {
            out.push(char::from(digit(place).unwrap_or(b'0')));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_form_is_postgres_s() {
        for (text, expect) in [
            (
                r#" {"bb":1, "a" : 1e3, "c": [ 1.50 , -0 , 1E-3,true,null], "a":2}"#,
                r#"{"a": 2, "c": [1.50, 0, 0.001, true, null], "bb": 1}"#,
            ),
            ("[]", "[]"),
            ("{ }", "{}"),
            ("\"\\u00e9\\/\"", "\"é/\""),
            ("-1.50e1", "-15.0"),
            ("0.05e1", "0.5"),
            ("12e-3", "0.012"),
            ("0e5", "0"),
            ("100", "100"),
            ("-0.00", "0.00"),
        ] {
            assert_eq!(normal(text).unwrap(), expect, "{text}");
            assert_eq!(normal(expect).unwrap(), expect);
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_postgres_s_detail() {
        for (text, detail) in [
            ("", "The input string ended unexpectedly."),
            ("{bad}", "Token \"bad\" is invalid."),
            ("{\"a\":1", "The input string ended unexpectedly."),
            ("{\"a\":1,}", "Expected string, but found \"}\"."),
            ("{1:2}", "Expected string or \"}\", but found \"1\"."),
            ("{\"a\" 1}", "Expected \":\", but found \"1\"."),
            ("{\"a\":1 2}", "Expected \",\" or \"}\", but found \"2\"."),
            ("[1 2]", "Expected \",\" or \"]\", but found \"2\"."),
            ("[1,]", "Expected JSON value, but found \"]\"."),
            ("1 2", "Expected end of input, but found \"2\"."),
            ("01", "Token \"01\" is invalid."),
            ("1.", "Token \"1.\" is invalid."),
            ("'x'", "Token \"'\" is invalid."),
            ("\"a\tb\"", "Character with value 0x09 must be escaped."),
            ("\"\\q\"", "Escape sequence \"\\q\" is invalid."),
            ("\"\\u12\"", "\"\\u\" must be followed by four hexadecimal digits."),
            ("\"abc", "Token \"\"abc\" is invalid."),
        ] {
            let expect = Error::InvalidJson { detail: detail.to_owned() };
            assert_eq!(check(text).unwrap_err(), expect, "{text}");
            assert_eq!(normal(text).unwrap_err(), expect, "{text}");
        }
        // A number is taken when the token behind it has been found.
        for text in ["-33197e213727910.5", "[1e1000000 x", "1e1000000x"] {
            assert!(matches!(normal(text), Err(Error::InvalidJson { .. })), "{text}");
        }
        for text in ["[1e1000000 }", "[1e1000000", "1e1000000"] {
            assert_eq!(normal(text), Err(Error::NumericFormatOverflow), "{text}");
        }
        assert!(check("\"\\u0000\"").is_ok());
        assert!(matches!(normal(&"[".repeat(100_000)), Err(Error::LimitExceeded(_))));
        assert!(matches!(bounded(&"[".repeat(2_000)), Err(Error::LimitExceeded(_))));
        assert!(bounded(r#"["[[\"[", {"a": []}]"#).is_ok());
    }
}
