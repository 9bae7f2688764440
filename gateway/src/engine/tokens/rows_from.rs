//! `ROWS FROM (f(), g())`, which the parser does not read.
//!
//! Owns: that it is the call of a function whose arguments are the functions. Must never know: what they return.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// The name of that function, which no client writes.
pub(in crate::engine) const NAME: &str = "lakegate:rows from";

/// Whether `ROWS FROM (` begins with this word.
pub(super) fn begins(word: &Word, following: &[TokenWithSpan]) -> bool {
    let mut next = following.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    let is_from = |token: &Token| matches!(token, Token::Word(word) if word.keyword == Keyword::FROM);
    word.keyword == Keyword::ROWS && next.next().is_some_and(is_from) && next.next() == Some(&Token::LParen)
}

/// The word that stands for both.
pub(super) fn mark() -> Token {
    Token::make_word(NAME, Some('"'))
}
