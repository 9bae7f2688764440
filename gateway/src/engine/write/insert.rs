//! INSERT. <https://www.postgresql.org/docs/16/sql-insert.html>

use std::collections::HashSet;

use catalog::{Advance, Column, RowCommand, Target};
use sqlparser::ast::{
    ConflictTarget, Expr, Ident, Insert as Ast, ObjectName, OnConflictAction, OnInsert, Query, SetExpr, TableObject,
    Value,
};

use super::assign::{self, Fit};
use super::block::Lease;
use super::returning::{Named, Returned, Returning};
use super::rows::{self, Shape, Sorted, Sorting};
use super::{Asked, Write, inserted};
use crate::engine::plan::{Over, Planned};
use crate::engine::row_security::{Checks, Given};
use crate::engine::run::Run;
use crate::engine::{Outcome, Prepared, rewrite, row_security};
use crate::error::{Error, Result, SqlState};
use crate::session::fold;

pub(in crate::engine) struct Insert {
    pub(super) target: Target,
    pub(super) planned: Planned,
    shape: Shape,
    checks: Checks,
    /// Whether its rows take the place of those that are there.
    pub(super) replaces: bool,
    /// The id of a load.
    pub(super) id: Option<String>,
    /// How far a stream comes with its rows.
    pub(super) advance: Option<Advance>,
    pub(super) returning: Option<Returning>,
}

pub(super) async fn prepare(asked: Asked, insert: &Ast) -> Result<Prepared> {
    let insert = plan(&asked, insert).await?;
    Ok(Prepared::write(asked.statement, Write::Insert(insert)))
}

pub(super) async fn plan(asked: &Asked, insert: &Ast) -> Result<Insert> {
    let name = table(insert)?;
    let target = asked.target(name, "insert into").await?;
    let places = places(asked, &target, insert.columns.iter().map(plain))?;
    let columns: Vec<&Column> = places.iter().filter_map(|place| target.columns.get(*place)).collect();
    let mut query = match &insert.source {
        Some(query) => query.as_ref().clone(),
        // DEFAULT VALUES: no column has one.
        None => rewrite::row_of(vec![Expr::value(Value::Null)]),
    };
    let is_default_values = insert.source.is_none();
    let columns = if is_default_values { columns.get(..1).unwrap_or_default().to_vec() } else { columns };
    let is_listed = !insert.columns.is_empty();
    if let SetExpr::Values(values) = query.body.as_ref() {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        refuse_width(width, columns.len(), is_listed)?;
    }
    let declared = |name: &str| asked.declared_type(name);
    assign::settle(&mut query, &columns, &declared)?;
    let reads = (RowCommand::Insert, insert.returning.is_some());
    let checks = row_security::checks(&asked.session, &asked.scope(), &target.name, reads)?;
    let mut planned = assigned(asked, &mut query, &columns, is_listed).await?;
    let given = planned.columns.fields().len();
    if !checks.is_empty() {
        let columns = columns.get(..given).unwrap_or_default();
        planned = asked.query(checked(&checks, query, (&target, columns))?).await?;
    }
    let of_query = |column: usize| places.iter().take(given).position(|place| *place == column);
    let shape = Shape::new(&target.columns, (0..target.columns.len()).map(of_query).collect());
    refuse_conflict(asked, insert, &target)?;
    let called = insert.table_alias.as_ref().map(|alias| alias.alias.clone());
    let called = called.or_else(|| name.0.last().and_then(|part| part.as_ident()).cloned());
    let called = called.ok_or_else(|| Error::new(SqlState::SyntaxError, "a table has a plain name"))?;
    let named = Named { target: called, sources: None };
    let returning = Returning::plan(asked, insert.returning.as_ref(), &target, named, &planned.param_types).await?;
    Ok(Insert { target, planned, shape, checks, replaces: false, id: None, advance: None, returning })
}

/// The query with what the policies of the table say of its rows, whose other columns are NULL.
fn checked(checks: &Checks, query: Query, (target, columns): (&Target, &[&Column])) -> Result<Query> {
    let given: Vec<Given<'_>> = columns.iter().map(|column| Given::Column(column)).collect();
    let is_given = |column: &&Column| columns.iter().any(|given| given.name() == column.name());
    let missing = target.columns.iter().filter(|column| !is_given(column)).map(|column| {
        let message = || format!("column \"{}\" cannot be written by SQL", column.name());
        Ok((column, assign::column_type(column).ok_or_else(|| Error::unsupported(message()))?))
    });
    let missing = missing.collect::<Result<Vec<_>>>()?;
    Ok(checks.over((query, &given), (&target.name.name, &missing), None))
}

/// No table has a constraint that a row could be in conflict with, so that only `ON CONFLICT DO NOTHING` can be meant.
fn refuse_conflict(asked: &Asked, insert: &Ast, target: &Target) -> Result<()> {
    let conflict = match &insert.on {
        None => return Ok(()),
        Some(OnInsert::OnConflict(conflict)) => conflict,
        Some(_) => return Err(Error::new(SqlState::SyntaxError, "syntax error in INSERT")),
    };
    match (&conflict.conflict_target, &conflict.action) {
        (None, OnConflictAction::DoNothing) => Ok(()),
        (None, OnConflictAction::DoUpdate(_)) => {
            let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            Err(Error::new(SqlState::SyntaxError, message).hint("For example, ON CONFLICT (column_name)."))
        }
        (Some(ConflictTarget::OnConstraint(name)), _) => {
            let name = name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
            let message = format!("constraint \"{name}\" for table \"{}\" does not exist", target.name.name);
            Err(Error::new(SqlState::UndefinedObject, message))
        }
        (Some(ConflictTarget::Columns(columns)), _) => {
            let is_known = |ident: &Ident| target.columns.iter().any(|column| column.name() == fold(ident));
            if let Some(ident) = columns.iter().find(|ident| !is_known(ident)) {
                let message = format!("column \"{}\" does not exist", fold(ident));
                return Err(asked.at_ident(Error::new(SqlState::UndefinedColumn, message), ident));
            }
            let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
            Err(Error::new(SqlState::InvalidColumnReference, message))
        }
    }
}

