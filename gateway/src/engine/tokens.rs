//! What PostgreSQL's lexer and grammar read that the parser does not, said in tokens that it does.
//!
//! Owns: adjacent string literals, `U&'...'`, the ends of operators. Words, numbers and rows have files of their own. Must
//! never know: the syntax tree. <https://www.postgresql.org/docs/16/sql-syntax-lexical.html>

pub(super) mod clauses;
pub(super) mod merge;
mod numbers;
mod rows;
pub(super) mod rows_from;
pub(super) mod values;
pub(super) mod versions;
mod words;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use super::parse::{lowercase_first, near, offset};
use crate::error::{Error, Result, SqlState};
pub(super) use rows::EVERY_FIELD;

/// The tokens of a message, as the parser takes them.
pub(super) fn read(sql: &str) -> Result<Vec<TokenWithSpan>> {
    let mut tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().map_err(|error| {
        Error::new(SqlState::SyntaxError, lowercase_first(&error.message)).at(offset(sql, error.location))
    })?;
    let mut said = Said { tokens: Vec::with_capacity(tokens.len()), last: None };
    for at in 0..tokens.len() {
        let Some((token, following)) = tokens.get_mut(at..).and_then(<[_]>::split_first_mut) else { break };
        let span = token.span;
        match std::mem::replace(&mut token.token, Token::EOF) {
            Token::Whitespace(space) => said.tokens.push(TokenWithSpan { token: Token::Whitespace(space), span }),
            Token::SingleQuotedString(text) | Token::UnicodeStringLiteral(text) => match said.previous() {
                Some(Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_)) => {
                    if !said.continued(&text) {
                        return Err(near(sql, &TokenWithSpan { token: Token::SingleQuotedString(text), span }));
                    }
                }
                _ => said.push(Token::SingleQuotedString(text), span),
            },
            // COMMENT and others take a literal in quotes alone.
            Token::DollarQuotedString(text) => said.push(Token::SingleQuotedString(text.value), span),
            Token::DoubleExclamationMark => {
                let error = Error::new(SqlState::UndefinedFunction, "operator does not exist: !!");
                return Err(error.at(offset(sql, span.start)));
            }
            Token::CustomBinaryOperator(operator) => {
                let signs = trailing_signs(&operator);
                let (operator, signs) = operator.split_at(operator.len() - signs);
                let tokens = Tokenizer::new(&PostgreSqlDialect {}, operator).tokenize().unwrap_or_default();
                let sign = |sign| if sign == '+' { Token::Plus } else { Token::Minus };
                tokens.into_iter().chain(signs.chars().map(sign)).for_each(|token| said.push(token, span));
            }
            Token::Number(digits, _) => said.push(numbers::number(sql, &digits, span, following)?, span),
            Token::HexStringLiteral(digits) => {
                let number = numbers::hexadecimal(sql, &digits, span, following)?;
                said.push(number.unwrap_or(Token::HexStringLiteral(digits)), span);
            }
            Token::Mul if rows::is_row(&said, following) => said.push(Token::make_word(EVERY_FIELD, Some('"')), span),
            // ORDER BY x USING >
            order @ (Token::Lt | Token::Gt) if said.previous().is_some_and(words::is_using) => {
                said.replace_last(Token::make_keyword(if order == Token::Lt { "ASC" } else { "DESC" }));
            }
            Token::Word(word) if words::is_bare(&word, "exclude") => {
                match clauses::exclusion(sql, span, &said, following) {
                    Some(taken) => taken?,
                    None => words::say(word, span, &mut said, following),
                }
            }
            Token::Word(word) if words::is_bare(&word, "for") => {
                match versions::take(sql, span, &mut said, following) {
                    Some(taken) => taken?,
                    None => words::say(word, span, &mut said, following),
                }
            }
            Token::Word(word) if words::is_bare(&word, "interval") => {
                if let Some(literal) = clauses::interval_literal(following) {
                    [literal, Token::DoubleColon].into_iter().for_each(|token| said.push(token, span));
                }
                said.push(Token::Word(word), span);
            }
            Token::Word(word) => words::say(word, span, &mut said, following),
            other => said.push(other, span),
        }
    }
    clauses::locks_last(&mut said.tokens);
    merge::actions(&mut said.tokens);
    Ok(said.tokens)
}

/// The tokens so far.
struct Said {
    tokens: Vec<TokenWithSpan>,
    /// Where the last one stands that is no space.
    last: Option<usize>,
}

impl Said {
    fn push(&mut self, token: Token, span: sqlparser::tokenizer::Span) {
        self.last = Some(self.tokens.len());
        self.tokens.push(TokenWithSpan { token, span });
    }

    fn replace_last(&mut self, token: Token) {
        if let Some(last) = self.last.and_then(|at| self.tokens.get_mut(at)) {
            last.token = token;
        }
    }

    /// The last token that is no space.
    fn previous(&self) -> Option<&Token> {
        self.last.and_then(|at| self.tokens.get(at)).map(|token| &token.token)
    }

    /// The tokens that are no spaces, the last first.
    fn backwards(&self) -> impl Iterator<Item = &Token> {
        let is_token = |token: &&Token| !matches!(token, Token::Whitespace(_));
        self.tokens.iter().rev().map(|token| &token.token).filter(is_token)
    }

    /// Appends to a string literal, if a line ends between it and its continuation.
    fn continued(&mut self, text: &str) -> bool {
        let Some((literal, spaces)) =
            self.last.and_then(|at| self.tokens.get_mut(at..)).and_then(<[_]>::split_first_mut)
        else {
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
}

/// How many signs behind an operator belong to its operand: all of them, unless the operator has a character that no
/// operator of the SQL standard has.
fn trailing_signs(operator: &str) -> usize {
    if operator.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']) {
        return 0;
    }
    operator.len() - operator.trim_end_matches(['+', '-']).len()
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
        assert_eq!(text("select 1 from only t, only"), "select 1 from  t, only");
        assert_eq!(text("select 0x1F, x'1F', 0b11, 1_000"), "select 31, X'1F', 3 , 1000");
        assert_eq!(text("select current_schema, s.current_schema"), "select current_schema(), s.current_schema");
        assert_eq!(text("prepare p as table t"), "prepare p as SELECT*FROM t");
        assert_eq!(text("select 1 as table from t"), "select 1 as table from t");
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

    #[test]
    fn rows_and_signs_are_told_from_lists_and_operators() {
        assert_eq!(text("select (t).*, t.*::text, t.*"), "select (t).\"*\", t.\"*\"::text, t.*");
        assert_eq!(text("select t.* = u.*, f(t.*)"), "select t.\"*\" = u.\"*\", f(t.*)");
        assert_eq!(text("select f(1, variadic array[2])"), "select f(1, variadic=> array[2])");
        let signed = read("a->-1").unwrap();
        assert_eq!(
            signed.get(1..3).unwrap().iter().map(|token| &token.token).collect::<Vec<_>>(),
            [&Token::Arrow, &Token::Minus]
        );
    }
}
