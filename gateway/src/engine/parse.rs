//! Text to statements, with PostgreSQL's grammar as `sqlparser` reads it and PostgreSQL's words for what it cannot.
//!
//! Owns: the one parser of the server. Must never know: tables, sessions.

mod define;
mod dialect;
mod fetch;
mod grant;
mod keywords;
mod maintenance;
mod mask;
mod refresh;

use std::sync::Arc;

use sqlparser::ast::Statement as Ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::{Statement, guard, tokens};
use crate::error::{Error, Result, SqlState};
pub(super) use dialect::IS_JSON;
pub(super) use mask::{Mask, of_mask};
pub(super) use refresh::Ending;

/// The parser refuses deeper nesting; its own frames are large, so the text is parsed on a stack of `STACK_BYTES`.
const NESTING_MAX: usize = 500;
const STACK_BYTES: usize = 64 << 20;

/// Splits and parses a message. An empty or comment-only text gives no statement.
pub(super) fn statements(sql: &str) -> Result<Vec<Statement>> {
    guard::check_text(sql)?;
    stacker::grow(STACK_BYTES, || parse(sql))
}

fn parse(sql: &str) -> Result<Vec<Statement>> {
    let dialect = dialect::PostgreSql;
    let tokens = tokens::read(sql)?;
    let mut parser = Parser::new(&dialect).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(tokens);
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        let first = parser.peek_token_ref().clone();
        if first.token == Token::EOF {
            return Ok(statements);
        }
        let is_ours =
            refresh::begins(&parser) || define::begins(&parser) || grant::begins(&parser) || mask::begins(&parser);
        let (mut ast, is_move) = next(&mut parser).map_err(|error| match is_ours {
            true => syntax_error(sql, &parser, None, error),
            false => syntax_error(sql, &parser, Some(&first), error),
        })?;
        let is_without_data = without_data(&mut parser, &ast);
        let ending = refresh::ending(&mut parser, &ast);
        let end = parser.peek_token_ref().clone();
        if end.token != Token::EOF && end.token != Token::SemiColon {
            return Err(near(sql, &end));
        }
        tokens::values::unmark(&mut ast);
        tokens::versions::alias(&mut ast);
        guard::check_ast(&ast)?;
        statements.push(Statement { is_move, is_without_data, ending, ..statement(sql, ast, first.span.start, &end) });
    }
}

/// The next statement, and whether it is a MOVE.
fn next(parser: &mut Parser<'_>) -> Result<(Ast, bool), ParserError> {
    if let Some(fetch) = fetch::statement(parser)? {
        return Ok(fetch);
    }
    if let Some(refresh) = refresh::statement(parser)? {
        return Ok((refresh, false));
    }
    if let Some(maintenance) = maintenance::statement(parser)? {
        return Ok((maintenance, false));
    }
    if let Some(define) = define::statement(parser)? {
        return Ok((define, false));
    }
    if let Some(mask) = mask::statement(parser)? {
        return Ok((mask, false));
    }
    if let Some(grant) = grant::statement(parser)? {
        return Ok((grant, false));
    }
    parser.parse_statement().map(|ast| (ast, false))
}

/// Reads `WITH [NO] DATA` behind the query of a new table or materialized view, and tells whether its rows are left out.
fn without_data(parser: &mut Parser<'_>, ast: &Ast) -> bool {
    let ast = match ast {
        Ast::Explain { statement, .. } => statement,
        other => other,
    };
    let takes_it = match ast {
        Ast::CreateTable(create) => create.query.is_some(),
        Ast::CreateView(create) => create.materialized,
        _ => false,
    };
    if !takes_it {
        return false;
    }
    let is_without = parser.parse_keywords(&[Keyword::WITH, Keyword::NO, Keyword::DATA]);
    let _is_with = !is_without && parser.parse_keywords(&[Keyword::WITH, Keyword::DATA]);
    is_without
}

fn statement(sql: &str, ast: Ast, start: Location, end: &TokenWithSpan) -> Statement {
    let from = byte_offset(sql, start);
    let to = if end.token == Token::EOF { sql.len() } else { byte_offset(sql, end.span.start) };
    let text = sql.get(from..to).unwrap_or(sql).trim_end();
    let (is_move, is_without_data, ending) = Default::default();
    Statement { ast: Arc::new(ast), text: text.into(), message: sql.into(), is_move, is_without_data, ending }
}

/// What the parser could not read. `first` begins a statement that may be a command of PostgreSQL's.
fn syntax_error(sql: &str, parser: &Parser<'_>, first: Option<&TokenWithSpan>, error: ParserError) -> Error {
    let detail = match error {
        ParserError::RecursionLimitExceeded => {
            return Error::new(SqlState::StatementTooComplex, "stack depth limit exceeded")
                .hint("Write the statement with less nesting.");
        }
        ParserError::TokenizerError(detail) | ParserError::ParserError(detail) => detail,
    };
    if let Some((first, command)) = first.and_then(|first| Some((first, postgres_command(first)?))) {
        return unsupported_command(command).at(offset(sql, first.span.start));
    }
    let found = token_at(sql, &detail);
    near(sql, found.as_ref().unwrap_or_else(|| parser.peek_token_ref())).detail(sentence(&detail))
}

