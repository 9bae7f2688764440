//! `timestamp + $1`, `interval * $1`, `$1 || $2`.
//!
//! Owns: the parameters whose one possible type is not that of the other side. Must never know: other operators.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable};
use sqlparser::ast::BinaryOperator;

/// Gives such a parameter its type, before anyone asks for it.
#[derive(Debug)]
pub(in crate::engine) struct Parameters;

impl ExprPlanner for Parameters {
    fn plan_binary_op(&self, mut expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        // Two parameters joined are texts.
        if let (BinaryOperator::StringConcat, Expr::Placeholder(left), Expr::Placeholder(right)) =
            (&expr.op, &mut expr.left, &mut expr.right)
            && left.field.is_none()
            && right.field.is_none()
        {
            for side in [left, right] {
                side.field = Some(Arc::new(Field::new("", DataType::Utf8, true)));
            }
            return Ok(PlannerResult::Original(expr));
        }
        let sides = (expr.left.get_type(schema).ok(), expr.right.get_type(schema).ok());
        for (side, other) in [(&mut expr.left, sides.1), (&mut expr.right, sides.0)] {
            let Expr::Placeholder(Placeholder { field: field @ None, .. }) = side else { continue };
            let data_type = match (&expr.op, other) {
                (BinaryOperator::Plus, Some(DataType::Timestamp(..) | DataType::Time64(_))) => {
                    DataType::Interval(IntervalUnit::MonthDayNano)
                }
                (BinaryOperator::Multiply | BinaryOperator::Divide, Some(DataType::Interval(_))) => DataType::Float64,
                _ => continue,
            };
            *field = Some(Arc::new(Field::new("", data_type, true)));
        }
        Ok(PlannerResult::Original(expr))
    }
}
