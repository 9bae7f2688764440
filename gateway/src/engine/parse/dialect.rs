//! The parser's PostgreSQL, with the operators that it reads otherwise.
//!
//! Owns: how far the right operand of IS DISTINCT FROM goes: not past AND and OR; IS JSON; LIKE ANY and its kin; which words
//! are names without AS. Must never know: tokens that are said otherwise.

use std::any::TypeId;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::keywords;

#[derive(Debug)]
pub(super) struct PostgreSql;

const BASE: PostgreSqlDialect = PostgreSqlDialect {};

/// The operator that IS JSON is: the kind, and whether keys are unique, stand in a literal at its right.
pub(in crate::engine) const IS_JSON: &str = "IS JSON";

/// `IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT] [WITH | WITHOUT UNIQUE [KEYS]]`.
fn is_json(parser: &mut Parser<'_>, left: &Expr) -> Option<Expr> {
    let is_negated = if parser.parse_keywords(&[Keyword::IS, Keyword::JSON]) {
        false
    } else if parser.parse_keywords(&[Keyword::IS, Keyword::NOT, Keyword::JSON]) {
        true
    } else {
        return None;
    };
    let kind = match &parser.peek_token_ref().token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_ascii_lowercase(),
        _ => String::new(),
    };
    let is_kind = ["value", "scalar", "array", "object"].contains(&kind.as_str());
    let mut test = if is_kind { kind } else { "value".to_owned() };
    if is_kind {
        parser.advance_token();
    }
    let is_unique = parser.parse_keywords(&[Keyword::WITH, Keyword::UNIQUE]);
    if is_unique {
        test.push_str(" unique");
    }
    if is_unique || parser.parse_keywords(&[Keyword::WITHOUT, Keyword::UNIQUE]) {
        let _ = parser.parse_keyword(Keyword::KEYS);
    }
    let op = BinaryOperator::Custom(IS_JSON.to_owned());
    let right = Box::new(Expr::value(Value::SingleQuotedString(test)));
    let is = Expr::BinaryOp { left: Box::new(left.clone()), op, right };
    Some(match is_negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(is))) },
        false => is,
    })
}

/// `[NOT] LIKE | ILIKE ANY | SOME | ALL (array or query)`: the operators of LIKE with it.
fn like_list(parser: &mut Parser<'_>, left: &Expr) -> Option<Result<Expr, ParserError>> {
    const LIKES: [(&[Keyword], BinaryOperator); 4] = [
        (&[Keyword::LIKE], BinaryOperator::PGLikeMatch),
        (&[Keyword::NOT, Keyword::LIKE], BinaryOperator::PGNotLikeMatch),
        (&[Keyword::ILIKE], BinaryOperator::PGILikeMatch),
        (&[Keyword::NOT, Keyword::ILIKE], BinaryOperator::PGNotILikeMatch),
    ];
    const QUANTIFIERS: [Keyword; 3] = [Keyword::ANY, Keyword::SOME, Keyword::ALL];
    if !next_is_one_of(parser, &[Keyword::LIKE, Keyword::ILIKE, Keyword::NOT]) {
        return None;
    }
    let (op, quantifier) = LIKES.into_iter().find_map(|(like, op)| {
        let of = |quantifier: &Keyword| parser.parse_keywords(&[like, &[*quantifier]].concat());
        QUANTIFIERS.iter().copied().find(of).map(|quantifier| (op, quantifier))
    })?;
    let left = Box::new(left.clone());
    Some(list_or_query(parser).map(|right| match quantifier {
        Keyword::ALL => Expr::AllOp { left, compare_op: op, right: Box::new(right) },
        _ => Expr::AnyOp { left, compare_op: op, right: Box::new(right), is_some: quantifier == Keyword::SOME },
    }))
}

/// An array or a query in parentheses.
fn list_or_query(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let right = match next_is_one_of(parser, &[Keyword::SELECT, Keyword::WITH, Keyword::VALUES]) {
        true => Expr::Subquery(parser.parse_query()?),
        false => parser.parse_expr()?,
    };
    parser.expect_token(&Token::RParen)?;
    Ok(right)
}

fn next_is_one_of(parser: &Parser<'_>, keywords: &[Keyword]) -> bool {
    matches!(&parser.peek_token_ref().token, Token::Word(word) if keywords.contains(&word.keyword))
}

macro_rules! as_base {
    ($($name:ident)*) => { $(fn $name(&self) -> bool { BASE.$name() })* };
}

impl Dialect for PostgreSql {
    fn dialect(&self) -> TypeId {
        BASE.dialect()
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, _: u8) -> Option<Result<Expr, ParserError>> {
        if let Some(test) = is_json(parser, left) {
            return Some(Ok(test));
        }
        if let Some(list) = like_list(parser, left) {
            return Some(list);
        }
        let is = if parser.parse_keywords(&[Keyword::IS, Keyword::DISTINCT, Keyword::FROM]) {
            Expr::IsDistinctFrom
        } else if parser.parse_keywords(&[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM]) {
            Expr::IsNotDistinctFrom
        } else {
            return None;
        };
        let right = parser.parse_subexpr(self.prec_value(Precedence::Is));
        Some(right.map(|right| is(Box::new(left.clone()), Box::new(right))))
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        BASE.get_next_precedence(parser)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        BASE.prec_value(precedence)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        BASE.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        BASE.is_delimited_identifier_start(letter)
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        BASE.is_identifier_start(letter)
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        BASE.is_identifier_part(letter)
    }

    fn is_custom_operator_part(&self, letter: char) -> bool {
        BASE.is_custom_operator_part(letter)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        BASE.is_reserved_for_identifier(keyword)
    }

    fn is_column_alias(&self, keyword: &Keyword, _: &mut Parser<'_>) -> bool {
        !keywords::NEED_AS.contains(keyword)
    }

    fn is_table_alias(&self, keyword: &Keyword, _: &mut Parser<'_>) -> bool {
        !keywords::RESERVED.contains(keyword)
    }

    /// OPTIMIZE, as other engines have it for Delta tables.
    fn supports_optimize_table(&self) -> bool {
        true
    }

    as_base! {
        allow_extract_custom
        allow_extract_single_quotes
        supports_alter_column_type_using
        supports_array_typedef_with_brackets
        supports_bitwise_shift_operators
        supports_comma_separated_trim
        supports_comment_on
        supports_comment_optimizer_hint
        supports_create_index_with_clause
        supports_create_table_like_parenthesized
        supports_empty_projections
        supports_explain_with_utility_options
        supports_factorial_operator
        supports_filter_during_aggregation
        supports_geometric_types
        supports_group_by_expr
        supports_insert_table_alias
        supports_interval_options
        supports_listen_notify
        supports_load_extension
        supports_named_fn_args_with_colon_operator
        supports_named_fn_args_with_expr_name
        supports_nested_comments
        supports_notnull_operator
        supports_numeric_literal_underscores
        supports_select_wildcard_with_alias
        supports_set_names
        supports_string_escape_constant
        supports_unicode_string_literal
        supports_xml_expressions
    }
}
