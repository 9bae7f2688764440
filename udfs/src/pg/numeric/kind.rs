//! Which decimals stand for numerics without a declared scale, and how many decimals their values show.
//!
//! Owns: the convention. PostgreSQL's values carry their own scale; a column of Arrow has one. Three types are kept for
//! results whose scale follows the value, and survive the coercions of CASE, COALESCE and UNION, as no tag would.

use arrow::datatypes::{DataType, i256};

use super::digits::{divide_rounded, power, wide_divide_rounded, wide_power};

/// A numeric read from a text or a float: it shows the decimals that it has.
pub const OWN: DataType = DataType::Decimal128(38, 16);

/// A quotient or an average: it shows 16 significant digits at least, in steps of 4, as PostgreSQL's division does.
pub const QUOTIENT: DataType = DataType::Decimal128(38, 20);

/// A quotient of numbers that 18 digits before the point may not hold.
pub const WIDE_QUOTIENT: DataType = DataType::Decimal256(76, 20);

/// The decimals that a column's values show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As many as the type has.
    Fixed,
    /// Those up to the last one that is not zero.
    Own,
    /// Those of PostgreSQL's division.
    Quotient,
}

/// How the values of a computed column show; a declared one shows its scale.
pub fn shown(data_type: &DataType) -> Shown {
    match data_type {
        DataType::Decimal128(38, 16) => Shown::Own,
        DataType::Decimal128(38, 20) | DataType::Decimal256(76, 20) => Shown::Quotient,
        _ => Shown::Fixed,
    }
}

const QUOTIENT_SCALE: u32 = 20;

/// A mantissa with its scale, as the value shows.
#[inline]
pub fn shown_as(value: i128, scale: i8, shown: Shown) -> (i128, i8) {
    match shown {
        Shown::Fixed => (value, scale),
        Shown::Own => trimmed(value, scale),
        Shown::Quotient => {
            let magnitude = value.unsigned_abs();
            let digits = magnitude.checked_ilog10().map_or(0, |log| log + 1);
            let places = quotient_places(digits, 10_u128.checked_pow(digits.saturating_sub(1)) == Some(magnitude));
            match power(QUOTIENT_SCALE - places) {
                Some(unit) => (divide_rounded(value, unit), i8::try_from(places).unwrap_or(scale)),
                None => (value, scale),
            }
        }
    }
}

/// [`shown_as`] in 256 bits.
pub fn wide_shown_as(value: i256, scale: i8, shown: Shown) -> (i256, i8) {
    if let Some(narrow) = value.to_i128() {
        let (value, scale) = shown_as(narrow, scale, shown);
        return (i256::from_i128(value), scale);
    }
    let places = match (shown, value.wrapping_abs().checked_ilog10()) {
        // More than 38 digits: no power of 10,000 that anyone would tell from it.
        (Shown::Quotient, Some(log)) => quotient_places(log + 1, false),
        _ => return (value, scale),
    };
    let rounded = wide_power(QUOTIENT_SCALE - places).and_then(|unit| wide_divide_rounded(value, unit));
    (rounded.unwrap_or(value), i8::try_from(places).unwrap_or(scale))
}

/// Without the zeros at the end of the fraction.
fn trimmed(mut value: i128, mut scale: i8) -> (i128, i8) {
    for step in [8_i8, 4, 2, 1, 1] {
        let unit = 10_i128.pow(u32::from(step.unsigned_abs()));
        if scale >= step && value % unit == 0 {
            value /= unit;
            scale -= step;
        }
    }
    (value, scale)
}

/// The decimals of a quotient of so many digits, 20 of them after the point.
///
/// PostgreSQL's `select_div_scale` looks at the first digits to base 10,000 of both operands; of a quotient alone they
/// are known but for one case, equal first digits, which is the certain one for powers of 10,000.
fn quotient_places(digits: u32, is_power_of_ten: bool) -> u32 {
    let whole = digits.saturating_sub(QUOTIENT_SCALE);
    let same_first = is_power_of_ten && whole % 4 == 1;
    let places = QUOTIENT_SCALE.saturating_sub(4 * whole.div_ceil(4));
    (places + if same_first { 4 } else { 0 }).min(QUOTIENT_SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_show_sixteen_significant_digits_in_steps_of_four() {
        // Recorded from PostgreSQL: 0/3, 1/3, 1, 5/2, 10000, 20000/2.0, 100000/3, 1e20/3.
        for (value, expect) in [
            (0, (0, 20)),
            (33_333_333_333_333_333_333, (33_333_333_333_333_333_333, 20)),
            (10_i128.pow(20), (10_i128.pow(20), 20)),
            (25 * 10_i128.pow(19), (25 * 10_i128.pow(15), 16)),
            (-25 * 10_i128.pow(19), (-25 * 10_i128.pow(15), 16)),
            (10_i128.pow(24), (10_i128.pow(20), 16)),
            (2 * 10_i128.pow(24), (2 * 10_i128.pow(16), 12)),
            (3_333_333_333_333_333_333_333_333, (33_333_333_333_333_333, 12)),
        ] {
            assert_eq!(shown_as(value, 20, Shown::Quotient), expect, "{value}");
            let wide = wide_shown_as(i256::from_i128(value), 20, Shown::Quotient);
            assert_eq!(wide, (i256::from_i128(expect.0), expect.1), "{value}");
        }
        let large = i256::from_i128(10_i128.pow(38)).wrapping_mul(i256::from_i128(33));
        assert_eq!(wide_shown_as(large, 20, Shown::Quotient).1, 0);
    }

    #[test]
    fn a_value_of_its_own_scale_shows_no_padding() {
        for (value, expect) in [(15 * 10_i128.pow(15), (15, 1)), (0, (0, 0)), (10_i128.pow(18), (100, 0)), (1, (1, 16))]
        {
            assert_eq!(shown_as(value, 16, Shown::Own), expect, "{value}");
        }
    }
}
