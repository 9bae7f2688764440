//! Literals: their texts, their numbers, PostgreSQL's array notation.
//!
//! Owns: how a literal is read and written. Must never know: what it is used for.

use sqlparser::ast::{
    Array, BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
    Value,
};

use udfs::pg::input;

use super::expand::call;
use super::{folded, types};
use crate::error::{Error, Result};

/// Functions whose result has the type of their arguments, so that a small number in them must be an `integer`.
const SAME_TYPE: &[&str] = &[
    "abs",
    "any_value",
    "array_agg",
    "array_append",
    "array_prepend",
    "array_remove",
    "array_replace",
    "array_to_json",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "coalesce",
    "gcd",
    "greatest",
    "lcm",
    "least",
    "max",
    "min",
    "mod",
    "nullif",
    "row_to_json",
    "sum",
];

/// Functions whose result has the type of their first argument.
const FIRST_TYPE: &[&str] = &["array_fill", "first_value", "lag", "last_value", "lead", "nth_value", "to_hex"];

/// The text of a string literal.
pub(super) fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => Some(text.clone()),
            Value::DollarQuotedString(quoted) => Some(quoted.value.clone()),
            _ => None,
        },
        Expr::Nested(inner) => text(inner),
        _ => None,
    }
}

/// Whether the expression is a literal, maybe signed or cast.
pub(super) fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => !matches!(value.value, Value::Placeholder(_)),
        Expr::Cast { expr, .. } | Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_literal(expr),
        Expr::Array(array) => array.elem.iter().all(is_literal),
        Expr::Interval(_) => true,
        _ => false,
    }
}

pub(super) fn string(text: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(text.into()))
}

pub(super) fn number(digits: impl ToString) -> Expr {
    Expr::value(Value::Number(digits.to_string(), false))
}

/// The text of a number literal with its sign.
pub(super) fn signed_number(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => Some(digits.clone()),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            signed_number(expr).filter(|text| !text.starts_with('-')).map(|text| format!("-{text}"))
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } | Expr::Nested(expr) => signed_number(expr),
        _ => None,
    }
}

/// Makes a number that fits `integer` one: the planner would call it `bigint`.
pub(super) fn narrow(expr: &mut Expr) {
    match expr {
        Expr::Value(value) => {
            if let Value::Number(digits, _) = &value.value
                && digits.parse::<i32>().is_ok()
            {
                *expr = types::cast(expr.clone(), DataType::Int4(None));
            }
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } if is_least(operand) => {
            *expr = types::cast(expr.clone(), DataType::Int4(None));
        }
        // Two signs make the number that is written, as PostgreSQL's grammar has it.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } if negated(operand).is_some() => {
            if let Some(number) = negated(operand) {
                *expr = number.clone();
                narrow(expr);
            }
        }
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } | Expr::Nested(expr) => narrow(expr),
        _ => {}
    }
}

/// Whether the number after a minus makes the least `integer`, which no positive number is as large as.
fn is_least(operand: &Expr) -> bool {
    matches!(operand, Expr::Value(value) if matches!(&value.value, Value::Number(digits, _) if digits == "2147483648"))
}

/// The number after a minus.
fn negated(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Nested(inner) => negated(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            matches!(expr.as_ref(), Expr::Value(value) if matches!(value.value, Value::Number(..))).then_some(expr)
        }
        _ => None,
    }
}

/// A number in a notation that the planner reads: without an exponent, as a float where no decimal holds it.
///
/// A float must not lose digits that are written out: those are 0A000.
pub(super) fn spell_out(expr: &mut Expr) -> Result<()> {
    let Expr::Value(value) = expr else { return Ok(()) };
    let Value::Number(digits, _) = &value.value else { return Ok(()) };
    if digits.parse::<i64>().is_ok() {
        return Ok(());
    }
    *expr = match udfs::pg::numeric::plain(digits) {
        Some(plain) if plain == *digits => return Ok(()),
        Some(plain) => exact(plain),
        None if digits.contains(['e', 'E']) || is_float(digits) => {
            types::cast(string(digits.clone()), DataType::DoublePrecision)
        }
        None => return Err(Error::unsupported("numeric values of more than 38 digits are not supported")),
    };
    Ok(())
}

/// Whether a float has exactly these digits, as programs write that print all of a float.
fn is_float(digits: &str) -> bool {
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    digits.parse::<f64>().is_ok_and(|float| format!("{float:.decimals$}") == digits)
}

