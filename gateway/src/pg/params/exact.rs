//! Decimal numbers of any size, as PostgreSQL's numeric holds them.
//!
//! Owns: their text and binary forms, and the exact step to a type of fixed precision.

use arrow::datatypes::i256;

use super::is_space;
use crate::error::{Error, Result, SqlState};
use crate::pg::types;

/// `numeric` has at most this many digits before and after the point.
const WHOLE_DIGITS_MAX: i64 = 131_072;
const FRACTION_DIGITS_MAX: i64 = 16_383;

/// A number or one of the three that are none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Exact {
    NaN,
    Infinity {
        negative: bool,
    },
    /// `digits / 10^scale`; the digits have no leading zeros and are empty for zero.
    Finite {
        negative: bool,
        digits: String,
        scale: usize,
    },
}

impl Exact {
    pub(super) fn from_integer(value: i128) -> Self {
        Self::finite(value < 0, value.unsigned_abs().to_string(), 0)
    }

    /// Hundredths.
    pub(super) fn cents(value: i64) -> Self {
        Self::finite(value < 0, value.unsigned_abs().to_string(), 2)
    }

    fn finite(negative: bool, digits: String, scale: usize) -> Self {
        let digits = digits.trim_start_matches('0').to_owned();
        Self::Finite { negative: negative && !digits.is_empty(), digits, scale }
    }

    /// `numeric_in`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim_matches(is_space);
        let (negative, unsigned) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        match unsigned.to_ascii_lowercase().as_str() {
            "nan" if unsigned.len() == trimmed.len() => return Ok(Self::NaN),
            "inf" | "infinity" => return Ok(Self::Infinity { negative }),
            _ => {}
        }
        let invalid = || super::invalid(types::NUMERIC, text);
        let (number, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err(invalid());
        }
        let power = exponent(power)?.ok_or_else(invalid)?;
        let places = i64::try_from(fraction.len()).map_err(|_| overflow())? - power;
        let mut digits = format!("{whole}{fraction}");
        let significant = i64::try_from(digits.trim_start_matches('0').len()).map_err(|_| overflow())?;
        if significant - places > WHOLE_DIGITS_MAX || places > FRACTION_DIGITS_MAX + significant {
            return Err(overflow());
        }
        if places < 0 && significant > 0 {
            digits.extend(std::iter::repeat_n('0', usize::try_from(-places).unwrap_or(0)));
        }
        Ok(Self::finite(negative, digits, usize::try_from(places).unwrap_or(0)))
    }

    /// `numeric_recv`: digit count, weight, sign, display scale, then digits to base 10,000.
    pub(super) fn receive(bytes: &[u8]) -> Result<Self> {
        let malformed = |message: &str| Error::new(SqlState::InvalidBinaryRepresentation, message);
        let (halves, rest) = bytes.as_chunks::<2>();
        let halves: Vec<u16> = halves.iter().map(|half| u16::from_be_bytes(*half)).collect();
        let [count, weight, sign, scale, groups @ ..] = halves.as_slice() else {
            return Err(super::binary::short());
        };
        if !matches!(sign, 0 | 0x4000 | 0xc000 | 0xd000 | 0xf000) {
            return Err(malformed("invalid sign in external \"numeric\" value"));
        }
        if *scale > 0x3fff {
            return Err(malformed("invalid scale in external \"numeric\" value"));
        }
        let groups = groups.get(..usize::from(*count)).unwrap_or(groups);
        if groups.iter().any(|group| *group > 9_999) {
            return Err(malformed("invalid digit in external \"numeric\" value"));
        }
        if groups.len() < usize::from(*count) {
            return Err(super::binary::short());
        }
        if !rest.is_empty() || halves.len() != groups.len() + 4 {
            return Err(super::binary::malformed());
        }
        let negative = match sign {
            0 => false,
            0x4000 => true,
            0xc000 => return Ok(Self::NaN),
            0xd000 => return Ok(Self::Infinity { negative: false }),
            _ => return Ok(Self::Infinity { negative: true }),
        };
        let whole_groups = i64::from(weight.cast_signed()) + 1;
        let fraction_groups = i64::from(scale.div_ceil(4));
        let mut digits = String::new();
        for at in whole_groups.min(0)..whole_groups + fraction_groups {
            let group = usize::try_from(at).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0);
            digits.push_str(&format!("{group:04}"));
        }
        let surplus = usize::try_from(fraction_groups * 4 - i64::from(*scale)).unwrap_or(0);
        digits.truncate(digits.len().saturating_sub(surplus));
        Ok(Self::finite(negative, digits, usize::from(*scale)))
    }

    /// Precision and scale of the number as it is written; `None` if it is none or has more digits than a byte counts.
    pub(super) fn size(&self) -> Option<(u8, i8)> {
        let Self::Finite { digits, scale, .. } = self else { return None };
        Some((u8::try_from(digits.len().max(*scale).max(1)).ok()?, i8::try_from(*scale).ok()?))
    }

    /// The digits of `value * 10^scale` with its sign, if that is whole and has at most `precision` digits.
    pub(super) fn unscaled(&self, precision: u8, scale: i8) -> Result<String> {
        let Self::Finite { negative, digits, scale: own } = self else {
            return Err(Error::unsupported("numeric values NaN and Infinity are not supported"));
        };
        let mut digits = digits.clone();
        let shift = i64::from(scale) - i64::try_from(*own).unwrap_or(i64::MAX);
        match usize::try_from(shift) {
            Ok(zeros) if !digits.is_empty() => digits.extend(std::iter::repeat_n('0', zeros)),
            Ok(_) => {}
            Err(_) => {
                let keep = digits.len().saturating_sub(usize::try_from(-shift).unwrap_or(usize::MAX));
                if digits.get(keep..).unwrap_or_default().bytes().any(|digit| digit != b'0') {
                    let message =
                        format!("value \"{}\" does not fit numeric({precision},{scale}) exactly", self.text());
                    return Err(Error::new(SqlState::NumericValueOutOfRange, message));
                }
                digits.truncate(keep);
            }
        }
        if digits.len() > usize::from(precision) {
            let whole = i32::from(precision) - i32::from(scale);
            let bound = if whole == 0 { "1".to_owned() } else { format!("10^{whole}") };
            let detail = format!(
                "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}."
            );
            return Err(Error::new(SqlState::NumericValueOutOfRange, "numeric field overflow").detail(detail));
        }
        let sign = if *negative { "-" } else { "" };
        Ok(if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}") })
    }

    pub(super) fn unscaled_i128(&self, precision: u8, scale: i8) -> Result<i128> {
        self.unscaled(precision, scale)?.parse().map_err(|_| overflow())
    }

    pub(super) fn unscaled_i256(&self, precision: u8, scale: i8) -> Result<i256> {
        i256::from_string(&self.unscaled(precision, scale)?).ok_or_else(overflow)
    }

    /// `numeric_out`.
    pub(super) fn text(&self) -> String {
        match self {
            Self::NaN => "NaN".to_owned(),
            Self::Infinity { negative: true } => "-Infinity".to_owned(),
            Self::Infinity { negative: false } => "Infinity".to_owned(),
            Self::Finite { negative, digits, scale } => {
                let padded = format!("{digits:0>width$}", width = scale + 1);
                let (whole, fraction) = padded.split_at(padded.len() - scale);
                let sign = if *negative { "-" } else { "" };
                let point = if fraction.is_empty() { "" } else { "." };
                format!("{sign}{whole}{point}{fraction}")
            }
        }
    }
}

