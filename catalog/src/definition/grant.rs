//! Grants in a script: `GRANT SELECT, INSERT ("a") ON "s"."t" TO "role"`.
//!
//! Owns: the one form in which they are written, and reading it. Must never know: whether roles or objects exist.

use std::collections::BTreeSet;

use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::header::{fold, name, quoted};
use crate::access::{Grant, Granted, Grantee, Privilege, Privileges};

pub(super) fn text(grant: &Grant) -> String {
    let columns = match grant.columns.is_empty() {
        true => String::new(),
        false => format!(" ({})", grant.columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")),
    };
    let privileges: Vec<String> =
        grant.privileges.iter().map(|privilege| format!("{}{columns}", privilege.word())).collect();
    let on = match &grant.on {
        Granted::Relation(name) => name.to_string(),
        Granted::AllIn(schema) => format!("ALL TABLES IN SCHEMA {}", quoted(schema)),
        Granted::Schema(schema) => format!("SCHEMA {}", quoted(schema)),
    };
    let to = match &grant.grantee {
        Grantee::Public => "PUBLIC".to_owned(),
        Grantee::Role(role) => quoted(role),
    };
    format!("GRANT {} ON {on} TO {to}", privileges.join(", "))
}

/// Reads what stands behind GRANT.
pub(super) fn read(parser: &mut Parser<'_>) -> Result<Grant, ParserError> {
    let wrong = |what: String| ParserError::ParserError(what);
    let mut columns = BTreeSet::new();
    let mut privileges = Privileges::NONE;
    loop {
        let word = parser.parse_identifier()?;
        let privilege =
            Privilege::named(&word.value).ok_or_else(|| wrong(format!("Expected: a privilege, found: {word}")))?;
        privileges = privileges.with(privilege);
        if parser.consume_token(&Token::LParen) {
            columns = parser.parse_comma_separated(Parser::parse_identifier)?.iter().map(fold).collect();
            parser.expect_token(&Token::RParen)?;
        }
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_keyword_is(Keyword::ON)?;
    let on = if parser.parse_keywords(&[Keyword::ALL, Keyword::TABLES, Keyword::IN, Keyword::SCHEMA]) {
        Granted::AllIn(fold(&parser.parse_identifier()?))
    } else if parser.parse_keyword(Keyword::SCHEMA) {
        Granted::Schema(fold(&parser.parse_identifier()?))
    } else {
        Granted::Relation(name(&parser.parse_object_name(false)?)?)
    };
    parser.expect_keyword_is(Keyword::TO)?;
    let grantee = match parser.parse_keyword(Keyword::PUBLIC) {
        true => Grantee::Public,
        false => Grantee::Role(fold(&parser.parse_identifier()?)),
    };
    match &parser.peek_token_ref().token {
        Token::EOF => Ok(Grant { grantee, privileges, on, columns }),
        other => Err(wrong(format!("Expected: the end, found: {other}"))),
    }
}
