//! `CREATE MASK name ON table (column) ...` and `DROP MASK [IF EXISTS] name ON table`, the twins of CREATE and DROP POLICY.
//!
//! Owns: where such a statement ends; what stands in it is the catalog's grammar, which is that of the roles file too. Must never
//! know: tables.

use sqlparser::ast::{AlterTable, AlterTableOperation, AlterTableType, DataType, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::define;

pub(super) fn begins(parser: &Parser<'_>) -> bool {
    catalog::is_of_mask(parser)
}

/// Reads one of both; `None` is another statement. The AST says of a mask what other systems say of a column or a constraint, of a
/// kind of table that has neither.
pub(super) fn statement(parser: &mut Parser<'_>) -> Result<Option<Statement>, ParserError> {
    if !begins(parser) {
        return Ok(None);
    }
    let verb = parser.expect_one_of_keywords(&[Keyword::CREATE, Keyword::DROP])?;
    parser.advance_token();
    let if_exists = verb == Keyword::DROP && parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let mask = parser.parse_identifier()?;
    parser.expect_keyword_is(Keyword::ON)?;
    let table = parser.parse_object_name(false)?;
    let operation = match verb {
        Keyword::DROP => AlterTableOperation::DropConstraint { if_exists, name: mask, drop_behavior: None },
        _ => AlterTableOperation::ChangeColumn {
            old_name: column(parser)?,
            new_name: mask,
            data_type: DataType::Unspecified,
            options: Vec::new(),
            column_position: None,
        },
    };
    Ok(Some(define::alter(table, false, operation, Some(AlterTableType::Dynamic))))
}

fn column(parser: &mut Parser<'_>) -> Result<sqlparser::ast::Ident, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let column = parser.parse_identifier()?;
    parser.expect_token(&Token::RParen)?;
    while !matches!(parser.peek_token_ref().token, Token::SemiColon | Token::EOF) {
        parser.advance_token();
    }
    Ok(column)
}

/// What of a statement names a mask.
pub(in crate::engine) enum Mask<'a> {
    Create,
    Drop { name: &'a sqlparser::ast::Ident, if_exists: bool },
}

/// Which of both a statement is, if it is one.
pub(in crate::engine) fn of_mask(alter: &AlterTable) -> Option<Mask<'_>> {
    match alter.operations.as_slice() {
        _ if alter.table_type != Some(AlterTableType::Dynamic) => None,
        [AlterTableOperation::ChangeColumn { .. }] => Some(Mask::Create),
        [AlterTableOperation::DropConstraint { name, if_exists, .. }] => {
            Some(Mask::Drop { name, if_exists: *if_exists })
        }
        _ => None,
    }
}