/// Plans the query, with casts to the types of the columns where it has others.
async fn assigned(asked: &Asked, query: &mut Query, columns: &[&Column], is_listed: bool) -> Result<Planned> {
    let planned = asked.query(query.clone()).await?;
    refuse_width(planned.columns.fields().len(), columns.len(), is_listed)?;
    let fits = planned.columns.fields().iter().zip(columns);
    let casts: Vec<_> = fits
        .map(|(given, column)| {
            let is_sent = matches!(asked.over, Some(Over::Given(_))) && assign::is_plain_text(given);
            // A client that sends columns of Arrow has no other type for them.
            let fit = if is_sent && column.text_type().is_some() { Fit::Cast } else { assign::fit(column, given)? };
            Ok(match fit {
                Fit::AsItIs => None,
                Fit::Cast => Some(assign::column_type(column).ok_or_else(|| {
                    Error::unsupported(format!("column \"{}\" cannot be written by SQL", column.name()))
                })?),
            })
        })
        .collect::<Result<_>>()?;
    if casts.iter().all(Option::is_none) {
        return Ok(planned);
    }
    *query = assign::cast_columns(query.clone(), &casts);
    asked.query(query.clone()).await
}

/// As many values as columns; without a list of columns there may be fewer.
pub(super) fn refuse_width(given: usize, wanted: usize, is_listed: bool) -> Result<()> {
    if given > wanted {
        return Err(Error::new(SqlState::SyntaxError, "INSERT has more expressions than target columns"));
    }
    if given < wanted && is_listed {
        return Err(Error::new(SqlState::SyntaxError, "INSERT has more target columns than expressions"));
    }
    Ok(())
}

/// The name of the table, if the statement has nothing that is not done.
fn table(insert: &Ast) -> Result<&ObjectName> {
    let is_other = insert.or.is_some()
        || insert.ignore
        || insert.overwrite
        || insert.replace_into
        || insert.partitioned.is_some()
        || !insert.after_columns.is_empty()
        || !insert.assignments.is_empty()
        || insert.insert_alias.is_some()
        || insert.output.is_some()
        || insert.settings.is_some()
        || insert.format_clause.is_some()
        || insert.multi_table_insert_type.is_some();
    match &insert.table {
        TableObject::TableName(name) if !is_other => Ok(name),
        _ => Err(Error::new(SqlState::SyntaxError, "syntax error in INSERT")),
    }
}

/// The name of a column, which has no parts.
pub(super) fn plain(name: &ObjectName) -> Result<&Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident().ok_or_else(|| Error::new(SqlState::SyntaxError, "a column has a plain name")),
        _ => Err(Error::unsupported("INSERT into a part of a column is not supported")),
    }
}

/// The columns that get values, by their places in the table: those of the list, or all.
pub(super) fn places<'a>(
    asked: &Asked,
    target: &Target,
    listed: impl ExactSizeIterator<Item = Result<&'a Ident>>,
) -> Result<Vec<usize>> {
    if listed.len() == 0 {
        return Ok((0..target.columns.len()).collect());
    }
    let mut taken = HashSet::new();
    let mut place = |ident: &Ident| {
        let name = fold(ident);
        let place = target.columns.iter().position(|column| column.name() == name).ok_or_else(|| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", target.name.name);
            Error::new(SqlState::UndefinedColumn, message)
        })?;
        if !taken.insert(place) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(Error::new(SqlState::DuplicateColumn, message));
        }
        Ok(place)
    };
    listed.map(|ident| ident.and_then(|ident| place(ident).map_err(|error| asked.at_ident(error, ident)))).collect()
}

pub(super) async fn run(mut run: Run<'_>, insert: &Insert) -> Result<Outcome> {
    let mut lease = Lease::take(run.session, &insert.target, "WRITE")?;
    let params = std::mem::take(&mut run.params);
    let stream = run.stream(&insert.planned, insert.planned.values(&params)).await?;
    let block = lease.block()?;
    if insert.replaces {
        block.remove_all()?;
    }
    let writer = block.take_writer(run.core)?;
    let kept = insert.returning.as_ref().map(|returning| returning.keep(run.core));
    let sorting = Sorting { shape: insert.shape.clone(), is_marked: false, checks: insert.checks.clone(), kept };
    let Sorted { writer, changed, kept } = rows::sort(&run.core.cpu, stream, sorting, writer).await?;
    block.give_back(writer);
    if let Some(id) = &insert.id {
        block.change().load_once(id, changed);
    }
    if let Some(advance) = &insert.advance {
        block.change().advance(advance)?;
    }
    let returned = match (&insert.returning, kept) {
        (Some(returning), Some(kept)) => Some(returning.rows(&run, kept, &params).await?),
        _ => None,
    };
    lease.end(run.core, run.guard).await?;
    Ok(Returned::outcome(returned, run.guard, inserted(changed)))
}
