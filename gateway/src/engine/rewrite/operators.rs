//! Operators: qualified ones, row comparisons, patterns, subscripts.
//!
//! Owns: what each of PostgreSQL's operators is called here. Must never know: operand types.

use sqlparser::ast::{BinaryOperator, DataType, Expr, UnaryOperator};

use super::arrays::{binary, chain};
use super::expand::call;
use super::literals::{self, is_arithmetic, narrow, number, string};
use super::row_queries;
use super::rows::{self, constructor as row};
use super::syntax::taken;
use super::types;
use crate::error::{Error, Result, SqlState};

pub(super) fn rewrite(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::BinaryOp { .. } => binary_operator(expr),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } if matches!(operand.as_ref(), Expr::Interval(_)) => {
            let minus = Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number(1)) };
            *expr = call("lakegate_interval_mul", vec![taken(operand), minus]);
            Ok(())
        }
        Expr::UnaryOp { op, expr: operand } => {
            let name = match op {
                UnaryOperator::PGSquareRoot => "sqrt",
                UnaryOperator::PGCubeRoot => "cbrt",
                UnaryOperator::PGAbs => "abs",
                UnaryOperator::BitwiseNot => "lakegate_int_not",
                UnaryOperator::PGPostfixFactorial => "factorial",
                _ => return Ok(()),
            };
            narrow(operand);
            // The roots are of double precision alone.
            let value = match name {
                "sqrt" | "cbrt" => types::cast(taken(operand), DataType::DoublePrecision),
                _ => taken(operand),
            };
            *expr = call(name, vec![value]);
            Ok(())
        }
        Expr::InList { expr: left, list, negated } => {
            let Some(left) = row(left) else { return Ok(()) };
            let equal = list.iter().map(|item| match row(item) {
                Some(right) => row_comparison(&left, &BinaryOperator::Eq, &right),
                None => Err(unequal_rows()),
            });
            let any = chain(equal.collect::<Result<Vec<_>>>()?, BinaryOperator::Or);
            *expr = if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(any) } } else { any };
            Ok(())
        }
        Expr::InSubquery { .. } => rows::in_rows(expr),
        Expr::Like { .. } | Expr::ILike { .. } => like(expr),
        Expr::SimilarTo { .. } => similar_to(expr),
        Expr::Substring {
            expr: text, substring_from: Some(pattern), substring_for: None, shorthand: false, ..
        } if literals::text(pattern).is_some() => {
            *expr = call("substring", vec![taken(text), taken(pattern)]);
            Ok(())
        }
        Expr::Substring { expr: text, substring_from: Some(pattern), substring_for: Some(escape), .. }
            if literals::text(escape).is_some() =>
        {
            *expr = call("substring", vec![taken(text), taken(pattern), taken(escape)]);
            Ok(())
        }
        Expr::Substring { expr: text, substring_from, substring_for, shorthand, .. } => {
            // What is no number may be a pattern: its type decides.
            let is_number = |part: &Option<Box<Expr>>| part.as_deref().and_then(literals::signed_number).is_some();
            let places =
                *shorthand || substring_from.is_none() || is_number(substring_from) || is_number(substring_for);
            let from = substring_from.as_mut().map_or_else(|| number(1), |from| taken(from));
            let count = substring_for.as_mut().map(|count| taken(count));
            let function = if places { "substr" } else { "substring" };
            *expr = call(function, [taken(text), from].into_iter().chain(count).collect());
            Ok(())
        }
        _ => Ok(()),
    }
}

fn binary_operator(expr: &mut Expr) -> Result<()> {
    let Expr::BinaryOp { left, op, right } = expr else { return Ok(()) };
    if let BinaryOperator::PGCustomBinaryOperator(parts) = op {
        let symbol = parts.last().map(String::as_str).unwrap_or_default();
        *op = plain(symbol)
            .ok_or_else(|| Error::new(SqlState::UndefinedFunction, format!("operator does not exist: {symbol}")))?;
    }
    // `||` gives an array of what is added to it.
    if is_arithmetic(op) || *op == BinaryOperator::StringConcat {
        narrow(left);
        narrow(right);
    }
    if let BinaryOperator::Overlaps = op {
        let sides = row(left).zip(row(right));
        let Some((left, right)) = sides else { return Err(unequal_rows()) };
        *expr = call("overlaps", left.into_iter().chain(right).collect());
        return Ok(());
    }
    if let BinaryOperator::PGStartsWith = op {
        *expr = call("starts_with", vec![taken(left), taken(right)]);
        return Ok(());
    }
    if let (Some(left), Some(right)) = (row(left), row(right)) {
        *expr = row_comparison(&left, op, &right)?;
        return Ok(());
    }
    row_queries::compared(expr)
}

