//! Meanings of operators that need the types of both sides, and so cannot be rewritten in the AST.
//!
//! Owns: PostgreSQL's choice among its operators (a literal of unknown type takes the type that the other side asks of
//! it), and 42883 where there is none. Must never know: tables. Arrays have their own file.
//! <https://www.postgresql.org/docs/16/typeconv-oper.html>

mod arrays;
pub(super) mod json;
mod keys;
mod literal;
mod money;
pub(super) mod operand;
mod parameters;
mod shifts;
mod subscripts;
mod zoned_times;

use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};
use sqlparser::ast::BinaryOperator;

use crate::error::{Error, SqlState};
pub(super) use arrays::ArrayLiterals;
pub(super) use keys::Key;
pub(super) use money::Money;
pub(super) use operand::{Category, Operand};
pub(super) use parameters::Parameters;
pub(super) use subscripts::Subscripts;

/// Chooses operators by the types of both sides.
#[derive(Debug)]
pub(super) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let sides = (Operand::of(&expr.left, schema), Operand::of(&expr.right, schema));
        if json::is_own(&expr.op) {
            return json::own(expr, sides.0.as_ref(), sides.1.as_ref());
        }
        let mut expr = expr;
        if let Some(planned) = json::shared(&mut expr, sides.0.as_ref(), sides.1.as_ref())? {
            return Ok(PlannerResult::Planned(planned));
        }
        let (Some(left), Some(right)) = sides else { return Ok(PlannerResult::Original(expr)) };
        match &expr.op {
            BinaryOperator::And | BinaryOperator::Or => {
                for side in [&left, &right] {
                    truth(side, &expr.op.to_string())?;
                }
                Ok(PlannerResult::Original(expr))
            }
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => comparison(expr, &left, &right),
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => arithmetic(expr, &left, &right),
            BinaryOperator::PGBitwiseShiftLeft | BinaryOperator::PGBitwiseShiftRight => {
                shifts::shift(expr, &left, &right)
            }
            BinaryOperator::StringConcat => concatenation(expr, &left, &right),
            BinaryOperator::PGRegexMatch
            | BinaryOperator::PGRegexIMatch
            | BinaryOperator::PGRegexNotMatch
            | BinaryOperator::PGRegexNotIMatch => pattern(expr, &left, &right),
            _ => Ok(PlannerResult::Original(expr)),
        }
    }
}

pub(super) fn truth(operand: &Operand, of: &str) -> Result<()> {
    truth_error(operand, of).map_or(Ok(()), |error| Err(refused(error)))
}

/// 42804 for an operand of AND, OR, NOT or a condition that is no truth value.
pub(super) fn truth_error(operand: &Operand, of: &str) -> Option<Error> {
    if matches!(operand.category, Category::Boolean | Category::Unknown) {
        return None;
    }
    let message = format!("argument of {of} must be type boolean, not type {}", operand.name);
    Some(Error::new(SqlState::DatatypeMismatch, message))
}

fn comparison(mut expr: RawBinaryExpr, left: &Operand, right: &Operand) -> Result<PlannerResult<RawBinaryExpr>> {
    let is_undefined = arrays::differ(left.data_type(), right.data_type());
    let is_undefined = is_undefined || money::differ(left, right);
    if is_undefined || !left.compares_with(right) || left.is_document() || right.is_document() {
        return Err(undefined(left, &expr.op, right));
    }
    if left.is_row() && right.is_row() {
        let RawBinaryExpr { op, left, right } = expr;
        let order = operand::call(udfs::pg::rows::compare(), vec![left, right]);
        return Ok(PlannerResult::Planned(against_zero(order, &op)));
    }
    if let Some(key) = left.key().or_else(|| right.key()).filter(|key| *key != Key::Padded) {
        return by_keys(expr, key, left, right);
    }
    if arrays::compares(&expr.op, left.data_type(), right.data_type()) {
        let RawBinaryExpr { op, left, right } = expr;
        let order = operand::call(udfs::pg::array_compare::array_compare(), vec![left, right]);
        return Ok(PlannerResult::Planned(against_zero(order, &op)));
    }
    if left.is_padded() || right.is_padded() {
        // Padding of character(n) does not count, also not that of a literal beside it.
        for (side, operand) in [(&mut expr.left, left), (&mut expr.right, right)] {
            if operand.is_padded() || operand.is_literal() {
                operand::strip(side);
            }
        }
        return Ok(PlannerResult::Original(expr));
    }
    left.give_type(&mut expr.right, right)?;
    right.give_type(&mut expr.left, left)?;
    operand::widen_real([(&mut expr.left, left), (&mut expr.right, right)]);
    Ok(PlannerResult::Original(expr))
}

