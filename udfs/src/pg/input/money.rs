//! The text of amounts of money, `$1,234.50`, as the C locale has it.

use super::is_space;
use crate::Error;

const PLACES: u32 = 2;

/// `cash_in`: the hundredths. Thousands may be separated anywhere; a parenthesis before the digits is a minus.
pub fn money(text: &str) -> Result<i64, Error> {
    let out_of_range = || Error::ValueOutOfRange { of: "money", value: text.to_owned() };
    let skip = |rest: &str| rest.trim_start_matches(is_space).len();
    let mut rest = text.as_bytes();
    let blanks = |rest: &mut &[u8], also: &[u8]| {
        let skipped = |rest: &[u8]| std::str::from_utf8(rest).map_or(rest.len(), skip);
        *rest = rest.get(rest.len() - skipped(rest)..).unwrap_or_default();
        *rest = rest.strip_prefix(also).unwrap_or(rest);
        *rest = rest.get(rest.len() - skipped(rest)..).unwrap_or_default();
    };
    blanks(&mut rest, b"$");
    let mut negative = false;
    if let [sign @ (b'-' | b'(' | b'+'), after @ ..] = rest {
        negative = *sign != b'+';
        rest = after;
    }
    blanks(&mut rest, b"$");
    // The value is built below zero, where there is one more.
    let (mut value, mut places, mut seen_point) = (0_i64, 0, false);
    while let [byte, after @ ..] = rest {
        match byte {
            b'0'..=b'9' if !seen_point || places < PLACES => {
                let digit = i64::from(byte - b'0');
                value = value.checked_mul(10).and_then(|value| value.checked_sub(digit)).ok_or_else(out_of_range)?;
                places += u32::from(seen_point);
            }
            b'.' if !seen_point => seen_point = true,
            b',' => {}
            _ => break,
        }
        rest = after;
    }
    if rest.first().is_some_and(|digit| matches!(digit, b'5'..=b'9')) {
        value = value.checked_sub(1).ok_or_else(out_of_range)?;
    }
    value = value.checked_mul(10_i64.pow(PLACES - places)).ok_or_else(out_of_range)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    for byte in rest.get(digits..).unwrap_or_default() {
        match byte {
            b'-' => negative = true,
            b')' | b'+' | b'$' => {}
            byte if is_space(char::from(*byte)) => {}
            _ => return Err(Error::InvalidText { of: "money", value: text.to_owned() }),
        }
    }
    if negative { Ok(value) } else { value.checked_neg().ok_or_else(out_of_range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_postgres_reads_them() {
        for (text, expect) in [
            ("$1,234.50", 123_450),
            (" -$3 ", -300),
            ("(3)", -300),
            ("1.005", 101),
            ("7-", -700),
            ("", 0),
            ("-92233720368547758.08", i64::MIN),
        ] {
            assert_eq!(money(text), Ok(expect), "{text}");
        }
        assert!(matches!(money("92233720368547758.08"), Err(Error::ValueOutOfRange { .. })));
        for bad in ["x", "(-3)", "1 2"] {
            assert!(matches!(money(bad), Err(Error::InvalidText { .. })), "{bad}");
        }
    }
}
