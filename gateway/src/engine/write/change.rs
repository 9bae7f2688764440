//! DELETE and UPDATE. <https://www.postgresql.org/docs/16/sql-delete.html>, <https://www.postgresql.org/docs/16/sql-update.html>
//!
//! Owns: which files have rows that match, and what they are replaced by: files are written anew, others stay. Must never
//! know: how a file is written.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{FieldRef, Int64Type};
use catalog::{Column, FILE_NUMBER, Target};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AssignmentTarget, BinaryOperator, CaseWhen, Delete, Expr, FromTable, GroupByExpr, Ident, ObjectName, Query,
    SelectItem, SetExpr, TableFactor, TableWithJoins, Update, Value,
};

use super::assign;
use super::block::{Lease, refused};
use super::rows::{self, Shape};
use super::{Asked, Write};
use crate::engine::plan::{self, Over, Planned};
use crate::engine::run::Run;
use crate::engine::{Prepared, QueryStream, Tag, rewrite};
use crate::error::{Error, Result, SqlState};
use crate::session::fold;

/// Files that one statement may write anew: their numbers stand in its plan.
const FILES_MAX: usize = 10_000;

pub(in crate::engine) struct Change {
    pub(super) command: &'static str,
    target: Target,
    over: Over,
    from: TableWithJoins,
    condition: Option<Expr>,
    /// For each column of the table what a matching row gets; none of them for a row that goes.
    assigned: Option<Vec<Option<Expr>>>,
    /// How many rows of which file match.
    pub(super) matching: Planned,
}

pub(super) async fn delete(asked: Asked, delete: &Delete) -> Result<Prepared> {
    let refused = |clause: &str| Err(Error::unsupported(format!("DELETE ... {clause} is not supported")));
    if delete.using.is_some() {
        return refused("USING");
    }
    if delete.returning.is_some() {
        return refused("RETURNING");
    }
    if !delete.tables.is_empty() || !delete.order_by.is_empty() || delete.limit.is_some() || delete.output.is_some() {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in DELETE"));
    }
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [from] = from.as_slice() else {
        return Err(Error::new(SqlState::SyntaxError, "DELETE takes one table"));
    };
    let changing = Changing::new(&asked, from, "delete from").await?;
    let matching = changing.matching(&asked, delete.selection.clone(), asked.declared.clone()).await?;
    let change = changing.finish("DELETE", delete.selection.clone(), (None, matching));
    Ok(Prepared::write(asked.statement, Write::Change(Box::new(change))))
}

pub(super) async fn update(asked: Asked, update: &Update) -> Result<Prepared> {
    let refused = |clause: &str| Err(Error::unsupported(format!("UPDATE ... {clause} is not supported")));
    if update.from.is_some() {
        return refused("FROM");
    }
    if update.returning.is_some() {
        return refused("RETURNING");
    }
    if update.or.is_some() || !update.order_by.is_empty() || update.limit.is_some() || update.output.is_some() {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in UPDATE"));
    }
    let changing = Changing::new(&asked, &update.table, "update").await?;
    let mut assigned: Vec<Option<Expr>> = vec![None; changing.target.columns.len()];
    for assignment in &update.assignments {
        let place = changing.column(&asked, &assignment.target)?;
        let value = match assign::is_default(&assignment.value) {
            true => Expr::value(Value::Null),
            false => assignment.value.clone(),
        };
        if let Some(assigned) = assigned.get_mut(place)
            && assigned.replace(value).is_some()
        {
            let name = changing.target.columns.get(place).map_or("", Column::name);
            let message = format!("multiple assignments to same column \"{name}\"");
            return Err(Error::new(SqlState::SyntaxError, message));
        }
    }
    let param_types = changing.settle(&asked, &mut assigned, update.selection.clone()).await?;
    let matching = changing.matching(&asked, update.selection.clone(), param_types).await?;
    let change = changing.finish("UPDATE", update.selection.clone(), (Some(assigned), matching));
    Ok(Prepared::write(asked.statement, Write::Change(Box::new(change))))
}

/// The table of a change, while the statement is planned.
struct Changing {
    target: Target,
    over: Over,
    from: TableWithJoins,
}

