//! What stands behind the name in CREATE STREAM: `[(columns)] [INTO table] FROM KAFKA WITH (options)`.
//!
//! Owns: where each of them ends. Which columns a table can have is the engine's. Pure.

use sqlparser::ast::{ColumnDef, Ident};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::StreamOptions;
use crate::definition::fold;
use crate::definition::lists::{option, parenthesised};
use crate::definition::split;

/// The parts of a body.
#[derive(Debug, PartialEq)]
pub(crate) struct Body {
    pub(crate) columns: Vec<ColumnDef>,
    /// The table, with the schema that it is written with.
    pub(crate) into: Option<(Option<String>, String)>,
    pub(crate) options: StreamOptions,
}

/// What is wrong with a body.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    Syntax(ParserError),
    /// It is a stream that there cannot be.
    Options(String),
}

impl From<ParserError> for Fault {
    fn from(error: ParserError) -> Self {
        Self::Syntax(error)
    }
}

impl From<Fault> for ParserError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax(error) => error,
            Fault::Options(reason) => Self::ParserError(reason),
        }
    }
}

impl Body {
    pub(crate) fn read(body: &str) -> Result<Self, Fault> {
        let dialect = PostgreSqlDialect {};
        let tokens = split::tokens(body).map_err(ParserError::from)?;
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
        let columns = match parser.peek_token_ref().token {
            Token::LParen => parenthesised(&mut parser, Parser::parse_column_def)?,
            _ => Vec::new(),
        };
        let into = match parser.parse_keyword(Keyword::INTO) {
            true => Some(table(&mut parser)?),
            false => None,
        };
        parser.expect_keyword_is(Keyword::FROM)?;
        let kind = parser.parse_identifier()?;
        if !kind.value.eq_ignore_ascii_case("kafka") {
            return Err(ParserError::ParserError(format!("Expected: KAFKA, found: {kind}")).into());
        }
        parser.expect_keyword_is(Keyword::WITH)?;
        let options = parenthesised(&mut parser, option)?;
        parser.expect_token(&Token::EOF)?;
        let options = StreamOptions::read(&options).map_err(Fault::Options)?;
        Ok(Self { columns, into, options })
    }
}

fn table(parser: &mut Parser<'_>) -> Result<(Option<String>, String), ParserError> {
    let name = parser.parse_object_name(false)?;
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
    match parts.as_deref() {
        Some([table]) => Ok((None, fold(table))),
        Some([schema, table]) => Ok((Some(fold(schema)), fold(table))),
        _ => Err(ParserError::ParserError("a name is [schema.]name".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Start};
    use super::*;

    #[test]
    fn a_body_has_columns_a_table_and_options() {
        let text = "(a int NOT NULL, \"B\" varchar(3)) INTO s.\"T\" FROM KAFKA\nWITH (topic = 'x', start = latest)";
        let body = Body::read(text).unwrap();
        assert_eq!(body.columns.len(), 2);
        assert_eq!(body.into, Some((Some("s".to_owned()), "T".to_owned())));
        assert_eq!((body.options.topic.as_str(), body.options.start), ("x", Start::Latest));
        let body = Body::read("from kafka with (topic = 'x', format = 'csv', delimiter = ';')").unwrap();
        assert_eq!((body.columns.len(), body.into), (0, None));
        assert_eq!(body.options.format, Format::Csv { delimiter: b';' });
    }

    #[test]
    fn wrong_bodies_are_refused() {
        for text in [
            "",
            "FROM KAFKA",
            "FROM PULSAR WITH (topic = 'x')",
            "(a int) WITH (topic = 'x')",
            "FROM KAFKA WITH ()",
            "FROM KAFKA WITH (topic = 'x') AS SELECT 1",
            "INTO a.b.c FROM KAFKA WITH (topic = 'x')",
        ] {
            assert!(Body::read(text).is_err(), "{text}");
        }
    }
}