/// The operator that `OPERATOR(pg_catalog.~)` means.
fn plain(symbol: &str) -> Option<BinaryOperator> {
    Some(match symbol {
        "=" => BinaryOperator::Eq,
        "<>" | "!=" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Modulo,
        "||" => BinaryOperator::StringConcat,
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        "&&" => BinaryOperator::PGOverlap,
        "@>" => BinaryOperator::AtArrow,
        "<@" => BinaryOperator::ArrowAt,
        "->" => BinaryOperator::Arrow,
        "->>" => BinaryOperator::LongArrow,
        "#>" => BinaryOperator::HashArrow,
        "#>>" => BinaryOperator::HashLongArrow,
        "#-" => BinaryOperator::HashMinus,
        "?" => BinaryOperator::Question,
        "?|" => BinaryOperator::QuestionPipe,
        "?&" => BinaryOperator::QuestionAnd,
        _ => return None,
    })
}

/// Rows compare field by field, from the left.
pub(super) fn row_comparison(left: &[Expr], op: &BinaryOperator, right: &[Expr]) -> Result<Expr> {
    if left.len() != right.len() {
        return Err(unequal_rows());
    }
    let pairs = || left.iter().cloned().zip(right.iter().cloned());
    match op {
        BinaryOperator::Eq => Ok(chain(pairs().map(|(l, r)| binary(l, op.clone(), r)), BinaryOperator::And)),
        BinaryOperator::NotEq => Ok(chain(pairs().map(|(l, r)| binary(l, op.clone(), r)), BinaryOperator::Or)),
        BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => {
            let strict = match op {
                BinaryOperator::LtEq => BinaryOperator::Lt,
                BinaryOperator::GtEq => BinaryOperator::Gt,
                other => other.clone(),
            };
            let mut rest: Option<Expr> = None;
            for (l, r) in pairs().rev() {
                rest = Some(match rest {
                    None => binary(l, op.clone(), r),
                    Some(rest) => {
                        let before = binary(l.clone(), strict.clone(), r.clone());
                        let tied = chain([binary(l, BinaryOperator::Eq, r), rest], BinaryOperator::And);
                        chain([before, tied], BinaryOperator::Or)
                    }
                });
            }
            rest.ok_or_else(unequal_rows)
        }
        other => Err(Error::unsupported(format!("comparing rows with {other} is not supported"))),
    }
}

fn unequal_rows() -> Error {
    Error::new(SqlState::SyntaxError, "unequal number of entries in row expressions")
}

fn like(expr: &mut Expr) -> Result<()> {
    let insensitive = matches!(expr, Expr::ILike { .. });
    let (Expr::Like { negated, expr: text, pattern, escape_char, .. }
    | Expr::ILike { negated, expr: text, pattern, escape_char, .. }) = expr
    else {
        return Ok(());
    };
    let negated = *negated;
    if let Some(escape) = escape_char.take() {
        let with = escape.value.into_string().unwrap_or_default();
        match literals::text(pattern) {
            Some(known) => **pattern = string(udfs::pg::like_escape::with_backslash(&known, &with)?),
            // It may end with its escape character, which only some texts come to.
            None => {
                let function = if insensitive { "lakegate_ilike" } else { "lakegate_like" };
                let like = call(function, vec![taken(text), taken(pattern), string(with)]);
                *expr = if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(like) } } else { like };
            }
        }
    }
    Ok(())
}

fn similar_to(expr: &mut Expr) -> Result<()> {
    let Expr::SimilarTo { negated, expr: text, pattern, escape_char } = expr else { return Ok(()) };
    let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
    let escape = escape_char.take().map(|escape| string(escape.value.into_string().unwrap_or_default()));
    let regex = call("similar_to_escape", [taken(pattern)].into_iter().chain(escape).collect());
    *expr = binary(taken(text), op, regex);
    Ok(())
}
