//! Arithmetic on single numerics, each of its own scale, with the digits that PostgreSQL's `numeric.c` gives.
//!
//! Owns: the scales of results (`select_div_scale` and its kin). Must never know: columns, whose values share one scale.
//! `None` is a result that 75 digits do not hold.

use arrow::datatypes::i256;
use datafusion::common::ScalarValue;

use super::digits::{wide_divide_rounded, wide_power, wide_rescale};
use super::real::{Real, wide_root};

/// One more is the precision of the quotients' type, and so no value's own.
const DIGITS_MAX: u8 = 75;
/// As before, in 128 bits.
const NARROW_DIGITS_MAX: u8 = 37;
/// The significant digits that a result has at least.
const SIGNIFICANT_MIN: i32 = 16;
/// Decimal digits of one of PostgreSQL's, whose base is 10,000.
const GROUP: i32 = 4;
/// Logarithms are computed with more decimals, and have so many certain ones.
const CERTAIN: i32 = 30;

type Wide = Real<34>;

/// `mantissa / 10^scale`, which shows `scale` decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact {
    mantissa: i256,
    scale: i32,
}

impl Exact {
    /// The number of a constant, unless it is null or no exact number.
    pub fn of(value: &ScalarValue) -> Option<Self> {
        let narrow = |mantissa: i128, scale: i8| Some((i256::from_i128(mantissa), scale));
        let (mantissa, scale) = match value {
            ScalarValue::Decimal128(Some(mantissa), _, scale) => narrow(*mantissa, *scale),
            ScalarValue::Decimal256(Some(mantissa), _, scale) => Some((*mantissa, *scale)),
            ScalarValue::Int16(Some(value)) => narrow((*value).into(), 0),
            ScalarValue::Int32(Some(value)) => narrow((*value).into(), 0),
            ScalarValue::Int64(Some(value)) => narrow((*value).into(), 0),
            _ => None,
        }?;
        (scale >= 0).then_some(Self { mantissa, scale: scale.into() })
    }

    /// The constant, of a type that shows the scale as it is.
    pub fn value(self) -> Option<ScalarValue> {
        let scale = u8::try_from(self.scale).ok()?;
        let digits = u8::try_from(self.digits()).ok()?.max(scale).max(1);
        let signed = scale.cast_signed();
        match self.mantissa.to_i128() {
            Some(narrow) if digits <= NARROW_DIGITS_MAX => {
                Some(ScalarValue::Decimal128(Some(narrow), NARROW_DIGITS_MAX, signed))
            }
            _ if digits <= DIGITS_MAX => Some(ScalarValue::Decimal256(Some(self.mantissa), DIGITS_MAX, signed)),
            _ => None,
        }
    }

    /// With a declared precision and scale, a half away from zero.
    pub fn declared(self, precision: u8, scale: i8) -> Option<Self> {
        let scale = i32::from(scale);
        let rounded = Self { mantissa: wide_rescale(self.mantissa, scale - self.scale)?, scale };
        (rounded.digits() <= precision.into()).then_some(rounded)
    }

