//! Floating-point numbers.
//!
//! Owns: the shape of PostgreSQL's `double_to_shortest_decimal`, and the `%.*g` that `extra_float_digits` below 1 asks
//! for. Which digits are the shortest, `udfs::pg::shortest` knows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};

use super::cell::{BoxCell, Look, primitive};
use super::row::Format;
use super::writer::Writer;
use udfs::pg::shortest::{self, Decimal};

/// The digits that a type always holds (`DBL_DIG`, `FLT_DIG`): from here on PostgreSQL writes exponents.
const DOUBLE_DIGITS: i32 = 15;
const SINGLE_DIGITS: i32 = 6;

pub(super) fn cell(array: &ArrayRef, format: Format, look: &Arc<Look>) -> BoxCell {
    let extra = look.extra_float_digits;
    match (array.data_type(), format) {
        (DataType::Float64, Format::Binary) => primitive::<Float64Type, _>(array, |value, out| {
            out.array(&value.to_be_bytes());
            Ok(())
        }),
        (DataType::Float32, Format::Binary) => primitive::<Float32Type, _>(array, |value, out| {
            out.array(&value.to_be_bytes());
            Ok(())
        }),
        (_, Format::Binary) => primitive::<Float16Type, _>(array, |value, out| {
            out.array(&value.to_f32().to_be_bytes());
            Ok(())
        }),
        (DataType::Float64, Format::Text) if extra < 1 => primitive::<Float64Type, _>(array, move |value, out| {
            general(value, DOUBLE_DIGITS + extra, out);
            Ok(())
        }),
        (DataType::Float32, Format::Text) if extra < 1 => primitive::<Float32Type, _>(array, move |value, out| {
            general(f64::from(value), SINGLE_DIGITS + extra, out);
            Ok(())
        }),
        (DataType::Float64, Format::Text) => primitive::<Float64Type, _>(array, |value, out| {
            double(value, out);
            Ok(())
        }),
        (DataType::Float32, Format::Text) => primitive::<Float32Type, _>(array, |value, out| {
            single(value, out);
            Ok(())
        }),
        (_, Format::Text) => primitive::<Float16Type, _>(array, move |value, out| {
            match extra < 1 {
                true => general(f64::from(value.to_f32()), SINGLE_DIGITS + extra, out),
                false => single(value.to_f32(), out),
            }
            Ok(())
        }),
    }
}

#[inline]
fn double(value: f64, out: &mut Writer<'_>) {
    if !value.is_finite() {
        return not_finite(value, out);
    }
    let decimal = match short_double(value.abs()) {
        Some(decimal) => decimal,
        None if (1e-4..1e15).contains(&value.abs()) => return fixed(ryu::Buffer::new().format_finite(value), out),
        None => shortest::double(value.abs()),
    };
    write(value.is_sign_negative(), decimal, DOUBLE_DIGITS, out);
}

#[inline]
fn single(value: f32, out: &mut Writer<'_>) {
    if !value.is_finite() {
        return not_finite(f64::from(value), out);
    }
    let decimal = match short_single(value.abs()) {
        Some(decimal) => decimal,
        None if (1e-4..1e6).contains(&value.abs()) => return fixed(ryu::Buffer::new().format_finite(value), out),
        None => shortest::single(value.abs()),
    };
    write(value.is_sign_negative(), decimal, SINGLE_DIGITS, out);
}

