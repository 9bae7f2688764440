//! The shortest digits of a float that read back as it, in the shape of PostgreSQL's `float8out` and `float4out`.

use std::fmt::Write;

use crate::pg::shortest::{self, Decimal};

/// Appends a `double precision`.
pub(super) fn double(value: f64, out: &mut String) {
    if !finite(value, out) {
        return;
    }
    shape(value.is_sign_negative(), shortest::double(value.abs()), 15, out);
}

/// Appends a `real`.
pub(super) fn single(value: f32, out: &mut String) {
    if !finite(f64::from(value), out) {
        return;
    }
    shape(value.is_sign_negative(), shortest::single(value.abs()), 6, out);
}

/// Appends what is no number; tells whether the value is one.
fn finite(value: f64, out: &mut String) -> bool {
    out.push_str(match value {
        value if value.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => return true,
    });
    false
}

/// From an exponent of so many digits on, and below -4, there is one in the text.
fn shape(negative: bool, decimal: Decimal, digits_always: i32, out: &mut String) {
    let Decimal { digits, exponent } = decimal.without_zeros();
    let digits = digits.to_string();
    let exponent = if digits == "0" { 0 } else { exponent + i32::try_from(digits.len()).unwrap_or_default() - 1 };
    if negative {
        out.push('-');
    }
    if !(-4..digits_always).contains(&exponent) {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{first}{point}{rest}e{sign}{:02}", exponent.abs());
        return;
    }
    match usize::try_from(exponent) {
        Ok(exponent) => {
            let whole = exponent + 1;
            match digits.split_at_checked(whole) {
                Some((before, "")) => out.push_str(before),
                Some((before, after)) => {
                    let _ = write!(out, "{before}.{after}");
                }
                None => {
                    let _ = write!(out, "{digits:0<whole$}");
                }
            }
        }
        Err(_) => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', usize::try_from(-exponent - 1).unwrap_or_default()));
            out.push_str(&digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_postgres_writes_them() {
        for (value, expect) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (100.0, "100"),
            (0.0001, "0.0001"),
            (0.000_012, "1.2e-05"),
            (1e15, "1e+15"),
            (123_456_789_012_345.0, "123456789012345"),
            (-1.5e300, "-1.5e+300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = String::new();
            double(value, &mut out);
            assert_eq!(out, expect);
        }
        let mut out = String::new();
        single(1e6, &mut out);
        assert_eq!(out, "1e+06");
        out.clear();
        single(-56_000_690.0, &mut out);
        assert_eq!(out, "-5.6000688e+07");
    }
}
