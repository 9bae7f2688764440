//! `REFRESH [EXTERNAL] TABLE name`, which PostgreSQL does not have: Spark, Impala and Databricks do.
//!
//! Owns: its grammar; the AST is that of Hive's `MSCK REPAIR TABLE`, which means the same. Must never know: tables.
//! <https://spark.apache.org/docs/latest/sql-ref-syntax-aux-cache-refresh-table.html>

use sqlparser::ast::{Msck, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Whether the next statement is a REFRESH of a table; PostgreSQL's is one of a materialized view.
pub(super) fn begins(parser: &Parser<'_>) -> bool {
    let is_refresh = matches!(
        &parser.peek_token_ref().token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("refresh")
    );
    is_refresh
        && matches!(
            &parser.peek_nth_token_ref(1).token,
            Token::Word(word) if matches!(word.keyword, Keyword::TABLE | Keyword::EXTERNAL)
        )
}

/// Reads a REFRESH TABLE; `None` is another statement.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<Statement>, ParserError> {
    if !begins(parser) {
        return Ok(None);
    }
    parser.advance_token();
    let _is_external = parser.parse_keyword(Keyword::EXTERNAL);
    parser.expect_keyword_is(Keyword::TABLE)?;
    let table_name = parser.parse_object_name(false)?;
    Ok(Some(Statement::Msck(Msck { table_name, repair: true, partition_action: None })))
}
