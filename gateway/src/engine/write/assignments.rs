//! `SET (a, b) = (1, 2)` and `SET (a, b) = (SELECT ...)` as one assignment for each column.
//!
//! Owns: which values a list of columns takes. Must never know: the columns of a table, nor their types.
//! <https://www.postgresql.org/docs/16/sql-update.html>

use std::ops::ControlFlow;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Expr, ObjectName, Query, Select, SelectItem, SetExpr, visit_expressions,
};

use crate::engine::rewrite;
use crate::error::{Error, Result, SqlState};

/// Each column with what it gets. `is_volatile` tells the functions that answer differently each time.
pub(super) fn single(
    assignments: &[Assignment],
    is_volatile: &dyn Fn(&ObjectName) -> bool,
) -> Result<Vec<(ObjectName, Expr)>> {
    let mut single = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        match &assignment.target {
            AssignmentTarget::ColumnName(column) => single.push((column.clone(), assignment.value.clone())),
            AssignmentTarget::Tuple(columns) => {
                let values = values(&assignment.value, is_volatile)?;
                if values.len() != columns.len() {
                    let message = "number of columns does not match number of values";
                    return Err(Error::new(SqlState::SyntaxError, message));
                }
                single.extend(columns.iter().cloned().zip(values));
            }
        }
    }
    Ok(single)
}

fn values(source: &Expr, is_volatile: &dyn Fn(&ObjectName) -> bool) -> Result<Vec<Expr>> {
    if let Some(values) = rewrite::fields_of_row(source) {
        return Ok(values);
    }
    let Expr::Subquery(query) = source else {
        let message = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
        return Err(Error::unsupported(message));
    };
    let is_one_row = !visit_expressions(query, |expr| match expr {
        Expr::Function(call) if is_volatile(&call.name) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break();
    parts(query).filter(|_| is_one_row).ok_or_else(|| {
        Error::unsupported("a sub-SELECT of several columns in SET is not supported in this form")
            .detail("Each of its columns is asked for alone, so all must be certain to be of one row.")
            .hint("Use UPDATE ... FROM, or leave out DISTINCT, LIMIT, set operations, * and volatile functions.")
    })
}

/// A query for each column of a query, if all are of the same row: without a choice among rows a second one is 21000.
fn parts(query: &Query) -> Option<Vec<Expr>> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let Select { distinct: None, top: None, projection, .. } = select.as_ref() else { return None };
    if query.limit_clause.is_some() || query.fetch.is_some() || query.order_by.is_some() {
        return None;
    }
    let part = |item: &SelectItem| {
        let (SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }) = item else { return None };
        let mut part = query.clone();
        if let SetExpr::Select(select) = part.body.as_mut() {
            select.projection = vec![item.clone()];
        }
        Some(Expr::Subquery(Box::new(part)))
    };
    projection.iter().map(part).collect()
}
