//! From where to where gaps are filled.
//!
//! Owns: the arguments of the call, and the conditions of WHERE that stand for those that are missing. Must never know:
//! their values.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, JoinType, Result};
use datafusion::logical_expr::expr::{Alias, Between, Cast};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, cast};

use super::node::Bound;
use super::{HINT, invalid, refused};
use crate::error::{Error, SqlState};

pub(super) struct Range {
    pub(super) starts: Vec<Bound>,
    pub(super) finishes: Vec<Bound>,
}

/// The range of a call over the rows of a plan: of its time, and its start and finish as far as they are given.
pub(super) fn range((time, bounds): (Option<&Expr>, &[Expr]), input: &LogicalPlan, times: &DataType) -> Result<Range> {
    let given = |at: usize, what: &str| match bounds.get(at) {
        Some(arg) if !is_null(arg) => match is_simple(arg) {
            true => Ok(vec![Bound { value: arg.clone(), is_behind: false }]),
            false => Err(invalid(&format!("{what} must be a simple expression"))),
        },
        _ => Ok(Vec::new()),
    };
    let mut range = Range { starts: given(0, "start")?, finishes: given(1, "finish")? };
    if !range.starts.is_empty() && !range.finishes.is_empty() {
        return Ok(range);
    }
    let Some(column) = time.and_then(|time| column(time, input.schema())) else {
        let message = "ts needs to refer to a single column if no start or finish is supplied";
        let message = format!("invalid time_bucket_gapfill argument: {message}");
        return Err(refused(Error::new(SqlState::InvalidParameterValue, message).hint(HINT)));
    };
    let mut found = Range { starts: Vec::new(), finishes: Vec::new() };
    collect(input, column, times, &mut found);
    if range.starts.is_empty() {
        range.starts = found.starts;
    }
    if range.finishes.is_empty() {
        range.finishes = found.finishes;
    }
    for (bounds, what) in [(&range.starts, "start"), (&range.finishes, "finish")] {
        if bounds.is_empty() {
            let message = format!("missing time_bucket_gapfill argument: could not infer {what} from WHERE clause");
            return Err(refused(Error::new(SqlState::InvalidParameterValue, message).hint(HINT)));
        }
    }
    Ok(range)
}

/// The conditions on the column in the query's own FROM and WHERE, and none that outer joins only match by.
fn collect(plan: &LogicalPlan, column: &Column, times: &DataType, found: &mut Range) {
    match plan {
        LogicalPlan::Filter(filter) => {
            conditions((&filter.predicate, plan.schema()), column, times, found);
            collect(&filter.input, column, times, found);
        }
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
            if let Some(filter) = &join.filter {
                conditions((filter, plan.schema()), column, times, found);
            }
            collect(&join.left, column, times, found);
            collect(&join.right, column, times, found);
        }
        _ => {}
    }
}

fn conditions((predicate, schema): (&Expr, &DFSchema), of: &Column, times: &DataType, found: &mut Range) {
    let is_column = |expr: &Expr| column(expr, schema) == Some(of);
    let mut bound = |op: Operator, value: &Expr| {
        if !is_simple(value) {
            return;
        }
        let bounds = match op {
            Operator::Gt | Operator::GtEq => &mut found.starts,
            Operator::Lt | Operator::LtEq => &mut found.finishes,
            _ => return,
        };
        let is_behind = matches!(op, Operator::Gt | Operator::LtEq);
        bounds.push(Bound { value: cast(value.clone(), times.clone()), is_behind });
    };
    for part in split_conjunction(predicate) {
        match part {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_column(left) => bound(*op, right),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_column(right) => {
                if let Some(swapped) = op.swap() {
                    bound(swapped, left);
                }
            }
            Expr::Between(Between { expr, negated: false, low, high }) if is_column(expr) => {
                bound(Operator::GtEq, low);
                bound(Operator::LtEq, high);
            }
            _ => {}
        }
    }
}

/// The column of an expression that is one, behind casts that keep its order, as the rules on types add them.
fn column<'a>(expr: &'a Expr, schema: &DFSchema) -> Option<&'a Column> {
    use DataType::{Date32, Timestamp};
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Cast(Cast { expr, field }) => match (expr.get_type(schema).ok()?, field.data_type()) {
            (Date32 | Timestamp(..), Timestamp(..)) => column(expr, schema),
            (from, to) if from.is_integer() && to.is_integer() => column(expr, schema),
            _ => None,
        },
        _ => None,
    }
}

/// NULL as it is written, with whatever type it was given.
fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(Cast { expr, .. }) | Expr::Alias(Alias { expr, .. }) => is_null(expr),
        _ => false,
    }
}

/// Whether an expression has one value, which is known before any row is.
pub(super) fn is_simple(expr: &Expr) -> bool {
    let depends = expr.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::Column(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
        ))
    });
    !depends.unwrap_or(true) && !expr.is_volatile()
}