impl Changing {
    async fn new(asked: &Asked, from: &TableWithJoins, verb: &str) -> Result<Self> {
        let TableFactor::Table { name, args: None, .. } = &from.relation else {
            return Err(Error::new(SqlState::SyntaxError, "a change is one of a table"));
        };
        if !from.joins.is_empty() {
            return Err(Error::new(SqlState::SyntaxError, "a change is one of a single table"));
        }
        let scope = asked.scope();
        if let Some(target) = asked.written(&scope, name) {
            return Err(super::refuse_to_read(&target.name.name));
        }
        let table = asked.table(&scope, name, verb).map_err(|error| asked.at(error, name))?;
        let target = asked.core.lake.target(&table).await?;
        let provider = table.numbered().await?;
        Ok(Self { target, over: Over::Table { table, provider }, from: from.clone() })
    }

    /// The place of an assigned column.
    fn column(&self, asked: &Asked, target: &AssignmentTarget) -> Result<usize> {
        let name: &ObjectName = match target {
            AssignmentTarget::ColumnName(name) => name,
            AssignmentTarget::Tuple(_) => {
                return Err(Error::unsupported("UPDATE ... SET (...) = (...) is not supported"));
            }
        };
        let [part] = name.0.as_slice() else {
            return Err(Error::unsupported("UPDATE of a part of a column is not supported"));
        };
        let ident = part.as_ident().ok_or_else(|| Error::new(SqlState::SyntaxError, "a column has a plain name"))?;
        let name = fold(ident);
        self.target.columns.iter().position(|column| column.name() == name).ok_or_else(|| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", self.target.name.name);
            asked.at_ident(Error::new(SqlState::UndefinedColumn, message), ident)
        })
    }

    fn plan(&self, asked: &Asked, query: Query, declared: Vec<Option<FieldRef>>) -> plan::Planning {
        let (core, session) = (Arc::clone(&asked.core), Arc::clone(&asked.session));
        let message = Arc::clone(&asked.statement.message);
        plan::query_over(core, session, (Box::new(query), Some(self.over.clone())), message, declared)
    }

    /// Gives assigned values the types of their columns; gives those of the parameters.
    async fn settle(
        &self,
        asked: &Asked,
        assigned: &mut [Option<Expr>],
        condition: Option<Expr>,
    ) -> Result<Vec<Option<FieldRef>>> {
        let columns = || self.target.columns.iter();
        let declared = |name: &str| asked.declared_type(name);
        for (value, column) in assigned.iter_mut().zip(columns()) {
            value.iter_mut().try_for_each(|value| assign::typed(value, column, &declared))?;
        }
        let values: Vec<Expr> = assigned.iter().flatten().cloned().collect();
        let items = values.into_iter().map(SelectItem::UnnamedExpr).collect();
        let query = select(items, &self.from, condition, None);
        let planned = self.plan(asked, query, asked.declared.clone()).await?;
        let mut given = planned.columns.fields().iter();
        for (value, column) in assigned.iter_mut().zip(columns()) {
            let Some(value) = value else { continue };
            let Some(given) = given.next() else { continue };
            assign::fit(column, given)?;
            // In the CASE that chooses it, a value has its column's very type.
            if let Some(data_type) = assign::sql_type(column.field.data_type()) {
                let plain = std::mem::replace(value, Expr::value(Value::Null));
                *value = rewrite::cast(Expr::Nested(Box::new(plain)), data_type);
            }
        }
        Ok(planned.param_types.into_iter().map(Some).collect())
    }

    async fn matching(
        &self,
        asked: &Asked,
        condition: Option<Expr>,
        declared: Vec<Option<FieldRef>>,
    ) -> Result<Planned> {
        let file = file_number();
        let count = rewrite::count_all();
        let items = vec![SelectItem::UnnamedExpr(file.clone()), SelectItem::UnnamedExpr(count)];
        self.plan(asked, select(items, &self.from, condition, Some(file)), declared).await
    }

    fn finish(
        self,
        command: &'static str,
        condition: Option<Expr>,
        (assigned, matching): (Option<Vec<Option<Expr>>>, Planned),
    ) -> Change {
        let Self { target, over, from } = self;
        Change { command, target, over, from, condition, assigned, matching }
    }
}

fn file_number() -> Expr {
    Expr::Identifier(Ident::with_quote('"', FILE_NUMBER))
}

