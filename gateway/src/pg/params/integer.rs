//! The text of integers, as PostgreSQL 16 reads it: `0x`, `0o`, `0b` and underscores between digits included.

use super::{invalid, is_space, out_of_range};
use crate::error::Result;
use crate::pg::types;

/// An integer of the type `oid`, within its range.
pub(super) fn read(text: &str, oid: u32) -> Result<i128> {
    let trimmed = text.trim_matches(is_space);
    let (negative, unsigned) = match trimmed.as_bytes().first() {
        Some(b'-') => (true, &trimmed[1..]),
        Some(b'+') => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let prefix = unsigned.get(..2).unwrap_or_default().to_ascii_lowercase();
    let (radix, digits) = match prefix.as_str() {
        "0x" => (16, &unsigned[2..]),
        "0o" => (8, &unsigned[2..]),
        "0b" => (2, &unsigned[2..]),
        _ => (10, unsigned),
    };
    let digits = if radix == 10 { digits } else { digits.strip_prefix('_').unwrap_or(digits) };
    let mut magnitude = Some(0_i128);
    let mut after_digit = false;
    for c in digits.chars() {
        match c.to_digit(radix) {
            Some(digit) => {
                magnitude = magnitude.and_then(|sum| sum.checked_mul(radix.into())?.checked_add(digit.into()));
                after_digit = true;
            }
            None if c == '_' && after_digit => after_digit = false,
            None => return Err(invalid(oid, text)),
        }
    }
    if !after_digit {
        return Err(invalid(oid, text));
    }
    magnitude
        .map(|magnitude| if negative { -magnitude } else { magnitude })
        .and_then(|value| within(value, oid))
        .ok_or_else(|| out_of_range(oid, text))
}

fn within(value: i128, oid: u32) -> Option<i128> {
    let range = match oid {
        types::INT2 => i16::MIN.into()..=i16::MAX.into(),
        types::INT4 => i32::MIN.into()..=i32::MAX.into(),
        types::INT8 => i64::MIN.into()..=i64::MAX.into(),
        // PostgreSQL reads a negative oid as its two's complement.
        _ => {
            let wrapped = if (i32::MIN.into()..0).contains(&value) { value + (1 << 32) } else { value };
            return (0..=u32::MAX.into()).contains(&wrapped).then_some(wrapped);
        }
    };
    range.contains(&value).then_some(value)
}
