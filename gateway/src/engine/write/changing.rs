//! The table of a change while its statement is planned.
//!
//! Owns: which table it is, by which name its rows are found, and the types of what they get. Must never know: which
//! statement changes it.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use catalog::{Column, FILE_NUMBER, ROW_NUMBER, RowCommand, Target};
use ring::rand::{SecureRandom, SystemRandom};
use sqlparser::ast::{
    Assignment, Expr, GroupByExpr, Ident, ObjectName, Query, SelectItem, SetExpr, TableFactor, TableWithJoins, Value,
};

use super::{Asked, assign, assignments, sources};
use crate::engine::plan::{self, Bound, Over, Planned};
use crate::engine::rewrite;
use crate::engine::row_security::{self, Checks};
use crate::engine::scope::GIVEN;
use crate::error::{Error, Result, SqlState};
use crate::session::fold;

/// For each column of the table what a row gets; `None` leaves it.
pub(super) type Assigned = Vec<Option<Expr>>;

pub(super) struct Changing {
    pub(super) target: Target,
    pub(super) over: Over,
    /// The table, as the statement names it.
    pub(super) from: TableWithJoins,
    /// The name that it has in the statement.
    pub(super) name: Ident,
    /// What its new rows have to fulfil.
    pub(super) checks: Checks,
}

