//! How the rows of a query follow the files of one of its tables, the driving one.
//!
//! Owns: which plans compute row by row, and in which a column of the result chooses rows of the table. What it does not know it
//! takes for neither. Must never know: which files have changed.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan, Projection};
use datafusion::scalar::ScalarValue;

use super::made_of::{reads, scanned};
use crate::engine::analyze::is_origin;

/// A column of the result as a function of one of the driving table.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Over `column` alone, which has no qualifier in it.
    pub(super) expr: Expr,
    pub(super) column: String,
    /// Whether greater values of the column have no smaller ones of it.
    pub(super) is_monotone: bool,
}

/// Whether the rows of a plan are those of each file of a table, one file after the other; or why not.
pub(super) fn row_by_row(plan: &LogicalPlan, table: &str) -> Result<(), String> {
    if !reads(plan, table) {
        return Ok(());
    }
    if has_subquery_of(plan, table) {
        return Err(format!("a subquery reads {table}"));
    }
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => Ok(()),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Unnest(_) => each(plan, table),
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => each(plan, table),
        // Rows of a branch that does not read it would be there once for each file.
        LogicalPlan::Union(union) => match union.inputs.iter().all(|input| reads(input, table)) {
            true => each(plan, table),
            false => Err(format!("a branch of a UNION has rows without any of {table}")),
        },
        LogicalPlan::Join(join) => side(join, table)
            .map_err(|why| match why {
                Side::Both => format!("{table} is joined with itself"),
                Side::Other => format!("a {} join can have rows without any of {table}", join.join_type),
            })
            .and_then(|input| row_by_row(input, table)),
        LogicalPlan::Aggregate(_) => Err("it aggregates".to_owned()),
        LogicalPlan::Distinct(_) => Err("it has DISTINCT".to_owned()),
        LogicalPlan::Window(_) => Err("it has window functions".to_owned()),
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => Err("it has LIMIT".to_owned()),
        other => Err(format!("it has {}", operator(other))),
    }
}

/// Why the rows of a join do not follow those of a table in it.
enum Side {
    /// Both of its sides read the table.
    Both,
    /// The join can have rows without any of the side that does.
    Other,
}

/// The side of a join that reads a table, if each row of the join is of one of its rows.
fn side<'a>(join: &'a Join, table: &str) -> Result<&'a LogicalPlan, Side> {
    use JoinType::{Inner, Left, LeftAnti, LeftSemi, Right, RightAnti, RightSemi};
    let (input, keeps) = match (reads(&join.left, table), reads(&join.right, table)) {
        (true, true) => return Err(Side::Both),
        (true, false) => (&join.left, matches!(join.join_type, Inner | Left | LeftSemi | LeftAnti)),
        (false, _) => (&join.right, matches!(join.join_type, Inner | Right | RightSemi | RightAnti)),
    };
    if keeps { Ok(input) } else { Err(Side::Other) }
}

fn each(plan: &LogicalPlan, table: &str) -> Result<(), String> {
    plan.inputs().into_iter().try_for_each(|input| row_by_row(input, table))
}

fn operator(plan: &LogicalPlan) -> String {
    plan.display().to_string().split([':', ' ', '(']).next().unwrap_or_default().to_lowercase()
}

/// Whether an expression of this node has a subquery that reads the table.
fn has_subquery_of(plan: &LogicalPlan, table: &str) -> bool {
    plan.expressions().iter().any(|expr| {
        let found = expr.exists(|expr| {
            let subquery = match expr {
                Expr::ScalarSubquery(subquery) => Some(subquery),
                Expr::InSubquery(found) => Some(&found.subquery),
                Expr::Exists(found) => Some(&found.subquery),
                Expr::SetComparison(found) => Some(&found.subquery),
                _ => None,
            };
            Ok(subquery.is_some_and(|subquery| reads(&subquery.subquery, table)))
        });
        found.unwrap_or(true)
    })
}

/// The column at a place of the result as a function of a column of the table, such that the rows with a value of it need
/// no rows of the table but those whose column has it, too. `None` if there is none.
pub(super) fn key(plan: &LogicalPlan, at: usize, table: &str) -> Option<Key> {
    let expr = trace(plan, &Column::from(plan.schema().qualified_field(at)), table)?;
    let columns = expr.column_refs();
    let mut columns = columns.iter();
    let (Some(column), None) = (columns.next(), columns.next()) else { return None };
    let name = column.name.clone();
    let unqualified = |expr: Expr| match expr {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))),
        other => Ok(Transformed::no(other)),
    };
    let expr = expr.transform(unqualified).ok()?.data;
    let is_monotone = is_monotone(&expr);
    // The value of a subquery is not known without running it.
    is_of_one_row(&expr).then_some(Key { expr, column: name, is_monotone })
}

