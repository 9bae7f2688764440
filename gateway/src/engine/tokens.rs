//! What PostgreSQL's lexer and grammar read that the parser does not, said in tokens that it does.
//!
//! Owns: adjacent string literals, `U&'...'`, `TABLE name`, `BETWEEN SYMMETRIC`. Must never know: the syntax tree.
//! <https://www.postgresql.org/docs/16/sql-syntax-lexical.html>

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use super::parse::{lowercase_first, near, offset};
use crate::error::{Error, Result, SqlState};

/// The prefix operator that stands for SYMMETRIC behind BETWEEN; PostgreSQL's numbers have none of this name.
const SYMMETRIC: Token = Token::DoubleExclamationMark;

/// The tokens of a message, as the parser takes them.
pub(super) fn read(sql: &str) -> Result<Vec<TokenWithSpan>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().map_err(|error| {
        Error::new(SqlState::SyntaxError, lowercase_first(&error.message)).at(offset(sql, error.location))
    })?;
    let mut read = Vec::with_capacity(tokens.len());
    // Where in `read` the last token stands that is no space.
    let mut last: Option<usize> = None;
    for mut token in tokens {
        let previous = last.and_then(|at| read.get(at)).map(|previous: &TokenWithSpan| &previous.token);
        match std::mem::replace(&mut token.token, Token::EOF) {
            Token::Whitespace(space) => {
                token.token = Token::Whitespace(space);
                read.push(token);
                continue;
            }
            Token::SingleQuotedString(text) | Token::UnicodeStringLiteral(text) => match previous {
                Some(Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_)) => {
                    if !continued(&mut read, last, &text) {
                        token.token = Token::SingleQuotedString(text);
                        return Err(near(sql, &token));
                    }
                    continue;
                }
                _ => token.token = Token::SingleQuotedString(text),
            },
            Token::DoubleExclamationMark => {
                return Err(Error::new(SqlState::UndefinedFunction, "operator does not exist: !!")
                    .at(offset(sql, token.span.start)));
            }
            Token::Word(word) if word.keyword == Keyword::TABLE && previous.is_none_or(precedes_query) => {
                let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
                read.extend(words.map(|word| TokenWithSpan { token: word, span: token.span }));
                last = Some(read.len() - 1);
                continue;
            }
            Token::Word(word) if word.keyword == Keyword::SYMMETRIC && previous.is_some_and(is_between) => {
                token.token = SYMMETRIC;
            }
            // It is the default.
            Token::Word(word) if word.keyword == Keyword::ASYMMETRIC && previous.is_some_and(is_between) => continue,
            other => token.token = other,
        }
        last = Some(read.len());
        read.push(token);
    }
    Ok(read)
}

/// Appends to a string literal, if a line ends between it and its continuation.
fn continued(read: &mut [TokenWithSpan], last: Option<usize>, text: &str) -> bool {
    let Some((literal, spaces)) = last.and_then(|at| read.get_mut(at..)).and_then(<[_]>::split_first_mut) else {
        return false;
    };
    let ends_line = |space: &TokenWithSpan| {
        matches!(space.token, Token::Whitespace(Whitespace::Newline | Whitespace::SingleLineComment { .. }))
    };
    match &mut literal.token {
        Token::SingleQuotedString(before) | Token::EscapedStringLiteral(before) if spaces.iter().any(ends_line) => {
            before.push_str(text);
            true
        }
        _ => false,
    }
}

fn is_between(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.keyword == Keyword::BETWEEN)
}

/// Whether a query may begin behind this token.
fn precedes_query(token: &Token) -> bool {
    match token {
        Token::SemiColon | Token::LParen => true,
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
                | Keyword::ALL
                | Keyword::DISTINCT
                | Keyword::AS
                | Keyword::EXPLAIN
                | Keyword::VERBOSE
                | Keyword::FOR
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sql: &str) -> String {
        read(sql).unwrap().iter().map(|token| token.token.to_string()).collect()
    }

    #[test]
    fn literals_on_two_lines_are_one_and_on_one_line_an_error() {
        assert_eq!(text("select 'foo'\n  'bar'"), "select 'foobar'\n  ");
        assert_eq!(text("select 'foo' -- and\n 'bar'"), "select 'foobar' -- and\n ");
        let error = read("select 'foo' 'bar'").unwrap_err();
        assert_eq!((error.state, error.position), (SqlState::SyntaxError, Some(14)));
        assert_eq!(error.message, "syntax error at or near \"'bar'\"");
    }

    #[test]
    fn notations_become_those_of_the_parser() {
        assert_eq!(text("table t"), "SELECT*FROM t");
        assert_eq!(text("drop table t"), "drop table t");
        assert_eq!(text("select 1 between symmetric 3 and 2"), "select 1 between !! 3 and 2");
        assert_eq!(text("select 1 between asymmetric 3 and 2"), "select 1 between  3 and 2");
        assert_eq!(text("select U&'\\00e9'"), "select 'é'");
    }
}