/// The token that the parser's words point at: it may have gone on since.
fn token_at(sql: &str, detail: &str) -> Option<TokenWithSpan> {
    let (line, column) = detail.rsplit_once(" at Line: ")?.1.split_once(", Column: ")?;
    let start = Location { line: line.parse().ok()?, column: column.parse().ok()? };
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().ok()?;
    tokens.into_iter().find(|token| token.span.start == start)
}

pub(super) fn near(sql: &str, token: &TokenWithSpan) -> Error {
    match &token.token {
        Token::EOF => Error::new(SqlState::SyntaxError, "syntax error at end of input").at(sql.chars().count() + 1),
        word => Error::new(SqlState::SyntaxError, format!("syntax error at or near \"{word}\""))
            .at(offset(sql, token.span.start)),
    }
}

/// A command of PostgreSQL that the parser has no grammar for.
fn postgres_command(first: &TokenWithSpan) -> Option<String> {
    let Token::Word(word) = &first.token else { return None };
    let known =
        ["ABORT", "CHECKPOINT", "CLUSTER", "DO", "IMPORT", "LOAD", "REASSIGN", "REFRESH", "REINDEX", "SECURITY"];
    let is_verb = matches!(
        word.keyword,
        Keyword::ALTER | Keyword::COMMENT | Keyword::CREATE | Keyword::DROP | Keyword::GRANT | Keyword::REVOKE
    );
    let verb = word.value.to_ascii_uppercase();
    (word.quote_style.is_none() && (is_verb || known.contains(&verb.as_str()))).then_some(verb)
}

/// 0A000 for a command that PostgreSQL has and this server does not.
pub(super) fn unsupported_command(command: impl std::fmt::Display) -> Error {
    Error::unsupported(format!("{command} is not supported")).hint(
        "This server answers queries over files; tables are made of the lake's files, or by CREATE EXTERNAL TABLE.",
    )
}

/// Characters before a location, plus one: PostgreSQL's position.
pub(super) fn offset(sql: &str, location: Location) -> usize {
    let bytes = byte_offset(sql, location);
    sql.get(..bytes).map_or(0, |head| head.chars().count()) + 1
}

fn byte_offset(sql: &str, location: Location) -> usize {
    let (line, column) = (location.line.max(1) as usize, location.column.max(1) as usize);
    let start: usize = sql.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = sql.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(index, _)| index)
}

/// The text from the first word of these on.
pub(super) fn from_word(text: &str, word: Keyword) -> Option<&str> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().ok()?;
    let is_it = |token: &TokenWithSpan| matches!(&token.token, Token::Word(found) if found.keyword == word);
    let found = tokens.into_iter().find(is_it)?;
    text.get(byte_offset(text, found.span.start)..)
}

pub(super) fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The parser's own words as a DETAIL, without its "at Line: 1, Column: 2", which the position says.
fn sentence(detail: &str) -> String {
    let detail = detail.split(" at Line:").next().unwrap_or(detail).trim_end_matches('.');
    format!("{detail}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_splits_into_statements_with_their_texts() {
        let parsed = statements("select 1; -- two\n select 'a;b' ;;").unwrap();
        let texts: Vec<&str> = parsed.iter().map(|statement| &*statement.text).collect();
        assert_eq!(texts, ["select 1", "select 'a;b'"]);
    }

    #[test]
    fn empty_and_comment_only_texts_have_no_statement() {
        for sql in ["", "  ", ";", "-- ping", "/* x */ ;"] {
            assert!(statements(sql).unwrap().is_empty(), "{sql}");
        }
    }

    #[test]
    fn a_refresh_ends_with_what_else_is_asked_for() {
        for (sql, is_cascade, is_async) in [
            ("REFRESH MATERIALIZED VIEW m", false, false),
            ("REFRESH MATERIALIZED VIEW m FULL CASCADE", true, false),
            ("REFRESH MATERIALIZED VIEW m WITH DATA Async;", false, true),
            ("refresh materialized view s.m cascade async", true, true),
        ] {
            let ending = statements(sql).unwrap().remove(0).ending;
            assert_eq!(ending, Ending { is_cascade, is_async }, "{sql}");
        }
        for sql in ["REFRESH MATERIALIZED VIEW m ASYNC CASCADE", "REFRESH TABLE t ASYNC", "REFRESH TABLE t CASCADE"] {
            assert_eq!(statements(sql).unwrap_err().state, SqlState::SyntaxError, "{sql}");
        }
        assert_eq!(from_word("EXPLAIN /* CREATE */\n create x", Keyword::CREATE), Some("create x"));
    }

    #[test]
    fn syntax_errors_speak_as_postgresql_with_a_position() {
        let cases = [
            ("selec 1", "syntax error at or near \"selec\"", 1),
            ("select 1 from", "syntax error at end of input", 14),
            ("select é 1", "syntax error at or near \"1\"", 10),
        ];
        for (sql, message, position) in cases {
            let error = statements(sql).unwrap_err();
            assert_eq!((error.state, error.message.as_str()), (SqlState::SyntaxError, message), "{sql}");
            assert_eq!(error.position, Some(position), "{sql}");
        }
    }

    #[test]
    fn commands_of_postgresql_without_grammar_are_unsupported_not_wrong() {
        assert_eq!(statements("DO $$ begin end $$").unwrap_err().state, SqlState::FeatureNotSupported);
    }
}
