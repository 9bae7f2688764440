//! CREATE TABLE, INSERT, TRUNCATE and the rest that changes rows of the lake.
//!
//! Owns: from a statement to a change of one table, and when it is committed: at its end, or at that of its block. Must never
//! know: how a table is kept.

mod actions;
mod alter;
mod assign;
mod assignments;
mod block;
mod change;
mod changing;
mod copy;
pub(super) mod create;
mod export;
mod given;
mod insert;
mod load;
mod merge;
mod needs;
mod optimize;
mod replacement;
mod returning;
pub(super) mod rows;
mod sources;
mod target;
mod truncate;
mod vacuum;

use std::sync::Arc;

use sqlparser::ast::{CopySource, CopyTarget, SetExpr, Statement as Ast};

pub(super) use assign::{column_type, fits, typed};
pub(super) use block::commit;
pub(crate) use block::{Block, Mark};
pub use copy::Incoming;
pub use export::{FileColumns, Outgoing};
pub use given::Given;
pub use load::{IfExists, Load};
pub(super) use replacement::{chosen, equal};
pub(super) use target::means;

use super::plan::{Over, Plan, Planned};
use super::run::Run;
use super::{Core, Outcome, Prepared, Statement, Tag};
use crate::error::{Error, Result};
use crate::session::Session;

/// How a statement that writes runs.
pub(super) enum Write {
    Insert(insert::Insert),
    Create(create::Create),
    Truncate(truncate::Truncate),
    Vacuum(vacuum::Vacuum),
    Optimize(optimize::Optimize),
    Copy(copy::CopyFrom),
    CopyTo(Box<export::CopyTo>),
    Change(Box<change::Change>),
    Merge(Box<merge::Merge>),
    Alter(alter::Alter),
}

impl Write {
    /// The query whose rows it takes.
    pub(super) fn query(&self) -> Option<&Planned> {
        match self {
            Self::Insert(insert) => Some(&insert.planned),
            Self::Create(create) => create.planned.as_ref(),
            Self::Change(change) => Some(&change.matching),
            Self::Merge(merge) => Some(&merge.typed),
            Self::CopyTo(copy) => Some(&copy.planned),
            Self::Truncate(_) | Self::Vacuum(_) | Self::Optimize(_) | Self::Copy(_) | Self::Alter(_) => None,
        }
    }

    /// What it gives of the rows that it has changed, if it gives any.
    pub(super) fn returning(&self) -> Option<&Planned> {
        let returning = match self {
            Self::Insert(insert) => insert.returning.as_ref(),
            Self::Change(change) => change.returning.as_ref(),
            _ => None,
        };
        returning.map(|returning| &returning.planned)
    }

    /// The tag of one that gives rows, without its count.
    pub(super) fn tag(&self) -> &'static str {
        match self {
            Self::Insert(_) => INSERTED,
            other => other.command(),
        }
    }

    /// The command as messages name it.
    pub(super) fn command(&self) -> &'static str {
        match self {
            Self::Insert(_) => "INSERT",
            Self::Create(create) => create.command(),
            Self::Truncate(_) => "TRUNCATE TABLE",
            Self::Vacuum(_) => "VACUUM",
            Self::Optimize(_) => "OPTIMIZE",
            Self::Copy(_) => "COPY FROM",
            Self::CopyTo(_) => "COPY TO",
            Self::Change(change) => change.command,
            Self::Merge(_) => "MERGE",
            Self::Alter(_) => "ALTER TABLE",
        }
    }
}

/// Whether a statement is one of these.
pub(super) fn is_write(statement: &Ast) -> bool {
    match statement {
        Ast::Insert(_)
        | Ast::Truncate(_)
        | Ast::Vacuum(_)
        | Ast::Delete(_)
        | Ast::Update(_)
        | Ast::Merge(_)
        | Ast::OptimizeTable { .. } => true,
        Ast::Copy { to: false, target: CopyTarget::Stdin, source: CopySource::Table { .. }, .. } => true,
        Ast::Copy { to: true, target: CopyTarget::File { .. }, .. } => true,
        Ast::CreateTable(create) => !create.external,
        Ast::AlterTable(alter) => alter::adds_columns(alter),
        Ast::Query(query) => matches!(query.body.as_ref(), SetExpr::Select(select) if select.into.is_some()),
        _ => false,
    }
}

