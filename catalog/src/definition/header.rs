//! What a statement defines, from its first words.
//!
//! Owns: the grammar up to the name, and that of comments as a whole. Must never know: whether the rest is right.

use sqlparser::ast::{CommentObject, Ident, ObjectName, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::grant;
use super::script::Defined;
use super::split;
use crate::access::{Grant, is_of_mask};
use crate::layout::ROOT_SCHEMA;

/// The name of a table or a view.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub schema: String,
    pub name: String,
}

/// What a comment is on. Of a table and of a view alike: no two of them share a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commented {
    Schema(String),
    Relation(Name),
    Column(Name, String),
}

/// A statement of definitions; a body is what stands behind the name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header<'a> {
    Schema(String),
    Table {
        name: Name,
        body: &'a str,
    },
    View {
        name: Name,
        body: &'a str,
    },
    Matview {
        name: Name,
        body: &'a str,
    },
    Stream {
        name: Name,
        body: &'a str,
    },
    Comment {
        on: Commented,
        text: Option<String>,
    },
    Grant(Grant),
    /// Of row policies or column masks: it is read as a whole.
    Rows,
    /// How the views, policies and masks behind it find what they name.
    SearchPath(Vec<String>),
}

/// Reads a statement without its semicolon.
pub(crate) fn read(text: &str) -> Result<Header<'_>, ParserError> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(split::tokens(text)?);
    if parser.parse_keyword(Keyword::COMMENT) {
        return comment(parser);
    }
    if parser.parse_keyword(Keyword::SET) {
        return search_path(parser);
    }
    if parser.parse_keyword(Keyword::GRANT) {
        return grant::read(&mut parser).map(Header::Grant);
    }
    if parser.parse_keywords(&[Keyword::CREATE, Keyword::POLICY])
        || parser.parse_keywords(&[Keyword::ALTER, Keyword::TABLE])
        || is_of_mask(&parser)
    {
        return Ok(Header::Rows);
    }
    let (kind, written, body) = created(text, &mut parser)?;
    Ok(match kind {
        Created::Schema => Header::Schema(parts(&written)?.join(".")),
        Created::Stream => Header::Stream { name: name(&written)?, body },
        Created::Relation(Defined::View) => Header::View { name: name(&written)?, body },
        Created::Relation(Defined::Matview) => Header::Matview { name: name(&written)?, body },
        Created::Relation(Defined::Table) => Header::Table { name: name(&written)?, body },
    })
}

/// What stands behind the name that a CREATE of a relation makes, whatever that is, and of which kind it is.
pub(super) fn body(text: &str) -> Result<(Defined, &str), ParserError> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(split::tokens(text)?);
    match created(text, &mut parser)? {
        (Created::Relation(kind), _, body) => Ok((kind, body)),
        (Created::Schema, ..) => Err(ParserError::ParserError("Expected: a table or a view, found: SCHEMA".to_owned())),
        (Created::Stream, ..) => Err(ParserError::ParserError("Expected: a table or a view, found: STREAM".to_owned())),
    }
}

/// What stands behind the name that a CREATE STREAM makes.
pub(super) fn stream_body(text: &str) -> Result<&str, ParserError> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(split::tokens(text)?);
    match created(text, &mut parser)? {
        (Created::Stream, _, body) => Ok(body),
        _ => Err(ParserError::ParserError("Expected: CREATE STREAM".to_owned())),
    }
}

/// What a CREATE makes.
enum Created {
    Schema,
    Stream,
    Relation(Defined),
}

fn created<'a>(text: &'a str, parser: &mut Parser<'_>) -> Result<(Created, ObjectName, &'a str), ParserError> {
    parser.expect_keyword_is(Keyword::CREATE)?;
    let _ = parser.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
    let kinds = [Keyword::EXTERNAL, Keyword::VIEW, Keyword::MATERIALIZED, Keyword::SCHEMA, Keyword::STREAM];
    let kind = match parser.expect_one_of_keywords(&kinds)? {
        Keyword::EXTERNAL => {
            parser.expect_keyword_is(Keyword::TABLE)?;
            Created::Relation(Defined::Table)
        }
        Keyword::MATERIALIZED => {
            parser.expect_keyword_is(Keyword::VIEW)?;
            Created::Relation(Defined::Matview)
        }
        Keyword::VIEW => Created::Relation(Defined::View),
        Keyword::STREAM => Created::Stream,
        _ => Created::Schema,
    };
    let _ = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = parser.parse_object_name(false)?;
    let next = parser.peek_token_ref();
    let body = if next.token == Token::EOF { "" } else { split::behind(text, next.span.start) };
    Ok((kind, name, body))
}

