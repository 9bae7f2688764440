//! Casts and typed literals.
//!
//! Owns: what a cast to each PostgreSQL type becomes. Must never know: the type of what is cast, which only planning
//! finds.

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::DataFusionError;
use sqlparser::ast::{
    ArrayElemTypeDef, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Interval,
    TimezoneInfo, Value,
};

use super::expand::call;
use super::literals::{self, elements, number, string};
use super::syntax::taken;
use super::{folded, numbers, types};
use crate::error::{Error, Result, SqlState};

/// Rewrites a cast, a typed literal (`date '2026-01-01'`) or an interval literal.
pub(super) fn rewrite(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::Cast { expr: inner, data_type, .. } => {
            let (inner, data_type) = (taken(inner), data_type.clone());
            *expr = cast(inner, &data_type)?;
        }
        Expr::TypedString(typed) => {
            let value = Expr::Value(typed.value.clone());
            *expr = cast(value, &typed.data_type.clone())?;
        }
        Expr::Interval(interval) => {
            if let Some(text) = interval_text(interval) {
                *expr = interval_literal(&text)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// A cast to any type, its precision applied.
pub(super) fn cast(inner: Expr, data_type: &DataType) -> Result<Expr> {
    let cast = to_type(inner, data_type)?;
    Ok(match types::seconds_precision(data_type) {
        Some(digits) => call("lakegate_precision", vec![cast, number(digits)]),
        None => cast,
    })
}

fn to_type(inner: Expr, data_type: &DataType) -> Result<Expr> {
    if let Some(kind) = types::registry(data_type) {
        return Ok(call(&format!("lakegate_{kind}_in"), vec![inner]));
    }
    if types::is_text(data_type)
        && let Some(kind) = registry_input(&inner)
    {
        let text = call(&format!("lakegate_{kind}_out"), vec![inner]);
        return match types::plain(data_type) {
            DataType::Text => Ok(text),
            other => cast(text, &other),
        };
    }
    let data_type = types::plain(data_type);
    if let Some(text) = literals::text(&inner)
        && let Some(literal) = literal(&text, &data_type)?
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
    if matches!(data_type, DataType::Time(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone)) {
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
            *arg = call("lakegate_cast", vec![taken(arg), name]);
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
fn literal(text: &str, data_type: &DataType) -> Result<Option<Expr>> {
    Ok(match data_type {
        DataType::Interval { .. } => Some(interval_literal(text)?),
        DataType::Bytea => Some(bytes(text)?),
        DataType::Boolean | DataType::Bool => Some(Expr::value(Value::Boolean(boolean(text)?))),
        numeric if types::is_unconstrained_numeric(numeric) => udfs::pg::numeric::plain(text).map(literals::exact),
        DataType::Custom(name, _) if types::is_money(name) => {
            let digits: String = text.trim().chars().filter(|digit| !matches!(digit, '$' | ',')).collect();
            let plain = udfs::pg::numeric::plain(&digits);
            plain.map(|plain| types::cast(literals::exact(plain), data_type.clone()))
        }
        DataType::Uuid => Some(types::cast(string(uuid(text)?), DataType::Uuid)),
        DataType::Date | DataType::Timestamp(..) => moment(text.trim(), data_type)?,
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => Some(array(text, element)?),
        _ => None,
    })
}

fn array(text: &str, element: &DataType) -> Result<Expr> {
    let elements = elements(text)?;
    let mut innermost = element;
    while let DataType::Array(ArrayElemTypeDef::SquareBracket(inner, _)) = innermost {
        innermost = inner;
    }
    let leaf = |value: Expr| {
        let plain = value.clone();
        cast(value, innermost).unwrap_or_else(|_| types::cast(plain, innermost.clone()))
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

fn interval_text(interval: &Interval) -> Option<String> {
    let text = literals::text(&interval.value)?;
    let unit = interval.last_field.as_ref().or(interval.leading_field.as_ref());
    let bare = text.trim().parse::<f64>().is_ok();
    match unit {
        Some(unit) if bare => Some(format!("{text} {unit}")),
        _ => Some(text),
    }
}

fn interval_literal(text: &str) -> Result<Expr> {
    let IntervalMonthDayNano { months, days, nanoseconds } =
        udfs::pg::interval::parse(text).map_err(|error| Error::from(DataFusionError::from(error)))?;
    // The planner's own units are exact in these three, whatever the text's were.
    let value = Box::new(string(format!("{months} months {days} days {nanoseconds} nanoseconds")));
    Ok(Expr::Interval(Interval {
        value,
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    }))
}

/// `\xDEADBEEF`, or the escape format.
fn bytes(text: &str) -> Result<Expr> {
    let invalid = |message: &str| Error::new(SqlState::InvalidTextRepresentation, message);
    let hex = match text.strip_prefix("\\x") {
        Some(hex) => {
            let hex: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
            if hex.len() % 2 == 1 {
                return Err(invalid("invalid hexadecimal data: odd number of digits"));
            }
            if let Some(bad) = hex.chars().find(|c| !c.is_ascii_hexdigit()) {
                return Err(invalid(&format!("invalid hexadecimal digit: \"{bad}\"")));
            }
            hex
        }
        None => {
            let bytes = unescaped(text.as_bytes()).ok_or_else(|| invalid("invalid input syntax for type bytea"))?;
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }
    };
    if hex.is_empty() {
        return Ok(types::cast(string(""), DataType::Bytea));
    }
    Ok(Expr::value(Value::HexStringLiteral(hex)))
}

/// `\\` is a backslash, `\ooo` an octal byte.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest
            }
            [b'\\', ..] => return None,
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
}

/// Unique prefixes of the words count, as in PostgreSQL.
pub(super) fn boolean(text: &str) -> Result<bool> {
    let word = text.trim().to_ascii_lowercase();
    let is = |full: &str, least: usize| word.len() >= least && full.starts_with(&word);
    if is("true", 1) || is("yes", 1) || is("on", 2) || word == "1" {
        return Ok(true);
    }
    if is("false", 1) || is("no", 1) || is("off", 2) || word == "0" {
        return Ok(false);
    }
    let message = format!("invalid input syntax for type boolean: \"{text}\"");
    Err(Error::new(SqlState::InvalidTextRepresentation, message))
}

fn uuid(text: &str) -> Result<String> {
    let parsed = uuid::Uuid::parse_str(text.trim()).map_err(|_| {
        let message = format!("invalid input syntax for type uuid: \"{text}\"");
        Error::new(SqlState::InvalidTextRepresentation, message)
    })?;
    Ok(parsed.hyphenated().to_string())
}

/// The words that name a moment.
fn moment(text: &str, data_type: &DataType) -> Result<Option<Expr>> {
    let now = || call("now", Vec::new());
    let day = |offset: i64| {
        let today = call("date_trunc", vec![string("day"), now()]);
        let shift = interval_literal(&format!("{offset} days"))?;
        let op = sqlparser::ast::BinaryOperator::Plus;
        Ok::<Expr, Error>(Expr::BinaryOp { left: Box::new(today), op, right: Box::new(shift) })
    };
    let value = match text.to_ascii_lowercase().as_str() {
        "now" => now(),
        "today" => day(0)?,
        "tomorrow" => day(1)?,
        "yesterday" => day(-1)?,
        "epoch" => string("1970-01-01T00:00:00Z"),
        "infinity" | "-infinity" | "+infinity" => {
            return Err(Error::unsupported("infinite dates and timestamps are not supported"));
        }
        _ => return Ok(None),
    };
    Ok(Some(types::cast(value, data_type.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_in_both_formats() {
        let cases = [("\\xDEADbeef", "DEADbeef"), ("abc", "616263"), ("\\\\\\001", "5c01")];
        for (text, expect) in cases {
            assert_eq!(bytes(text).unwrap(), Expr::value(Value::HexStringLiteral(expect.to_owned())), "{text}");
        }
        for bad in ["\\x0", "\\xzz", "\\9"] {
            assert_eq!(bytes(bad).unwrap_err().state, SqlState::InvalidTextRepresentation, "{bad}");
        }
    }

    #[test]
    fn booleans_read_by_unique_prefix() {
        for (text, expect) in [
            ("t", true),
            ("TRUE", true),
            ("y", true),
            ("on", true),
            ("1", true),
            ("f", false),
            ("of", false),
            ("no", false),
        ] {
            assert_eq!(boolean(text).unwrap(), expect, "{text}");
        }
        for bad in ["", "o", "2", "maybe"] {
            assert!(boolean(bad).is_err(), "{bad}");
        }
    }
}