/// The comparison of the values' keys.
fn by_keys(mut expr: RawBinaryExpr, key: Key, left: &Operand, right: &Operand) -> Result<PlannerResult<RawBinaryExpr>> {
    left.give_type(&mut expr.right, right)?;
    right.give_type(&mut expr.left, left)?;
    let op = compared(&expr.op).unwrap_or(Operator::Eq);
    let keyed = |side: Expr, of: &Operand| {
        // A time beside a time with zone is one in the session's zone.
        let is_local = key == Key::ZonedTime && of.category == Category::Time;
        Box::new(key.of(if is_local { operand::call(udfs::pg::timetz::timetz(), vec![side]) } else { side }))
    };
    let (left, right) = (keyed(expr.left, left), keyed(expr.right, right));
    Ok(PlannerResult::Planned(Expr::BinaryExpr(BinaryExpr::new(left, op, right))))
}

/// The planner's own comparison.
pub(super) fn compared(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}

/// What a three-way comparison says of an operator.
pub(super) fn against_zero(order: Expr, op: &BinaryOperator) -> Expr {
    let op = compared(op).unwrap_or(Operator::Eq);
    Expr::BinaryExpr(BinaryExpr::new(Box::new(order), op, Box::new(lit(0_i32))))
}

fn arithmetic(mut expr: RawBinaryExpr, left: &Operand, right: &Operand) -> Result<PlannerResult<RawBinaryExpr>> {
    use Category as C;
    if left.is_money() || right.is_money() {
        return money::arithmetic(expr, left, right);
    }
    if left.category == C::ZonedTime || right.category == C::ZonedTime {
        return zoned_times::arithmetic(expr, left, right);
    }
    let is = |op: &[BinaryOperator]| op.contains(&expr.op);
    let (sum, product) =
        (is(&[BinaryOperator::Plus, BinaryOperator::Minus]), is(&[BinaryOperator::Multiply, BinaryOperator::Divide]));
    let scaled = |span: Expr, factor: Expr, op: &BinaryOperator| {
        let udf = match op {
            BinaryOperator::Divide => udfs::pg::spans::divided(),
            _ => udfs::pg::spans::times(),
        };
        Ok(PlannerResult::Planned(operand::call(udf, vec![span, factor])))
    };
    let (plus, minus) = (expr.op == BinaryOperator::Plus, expr.op == BinaryOperator::Minus);
    match (left.category, right.category) {
        (C::Number, C::Number) => {
            operand::widen_real([(&mut expr.left, left), (&mut expr.right, right)]);
            Ok(PlannerResult::Original(expr))
        }
        (C::Unknown, C::Unknown) if left.is_literal() && right.is_literal() => Err(ambiguous(left, &expr.op, right)),
        (C::Interval, C::Number) if product => scaled(expr.left, expr.right, &expr.op),
        (C::Interval, C::Unknown) if product && right.is_literal() => scaled(expr.left, expr.right, &expr.op),
        (C::Number, C::Interval) if expr.op == BinaryOperator::Multiply => scaled(expr.right, expr.left, &expr.op),
        (C::Unknown, C::Interval) if expr.op == BinaryOperator::Multiply && left.is_literal() => {
            scaled(expr.right, expr.left, &expr.op)
        }
        (C::Date, C::Unknown) | (C::Unknown, C::Date) if minus && (left.is_literal() || right.is_literal()) => {
            left.give_type(&mut expr.right, right)?;
            right.give_type(&mut expr.left, left)?;
            Ok(PlannerResult::Planned(operand::call(udfs::pg::dates::diff(), vec![expr.left, expr.right])))
        }
        (C::Timestamp | C::Time, C::Unknown) if plus && right.is_literal() => {
            operand::as_interval(&mut expr.right);
            Ok(PlannerResult::Original(expr))
        }
        (C::Unknown, C::Timestamp | C::Time) if plus && left.is_literal() => {
            operand::as_interval(&mut expr.left);
            Ok(PlannerResult::Original(expr))
        }
        (C::Date, C::Unknown) | (C::Unknown, C::Date) if plus && (left.is_literal() || right.is_literal()) => {
            Err(ambiguous(left, &expr.op, right))
        }
        (C::Unknown, _) | (_, C::Unknown) => {
            left.give_type(&mut expr.right, right)?;
            right.give_type(&mut expr.left, left)?;
            let moments = left.category == C::Timestamp || right.category == C::Timestamp;
            if moments && minus && (left.is_literal() || right.is_literal()) {
                return Ok(difference(expr));
            }
            Ok(PlannerResult::Original(expr))
        }
        (C::Timestamp, C::Timestamp | C::Date) | (C::Date, C::Timestamp) if minus => {
            for (side, operand, other) in [(&mut expr.left, left, right), (&mut expr.right, right, left)] {
                if operand.category == C::Date {
                    operand::as_timestamp_of(side, other);
                }
            }
            Ok(difference(expr))
        }
        // A day and a span are a moment.
        (C::Date, C::Interval) if sum => {
            operand::as_timestamp(&mut expr.left);
            Ok(PlannerResult::Original(expr))
        }
        (C::Interval, C::Date) if plus => {
            operand::as_timestamp(&mut expr.right);
            Ok(PlannerResult::Original(expr))
        }
        (C::Date, C::Time) if plus => {
            operand::as_timestamp(&mut expr.left);
            operand::time_as_interval(&mut expr.right);
            Ok(PlannerResult::Original(expr))
        }
        (C::Time, C::Date) if plus => {
            operand::time_as_interval(&mut expr.left);
            operand::as_timestamp(&mut expr.right);
            Ok(PlannerResult::Original(expr))
        }
        (C::Timestamp, C::Time) if sum => {
            operand::time_as_interval(&mut expr.right);
            Ok(PlannerResult::Original(expr))
        }
        (C::Time, C::Timestamp) if plus => {
            operand::time_as_interval(&mut expr.left);
            Ok(PlannerResult::Original(expr))
        }
        (C::Date | C::Timestamp | C::Time | C::Interval, C::Date | C::Timestamp | C::Time | C::Interval) if sum => {
            Ok(PlannerResult::Original(expr))
        }
        (C::Date, C::Number) if sum && right.is_integer() => Ok(PlannerResult::Original(expr)),
        (C::Number, C::Date) if plus && left.is_integer() => Ok(PlannerResult::Original(expr)),
        (C::Other, _) | (_, C::Other) => Ok(PlannerResult::Original(expr)),
        _ => Err(undefined(left, &expr.op, right)),
    }
}

