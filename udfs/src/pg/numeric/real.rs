//! Roots, powers and logarithms of numerics, with more digits than double precision has.
//!
//! Owns: fixed-point numbers of 24 decimals, or of others, in 256 bits. `None` is a result that they do not hold.

use arrow::datatypes::i256;

use super::digits::{wide_divide_rounded, wide_power, wide_rescale};

/// A number with that many decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Real<const SCALE: u8 = 24>(i256);

/// `ln 2` and `ln 10` to 37 decimals.
const LN_2: i128 = 6_931_471_805_599_453_094_172_321_214_581_765_681;
const LN_10: i128 = 23_025_850_929_940_456_840_179_914_546_843_642_076;
const CONSTANTS_SCALE: i8 = 37;

impl<const SCALE: u8> Real<SCALE> {
    pub(crate) fn new(mantissa: i128, scale: i8) -> Option<Self> {
        wide_rescale(i256::from_i128(mantissa), i32::from(SCALE) - i32::from(scale)).map(Self)
    }

    /// The mantissa to a scale.
    pub(crate) fn mantissa(self, scale: i8) -> Option<i128> {
        wide_rescale(self.0, i32::from(scale) - i32::from(SCALE))?.to_i128()
    }

    pub(crate) fn from_wide(mantissa: i256, scale: i32) -> Option<Self> {
        wide_rescale(mantissa, i32::from(SCALE) - scale).map(Self)
    }

    /// [`Self::mantissa`] in 256 bits.
    pub(crate) fn wide_mantissa(self, scale: i32) -> Option<i256> {
        wide_rescale(self.0, scale - i32::from(SCALE))
    }

    fn one() -> Option<i256> {
        wide_power(SCALE.into())
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == i256::ZERO
    }

    pub(crate) fn is_negative(self) -> bool {
        self.0.is_negative()
    }

    fn integer(value: i32) -> Option<Self> {
        i256::from_i128(value.into()).checked_mul(Self::one()?).map(Self)
    }

    /// The number as an integer, if it is one of 32 bits.
    pub(crate) fn as_integer(self) -> Option<i32> {
        let one = Self::one()?;
        let whole = self.0.checked_div(one)?;
        let exact = self.0.checked_rem(one)? == i256::ZERO;
        whole.to_i128().filter(|_| exact).and_then(|whole| i32::try_from(whole).ok())
    }

    fn add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    fn sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    fn mul(self, other: Self) -> Option<Self> {
        wide_divide_rounded(self.0.checked_mul(other.0)?, Self::one()?).map(Self)
    }

    pub(crate) fn div(self, other: Self) -> Option<Self> {
        wide_divide_rounded(self.0.checked_mul(Self::one()?)?, other.0).map(Self)
    }

    fn over(self, divisor: i32) -> Option<Self> {
        wide_divide_rounded(self.0, i256::from_i128(divisor.into())).map(Self)
    }

    pub(crate) fn sqrt(self) -> Option<Self> {
        wide_root(self.0.checked_mul(Self::one()?)?).map(Self)
    }

    /// The natural logarithm of a number above zero.
    pub(crate) fn ln(self) -> Option<Self> {
        let (one, two) = (Self::integer(1)?, Self::integer(2)?);
        let (mut rest, mut doublings) = (self, 0);
        while rest >= two {
            rest = rest.over(2)?;
            doublings += 1;
        }
        while rest < one {
            rest = rest.add(rest)?;
            doublings -= 1;
        }
        // ln x = 2 artanh((x - 1) / (x + 1)), which converges by a digit a term.
        let ratio = rest.sub(one)?.div(rest.add(one)?)?;
        let square = ratio.mul(ratio)?;
        let (mut sum, mut term, mut divisor) = (ratio, ratio, 1);
        while !term.is_zero() {
            term = term.mul(square)?;
            divisor += 2;
            sum = sum.add(term.over(divisor)?)?;
        }
        sum.add(sum)?.add(Self::integer(doublings)?.mul(Self::new(LN_2, CONSTANTS_SCALE)?)?)
    }

    pub(crate) fn log10(self) -> Option<Self> {
        self.ln()?.div(Self::new(LN_10, CONSTANTS_SCALE)?)
    }

    pub(crate) fn exp(self) -> Option<Self> {
        self.exp_to(SCALE.into()).map(Self)
    }