/// Whether a view's body begins with its columns, or its options.
pub(super) fn has_columns(body: &str) -> bool {
    !split::after_as(body).is_empty() && !body.get(..2).is_some_and(|first| first.eq_ignore_ascii_case("as"))
}

fn comment(mut parser: Parser<'_>) -> Result<Header<'static>, ParserError> {
    let Statement::Comment { object_type, object_name, comment: text, .. } = parser.parse_comment()? else {
        return Err(ParserError::ParserError("Expected: COMMENT ON".to_owned()));
    };
    let on = match object_type {
        CommentObject::Schema => Commented::Schema(parts(&object_name)?.join(".")),
        CommentObject::Table | CommentObject::View | CommentObject::MaterializedView => {
            Commented::Relation(name(&object_name)?)
        }
        CommentObject::Column => {
            let mut parts = parts(&object_name)?;
            let column = parts.pop().unwrap_or_default();
            Commented::Column(qualified(parts)?, column)
        }
        other => {
            return Err(ParserError::ParserError(format!("Expected: SCHEMA, TABLE, VIEW or COLUMN, found: {other}")));
        }
    };
    Ok(Header::Comment { on, text })
}

fn search_path(mut parser: Parser<'_>) -> Result<Header<'static>, ParserError> {
    let variable = parser.parse_identifier()?;
    if !variable.value.eq_ignore_ascii_case("search_path") {
        return Err(ParserError::ParserError(format!("Expected: search_path, found: {variable}")));
    }
    parser.expect_token(&Token::Eq)?;
    let path = parser.parse_comma_separated(Parser::parse_identifier)?;
    Ok(Header::SearchPath(path.iter().map(fold).collect()))
}

/// `[schema.]name`, unquoted parts in lower case.
pub(crate) fn name(name: &ObjectName) -> Result<Name, ParserError> {
    qualified(parts(name)?)
}

fn qualified(parts: Vec<String>) -> Result<Name, ParserError> {
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => Ok(Name { schema: ROOT_SCHEMA.to_owned(), name }),
        (Some(schema), Some(name), None) => Ok(Name { schema, name }),
        _ => Err(ParserError::ParserError("a name is [schema.]name".to_owned())),
    }
}

fn parts(name: &ObjectName) -> Result<Vec<String>, ParserError> {
    let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(fold)).collect();
    parts.ok_or_else(|| ParserError::ParserError("a name is [schema.]name".to_owned()))
}

pub(crate) fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// An identifier that is read as it is, whatever its letters.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(schema: &str, name: &str) -> Name {
        Name { schema: schema.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_statement_is_known_by_its_first_words() {
        let table = Header::Table { name: named("shop", "A b"), body: "(x INT) STORED AS CSV LOCATION 'a'" };
        assert_eq!(read("create or replace external table Shop.\"A b\" (x INT) STORED AS CSV LOCATION 'a'"), Ok(table));
        let view = Header::View { name: named("public", "v"), body: "AS SELECT 1 -- x" };
        assert_eq!(read("/* why */ CREATE VIEW IF NOT EXISTS V AS SELECT 1 -- x"), Ok(view));
        assert_eq!(read("CREATE SCHEMA \"S\""), Ok(Header::Schema("S".to_owned())));
        let matview = Header::Matview { name: named("a", "v"), body: "WITH (refresh = manual) AS SELECT 1" };
        assert_eq!(read("create materialized view a.v WITH (refresh = manual) AS SELECT 1"), Ok(matview));
        let path = Header::SearchPath(vec!["a".to_owned(), "B".to_owned()]);
        assert_eq!(read("SET search_path = a, \"B\""), Ok(path));
        let on = Commented::Column(named("public", "t"), "c".to_owned());
        assert_eq!(read("COMMENT ON COLUMN t.c IS 'it''s'"), Ok(Header::Comment { on, text: Some("it's".to_owned()) }));
        let on = Commented::Relation(named("a", "b"));
        assert_eq!(read("COMMENT ON VIEW a.b IS NULL"), Ok(Header::Comment { on, text: None }));
    }

    #[test]
    fn other_statements_are_none() {
        for sql in
            ["SELECT 1", "CREATE TABLE t (a int)", "CREATE VIEW a.b.c AS SELECT 1", "COMMENT ON ROLE a IS 'x'", ""]
        {
            assert!(read(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn a_quoted_name_is_read_back() {
        let name = named("a\"b", "Ä c");
        let text = format!("CREATE VIEW {name} AS SELECT 1");
        assert_eq!(read(&text), Ok(Header::View { name, body: "AS SELECT 1" }));
    }
}
