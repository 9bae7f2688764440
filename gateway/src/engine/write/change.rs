//! DELETE and UPDATE. <https://www.postgresql.org/docs/16/sql-delete.html>, <https://www.postgresql.org/docs/16/sql-update.html>
//!
//! Owns: which files have rows that match, and what they are replaced by: files are written anew, others stay. Must never
//! know: how a file is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{FieldRef, Int64Type};
use catalog::{RowCommand, Target};
use sqlparser::ast::{Delete, Expr, FromTable, Query, SelectItem, TableWithJoins, Update, UpdateTableFromKind};

use super::block::{Lease, refused};
use super::changing::{Assigned, Changing};
use super::replacement::{Matches, WHOLE};
use super::returning::{Named, Returned, Returning};
use super::rows::{self, Shape, Sorted, Sorting};
use super::sources::Sources;
use super::{Asked, Write, needs};
use crate::engine::plan::{self, Over, Planned};
use crate::engine::rewrite::quoted;
use crate::engine::run::Run;
use crate::engine::{Outcome, Prepared, QueryStream, Tag, row_security};
use crate::error::{Error, Result, SqlState};

/// Files that one statement may write anew: their numbers stand in its plan.
const FILES_MAX: usize = 10_000;

pub(in crate::engine) struct Change {
    pub(super) command: &'static str,
    pub(super) target: Target,
    over: Over,
    pub(super) matches: Matches,
    /// The table under the name [`WHOLE`].
    whole: TableWithJoins,
    /// The files with rows that match.
    pub(super) matching: Planned,
    pub(super) returning: Option<Returning>,
}

pub(super) async fn delete(asked: Asked, delete: &Delete) -> Result<Prepared> {
    if !delete.tables.is_empty() || !delete.order_by.is_empty() || delete.limit.is_some() || delete.output.is_some() {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in DELETE"));
    }
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [from] = from.as_slice() else {
        return Err(Error::new(SqlState::SyntaxError, "DELETE takes one table"));
    };
    let mut changing = Changing::new(&asked, from, "delete from").await?;
    let reads = delete.returning.is_some() || needs::reads(delete.selection.iter());
    changing.bind(&asked, RowCommand::Delete, reads)?;
    let clauses = Clauses {
        command: "DELETE",
        sources: delete.using.as_deref().unwrap_or_default(),
        condition: delete.selection.clone(),
        returning: delete.returning.as_ref(),
    };
    let params = asked.declared.clone();
    let change = clauses.change(&asked, changing, None, params).await?;
    Ok(Prepared::write(asked.statement, Write::Change(Box::new(change))))
}

pub(super) async fn update(asked: Asked, update: &Update) -> Result<Prepared> {
    let is_other =
        update.or.is_some() || !update.order_by.is_empty() || update.limit.is_some() || update.output.is_some();
    let sources = match &update.from {
        None => &[],
        Some(UpdateTableFromKind::AfterSet(sources)) if !is_other => sources.as_slice(),
        Some(_) => return Err(Error::new(SqlState::SyntaxError, "syntax error in UPDATE")),
    };
    if is_other {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in UPDATE"));
    }
    let mut changing = Changing::new(&asked, &update.table, "update").await?;
    let mut assigned = changing.assigned(&asked, &update.assignments)?;
    let reads = needs::reads(assigned.iter().flatten().chain(&update.selection));
    changing.bind(&asked, RowCommand::Update, reads || update.returning.is_some())?;
    let columns = &*changing.target.columns;
    row_security::refuse_assigned(&asked.scope(), &changing.target.name, (columns, assigned.as_slice()))?;
    let clauses = Clauses {
        command: "UPDATE",
        sources,
        condition: update.selection.clone(),
        returning: update.returning.as_ref(),
    };
    let from = clauses.from(&changing);
    let rows = (from.as_slice(), clauses.condition.clone());
    let params = changing.settle(&asked, &mut assigned, rows, asked.declared.clone()).await?;
    let change = clauses.change(&asked, changing, Some(assigned), params).await?;
    Ok(Prepared::write(asked.statement, Write::Change(Box::new(change))))
}

/// What both statements have.
struct Clauses<'a> {
    command: &'static str,
    sources: &'a [TableWithJoins],
    condition: Option<Expr>,
    returning: Option<&'a Vec<SelectItem>>,
}

