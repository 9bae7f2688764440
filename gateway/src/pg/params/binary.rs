//! The binary form of every type.
//!
//! Owns: PostgreSQL's receive functions. A length that is not the type's own: 22P03.

use std::net::{Ipv4Addr, Ipv6Addr};

use arrow::datatypes::IntervalMonthDayNano;
use udfs::pg::input;

use super::exact::Exact;
use super::value::{Array, Value, When};
use super::{fit, utf8};
use crate::error::{Error, Result, SqlState};
use crate::pg::types;

/// 2000-01-01, where the binary forms begin to count.
const EPOCH_DAYS: i64 = 10_957;
const DAY_MICROS: i64 = 86_400_000_000;
const DIMENSIONS_MAX: usize = 6;
/// PostgreSQL's `FirstGenbkiObjectId`.
const FIRST_GENERATED_OID: u32 = 10_000;
/// PostgreSQL's `MaxArraySize`.
const ELEMENTS_MAX: usize = 134_217_727;

/// The value of the type `oid` that the bytes are.
pub(super) fn read(bytes: &[u8], oid: u32) -> Result<Value> {
    Ok(match oid {
        types::BOOL => {
            let [byte] = exactly(bytes)?;
            Value::Bool(byte != 0)
        }
        types::INT2 => Value::Integer(i16::from_be_bytes(exactly(bytes)?).into()),
        types::INT4 => Value::Integer(i32::from_be_bytes(exactly(bytes)?).into()),
        types::INT8 => Value::Integer(i64::from_be_bytes(exactly(bytes)?).into()),
        types::OID
        | types::XID
        | types::CID
        | types::REGPROC
        | types::REGCLASS
        | types::REGTYPE
        | types::REGNAMESPACE
        | types::REGROLE => Value::Integer(u32::from_be_bytes(exactly(bytes)?).into()),
        types::FLOAT4 => Value::Single(f32::from_be_bytes(exactly(bytes)?)),
        types::FLOAT8 => Value::Double(f64::from_be_bytes(exactly(bytes)?)),
        types::NUMERIC => Value::Numeric(Exact::receive(bytes)?),
        types::BYTEA => Value::Bytes(bytes.to_vec()),
        types::UUID => Value::Uuid(exactly(bytes)?),
        types::DATE => Value::Date(match i32::from_be_bytes(exactly(bytes)?) {
            i32::MIN => When::Early,
            i32::MAX => When::Late,
            days => When::At(fit::day_in_range(i64::from(days) + EPOCH_DAYS)?),
        }),
        types::TIME => match i64::from_be_bytes(exactly(bytes)?) {
            micros @ 0..=DAY_MICROS => Value::Time(micros),
            _ => return Err(Error::new(SqlState::DatetimeFieldOverflow, "time out of range")),
        },
        types::TIMESTAMP | types::TIMESTAMPTZ => {
            let at = match i64::from_be_bytes(exactly(bytes)?) {
                i64::MIN => When::Early,
                i64::MAX => When::Late,
                micros => When::At(fit::micros_in_range(micros.checked_add(EPOCH_DAYS * DAY_MICROS))?),
            };
            Value::Timestamp { at, zoned: oid == types::TIMESTAMPTZ }
        }
        types::INTERVAL => interval(&exactly(bytes)?)?,
        types::JSONB => match bytes {
            [1, text @ ..] => Value::Text(input::jsonb(utf8(text)?)?),
            [version, ..] => {
                let message = format!("unsupported jsonb version number {version}");
                return Err(Error::new(SqlState::InvalidBinaryRepresentation, message));
            }
            [] => return Err(short()),
        },
        types::JSON => {
            let text = utf8(bytes)?;
            input::json(text)?;
            Value::Text(text.to_owned())
        }
        types::INET | types::CIDR => Value::Text(inet(bytes)?),
        types::MONEY => Value::Numeric(Exact::cents(i64::from_be_bytes(exactly(bytes)?))),
        types::TIMETZ => Value::Text(time_with_zone(&exactly(bytes)?)?),
        types::NAME => Value::Text(super::text::name(utf8(bytes)?).to_owned()),
        types::MACADDR | types::TID | types::PG_LSN => {
            let name = types::sql_name(oid);
            return Err(Error::unsupported(format!("binary parameters of type {name} are not supported"))
                .hint("Send the parameter in text format."));
        }
        oid => match types::element_of(oid) {
            Some(element) => {
                // The vectors of the catalogs count from 0.
                let first = i32::from(!matches!(oid, types::INT2VECTOR | types::OIDVECTOR));
                Value::Array(array(bytes, element, first)?)
            }
            None => Value::Text(utf8(bytes)?.to_owned()),
        },
    })
}

/// 22P03.
pub(super) fn malformed() -> Error {
    Error::new(SqlState::InvalidBinaryRepresentation, "incorrect binary data format")
}

/// 08P01: the value ends before its type does.
pub(super) fn short() -> Error {
    Error::new(SqlState::ProtocolViolation, "insufficient data left in message")
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| if bytes.len() < N { short() } else { malformed() })
}