/// `SELECT items FROM from WHERE condition GROUP BY by`.
fn select(items: Vec<SelectItem>, from: &TableWithJoins, condition: Option<Expr>, by: Option<Expr>) -> Query {
    let mut query = rewrite::items_of(items, vec![from.clone()]);
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.selection = condition;
        if let Some(by) = by {
            select.group_by = GroupByExpr::Expressions(vec![by], Vec::new());
        }
    }
    query
}

impl Change {
    /// The rows that take the place of those in some files.
    fn replacement(&self, files: &[i64]) -> Query {
        let matches = || self.condition.clone().unwrap_or_else(|| Expr::value(Value::Boolean(true)));
        let list = files.iter().map(|file| Expr::value(Value::Number(file.to_string(), false))).collect();
        let of_files = Expr::InList { expr: Box::new(file_number()), list, negated: false };
        let column = |column: &Column| Expr::Identifier(Ident::with_quote('"', column.name()));
        let items = self.target.columns.iter().enumerate().map(|(at, of)| {
            let assigned = self.assigned.as_ref().and_then(|assigned| assigned.get(at)?.clone());
            SelectItem::UnnamedExpr(match assigned {
                None => column(of),
                Some(value) => Expr::Case {
                    case_token: AttachedToken::empty(),
                    end_token: AttachedToken::empty(),
                    operand: None,
                    conditions: vec![CaseWhen { condition: matches(), result: value }],
                    else_result: Some(Box::new(column(of))),
                },
            })
        });
        let condition = match self.assigned {
            Some(_) => of_files,
            None => {
                let stays = Expr::IsNotTrue(Box::new(Expr::Nested(Box::new(matches()))));
                Expr::BinaryOp { left: Box::new(of_files), op: BinaryOperator::And, right: Box::new(stays) }
            }
        };
        select(items.collect(), &self.from, Some(condition), None)
    }
}

/// The files that have matching rows, and how many these are.
async fn found(mut stream: QueryStream) -> Result<(Vec<i64>, u64)> {
    let mut counts: HashMap<i64, i64> = HashMap::new();
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let [files, rows] = batch.columns() else { return Err(Error::internal("not a file and a count")) };
        let columns = files.as_primitive_opt::<Int64Type>().zip(rows.as_primitive_opt::<Int64Type>());
        let (files, rows) = columns.ok_or_else(|| Error::internal("a file's number is of another type"))?;
        counts.extend(files.values().iter().copied().zip(rows.values().iter().copied()));
        if counts.len() > FILES_MAX {
            return Err(Error::new(SqlState::ProgramLimitExceeded, "too many files to write anew in one statement")
                .detail(format!("Rows of more than {FILES_MAX} files match.")));
        }
    }
    let count = counts.values().sum::<i64>();
    let mut files: Vec<i64> = counts.into_keys().collect();
    files.sort_unstable();
    Ok((files, u64::try_from(count).unwrap_or_default()))
}

pub(super) async fn run(mut run: Run<'_>, change: &Change) -> Result<Tag> {
    let mut lease = Lease::take(run.session, &change.target, change.command)?;
    if lease.block()?.has_rows() || lease.block()?.change().removes() {
        return Err(refused("cannot change rows of a table after writing to it in the same transaction"));
    }
    let params: Vec<ScalarValue> = std::mem::take(&mut run.params);
    let (files, count) = found(run.stream(&change.matching, params.clone()).await?).await?;
    if count == 0 {
        lease.end(run.core, run.guard).await?;
        return Ok(Tag::counted(change.command, 0));
    }
    let (core, session) = (Arc::clone(run.core), Arc::clone(run.session));
    let message = Arc::clone(&run.prepared.statement.message);
    let declared = change.matching.param_types.iter().cloned().map(Some).collect();
    let query = (Box::new(change.replacement(&files)), Some(change.over.clone()));
    let planning = plan::query_over(core, session, query, message, declared);
    let planned = run.core.cpu.block(move |handle| handle.block_on(planning)).await??;
    let stream = run.stream(&planned, params).await?;
    let block = lease.block()?;
    let places: Vec<usize> = files.iter().filter_map(|file| usize::try_from(*file).ok()).collect();
    block.change().remove(&places)?;
    let writer = block.take_writer(run.core)?;
    let shape = Shape::whole(&change.target.columns);
    let writer = rows::write(run.core, stream, shape, writer).await?;
    block.give_back(writer);
    lease.end(run.core, run.guard).await?;
    Ok(Tag::counted(change.command, count))
}