/// A column of a plan as an expression over columns of the table's scan.
fn trace(plan: &LogicalPlan, column: &Column, table: &str) -> Option<Expr> {
    if has_subquery_of(plan, table) {
        return None;
    }
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
            let is_it = scanned(scan).is_some_and(|known| known.table() == table);
            is_it.then(|| Expr::Column(column.clone()))
        }
        LogicalPlan::Projection(projection) => through(&projection.input, named(projection, column)?, table),
        LogicalPlan::Filter(filter) => trace(&filter.input, column, table),
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => trace(&sort.input, column, table),
        LogicalPlan::Distinct(Distinct::All(input)) => trace(input, column, table),
        LogicalPlan::SubqueryAlias(alias) => {
            let at = alias.schema.maybe_index_of_column(column)?;
            trace(&alias.input, &Column::from(alias.input.schema().qualified_field(at)), table)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let at = aggregate.schema.maybe_index_of_column(column)?;
            let grouped = aggregate.group_expr.get(at)?;
            let is_set = aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_)));
            if is_set {
                return None;
            }
            through(&aggregate.input, grouped, table)
        }
        LogicalPlan::Window(window) => {
            let at = window.schema.maybe_index_of_column(column)?;
            if at >= window.input.schema().fields().len() {
                return None;
            }
            let is_of_all = window.window_expr.iter().all(|expr| {
                partitions(expr)
                    .is_some_and(|keys| keys.iter().any(|key| matches!(key, Expr::Column(known) if known == column)))
            });
            if is_of_all { trace(&window.input, column, table) } else { None }
        }
        LogicalPlan::Join(join) => {
            let input = side(join, table).ok()?;
            if input.schema().has_column(column) { trace(input, column, table) } else { None }
        }
        _ => None,
    }
}

/// An expression over a plan's columns as one over the table's; it has one column.
fn through(plan: &LogicalPlan, expr: &Expr, table: &str) -> Option<Expr> {
    let expr = expr.clone().unalias_nested().data;
    let columns = expr.column_refs().into_iter().cloned().collect::<Vec<_>>();
    let [column] = columns.as_slice() else { return None };
    let traced = trace(plan, column, table)?;
    let column = column.clone();
    let put = |found: Expr| match found {
        Expr::Column(known) if known == column => Ok(Transformed::yes(traced.clone())),
        other => Ok(Transformed::no(other)),
    };
    // From the leaves up: what is put in is not looked at again.
    Some(expr.transform_up(put).ok()?.data)
}

fn named<'a>(projection: &'a Projection, column: &Column) -> Option<&'a Expr> {
    projection.expr.get(projection.schema.maybe_index_of_column(column)?)
}

/// What a window function is computed by.
fn partitions(expr: &Expr) -> Option<&Vec<Expr>> {
    match expr {
        Expr::WindowFunction(function) => Some(&function.params.partition_by),
        Expr::Alias(alias) => partitions(&alias.expr),
        _ => None,
    }
}

fn is_of_one_row(expr: &Expr) -> bool {
    let has_subquery = expr.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        ))
    });
    !expr.is_volatile() && !has_subquery.unwrap_or(true)
}

/// Functions whose values grow with those of one argument, at its place, while the others are constants.
const MONOTONE: [(&str, usize); 4] = [("date_bin", 1), ("date_trunc", 1), ("lakegate_day", 0), ("time_bucket", 1)];

fn is_monotone(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Alias(alias) => is_monotone(&alias.expr),
        Expr::Cast(cast) => is_monotone(&cast.expr) && keeps_order(cast.field.data_type()),
        Expr::ScalarFunction(call) => {
            let name = call.func.name();
            let is_year = matches!(name, "date_part" | "extract")
                && call.args.first().and_then(text).is_some_and(|unit| unit == "year" || unit == "epoch");
            let known = MONOTONE.iter().find(|(known, _)| *known == name).map(|(_, place)| *place);
            let Some(place) = known.or(is_year.then_some(1)) else { return false };
            let mut others = call.args.iter().enumerate().filter(|(at, _)| *at != place);
            let is_alone = others.all(|(_, argument)| argument.column_refs().is_empty());
            // The clock of a zone, and what is moved by its days, goes back once a year.
            let is_moved = name == "time_bucket" && call.args.get(2).is_some_and(|third| !is_origin(third));
            is_alone && !is_moved && call.args.get(place).is_some_and(is_monotone)
        }
        _ => false,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) => {
            Some(text.to_lowercase())
        }
        Expr::Cast(cast) => text(&cast.expr),
        _ => None,
    }
}

/// Whether values of other types keep their order in this one; texts are in another.
fn keeps_order(to: &arrow::datatypes::DataType) -> bool {
    use arrow::datatypes::DataType;
    to.is_integer()
        || to.is_decimal()
        || matches!(to, DataType::Date32 | DataType::Timestamp(..) | DataType::Float64 | DataType::Float32)
}