/// Days and time between two moments.
fn difference(expr: RawBinaryExpr) -> PlannerResult<RawBinaryExpr> {
    PlannerResult::Planned(operand::call(udfs::pg::spans::between(), vec![expr.left, expr.right]))
}

/// `text ~ pattern` in PostgreSQL's own regular expressions. The planner's are as fast as LIKE where a pattern is letters,
/// which both read alike.
fn pattern(expr: RawBinaryExpr, left: &Operand, right: &Operand) -> Result<PlannerResult<RawBinaryExpr>> {
    let is_text = |of: &Operand| matches!(of.category, Category::Text | Category::Unknown | Category::Other);
    if !is_text(left) || !is_text(right) {
        return Err(undefined(left, &expr.op, right));
    }
    let insensitive = matches!(expr.op, BinaryOperator::PGRegexIMatch | BinaryOperator::PGRegexNotIMatch);
    if !insensitive && right.literal().is_some_and(udfs::pg::regexp::is_plain) {
        return Ok(PlannerResult::Original(expr));
    }
    let negated = matches!(expr.op, BinaryOperator::PGRegexNotMatch | BinaryOperator::PGRegexNotIMatch);
    let mut args = vec![expr.left, expr.right];
    args.extend(insensitive.then(|| lit("i")));
    let matched = operand::call(udfs::pg::matches::regexp_like(), args);
    Ok(PlannerResult::Planned(if negated { Expr::Not(Box::new(matched)) } else { matched }))
}

fn concatenation(mut expr: RawBinaryExpr, left: &Operand, right: &Operand) -> Result<PlannerResult<RawBinaryExpr>> {
    let joins = |operand: &Operand| {
        matches!(operand.category, Category::Text | Category::Unknown | Category::Array | Category::Other)
    };
    let both_bytes = left.category == Category::Bytes && right.category == Category::Bytes;
    if !joins(left) && !joins(right) && !both_bytes {
        return Err(undefined(left, &expr.op, right));
    }
    for (side, operand) in [(&mut expr.left, left), (&mut expr.right, right)] {
        if operand.is_padded() {
            operand::strip(side);
        } else if operand.is_row() {
            let row = std::mem::replace(side, Expr::Literal(ScalarValue::Null, None));
            *side = operand::call(udfs::pg::text_out::text_out(), vec![row]);
        }
    }
    Ok(PlannerResult::Original(expr))
}

/// 42883.
pub(super) fn undefined(left: &Operand, op: &BinaryOperator, right: &Operand) -> DataFusionError {
    let message = format!("operator does not exist: {} {op} {}", left.name, right.name);
    let hint = "No operator matches the given name and argument types. You might need to add explicit type casts.";
    refused(Error::new(SqlState::UndefinedFunction, message).hint(hint))
}

/// 42725.
pub(super) fn ambiguous(left: &Operand, op: &BinaryOperator, right: &Operand) -> DataFusionError {
    let message = format!("operator is not unique: {} {op} {}", left.name, right.name);
    let hint = "Could not choose a best candidate operator. You might need to add explicit type casts.";
    refused(Error::new(SqlState::AmbiguousFunction, message).hint(hint))
}

pub(super) fn refused(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
