//! The shortest digits that read back to the same float, as PostgreSQL's `double_to_shortest_decimal` finds them.
//!
//! Owns: the digits. Must never know: their shape.
//! <https://www.postgresql.org/docs/16/datatype-numeric.html#DATATYPE-FLOAT>

/// A decimal: `digits * 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    pub digits: u64,
    pub exponent: i32,
}

/// Of a positive number.
pub fn double(value: f64) -> Decimal {
    let decimal = Decimal::parse(ryu::Buffer::new().format_finite(value));
    let bits = value.to_bits();
    // A subnormal number is no midpoint of large integers.
    let exponent = i32::try_from(bits >> 52).unwrap_or_default() - 1_075;
    let mantissa = bits & 0xf_ffff_ffff_ffff | 0x10_0000_0000_0000;
    if decimal.is_halfway(mantissa, exponent) {
        return strictly_inside(value, |digits| format!("{value:.digits$e}"), mantissa, exponent);
    }
    decimal
}

/// Of a positive number.
pub fn single(value: f32) -> Decimal {
    let decimal = Decimal::parse(ryu::Buffer::new().format_finite(value));
    let bits = value.to_bits();
    let (mantissa, exponent) = (u64::from(bits & 0x7f_ffff) | 0x80_0000, (bits >> 23).cast_signed() - 150);
    if decimal.is_halfway(mantissa, exponent) {
        return strictly_inside(f64::from(value), |digits| format!("{value:.digits$e}"), mantissa, exponent);
    }
    decimal
}

impl Decimal {
    /// Reads `1.25e-7`, `125.0` or `1e16`.
    #[inline]
    pub fn parse(text: &str) -> Self {
        let (number, power) = text.split_once('e').unwrap_or((text, "0"));
        let (mut digits, mut exponent, mut step) = (0_u64, power.parse::<i32>().unwrap_or_default(), 0);
        for byte in number.strip_suffix(".0").unwrap_or(number).bytes() {
            if byte == b'.' {
                step = 1;
            } else {
                digits = digits * 10 + u64::from(byte - b'0');
                exponent -= step;
            }
        }
        Self { digits, exponent }
    }

    /// The same number; its digits end in no zero.
    #[inline]
    pub fn without_zeros(mut self) -> Self {
        while self.digits != 0 && self.digits.is_multiple_of(10) {
            self.digits /= 10;
            self.exponent += 1;
        }
        self
    }

    /// True where the decimal lies midway between a number and its neighbour. It reads back by the rule of even
    /// mantissas, which PostgreSQL does not trust: it takes only what lies strictly inside.
    fn is_halfway(self, mantissa: u64, exponent: i32) -> bool {
        // Midpoints are odd multiples of 2^(exponent-1); only those of large integers have as few as 17 digits.
        let (Ok(ten), Ok(two)) = (u32::try_from(self.exponent), u32::try_from(exponent - 1 - self.exponent)) else {
            return false;
        };
        let Some(five) = 5_u128.checked_pow(ten).and_then(|power| power.checked_mul(u128::from(self.digits))) else {
            return false;
        };
        let twice = u128::from(mantissa) * 2;
        two < 72 && (five == (twice + 1) << two || five == (twice - 1) << two)
    }
}

/// The shortest digits that are not a midpoint.
#[cold]
fn strictly_inside(value: f64, digits: impl Fn(usize) -> String, mantissa: u64, exponent: i32) -> Decimal {
    let is_single = mantissa < 1 << 24;
    let mut decimal = Decimal { digits: 0, exponent: 0 };
    for precision in 0..17 {
        let text = digits(precision);
        decimal = Decimal::parse(&text);
        let reads_back = match is_single {
            true => text.parse::<f32>().is_ok_and(|read| f64::from(read).to_bits() == value.to_bits()),
            false => text.parse::<f64>().is_ok_and(|read| read.to_bits() == value.to_bits()),
        };
        if reads_back && !decimal.is_halfway(mantissa, exponent) {
            break;
        }
    }
    decimal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_midpoint_is_not_trusted() {
        // Recorded from PostgreSQL 15.
        for (value, digits) in [
            ("56000690", 56_000_688),
            ("99637856", 99_637_856),
            ("89523024", 89_523_024),
            ("52e9", 51_999_998),
            ("1.5", 15),
        ] {
            assert_eq!(single(value.parse().unwrap()).without_zeros().digits, digits, "{value}");
        }
    }
}
