//! CREATE, ALTER and DROP of what the parser has no grammar for: external tables, and the names of views.
//!
//! Owns: where such a statement ends. What stands behind the name of an external table is the catalog's grammar, which is
//! that of the files in `sql/tables` too. Must never know: tables.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use sqlparser::ast::{
    AlterTable, AlterTableOperation, AlterTableType, Expr, Ident, ObjectName, ObjectNamePart, RenameTableNameKind,
    SqlOption, Statement, Value,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::session::fold;

/// Whether the next statement defines what this server knows: what its parser cannot read is then wrong, and not unknown.
pub(super) fn begins(parser: &Parser<'_>) -> bool {
    use Keyword::{COMMENT, CREATE, DROP, MATERIALIZED, SCHEMA, STREAM, TABLE, VIEW};
    is_external(parser)
        || is_stream(parser)
        || matches!(
            (keyword(parser, 0), defined(parser)),
            (Some(CREATE), Some(MATERIALIZED | SCHEMA | STREAM | VIEW))
                | (Some(DROP), Some(MATERIALIZED | SCHEMA | STREAM | TABLE | VIEW))
                | (Some(COMMENT), _)
        )
}

/// Whether the next statement is one of an external table.
fn is_external(parser: &Parser<'_>) -> bool {
    let is_verb = matches!(keyword(parser, 0), Some(Keyword::CREATE | Keyword::ALTER | Keyword::DROP));
    is_verb && defined(parser) == Some(Keyword::EXTERNAL)
}

/// Whether the next statement is one of a stream that the parser has no grammar for.
fn is_stream(parser: &Parser<'_>) -> bool {
    let is_verb = matches!(keyword(parser, 0), Some(Keyword::CREATE | Keyword::ALTER));
    is_verb && keyword(parser, 1) == Some(Keyword::STREAM)
}

/// The kind of object, behind CREATE OR REPLACE or another verb.
fn defined(parser: &Parser<'_>) -> Option<Keyword> {
    keyword(parser, if keyword(parser, 1) == Some(Keyword::OR) { 3 } else { 1 })
}

fn keyword(parser: &Parser<'_>, at: usize) -> Option<Keyword> {
    match &parser.peek_nth_token_ref(at).token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// Reads one of these statements; `None` is another.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<Statement>, ParserError> {
    if is_stream(parser) {
        return stream(parser).map(Some);
    }
    if !is_external(parser) {
        return parser.maybe_parse(renamed);
    }
    let verb = parser.expect_one_of_keywords(&[Keyword::CREATE, Keyword::ALTER, Keyword::DROP])?;
    let or_replace = parser.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
    parser.expect_keyword_is(Keyword::EXTERNAL)?;
    match verb {
        Keyword::CREATE => created(parser, or_replace).map(Some),
        Keyword::ALTER => altered(parser, Keyword::TABLE, true).map(Some),
        _ => parser.parse_drop().map(Some),
    }
}

fn created(parser: &mut Parser<'_>, or_replace: bool) -> Result<Statement, ParserError> {
    parser.expect_keyword_is(Keyword::TABLE)?;
    Ok(Statement::CreateTable(made(parser)?.or_replace(or_replace).build()))
}

/// `[IF NOT EXISTS] name ...`, whose grammar behind the name is the catalog's.
fn made(parser: &mut Parser<'_>) -> Result<CreateTableBuilder, ParserError> {
    let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = parser.parse_object_name(false)?;
    while !matches!(parser.peek_token_ref().token, Token::SemiColon | Token::EOF) {
        parser.advance_token();
    }
    Ok(CreateTableBuilder::new(name).external(true).if_not_exists(if_not_exists))
}

/// `CREATE STREAM name ...` and `ALTER STREAM name { PAUSE | RESUME }`. The AST says of a stream what another system calls a dynamic
/// table.
fn stream(parser: &mut Parser<'_>) -> Result<Statement, ParserError> {
    let verb = parser.expect_one_of_keywords(&[Keyword::CREATE, Keyword::ALTER])?;
    parser.expect_keyword_is(Keyword::STREAM)?;
    if verb == Keyword::CREATE {
        return Ok(Statement::CreateTable(made(parser)?.dynamic(true).build()));
    }
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let name = parser.parse_object_name(false)?;
    let operation = match parser.next_token() {
        word if is_word(&word.token, "pause") => AlterTableOperation::Suspend,
        word if is_word(&word.token, "resume") => AlterTableOperation::Resume,
        other => return parser.expected("PAUSE or RESUME", other),
    };
    Ok(alter(name, if_exists, operation, Some(AlterTableType::Dynamic)))
}

fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

/// `ALTER { TABLE | VIEW } ... { RENAME TO | SET SCHEMA }`, and `ALTER MATERIALIZED VIEW`.
fn renamed(parser: &mut Parser<'_>) -> Result<Statement, ParserError> {
    parser.expect_keyword_is(Keyword::ALTER)?;
    if parser.parse_keyword(Keyword::MATERIALIZED) {
        return kept(parser);
    }
    let kind = parser.expect_one_of_keywords(&[Keyword::TABLE, Keyword::VIEW])?;
    parser.prev_token();
    altered(parser, kind, false)
}

