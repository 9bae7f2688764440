//! The text of integers, as PostgreSQL 16 reads it: `0x`, `0o`, `0b` and underscores between digits included.

use super::is_space;
use crate::Error;

/// The integer of a type of columns, by its name in SQL: `smallint`, `integer` or `bigint`.
pub fn whole(text: &str, of: &'static str) -> Result<i128, Error> {
    let range = match of {
        "smallint" => i16::MIN.into()..=i16::MAX.into(),
        "integer" => i32::MIN.into()..=i32::MAX.into(),
        _ => i64::MIN.into()..=i64::MAX.into(),
    };
    integer(text, of, range)
}

/// The integer, within the range of the type `of` names.
pub fn integer(text: &str, of: &'static str, range: std::ops::RangeInclusive<i128>) -> Result<i128, Error> {
    let invalid = || Error::InvalidText { of, value: text.to_owned() };
    let trimmed = text.trim_matches(is_space);
    let (negative, unsigned) = match trimmed.as_bytes() {
        [b'-', ..] => (true, trimmed.get(1..).unwrap_or_default()),
        [b'+', ..] => (false, trimmed.get(1..).unwrap_or_default()),
        _ => (false, trimmed),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..).unwrap_or_default()),
        [b'0', b'o' | b'O', ..] => (8, unsigned.get(2..).unwrap_or_default()),
        [b'0', b'b' | b'B', ..] => (2, unsigned.get(2..).unwrap_or_default()),
        _ => (10, unsigned),
    };
    let digits = if radix == 10 { digits } else { digits.strip_prefix('_').unwrap_or(digits) };
    let most = range.start().unsigned_abs().max(range.end().unsigned_abs()).min(u64::MAX.into());
    let most = i128::try_from(most).unwrap_or(i128::MAX);
    let mut magnitude = 0_i128;
    let mut after_digit = false;
    for c in digits.chars() {
        match c.to_digit(radix) {
            Some(digit) => {
                // What another digit makes too large is told before what follows it is looked at.
                if magnitude > most / i128::from(radix) {
                    return Err(Error::ValueOutOfRange { of, value: text.to_owned() });
                }
                magnitude = magnitude * i128::from(radix) + i128::from(digit);
                after_digit = true;
            }
            None if c == '_' && after_digit => after_digit = false,
            None => return Err(invalid()),
        }
    }
    if !after_digit {
        return Err(invalid());
    }
    let value = if negative { -magnitude } else { magnitude };
    if range.contains(&value) { Ok(value) } else { Err(Error::ValueOutOfRange { of, value: text.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_within_their_range() {
        let read = |text: &str| whole(text, "smallint");
        for (text, expect) in [(" -32768 ", -32_768), ("+0007", 7), ("0x1F", 31), ("1_000", 1_000)] {
            assert_eq!(read(text), Ok(expect), "{text}");
        }
        for bad in ["", "-", "1.0", "1_", "_1", "0x", "1 2", "1__0", "32769x", "-32769e1", "0x8001g"] {
            assert!(matches!(read(bad), Err(Error::InvalidText { .. })), "{bad}");
        }
        for large in ["32768", "-32769", "99999999999999999999999999999999999999999999", "99999.0", "32770x", "0x8010g"]
        {
            assert!(matches!(read(large), Err(Error::ValueOutOfRange { .. })), "{large}");
        }
    }
}
