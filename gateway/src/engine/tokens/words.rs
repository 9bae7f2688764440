//! Words that the parser knows otherwise than PostgreSQL, or not at all.
//!
//! Owns: `TABLE name`, `BETWEEN SYMMETRIC`, `TRIM(LEADING FROM x)`, functions without parentheses, `FROM ONLY`, `ISNULL`,
//! `ORDER BY ... USING`, `VARIADIC`, `DEFERRABLE`, and the keywords of other dialects, which are names here. Must never know: literals,
//! operators.
//! <https://www.postgresql.org/docs/16/sql-keywords-appendix.html>

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Whitespace, Word};

use super::{Said, clauses, rows_from, values};

/// The prefix operator that stands for SYMMETRIC behind BETWEEN; PostgreSQL's numbers have none of this name.
const SYMMETRIC: Token = Token::DoubleExclamationMark;

/// Says a word in tokens of the parser.
pub(super) fn say(mut word: Word, span: Span, said: &mut Said, following: &[TokenWithSpan]) {
    let previous = said.previous();
    let keyword = |keyword: &str| Token::make_keyword(keyword);
    let instead: Vec<Token> = match word.keyword {
        _ if is_plain_name(&word, previous) => {
            word.keyword = Keyword::NoKeyword;
            vec![Token::Word(word)]
        }
        Keyword::TABLE
            if previous.is_none_or(precedes_query)
                && (!previous.is_some_and(|token| is(token, Keyword::AS)) || precede_name(following)) =>
        {
            vec![keyword("SELECT"), Token::Mul, keyword("FROM")]
        }
        _ if rows_from::begins(&word, following) => vec![rows_from::mark()],
        Keyword::FROM if previous == Some(&rows_from::mark()) => Vec::new(),
        // substring(x SIMILAR p ESCAPE e)
        Keyword::SIMILAR if !next_is(following, Keyword::TO) && said.backwards().any(is_substring) => {
            vec![Token::Word(Word { value: SIMILAR.to_owned(), quote_style: None, keyword: Keyword::FROM })]
        }
        Keyword::ESCAPE if ends_similar(said) => vec![keyword("FOR")],
        Keyword::VALUES => {
            let mark = values::mark(said, following).into_iter().flatten();
            mark.chain([Token::Word(word)]).collect()
        }
        Keyword::SYMMETRIC if previous.is_some_and(|token| is(token, Keyword::BETWEEN)) => vec![SYMMETRIC],
        Keyword::DISTINCT if clauses::begins_keys(said) => {
            vec![Token::make_word(clauses::DISTINCT_SETS, Some('"')), Token::Comma]
        }
        // FOR NO KEY UPDATE and FOR KEY SHARE: the parser knows neither, and nothing is locked.
        Keyword::NO if previous.is_some_and(|token| is(token, Keyword::FOR)) && next_is(following, Keyword::KEY) => {
            Vec::new()
        }
        Keyword::KEY
            if previous.is_some_and(|token| is(token, Keyword::FOR))
                && (next_is(following, Keyword::UPDATE) || next_is(following, Keyword::SHARE)) =>
        {
            Vec::new()
        }
        // A transaction here waits for no other, whether it may be deferred or not.
        Keyword::NOT if next_is(following, Keyword::DEFERRABLE) && is_of_transaction(said) => Vec::new(),
        Keyword::DEFERRABLE if is_of_transaction(said) => {
            if previous == Some(&Token::Comma) {
                said.replace_last(Token::Whitespace(Whitespace::Space));
            }
            Vec::new()
        }
        // It is the default.
        Keyword::ALL if clauses::begins_keys(said) && clauses::precedes_key(following) => Vec::new(),
        Keyword::ASYMMETRIC if previous.is_some_and(|token| is(token, Keyword::BETWEEN)) => Vec::new(),
        // What is trimmed is left out: blanks.
        Keyword::FROM if ends_a_trim(said) => vec![Token::SingleQuotedString(" ".to_owned()), Token::Word(word)],
        _ if is_niladic(&word) && !previous.is_some_and(is_before_name) && !precede_call(following) => {
            vec![Token::Word(word), Token::LParen, Token::RParen]
        }
        // PostgreSQL's postfix operator; the parser takes the word for an alias.
        _ if is_bare(&word, "isnull") && previous.is_some_and(ends_an_operand) => {
            let space = Token::Whitespace(Whitespace::Space);
            vec![keyword("IS"), space, keyword("NULL")]
        }
        // No table here has children.
        _ if is_bare(&word, "only") && previous.is_some_and(precedes_relation) && !next_ends_name(following) => {
            Vec::new()
        }
        // The parser knows named arguments, and PostgreSQL has no parameter of this name.
        _ if is_variadic(&word, previous, following) => vec![Token::make_word("variadic", None), Token::RArrow],
        _ => vec![Token::Word(word)],
    };
    instead.into_iter().for_each(|token| said.push(token, span));
}

