//! MERGE. <https://www.postgresql.org/docs/17/sql-merge.html>
//!
//! Owns: what becomes of each row of the table, and which rows are new. Must never know: how rows are found and written;
//! `actions` says the clauses as queries.

use catalog::{Column, Target};
use sqlparser::ast::{
    Expr, Ident, Merge as Ast, MergeAction, MergeClause, MergeClauseKind, MergeInsertExpr, MergeInsertKind, Query,
    TableFactor, TableWithJoins, Value,
};

use super::actions::{Action, Actions, Clause, Kind};
use super::change::{found, plan_again, take};
use super::changing::{Assigned, Changing};
use super::replacement::WHOLE;
use super::rows::{self, Shape, Sorted, Sorting};
use super::{Asked, Write, assign, insert, sources};
use crate::engine::plan::{Over, Planned};
use crate::engine::rewrite::quoted;
use crate::engine::row_security::{self, Checks};
use crate::engine::run::Run;
use crate::engine::tokens::merge::NOTHING;
use crate::engine::{Prepared, Tag};
use crate::error::{Error, Result, SqlState};

pub(in crate::engine) struct Merge {
    pub(super) target: Target,
    over: Over,
    pub(super) actions: Actions,
    /// The table under the name [`WHOLE`].
    whole: TableWithJoins,
    /// All expressions of the statement: it has the types of the parameters.
    pub(super) typed: Planned,
    /// The files with rows that are changed or deleted, if any could be.
    touched: Option<Planned>,
    /// The rows that are new.
    new: Option<Planned>,
}

pub(super) async fn prepare(asked: Asked, merge: &Ast) -> Result<Prepared> {
    refuse_clauses(merge)?;
    let table = TableWithJoins { relation: merge.table.clone(), joins: Vec::new() };
    let changing = Changing::new(&asked, &table, "merge into").await?;
    let instead = ("MERGE is", "INSERT, UPDATE and DELETE");
    row_security::refuse(&asked.scope(), &changing.target.name, instead)?;
    row_security::refuse_masked(&asked.scope(), &changing.target.name, instead)?;
    refuse_same_name(&changing.name, &merge.source)?;
    let clauses = merge.clauses.iter().map(|clause| clause_of(&asked, &changing, clause)).collect::<Result<_>>()?;
    let mut actions = Actions {
        target: changing.from.clone(),
        name: changing.name.clone(),
        source: merge.source.clone(),
        on: merge.on.as_ref().clone(),
        clauses,
    };
    let typed = changing.plan(&asked, actions.expressions(), asked.declared.clone()).await?;
    let params = || typed.param_types.iter().cloned().map(Some).collect::<Vec<_>>();
    for at in 0..actions.clauses.len() {
        let from = actions.relations_of(at);
        let Some(values) = actions.clauses.get_mut(at).and_then(|clause| clause.action.values()) else { continue };
        changing.settle(&asked, values, (&[from], None), params()).await?;
    }
    let touched = match actions.touched(&changing.target.columns) {
        Some(query) => Some(changing.plan(&asked, query, params()).await?),
        None => None,
    };
    let new = match actions.new_rows(&changing.target.columns) {
        Some(query) => Some(changing.plan(&asked, query, params()).await?),
        None => None,
    };
    let whole = changing.again(quoted(WHOLE));
    let Changing { target, over, .. } = changing;
    let merge = Merge { target, over, actions, whole, typed, touched, new };
    Ok(Prepared::write(asked.statement, Write::Merge(Box::new(merge))))
}

fn refuse_clauses(merge: &Ast) -> Result<()> {
    if merge.output.is_some() {
        return Err(Error::unsupported("MERGE ... RETURNING is not supported"));
    }
    let is_other = |clause: &MergeClause| match &clause.action {
        MergeAction::Insert(insert) => insert.insert_predicate.is_some() || insert.kind == MergeInsertKind::Row,
        MergeAction::Update(update) => update.update_predicate.is_some() || update.delete_predicate.is_some(),
        MergeAction::Delete { .. } => false,
    };
    if !merge.into || merge.clauses.is_empty() || merge.clauses.iter().any(is_other) {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in MERGE"));
    }
    let mut ended = Vec::new();
    for clause in &merge.clauses {
        let kind = kind_of(clause);
        if ended.contains(&kind) {
            let message = "unreachable WHEN clause specified after unconditional WHEN clause";
            return Err(Error::new(SqlState::SyntaxError, message));
        }
        if clause.predicate.is_none() {
            ended.push(kind);
        }
    }
    Ok(())
}

fn refuse_same_name(target: &Ident, source: &TableFactor) -> Result<()> {
    match sources::name_of(source) {
        Some(source) if crate::session::fold(&source) == crate::session::fold(target) => {
            let message = format!("name \"{}\" specified more than once", crate::session::fold(target));
            Err(Error::new(SqlState::DuplicateAlias, message)
                .detail("The name is used both as MERGE target table and data source."))
        }
        _ => Ok(()),
    }
}

