//! The operators of json and jsonb.
//!
//! Owns: which function each is, and how literals and parameters beside them are read. Must never know: what the functions
//! compute. <https://www.postgresql.org/docs/16/functions-json.html>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{Cast, Placeholder};
use datafusion::logical_expr::planner::{PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ScalarUDF};
use sqlparser::ast::BinaryOperator;
use udfs::pg_type;

use super::{Category, Operand, against_zero, ambiguous, compared, operand, refused, undefined};
use crate::engine::rewrite::array_of_texts;
use crate::error::Error;

/// Whether only JSON has the operator.
pub(super) fn is_own(op: &BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(
        op,
        B::Arrow
            | B::LongArrow
            | B::HashArrow
            | B::HashLongArrow
            | B::HashMinus
            | B::Question
            | B::QuestionPipe
            | B::QuestionAnd
            | B::AtQuestion
            | B::AtAt
    )
}

/// Plans an operator that only JSON has.
pub(super) fn own(
    mut expr: RawBinaryExpr,
    left: Option<&Operand>,
    right: Option<&Operand>,
) -> Result<PlannerResult<RawBinaryExpr>> {
    use BinaryOperator as B;
    let unknown = Operand::unknown();
    let (left, right) = (left.unwrap_or(&unknown), right.unwrap_or(&unknown));
    let Some(kind) = left.json() else {
        return Err(match left.category {
            Category::Unknown => ambiguous(left, &expr.op, right),
            _ => undefined(left, &expr.op, right),
        });
    };
    let by_index = right.is_integer();
    let (suffix, wants) = match expr.op {
        B::Arrow if by_index => ("array_element", Wants::Integer),
        B::LongArrow if by_index => ("array_element_text", Wants::Integer),
        B::Arrow => ("object_field", Wants::Text),
        B::LongArrow => ("object_field_text", Wants::Text),
        B::HashArrow => ("path", Wants::Texts),
        B::HashLongArrow => ("path_text", Wants::Texts),
        B::HashMinus if kind == "jsonb" => ("delete_path", Wants::Texts),
        B::Question if kind == "jsonb" => ("exists", Wants::Text),
        B::QuestionPipe if kind == "jsonb" => ("exists_any", Wants::Texts),
        B::QuestionAnd if kind == "jsonb" => ("exists_all", Wants::Texts),
        B::AtQuestion | B::AtAt if kind == "jsonb" => {
            return Err(refused(Error::unsupported(format!("the operator {} of jsonb is not supported", expr.op))));
        }
        _ => return Err(undefined(left, &expr.op, right)),
    };
    if !wants.takes(right) {
        return Err(undefined(left, &expr.op, right));
    }
    wants.give(&mut expr.right)?;
    let internal = if suffix.starts_with("path") { "lakegate_" } else { "" };
    planned(&format!("{internal}{kind}_{suffix}"), expr.left, expr.right)
}

/// Plans an operator that JSON has among others; `None` leaves it to them.
pub(super) fn shared(
    expr: &mut RawBinaryExpr,
    left: Option<&Operand>,
    right: Option<&Operand>,
) -> Result<Option<Expr>> {
    use BinaryOperator as B;
    let unknown = Operand::unknown();
    let (left, right) = (left.unwrap_or(&unknown), right.unwrap_or(&unknown));
    let kinds = (left.json(), right.json());
    if kinds == (None, None) {
        return Ok(None);
    }
    let sides = || kinds.0.is_none_or(|kind| kind == "jsonb") && kinds.1.is_none_or(|kind| kind == "jsonb");
    let both = sides() && [left, right].iter().all(|side| side.json().is_some() || side.category == Category::Unknown);
    let comparison = compared(&expr.op);
    let name = match &expr.op {
        _ if comparison.is_some() => "jsonb_cmp",
        B::AtArrow => "jsonb_contains",
        B::ArrowAt => "jsonb_contained",
        B::StringConcat if both => "jsonb_concat",
        // A text and anything else are joined as texts.
        B::StringConcat => return Ok(None),
        B::Minus if kinds.0 == Some("jsonb") => {
            let wants = match right.category {
                Category::Array => Wants::Texts,
                _ if right.is_integer() => Wants::Integer,
                _ => Wants::Text,
            };
            if !wants.takes(right) {
                return Err(undefined(left, &expr.op, right));
            }
            let (left, mut right) = (take(&mut expr.left), take(&mut expr.right));
            wants.give(&mut right)?;
            return call("jsonb_delete", left, right).map(Some);
        }
        _ => return Err(undefined(left, &expr.op, right)),
    };
    if !both {
        return Err(undefined(left, &expr.op, right));
    }
    let (mut left, mut right) = (take(&mut expr.left), take(&mut expr.right));
    for side in [&mut left, &mut right] {
        Wants::Jsonb.give(side)?;
    }
    let answer = call(name, left, right)?;
    Ok(Some(if comparison.is_some() { against_zero(answer, &expr.op) } else { answer }))
}

/// What a side of an operator, or an argument, has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Wants {
    Integer,
    Text,
    Texts,
    Json,
    Jsonb,
}

impl Wants {
    /// Whether it is that, or a literal that is read as that.
    pub(in crate::engine) fn takes(self, given: &Operand) -> bool {
        match (self, given.category) {
            (_, Category::Unknown) => true,
            (Self::Integer, _) => given.is_integer(),
            (Self::Text, category) => category == Category::Text,
            (Self::Texts, category) => category == Category::Array,
            (Self::Json, _) => given.json() == Some("json"),
            (Self::Jsonb, _) => given.json() == Some("jsonb"),
        }
    }

    fn field(self) -> Field {
        match self {
            Self::Integer => Field::new("", DataType::Int32, true),
            Self::Text => Field::new("", DataType::Utf8, true),
            Self::Texts => Field::new("", DataType::new_list(DataType::Utf8, true), true),
            Self::Json => pg_type::tagged("", DataType::Utf8, "json"),
            Self::Jsonb => pg_type::tagged("", DataType::Utf8, "jsonb"),
        }
    }

    /// Makes a literal of unknown type, or a parameter, what is wanted.
    pub(in crate::engine) fn give(self, expr: &mut Expr) -> Result<()> {
        match expr {
            Expr::Placeholder(Placeholder { field: field @ None, .. }) => *field = Some(Arc::new(self.field())),
            Expr::Literal(ScalarValue::Utf8(Some(text)), None) => match self {
                Self::Integer | Self::Text => {}
                Self::Texts => {
                    *expr = Expr::Literal(array_of_texts(text).map_err(refused)?, None);
                }
                Self::Json | Self::Jsonb => {
                    let literal = take(expr);
                    *expr = Expr::Cast(Cast::new_from_field(Box::new(literal), Arc::new(self.field())));
                }
            },
            _ => {}
        }
        Ok(())
    }
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None))
}

fn planned(name: &str, left: Expr, right: Expr) -> Result<PlannerResult<RawBinaryExpr>> {
    call(name, left, right).map(PlannerResult::Planned)
}

pub(super) fn call(name: &str, left: Expr, right: Expr) -> Result<Expr> {
    let udf: Option<Arc<ScalarUDF>> = udfs::pg::json::by_name(name);
    match udf {
        Some(udf) => Ok(operand::call(udf, vec![left, right])),
        None => Err(refused(Error::internal(format!("no function {name}")))),
    }
}
