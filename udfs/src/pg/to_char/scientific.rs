//! Numbers with an exponent, for `EEEE`.
//!
//! Owns: that a numeric gets its exponent before it is rounded (9.996 is `10.00e+00`), a float after.

use super::digits::{Value, exact};

/// The number with its exponent; `#` for those that are none.
pub(super) fn write(value: Value, before: usize, after: usize) -> String {
    match value {
        // Any integer of 32 bits is a double.
        Value::Int(value) => float(value.into(), after),
        Value::Single(value) if value.is_finite() => float(value.into(), after),
        Value::Float(value) if value.is_finite() => float(value, after),
        Value::Single(_) | Value::Float(_) => {
            let (whole, fraction) = ("#".repeat(before), "#".repeat(after + 4));
            format!(" {whole}.{fraction}")
        }
        Value::Long(value) => numeric(value.into(), 0, after),
        Value::Exact(mantissa, scale) => numeric(mantissa, scale, after),
    }
}

fn float(value: f64, after: usize) -> String {
    let text = format!("{value:.after$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, size) = match exponent.strip_prefix('-') {
        Some(size) => ('-', size),
        None => ('+', exponent),
    };
    let pad = if mantissa.starts_with('-') { "" } else { " " };
    format!("{pad}{mantissa}e{sign}{size:0>2}")
}

fn numeric(mantissa: i128, scale: i8, after: usize) -> String {
    let digits = mantissa.unsigned_abs().to_string();
    let ahead = i64::try_from(digits.len()).unwrap_or(i64::MAX) - 1;
    let exponent = if mantissa == 0 { 0 } else { ahead - i64::from(scale) };
    let shown = exact(&digits, if mantissa == 0 { 0 } else { ahead }, after);
    let (pad, sign) = (if mantissa < 0 { '-' } else { ' ' }, if exponent < 0 { '-' } else { '+' });
    format!("{pad}{shown}e{sign}{:02}", exponent.unsigned_abs())
}
