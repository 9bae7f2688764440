//! `(row).*` and `t.*` where it is a value: the parser reads neither.
//!
//! Owns: which `*` behind a period is a row. Must never know: words.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::Said;

/// What stands for `*` where it is the field of an expression, which the parser does not read.
pub(in crate::engine) const EVERY_FIELD: &str = "*";

/// Whether a `*` between these tokens is the row of what precedes it, and not a list of its columns.
pub(super) fn is_row(said: &Said, following: &[TokenWithSpan]) -> bool {
    let mut before = said.backwards();
    if before.next() != Some(&Token::Period) {
        return false;
    }
    match before.next() {
        Some(Token::RParen) => true,
        _ => takes_row(following) || is_operand(said),
    }
}

/// Whether `t.*` follows a comparison.
fn is_operand(said: &Said) -> bool {
    let is_name = |token: &&Token| match token {
        Token::Period => true,
        Token::Word(word) => word.keyword == Keyword::NoKeyword,
        _ => false,
    };
    said.backwards().find(|token| !is_name(token)).is_some_and(is_comparison)
}

fn is_comparison(token: &Token) -> bool {
    matches!(token, Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq)
}

/// Whether `t.*` before these tokens is the row of `t`.
fn takes_row(following: &[TokenWithSpan]) -> bool {
    match following.iter().map(|token| &token.token).find(|token| !matches!(token, Token::Whitespace(_))) {
        Some(Token::DoubleColon) => true,
        Some(Token::Word(word)) => word.keyword == Keyword::IS,
        Some(token) => is_comparison(token),
        None => false,
    }
}
