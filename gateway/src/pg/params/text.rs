//! The text form of every type.
//!
//! Owns: PostgreSQL's input functions of the types that have no file of their own, and their messages.

use udfs::pg::{interval, json};

use super::array;
use super::exact::Exact;
use super::value::Value;
use super::{datetime, integer, invalid, is_space};
use crate::error::{Error, Result, SqlState};
use crate::pg::{encode, types};
use crate::session::vars::Display;

/// The value of the type `oid` that a text names.
pub(super) fn read(text: &str, oid: u32, display: &Display) -> Result<Value> {
    Ok(match oid {
        types::BOOL => Value::Bool(boolean(text).ok_or_else(|| invalid(oid, text))?),
        types::INT2 | types::INT4 | types::INT8 | types::OID | types::XID | types::CID => {
            Value::Integer(integer::read(text, oid)?)
        }
        types::REGPROC | types::REGCLASS | types::REGTYPE | types::REGNAMESPACE | types::REGROLE => {
            Value::Integer(if text == "-" { 0 } else { integer::read(text, types::OID)? })
        }
        types::FLOAT4 => Value::Single(single(text)?),
        types::FLOAT8 => Value::Double(double(text)?),
        types::NUMERIC => Value::Numeric(Exact::parse(text)?),
        types::BYTEA => Value::Bytes(bytea(text)?),
        types::UUID => Value::Uuid(uuid(text).ok_or_else(|| invalid(oid, text))?),
        types::DATE => Value::Date(datetime::date(text, display)?),
        types::TIME => Value::Time(datetime::time(text)?),
        types::TIMESTAMP => Value::Timestamp { at: datetime::timestamp(text, false, display)?, zoned: false },
        types::TIMESTAMPTZ => Value::Timestamp { at: datetime::timestamp(text, true, display)?, zoned: true },
        types::INTERVAL => Value::Interval(interval(text)?),
        types::JSON => {
            json::check(text)?;
            Value::Text(text.to_owned())
        }
        types::JSONB => Value::Text(json::normal(text)?),
        types::INET | types::CIDR => {
            encode::address(text).ok_or_else(|| invalid(oid, text))?;
            Value::Text(text.to_owned())
        }
        types::INT2VECTOR | types::OIDVECTOR => Value::Array(array::vector(text, oid)?),
        oid => match types::element_of(oid) {
            Some(element) => Value::Array(array::read(text, element, display)?),
            None => Value::Text(text.to_owned()),
        },
    })
}

/// `parse_bool`: any unambiguous beginning of the words.
fn boolean(text: &str) -> Option<bool> {
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    match word.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        "" => None,
        _ if begins("true", 1) || begins("yes", 1) || word == "on" => Some(true),
        _ if begins("false", 1) || begins("no", 1) || begins("off", 2) => Some(false),
        _ => None,
    }
}

fn double(text: &str) -> Result<f64> {
    let number = text.trim_matches(is_space);
    let value: f64 = number.parse().map_err(|_| invalid(types::FLOAT8, text))?;
    float_fits(value.is_infinite(), value == 0.0, number).then_some(value).ok_or_else(|| {
        Error::new(SqlState::NumericValueOutOfRange, format!("\"{number}\" is out of range for type double precision"))
    })
}

fn single(text: &str) -> Result<f32> {
    let number = text.trim_matches(is_space);
    let value: f32 = number.parse().map_err(|_| invalid(types::FLOAT4, text))?;
    float_fits(value.is_infinite(), value == 0.0, number).then_some(value).ok_or_else(|| {
        Error::new(SqlState::NumericValueOutOfRange, format!("\"{number}\" is out of range for type real"))
    })
}

/// An infinity must be meant, and a zero too.
fn float_fits(is_infinite: bool, is_zero: bool, text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let names_infinity = text.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'i'));
    let names_zero = !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    (!is_infinite || names_infinity) && (!is_zero || names_zero)
}

fn bytea(text: &str) -> Result<Vec<u8>> {
    let parameter = |message: String| Error::new(SqlState::InvalidParameterValue, message);
    if let Some(digits) = text.strip_prefix("\\x") {
        let mut nibbles = Vec::with_capacity(digits.len());
        for c in digits.chars().filter(|c| !matches!(c, ' ' | '\n' | '\t' | '\r')) {
            let digit = c.to_digit(16).ok_or_else(|| parameter(format!("invalid hexadecimal digit: \"{c}\"")))?;
            nibbles.push(u8::try_from(digit).unwrap_or_default());
        }
        let (pairs, rest) = nibbles.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(parameter("invalid hexadecimal data: odd number of digits".to_owned()));
        }
        return Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                rest = after;
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            (b'\\', _) => {
                return Err(Error::new(SqlState::InvalidTextRepresentation, "invalid input syntax for type bytea"));
            }
            (byte, after) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    Ok(bytes)
}

/// 32 digits, hyphens allowed after every four, braces around them.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut value = 0_u128;
    let mut digits = 0;
    for c in inner.chars() {
        if c == '-' {
            (digits % 4 == 0 && (4..32).contains(&digits) && !inner.contains("--")).then_some(())?;
            continue;
        }
        value = value << 4 | u128::from(c.to_digit(16)?);
        digits += 1;
        (digits <= 32).then_some(())?;
    }
    (digits == 32).then(|| value.to_be_bytes())
}

fn interval(text: &str) -> Result<arrow::datatypes::IntervalMonthDayNano> {
    interval::parse(text).map_err(|error| match error {
        udfs::Error::InvalidDatetime { .. } => Error::new(SqlState::InvalidDatetimeFormat, error.to_string()),
        error => Error::new(SqlState::DatetimeFieldOverflow, error.to_string()),
    })
}
