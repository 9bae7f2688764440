//! Strings, and the types that Arrow holds as strings because it has none for them.
//!
//! Owns: their binary forms, read from their text. In text format a string is its own output.

use std::net::IpAddr;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

use super::cell::{BoxCell, Column, each};
use super::row::Format;
use super::scalar::hex_of;
use super::writer::Writer;
use crate::error::{Error, Result, SqlState};
use crate::pg::types;

type Write = fn(&str, &mut Writer<'_>) -> Option<()>;

/// Every string type of Arrow.
pub(super) fn text(array: &ArrayRef, column: &Column) -> BoxCell {
    match (column.format, column.oid) {
        (Format::Text, types::VOID) => strings(array, |_, _| Ok(())),
        (Format::Text, types::CHAR) | (Format::Binary, types::CHAR) => {
            let is_binary = column.format == Format::Binary;
            strings(array, move |text, out| {
                match text.as_bytes().first() {
                    Some(byte) => out.byte(*byte),
                    None if is_binary => out.byte(0),
                    None => {}
                }
                Ok(())
            })
        }
        (Format::Binary, types::VOID) => strings(array, |_, _| Ok(())),
        (Format::Binary, oid) => match sender(oid) {
            Some(send) => strings(array, move |text, out| {
                send(text, out).ok_or_else(|| {
                    let name = types::sql_name(oid);
                    let message = format!("invalid input syntax for type {name}: \"{text}\"");
                    Error::new(SqlState::InvalidTextRepresentation, message)
                })
            }),
            None => plain(array),
        },
        (Format::Text, _) => plain(array),
    }
}

fn plain(array: &ArrayRef) -> BoxCell {
    strings(array, |text, out| {
        out.slice(text.as_bytes());
        Ok(())
    })
}

fn strings<F: FnMut(&str, &mut Writer<'_>) -> Result<()> + 'static>(array: &ArrayRef, mut write: F) -> BoxCell {
    match array.data_type() {
        DataType::Utf8 => {
            let values = array.as_string::<i32>().clone();
            each(array.nulls(), move |row, out| write(values.value(row), out))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>().clone();
            each(array.nulls(), move |row, out| write(values.value(row), out))
        }
        _ => {
            let values = array.as_string_view().clone();
            each(array.nulls(), move |row, out| write(values.value(row), out))
        }
    }
}

/// What sends a type whose binary form is not its text; `None` from it is a text that is no value.
fn sender(oid: u32) -> Option<Write> {
    Some(match oid {
        types::JSONB => jsonb,
        types::UUID => uuid,
        types::INET | types::CIDR => inet,
        types::MACADDR => macaddr,
        types::TID => tid,
        types::PG_LSN => pg_lsn,
        types::TIMETZ => timetz,
        types::MONEY => money,
        _ => return None,
    })
}

/// The version of jsonb's binary form.
pub(super) const JSONB_VERSION: u8 = 1;

fn jsonb(text: &str, out: &mut Writer<'_>) -> Option<()> {
    out.byte(JSONB_VERSION);
    out.slice(text.as_bytes());
    Some(())
}

fn uuid(text: &str, out: &mut Writer<'_>) -> Option<()> {
    out.array(uuid::Uuid::try_parse(text).ok()?.as_bytes());
    Some(())
}

/// The 36 characters of a uuid's 16 bytes.
pub(super) fn uuid_text(bytes: &[u8], out: &mut Writer<'_>) -> Result<()> {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.byte(b'-');
        }
        out.array(&hex_of(*byte));
    }
    Ok(())
}

/// `(page,item)`.
pub(super) fn tid_text(bytes: &[u8], out: &mut Writer<'_>) -> Result<()> {
    if let Some(text) = udfs::pg::tid::text(bytes) {
        out.slice(text.as_bytes());
    }
    Ok(())
}

/// An address with the length of its network.
pub(crate) fn address(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    Some((address, bits.unwrap_or(most))).filter(|(_, bits)| *bits <= most)
}

/// Family, bits of the network, whether it is a cidr (PostgreSQL ignores it and so do we), length, address.
fn inet(text: &str, out: &mut Writer<'_>) -> Option<()> {
    match address(text)? {
        (IpAddr::V4(address), bits) => {
            out.array(&[2, bits, 0, 4]);
            out.array(&address.octets());
        }
        (IpAddr::V6(address), bits) => {
            out.array(&[3, bits, 0, 16]);
            out.array(&address.octets());
        }
    }
    Some(())
}

fn macaddr(text: &str, out: &mut Writer<'_>) -> Option<()> {
    let mut parts = text.split([':', '-']);
    for _ in 0..6 {
        out.byte(u8::from_str_radix(parts.next()?, 16).ok()?);
    }
    parts.next().is_none().then_some(())
}

fn tid(text: &str, out: &mut Writer<'_>) -> Option<()> {
    let (block, offset) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    out.array(&block.parse::<u32>().ok()?.to_be_bytes());
    out.array(&offset.parse::<u16>().ok()?.to_be_bytes());
    Some(())
}

fn pg_lsn(text: &str, out: &mut Writer<'_>) -> Option<()> {
    let (high, low) = text.split_once('/')?;
    out.array(&u32::from_str_radix(high, 16).ok()?.to_be_bytes());
    out.array(&u32::from_str_radix(low, 16).ok()?.to_be_bytes());
    Some(())
}

/// Microseconds of the day, then seconds west of Greenwich.
fn timetz(text: &str, out: &mut Writer<'_>) -> Option<()> {
    let (micros, east) = udfs::pg::timetz::read(text)?;
    out.array(&micros.to_be_bytes());
    out.array(&(-east).to_be_bytes());
    Some(())
}

/// Hundredths, from a text such as `-$1,234.50`.
fn money(text: &str, out: &mut Writer<'_>) -> Option<()> {
    let digits: String = text.chars().filter(|digit| !matches!(digit, '$' | ',')).collect();
    let (whole, cents) = digits.split_once('.').unwrap_or((&digits, "00"));
    (cents.len() == 2).then_some(())?;
    out.array(&format!("{whole}{cents}").parse::<i64>().ok()?.to_be_bytes());
    Some(())
}