/// Microseconds since midnight, then seconds west of Greenwich.
fn time_with_zone(bytes: &[u8; 12]) -> Result<String> {
    const HOURS_MAX: i32 = 16;
    let mut rest = bytes.as_slice();
    let (micros, west) = (i64::from_be_bytes(take(&mut rest)?), i32::from_be_bytes(take(&mut rest)?));
    if !(0..=DAY_MICROS).contains(&micros) {
        return Err(Error::new(SqlState::DatetimeFieldOverflow, "time out of range"));
    }
    if west.unsigned_abs() >= HOURS_MAX.unsigned_abs() * 3_600 {
        return Err(Error::new(SqlState::InvalidTimeZoneDisplacementValue, "time zone displacement out of range"));
    }
    Ok(udfs::pg::timetz::shown(micros, -west))
}

/// Microseconds, days, months.
fn interval(bytes: &[u8; 16]) -> Result<Value> {
    let number = u128::from_be_bytes(*bytes).cast_signed();
    #[expect(clippy::cast_possible_truncation, reason = "the three fields lie side by side")]
    let (micros, days, months) = ((number >> 64) as i64, (number >> 32) as i32, number as i32);
    let nanoseconds = micros
        .checked_mul(1_000)
        .ok_or_else(|| Error::new(SqlState::DatetimeFieldOverflow, "interval out of range"))?;
    Ok(Value::Interval(IntervalMonthDayNano { months, days, nanoseconds }))
}

/// Family, bits of the network, whether it is a cidr, length, address.
fn inet(bytes: &[u8]) -> Result<String> {
    let (text, bits, most) = match bytes {
        [2, bits, _, 4, address @ ..] => (Ipv4Addr::from(exactly::<4>(address)?).to_string(), *bits, 32),
        [3, bits, _, 16, address @ ..] => (Ipv6Addr::from(exactly::<16>(address)?).to_string(), *bits, 128),
        _ => return Err(malformed()),
    };
    match bits {
        bits if bits == most => Ok(text),
        bits if bits < most => Ok(format!("{text}/{bits}")),
        _ => Err(malformed()),
    }
}

/// Dimensions, whether there are nulls, the element's type; the length and lower bound of each dimension; the elements.
fn array(bytes: &[u8], expected: u32, first: i32) -> Result<Array> {
    let mut rest = bytes;
    let dimensions = i32::from_be_bytes(take(&mut rest)?);
    let flags = i32::from_be_bytes(take(&mut rest)?);
    let told = u32::from_be_bytes(take(&mut rest)?);
    let element_oid = expected;
    let limit = |message: String| Error::new(SqlState::ProgramLimitExceeded, message);
    let invalid = |message: &str| Error::new(SqlState::InvalidBinaryRepresentation, message);
    let dimensions = usize::try_from(dimensions).map_err(|_| invalid("invalid number of dimensions"))?;
    if dimensions > DIMENSIONS_MAX {
        return Err(limit(format!("number of array dimensions ({dimensions}) exceeds the maximum allowed (6)")));
    }
    if !matches!(flags, 0 | 1) {
        return Err(invalid("invalid array flags"));
    }
    // As PostgreSQL, only what is certainly another type is refused: a client may number its own types as it likes.
    if told != expected && told < FIRST_GENERATED_OID {
        let name = types::sql_name(expected);
        let message = format!("binary data has array element type {told} instead of expected {expected} ({name})");
        return Err(Error::new(SqlState::DatatypeMismatch, message));
    }
    let mut array = Array { element_oid, dimensions: Vec::new(), elements: Vec::new() };
    let mut bounds = Vec::new();
    for _ in 0..dimensions {
        bounds.push((i32::from_be_bytes(take(&mut rest)?), i32::from_be_bytes(take(&mut rest)?)));
    }
    let count =
        count(&bounds).ok_or_else(|| limit(format!("array size exceeds the maximum allowed ({ELEMENTS_MAX})")))?;
    if let Some((_, lower)) = bounds.iter().find(|(length, lower)| lower.checked_add(*length).is_none()) {
        return Err(limit(format!("array lower bound is too large: {lower}")));
    }
    let is_shifted = bounds.iter().any(|(_, lower)| *lower != first);
    array.dimensions.extend(bounds.iter().filter_map(|(length, _)| usize::try_from(*length).ok()));
    for _ in 0..count {
        array.elements.push(match i32::from_be_bytes(take(&mut rest)?) {
            -1 => None,
            length => {
                let length = usize::try_from(length).map_err(|_| malformed())?;
                let (element, after) = rest.split_at_checked(length).ok_or_else(malformed)?;
                rest = after;
                Some(read(element, element_oid)?)
            }
        });
    }
    if array.elements.is_empty() {
        array.dimensions.clear();
    } else if is_shifted {
        return Err(Error::unsupported(format!("arrays whose first subscript is not {first} are not supported")));
    }
    rest.is_empty().then_some(array).ok_or_else(malformed)
}

/// How many elements dimensions of these lengths and lower bounds have, as `ArrayGetNItems` counts them in 32 bits: a zero
/// hides no length below zero, and no product too large before it.
fn count(bounds: &[(i32, i32)]) -> Option<usize> {
    if bounds.is_empty() {
        return Some(0);
    }
    let product = |count: i32, (length, _): &(i32, i32)| count.checked_mul(*length).filter(|_| *length >= 0);
    let count = bounds.iter().try_fold(1, product)?;
    usize::try_from(count).ok().filter(|count| *count <= ELEMENTS_MAX)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>().ok_or_else(short)?;
    *rest = after;
    Ok(*first)
}
