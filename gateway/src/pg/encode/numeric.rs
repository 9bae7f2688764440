//! Exact numbers: every decimal of Arrow, and integers beyond bigint.
//!
//! Owns: `numeric_out` and `numeric_send` (sign, weight, display scale and digits to base 10,000).

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, i256};
use udfs::pg::numeric::kind::{self, Shown};

use super::cell::{BoxCell, primitive};
use super::row::Format;
use super::writer::Writer;

const NEGATIVE: u16 = 0x4000;

pub(super) fn cell(array: &ArrayRef, format: Format, shown: Shown) -> BoxCell {
    let text = format == Format::Text;
    match array.data_type() {
        DataType::Decimal32(_, scale) => {
            let write = writer(text, *scale, shown);
            primitive::<Decimal32Type, _>(array, move |value, out| {
                write(value.into(), out);
                Ok(())
            })
        }
        DataType::Decimal64(_, scale) => {
            let write = writer(text, *scale, shown);
            primitive::<Decimal64Type, _>(array, move |value, out| {
                write(value.into(), out);
                Ok(())
            })
        }
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            primitive::<Decimal256Type, _>(array, move |value, out| {
                wide(value, scale, shown, text, out);
                Ok(())
            })
        }
        _ => {
            let scale = match array.data_type() {
                DataType::Decimal128(_, scale) => *scale,
                _ => 0,
            };
            let write = writer(text, scale, shown);
            primitive::<Decimal128Type, _>(array, move |value, out| {
                write(value, out);
                Ok(())
            })
        }
    }
}

fn writer(text: bool, scale: i8, shown: Shown) -> impl Fn(i128, &mut Writer<'_>) {
    move |value, out| {
        let (value, scale) = kind::shown_as(value, scale, shown);
        match text {
            true => print(value, scale, out),
            false => send(value, scale, out),
        }
    }
}

fn wide(value: i256, scale: i8, shown: Shown, text: bool, out: &mut Writer<'_>) {
    let (value, scale) = kind::wide_shown_as(value, scale, shown);
    match (value.to_i128(), text) {
        (Some(narrow), true) => print(narrow, scale, out),
        (Some(narrow), false) => send(narrow, scale, out),
        (None, _) => {
            let digits = value.to_string();
            let (negative, digits) = match digits.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, digits.as_str()),
            };
            match text {
                true => text_of(negative, digits.as_bytes(), scale, out),
                false => send_digits(negative, digits.as_bytes(), scale, out),
            }
        }
    }
}

#[inline]
fn print(value: i128, scale: i8, out: &mut Writer<'_>) {
    let mut buffer = itoa::Buffer::new();
    let magnitude = value.unsigned_abs();
    let digits = match u64::try_from(magnitude) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(magnitude),
    };
    text_of(value < 0, digits.as_bytes(), scale, out);
}

/// Puts the point `scale` digits from the end; a negative scale appends zeros.
#[inline]
fn text_of(negative: bool, digits: &[u8], scale: i8, out: &mut Writer<'_>) {
    const ZEROS: [u8; 128] = [b'0'; 128];
    if negative {
        out.byte(b'-');
    }
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.slice(digits);
        if digits != b"0" {
            out.slice(ZEROS.get(..places).unwrap_or_default());
        }
    } else if let Some(whole) = digits.len().checked_sub(places).filter(|whole| *whole > 0) {
        let (whole, fraction) = digits.split_at(whole);
        out.slice(whole);
        out.byte(b'.');
        out.slice(fraction);
    } else {
        out.array(b"0.");
        out.slice(ZEROS.get(..places - digits.len()).unwrap_or_default());
        out.slice(digits);
    }
}

/// The binary form of `value / 10^scale`.
#[inline]
pub(super) fn send(value: i128, scale: i8, out: &mut Writer<'_>) {
    const POWERS: [u64; 4] = [1, 10, 100, 1_000];
    let magnitude = value.unsigned_abs();
    // Digits to base 10,000 count from the point: the fraction is filled up to whole ones.
    let (places, fill) = match u8::try_from(scale) {
        Ok(scale) => (scale.div_ceil(4), usize::from(scale.wrapping_neg() % 4)),
        Err(_) => return send_digits(value < 0, itoa::Buffer::new().format(magnitude).as_bytes(), scale, out),
    };
    let aligned = u64::try_from(magnitude).ok().and_then(|small| small.checked_mul(POWERS[fill]));
    let Some(mut rest) = aligned else {
        return send_digits(value < 0, itoa::Buffer::new().format(magnitude).as_bytes(), scale, out);
    };
    let mut digits = [0_u16; 6];
    let mut first = digits.len();
    while rest > 0 && first > 0 {
        first -= 1;
        if let Some(digit) = digits.get_mut(first) {
            *digit = (rest % 10_000) as u16;
        }
        rest /= 10_000;
    }
    let used = digits.get(first..).unwrap_or_default();
    frame(value < 0, used, usize::from(places), scale, out);
}

/// The binary form of decimal digits of any length.
fn send_digits(negative: bool, digits: &[u8], scale: i8, out: &mut Writer<'_>) {
    let mut decimal = digits.to_vec();
    let places = match usize::try_from(scale) {
        Ok(scale) => {
            decimal.extend(std::iter::repeat_n(b'0', (4 - scale % 4) % 4));
            scale.div_ceil(4)
        }
        Err(_) => {
            decimal.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
            0
        }
    };
    let used: Vec<u16> = decimal
        .rchunks(4)
        .rev()
        .map(|chunk| chunk.iter().fold(0, |digit, byte| digit * 10 + u16::from(byte - b'0')))
        .skip_while(|digit| *digit == 0)
        .collect();
    frame(negative, &used, places, scale, out);
}

/// Writes the header and the digits; `places` of them stand after the point.
#[inline]
fn frame(negative: bool, digits: &[u16], places: usize, scale: i8, out: &mut Writer<'_>) {
    let end = digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
    let shown = digits.get(..end).unwrap_or_default();
    let weight = if shown.is_empty() { 0 } else { digits.len().wrapping_sub(places).wrapping_sub(1) };
    let sign = if negative && !shown.is_empty() { NEGATIVE } else { 0 };
    let scale = u16::try_from(scale).unwrap_or(0);
    #[expect(clippy::cast_possible_truncation, reason = "at most 76 digits; a weight below zero wraps as it should")]
    for half in [shown.len() as u16, weight as u16, sign, scale] {
        out.array(&half.to_be_bytes());
    }
    for digit in shown {
        out.array(&digit.to_be_bytes());
    }
}
