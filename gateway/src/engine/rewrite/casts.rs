//! Casts and typed literals.
//!
//! Owns: what a cast to each PostgreSQL type becomes. Must never know: the type of what is cast, which only planning
//! finds.

use std::fmt::Write as _;

use sqlparser::ast::{
    ArrayElemTypeDef, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    TimezoneInfo, Value,
};

use super::expand::call;
use super::literals::{self, elements, number, string};
use super::syntax::taken;
use super::{folded, intervals, numbers, types};
use crate::error::{Error, Result};
use udfs::pg::input;
use udfs::pg::interval::Style;

/// Rewrites a cast, a typed literal (`date '2026-01-01'`) or an interval literal.
///
/// `style` is that by which the session reads intervals.
pub(super) fn rewrite(expr: &mut Expr, style: Style) -> Result<()> {
    match expr {
        Expr::Cast { expr: inner, data_type, .. } => {
            let (inner, data_type) = (taken(inner), data_type.clone());
            *expr = cast(inner, &data_type, style)?;
        }
        Expr::TypedString(typed) => {
            let value = Expr::Value(typed.value.clone());
            *expr = cast(value, &typed.data_type.clone(), style)?;
        }
        Expr::Interval(interval) => {
            if let Some(literal) = intervals::literal(interval, style)? {
                *expr = literal;
            }
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn cast(inner: Expr, data_type: &DataType, style: Style) -> Result<Expr> {
    if let Some(kind) = types::registry(data_type) {
        return Ok(call(&format!("lakegate_{kind}_in"), vec![inner]));
    }
    if types::is_text(data_type)
        && let Some(kind) = registry_input(&inner)
    {
        let text = call(&format!("lakegate_{kind}_out"), vec![inner]);
        return match types::plain(data_type) {
            DataType::Text => Ok(text),
            other => cast(text, &other, style),
        };
    }
    if let Some(value) = intervals::cast(&inner, data_type, style)? {
        return Ok(value);
    }
    if let Some(digits) = types::second_digits(data_type) {
        let value = cast(inner, &types::plain(data_type), style)?;
        return Ok(call("lakegate_precision", vec![value, number(digits)]));
    }
    let data_type = types::plain(data_type);
    // The value of a parameter is rounded as any other; one of the declared type would have to fit it.
    if is_parameter(&inner) && types::is_constrained_numeric(&data_type) {
        let value = types::cast(inner, DataType::Numeric(ExactNumberInfo::None));
        return Ok(types::cast(value, data_type));
    }
    if let Some(text) = literals::text(&inner)
        && let Some(literal) = literal(&text, &data_type, style)?
    {
        return Ok(literal);
    }
    if let Some(text) = literals::signed_number(&inner)
        && let Some(literal) = numbers::cast(&text, &data_type)?
    {
        return Ok(literal);
    }
    if let Some((length, padded)) = types::length(&data_type) {
        return Ok(shortened(inner, length, padded));
    }
    let is_text = is_parameter(&inner) || literals::text(&inner).is_some();
    if !is_text && matches!(data_type, DataType::Time(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone)) {
        return Ok(call("lakegate_timetz", vec![inner]));
    }
    if types::is_unconstrained_numeric(&data_type) && !is_parameter(&inner) {
        // Only planning knows the type of what is cast, and so the result's scale.
        return Ok(call("lakegate_numeric", vec![inner]));
    }
    Ok(types::cast(inner, data_type))
}

fn is_parameter(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(value.value, Value::Placeholder(_)),
        Expr::Nested(inner) => is_parameter(inner),
        _ => false,
    }
}

/// The aggregates whose argument may be cast.
const AGGREGATES: &[&str] = &[
    "any_value",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// The function that gives its first argument the name that is its second.
pub(super) const NAMED: &str = "lakegate_cast";

/// Names the casts in an aggregate's arguments: the planner tells two aggregates apart by their names, which leave casts
/// out.
pub(super) fn name_in_aggregate(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else { return };
    let Some(name) = name.0.last().and_then(|part| part.as_ident()).map(folded) else { return };
    if !AGGREGATES.contains(&name.as_str()) {
        return;
    }
    for arg in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = arg
            && let Expr::Cast { data_type, expr: inner, .. } = arg
            && !matches!(inner.as_ref(), Expr::Value(_))
        {
            let name = string(data_type.to_string().to_lowercase());
            *arg = call(NAMED, vec![taken(arg), name]);
        }
    }
}

/// The registry type whose value this call gives.
fn registry_input(expr: &Expr) -> Option<&'static str> {
    let Expr::Function(function) = expr else { return None };
    let name = function.name.0.last().and_then(|part| part.as_ident())?;
    types::REGISTRY.into_iter().find(|kind| name.value == format!("lakegate_{kind}_in"))
}

/// The value of a text literal in a type whose texts the planner reads differently, or not at all.
fn literal(text: &str, data_type: &DataType, style: Style) -> Result<Option<Expr>> {
    Ok(match data_type {
        DataType::Interval { .. } => Some(intervals::of_text(text, style)?),
        DataType::Bytea => Some(bytes(text)?),
        DataType::Boolean | DataType::Bool => Some(Expr::value(Value::Boolean(input::boolean(text)?))),
        numeric if types::is_unconstrained_numeric(numeric) => udfs::pg::numeric::plain(text).map(literals::exact),
        DataType::Uuid => Some(types::cast(string(uuid(text)?), DataType::Uuid)),
        DataType::JSON => {
            input::json(text)?;
            Some(types::cast(string(text), DataType::JSON))
        }
        DataType::JSONB => Some(types::cast(string(input::jsonb(text)?), DataType::JSONB)),
        DataType::Date | DataType::Timestamp(..) => moment(text.trim(), data_type)?,
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => Some(array(text, element, style)?),
        _ => None,
    })
}

fn array(text: &str, element: &DataType, style: Style) -> Result<Expr> {
    let elements = elements(text)?;
    let mut innermost = element;
    while let DataType::Array(ArrayElemTypeDef::SquareBracket(inner, _)) = innermost {
        innermost = inner;
    }
    let leaf = |value: Expr| {
        let plain = value.clone();
        cast(value, innermost, style).unwrap_or_else(|_| types::cast(plain, innermost.clone()))
    };
    let nested = elements.iter().any(|element| matches!(element, literals::Element::Array(_)));
    let values = literals::array(elements.iter().map(|element| element.expr(&leaf)).collect());
    if nested {
        return Ok(values);
    }
    let data_type = DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(innermost.clone()), None));
    Ok(types::cast(values, data_type))
}

