//! The range of the integers that a client may declare.

use udfs::pg::input;

use crate::error::Result;
use crate::pg::types;

/// An integer of the type `oid`, within its range.
pub(super) fn read(text: &str, oid: u32) -> Result<i128> {
    let range = match oid {
        types::INT2 => i16::MIN.into()..=i16::MAX.into(),
        types::INT4 => i32::MIN.into()..=i32::MAX.into(),
        types::INT8 => i64::MIN.into()..=i64::MAX.into(),
        // PostgreSQL reads a negative oid as its two's complement.
        _ => i32::MIN.into()..=u32::MAX.into(),
    };
    let value = input::integer(text, types::sql_name(oid), range)?;
    let is_unsigned = !matches!(oid, types::INT2 | types::INT4 | types::INT8);
    Ok(if is_unsigned && value < 0 { value + (1 << 32) } else { value })
}
