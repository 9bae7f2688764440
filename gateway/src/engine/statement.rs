//! A statement between the text and its rows.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use catalog::Access;
use sqlparser::ast::{ObjectName, Statement as Ast};
use udfs::pg_type;

use super::copy::Copy;
use super::cursor::{self, Fetch};
use super::explain::{self, How};
use super::parse::Ending;
use super::plan::{Origin, Plan, Planned};
use super::write::Write;
use super::{Cursor, Pin, matview, no_columns};
use crate::error::{Error, Result};

/// One parsed statement of a message.
#[derive(Debug, Clone)]
pub struct Statement {
    pub ast: Arc<Ast>,
    /// The statement's own text, for the query log and `pg_stat_activity`.
    pub text: Arc<str>,
    /// The whole message, in which positions of errors count.
    pub message: Arc<str>,
    /// MOVE, a FETCH whose rows are counted and not sent.
    pub is_move: bool,
    /// WITH NO DATA behind the query of a new table or materialized view.
    pub is_without_data: bool,
    /// What a REFRESH of a materialized view says at its end.
    pub(super) ending: Ending,
}

impl Statement {
    /// What a FETCH or a MOVE asks for; `None` of another statement.
    pub fn fetch(&self) -> Result<Option<Fetch>> {
        match self.ast.as_ref() {
            Ast::Fetch { name, direction, into: None, .. } => cursor::fetch(name, direction, self.is_move).map(Some),
            _ => Ok(None),
        }
    }
}

/// The command tag of CommandComplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub command: Cow<'static, str>,
    pub count: Count,
}

/// The number at the end of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// `SHOW` has none.
    None,
    /// That of the rows sent, which their sender writes (`SELECT 5`, `FETCH 5`).
    Sent,
    /// That of the rows which a command has changed or passed; the tag has it (`INSERT 0 5`, `MOVE 5`).
    Changed(u64),
}

impl Tag {
    pub const SELECT: Tag = Tag::rows("SELECT");

    pub const fn command(command: &'static str) -> Self {
        Self { command: Cow::Borrowed(command), count: Count::None }
    }

    /// A command that ends with a number which is not that of the rows sent: `MOVE 5`.
    pub fn counted(command: &str, count: u64) -> Self {
        Self { command: Cow::Owned(format!("{command} {count}")), count: Count::Changed(count) }
    }

    pub const fn rows(command: &'static str) -> Self {
        Self { command: Cow::Borrowed(command), count: Count::Sent }
    }
}

/// A planned statement; it may be executed many times, with other parameters each.
pub struct Prepared {
    pub statement: Statement,
    pub(super) plan: Plan,
    /// The result columns by PostgreSQL's names, which may repeat; empty if the statement returns no rows.
    /// A field's metadata may name its PostgreSQL type (see `udfs::pg_type`).
    pub columns: SchemaRef,
    /// One per parameter; the metadata may name its PostgreSQL type too.
    pub param_types: Vec<FieldRef>,
    pub returns_rows: bool,
    /// The tag of a run that returns rows.
    pub tag: Tag,
}

impl Prepared {
    pub(super) fn query(statement: Statement, planned: Planned) -> Self {
        let (columns, param_types) = (Arc::clone(&planned.columns), planned.param_types.clone());
        Self { statement, plan: Plan::Query(planned), columns, param_types, returns_rows: true, tag: Tag::SELECT }
    }

    /// The same query over the very files of a pin, which was made for it.
    pub fn pinned(&self, pin: Pin) -> Result<Self> {
        let Plan::Query(planned) = &self.plan else { return Err(Error::internal("only a query has a pin")) };
        let plan = Plan::Pinned { planned: planned.clone(), pin };
        Ok(Self { plan, ..Self::query(self.statement.clone(), planned.clone()) })
    }

