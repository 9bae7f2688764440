//! `VACUUM [(option [value], ...)] [table]` and `ANALYZE [(option [value], ...)] [table]`, and the options as bare words that came
//! before them: the parser knows VACUUM of Redshift and ANALYZE of Hive.
//!
//! Owns: which options PostgreSQL has. They tell how pages are cleaned and counted, which no table of the lake has, so none
//! changes what is done. Must never know: tables.
//! <https://www.postgresql.org/docs/15/sql-vacuum.html>

use sqlparser::ast::{Analyze, ObjectName, Statement, VacuumStatement};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Options of VACUUM in parentheses.
const VACUUM: [&str; 12] = [
    "analyze",
    "buffer_usage_limit",
    "disable_page_skipping",
    "freeze",
    "full",
    "index_cleanup",
    "parallel",
    "process_main",
    "process_toast",
    "skip_locked",
    "truncate",
    "verbose",
];
/// Those of ANALYZE.
const ANALYZE: [&str; 3] = ["buffer_usage_limit", "skip_locked", "verbose"];
/// What may stand behind VACUUM without parentheses, in this order, and behind ANALYZE.
const VACUUM_WORDS: [&str; 4] = ["full", "freeze", "verbose", "analyze"];
const ANALYZE_WORDS: [&str; 1] = ["verbose"];

/// Reads a VACUUM or an ANALYZE that has options; `None` is another statement.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<Statement>, ParserError> {
    let Some(command) = word(parser, 0).filter(|word| matches!(word.as_str(), "vacuum" | "analyze")) else {
        return Ok(None);
    };
    let is_vacuum = command == "vacuum";
    let (options, words): (&[&str], &[&str]) =
        if is_vacuum { (&VACUUM, &VACUUM_WORDS) } else { (&ANALYZE, &ANALYZE_WORDS) };
    let has_options = parser.peek_nth_token_ref(1).token == Token::LParen;
    if !has_options && !word(parser, 1).is_some_and(|next| words.contains(&next.as_str())) {
        return Ok(None);
    }
    parser.advance_token();
    if has_options {
        in_parentheses(parser, options, &command.to_uppercase())?;
    } else {
        for expected in words {
            if word(parser, 0).as_deref() == Some(expected) {
                parser.advance_token();
            }
        }
    }
    let table_name = match parser.peek_token_ref().token {
        Token::EOF | Token::SemiColon => None,
        _ => Some(parser.parse_object_name(false)?),
    };
    Ok(Some(if is_vacuum { vacuum(table_name) } else { analyze(table_name) }))
}

fn in_parentheses(parser: &mut Parser<'_>, options: &[&str], command: &str) -> Result<(), ParserError> {
    parser.expect_token(&Token::LParen)?;
    loop {
        let Some(option) = word(parser, 0) else { return parser.expected_ref("an option", parser.peek_token_ref()) };
        if !options.contains(&option.as_str()) {
            return parser.expected_ref(&format!("an option of {command}"), parser.peek_token_ref());
        }
        parser.advance_token();
        if !matches!(parser.peek_token_ref().token, Token::Comma | Token::RParen) {
            // Its value: a word, a number or a text.
            parser.advance_token();
        }
        if !parser.consume_token(&Token::Comma) {
            return parser.expect_token(&Token::RParen).map(drop);
        }
    }
}

/// A word that is not quoted, in lower case.
fn word(parser: &Parser<'_>, at: usize) -> Option<String> {
    match &parser.peek_nth_token_ref(at).token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_lowercase()),
        _ => None,
    }
}

fn vacuum(table_name: Option<ObjectName>) -> Statement {
    Statement::Vacuum(VacuumStatement {
        full: false,
        sort_only: false,
        delete_only: false,
        reindex: false,
        recluster: false,
        table_name,
        threshold: None,
        boost: false,
    })
}

fn analyze(table_name: Option<ObjectName>) -> Statement {
    Statement::Analyze(Analyze {
        table_name,
        partitions: None,
        for_columns: false,
        columns: Vec::new(),
        cache_metadata: false,
        noscan: false,
        compute_statistics: false,
        has_table_keyword: false,
    })
}
