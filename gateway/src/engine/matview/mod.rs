//! Materialized views: queries whose rows are kept, and made anew by jobs or on demand.
//! <https://www.postgresql.org/docs/16/sql-creatematerializedview.html>
//!
//! Owns: when their rows are made, of what, and how little of it. Must never know: how a table is kept.

mod below;
mod build;
mod class;
mod computed;
mod creation;
mod decide;
mod dirty;
mod jobs;
mod look;
mod made_of;
mod refresh;
mod stale;
mod status;

use std::sync::Arc;

use catalog::{Attempt, Kind, Name, Outcome, Privilege, Table};
use sqlparser::ast::{AddDropSync, Msck, ObjectName};

pub(super) use computed::computed;
pub(super) use creation::check;
pub(super) use look::{changes_by_itself, session};
pub(super) use made_of::{over, scanned};
pub(super) use stale::Judged;
pub(super) use status::Matviews;

use super::authorize::Need;
use super::parse::Ending;
use super::run::Run;
use super::scope::{Found, undefined_table};
use super::{Outcome as Done, QueryStream, Tag, define, explain};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, Session, SessionEffect};
use refresh::Asked;
use status::Wanted;

/// A statement of materialized views that makes rows.
pub(super) enum Command {
    Create {
        with_data: bool,
    },
    Refresh {
        view: ObjectName,
        how: How,
        ending: Ending,
    },
    /// What a refresh would do.
    Explain {
        view: ObjectName,
    },
    /// What would be made.
    ExplainCreate,
}

/// What a REFRESH asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// As little as can be.
    Data,
    Full,
    /// No rows any more.
    NoData,
}

impl Command {
    /// What REFRESH MATERIALIZED VIEW is parsed to.
    pub(super) fn of(asked: &Msck, ending: Ending) -> Result<Option<Self>> {
        let how = match asked.partition_action {
            _ if asked.repair => return Ok(None),
            None => How::Data,
            Some(AddDropSync::SYNC) => How::Full,
            Some(AddDropSync::DROP) if ending != Ending::default() => {
                let word = if ending.is_cascade { "CASCADE" } else { "ASYNC" };
                return Err(Error::unsupported(format!("{word} is not supported with WITH NO DATA")));
            }
            Some(AddDropSync::DROP) => How::NoData,
            Some(AddDropSync::ADD) => return Ok(None),
        };
        Ok(Some(Self::Refresh { view: asked.table_name.clone(), how, ending }))
    }
}

/// Carries a statement out.
pub(super) async fn run(run: Run<'_>, command: &Command) -> Result<Done> {
    let tag = match command {
        Command::Create { with_data } => create(run, *with_data).await?,
        Command::Refresh { view, how, ending } => asked(run, view, *how, *ending).await?,
        Command::Explain { view } => {
            let (_, name) = found(&run, view)?;
            may_maintain(&run, &name)?;
            return told(&run, refresh::explained(run.core, run.guard, &name, &by(run.session, false)).await?);
        }
        Command::ExplainCreate => {
            define::may_define(run.core, run.session)?;
            let (core, session) = (Arc::clone(run.core), Arc::clone(run.session));
            let explaining = creation::explained(core, session, run.prepared.statement.clone());
            let lines = run.core.cpu.block(move |handle| handle.block_on(explaining)).await??;
            return told(&run, lines);
        }
    };
    Ok(Done::Done(tag))
}

fn told(run: &Run<'_>, lines: Vec<String>) -> Result<Done> {
    let rows = explain::lines(lines)?;
    let stream = QueryStream::ready(rows.schema(), vec![rows], run.guard.clone());
    Ok(Done::Rows { stream, tag: Tag::command("EXPLAIN") })
}

async fn create(run: Run<'_>, with_data: bool) -> Result<Tag> {
    const COMMAND: &str = "CREATE MATERIALIZED VIEW";
    refuse_in_block(run.session, COMMAND)?;
    let (core, session) = (Arc::clone(run.core), Arc::clone(run.session));
    let defining = Box::pin(define::carry_out(core, session, run.prepared.statement.clone(), COMMAND));
    let defined = run.core.cpu.block(move |handle| handle.block_on(defining)).await??;
    let Some(name) = defined.unmade.filter(|_| with_data) else { return Ok(Tag::command(COMMAND)) };
    let asked = by(run.session, false);
    match refresh::refresh(run.core, run.guard, &name, &asked).await {
        Ok(attempt) => Ok(Tag::counted("SELECT", attempt.rows_written)),
        Err(error) => {
            let (core, session) = (Arc::clone(run.core), Arc::clone(run.session));
            if let Err(error) = define::undo(&core, &session, &name).await {
                tracing::warn!(%error, view = %name, "a materialized view without rows stays defined");
            }
            Err(error)
        }
    }
}

