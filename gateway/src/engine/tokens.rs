//! What PostgreSQL's lexer and grammar read that the parser does not, said in tokens that it does.
//!
//! Owns: adjacent string literals, `U&'...'`, `TABLE name`, `BETWEEN SYMMETRIC`, `TRIM(LEADING FROM x)`,
//! `current_role`, `ISNULL`, `ORDER BY ... USING`. Must never know: the syntax tree.
//! <https://www.postgresql.org/docs/16/sql-syntax-lexical.html>

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word};

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
            // TRIM(LEADING FROM x) leaves out what is trimmed: blanks.
            Token::Word(word) if word.keyword == Keyword::FROM && ends_a_trim(&read, last) => {
                read.push(TokenWithSpan { token: Token::SingleQuotedString(" ".to_owned()), span: token.span });
                token.token = Token::Word(word);
            }
            Token::Word(word) if is_bare(&word, "current_role") && !previous.is_some_and(is_as) => {
                let call = [Token::Word(word), Token::LParen, Token::RParen];
                read.extend(call.map(|token_of_call| TokenWithSpan { token: token_of_call, span: token.span }));
                last = Some(read.len() - 1);
                continue;
            }
            // Words that mean something in other dialects only, or nothing behind a point.
            Token::Word(mut word) if is_plain_name(&word, previous) => {
                word.keyword = Keyword::NoKeyword;
                token.token = Token::Word(word);
            }
            // PostgreSQL's postfix operator; the parser takes the word for an alias.
            Token::Word(word) if is_bare(&word, "isnull") && previous.is_some_and(ends_an_operand) => {
                let words =
                    [Token::make_keyword("IS"), Token::Whitespace(Whitespace::Space), Token::make_keyword("NULL")];
                read.extend(words.map(|word| TokenWithSpan { token: word, span: token.span }));
                last = Some(read.len() - 1);
                continue;
            }
            // ORDER BY x USING >
            order @ (Token::Lt | Token::Gt) if previous.is_some_and(is_using) => {
                let word = Token::make_keyword(if order == Token::Lt { "ASC" } else { "DESC" });
                if let Some(using) = last.and_then(|at| read.get_mut(at)) {
                    using.token = word;
                }
                continue;
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

/// Whether a word is this one, not quoted.
fn is_bare(word: &Word, text: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text)
}

/// Keywords of other dialects: PostgreSQL's users name columns and tables so.
const FOREIGN: &[Keyword] = &[
    Keyword::ANTI,
    Keyword::ASOF,
    Keyword::CONNECT,
    Keyword::DISTRIBUTE,
    Keyword::DIV,
    Keyword::GLOBAL,
    Keyword::MATCH_CONDITION,
    Keyword::MATCH_RECOGNIZE,
    Keyword::MEMBER,
    Keyword::MINUS,
    Keyword::OUTPUT,
    Keyword::PIVOT,
    Keyword::PREWHERE,
    Keyword::QUALIFY,
    Keyword::REGEXP,
    Keyword::RLIKE,
    Keyword::SAMPLE,
    Keyword::SEMI,
    Keyword::SETTINGS,
    Keyword::SORT,
    Keyword::TOP,
    Keyword::UNPIVOT,
    Keyword::XOR,
];

/// Keywords that the parser takes for values or calls, where behind a point PostgreSQL reads a column.
const VALUES: &[Keyword] = &[
    Keyword::CURRENT_CATALOG,
    Keyword::CURRENT_DATE,
    Keyword::CURRENT_TIME,
    Keyword::CURRENT_TIMESTAMP,
    Keyword::CURRENT_USER,
    Keyword::FALSE,
    Keyword::NULL,
    Keyword::SESSION_USER,
    Keyword::TRUE,
    Keyword::USER,
];

fn is_plain_name(word: &Word, previous: Option<&Token>) -> bool {
    let behind_point = previous == Some(&Token::Period);
    word.quote_style.is_none() && (FOREIGN.contains(&word.keyword) || behind_point && VALUES.contains(&word.keyword))
}

fn is_as(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.keyword == Keyword::AS)
}

fn is_using(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.keyword == Keyword::USING)
}

/// Whether a postfix operator may follow.
fn ends_an_operand(token: &Token) -> bool {
    match token {
        Token::Word(word) => !matches!(word.keyword, Keyword::AS | Keyword::SELECT | Keyword::BY),
        Token::RParen | Token::RBracket | Token::Number(..) | Token::SingleQuotedString(_) => true,
        Token::Placeholder(_) | Token::EscapedStringLiteral(_) => true,
        _ => false,
    }
}

/// Whether the last tokens are `(LEADING`, `(TRAILING` or `(BOTH`.
fn ends_a_trim(read: &[TokenWithSpan], last: Option<usize>) -> bool {
    let mut before = read.get(..=last.unwrap_or_default()).unwrap_or_default().iter().rev();
    let mut next = || before.find(|token| !matches!(token.token, Token::Whitespace(_))).map(|token| &token.token);
    let is_end = |token: &Token| matches!(token, Token::Word(word) if matches!(word.keyword, Keyword::LEADING | Keyword::TRAILING | Keyword::BOTH));
    next().is_some_and(is_end) && next() == Some(&Token::LParen)
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
        assert_eq!(text("trim(leading from x)"), "trim(leading ' 'from x)");
        assert_eq!(text("trim(both 'a' from x)"), "trim(both 'a' from x)");
        assert_eq!(text("select current_role"), "select current_role()");
        assert_eq!(text("select x isnull"), "select x IS NULL");
        assert_eq!(text("select x as isnull"), "select x as isnull");
        assert_eq!(text("order by x using >"), "order by x DESC ");
        assert_eq!(text("join b using (x)"), "join b using (x)");
    }
}
