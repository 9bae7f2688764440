//! Numbers as PostgreSQL 16 writes them: `0x1F`, `0o17`, `0b11`, `1_000`.
//!
//! Owns: that they are decimal digits for the parser, and 42601 for what stands right behind a number. Must never know:
//! types. <https://www.postgresql.org/docs/16/sql-syntax-lexical.html#SQL-SYNTAX-CONSTANTS-NUMERIC>

use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Whitespace};

use super::super::parse::offset;
use crate::error::{Error, Result, SqlState};

/// A number, with the word right behind it where that is a part of it.
pub(super) fn number(sql: &str, digits: &str, span: Span, following: &mut [TokenWithSpan]) -> Result<Token> {
    let mut written = digits.to_owned();
    if let Some(next) = following.first_mut()
        && next.span.start == span.end
        && let Token::Word(word) = &next.token
        && word.quote_style.is_none()
    {
        written.push_str(&word.value);
        next.token = Token::Whitespace(Whitespace::Space);
    }
    // PostgreSQL's lexer stops at the first letter.
    let read = written.get(..=digits.len()).unwrap_or(&written);
    plain(&written).map(|digits| Token::Number(digits, false)).ok_or_else(|| junk(sql, read, span))
}

/// A number in hexadecimal digits; the parser takes it for the bit string `X'1F'`, which begins with its letter.
pub(super) fn hexadecimal(
    sql: &str,
    digits: &str,
    span: Span,
    following: &mut [TokenWithSpan],
) -> Result<Option<Token>> {
    let is_number = sql.get(offset(sql, span.start) - 1..).is_some_and(|text| text.starts_with('0'));
    if is_number { number(sql, &format!("0x{digits}"), span, following).map(Some) } else { Ok(None) }
}

fn junk(sql: &str, written: &str, span: Span) -> Error {
    let message = format!("trailing junk after numeric literal at or near \"{written}\"");
    Error::new(SqlState::SyntaxError, message).at(offset(sql, span.start))
}

/// Decimal digits, without underscores; `None` for what is no number.
fn plain(written: &str) -> Option<String> {
    let lower = written.to_ascii_lowercase();
    let of_base = |base: u32, digits: &str| {
        let digits: String = grouped(digits.strip_prefix('_').unwrap_or(digits))?;
        u128::from_str_radix(&digits, base).ok().map(|value| value.to_string())
    };
    match (lower.get(..2), lower.get(2..)) {
        (Some("0x"), Some(digits)) => of_base(16, digits),
        (Some("0o"), Some(digits)) => of_base(8, digits),
        (Some("0b"), Some(digits)) => of_base(2, digits),
        _ => {
            let digits = grouped(written)?;
            digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)).then_some(digits)
        }
    }
}

/// Without its underscores, each of which stands between two digits.
fn grouped(digits: &str) -> Option<String> {
    let parts: Vec<&str> = digits.split('_').collect();
    let is_digit = |c: char| c.is_ascii_hexdigit();
    let between_digits = parts
        .windows(2)
        .all(|pair| matches!(pair, [left, right] if left.ends_with(is_digit) && right.starts_with(is_digit)));
    between_digits.then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_base_are_decimal() {
        for (written, expect) in [
            ("0x1F", Some("31")),
            ("0X_ff_FF", Some("65535")),
            ("0o17", Some("15")),
            ("0b1_01", Some("5")),
            ("1_000_000", Some("1000000")),
            ("1_0.5_0e1_0", Some("10.50e10")),
            ("1.", Some("1.")),
            ("1__0", None),
            ("1_", None),
            ("12abc", None),
            ("0x", None),
            ("0o8", None),
        ] {
            assert_eq!(plain(written).as_deref(), expect, "{written}");
        }
    }
}
