//! Operators whose result PostgreSQL types otherwise than the engine, chosen by the types of their operands.
//!
//! Owns: which function stands for `numeric / numeric`, `date + integer` and their like. Must never know: how they
//! compute.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, binary_expr, cast};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::dates;
use super::numeric::{divide, multiply};

/// Plans the operators; goes before DataFusion's own planners.
#[derive(Debug)]
pub struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        // A parameter has no type yet, and is left to the engine.
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let planned = match expr.op {
            BinaryOperator::Divide if divide::takes(&left, &right) => {
                divide::divide().call(vec![expr.left, expr.right])
            }
            BinaryOperator::Multiply if multiply::takes(&left, &right) => {
                multiply::multiply().call(vec![expr.left, expr.right])
            }
            BinaryOperator::Plus | BinaryOperator::Minus => return with_date(expr, &left, &right),
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => return Ok(PlannerResult::Original(as_floats(expr, &left, &right))),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        Ok(PlannerResult::Planned(planned))
    }
}

/// A numeric compares with a float as a float; the engine would make the float a decimal, of other digits.
fn as_floats(mut expr: RawBinaryExpr, left: &DataType, right: &DataType) -> RawBinaryExpr {
    if left.is_decimal() && right.is_floating() {
        expr.left = cast(expr.left, DataType::Float64);
    } else if left.is_floating() && right.is_decimal() {
        expr.right = cast(expr.right, DataType::Float64);
    }
    expr
}

fn with_date(expr: RawBinaryExpr, left: &DataType, right: &DataType) -> Result<PlannerResult<RawBinaryExpr>> {
    use DataType as D;
    let midnight = |date: Expr| cast(date, D::Timestamp(TimeUnit::Microsecond, None));
    let plus = expr.op == BinaryOperator::Plus;
    Ok(PlannerResult::Planned(match (left, right) {
        (D::Date32, days) if days.is_integer() => {
            let udf = if plus { dates::add() } else { dates::sub() };
            udf.call(vec![expr.left, expr.right])
        }
        (days, D::Date32) if plus && days.is_integer() => dates::add().call(vec![expr.right, expr.left]),
        (D::Date32, D::Date32) if !plus => dates::diff().call(vec![expr.left, expr.right]),
        (D::Date32, D::Interval(_)) => {
            let op = if plus { Operator::Plus } else { Operator::Minus };
            binary_expr(midnight(expr.left), op, expr.right)
        }
        (D::Interval(_), D::Date32) if plus => binary_expr(midnight(expr.right), Operator::Plus, expr.left),
        _ => return Ok(PlannerResult::Original(expr)),
    }))
}
