//! The text form of every type.
//!
//! Owns: PostgreSQL's input functions of the types that have no file of their own, and their messages.

use udfs::pg::{input, interval};

use super::array;
use super::exact::Exact;
use super::value::Value;
use super::{datetime, integer, invalid};
use crate::error::Result;
use crate::pg::{encode, types};
use crate::session::vars::Display;

const NAME_BYTES_MAX: usize = 63;

/// The value of the type `oid` that a text names.
pub(super) fn read(text: &str, oid: u32, display: &Display) -> Result<Value> {
    Ok(match oid {
        types::BOOL => Value::Bool(input::boolean(text)?),
        types::INT2 | types::INT4 | types::INT8 | types::OID | types::XID | types::CID => {
            Value::Integer(integer::read(text, oid)?)
        }
        types::REGPROC | types::REGCLASS | types::REGTYPE | types::REGNAMESPACE | types::REGROLE => {
            Value::Integer(if text == "-" { 0 } else { integer::read(text, types::OID)? })
        }
        types::FLOAT4 => Value::Single(input::single(text)?),
        types::FLOAT8 => Value::Double(input::double(text)?),
        types::NUMERIC => Value::Numeric(Exact::parse(text)?),
        types::BYTEA => Value::Bytes(input::bytea(text)?),
        types::UUID => Value::Uuid(input::uuid(text)?),
        types::DATE => Value::Date(datetime::date(text, display)?),
        types::TIME => Value::Time(datetime::time(text, display)?),
        types::TIMETZ => Value::Text(datetime::time_with_zone(text, display)?),
        types::MONEY => Value::Numeric(Exact::cents(input::money(text)?)),
        types::TIMESTAMP => Value::Timestamp { at: datetime::timestamp(text, false, display)?, zoned: false },
        types::TIMESTAMPTZ => Value::Timestamp { at: datetime::timestamp(text, true, display)?, zoned: true },
        types::INTERVAL => Value::Interval(interval::parse(text, display.interval_style.of_texts())?),
        types::JSON => {
            input::json(text)?;
            Value::Text(text.to_owned())
        }
        types::JSONB => Value::Text(input::jsonb(text)?),
        types::NAME => Value::Text(name(text).to_owned()),
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

/// A name has 63 bytes at most.
pub(super) fn name(text: &str) -> &str {
    text.get(..text.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(text)
}