    pub fn abs(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_abs()?, ..self })
    }

    pub fn negated(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_neg()?, ..self })
    }

    pub fn times(self, other: Self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_mul(other.mantissa)?, scale: self.scale + other.scale })
    }

    /// The quotient, with 16 significant digits at least.
    pub fn over(self, divisor: Self) -> Option<Self> {
        let ((weight, first), (divisor_weight, divisor_first)) = (self.first_group()?, divisor.first_group()?);
        // Of equal first digits PostgreSQL takes the dividend's to be the smaller.
        let weight = weight - divisor_weight - i32::from(first <= divisor_first);
        let scale = (SIGNIFICANT_MIN - weight * GROUP).max(self.scale).max(divisor.scale);
        let shift = scale + divisor.scale - self.scale;
        let (dividend, divisor) = match shift >= 0 {
            true => (wide_rescale(self.mantissa, shift)?, divisor.mantissa),
            false => (self.mantissa, wide_rescale(divisor.mantissa, -shift)?),
        };
        Some(Self { mantissa: wide_divide_rounded(dividend, divisor)?, scale })
    }

    /// The square root of a number that is not below zero.
    pub fn sqrt(self) -> Option<Self> {
        if self.mantissa.is_negative() {
            return None;
        }
        let (weight, _) = self.first_group()?;
        let scale = (SIGNIFICANT_MIN - (weight * GROUP / 2 + 1)).max(self.scale);
        let root = wide_root(wide_rescale(self.mantissa, 2 * (scale + 1) - self.scale)?)?;
        Some(Self { mantissa: wide_rescale(root, -1)?, scale })
    }

    /// The natural logarithm of a number above zero.
    pub fn ln(self) -> Option<Self> {
        if self.mantissa <= i256::ZERO {
            return None;
        }
        let scale = (SIGNIFICANT_MIN - self.ln_weight()?).max(self.scale);
        let ln = Wide::from_wide(self.mantissa, self.scale)?.ln()?;
        (scale <= CERTAIN).then(|| ln.wide_mantissa(scale)).flatten().map(|mantissa| Self { mantissa, scale })
    }

    /// PostgreSQL's `estimate_ln_dweight`: the power of ten of the logarithm's first digit.
    fn ln_weight(self) -> Option<i32> {
        const LN_10: f64 = std::f64::consts::LN_10;
        let value = self.float();
        if (0.9..=1.1).contains(&value) {
            let past_one = self.mantissa.checked_sub(wide_power(self.scale.unsigned_abs())?)?;
            let past_one = Self { mantissa: past_one, ..self };
            return Some(if past_one.mantissa == i256::ZERO { 0 } else { past_one.exponent() });
        }
        let exponent = self.exponent();
        let leading = value / 10_f64.powi(exponent);
        let ln = leading.ln() + f64::from(exponent) * LN_10;
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a logarithm")]
        Some(ln.abs().log10() as i32)
    }

    pub fn exp(self) -> Option<Self> {
        if self.exp_is_beyond() {
            return None;
        }
        let (_, scale) = self.exp_weight_and_scale();
        let mantissa = Wide::from_wide(self.mantissa, self.scale)?.exp_to(scale)?;
        Some(Self { mantissa, scale })
    }

    /// Whether `e^self` has a first digit behind all that Arrow has, or more digits than are certain.
    pub fn exp_is_beyond(self) -> bool {
        let (weight, scale) = self.exp_weight_and_scale();
        // Every digit before the point makes one behind it uncertain.
        scale > DIGITS_MAX.into() || (weight >= 0 && weight.saturating_add(scale) > CERTAIN)
    }

    fn exp_weight_and_scale(self) -> (i32, i32) {
        /// `log10(e)`.
        #[expect(clippy::approx_constant, reason = "PostgreSQL's digits, which decide the scale")]
        const LOG_E: f64 = 0.434_294_481_903_252;
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates, and the result is refused")]
        let weight = (self.float() * LOG_E) as i32;
        (weight, SIGNIFICANT_MIN.saturating_sub(weight).max(self.scale).max(0))
    }

    fn float(self) -> f64 {
        let text = self.mantissa.to_string();
        let digits: f64 = text.parse().unwrap_or(f64::NAN);
        digits / 10_f64.powi(self.scale)
    }

    fn digits(self) -> i32 {
        let log = self.mantissa.wrapping_abs().checked_ilog10();
        log.and_then(|log| i32::try_from(log).ok()).map_or(0, |log| log + 1)
    }

    /// The power of ten of the first digit that is not zero.
    fn exponent(self) -> i32 {
        self.digits() - 1 - self.scale
    }

    /// The first digit to base 10,000 that is not zero, and its power of 10,000; zeros for zero.
    fn first_group(self) -> Option<(i32, i256)> {
        if self.mantissa == i256::ZERO {
            return Some((0, i256::ZERO));
        }
        let weight = self.exponent().div_euclid(GROUP);
        let below = self.scale + weight * GROUP;
        let magnitude = self.mantissa.checked_abs()?;
        let first = match u32::try_from(below) {
            Ok(places) => magnitude.checked_div(wide_power(places)?)?,
            Err(_) => wide_rescale(magnitude, -below)?,
        };
        Some((weight, first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let mantissa: i128 = format!("{whole}{fraction}").parse().unwrap();
        Exact { mantissa: i256::from_i128(mantissa), scale: i32::try_from(fraction.len()).unwrap() }
    }

    fn check(result: Option<Exact>, expect: &str) {
        assert_eq!(result, Some(exact(expect)), "{expect}");
    }

    #[test]
    fn quotients_have_the_scale_of_both_first_digits() {
        // Recorded from PostgreSQL, as what follows.
        check(exact("0").over(exact("0.01")), "0.0000000000000000");
        check(exact("-4.20").over(exact("4")), "-1.05000000000000000000");
        check(exact("-5079.18564").over(exact("-77928502361")), "0.000000065177508692146031");
        check(exact("1").over(exact("3")), "0.33333333333333333333");
        assert_eq!(exact("1").over(exact("0")), None);
    }

    #[test]
    fn products_add_scales() {
        check(exact("227409498").times(exact("990.180")), "225176336729.640");
    }

    #[test]
    fn roots_have_sixteen_digits() {
        check(exact("346117").sqrt(), "588.3170913716514");
        check(exact("0.5").sqrt(), "0.70710678118654752");
        check(exact("5037202").sqrt(), "2244.3711814225382");
        check(exact("0").sqrt(), "0.000000000000000");
        assert_eq!(exact("-1").sqrt(), None);
    }

    #[test]
    fn logarithms_and_powers_of_e_have_sixteen_digits() {
        check(exact("1").ln(), "0.0000000000000000");
        check(exact("866496.48").ln(), "13.672213325809870");
        check(exact("66841.1435").ln(), "11.110074090582140");
        check(exact("0.00150000000000000000").exp(), "1.00150112556271100080");
        check(exact("-17.4347390000000000").exp(), "0.00000002680334885392762");
        check(exact("-9.4417000000000000").exp(), "0.00007934540664015758");
        assert_eq!(exact("-9000").exp(), None);
        check(exact("-0.78571428571428571429").exp(), "0.45579401832801715865");
        check(exact("20").exp(), "485165195.40979028");
        check(exact("3.00000000000000000000").exp(), "20.08553692318766774093");
        // 26881171418161354484126255515800135873611119 has more digits than are certain.
        assert_eq!(exact("100").exp(), None);
        assert!(exact("-9000").exp_is_beyond() && exact("100").exp_is_beyond());
    }
}
