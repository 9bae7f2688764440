//! The decimal digits of a number, rounded to the places that a pattern shows.
//!
//! Owns: what each of PostgreSQL's types does on its own (`int4_to_char`, `float8_to_char` ...): rounding, overflow, the
//! digits that a float has.

use super::number::Pattern;
use crate::Error;

/// A number to write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Int(i32),
    Long(i64),
    /// A mantissa with its scale.
    Exact(i128, i8),
    Single(f32),
    Float(f64),
}

/// The digits of a number as a pattern sees them.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) negative: bool,
    /// Digits with a point before the decimals, if there are decimals; `#` where they are too many.
    pub(super) text: String,
    /// Digits that the pattern has before the point, and places of them that stay empty.
    pub(super) before: usize,
    pub(super) empty: usize,
    /// Decimals, which a float may have fewer of than the pattern.
    pub(super) after: usize,
}

impl Shown {
    fn new(text: String, before: usize, after: usize) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(digits) => (true, digits.to_owned()),
            None => (false, text),
        };
        let whole = text.find('.').unwrap_or(text.len());
        let text = if whole > before { format!("{}.{}", "#".repeat(before), "#".repeat(after)) } else { text };
        Self { negative, text, before, empty: before.saturating_sub(whole), after }
    }
}

impl Value {
    pub(super) fn shown(self, pattern: &Pattern) -> Result<Shown, Error> {
        let (before, after, shift) = (pattern.before + pattern.shift, pattern.after, pattern.shift);
        let power = 10_f64.powi(i32::try_from(shift).unwrap_or(i32::MAX));
        let padded = |value: i64| match after {
            0 => value.to_string(),
            _ => format!("{value}.{}", "0".repeat(after)),
        };
        Ok(match self {
            // As in PostgreSQL the product wraps, and a power that is no integer is the least one.
            Self::Int(value) => {
                let factor = 10_i32.checked_pow(u32::try_from(shift).unwrap_or(u32::MAX)).unwrap_or(i32::MIN);
                Shown::new(padded(value.wrapping_mul(factor).into()), before, after)
            }
            Self::Long(value) => {
                let factor = 10_i64.checked_pow(u32::try_from(shift).unwrap_or(u32::MAX));
                let product = factor.and_then(|factor| value.checked_mul(factor));
                Shown::new(padded(product.ok_or(Error::NumericOverflow("bigint"))?), before, after)
            }
            Self::Exact(mantissa, scale) => {
                let scale = i64::from(scale) - i64::try_from(shift).unwrap_or(0);
                let text = exact(&mantissa.unsigned_abs().to_string(), scale, after);
                let is_zero = text.bytes().all(|digit| matches!(digit, b'0' | b'.'));
                Shown { negative: mantissa < 0 && !is_zero, ..Shown::new(text, before, after) }
            }
            Self::Single(value) => {
                #[expect(clippy::cast_possible_truncation, reason = "PostgreSQL multiplies floats of 32 bits")]
                let product = if shift > 0 { value * power as f32 } else { value };
                float(product.into(), 6, before, after)
            }
            Self::Float(value) => float(if shift > 0 { value * power } else { value }, 15, before, after),
        })
    }

    /// The integer that `RN` shows; beyond those of 32 bits a float is none that it shows.
    pub(super) fn roman(self) -> Result<i64, Error> {
        let overflow = Error::NumericOverflow("integer");
        match self {
            Self::Int(value) => Ok(value.into()),
            Self::Long(value) => i32::try_from(value).map(i64::from).map_err(|_| overflow),
            Self::Exact(mantissa, scale) => {
                let digits: i64 = match exact(&mantissa.unsigned_abs().to_string(), scale.into(), 0).parse() {
                    Ok(digits) => digits,
                    Err(_) => return Err(overflow),
                };
                let value = if mantissa < 0 { -digits } else { digits };
                i32::try_from(value).map(i64::from).map_err(|_| overflow)
            }
            #[expect(clippy::cast_possible_truncation, reason = "rounded, and NaN is no Roman number either")]
            Self::Single(value) => Ok(f64::from(value).round_ties_even() as i64),
            #[expect(clippy::cast_possible_truncation, reason = "rounded, and NaN is no Roman number either")]
            Self::Float(value) => Ok(value.round_ties_even() as i64),
        }
    }
}

/// A float has so many digits at most, whatever the pattern asks for.
fn float(value: f64, digits: usize, before: usize, after: usize) -> Shown {
    if !value.is_finite() {
        let name = if value.is_nan() { "NaN" } else { "Infinity" };
        let sign = if value < 0.0 { "-" } else { "" };
        let after = if name.len() >= digits { 0 } else { after.min(digits - name.len()) };
        return Shown::new(format!("{sign}{name}"), before, after);
    }
    let whole = format!("{:.0}", value.abs()).len();
    let after = if whole >= digits { 0 } else { after.min(digits - whole) };
    Shown::new(format!("{value:.after$}"), before, after)
}

/// `digits / 10^scale` with `places` decimals, a half rounded away from zero.
pub(super) fn exact(digits: &str, scale: i64, places: usize) -> String {
    let mut digits = digits.to_owned();
    let scale = match usize::try_from(scale) {
        Ok(scale) => scale,
        Err(_) => {
            let zeros = if digits == "0" { 0 } else { usize::try_from(-scale).unwrap_or(0) };
            digits.push_str(&"0".repeat(zeros));
            0
        }
    };
    if digits.len() <= scale {
        digits.insert_str(0, &"0".repeat(scale + 1 - digits.len()));
    }
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.len() <= places {
        let padding = "0".repeat(places - fraction.len());
        return if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}{padding}") };
    }
    let (kept, cut) = fraction.split_at(places);
    let mut joined: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    if cut.as_bytes().first().is_some_and(|digit| *digit >= b'5') {
        let mut carry = true;
        for digit in joined.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
        if carry {
            joined.insert(0, b'1');
        }
    }
    let mut text: String = joined.into_iter().map(char::from).collect();
    if places > 0 {
        text.insert(text.len() - places, '.');
    }
    text
}
