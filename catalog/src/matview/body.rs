//! What stands behind the name in CREATE MATERIALIZED VIEW: columns, options and the query.
//!
//! Owns: where each of them ends. The query's own grammar is the engine's. Pure.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::Options;
use crate::definition::fold;
use crate::definition::lists::{option, parenthesised};
use crate::definition::split;

/// The parts of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body<'a> {
    pub(crate) columns: Vec<String>,
    pub(crate) options: Options,
    /// Without WITH [NO] DATA, which says something of its creation and nothing of the view.
    pub(crate) query: &'a str,
}

impl<'a> Body<'a> {
    pub(crate) fn read(body: &'a str) -> Result<Self, ParserError> {
        let dialect = PostgreSqlDialect {};
        let tokens = split::tokens(body)?;
        let end = end(&tokens).map_or(body.len(), |end| split::offset(body, end.span.start));
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
        let columns = match parser.peek_token_ref().token {
            Token::LParen => parenthesised(&mut parser, Parser::parse_identifier)?,
            _ => Vec::new(),
        };
        let options = match parser.parse_keyword(Keyword::WITH) {
            true => parenthesised(&mut parser, option)?,
            false => Vec::new(),
        };
        let options = Options::read(&options).map_err(ParserError::ParserError)?;
        parser.expect_keyword_is(Keyword::AS)?;
        let first = parser.peek_token_ref();
        let start = if first.token == Token::EOF { end } else { split::offset(body, first.span.start) };
        let query = body.get(start..end).unwrap_or_default().trim();
        Ok(Self { columns: columns.iter().map(fold).collect(), options, query })
    }
}

/// The first token of WITH [NO] DATA at the end.
fn end(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let is = |token: &TokenWithSpan, text: &str| matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text));
    let mut last = tokens.iter().rev().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    last.next().filter(|token| is(token, "data"))?;
    let before = last.next()?;
    let before = if is(before, "no") { last.next()? } else { before };
    is(before, "with").then_some(before)
}

#[cfg(test)]
mod tests {
    use super::super::Refresh;
    use super::*;

    #[test]
    fn a_body_has_columns_options_and_a_query() {
        let body =
            Body::read("(a, \"B\") WITH (refresh = 'on_change', Partition_By = a) AS\nSELECT 1, ';' -- x\n").unwrap();
        assert_eq!(body.columns, ["a", "B"]);
        assert_eq!(body.options.partition_by, ["a"]);
        assert!(matches!(body.options.refresh, Refresh::OnChange { .. }));
        assert_eq!(body.query, "SELECT 1, ';' -- x");
    }

    #[test]
    fn with_data_is_no_part_of_the_query() {
        for (text, query) in [
            ("AS SELECT 1 WITH NO DATA", "SELECT 1"),
            ("AS SELECT 1 with data", "SELECT 1"),
            ("AS SELECT x AS data", "SELECT x AS data"),
            (
                "AS WITH q AS (SELECT 1) SELECT * FROM q WITH /* . */ NO DATA -- end",
                "WITH q AS (SELECT 1) SELECT * FROM q",
            ),
        ] {
            assert_eq!(Body::read(text).unwrap().query, query);
        }
    }

    #[test]
    fn wrong_bodies_are_refused() {
        for text in
            ["SELECT 1", "WITH (refresh) AS SELECT 1", "WITH (refresh = ) AS SELECT 1", "WITH (x = 1) AS SELECT 1"]
        {
            assert!(Body::read(text).is_err(), "{text}");
        }
    }
}