fn kind_of(clause: &MergeClause) -> Kind {
    match clause.clause_kind {
        MergeClauseKind::Matched => Kind::Matched,
        MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget => Kind::New,
        MergeClauseKind::NotMatchedBySource => Kind::Alone,
    }
}

fn clause_of(asked: &Asked, changing: &Changing, clause: &MergeClause) -> Result<Clause> {
    let action = match &clause.action {
        MergeAction::Delete { .. } => Action::Delete,
        MergeAction::Update(update) => match update.assignments.as_slice() {
            [only] if only.target.to_string().trim_matches('"') == NOTHING => Action::Nothing,
            assignments => Action::Update(typed(asked, changing, changing.assigned(asked, assignments)?)?),
        },
        MergeAction::Insert(insert) => match insert.columns.as_slice() {
            [only] if only.to_string().trim_matches('"') == NOTHING => Action::Nothing,
            _ => Action::Insert(typed(asked, changing, values_of(asked, changing, insert)?)?),
        },
    };
    Ok(Clause { kind: kind_of(clause), condition: clause.predicate.clone(), action })
}

/// Gives literals and parameters without a type that of the column they go to.
fn typed(asked: &Asked, changing: &Changing, mut assigned: Assigned) -> Result<Assigned> {
    let declared = |name: &str| asked.declared_type(name);
    for (value, column) in assigned.iter_mut().zip(changing.target.columns.iter()) {
        value.iter_mut().try_for_each(|value| assign::typed(value, column, &declared))?;
    }
    Ok(assigned)
}

/// What each column of a new row gets.
fn values_of(asked: &Asked, changing: &Changing, asked_for: &MergeInsertExpr) -> Result<Assigned> {
    let columns: &[Column] = &changing.target.columns;
    let listed = asked_for.columns.iter().map(insert::plain);
    let places = insert::places(asked, &changing.target, listed)?;
    let MergeInsertKind::Values(values) = &asked_for.kind else {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in MERGE"));
    };
    let [row] = values.rows.as_slice() else {
        return Err(Error::new(SqlState::SyntaxError, "MERGE takes one row of VALUES"));
    };
    insert::refuse_width(row.content.len(), places.len(), !asked_for.columns.is_empty())?;
    let mut assigned: Assigned = vec![None; columns.len()];
    for (value, place) in row.content.iter().zip(places) {
        if let Some(assigned) = assigned.get_mut(place) {
            *assigned = Some(match assign::is_default(value) {
                true => Expr::value(Value::Null),
                false => value.clone(),
            });
        }
    }
    Ok(assigned)
}

pub(super) async fn run(mut run: Run<'_>, merge: &Merge) -> Result<Tag> {
    let mut lease = take(&run, &merge.target, "MERGE")?;
    let params = std::mem::take(&mut run.params);
    let files = match &merge.touched {
        Some(touched) => found(run.stream(touched, touched.values(&params)).await?).await?,
        None => Vec::new(),
    };
    let mut count = 0;
    // Both read the table as it was, so that the order of the two does not matter.
    if !files.is_empty() {
        let query = merge.actions.replacement(&merge.target.columns, &files, merge.whole.clone());
        let query: Query = query.ok_or_else(|| Error::internal("rows are changed by no clause"))?;
        let planned = plan_again(&run, query, &merge.over, &merge.typed.param_types).await?;
        let stream = run.stream(&planned, planned.values(&params)).await?;
        let block = lease.block()?;
        let places: Vec<usize> = files.iter().filter_map(|file| usize::try_from(*file).ok()).collect();
        block.change().remove(&places)?;
        let writer = block.take_writer(run.core)?;
        let sorting = Sorting {
            shape: Shape::marked(&merge.target.columns),
            is_marked: true,
            checks: Checks::default(),
            kept: None,
        };
        let Sorted { writer, changed, .. } = rows::sort(&run.core.cpu, stream, sorting, writer).await?;
        count += changed;
        block.give_back(writer);
    }
    if let Some(new) = &merge.new {
        let stream = run.stream(new, new.values(&params)).await?;
        let block = lease.block()?;
        let writer = block.take_writer(run.core)?;
        let sorting = Sorting {
            shape: Shape::whole(&merge.target.columns),
            is_marked: false,
            checks: Checks::default(),
            kept: None,
        };
        let Sorted { writer, changed, .. } = rows::sort(&run.core.cpu, stream, sorting, writer).await?;
        count += changed;
        block.give_back(writer);
    }
    lease.end(run.core, run.guard).await?;
    Ok(Tag::counted("MERGE", count))
}
