//! Clauses whose place the parser does not know: `FOR UPDATE LIMIT 1`, `GROUP BY DISTINCT`, `EXCLUDE NO OTHERS`.
//!
//! Owns: where these clauses stand for the parser. Must never know: what they mean.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::Said;
use super::words::{is, is_bare, next_words};
use crate::engine::parse::offset;
use crate::error::{Error, Result};

/// The first key of GROUP BY DISTINCT, which no client writes.
pub(in crate::engine) const DISTINCT_SETS: &str = "lakegate:distinct";

/// Moves the locks of a query behind its limits: PostgreSQL takes them in both orders.
pub(super) fn locks_last(tokens: &mut [TokenWithSpan]) {
    let mut from = 0;
    while let Some(start) = tokens.iter().skip(from).position(|token| is(&token.token, Keyword::FOR)) {
        let start = from + start;
        let rest = tokens.get(start..).unwrap_or_default();
        from = start + 1;
        let behind = rest.iter().skip(1).find(|token| !matches!(token.token, Token::Whitespace(_)));
        if !behind.is_some_and(|token| LOCKS.iter().any(|lock| is(&token.token, *lock))) {
            continue;
        }
        let limits = rest.iter().position(|token| LIMITS.iter().any(|limit| is(&token.token, *limit)));
        let end = end(rest, 0);
        if let Some(limits) = limits.filter(|limits| *limits < end) {
            let end = limits + self::end(rest.get(limits..).unwrap_or_default(), 1);
            if let Some(clauses) = tokens.get_mut(start..start + end) {
                clauses.rotate_left(limits);
            }
        }
        from = start + end;
    }
}

const LOCKS: [Keyword; 2] = [Keyword::SHARE, Keyword::UPDATE];
const LIMITS: [Keyword; 3] = [Keyword::FETCH, Keyword::LIMIT, Keyword::OFFSET];

/// Where the query around these tokens ends.
fn end(tokens: &[TokenWithSpan], from: usize) -> usize {
    let mut depth = 0_usize;
    let ends = tokens.iter().skip(from).position(|token| match token.token {
        Token::LParen => {
            depth += 1;
            false
        }
        Token::RParen if depth == 0 => true,
        Token::RParen => {
            depth -= 1;
            false
        }
        Token::SemiColon | Token::EOF => depth == 0,
        _ => false,
    });
    ends.map_or(tokens.len(), |at| from + at)
}

/// Whether a word stands right behind GROUP BY.
pub(super) fn begins_keys(said: &Said) -> bool {
    let mut before = said.backwards();
    before.next().is_some_and(|token| is(token, Keyword::BY))
        && before.next().is_some_and(|token| is(token, Keyword::GROUP))
}

/// Whether a key of GROUP BY follows: GROUP BY ALL alone is no PostgreSQL.
pub(super) fn precedes_key(following: &[TokenWithSpan]) -> bool {
    let next = following.iter().find(|next| !matches!(next.token, Token::Whitespace(_)));
    next.is_some_and(|next| match &next.token {
        Token::LParen | Token::Number(..) | Token::SingleQuotedString(_) => true,
        Token::Word(word) => {
            let keys = [Keyword::CASE, Keyword::CUBE, Keyword::GROUPING, Keyword::NoKeyword, Keyword::ROLLUP];
            keys.contains(&word.keyword)
        }
        _ => false,
    })
}

/// Takes the frame clause that begins with EXCLUDE: 0A000 for all but the one that is the default.
///
/// `None` where the word is a name.
pub(super) fn exclusion(sql: &str, span: Span, said: &Said, following: &mut [TokenWithSpan]) -> Option<Result<()>> {
    let ends_frame =
        |token: &Token| [Keyword::FOLLOWING, Keyword::PRECEDING, Keyword::ROW].iter().any(|word| is(token, *word));
    if !said.previous().is_some_and(ends_frame) {
        return None;
    }
    let words = next_words(following, 2);
    let excluded = match words.as_slice() {
        [no, others] if is_bare(no, "no") && is_bare(others, "others") => {
            take(following, 2);
            return Some(Ok(()));
        }
        [current, row] if is_bare(current, "current") && is_bare(row, "row") => "CURRENT ROW",
        [group, ..] if is_bare(group, "group") => "GROUP",
        [ties, ..] if is_bare(ties, "ties") => "TIES",
        _ => return None,
    };
    let message = format!("EXCLUDE {excluded} in the frame of a window is not supported");
    Some(Err(Error::unsupported(message).at(offset(sql, span.start))))
}

/// Makes spaces of the next words.
fn take(following: &mut [TokenWithSpan], count: usize) {
    let words = following.iter_mut().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    for word in words.take(count) {
        word.token = Token::Whitespace(sqlparser::tokenizer::Whitespace::Space);
    }
}

/// `interval(3) 'text'` as `'text'::interval(3)`: the parser forgets the digits. The literal is taken from where it
/// stands.
pub(super) fn interval_literal(following: &mut [TokenWithSpan]) -> Option<Token> {
    let mut next =
        following.iter_mut().map(|token| &mut token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    let digits = matches!(
        (next.next(), next.next(), next.next()),
        (Some(Token::LParen), Some(Token::Number(..)), Some(Token::RParen))
    );
    let literal = next.next().filter(|_| digits)?;
    matches!(literal, Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_))
        .then(|| std::mem::replace(literal, Token::Whitespace(sqlparser::tokenizer::Whitespace::Space)))
}