/// `ALTER MATERIALIZED VIEW name { SET (option = value, ...) | SUSPEND | RESUME }`. The AST says of it what another system
/// calls a dynamic table.
fn kept(parser: &mut Parser<'_>) -> Result<Statement, ParserError> {
    parser.expect_keyword_is(Keyword::VIEW)?;
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let name = parser.parse_object_name(false)?;
    let set = |name: &str, value: &str| SqlOption::KeyValue {
        key: Ident::new(name),
        value: Expr::value(Value::SingleQuotedString(value.to_owned())),
    };
    let options = if parser.parse_keyword(Keyword::SUSPEND) {
        vec![set("suspended", "true")]
    } else if parser.parse_keyword(Keyword::RESUME) {
        vec![set("suspended", "false")]
    } else if keyword(parser, 0) == Some(Keyword::SET) && parser.peek_nth_token_ref(1).token == Token::LParen {
        parser.expect_keyword_is(Keyword::SET)?;
        parser.expect_token(&Token::LParen)?;
        let options = parser.parse_comma_separated(|parser| {
            let key = fold(&parser.parse_identifier()?);
            parser.expect_token(&Token::Eq)?;
            let value = parser.next_token();
            match value.token {
                Token::SingleQuotedString(text) | Token::Number(text, _) => Ok(set(&key, &text)),
                Token::Word(word) => Ok(set(&key, &word.value)),
                _ => parser.expected("a value", value),
            }
        })?;
        parser.expect_token(&Token::RParen)?;
        options
    } else {
        // It is refused in the words for it.
        return renamed_to(parser, name, if_exists);
    };
    Ok(alter(name, if_exists, AlterTableOperation::SetOptionsParens { options }, Some(AlterTableType::Dynamic)))
}

/// A new name is of one part; one of two is that of SET SCHEMA.
fn altered(parser: &mut Parser<'_>, kind: Keyword, is_external: bool) -> Result<Statement, ParserError> {
    parser.expect_keyword_is(kind)?;
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let name = parser.parse_object_name(false)?;
    if is_external && parser.parse_keyword(Keyword::OPTIONS) {
        return options(parser, name, if_exists);
    }
    renamed_to(parser, name, if_exists)
}

fn renamed_to(parser: &mut Parser<'_>, name: ObjectName, if_exists: bool) -> Result<Statement, ParserError> {
    let to = if parser.parse_keywords(&[Keyword::RENAME, Keyword::TO]) {
        ObjectName::from(vec![parser.parse_identifier()?])
    } else {
        parser.expect_keywords(&[Keyword::SET, Keyword::SCHEMA])?;
        let schema = ObjectNamePart::Identifier(parser.parse_identifier()?);
        ObjectName(std::iter::once(schema).chain(name.0.last().cloned()).collect())
    };
    let table_name = RenameTableNameKind::To(to);
    Ok(alter(name, if_exists, AlterTableOperation::RenameTable { table_name }, None))
}

/// `ALTER EXTERNAL TABLE ... OPTIONS ([ADD | SET | DROP] name ['value'], ...)`, as PostgreSQL's ALTER FOREIGN TABLE.
fn options(parser: &mut Parser<'_>, name: ObjectName, if_exists: bool) -> Result<Statement, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let options = parser.parse_comma_separated(option)?;
    parser.expect_token(&Token::RParen)?;
    Ok(alter(name, if_exists, AlterTableOperation::SetOptionsParens { options }, Some(AlterTableType::External)))
}

/// One change, under what is done, as `ADD = ('name', 'value')`. An option can have the name of what is done.
fn option(parser: &mut Parser<'_>) -> Result<SqlOption, ParserError> {
    let done = [Keyword::ADD, Keyword::SET, Keyword::DROP];
    let is_done = keyword(parser, 0).is_some_and(|word| done.contains(&word))
        && matches!(parser.peek_nth_token_ref(1).token, Token::Word(_));
    let done = if is_done { parser.expect_one_of_keywords(&done)? } else { Keyword::ADD };
    let literal = |text: String| Expr::value(Value::SingleQuotedString(text));
    let mut parts = vec![literal(fold(&parser.parse_identifier()?))];
    if done != Keyword::DROP {
        let value = parser.next_token();
        let (Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) = value.token else {
            return parser.expected("a literal string", value);
        };
        parts.push(literal(text));
    }
    Ok(SqlOption::KeyValue { key: Ident::new(format!("{done:?}")), value: Expr::Tuple(parts) })
}

pub(super) fn alter(
    name: ObjectName,
    if_exists: bool,
    operation: AlterTableOperation,
    table_type: Option<AlterTableType>,
) -> Statement {
    Statement::AlterTable(AlterTable {
        name,
        if_exists,
        only: false,
        operations: vec![operation],
        location: None,
        on_cluster: None,
        table_type,
        end_token: AttachedToken::empty(),
    })
}