/// Plans a statement that writes.
pub(super) async fn prepare(
    core: Arc<Core>,
    session: Arc<Session>,
    statement: Statement,
    declared: Vec<Option<arrow::datatypes::FieldRef>>,
) -> Result<Prepared> {
    let ast = Arc::clone(&statement.ast);
    let (core_, session_) = (Arc::clone(&core), Arc::clone(&session));
    let asked = Asked { core, session, statement, declared, over: None };
    let prepared = planned(asked, &ast).await?;
    if let Plan::Write(write) = &prepared.plan {
        core_.allow(&session_, &write.needs())?;
    }
    Ok(prepared)
}

async fn planned(asked: Asked, ast: &Ast) -> Result<Prepared> {
    match ast {
        Ast::Insert(insert) => insert::prepare(asked, insert).await,
        Ast::CreateTable(create) => create::prepare(asked, create).await,
        Ast::Query(query) => create::select_into(asked, query).await,
        Ast::Truncate(truncate) => truncate::prepare(asked, truncate).await,
        Ast::Vacuum(vacuum) => vacuum::prepare(asked, vacuum),
        Ast::OptimizeTable { .. } => optimize::prepare(asked, ast).await,
        Ast::AlterTable(alter) => alter::prepare(asked, alter).await,
        Ast::Delete(delete) => change::delete(asked, delete).await,
        Ast::Update(update) => change::update(asked, update).await,
        Ast::Merge(merge) => merge::prepare(asked, merge).await,
        Ast::Copy { source, to: true, target: CopyTarget::File { filename }, options, legacy_options, .. } => {
            export::prepare(asked, (source, filename), (options, legacy_options)).await
        }
        Ast::Copy { source: CopySource::Table { table_name, columns }, options, legacy_options, .. } => {
            copy::prepare(asked, (table_name, columns), (options, legacy_options)).await
        }
        _ => Err(super::plan::refuse(&asked.statement)),
    }
}

/// A statement on its way to a plan.
struct Asked {
    core: Arc<Core>,
    session: Arc<Session>,
    statement: Statement,
    /// The types that the client declared.
    declared: Vec<Option<arrow::datatypes::FieldRef>>,
    /// The rows that come with it.
    over: Option<Over>,
}

/// Carries a planned statement out.
pub(super) async fn run(run: Run<'_>, write: &Write) -> Result<Outcome> {
    run.session.refuse_read_only(write.command())?;
    // Rights may be others than when it was planned.
    run.core.allow(run.session, &write.needs())?;
    let tag = match write {
        Write::Insert(insert) => return insert::run(run, insert).await,
        Write::Create(create) => create::run(run, create).await?,
        Write::Truncate(truncate) => truncate::run(run, truncate).await?,
        Write::Vacuum(vacuum) => vacuum::run(run, vacuum).await?,
        Write::Optimize(optimize) => optimize::run(run, optimize).await?,
        Write::Change(change) => return change::run(run, change).await,
        Write::Merge(merge) => merge::run(run, merge).await?,
        Write::Alter(alter) => alter::run(run, alter).await?,
        Write::CopyTo(copy) => return export::run(run, copy).await,
        Write::Copy(copy) => return copy::run(run, copy).map(|copy| Outcome::CopyIn(Box::new(copy))),
    };
    Ok(Outcome::Done(tag))
}

/// What a block has written is not in the lake yet, and what is there is not what the block means.
pub(super) fn refuse_to_read(table: &str) -> Error {
    block::refused(format!("cannot read table \"{table}\" after writing to it in the same transaction"))
}

/// The number before that of the rows was the OID of one.
const INSERTED: &str = "INSERT 0";

/// The tag of an INSERT.
fn inserted(rows: u64) -> Tag {
    Tag::counted(INSERTED, rows)
}
