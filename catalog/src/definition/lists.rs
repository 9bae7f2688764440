//! What the bodies of materialized views and streams have in common: lists in parentheses, and options.
//!
//! Owns: how an option is written. Which there are is theirs.

use sqlparser::ast::Ident;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::fold;

/// Items in parentheses.
pub(crate) fn parenthesised<'a, T>(
    parser: &mut Parser<'a>,
    item: impl FnMut(&mut Parser<'a>) -> Result<T, ParserError>,
) -> Result<Vec<T>, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let items = parser.parse_comma_separated(item)?;
    parser.expect_token(&Token::RParen)?;
    Ok(items)
}

/// `name = value`; a value is a text, a number or a word.
pub(crate) fn option(parser: &mut Parser<'_>) -> Result<(String, String), ParserError> {
    let name: Ident = parser.parse_identifier()?;
    parser.expect_token(&Token::Eq)?;
    let value = parser.next_token();
    let text = match value.token {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) | Token::Number(text, _) => text,
        Token::Word(word) => word.value,
        _ => return parser.expected("a value", value),
    };
    Ok((fold(&name), text))
}
