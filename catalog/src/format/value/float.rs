//! Reads the usual floats, of a few digits with a point, without the care that others need.
//!
//! Pure. Clinger, "How to read floating point numbers accurately" (PLDI 1990): a quotient of two integers that a float holds
//! exactly is rounded once, and so is right.

/// More digits may be more than 2^53.
const DIGITS_MAX: usize = 15;

/// The powers of ten below that a float holds exactly.
const POWERS: [f64; DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A float as `str::parse` reads it.
pub(crate) fn float(text: &str) -> Option<f64> {
    plain(text.as_bytes()).or_else(|| text.parse().ok())
}

/// A float of at most `DIGITS_MAX` digits without an exponent; `None` is any other text.
fn plain(text: &[u8]) -> Option<f64> {
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if text.len() > DIGITS_MAX + 1 {
        return None;
    }
    let (mut digits, mut decimals, mut behind_point) = (0_u64, 0, 0);
    let mut count = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            digits = digits * 10 + u64::from(digit);
            decimals += behind_point;
            count += 1;
        } else if *byte == b'.' && behind_point == 0 {
            behind_point = 1;
        } else {
            return None;
        }
    }
    if count == 0 || count > DIGITS_MAX {
        return None;
    }
    let value = digits as f64 / POWERS.get(decimals)?;
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_the_standard_library_reads() {
        let mut seed = 3_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        let mut plain_ones = 0;
        for _ in 0..200_000 {
            let length = 1 + next() % 19;
            let text: String = (0..length)
                .map(|at| match next() % 24 {
                    0 if at == 0 => '-',
                    1 => '.',
                    2 if at > 0 && length < 8 => 'e',
                    digit => char::from(b'0' + (digit % 10) as u8),
                })
                .collect();
            let expected = text.parse::<f64>().ok();
            assert_eq!(float(&text).map(f64::to_bits), expected.map(f64::to_bits), "{text}");
            plain_ones += usize::from(plain(text.as_bytes()).is_some());
        }
        assert!(plain_ones > 80_000, "{plain_ones}");
        for text in ["", "-", ".", "-.", "1.2.3", "+1", "1 ", "0x1", "--1", "٣"] {
            assert_eq!(float(text), text.parse().ok(), "{text:?}");
            assert_eq!(plain(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(float("-0").map(f64::to_bits), Some((-0.0_f64).to_bits()));
    }
}
