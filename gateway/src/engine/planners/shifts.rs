//! `<<` and `>>` of integers: the result has the type of what is shifted, by an `integer`.
//!
//! Owns: that a `smallint` stays one, without the bits beyond. Must never know: other operators.
//! <https://www.postgresql.org/docs/16/functions-math.html>

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::planner::{PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast, lit};
use sqlparser::ast::BinaryOperator;

use super::{Operand, undefined};

pub(super) fn shift(expr: RawBinaryExpr, left: &Operand, right: &Operand) -> Result<PlannerResult<RawBinaryExpr>> {
    if left.is_integer() && right.is_integer() && right.name == "bigint" {
        return Err(undefined(left, &expr.op, right));
    }
    if left.name != "smallint" || !left.is_integer() || !right.is_integer() {
        return Ok(PlannerResult::Original(expr));
    }
    let (value, by) = (cast(expr.left, DataType::Int32), cast(expr.right, DataType::Int32));
    let shifted = match expr.op {
        BinaryOperator::PGBitwiseShiftRight => by_bits(value, Operator::BitwiseShiftRight, by),
        // What is left of the upper half is the sign of the lower one.
        _ => {
            let wide = by_bits(value, Operator::BitwiseShiftLeft, by);
            let upper = by_bits(wide, Operator::BitwiseShiftLeft, lit(16_i32));
            by_bits(upper, Operator::BitwiseShiftRight, lit(16_i32))
        }
    };
    Ok(PlannerResult::Planned(cast(shifted, DataType::Int16)))
}

fn by_bits(value: Expr, op: Operator, by: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(value), op, Box::new(by)))
}
