//! `money + money`, `money * number`, `money / number`, `money / money`.
//!
//! Owns: which of them there are, and that amounts stay amounts: the planner takes them for numerics. Must never know:
//! how they compute. <https://www.postgresql.org/docs/16/datatype-money.html>

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, ScalarUDF, cast};
use sqlparser::ast::BinaryOperator;
use udfs::pg::money;
use udfs::pg_type;

use super::operand::call;
use super::{Category, Operand, undefined};

/// Plans `*` and `/` of amounts; goes before the planner of numerics, which an amount is in Arrow.
#[derive(Debug)]
pub(in crate::engine) struct Money;

impl ExprPlanner for Money {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let may_be = |side: &Expr| matches!(side.get_type(schema), Ok(DataType::Decimal128(_, 2)));
        if !matches!(expr.op, BinaryOperator::Multiply | BinaryOperator::Divide)
            || !(may_be(&expr.left) || may_be(&expr.right))
        {
            return Ok(PlannerResult::Original(expr));
        }
        match (Operand::of(&expr.left, schema), Operand::of(&expr.right, schema)) {
            (Some(left), Some(right)) if left.is_money() || right.is_money() => arithmetic(expr, &left, &right),
            _ => Ok(PlannerResult::Original(expr)),
        }
    }
}

/// An operator with an amount on one side at least.
pub(super) fn arithmetic(expr: RawBinaryExpr, left: &Operand, right: &Operand) -> Result<PlannerResult<RawBinaryExpr>> {
    let number = |operand: &Operand| operand.category == Category::Number && !operand.is_money();
    let factor = |operand: &Operand| number(operand) || operand.is_literal();
    let is_amount = |operand: &Operand| operand.is_money() || operand.is_literal();
    let RawBinaryExpr { op, left: one, right: other } = expr;
    let planned = match &op {
        BinaryOperator::Plus if is_amount(left) && is_amount(right) => sum(one, Operator::Plus, other),
        BinaryOperator::Minus if is_amount(left) && is_amount(right) => sum(one, Operator::Minus, other),
        BinaryOperator::Multiply if left.is_money() && right.is_integer() => sum(one, Operator::Multiply, other),
        BinaryOperator::Multiply if left.is_integer() && right.is_money() => sum(one, Operator::Multiply, other),
        BinaryOperator::Multiply if left.is_money() && factor(right) => scaled(money::times(), one, other),
        BinaryOperator::Multiply if factor(left) && right.is_money() => scaled(money::times(), other, one),
        BinaryOperator::Divide if is_amount(left) && is_amount(right) => {
            call(money::ratio(), vec![amount(one), amount(other)])
        }
        BinaryOperator::Divide if left.is_money() && right.is_integer() => {
            call(money::part(), vec![amount(one), other])
        }
        BinaryOperator::Divide if left.is_money() && number(right) => scaled(money::divided(), one, other),
        _ => {
            let unknown = left.category == Category::Unknown || right.category == Category::Unknown;
            if unknown && !left.is_literal() && !right.is_literal() {
                return Ok(PlannerResult::Original(RawBinaryExpr { op, left: one, right: other }));
            }
            return Err(undefined(left, &op, right));
        }
    };
    Ok(PlannerResult::Planned(planned))
}

/// Whether one side is an amount and the other a number: PostgreSQL compares them not.
pub(super) fn differ(left: &Operand, right: &Operand) -> bool {
    left.category == Category::Number && right.category == Category::Number && left.is_money() != right.is_money()
}

fn sum(left: Expr, op: Operator, right: Expr) -> Expr {
    let side = |side: Expr| if op == Operator::Multiply { side } else { amount(side) };
    amount(Expr::BinaryExpr(BinaryExpr::new(Box::new(side(left)), op, Box::new(side(right)))))
}

fn scaled(function: Arc<ScalarUDF>, of: Expr, by: Expr) -> Expr {
    call(function, vec![amount(of), cast(by, DataType::Float64)])
}

/// The expression as an amount; what is one already may have more digits, as a sum has.
fn amount(expr: Expr) -> Expr {
    let field = pg_type::tagged("", money::MONEY, "money");
    Expr::Cast(Cast::new_from_field(Box::new(expr), Arc::new(field)))
}
