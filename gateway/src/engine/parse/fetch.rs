//! FETCH and MOVE, in every spelling of PostgreSQL: the parser knows FETCH with a count and FROM only.
//!
//! Owns: `[direction] [FROM | IN] cursor`. Must never know: cursors.
//! <https://www.postgresql.org/docs/15/sql-fetch.html>

use sqlparser::ast::{FetchDirection, FetchPosition, Statement, Value, ValueWithSpan};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Reads a FETCH or a MOVE (then the flag is set); `None` is another statement.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<(Statement, bool)>, ParserError> {
    let is_move = match &parser.peek_token_ref().token {
        Token::Word(word) if word.keyword == Keyword::FETCH => false,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("move") => true,
        _ => return Ok(None),
    };
    parser.advance_token();
    let direction = direction(parser)?;
    let position = match parser.parse_one_of_keywords(&[Keyword::FROM, Keyword::IN]) {
        Some(Keyword::IN) => FetchPosition::In,
        _ => FetchPosition::From,
    };
    let name = parser.parse_identifier()?;
    Ok(Some((Statement::Fetch { name, direction, position, into: None }, is_move)))
}

fn direction(parser: &mut Parser<'_>) -> Result<FetchDirection, ParserError> {
    if names_the_cursor(parser) {
        return Ok(FetchDirection::Next);
    }
    let words = [
        Keyword::NEXT,
        Keyword::PRIOR,
        Keyword::FIRST,
        Keyword::LAST,
        Keyword::ABSOLUTE,
        Keyword::RELATIVE,
        Keyword::FORWARD,
        Keyword::BACKWARD,
        Keyword::ALL,
    ];
    Ok(match parser.parse_one_of_keywords(&words) {
        Some(Keyword::NEXT) => FetchDirection::Next,
        Some(Keyword::PRIOR) => FetchDirection::Prior,
        Some(Keyword::FIRST) => FetchDirection::First,
        Some(Keyword::LAST) => FetchDirection::Last,
        Some(Keyword::ALL) => FetchDirection::All,
        Some(Keyword::ABSOLUTE) => FetchDirection::Absolute { limit: count(parser)? },
        Some(Keyword::RELATIVE) => FetchDirection::Relative { limit: count(parser)? },
        Some(Keyword::FORWARD) if parser.parse_keyword(Keyword::ALL) => FetchDirection::ForwardAll,
        Some(Keyword::BACKWARD) if parser.parse_keyword(Keyword::ALL) => FetchDirection::BackwardAll,
        Some(Keyword::FORWARD) => FetchDirection::Forward { limit: optional_count(parser)? },
        Some(Keyword::BACKWARD) => FetchDirection::Backward { limit: optional_count(parser)? },
        _ if starts_a_count(parser) => FetchDirection::Count { limit: count(parser)? },
        // FETCH FROM c
        _ => FetchDirection::Next,
    })
}

/// `FETCH next` reads a cursor of that name, for the words are not reserved: nothing follows the name.
fn names_the_cursor(parser: &Parser<'_>) -> bool {
    let is_word = matches!(parser.peek_token_ref().token, Token::Word(_));
    is_word && matches!(parser.peek_nth_token_ref(1).token, Token::EOF | Token::SemiColon)
}

fn starts_a_count(parser: &Parser<'_>) -> bool {
    matches!(parser.peek_token_ref().token, Token::Number(..) | Token::Minus | Token::Plus)
}

fn optional_count(parser: &mut Parser<'_>) -> Result<Option<ValueWithSpan>, ParserError> {
    if starts_a_count(parser) { count(parser).map(Some) } else { Ok(None) }
}

/// A signed number.
fn count(parser: &mut Parser<'_>) -> Result<ValueWithSpan, ParserError> {
    let negative = parser.consume_token(&Token::Minus);
    if !negative {
        let _ = parser.consume_token(&Token::Plus);
    }
    let mut number = parser.parse_number_value()?;
    if negative && let Value::Number(digits, _) = &mut number.value {
        *digits = format!("-{digits}");
    }
    Ok(number)
}
