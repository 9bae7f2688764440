//! The values of Bind: from the client's text or binary form to the value that a plan takes.
//!
//! Owns: PostgreSQL's input and receive functions, and the exact step from the declared type to the plan's. Must never
//! know: plans and portals. <https://www.postgresql.org/docs/16/protocol-message-formats.html>

mod array;
mod binary;
mod datetime;
mod exact;
mod fit;
mod integer;
#[cfg(test)]
mod tests;
mod text;
mod value;

use arrow::datatypes::{DataType, Field};
use datafusion::scalar::ScalarValue;
use udfs::pg_type;
use value::Value;

use super::encode::Format;
use super::types;
use crate::error::{Error, Result, SqlState};
use crate::session::vars::Display;

/// The value of a parameter that the client declared as `oid` (0: not at all) and that the plan takes as `target`.
///
/// A numeric without precision and scale gets those that the value is written with.
pub fn decode_as(
    value: Option<&[u8]>,
    format: Format,
    oid: u32,
    target: &Field,
    display: &Display,
) -> Result<ScalarValue> {
    if pg_type::is_unconstrained(target)
        && let Some(bytes) = value
        && let (format, oid) = effective(format, oid, target.data_type())
        && let Value::Numeric(exact) = read(bytes, format, oid, display)?
    {
        return fit::numeric(&exact);
    }
    decode(value, format, oid, target.data_type(), display)
}

/// The value of a text, as the input function of the field's type reads it.
pub(crate) fn inputs(text: &str, target: &Field, display: &Display) -> Result<ScalarValue> {
    decode_as(Some(text.as_bytes()), Format::Text, types::UNKNOWN, target, display)
}

/// The same for a type that Arrow's own tells.
///
/// Text that is no value of its type: 22P02, of a date or time 22007 and 22008. Binary of a wrong length: 22P03. A value
/// that `target` cannot hold exactly: 22003.
fn decode(value: Option<&[u8]>, format: Format, oid: u32, target: &DataType, display: &Display) -> Result<ScalarValue> {
    let Some(bytes) = value else {
        return Ok(ScalarValue::try_from(target)?);
    };
    let inner = types::plain(target);
    let (format, oid) = effective(format, oid, inner);
    let scalar = fit::fit(read(bytes, format, oid, display)?, oid, inner, display)?;
    Ok(match target {
        DataType::Dictionary(key, _) => ScalarValue::Dictionary(key.clone(), Box::new(scalar)),
        _ => scalar,
    })
}

fn read(bytes: &[u8], format: Format, oid: u32, display: &Display) -> Result<Value> {
    match format {
        Format::Text => text::read(utf8(bytes)?, oid, display),
        Format::Binary => binary::read(bytes, oid),
    }
}

/// A parameter of no declared type has the plan's; so has a string, for its two forms are the same text.
fn effective(format: Format, oid: u32, target: &DataType) -> (Format, u32) {
    let is_text = matches!(target, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match oid {
        0 => (format, types::param_oid(target)),
        types::UNKNOWN => (Format::Text, types::param_oid(target)),
        types::TEXT | types::VARCHAR | types::BPCHAR | types::NAME if !is_text => {
            (Format::Text, types::param_oid(target))
        }
        oid => (format, oid),
    }
}

/// Text of the client's encoding, which is always UTF-8, without the zero byte that PostgreSQL's strings cannot hold.
fn utf8(bytes: &[u8]) -> Result<&str> {
    let invalid = |bytes: &[u8]| {
        let shown: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
        let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
        Error::new(SqlState::CharacterNotInRepertoire, message)
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let rest = bytes.get(error.valid_up_to()..).unwrap_or_default();
        // PostgreSQL shows as many bytes as the first one announces.
        let announced = match rest.first() {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf7) => 4,
            _ => 1,
        };
        invalid(rest.get(..announced).unwrap_or(rest))
    })?;
    if text.contains('\0') { Err(invalid(&[0])) } else { Ok(text) }
}

/// 22P02, `invalid input syntax for type integer: "abc"`.
fn invalid(oid: u32, text: &str) -> Error {
    let name = types::sql_name(oid);
    Error::new(SqlState::InvalidTextRepresentation, format!("invalid input syntax for type {name}: \"{text}\""))
}

/// The characters that C's `isspace` skips.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}
