//! Mantissas: powers of ten, change of scale, reading from text.
//!
//! Owns: rounding half away from zero. `None` is a result that does not fit.

use arrow::datatypes::i256;

/// The largest precision of Decimal128.
pub(crate) const PRECISION_MAX: u8 = 38;

/// `10^exponent`.
pub(crate) fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// `10^exponent` in 256 bits.
pub(crate) fn wide_power(exponent: u32) -> Option<i256> {
    i256::from_i128(10).checked_pow(exponent)
}

/// The mantissa of the same number with `by` decimals more, or fewer.
pub(crate) fn rescale(value: i128, by: i32) -> Option<i128> {
    match u32::try_from(by) {
        Ok(more) => value.checked_mul(power(more)?),
        Err(_) => Some(power(by.unsigned_abs()).map_or(0, |unit| divide_rounded(value, unit))),
    }
}

/// `value / unit`, a half away from zero; `unit` is positive.
#[inline]
pub(crate) fn divide_rounded(value: i128, unit: i128) -> i128 {
    let (whole, rest) = (value / unit, value % unit);
    if rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) && unit > 1 { whole + value.signum() } else { whole }
}

/// [`rescale`] in 256 bits.
pub(crate) fn wide_rescale(value: i256, by: i32) -> Option<i256> {
    if by >= 0 {
        return value.checked_mul(wide_power(by.unsigned_abs())?);
    }
    let Some(unit) = wide_power(by.unsigned_abs()) else { return Some(i256::ZERO) };
    wide_divide_rounded(value, unit)
}

/// [`divide_rounded`] in 256 bits; `None` for a divisor of zero.
pub(crate) fn wide_divide_rounded(value: i256, unit: i256) -> Option<i256> {
    let (whole, rest) = (value.checked_div(unit)?, value.checked_rem(unit)?);
    let away = if value.is_negative() == unit.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    let (rest, unit) = (rest.wrapping_abs(), unit.wrapping_abs());
    // rest < unit / 2, without doubling.
    if rest < unit.wrapping_sub(rest) { Some(whole) } else { whole.checked_add(away) }
}

/// A number as it is written: digits, and how many of them stand after the point (below zero: zeros to append).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub(crate) negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i32,
}

/// Without what C takes for space around; there is more of it in Unicode.
pub(crate) fn without_space(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b')
}

/// PostgreSQL's numbers: `1`, `.5`, `-1.50e-3`, with space around. `None` is no number.
pub(crate) fn read(text: &str) -> Option<Written<'_>> {
    let text = without_space(text).as_bytes();
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => {
            let (mantissa, exponent) = text.split_at(at);
            let exponent = std::str::from_utf8(exponent.get(1..)?).ok()?;
            (mantissa, exponent.parse::<i32>().ok().filter(|exponent| exponent.abs() < 1_000_000)?)
        }
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
        None => (mantissa, &[][..]),
    };
    let digits = || whole.iter().chain(fraction);
    if digits().next().is_none() || !digits().all(u8::is_ascii_digit) {
        return None;
    }
    Some(Written { negative, whole, fraction, exponent })
}

impl Written<'_> {
    /// The decimals that are written.
    pub(crate) fn scale(&self) -> i32 {
        i32::try_from(self.fraction.len()).unwrap_or(i32::MAX).saturating_sub(self.exponent).max(0)
    }

    /// The mantissa to a scale, a half away from zero.
    pub(crate) fn mantissa(&self, scale: i32) -> Option<i128> {
        let whole = i32::try_from(self.whole.len()).ok()?;
        // So many digits are kept; zeros follow those that are written.
        let kept = whole.checked_add(self.exponent)?.checked_add(scale)?;
        let mut digits = self.whole.iter().chain(self.fraction).map(|byte| i128::from(byte - b'0'));
        let mut value = 0_i128;
        for _ in 0..kept.max(0) {
            match digits.next() {
                Some(digit) => value = value.checked_mul(10)?.checked_add(digit)?,
                None if value == 0 => break,
                None => value = value.checked_mul(10)?,
            }
        }
        let rounds_up = kept >= 0 && digits.next().is_some_and(|digit| digit >= 5);
        let value = if rounds_up { value.checked_add(1)? } else { value };
        Some(if self.negative { -value } else { value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_any_scale() {
        for (text, scale, written, mantissa) in [
            ("1.50", 2, 2, Some(150)),
            (" 1e3 ", 0, 0, Some(1_000)),
            ("-1.50e1", 1, 1, Some(-150)),
            (".5", 1, 0, Some(1)),
            ("2.4", 1, 0, Some(2)),
            ("-2.5", 1, 0, Some(-3)),
            ("0.004", 3, 2, Some(0)),
            ("0.005", 3, 2, Some(1)),
            ("1e-5", 5, 2, Some(0)),
            ("0e99999", 0, 16, Some(0)),
            ("1e40", 0, 0, None),
        ] {
            let number = read(text).unwrap();
            assert_eq!((number.scale(), number.mantissa(written)), (scale, mantissa), "{text}");
        }
        for bad in ["", "-", ".", "1.2.3", "e5", "1e", "1 2", "NaN", "--1"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn halves_go_away_from_zero_in_both_widths() {
        for (value, by, expect) in [(25, -1, 3), (-25, -1, -3), (24, -1, 2), (5, 2, 500), (1, -50, 0), (-15, -1, -2)] {
            assert_eq!(rescale(value, by), Some(expect), "{value} {by}");
            assert_eq!(wide_rescale(i256::from_i128(value), by), Some(i256::from_i128(expect)), "{value} {by}");
        }
        let divide = |a: i128, b: i128| wide_divide_rounded(i256::from_i128(a), i256::from_i128(b));
        assert_eq!(divide(7, -2), Some(i256::from_i128(-4)));
        assert_eq!(divide(-1, -2), Some(i256::ONE));
        assert_eq!(divide(-1, 2), Some(i256::MINUS_ONE));
        assert_eq!(divide(1, 0), None);
        assert_eq!(rescale(i128::MAX, 1), None);
    }
}
