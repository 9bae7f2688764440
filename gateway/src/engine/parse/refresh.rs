//! `REFRESH [EXTERNAL] TABLE name`, which PostgreSQL does not have: Spark, Impala and Databricks do; and PostgreSQL's
//! `REFRESH MATERIALIZED VIEW [CONCURRENTLY] name [WITH [NO] DATA]`, with FULL behind the name for one that reads everything, and
//! at the end CASCADE for one of the views below too, and ASYNC for one that nobody waits for.
//!
//! Owns: their grammar; the AST is that of Hive's `MSCK REPAIR TABLE`, which means nearly the same: that of a table repairs, that
//! of a view does not. Must never know: tables.
//! <https://spark.apache.org/docs/latest/sql-ref-syntax-aux-cache-refresh-table.html>
//! <https://www.postgresql.org/docs/16/sql-refreshmaterializedview.html>

use sqlparser::ast::{AddDropSync, DescribeAlias, Msck, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// What stands at the end of a REFRESH of a materialized view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::engine) struct Ending {
    /// The materialized views that it is made of come first.
    pub(in crate::engine) is_cascade: bool,
    /// A job does it, and nobody waits.
    pub(in crate::engine) is_async: bool,
}

/// Whether the next statement is a REFRESH, or an EXPLAIN of one of a materialized view.
pub(super) fn begins(parser: &Parser<'_>) -> bool {
    is_refresh(parser, 0) || is_explained(parser)
}

fn is_refresh(parser: &Parser<'_>, at: usize) -> bool {
    let is_refresh = matches!(
        &parser.peek_nth_token_ref(at).token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("refresh")
    );
    is_refresh
        && matches!(
            &parser.peek_nth_token_ref(at + 1).token,
            Token::Word(word) if matches!(word.keyword, Keyword::TABLE | Keyword::EXTERNAL | Keyword::MATERIALIZED)
        )
}

fn is_explained(parser: &Parser<'_>) -> bool {
    let is = |at: usize, keyword: Keyword| matches!(&parser.peek_nth_token_ref(at).token, Token::Word(word) if word.keyword == keyword);
    is(0, Keyword::EXPLAIN) && is_refresh(parser, 1) && is(2, Keyword::MATERIALIZED)
}

/// Reads a REFRESH; `None` is another statement.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<Statement>, ParserError> {
    if is_explained(parser) {
        parser.advance_token();
        parser.advance_token();
        parser.expect_keyword_is(Keyword::MATERIALIZED)?;
        return Ok(Some(Statement::Explain {
            describe_alias: DescribeAlias::Explain,
            analyze: false,
            verbose: false,
            query_plan: false,
            estimate: false,
            statement: Box::new(view(parser)?),
            format: None,
            options: None,
        }));
    }
    if !begins(parser) {
        return Ok(None);
    }
    parser.advance_token();
    if parser.parse_keyword(Keyword::MATERIALIZED) {
        return view(parser).map(Some);
    }
    let _is_external = parser.parse_keyword(Keyword::EXTERNAL);
    parser.expect_keyword_is(Keyword::TABLE)?;
    let table_name = parser.parse_object_name(false)?;
    Ok(Some(Statement::Msck(Msck { table_name, repair: true, partition_action: None })))
}

fn view(parser: &mut Parser<'_>) -> Result<Statement, ParserError> {
    parser.expect_keyword_is(Keyword::VIEW)?;
    // Nobody is ever kept from reading.
    let _is_concurrent = parser.parse_keyword(Keyword::CONCURRENTLY);
    let table_name = parser.parse_object_name(false)?;
    let partition_action = if parser.parse_keyword(Keyword::FULL) {
        Some(AddDropSync::SYNC)
    } else if parser.parse_keywords(&[Keyword::WITH, Keyword::NO, Keyword::DATA]) {
        Some(AddDropSync::DROP)
    } else {
        let _with_data = parser.parse_keywords(&[Keyword::WITH, Keyword::DATA]);
        None
    };
    Ok(Statement::Msck(Msck { table_name, repair: false, partition_action }))
}

/// Reads `[CASCADE] [ASYNC]` behind a REFRESH of a materialized view.
pub(super) fn ending(parser: &mut Parser<'_>, ast: &Statement) -> Ending {
    if !matches!(ast, Statement::Msck(asked) if !asked.repair) {
        return Ending::default();
    }
    let is_cascade = parser.parse_keyword(Keyword::CASCADE);
    let is_async = matches!(
        &parser.peek_token_ref().token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("async")
    );
    if is_async {
        parser.advance_token();
    }
    Ending { is_cascade, is_async }
}