async fn asked(run: Run<'_>, view: &ObjectName, how: How, ending: Ending) -> Result<Tag> {
    const COMMAND: &str = "REFRESH MATERIALIZED VIEW";
    refuse_in_block(run.session, COMMAND)?;
    run.session.refuse_read_only(COMMAND)?;
    let (table, name) = found(&run, view)?;
    may_maintain(&run, &name)?;
    if how == How::NoData {
        if matches!(table.kind, Kind::Lake(_)) {
            run.core.lake.drop_table(&table).await?;
        }
        return Ok(Tag::command(COMMAND));
    }
    let mut names = match ending.is_cascade {
        true => below::of(&run, &table).await?,
        false => Vec::new(),
    };
    names.iter().try_for_each(|name| may_maintain(&run, name))?;
    let above = names.len();
    names.push(name);
    let asked = by(run.session, how == How::Full);
    let tell = |message: String| {
        run.session.push_effect(SessionEffect::Notice(Notice::note(SqlState::SuccessfulCompletion, message)))
    };
    if ending.is_async {
        if !run.core.lake.is_writable() {
            return Err(Error::new(
                SqlState::ReadOnlySqlTransaction,
                "no job of this server refreshes materialized views",
            )
            .detail("It has no source that it can write."));
        }
        let shown = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        run.core.matviews.want(Wanted { names, asked })?;
        tell(format!("a job will refresh {shown}; system.matview_refreshes tells what it did"))?;
        return Ok(Tag::command(COMMAND));
    }
    for (at, name) in names.iter().enumerate() {
        let attempt = refresh::refresh(run.core, run.guard, name, &asked).await.map_err(|error| {
            let is_told = at == above || error.detail.is_some();
            if is_told { error } else { error.detail(format!("It is of materialized view {name}, which comes first.")) }
        })?;
        let done = done(&attempt);
        tell(if above == 0 { done } else { format!("{name}: {done}") })?;
    }
    Ok(Tag::command(COMMAND))
}

fn may_maintain(run: &Run<'_>, name: &Name) -> Result<()> {
    run.core.allow(run.session, &[Need::On(name.clone(), Privilege::Maintain)])
}

/// The materialized view of a name as written.
fn found(run: &Run<'_>, view: &ObjectName) -> Result<(Arc<Table>, Name)> {
    match run.core.scope(run.session, &run.prepared.statement.message).find(view) {
        Some(Found::Lake(table)) if table.matview.is_some() => {
            let name = Name { schema: table.schema.clone(), name: table.name.clone() };
            Ok((table, name))
        }
        Some(_) => {
            let shown = view.0.last().map(ToString::to_string).unwrap_or_default();
            Err(Error::new(SqlState::FeatureNotSupported, format!("\"{shown}\" is not a materialized view")))
        }
        None => Err(undefined_table(view)),
    }
}

fn by(session: &Session, is_full: bool) -> Asked {
    Asked { by: session.user().to_owned(), database: session.database.clone(), is_full, waits: true }
}

fn refuse_in_block(session: &Session, command: &str) -> Result<()> {
    if session.transaction().is_in_block() {
        let message = format!("{command} cannot run inside a transaction block");
        return Err(Error::new(SqlState::ActiveSqlTransaction, message));
    }
    Ok(())
}

/// What a refresh did, and why not less: `incremental (A): +3 ~1 -0 objects, 41 MB read, ...`.
fn done(attempt: &Attempt) -> String {
    if attempt.outcome == Outcome::Unchanged {
        return "no change: every file is as it was".to_owned();
    }
    let class = attempt.class.as_deref().unwrap_or_default();
    let way = match &attempt.reason {
        Some(reason) => format!("full ({class}; {reason})"),
        None => format!("incremental ({class})"),
    };
    let Attempt { objects_added, objects_changed, objects_removed, rows_written, files_written, .. } = attempt;
    let seconds = (attempt.ended_at - attempt.started_at).as_seconds_f64();
    format!(
        "{way}: +{objects_added} ~{objects_changed} -{objects_removed} objects, {} read, {rows_written} rows in \
         {files_written} files, epoch {}, {seconds:.1} s",
        size(attempt.bytes_read),
        attempt.epoch,
    )
}

/// Bytes as a person reads them.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

/// What a query of a view without rows fails with.
pub(super) fn not_populated(view: &str) -> Error {
    Error::new(SqlState::ObjectNotInPrerequisiteState, format!("materialized view \"{view}\" has not been populated"))
        .hint("Use the REFRESH MATERIALIZED VIEW command.")
}