/// `varchar(n)` cuts, `char(n)` cuts and pads.
fn shortened(inner: Expr, length: u64, padded: bool) -> Expr {
    let text = call("left", vec![types::cast(inner, DataType::Text), number(length)]);
    match padded {
        true => types::cast(call("rpad", vec![text, number(length)]), DataType::Char(None)),
        false => types::cast(text, DataType::Varchar(None)),
    }
}

/// `\xDEADBEEF`, or the escape format.
fn bytes(text: &str) -> Result<Expr> {
    let bytes = input::bytea(text)?;
    if bytes.is_empty() {
        return Ok(types::cast(string(""), DataType::Bytea));
    }
    let hex = bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Ok(Expr::value(Value::HexStringLiteral(hex)))
}

fn uuid(text: &str) -> Result<String> {
    Ok(uuid::Uuid::from_bytes(input::uuid(text)?).hyphenated().to_string())
}

/// The words that name a moment.
fn moment(text: &str, data_type: &DataType) -> Result<Option<Expr>> {
    let now = || call("now", Vec::new());
    let day = |offset: i64| {
        let today = call("date_trunc", vec![string("day"), now()]);
        let shift = intervals::of_text(&format!("{offset} days"), Style::default())?;
        let op = sqlparser::ast::BinaryOperator::Plus;
        Ok::<Expr, Error>(Expr::BinaryOp { left: Box::new(today), op, right: Box::new(shift) })
    };
    let value = match text.to_ascii_lowercase().as_str() {
        "now" => now(),
        "today" => day(0)?,
        "tomorrow" => day(1)?,
        "yesterday" => day(-1)?,
        "epoch" => string("1970-01-01T00:00:00Z"),
        _ => return Ok(None),
    };
    Ok(Some(types::cast(value, data_type.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::SqlState;

    #[test]
    fn bytes_read_in_both_formats() {
        let cases = [("\\xDEADbeef", "DEADbeef"), ("abc", "616263"), ("\\\\\\001", "5c01")];
        for (text, expect) in cases {
            assert_eq!(bytes(text).unwrap(), Expr::value(Value::HexStringLiteral(expect.to_lowercase())), "{text}");
        }
        for (bad, state) in [("\\x0", SqlState::InvalidParameterValue), ("\\9", SqlState::InvalidTextRepresentation)] {
            assert_eq!(bytes(bad).unwrap_err().state, state, "{bad}");
        }
    }
}
