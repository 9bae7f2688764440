//! Catalog statements that failed: what a client asks on its own and gets no answer to breaks the client.
//!
//! Owns: which statements are about the catalogs, their shape without literals, and that each shape is logged once. Must
//! never log: a literal, or the words of an error, which may have one.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use catalog::pg_catalog;
use parking_lot::Mutex;
use sqlparser::ast::{Expr, Ident, ObjectName, Statement as Ast, visit_expressions, visit_relations};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Statement;
use crate::error::{Error, SqlState};
use crate::session::fold;

/// Shapes that are remembered; more are counted and not logged.
const SHAPES_MAX: usize = 1_000;
/// Characters of a shape that are logged.
const SHAPE_CHARS_MAX: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct Unanswered {
    count: AtomicU64,
    seen: Mutex<HashSet<u64>>,
}

impl Unanswered {
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Counts a failure if the statement is about the catalogs, and logs its shape the first time.
    pub(super) fn note(&self, statement: &Statement, error: &Error) {
        if error.state == SqlState::QueryCanceled || !is_about_catalogs(&statement.ast) {
            return;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        let shape = shape(&statement.text);
        if self.is_new(&shape) {
            let shape: String = shape.chars().take(SHAPE_CHARS_MAX).collect();
            tracing::warn!(sqlstate = error.state.code(), statement = %shape, "a catalog statement failed");
        }
    }

    fn is_new(&self, shape: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        shape.hash(&mut hasher);
        let mut seen = self.seen.lock();
        seen.len() < SHAPES_MAX && seen.insert(hasher.finish())
    }
}

/// Whether the statement names a relation or a function of the catalogs.
fn is_about_catalogs(statement: &Ast) -> bool {
    let relation = visit_relations(statement, |name| broken(is_relation(name)));
    let function = || {
        visit_expressions(statement, |expr| match expr {
            Expr::Function(function) => broken(is_qualified(&function.name)),
            _ => ControlFlow::Continue(()),
        })
    };
    relation.is_break() || function().is_break()
}

fn broken(found: bool) -> ControlFlow<()> {
    if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

fn is_relation(name: &ObjectName) -> bool {
    let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
    match parts.as_slice() {
        [name] => pg_catalog::is_relation("pg_catalog", &fold(name)),
        [.., schema, _] => is_schema(schema),
        [] => false,
    }
}

fn is_qualified(name: &ObjectName) -> bool {
    let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident());
    parts.nth(1).is_some_and(is_schema)
}

fn is_schema(schema: &Ident) -> bool {
    matches!(fold(schema).as_str(), "pg_catalog" | "information_schema")
}

/// The text with `?` for every literal and one blank between words.
fn shape(sql: &str) -> String {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_default();
    let mut shape = String::with_capacity(sql.len());
    for token in tokens {
        match token {
            Token::Whitespace(_) if shape.ends_with(' ') || shape.is_empty() => {}
            Token::Whitespace(_) => shape.push(' '),
            Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::DollarQuotedString(_)
            | Token::HexStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_) => shape.push('?'),
            other => shape.push_str(&other.to_string()),
        }
    }
    shape.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::parse;

    #[test]
    fn a_shape_has_no_literal() {
        assert_eq!(
            shape("SELECT  1,\n 'secret' -- why\n FROM pg_class WHERE x = $1 AND y = E'\\n'"),
            "SELECT ?, ? FROM pg_class WHERE x = $1 AND y = ?"
        );
    }

    #[test]
    fn each_shape_is_new_once() {
        let unanswered = Unanswered::default();
        assert!(unanswered.is_new("a") && !unanswered.is_new("a") && unanswered.is_new("b"));
        for at in 0..2 * SHAPES_MAX {
            unanswered.is_new(&at.to_string());
        }
        assert_eq!(unanswered.seen.lock().len(), SHAPES_MAX);
    }

    #[test]
    fn statements_about_the_catalogs_are_told_from_others() {
        let is = |sql: &str| is_about_catalogs(&parse::statements(sql).unwrap()[0].ast);
        assert!(is("SELECT nope FROM pg_class"));
        assert!(is("SELECT nope FROM information_schema.tables"));
        assert!(is("SELECT pg_catalog.nope()"));
        assert!(!is("SELECT nope FROM weather.stations"));
        assert!(!is("SELECT nope()"));
    }
}