    /// The mantissa of `e^self` to a scale; powers far below one have more decimals than the number itself.
    pub(crate) fn exp_to(self, scale: i32) -> Option<i256> {
        // e^x = 2^k e^r, r at most half of ln 2.
        let doublings = wide_divide_rounded(self.0, Self::new(LN_2, CONSTANTS_SCALE)?.0)?
            .to_i128()
            .and_then(|k| i32::try_from(k).ok())?;
        let rest = self.sub(Self::integer(doublings)?.mul(Self::new(LN_2, CONSTANTS_SCALE)?)?)?;
        let (mut sum, mut term, mut index) = (Self::integer(1)?, Self::integer(1)?, 0);
        while !term.is_zero() {
            index += 1;
            term = term.mul(rest)?.over(index)?;
            sum = sum.add(term)?;
        }
        let factor = i256::from_i128(2).checked_pow(doublings.unsigned_abs());
        match (factor, doublings >= 0) {
            (Some(factor), true) => Self(sum.0.checked_mul(factor)?).wide_mantissa(scale),
            (Some(factor), false) if scale <= i32::from(SCALE) => {
                // Rounded once: half of a rounded number may round otherwise.
                let places = wide_power((i32::from(SCALE) - scale).unsigned_abs())?;
                wide_divide_rounded(sum.0, factor.checked_mul(places)?)
            }
            (Some(factor), false) => wide_divide_rounded(sum.wide_mantissa(scale)?, factor),
            (None, true) => None,
            (None, false) => Some(i256::ZERO),
        }
    }

    /// `self ^ exponent`; a negative base has an integer exponent.
    pub(crate) fn pow(self, exponent: Self) -> Option<Self> {
        let Some(integer) = exponent.as_integer() else {
            return if self.is_zero() { Some(self) } else { self.ln()?.mul(exponent)?.exp() };
        };
        let (mut result, mut base, mut left) = (Self::integer(1)?, self, integer.unsigned_abs());
        loop {
            if left % 2 == 1 {
                result = result.mul(base)?;
            }
            left /= 2;
            if left == 0 {
                break;
            }
            base = base.mul(base)?;
        }
        if integer < 0 { Self::integer(1)?.div(result) } else { Some(result) }
    }
}

/// The square root of an integer, rounded down; zero of one below zero.
pub(crate) fn wide_root(value: i256) -> Option<i256> {
    if value <= i256::ZERO {
        return Some(i256::ZERO);
    }
    // A power of two above the root, from where Newton's steps only fall.
    let bits = 256 - value.leading_zeros();
    let mut root = i256::from_i128(2).checked_pow(bits.div_ceil(2))?;
    loop {
        let next = root.checked_add(value.checked_div(root)?)?.checked_div(i256::from_i128(2))?;
        if next >= root {
            return Some(root);
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_postgres() {
        let real = |mantissa: i128, scale: i8| Real::<24>::new(mantissa, scale).unwrap();
        let shown = |real: Option<Real>| real.unwrap().mantissa(16).unwrap();
        assert_eq!(shown(real(2, 0).sqrt()), 14_142_135_623_730_950);
        assert_eq!(shown(real(1, 0).exp()), 27_182_818_284_590_452);
        assert_eq!(shown(real(2, 0).ln()), 6_931_471_805_599_453);
        assert_eq!(shown(real(1, 3).ln()), -69_077_552_789_821_371);
        assert_eq!(shown(real(3, 0).log10()), 4_771_212_547_196_624);
        assert_eq!(shown(real(100, 0).log10()), 20_000_000_000_000_000);
        assert_eq!(shown(real(15, 1).pow(real(25, 1))), 27_556_759_606_310_754);
        assert_eq!(shown(real(2, 0).pow(real(-1, 0))), 5_000_000_000_000_000);
        assert_eq!(shown(real(-2, 0).pow(real(3, 0))), -80_000_000_000_000_000);
        assert_eq!(real(105, 1).exp().unwrap().mantissa(12), Some(36_315_502_674_246_638));
        assert_eq!(real(10, 0).pow(real(100, 0)), None);
        assert_eq!(wide_root(i256::from_i128(15)), Some(i256::from_i128(3)));
        assert_eq!(wide_root(i256::from_i128(16)), Some(i256::from_i128(4)));
    }
}