/// The numeric of these digits, with the scale that they are written with.
pub(super) fn exact(digits: String) -> Expr {
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits.to_owned()),
        None => (false, digits),
    };
    let is_whole = !digits.contains('.');
    let literal = number(digits);
    // The planner takes a number without a point for an integer.
    let literal = if is_whole { call("lakegate_numeric", vec![literal]) } else { literal };
    match negative {
        true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(literal) },
        false => literal,
    }
}

/// Makes the small numbers that decide the type of a call `integer`.
pub(super) fn narrow_arguments(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else { return };
    let Some(name) = name.0.last().and_then(|part| part.as_ident()).map(folded) else { return };
    let narrowed = match name.as_str() {
        name if SAME_TYPE.contains(&name) => list.args.len(),
        name if FIRST_TYPE.contains(&name) => 1,
        _ => 0,
    };
    for arg in list.args.iter_mut().take(narrowed) {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg {
            narrow(expr);
        }
    }
}

/// Whether an operator's result has the type of its operands.
pub(super) fn is_arithmetic(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseOr
            | BinaryOperator::PGBitwiseXor
            | BinaryOperator::PGBitwiseShiftLeft
            | BinaryOperator::PGBitwiseShiftRight
    )
}

/// One element of an array literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    Null,
    Text(String),
    Array(Vec<Element>),
}

impl Element {
    /// The element as an expression; leaves are made by `leaf`.
    pub(super) fn expr(&self, leaf: &dyn Fn(Expr) -> Expr) -> Expr {
        match self {
            Element::Null => leaf(Expr::value(Value::Null)),
            Element::Text(text) => leaf(string(text)),
            Element::Array(elements) => array(elements.iter().map(|element| element.expr(leaf)).collect()),
        }
    }
}

pub(super) fn array(elem: Vec<Expr>) -> Expr {
    Expr::Array(Array { elem, named: true })
}

/// Reads PostgreSQL's array notation, `{1,NULL,"a b"}`.
pub(super) fn elements(literal: &str) -> Result<Vec<Element>> {
    let input::Elements { dimensions, texts } = input::array(literal)?;
    let mut texts = texts.into_iter();
    Ok(nested(&dimensions, &mut texts))
}

fn nested(dimensions: &[usize], texts: &mut impl Iterator<Item = Option<String>>) -> Vec<Element> {
    match dimensions {
        [] => Vec::new(),
        [length] => texts.take(*length).map(|text| text.map_or(Element::Null, Element::Text)).collect(),
        [length, inner @ ..] => (0..*length).map(|_| Element::Array(nested(inner, texts))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::SqlState;

    #[test]
    fn array_literals_read_as_postgresql_reads_them() {
        let text = |text: &str| Element::Text(text.to_owned());
        let cases = [
            ("{}", vec![]),
            ("{1, 2}", vec![text("1"), text("2")]),
            ("{a b,\"c,\\\"d\",NULL,\"NULL\"}", vec![text("a b"), text("c,\"d"), Element::Null, text("NULL")]),
            ("{{1},{2}}", vec![Element::Array(vec![text("1")]), Element::Array(vec![text("2")])]),
        ];
        for (literal, expect) in cases {
            assert_eq!(elements(literal).unwrap(), expect, "{literal}");
        }
        for bad in ["", "1,2", "{1", "{1}}", "{,}", "{1,}"] {
            assert_eq!(elements(bad).unwrap_err().state, SqlState::InvalidTextRepresentation, "{bad}");
        }
    }

    #[test]
    fn digits_are_kept_or_refused() {
        let read = |digits: &str| {
            let mut expr = number(digits);
            spell_out(&mut expr).map(|()| expr.to_string()).map_err(|error| error.state)
        };
        let refused = Err(SqlState::FeatureNotSupported);
        assert_eq!(read("12345678901234567890123456789012345678901234567890"), refused);
        assert_eq!(read("123456789012345678901234567890.1234567890"), refused);
        assert_eq!(read("1.50"), Ok("1.50".to_owned()));
        assert_eq!(read("1e3"), Ok("lakegate_numeric(1000)".to_owned()));
        for float in ["1e60", "0.1000000000000000055511151231257827021181583404541015625"] {
            assert_eq!(read(float), Ok(format!("'{float}'::DOUBLE PRECISION")));
        }
    }
}
