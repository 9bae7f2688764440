//! What rows have to fulfil that a statement writes: `WITH CHECK`.
//!
//! Owns: that each condition is asked of each new row, as the table has it, before the row is written; the query of a statement
//! gives their answers in columns behind its own. Must never know: which policies they are of.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use catalog::Column;
use sqlparser::ast::{
    DataType as Sql, Expr, Ident, Query, SelectItem, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins,
    Value,
};

use crate::engine::rewrite::{self, quoted};
use crate::engine::write;
use crate::error::{Error, Result, SqlState};

/// Conditions, each with what is said of a row that does not fulfil it.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Checks(Vec<(Expr, String)>);

/// A column of a query that writes.
pub(in crate::engine) enum Given<'a> {
    Column(&'a Column),
    /// One that is none of the table.
    Other,
}

impl Checks {
    pub(super) fn add(&mut self, condition: Expr, violated: String) {
        self.0.push((condition, violated));
    }

    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The query with the answers behind its columns. `missing` are columns of the table that it gives no value; only rows with
    /// the value `asked` in a column, by its place, are new.
    pub(in crate::engine) fn over(
        &self,
        (query, given): (Query, &[Given<'_>]),
        (table, missing): (&str, &[(&Column, Sql)]),
        asked: Option<(usize, Expr)>,
    ) -> Query {
        let names: Vec<Ident> = given.iter().enumerate().map(|(at, given)| quoted(&given.name(at))).collect();
        let row = || quoted(table);
        let of_row = |name: &Ident| Expr::CompoundIdentifier(vec![row(), name.clone()]);
        let mut from = derived(query, row(), Some(names.clone()));
        if !missing.is_empty() {
            let own = names.iter().map(|name| SelectItem::UnnamedExpr(of_row(name)));
            let absent = missing.iter().map(|(_, data_type)| {
                SelectItem::UnnamedExpr(rewrite::cast(Expr::value(Value::Null), data_type.clone()))
            });
            let inner = rewrite::items_of(own.chain(absent).collect(), vec![from]);
            let all = names.iter().cloned().chain(missing.iter().map(|(column, _)| quoted(column.name())));
            from = derived(inner, row(), Some(all.collect()));
        }
        let asked = asked.and_then(|(at, value)| Some(write::equal(of_row(names.get(at)?), value)));
        let answers = self.0.iter().map(|(condition, _)| match &asked {
            None => condition.clone(),
            Some(is_new) => write::chosen(is_new.clone(), condition.clone(), Expr::value(Value::Boolean(true))),
        });
        let items = names.iter().map(of_row).chain(answers).map(SelectItem::UnnamedExpr);
        rewrite::items_of(items.collect(), vec![from])
    }

    /// Takes the answers off a batch; a row that does not fulfil a condition is an error.
    pub(in crate::engine) fn pass(&self, batch: RecordBatch) -> Result<RecordBatch> {
        if self.0.is_empty() {
            return Ok(batch);
        }
        let width = batch.num_columns().saturating_sub(self.0.len());
        let answers = batch.columns().get(width..).unwrap_or_default();
        let answers = answers.iter().map(|answer| cast(answer, &DataType::Boolean));
        let answers = answers.collect::<std::result::Result<Vec<_>, _>>()?;
        let fails = |answer: &BooleanArray, row: usize| answer.is_null(row) || !answer.value(row);
        let answers: Vec<&BooleanArray> = answers.iter().filter_map(|answer| answer.as_boolean_opt()).collect();
        if answers.len() != self.0.len() {
            return Err(Error::internal("a check has no answer"));
        }
        for row in 0..batch.num_rows() {
            let failed = answers.iter().zip(&self.0).find(|(answer, _)| fails(answer, row));
            if let Some((_, (_, violated))) = failed {
                return Err(Error::new(SqlState::InsufficientPrivilege, violated.clone()));
            }
        }
        let own: Vec<usize> = (0..width).collect();
        Ok(batch.project(&own)?)
    }
}

impl Given<'_> {
    fn name(&self, at: usize) -> String {
        match self {
            Self::Column(column) => column.name().to_owned(),
            Self::Other => format!("lakegate:other {at}"),
        }
    }
}

fn derived(query: Query, name: Ident, columns: Option<Vec<Ident>>) -> TableWithJoins {
    let columns = columns.into_iter().flatten().map(|name| TableAliasColumnDef { name, data_type: None }).collect();
    let alias = TableAlias { explicit: true, name, columns, at: None };
    let relation = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None };
    TableWithJoins { relation, joins: Vec::new() }
}