/// The power of ten behind an `e`; `None` of what is none. As in PostgreSQL its digits are counted before what follows them
/// is looked at, so that too many of them are 22003 in any case.
fn exponent(text: &str) -> Result<Option<i64>> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let mut power = 0_i64;
    for byte in digits.bytes().take_while(u8::is_ascii_digit) {
        power = power * 10 + i64::from(byte - b'0');
        if power > i64::from(i32::MAX / 2) {
            return Err(overflow());
        }
    }
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Ok(is_whole.then_some(if negative { -power } else { power }))
}

fn overflow() -> Error {
    Error::new(SqlState::NumericValueOutOfRange, "value overflows numeric format")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_postgresql_16() {
        for (text, expected) in [
            ("1e2", Ok("100")),
            ("1.5E-3", Ok("0.0015")),
            ("1e+0", Ok("1")),
            ("1e", Err(SqlState::InvalidTextRepresentation)),
            ("1e+", Err(SqlState::InvalidTextRepresentation)),
            ("1e 2", Err(SqlState::InvalidTextRepresentation)),
            ("1 e2", Err(SqlState::InvalidTextRepresentation)),
            ("1e2x", Err(SqlState::InvalidTextRepresentation)),
            ("1e1852302778240387239651.303", Err(SqlState::NumericValueOutOfRange)),
            ("1e999999999", Err(SqlState::NumericValueOutOfRange)),
        ] {
            let read = Exact::parse(text).map(|number| number.text()).map_err(|error| error.state);
            assert_eq!(read, expected.map(str::to_owned), "{text}");
        }
    }
}
