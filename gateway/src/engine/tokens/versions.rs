//! `FROM name FOR VERSION AS OF 3`, `FOR TIMESTAMP AS OF '...'` and SQL:2011's `FOR SYSTEM_TIME AS OF '...'`. In the parser they
//! would take words from PostgreSQL that are names there.
//!
//! Owns: that a version is in the name of its table, where only the scope looks for it, and the alias that the table has then.
//! Must never know: tables. <https://trino.io/docs/current/connector/delta-lake.html#time-travel-queries>

use std::ops::ControlFlow;

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, Statement, TableAlias, TableFactor, VisitMut, VisitorMut};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Whitespace, Word};

use super::Said;
use super::words::{is, is_bare};
use crate::engine::parse::{near, offset};
use crate::error::{Error, Result};

/// Between a name and its version; no client writes it. A quoted name has one of its own.
const MARK: &str = " lakegate:as of ";
const MARK_QUOTED: &str = " lakegate:exactly as of ";

/// A version as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) enum Written {
    Version(String),
    Time(String),
}

/// Takes the clause that begins with FOR into the name before it; `None` of another clause.
pub(super) fn take(sql: &str, span: Span, said: &mut Said, following: &mut [TokenWithSpan]) -> Option<Result<()>> {
    let mut next = following.iter_mut().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    let kind = match &next.next()?.token {
        Token::Word(word) => kind(word)?,
        _ => return None,
    };
    let (has_as, has_of) = (is(&next.next()?.token, Keyword::AS), is(&next.next()?.token, Keyword::OF));
    if !has_as || !has_of {
        return None;
    }
    let for_word = TokenWithSpan { token: Token::make_keyword("FOR"), span };
    if !ends_relation(said) {
        return Some(Err(near(sql, &for_word)));
    }
    let (mut count, mut sign) = (3, "");
    let value = loop {
        let Some(token) = next.next() else { return Some(Err(near(sql, &for_word))) };
        count += 1;
        match &token.token {
            Token::Minus if kind == Kind::Version && sign.is_empty() => sign = "-",
            Token::Number(digits, _) if kind == Kind::Version => break Written::Version(format!("{sign}{digits}")),
            Token::SingleQuotedString(text) if kind == Kind::Version => break Written::Version(text.clone()),
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) if kind == Kind::Time => {
                break Written::Time(text.clone());
            }
            Token::Word(word) if kind == Kind::Time && count <= 8 && is_of_type(word) => {}
            _ => {
                let error = Error::unsupported("a version of a table that is no constant is not supported");
                return Some(Err(error.at(offset(sql, token.span.start))));
            }
        }
    };
    // A list of columns without an alias: with the name it would be a call.
    if let Some(token) = next.next().filter(|token| token.token == Token::LParen) {
        return Some(Err(near(sql, token)));
    }
    let words = following.iter_mut().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    words.take(count).for_each(|word| word.token = Token::Whitespace(Whitespace::Space));
    if let Some(Token::Word(name)) = said.previous().cloned() {
        let ident = Ident { value: name.value, quote_style: name.quote_style, span };
        said.replace_last(Token::make_word(&marked(&ident, &value), Some('"')));
    }
    Some(Ok(()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Version,
    Time,
}

fn kind(word: &Word) -> Option<Kind> {
    let is_one = |names: [&str; 2]| names.iter().any(|name| is_bare(word, name));
    if is_one(["version", "system_version"]) {
        return Some(Kind::Version);
    }
    is_one(["timestamp", "system_time"]).then_some(Kind::Time)
}

/// Whether a word is of a type before its literal: `TIMESTAMP WITH TIME ZONE '...'`.
fn is_of_type(word: &Word) -> bool {
    ["date", "timestamp", "timestamptz", "with", "without", "time", "zone"].iter().any(|name| is_bare(word, name))
}

/// Whether the last tokens are the name of a relation in FROM.
fn ends_relation(said: &Said) -> bool {
    let mut before = said.backwards();
    loop {
        if !matches!(before.next(), Some(Token::Word(_))) {
            return false;
        }
        match before.next() {
            Some(Token::Period) => {}
            Some(token) => {
                return *token == Token::Comma
                    || *token == Token::LParen
                    || is(token, Keyword::FROM)
                    || is(token, Keyword::JOIN);
            }
            None => return false,
        }
    }
}

/// A name with a version in it.
pub(in crate::engine) fn marked(name: &Ident, version: &Written) -> String {
    let mark = if name.quote_style.is_some() { MARK_QUOTED } else { MARK };
    let (kind, text) = match version {
        Written::Version(text) => ("version", text),
        Written::Time(text) => ("timestamp", text),
    };
    format!("{}{mark}{kind} {text}", name.value)
}

/// The name and the version of a marked one.
pub(in crate::engine) fn split(name: &ObjectName) -> Option<(ObjectName, Written)> {
    let ident = name.0.last()?.as_ident()?;
    let (own, version, quote_style) = match ident.value.split_once(MARK_QUOTED) {
        Some((own, version)) => (own, version, Some('"')),
        None => ident.value.split_once(MARK).map(|(own, version)| (own, version, None))?,
    };
    let version = match version.split_once(' ')? {
        ("version", text) => Written::Version(text.to_owned()),
        ("timestamp", text) => Written::Time(text.to_owned()),
        _ => return None,
    };
    let mut plain = name.clone();
    plain.0.pop();
    plain.0.push(ObjectNamePart::Identifier(Ident { value: own.to_owned(), quote_style, span: ident.span }));
    Some((plain, version))
}

pub(in crate::engine) fn is_marked(name: &str) -> bool {
    name.contains(MARK) || name.contains(MARK_QUOTED)
}

/// Gives tables of a version their own name as an alias.
pub(in crate::engine) fn alias(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Aliases);
}

