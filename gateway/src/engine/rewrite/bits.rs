//! `(x::bit(7) & B'0000100')::int4`: there are no bit strings, but the integer that one becomes is one of masks.
//!
//! Owns: which expressions over bit strings of one width are integers. Tools read flags of the catalogs so. Must never know:
//! names.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, DataType, Expr, Query, Value, VisitMut, VisitorMut};

use super::{arrays, literals, types};

/// Says casts of bit strings to integers in integers.
pub(super) fn rewrite(query: &mut Query) {
    let _ = query.visit(&mut Casts);
}

struct Casts;

impl VisitorMut for Casts {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast { expr: inner, data_type, .. } = expr
            && matches!(types::name(data_type).as_str(), "int4" | "int8")
            && let Some(bits) = Bits::of(inner)
        {
            **inner = Expr::Nested(Box::new(bits.number));
        }
        ControlFlow::Continue(())
    }
}

/// A bit string as the number that it is in binary.
struct Bits {
    number: Expr,
    width: u64,
}

/// Of wider ones the first bit would be the sign.
const WIDEST: u64 = 31;

impl Bits {
    fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::Nested(inner) => Self::of(inner),
            Expr::Cast { expr: number, data_type: DataType::Bit(Some(width @ 1..=WIDEST)), .. } => {
                if literals::text(number).is_some() {
                    return None;
                }
                // The low bits, as PostgreSQL takes them of an integer.
                let mask = literals::number((1_u64 << width) - 1);
                let number = arrays::binary(number.as_ref().clone(), BinaryOperator::BitwiseAnd, mask);
                Some(Self { number: Expr::Nested(Box::new(number)), width: *width })
            }
            Expr::Value(value) => {
                let Value::SingleQuotedByteStringLiteral(digits) = &value.value else { return None };
                let width = u64::try_from(digits.len()).ok().filter(|width| (1..=WIDEST).contains(width))?;
                let number = u32::from_str_radix(digits, 2).ok()?;
                Some(Self { number: literals::number(number), width })
            }
            Expr::BinaryOp { left, op: op @ (BinaryOperator::BitwiseAnd | BinaryOperator::BitwiseOr), right } => {
                let (left, right) = (Self::of(left)?, Self::of(right)?);
                let number = arrays::binary(left.number, op.clone(), right.number);
                (left.width == right.width).then(|| Self { number: Expr::Nested(Box::new(number)), width: left.width })
            }
            _ => None,
        }
    }
}
