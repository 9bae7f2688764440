//! `lakegate_money_mul(money, float8)`, `lakegate_money_div(money, float8)`, `lakegate_money_part(money, bigint)`,
//! `lakegate_money_ratio(money, money)` - PostgreSQL's `*` and `/` of money.
//!
//! A result is a whole number of cents: a float's is rounded, half to even, an integer's cut off. NULL gives NULL, zero
//! divides nothing: 22012. Where PostgreSQL 16 wraps around, it is 22003. Users never name these functions.
//! <https://www.postgresql.org/docs/16/datatype-money.html>
//!
//! ```sql
//! SELECT '2.55'::money / 2;  -- $1.27
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

/// How an amount is held.
pub const MONEY: DataType = DataType::Decimal128(19, 2);

const AMOUNT: Returns = Returns::Field(MONEY, "money");

/// `lakegate_money_mul`.
pub fn times() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[Ty::Any, Ty::Float], AMOUNT, |args| scaled(args, |cents, factor| Ok(cents * factor)))];
    function("lakegate_money_mul", &OVERLOADS)
}

/// `lakegate_money_div`.
pub fn divided() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Any, Ty::Float], AMOUNT, |args| {
        scaled(args, |cents, by| if by == 0.0 { Err(Error::DivisionByZero) } else { Ok(cents / by) })
    })];
    function("lakegate_money_div", &OVERLOADS)
}

/// `lakegate_money_part`.
pub fn part() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Any, Ty::Int], AMOUNT, |args| {
        let (cents, by) = (args.column::<Decimal128Array>(0)?, args.int(1)?);
        args.build::<Decimal128Type>(|row| {
            let (cents, by) = (some!(cents.get(row)), some!(by.get(row)));
            Ok(Some(cents.checked_div(i128::from(by)).ok_or(Error::DivisionByZero)?))
        })
    })];
    function("lakegate_money_part", &OVERLOADS)
}

/// `lakegate_money_ratio`.
pub fn ratio() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Any, Ty::Any], Ty::Float, |args| {
        let (cents, by) = (args.column::<Decimal128Array>(0)?, args.column::<Decimal128Array>(1)?);
        args.build::<Float64Type>(|row| {
            let (cents, by) = (float(some!(cents.get(row))), float(some!(by.get(row))));
            if by == 0.0 { Err(Error::DivisionByZero.into()) } else { Ok(Some(cents / by)) }
        })
    })];
    function("lakegate_money_ratio", &OVERLOADS)
}

fn scaled(args: &Args<'_>, compute: impl Fn(f64, f64) -> Result<f64, Error>) -> Result<ArrayRef> {
    let (cents, factors) = (args.column::<Decimal128Array>(0)?, args.float(1)?);
    args.build::<Decimal128Type>(|row| {
        let (cents, factor) = (some!(cents.get(row)), some!(factors.get(row)));
        Ok(Some(whole(compute(float(cents), factor)?)?))
    })
}

#[expect(clippy::cast_precision_loss, reason = "PostgreSQL counts in double precision there")]
fn float(cents: i128) -> f64 {
    cents as f64
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn whole(cents: f64) -> Result<i128, Error> {
    let cents = cents.round_ties_even();
    let fits = cents.is_finite() && cents.abs() < 9_223_372_036_854_775_808.0;
    if fits { Ok(cents as i128) } else { Err(Error::ValueOutOfRange { of: "money", value: format!("{cents:e}") }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;
    use datafusion::common::ScalarValue;

    #[test]
    fn amounts_are_rounded_by_floats_and_cut_off_by_integers() {
        let money = |cents: i128| ScalarValue::Decimal128(Some(cents), 19, 2);
        let float = |value: f64| ScalarValue::Float64(Some(value));
        // Recorded from PostgreSQL.
        for (cents, factor, expect) in [(5, 0.5, 2), (15, 0.5, 8), (100, 2.5, 250), (-5, 0.5, -2)] {
            assert_eq!(call(&times(), &[money(cents), float(factor)], true), Ok(money(expect)), "{cents} * {factor}");
        }
        assert_eq!(call(&divided(), &[money(255), float(2.0)], true), Ok(money(128)));
        assert_eq!(call(&part(), &[money(255), ScalarValue::Int64(Some(2))], true), Ok(money(127)));
        assert_eq!(call(&part(), &[money(-255), ScalarValue::Int64(Some(2))], true), Ok(money(-127)));
        assert_eq!(call(&part(), &[money(1), ScalarValue::Int64(Some(0))], true), Err(Error::DivisionByZero));
        assert_eq!(call(&ratio(), &[money(100), money(200)], true), Ok(float(0.5)));
        let huge = call(&times(), &[money(100), float(1e300)], true);
        assert!(matches!(huge, Err(Error::ValueOutOfRange { of: "money", .. })), "{huge:?}");
    }
}
