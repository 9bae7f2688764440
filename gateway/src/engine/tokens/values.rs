//! `(VALUES ...)` where an expression stands: the parser takes the word for a function there.
//!
//! Owns: a WITH in front of it, which the parser takes for the beginning of a query everywhere, and its removal. Must never
//! know: what the rows are for.

use std::ops::ControlFlow;

use sqlparser::ast::{Query, Statement, VisitMut, VisitorMut};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::Said;

/// The name of the query in that WITH, which no client writes.
const MARK: &str = "lakegate:values";

/// The tokens that go before VALUES, if it begins a query in parentheses.
pub(super) fn mark(said: &Said, following: &[TokenWithSpan]) -> Option<[Token; 7]> {
    let next = following.iter().map(|token| &token.token).find(|token| !matches!(token, Token::Whitespace(_)));
    let begins = said.previous() == Some(&Token::LParen) && next == Some(&Token::LParen);
    begins.then(|| {
        [
            Token::make_keyword("WITH"),
            Token::make_word(MARK, Some('"')),
            Token::make_word("AS", None),
            Token::LParen,
            Token::make_keyword("SELECT"),
            Token::Number("1".to_owned(), false),
            Token::RParen,
        ]
    })
}

/// Takes the marks away again.
pub(in crate::engine) fn unmark(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Marks);
}

struct Marks;

impl VisitorMut for Marks {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let is_mark = query.with.as_ref().is_some_and(|with| match with.cte_tables.as_slice() {
            [cte] => cte.alias.name.value == MARK,
            _ => false,
        });
        if is_mark {
            query.with = None;
        }
        ControlFlow::Continue(())
    }
}