/// Whether the statement so far may be one of a transaction.
fn is_of_transaction(said: &Said) -> bool {
    let first = said.backwards().take_while(|token| **token != Token::SemiColon).last();
    first.is_some_and(|first| [Keyword::BEGIN, Keyword::START, Keyword::SET].iter().any(|begins| is(first, *begins)))
}

fn precedes_relation(token: &Token) -> bool {
    is(token, Keyword::FROM) || is(token, Keyword::JOIN)
}

/// Whether the word before is a name itself: nothing that begins another follows.
fn next_ends_name(following: &[TokenWithSpan]) -> bool {
    let next = following.iter().find(|next| !matches!(next.token, Token::Whitespace(_)));
    !next.is_some_and(|next| matches!(&next.token, Token::Word(word) if word.keyword == Keyword::NoKeyword))
}

/// Functions without parentheses that the parser takes for columns.
fn is_niladic(word: &Word) -> bool {
    is_bare(word, "current_role") || is_bare(word, "current_schema")
}

fn is_before_name(token: &Token) -> bool {
    is(token, Keyword::AS) || *token == Token::Period
}

fn precede_call(following: &[TokenWithSpan]) -> bool {
    let next = following.iter().find(|next| !matches!(next.token, Token::Whitespace(_)));
    next.is_some_and(|next| matches!(next.token, Token::LParen | Token::Period))
}

/// The FROM that stands for SIMILAR in `substring`.
const SIMILAR: &str = "similar";

fn is_substring(token: &Token) -> bool {
    is(token, Keyword::SUBSTRING)
}

/// Whether ESCAPE follows the pattern of a `substring(x SIMILAR p`.
fn ends_similar(said: &Said) -> bool {
    let mut open = 0_usize;
    for token in said.backwards() {
        match token {
            Token::RParen => open += 1,
            Token::LParen if open == 0 => return false,
            Token::LParen => open -= 1,
            Token::Word(word) if open == 0 && word.keyword == Keyword::FROM => return word.value == SIMILAR,
            _ => {}
        }
    }
    false
}

fn next_is(following: &[TokenWithSpan], keyword: Keyword) -> bool {
    let next = following.iter().find(|next| !matches!(next.token, Token::Whitespace(_)));
    next.is_some_and(|next| is(&next.token, keyword))
}

/// Whether the name of a table comes next: `1 AS table FROM t` gives a column a name.
fn precede_name(following: &[TokenWithSpan]) -> bool {
    let next = following.iter().find(|next| !matches!(next.token, Token::Whitespace(_)));
    next.is_some_and(|next| is(&next.token, Keyword::NoKeyword))
}

/// Whether the word stands before an argument that is an array of arguments.
fn is_variadic(word: &Word, previous: Option<&Token>, following: &[TokenWithSpan]) -> bool {
    let next = following.iter().map(|token| &token.token).find(|token| !matches!(token, Token::Whitespace(_)));
    is_bare(word, "variadic")
        && matches!(previous, Some(Token::LParen | Token::Comma))
        && !matches!(next, None | Some(Token::RParen | Token::Comma | Token::RArrow | Token::Eq | Token::Period))
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

/// The words that follow, up to so many.
pub(super) fn next_words(following: &[TokenWithSpan], count: usize) -> Vec<&Word> {
    let tokens = following.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    let words = tokens.map_while(|token| match token {
        Token::Word(word) => Some(word),
        _ => None,
    });
    words.take(count).collect()
}

/// Whether a word is this one, not quoted.
pub(super) fn is_bare(word: &Word, text: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text)
}

pub(super) fn is(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.keyword == keyword)
}

pub(super) fn is_using(token: &Token) -> bool {
    is(token, Keyword::USING)
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
fn ends_a_trim(said: &Said) -> bool {
    let mut before = said.backwards();
    let is_end = |token: &Token| matches!(token, Token::Word(word) if matches!(word.keyword, Keyword::LEADING | Keyword::TRAILING | Keyword::BOTH));
    before.next().is_some_and(is_end) && before.next() == Some(&Token::LParen)
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
