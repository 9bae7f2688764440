//! A statement between the text and its plan.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};

/// One parsed statement of a message.
#[derive(Debug, Clone)]
pub struct Statement {
    pub ast: Arc<sqlparser::ast::Statement>,
    /// The statement's own text, for the query log and `pg_stat_activity`.
    pub text: Arc<str>,
}

/// The command tag of CommandComplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub command: Cow<'static, str>,
    /// Whether the tag ends with the number of rows (`SELECT 5`, `FETCH 5`), unlike `SHOW`.
    pub counts_rows: bool,
}

impl Tag {
    pub const SELECT: Tag = Tag { command: Cow::Borrowed("SELECT"), counts_rows: true };

    pub const fn command(command: &'static str) -> Self {
        Self { command: Cow::Borrowed(command), counts_rows: false }
    }
}

/// A planned statement; it may be executed many times, with other parameters each.
pub struct Prepared {
    pub statement: Statement,
    /// The result columns by PostgreSQL's names, which may repeat; empty if the statement returns no rows.
    /// A field's metadata may name its PostgreSQL type (see `udfs::pg_type`).
    pub columns: SchemaRef,
    pub param_types: Vec<DataType>,
    pub returns_rows: bool,
    pub tag: Tag,
}
