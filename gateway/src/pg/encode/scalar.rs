//! Booleans, integers and byte strings.
//!
//! Owns: their two formats. <https://www.postgresql.org/docs/16/datatype-binary.html>

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};

use super::cell::{BoxCell, Column, Look, each, primitive};
use super::row::Format;
use super::writer::Writer;
use super::{numeric, tagged};
use crate::error::{Error, Result, SqlState};
use crate::pg::types;
use crate::session::vars::ByteaOutput;

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(super) fn boolean(array: &ArrayRef, format: Format) -> BoxCell {
    let array = array.as_boolean();
    let values = array.values().clone();
    let (yes, no) = match format {
        Format::Text => (b't', b'f'),
        Format::Binary => (1, 0),
    };
    each(array.nulls(), move |row, out| {
        out.byte(if values.value(row) { yes } else { no });
        Ok(())
    })
}

/// Every integer type of Arrow, as the integer, oid or numeric that the column is.
pub(super) fn integer(array: &ArrayRef, oid: u32, format: Format) -> BoxCell {
    match array.data_type() {
        DataType::Int8 => typed::<Int8Type>(array, oid, format),
        DataType::Int16 => typed::<Int16Type>(array, oid, format),
        DataType::Int32 => typed::<Int32Type>(array, oid, format),
        DataType::Int64 => typed::<Int64Type>(array, oid, format),
        DataType::UInt8 => typed::<UInt8Type>(array, oid, format),
        DataType::UInt16 => typed::<UInt16Type>(array, oid, format),
        DataType::UInt32 => typed::<UInt32Type>(array, oid, format),
        _ => typed::<UInt64Type>(array, oid, format),
    }
}

fn typed<T: ArrowPrimitiveType>(array: &ArrayRef, oid: u32, format: Format) -> BoxCell
where
    T::Native: itoa::Integer + Copy + TryInto<i16> + TryInto<i32> + TryInto<i64> + TryInto<u32> + Into<i128>,
{
    match (format, oid) {
        (Format::Text, _) => primitive::<T, _>(array, |value, out| {
            out.slice(itoa::Buffer::new().format(value).as_bytes());
            Ok(())
        }),
        (Format::Binary, types::INT2) => primitive::<T, _>(array, |value, out| {
            out.array(&fit::<_, i16>(value, "smallint")?.to_be_bytes());
            Ok(())
        }),
        (Format::Binary, types::INT4) => primitive::<T, _>(array, |value, out| {
            out.array(&fit::<_, i32>(value, "integer")?.to_be_bytes());
            Ok(())
        }),
        (Format::Binary, types::INT8) => primitive::<T, _>(array, |value, out| {
            out.array(&fit::<_, i64>(value, "bigint")?.to_be_bytes());
            Ok(())
        }),
        (Format::Binary, types::NUMERIC) => primitive::<T, _>(array, |value, out| {
            numeric::send(value.into(), 0, out);
            Ok(())
        }),
        (Format::Binary, _) => primitive::<T, _>(array, |value, out| {
            out.array(&fit::<_, u32>(value, "OID")?.to_be_bytes());
            Ok(())
        }),
    }
}

#[inline]
fn fit<T: TryInto<U>, U>(value: T, name: &str) -> Result<U> {
    value.try_into().map_err(|_| Error::new(SqlState::NumericValueOutOfRange, format!("{name} out of range")))
}

/// Every byte string of Arrow, as bytea or uuid.
pub(super) fn binary(array: &ArrayRef, column: &Column, look: &Arc<Look>) -> BoxCell {
    let write = match (column.format, column.oid) {
        (Format::Binary, _) => send,
        (Format::Text, types::UUID) => tagged::uuid_text,
        (Format::Text, types::TID) => tagged::tid_text,
        (Format::Text, _) if look.bytea == ByteaOutput::Escape => escape,
        (Format::Text, _) => hex,
    };
    let nulls = array.nulls();
    match array.data_type() {
        DataType::Binary => {
            let array = array.as_binary::<i32>().clone();
            each(nulls, move |row, out| write(array.value(row), out))
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>().clone();
            each(nulls, move |row, out| write(array.value(row), out))
        }
        DataType::BinaryView => {
            let array = array.as_binary_view().clone();
            each(nulls, move |row, out| write(array.value(row), out))
        }
        _ => {
            let array = array.as_fixed_size_binary().clone();
            each(nulls, move |row, out| write(array.value(row), out))
        }
    }
}

fn send(bytes: &[u8], out: &mut Writer<'_>) -> Result<()> {
    out.slice(bytes);
    Ok(())
}

fn hex(bytes: &[u8], out: &mut Writer<'_>) -> Result<()> {
    out.array(b"\\x");
    for byte in bytes {
        out.array(&hex_of(*byte));
    }
    Ok(())
}

/// The two digits of a byte.
pub(super) fn hex_of(byte: u8) -> [u8; 2] {
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}

/// `bytea_output = escape`: backslashes double, what is not printable ASCII is three octal digits.
fn escape(bytes: &[u8], out: &mut Writer<'_>) -> Result<()> {
    for byte in bytes.iter().copied() {
        match byte {
            b'\\' => out.array(b"\\\\"),
            0x20..=0x7e => out.byte(byte),
            _ => out.array(&[b'\\', b'0' + (byte >> 6), b'0' + ((byte >> 3) & 7), b'0' + (byte & 7)]),
        }
    }
    Ok(())
}
