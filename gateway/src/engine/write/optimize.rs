//! OPTIMIZE: small files of a table become larger ones, with the same rows. <https://docs.delta.io/latest/optimizations-oss.html>
//!
//! Owns: that all of it is one commit. Must never know: how a file is written.

use std::sync::Arc;

use catalog::{Change, Column, Compacted, Name, Small, Target};
use datafusion::execution::memory_pool::MemoryConsumer;
use sqlparser::ast::{Expr, ObjectName, Query, SelectItem, SetExpr, Statement as Ast};

use super::changing::file_of;
use super::replacement::is_of;
use super::rows::{self, Shape};
use super::{Asked, Write};
use crate::engine::matview::size;
use crate::engine::plan::{self, Over};
use crate::engine::rewrite::{self, quoted};
use crate::engine::run::Run;
use crate::engine::scope::Found;
use crate::engine::{Prepared, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, SessionEffect};

/// How often it begins anew when another was first.
const TRIES: u32 = 3;

pub(in crate::engine) struct Optimize {
    pub(super) name: Name,
}

pub(super) async fn prepare(asked: Asked, optimize: &Ast) -> Result<Prepared> {
    let Ast::OptimizeTable { name, on_cluster, partition, include_final, deduplicate, predicate, zorder, .. } =
        optimize
    else {
        return Err(plan::refuse(&asked.statement));
    };
    if predicate.is_some() {
        return Err(Error::unsupported("OPTIMIZE ... WHERE is not supported"));
    }
    if zorder.is_some() {
        return Err(Error::unsupported("OPTIMIZE ... ZORDER BY is not supported"));
    }
    if on_cluster.is_some() || partition.is_some() || *include_final || deduplicate.is_some() {
        return Err(Error::new(SqlState::SyntaxError, "OPTIMIZE takes the name of a table only"));
    }
    let scope = asked.scope();
    if let Some(Found::Lake(table)) = scope.find(name)
        && table.matview.is_some()
    {
        let message = format!("cannot optimize materialized view \"{}\"", table.name);
        return Err(Error::new(SqlState::WrongObjectType, message)
            .detail("What its rows are made of is known by the names of its files."));
    }
    let table = asked.table(&scope, name, "optimize").map_err(|error| asked.at(error, name))?;
    asked.core.lake.target(&table).await?;
    let name = Name { schema: table.schema.clone(), name: table.name.clone() };
    Ok(Prepared::write(asked.statement, Write::Optimize(Optimize { name })))
}

pub(super) async fn run(run: Run<'_>, optimize: &Optimize) -> Result<Tag> {
    if run.session.transaction().is_in_block() {
        let message = "OPTIMIZE cannot run inside a transaction block";
        return Err(Error::new(SqlState::ActiveSqlTransaction, message));
    }
    let mut tries = 1;
    while let Err(error) = compact(&run, &optimize.name).await {
        // Another has changed a file meanwhile: there are other small files now.
        if error.state != SqlState::SerializationFailure || tries == TRIES {
            return Err(error);
        }
        tries += 1;
        run.guard.unshield();
        run.core.lake.refresh().await?;
    }
    Ok(Tag::command("OPTIMIZE"))
}

async fn compact(run: &Run<'_>, name: &Name) -> Result<()> {
    let snapshot = run.core.lake.snapshot();
    let table = snapshot.table(&name.schema, &name.name).ok_or_else(|| {
        let message = format!("relation \"{}.{}\" does not exist", name.schema, name.name);
        Error::new(SqlState::UndefinedTable, message)
    })?;
    let target = run.core.lake.target(table).await?;
    let over = Over::Whole { provider: table.numbered().await?, table: Arc::clone(table) };
    let Small { groups, are_more } = target.small_files();
    let mut change = Change::compaction(target.clone(), &groups);
    for group in &groups {
        let (core, session) = (Arc::clone(run.core), Arc::clone(run.session));
        let message = Arc::clone(&run.prepared.statement.message);
        let query = (Box::new(rows_of(&target, group)), Some(over.clone()));
        let planning = plan::query_over(core, session, query, message, Vec::new());
        let planned = run.core.cpu.block(move |handle| handle.block_on(planning)).await??;
        let stream = run.stream(&planned, Vec::new()).await?;
        let memory = MemoryConsumer::new("rows to write").register(&run.core.base.memory);
        let writer = target.compacting_writer(memory);
        let writer = rows::write(&run.core.cpu, stream, Shape::whole(&target.columns), writer).await?;
        change.add(writer).await?;
    }
    let compacted = change.compacted();
    run.guard.shield();
    run.core.lake.commit(change).await?;
    if compacted.files_before > 0 {
        let notice = Notice::note(SqlState::SuccessfulCompletion, told(compacted, are_more));
        run.session.push_effect(SessionEffect::Notice(notice))?;
    }
    Ok(())
}

fn told(compacted: Compacted, are_more: bool) -> String {
    let Compacted { files_before, bytes_before, files_after, bytes_after } = compacted;
    let (before, after) = (size(bytes_before), size(bytes_after));
    let rest = if are_more { "; there are more small files" } else { "" };
    format!("{files_before} files with {before} became {files_after} with {after}{rest}")
}

/// All rows of some files.
fn rows_of(target: &Target, places: &[usize]) -> Query {
    let item = |column: &Column| SelectItem::UnnamedExpr(Expr::Identifier(quoted(column.name())));
    let table = ObjectName::from(vec![quoted(&target.name.schema), quoted(&target.name.name)]);
    let mut query = rewrite::select_from(target.columns.iter().map(item).collect(), table);
    if let SetExpr::Select(select) = query.body.as_mut() {
        let files: Vec<i64> = places.iter().filter_map(|place| i64::try_from(*place).ok()).collect();
        select.selection = Some(is_of(file_of(&quoted(&target.name.name)), &files));
    }
    query
}