    pub(super) fn explain(statement: Statement, planned: Planned, how: How) -> Self {
        let param_types = planned.param_types.clone();
        let (plan, columns) = (Plan::Explain { planned, how }, explain::columns(how.format));
        Self { statement, plan, columns, param_types, returns_rows: true, tag: Tag::command("EXPLAIN") }
    }

    /// Its rows are no result that could be described: they go their own way.
    pub(super) fn copy(statement: Statement, copy: Copy, planned: Planned) -> Self {
        let param_types = planned.param_types.clone();
        let (plan, columns, tag) = (Plan::Copy { planned, copy }, no_columns(), Tag::rows("COPY"));
        Self { statement, plan, columns, param_types, returns_rows: false, tag }
    }

    pub(super) fn declare(statement: Statement, name: String, options: cursor::Options, planned: Planned) -> Self {
        let param_types = planned.param_types.clone();
        let plan = Plan::Declare { name, options, planned };
        Self {
            statement,
            plan,
            columns: no_columns(),
            param_types,
            returns_rows: false,
            tag: Tag::command("DECLARE CURSOR"),
        }
    }

    pub(super) fn fetch(statement: Statement, cursor: Arc<Cursor>, fetch: Fetch) -> Self {
        let returns_rows = !fetch.is_move;
        let columns = if returns_rows { Arc::clone(&cursor.columns) } else { no_columns() };
        let tag = Tag::rows(if returns_rows { "FETCH" } else { "MOVE" });
        let plan = Plan::Fetch { cursor, fetch };
        Self { statement, plan, columns, param_types: Vec::new(), returns_rows, tag }
    }

    pub(super) fn prepare(statement: Statement, name: String, prepared: Prepared) -> Self {
        let (plan, columns) = (Plan::Prepare { name, prepared: Arc::new(prepared) }, no_columns());
        let tag = Tag::command("PREPARE");
        Self { statement, plan, columns, param_types: Vec::new(), returns_rows: false, tag }
    }

    /// It answers as what it runs.
    pub(super) fn execute(statement: Statement, target: Arc<Prepared>, arguments: Option<Planned>) -> Self {
        let (columns, returns_rows, tag) = (Arc::clone(&target.columns), target.returns_rows, target.tag.clone());
        let plan = Plan::Execute { target, arguments };
        Self { statement, plan, columns, param_types: Vec::new(), returns_rows, tag }
    }

    /// EXPLAIN of an EXECUTE: it runs, with the arguments of that, as an EXPLAIN of the query. `None` where no query is
    /// named.
    pub(super) fn explained(self, how: How) -> Option<Self> {
        let Plan::Execute { target, arguments } = self.plan else { return None };
        let Plan::Query(planned) = &target.plan else { return None };
        let explain = Self::explain(target.statement.clone(), planned.clone(), how);
        Some(Self::execute(self.statement, Arc::new(explain), arguments))
    }

    /// Where the result columns come from; empty if nothing is known of any.
    pub fn origins(&self) -> Vec<Option<Origin>> {
        match &self.plan {
            Plan::Query(planned) | Plan::Pinned { planned, .. } => {
                planned.origins.iter().map(|named| named.as_ref()?.origin(&planned.scope)).collect()
            }
            Plan::Execute { target, .. } => target.origins(),
            _ => Vec::new(),
        }
    }

    /// Whether the simple protocol gives its rows in the binary format.
    pub fn is_binary(&self) -> bool {
        matches!(&self.plan, Plan::Fetch { cursor, .. } if cursor.options.binary)
    }

    /// A command of the session; `columns` is empty unless it is SHOW.
    pub(super) fn command(statement: Statement, columns: SchemaRef) -> Self {
        let returns_rows = !columns.fields().is_empty();
        let tag = Tag::command("SHOW");
        Self { statement, plan: Plan::Command, columns, param_types: Vec::new(), returns_rows, tag }
    }