impl Clauses<'_> {
    /// The table, and what it is joined to.
    fn from(&self, changing: &Changing) -> Vec<TableWithJoins> {
        std::iter::once(&changing.from).chain(self.sources).cloned().collect()
    }

    async fn change(
        self,
        asked: &Asked,
        changing: Changing,
        assigned: Option<Assigned>,
        params: Vec<Option<FieldRef>>,
    ) -> Result<Change> {
        let from = self.from(&changing);
        let matching = changing.matching(asked, (&from, self.condition.clone()), params).await?;
        let sources = match self.returning {
            Some(_) if !self.sources.is_empty() => Some(Sources::new(asked, self.sources).await?),
            _ => None,
        };
        let named = Named { target: changing.name.clone(), sources: sources.as_ref() };
        let returning = Returning::plan(asked, self.returning, &changing.target, named, &matching.param_types).await?;
        let whole = changing.again(quoted(WHOLE));
        let is_bound = changing.is_bound();
        let Changing { target, over, name, checks, .. } = changing;
        let matches = Matches { from, name, condition: self.condition, assigned, sources, checks, is_bound };
        Ok(Change { command: self.command, target, over, matches, whole, matching, returning })
    }
}

/// The files that have matching rows.
pub(super) async fn found(mut stream: QueryStream) -> Result<Vec<i64>> {
    let mut found: BTreeSet<i64> = BTreeSet::new();
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let files = batch.columns().first().and_then(|files| files.as_primitive_opt::<Int64Type>());
        let files = files.ok_or_else(|| Error::internal("a file's number is of another type"))?;
        found.extend(files.iter().flatten());
        if found.len() > FILES_MAX {
            return Err(Error::new(SqlState::ProgramLimitExceeded, "too many files to write anew in one statement")
                .detail(format!("Rows of more than {FILES_MAX} files match.")));
        }
    }
    Ok(found.into_iter().collect())
}

/// The rows of the table are those of the lake, and not of the block.
pub(super) fn take(run: &Run<'_>, target: &Target, command: &'static str) -> Result<Lease> {
    let mut lease = Lease::take(run.session, target, command)?;
    if lease.block()?.has_rows() || lease.block()?.change().removes() {
        return Err(refused("cannot change rows of a table after writing to it in the same transaction"));
    }
    Ok(lease)
}

/// Plans a query of a statement that runs.
pub(super) async fn plan_again(run: &Run<'_>, query: Query, over: &Over, params: &[FieldRef]) -> Result<Planned> {
    let (core, session) = (Arc::clone(run.core), Arc::clone(run.session));
    let message = Arc::clone(&run.prepared.statement.message);
    let declared = params.iter().cloned().map(Some).collect();
    let planning = plan::query_over(core, session, (Box::new(query), Some(over.clone())), message, declared);
    run.core.cpu.block(move |handle| handle.block_on(planning)).await?
}

pub(super) async fn run(mut run: Run<'_>, change: &Change) -> Result<Outcome> {
    let mut lease = take(&run, &change.target, change.command)?;
    let params = std::mem::take(&mut run.params);
    let files = found(run.stream(&change.matching, change.matching.values(&params)).await?).await?;
    let mut kept = change.returning.as_ref().map(|returning| returning.keep(run.core));
    let mut count = 0;
    if !files.is_empty() {
        let table = (change.target.name.name.as_str(), &*change.target.columns);
        let query = change.matches.replacement(table, &files, change.whole.clone());
        let planned = plan_again(&run, query, &change.over, &change.matching.param_types).await?;
        let stream = run.stream(&planned, planned.values(&params)).await?;
        let block = lease.block()?;
        let places: Vec<usize> = files.iter().filter_map(|file| usize::try_from(*file).ok()).collect();
        block.change().remove(&places)?;
        let writer = block.take_writer(run.core)?;
        let (shape, checks) = (Shape::marked(&change.target.columns), change.matches.checks.clone());
        let sorting = Sorting { shape, is_marked: true, checks, kept };
        let Sorted { writer, changed, kept: sorted } = rows::sort(&run.core.cpu, stream, sorting, writer).await?;
        (kept, count) = (sorted, changed);
        block.give_back(writer);
    }
    let returned = match (&change.returning, kept) {
        (Some(returning), Some(kept)) => Some(returning.rows(&run, kept, &params).await?),
        _ => None,
    };
    lease.end(run.core, run.guard).await?;
    Ok(Returned::outcome(returned, run.guard, Tag::counted(change.command, count)))
}
