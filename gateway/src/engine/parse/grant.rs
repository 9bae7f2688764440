//! GRANT and REVOKE of privileges.
//!
//! Owns: where such a statement ends; the AST only says which of both it is, since the parser's has no words for all privileges.
//! Must never know: what is granted.

use sqlparser::ast::{Grant, Privileges, Revoke, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::auth::grants;

pub(super) fn begins(parser: &Parser<'_>) -> bool {
    matches!(
        &parser.peek_token_ref().token,
        Token::Word(word) if word.quote_style.is_none() && matches!(word.keyword, Keyword::GRANT | Keyword::REVOKE)
    )
}

/// Reads one of both; `None` is another statement.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<Statement>, ParserError> {
    if !begins(parser) {
        return Ok(None);
    }
    let privileges = Privileges::All { with_privileges_keyword: false };
    let (objects, grantees, granted_by) = (None, Vec::new(), None);
    Ok(Some(match grants::granting(parser)?.is_grant {
        true => Statement::Grant(Grant {
            privileges,
            objects,
            grantees,
            with_grant_option: false,
            as_grantor: None,
            granted_by,
            current_grants: None,
        }),
        false => Statement::Revoke(Revoke { privileges, objects, grantees, granted_by, cascade: None }),
    }))
}