    pub(super) fn refresh(statement: Statement, table: ObjectName) -> Self {
        let (plan, tag) = (Plan::Refresh(table), Tag::command("REFRESH TABLE"));
        Self { statement, plan, columns: no_columns(), param_types: Vec::new(), returns_rows: false, tag }
    }

    pub(super) fn matview(statement: Statement, command: matview::Command) -> Self {
        let returns_rows = matches!(command, matview::Command::Explain { .. } | matview::Command::ExplainCreate);
        let columns = if returns_rows { explain::columns(explain::Format::Text) } else { no_columns() };
        let tag = Tag::command(if returns_rows { "EXPLAIN" } else { "" });
        Self { statement, plan: Plan::Matview(command), columns, param_types: Vec::new(), returns_rows, tag }
    }

    pub(super) fn write(statement: Statement, write: Write) -> Self {
        let returning = write.returning();
        let returns_rows = returning.is_some();
        let columns = returning.map_or_else(no_columns, |planned| Arc::clone(&planned.columns));
        let planned = returning.or_else(|| write.query());
        let param_types = planned.map(|planned| planned.param_types.clone()).unwrap_or_default();
        let tag = if returns_rows { Tag::counted(write.tag(), 0) } else { Tag::command("") };
        Self { statement, plan: Plan::Write(Box::new(write)), columns, param_types, returns_rows, tag }
    }

    pub(super) fn define(statement: Statement, command: &'static str) -> Self {
        let (plan, tag) = (Plan::Define(command), Tag::command(command));
        Self { statement, plan, columns: no_columns(), param_types: Vec::new(), returns_rows: false, tag }
    }

    /// Whether a client that was told this statement's columns can read the other's: same names, same types on the
    /// wire. Precision and scale of a numeric without a modifier are its values' own.
    pub(super) fn answers_like(&self, other: &Prepared) -> bool {
        let alike = |(one, other): (&FieldRef, &FieldRef)| {
            one.name() == other.name() && (same_type(one, other) || (is_numeric(one) && is_numeric(other)))
        };
        self.columns.fields().len() == other.columns.fields().len()
            && self.columns.fields().iter().zip(other.columns.fields()).all(alike)
    }

    /// The version of the snapshot that the plan was made over, if it reads relations.
    pub(super) fn snapshot_version(&self) -> Option<u64> {
        self.planned().map(|planned| planned.scope.snapshot.version)
    }

    /// Whether the plan is not that of the lake as it is now, in which `version` is the newest snapshot, or was made under
    /// other rights: planning asks for them.
    pub(super) fn is_over(&self, version: u64, access: &Arc<Access>) -> bool {
        self.planned().is_some_and(|planned| planned.is_over(version, access) || planned.scope.judged.is_over())
    }

    /// The plan that reads relations, if there is one.
    fn planned(&self) -> Option<&Planned> {
        match &self.plan {
            Plan::Query(planned)
            | Plan::Pinned { planned, .. }
            | Plan::Explain { planned, .. }
            | Plan::Copy { planned, .. }
            | Plan::Declare { planned, .. } => Some(planned),
            Plan::Write(write) => write.query(),
            Plan::Execute { target, .. } => target.planned(),
            Plan::Command
            | Plan::Define(_)
            | Plan::Refresh(_)
            | Plan::Matview(_)
            | Plan::Fetch { .. }
            | Plan::Prepare { .. } => None,
        }
    }
}

/// Whether both columns are told alike: how strings lie in memory, and whether there may be NULLs, no client sees.
fn same_type(one: &Field, other: &Field) -> bool {
    let is_string =
        |field: &Field| matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    // The tag of a numeric clings to what it is cast to, where it says nothing.
    let tag = |field: &Field| pg_type::tag(field).filter(|tag| *tag != "numeric").map(str::to_owned);
    tag(one) == tag(other) && (one.data_type() == other.data_type() || (is_string(one) && is_string(other)))
}

fn is_numeric(field: &Field) -> bool {
    field.data_type().is_decimal()
}