/// Where PostgreSQL writes no exponent ryu writes none either, but a `.0` after integers. No midpoint lies there.
#[inline]
fn fixed(text: &str, out: &mut Writer<'_>) {
    out.slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

#[cold]
fn not_finite(value: f64, out: &mut Writer<'_>) {
    let text = match value {
        value if value.is_nan() => "NaN",
        value if value > 0.0 => "Infinity",
        _ => "-Infinity",
    };
    out.slice(text.as_bytes());
}

/// Values of at most 15 digits and 6 decimals, as most measurements are. Both the digits and the power of ten are exact
/// doubles, so the division rounds once, as reading the text does; and no two decimals of 15 digits share a double, so
/// no shorter one exists.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "checked by division"
)]
#[expect(clippy::float_cmp, reason = "exact on purpose")]
fn short_double(value: f64) -> Option<Decimal> {
    let scaled = value * 1e6 + 0.5;
    if scaled >= 1e15 {
        return None;
    }
    let digits = scaled as u64;
    (digits as f64 / 1e6 == value && (digits != 0 || value == 0.0)).then_some(Decimal { digits, exponent: -6 })
}

/// As `short_double`, with 6 digits of which at most 3 are decimals.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "checked by division"
)]
#[expect(clippy::float_cmp, reason = "exact on purpose")]
fn short_single(value: f32) -> Option<Decimal> {
    let scaled = value * 1e3 + 0.5;
    if scaled >= 1e6 {
        return None;
    }
    let digits = scaled as u32;
    let is_exact = digits as f32 / 1e3 == value && (digits != 0 || value == 0.0);
    is_exact.then_some(Decimal { digits: u64::from(digits), exponent: -3 })
}

/// Writes digits in the shape of `%g`: with an exponent below 1e-4 and from `10^fixed_digits` on.
#[inline]
fn write(negative: bool, decimal: Decimal, fixed_digits: i32, out: &mut Writer<'_>) {
    let Decimal { digits, exponent } = decimal.without_zeros();
    if digits == 0 {
        return out.slice(if negative { "-0" } else { "0" }.as_bytes());
    }
    let mut buffer = itoa::Buffer::new();
    shape(negative, buffer.format(digits).as_bytes(), exponent, fixed_digits, out);
}

/// Writes `digits * 10^exponent`; the digits do not end in a zero.
#[inline]
fn shape(negative: bool, digits: &[u8], exponent: i32, fixed_digits: i32, out: &mut Writer<'_>) {
    const ZEROS: &[u8; 16] = b"0000000000000000";
    let count = i32::try_from(digits.len()).unwrap_or_default();
    let scientific = exponent + count - 1;
    if negative {
        out.byte(b'-');
    }
    if scientific < -4 || scientific >= fixed_digits {
        let (first, rest) = digits.split_at(1);
        out.slice(first);
        if !rest.is_empty() {
            out.byte(b'.');
            out.slice(rest);
        }
        out.slice(if scientific < 0 { b"e-" } else { b"e+" });
        if scientific.abs() < 10 {
            out.byte(b'0');
        }
        return out.slice(itoa::Buffer::new().format(scientific.abs()).as_bytes());
    }
    let zeros = |count: i32| ZEROS.get(..usize::try_from(count).unwrap_or_default()).unwrap_or_default();
    if exponent >= 0 {
        out.slice(digits);
        out.slice(zeros(exponent));
    } else if scientific >= 0 {
        let (whole, fraction) = digits.split_at(usize::try_from(scientific + 1).unwrap_or_default());
        out.slice(whole);
        out.byte(b'.');
        out.slice(fraction);
    } else {
        out.array(b"0.");
        out.slice(zeros(-scientific - 1));
        out.slice(digits);
    }
}

/// C's `%.*g`.
fn general(value: f64, precision: i32, out: &mut Writer<'_>) {
    if !value.is_finite() {
        return not_finite(value, out);
    }
    let precision = precision.max(1);
    let text = format!("{:.*e}", usize::try_from(precision - 1).unwrap_or_default(), value.abs());
    let Decimal { digits, exponent } = Decimal::parse(&text).without_zeros();
    if digits == 0 {
        return out.slice(if value.is_sign_negative() { "-0" } else { "0" }.as_bytes());
    }
    shape(value.is_sign_negative(), itoa::Buffer::new().format(digits).as_bytes(), exponent, precision, out);
}
