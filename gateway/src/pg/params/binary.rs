//! The binary form of every type.
//!
//! Owns: PostgreSQL's receive functions. A length that is not the type's own: 22P03.

use std::net::{Ipv4Addr, Ipv6Addr};

use arrow::datatypes::IntervalMonthDayNano;
use udfs::pg::json;

use super::exact::Exact;
use super::value::{Array, Value, When};
use super::{fit, utf8};
use crate::error::{Error, Result, SqlState};
use crate::pg::types;

/// 2000-01-01, where the binary forms begin to count.
const EPOCH_DAYS: i64 = 10_957;
const DAY_MICROS: i64 = 86_400_000_000;
const DIMENSIONS_MAX: usize = 6;

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
            [1, text @ ..] => Value::Text(json::normal(utf8(text)?)?),
            [version, ..] => {
                let message = format!("unsupported jsonb version number {version}");
                return Err(Error::new(SqlState::InvalidBinaryRepresentation, message));
            }
            [] => return Err(malformed()),
        },
        types::JSON => {
            let text = utf8(bytes)?;
            json::check(text)?;
            Value::Text(text.to_owned())
        }
        types::INET | types::CIDR => Value::Text(inet(bytes)?),
        types::MACADDR | types::TID | types::PG_LSN | types::TIMETZ | types::MONEY => {
            let name = types::sql_name(oid);
            return Err(Error::unsupported(format!("binary parameters of type {name} are not supported"))
                .hint("Send the parameter in text format."));
        }
        oid => match types::element_of(oid) {
            Some(_) => Value::Array(array(bytes)?),
            None => Value::Text(utf8(bytes)?.to_owned()),
        },
    })
}

/// 22P03.
pub(super) fn malformed() -> Error {
    Error::new(SqlState::InvalidBinaryRepresentation, "incorrect binary data format")
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| malformed())
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
fn array(bytes: &[u8]) -> Result<Array> {
    let mut rest = bytes;
    let dimensions = length(take(&mut rest)?)?;
    let _has_null: [u8; 4] = take(&mut rest)?;
    let element_oid = u32::from_be_bytes(take(&mut rest)?);
    if dimensions > DIMENSIONS_MAX {
        let message = format!("number of array dimensions ({dimensions}) exceeds the maximum allowed (6)");
        return Err(Error::new(SqlState::ProgramLimitExceeded, message));
    }
    let mut array = Array { element_oid, dimensions: Vec::new(), elements: Vec::new() };
    for _ in 0..dimensions {
        array.dimensions.push(length(take(&mut rest)?)?);
        let _lower_bound: [u8; 4] = take(&mut rest)?;
    }
    let count = array.dimensions.iter().try_fold(1_usize, |count, length| count.checked_mul(*length));
    let count = if dimensions == 0 { Some(0) } else { count };
    // Every element has a length of four bytes, so no more are read than were sent.
    let count = count.filter(|count| *count <= rest.len() / 4).ok_or_else(malformed)?;
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
    }
    rest.is_empty().then_some(array).ok_or_else(malformed)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>().ok_or_else(malformed)?;
    *rest = after;
    Ok(*first)
}

fn length(bytes: [u8; 4]) -> Result<usize> {
    usize::try_from(i32::from_be_bytes(bytes)).map_err(|_| malformed())
}