impl Changing {
    pub(super) async fn new(asked: &Asked, from: &TableWithJoins, verb: &str) -> Result<Self> {
        let syntax = |message: &str| Err(Error::new(SqlState::SyntaxError, message));
        let TableFactor::Table { name, args: None, alias, .. } = &from.relation else {
            return syntax("a change is one of a table");
        };
        if !from.joins.is_empty() {
            return syntax("a change is one of a single table");
        }
        if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
            return syntax("the alias of a table that is changed names no columns");
        }
        let scope = asked.scope();
        if let Some(target) = asked.written(&scope, name) {
            return Err(super::refuse_to_read(&target.name.name));
        }
        let table = asked.table(&scope, name, verb).map_err(|error| asked.at(error, name))?;
        let target = asked.core.lake.target(&table).await?;
        let provider = table.numbered().await?;
        let known = sources::name_of(&from.relation).ok_or_else(|| Error::internal("a table without a name"))?;
        let over = Over::Table { table, provider, bound: None };
        Ok(Self { target, over, from: from.clone(), name: known, checks: Checks::default() })
    }

    /// Keeps to the row policies and masks of the table for what is done with its rows, if they bind the session; `reads` is whether the
    /// statement looks at them too.
    pub(super) fn bind(&mut self, asked: &Asked, command: RowCommand, reads: bool) -> Result<()> {
        let scope = asked.scope();
        if !row_security::binds(&scope, &self.target.name) {
            return Ok(());
        }
        if command == RowCommand::Update {
            self.checks = row_security::checks(&asked.session, &scope, &self.target.name, (command, reads))?;
        }
        if let Over::Table { bound, .. } = &mut self.over {
            let commands = std::iter::once(command).chain(reads.then_some(RowCommand::Select)).collect();
            *bound = Some(Bound { commands, whole: unguessable()? });
        }
        Ok(())
    }

    /// Whether some rows or values of the table are hidden from the statement.
    pub(super) fn is_bound(&self) -> bool {
        matches!(self.over, Over::Table { bound: Some(_), .. })
    }

    /// All rows of the table, under another name.
    pub(super) fn again(&self, name: Ident) -> TableWithJoins {
        let own = &self.target.name;
        let table = match &self.over {
            Over::Table { bound: Some(Bound { whole, .. }), .. } => [GIVEN.0, whole],
            _ => [own.schema.as_str(), own.name.as_str()],
        };
        let table = table.map(|part| Ident::with_quote('"', part));
        let relation = rewrite::table_as(ObjectName::from(table.to_vec()), name);
        TableWithJoins { relation, joins: Vec::new() }
    }

    /// What each column gets by `SET`.
    pub(super) fn assigned(&self, asked: &Asked, assignments: &[Assignment]) -> Result<Assigned> {
        let mut assigned: Assigned = vec![None; self.target.columns.len()];
        for (column, value) in assignments::single(assignments, &|function| asked.scope().is_volatile(function))? {
            let place = self.column(asked, &column)?;
            let value = if assign::is_default(&value) { Expr::value(Value::Null) } else { value };
            if let Some(assigned) = assigned.get_mut(place)
                && assigned.replace(value).is_some()
            {
                let name = self.target.columns.get(place).map_or("", Column::name);
                let message = format!("multiple assignments to same column \"{name}\"");
                return Err(Error::new(SqlState::SyntaxError, message));
            }
        }
        Ok(assigned)
    }

    /// The place of an assigned column.
    fn column(&self, asked: &Asked, name: &ObjectName) -> Result<usize> {
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

    pub(super) fn plan(&self, asked: &Asked, query: Query, declared: Vec<Option<FieldRef>>) -> plan::Planning {
        let (core, session) = (Arc::clone(&asked.core), Arc::clone(&asked.session));
        let message = Arc::clone(&asked.statement.message);
        plan::query_over(core, session, (Box::new(query), Some(self.over.clone())), message, declared)
    }

    /// Gives assigned values the types of their columns; gives those of the parameters.
    pub(super) async fn settle(
        &self,
        asked: &Asked,
        assigned: &mut [Option<Expr>],
        (from, condition): (&[TableWithJoins], Option<Expr>),
        known: Vec<Option<FieldRef>>,
    ) -> Result<Vec<Option<FieldRef>>> {
        let columns = || self.target.columns.iter();
        let declared = |name: &str| asked.declared_type(name);
        for (value, column) in assigned.iter_mut().zip(columns()) {
            value.iter_mut().try_for_each(|value| assign::typed(value, column, &declared))?;
        }
        let values: Vec<Expr> = assigned.iter().flatten().cloned().collect();
        let items = values.into_iter().map(SelectItem::UnnamedExpr).collect();
        let planned = self.plan(asked, select(items, from.to_vec(), condition), known).await?;
        let mut given = planned.columns.fields().iter();
        for (value, column) in assigned.iter_mut().zip(columns()) {
            let Some(value) = value else { continue };
            let Some(given) = given.next() else { continue };
            assign::fit(column, given)?;
            // In the CASE that chooses it, a value has its column's very type.
            if let Some(data_type) = assign::column_type(column) {
                let plain = std::mem::replace(value, Expr::value(Value::Null));
                *value = rewrite::cast(Expr::Nested(Box::new(plain)), data_type);
            }
        }
        Ok(planned.param_types.into_iter().map(Some).collect())
    }

    /// Plans which files have rows that match, and how many.
    pub(super) async fn matching(
        &self,
        asked: &Asked,
        (from, condition): (&[TableWithJoins], Option<Expr>),
        declared: Vec<Option<FieldRef>>,
    ) -> Result<Planned> {
        let file = file_of(&self.name);
        let items = vec![SelectItem::UnnamedExpr(file.clone())];
        self.plan(asked, grouped(select(items, from.to_vec(), condition), file), declared).await
    }
}

/// A name that no statement can have.
fn unguessable() -> Result<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the system gave no random bytes"))?;
    Ok(bytes.iter().fold("whole:".to_owned(), |name, byte| name + &format!("{byte:02x}")))
}

/// The number of the file of a row.
pub(super) fn file_of(table: &Ident) -> Expr {
    Expr::CompoundIdentifier(vec![table.clone(), Ident::with_quote('"', FILE_NUMBER)])
}

/// The number of a row in its file.
pub(super) fn row_of(table: &Ident) -> Expr {
    Expr::CompoundIdentifier(vec![table.clone(), Ident::with_quote('"', ROW_NUMBER)])
}

/// `SELECT items FROM from WHERE condition`.
pub(super) fn select(items: Vec<SelectItem>, from: Vec<TableWithJoins>, condition: Option<Expr>) -> Query {
    let mut query = rewrite::items_of(items, from);
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.selection = condition;
    }
    query
}

/// The same with GROUP BY.
pub(super) fn grouped(mut query: Query, by: Expr) -> Query {
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.group_by = GroupByExpr::Expressions(vec![by], Vec::new());
    }
    query
}
