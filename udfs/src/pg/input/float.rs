//! The text of floating-point numbers, as C's `strtod` reads it.

use super::is_space;
use crate::Error;

/// `double precision`.
pub fn double(text: &str) -> Result<f64, Error> {
    let number = text.trim_matches(is_space);
    let value = match hexadecimal(number) {
        Some(value) => value,
        None => number.parse::<f64>().map_err(|_| {
            let number = leading(number);
            let is_far = number.parse::<f64>().is_ok_and(|value| !fits(value.is_infinite(), value == 0.0, number));
            if is_far { out_of_range("double precision", number) } else { invalid("double precision", text) }
        })?,
    };
    fits(value.is_infinite(), value == 0.0, number)
        .then_some(value)
        .ok_or_else(|| out_of_range("double precision", number))
}

/// `real`.
pub fn single(text: &str) -> Result<f32, Error> {
    let number = text.trim_matches(is_space);
    #[expect(clippy::cast_possible_truncation, reason = "an overflow is looked for below")]
    let value = match hexadecimal(number) {
        Some(value) => value as f32,
        None => number.parse::<f32>().map_err(|_| {
            let number = leading(number);
            let is_far = number.parse::<f32>().is_ok_and(|value| !fits(value.is_infinite(), value == 0.0, number));
            if is_far { out_of_range("real", number) } else { invalid("real", text) }
        })?,
    };
    fits(value.is_infinite(), value == 0.0, number).then_some(value).ok_or_else(|| out_of_range("real", number))
}

/// The decimal number that a text begins with: `strtod` tells its range before anyone looks at what follows.
fn leading(text: &str) -> &str {
    let digits = |from: usize| text.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let at = |index: usize| text.as_bytes().get(index).copied();
    let mut end = usize::from(matches!(at(0), Some(b'-' | b'+')));
    end += digits(end);
    if at(end) == Some(b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(at(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(at(end + 1), Some(b'-' | b'+')));
        let power = digits(end + 1 + sign);
        end += if power > 0 { 1 + sign + power } else { 0 };
    }
    text.get(..end).unwrap_or_default()
}

fn invalid(of: &'static str, text: &str) -> Error {
    Error::InvalidText { of, value: text.to_owned() }
}

fn out_of_range(of: &'static str, number: &str) -> Error {
    Error::FloatOutOfRange { of, value: number.to_owned() }
}

/// An infinity must be meant, and a zero too.
fn fits(is_infinite: bool, is_zero: bool, text: &str) -> bool {
    let is_hexadecimal = text.contains(['x', 'X']);
    let mantissa = if is_hexadecimal { text } else { text.split(['e', 'E']).next().unwrap_or_default() };
    let names_infinity = text.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'i'));
    let names_zero = !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    (!is_infinite || names_infinity) && (!is_zero || names_zero || is_hexadecimal)
}

/// `0x1.8p3`; `None` is no such number.
fn hexadecimal(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let digits = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"))?;
    let (mantissa, power) = match digits.split_once(['p', 'P']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    let power = power.saturating_sub(4 * i32::try_from(fraction.len()).ok()?);
    let value = value * 2.0_f64.powi(power);
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_as_c_reads_them() {
        for (text, expect) in
            [(" 1.5 ", 1.5), (".5", 0.5), ("5.", 5.0), ("0x10", 16.0), ("-0X.8p1", -1.0), ("1e-4x", f64::NAN)]
        {
            match double(text) {
                Ok(value) => assert!((value - expect).abs() < f64::EPSILON, "{text}"),
                Err(_) => assert!(expect.is_nan(), "{text}"),
            }
        }
        assert!(double("-INF").unwrap().is_infinite());
        for large in ["1e400", "1e-400", "-1e400", "2E-324}"] {
            assert!(matches!(double(large), Err(Error::FloatOutOfRange { .. })), "{large}");
        }
        assert!(matches!(single("1e39"), Err(Error::FloatOutOfRange { .. })));
    }
}
