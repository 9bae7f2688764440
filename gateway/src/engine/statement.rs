//! A statement between the text and its rows.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};

use super::explain::{self, How};
use super::plan::{Plan, Planned};
use super::{Cursor, no_columns};

/// One parsed statement of a message.
#[derive(Debug, Clone)]
pub struct Statement {
    pub ast: Arc<sqlparser::ast::Statement>,
    /// The statement's own text, for the query log and `pg_stat_activity`.
    pub text: Arc<str>,
    /// The whole message, in which positions of errors count.
    pub message: Arc<str>,
}

/// The command tag of CommandComplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub command: Cow<'static, str>,
    /// Whether the tag ends with the number of rows (`SELECT 5`, `FETCH 5`), unlike `SHOW`.
    pub counts_rows: bool,
}

impl Tag {
    pub const SELECT: Tag = Tag::rows("SELECT");

    pub const fn command(command: &'static str) -> Self {
        Self { command: Cow::Borrowed(command), counts_rows: false }
    }

    pub const fn rows(command: &'static str) -> Self {
        Self { command: Cow::Borrowed(command), counts_rows: true }
    }
}

/// A planned statement; it may be executed many times, with other parameters each.
pub struct Prepared {
    pub statement: Statement,
    pub(super) plan: Plan,
    /// The result columns by PostgreSQL's names, which may repeat; empty if the statement returns no rows.
    /// A field's metadata may name its PostgreSQL type (see `udfs::pg_type`).
    pub columns: SchemaRef,
    pub param_types: Vec<DataType>,
    pub returns_rows: bool,
    /// The tag of a run that returns rows.
    pub tag: Tag,
}

impl Prepared {
    pub(super) fn query(statement: Statement, planned: Planned) -> Self {
        let (columns, param_types) = (Arc::clone(&planned.columns), planned.param_types.clone());
        Self { statement, plan: Plan::Query(planned), columns, param_types, returns_rows: true, tag: Tag::SELECT }
    }

    pub(super) fn explain(statement: Statement, planned: Planned, how: How) -> Self {
        let param_types = planned.param_types.clone();
        let (plan, columns) = (Plan::Explain { planned, how }, explain::columns());
        Self { statement, plan, columns, param_types, returns_rows: true, tag: Tag::command("EXPLAIN") }
    }

    pub(super) fn declare(statement: Statement, name: String, hold: bool, planned: Planned) -> Self {
        let param_types = planned.param_types.clone();
        let plan = Plan::Declare { name, hold, planned };
        Self {
            statement,
            plan,
            columns: no_columns(),
            param_types,
            returns_rows: false,
            tag: Tag::command("DECLARE CURSOR"),
        }
    }

    pub(super) fn fetch(statement: Statement, cursor: Arc<Cursor>, count: usize) -> Self {
        let columns = Arc::clone(&cursor.columns);
        let plan = Plan::Fetch { cursor, count };
        Self { statement, plan, columns, param_types: Vec::new(), returns_rows: true, tag: Tag::rows("FETCH") }
    }

    /// A command of the session; `columns` is empty unless it is SHOW.
    pub(super) fn command(statement: Statement, columns: SchemaRef) -> Self {
        let returns_rows = !columns.fields().is_empty();
        let tag = Tag::command("SHOW");
        Self { statement, plan: Plan::Command, columns, param_types: Vec::new(), returns_rows, tag }
    }

    /// The version of the snapshot that the plan was made over, if it reads relations.
    pub(super) fn snapshot_version(&self) -> Option<u64> {
        match &self.plan {
            Plan::Query(planned) | Plan::Explain { planned, .. } | Plan::Declare { planned, .. } => {
                Some(planned.scope.snapshot.version)
            }
            Plan::Command | Plan::Fetch { .. } => None,
        }
    }
}