struct Aliases;

impl VisitorMut for Aliases {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias: alias @ None, .. } = factor
            && let Some((plain, _)) = split(name)
            && let Some(name) = plain.0.last().and_then(ObjectNamePart::as_ident).cloned()
        {
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::parse::statements;
    use crate::error::SqlState;

    fn shown(sql: &str) -> String {
        statements(sql).unwrap().first().unwrap().ast.to_string()
    }

    #[test]
    fn a_version_is_in_the_name_of_its_table() {
        let version = "SELECT * FROM s.\"t lakegate:as of version 3\" AS t";
        assert_eq!(shown("select * from s.t for version as of 3"), version);
        assert_eq!(shown("table s.t FOR SYSTEM_VERSION AS OF '3'"), version);
        let aliased = version.replace("AS t", "AS a");
        assert_eq!(shown("select * from s.t for version as of 3 as a"), aliased);
        assert_eq!(shown("select * from s.t for version as of 3 a"), version.replace("AS t", "a"));
        let time = "SELECT * FROM \"T lakegate:exactly as of timestamp 2026-01-02\" AS \"T\"";
        for kind in ["timestamp as of timestamp", "system_time as of", "timestamp as of timestamp with time zone"] {
            assert_eq!(shown(&format!("select * from \"T\" for {kind} '2026-01-02'")), time);
        }
        let joined = shown("select * from a for version as of 1, (b for version as of 2 x join c on true)");
        assert!(joined.contains("version 1\" AS a") && joined.contains("version 2\" x"), "{joined}");
    }

    #[test]
    fn other_clauses_and_names_are_what_they_were() {
        for sql in [
            "SELECT * FROM t FOR UPDATE",
            "SELECT version FROM t version",
            "SELECT * FROM t AS timestamp",
            "SELECT * FROM t AS at",
            "SELECT substring('abc' FROM 2 FOR 1)",
        ] {
            assert!(!shown(sql).contains("lakegate"), "{sql}");
        }
        for (sql, state) in [
            ("SELECT * FROM t a FOR VERSION AS OF 3", SqlState::SyntaxError),
            ("SELECT 1 FOR VERSION AS OF 3", SqlState::SyntaxError),
            ("DROP TABLE t FOR VERSION AS OF 3", SqlState::SyntaxError),
            ("SELECT * FROM t FOR VERSION AS OF", SqlState::SyntaxError),
            ("SELECT * FROM t FOR VERSION AS OF 3 (a)", SqlState::SyntaxError),
            ("SELECT * FROM t FOR VERSION AS OF $1", SqlState::FeatureNotSupported),
            ("SELECT * FROM t FOR TIMESTAMP AS OF now()", SqlState::FeatureNotSupported),
        ] {
            assert_eq!(statements(sql).unwrap_err().state, state, "{sql}");
        }
    }
}
