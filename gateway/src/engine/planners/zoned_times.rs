//! `timetz + interval`, `interval + timetz`, `timetz - interval`.
//!
//! Owns: the operators of times with time zone. Must never know: how they compute.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::planner::{PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ScalarUDF};
use sqlparser::ast::BinaryOperator;
use udfs::pg::zoned_times::{add, sub};

use super::operand::{self, Operand, call};
use super::{Category, ambiguous, undefined};

/// An operator of numbers and moments, one side of which is such a time.
pub(super) fn arithmetic(
    mut expr: RawBinaryExpr,
    left: &Operand,
    right: &Operand,
) -> Result<PlannerResult<RawBinaryExpr>> {
    use Category as C;
    let moved = |udf: Arc<ScalarUDF>, time: Expr, span: Expr| Ok(PlannerResult::Planned(call(udf, vec![time, span])));
    match (&expr.op, left.category, right.category) {
        (BinaryOperator::Plus, C::ZonedTime, C::Interval) => moved(add(), expr.left, expr.right),
        (BinaryOperator::Plus, C::Interval, C::ZonedTime) => moved(add(), expr.right, expr.left),
        (BinaryOperator::Minus, C::ZonedTime, C::Interval) => moved(sub(), expr.left, expr.right),
        (BinaryOperator::Minus, C::ZonedTime, C::Unknown) => {
            operand::as_interval(&mut expr.right);
            moved(sub(), expr.left, expr.right)
        }
        // A date and an interval may stand beside it.
        (BinaryOperator::Plus, C::Unknown, _) | (BinaryOperator::Plus, _, C::Unknown) => {
            Err(ambiguous(left, &expr.op, right))
        }
        _ => Err(undefined(left, &expr.op, right)),
    }
}
