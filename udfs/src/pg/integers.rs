//! `div(a, b)`, `mod(a, b)`, `gcd(a, b)`, `lcm(a, b)`, `factorial(n)`, `width_bucket(x, low, high, n)`, `sign(x)`.
//!
//! `div` cuts toward zero and is numeric, `gcd` and `lcm` have the type of their arguments, `mod` has the sign of `a`; zero as divisor is 22012, a result that does not fit 22003, a bad
//! bucket 2201G. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT div(-7, 2), mod(-7, 2), factorial(20), width_bucket(5.35, 0.024, 10.06, 5);  -- -3  -1  2432902008176640000  3
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, i256};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::numeric::digits::wide_rescale;
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

const OVERFLOW: Error = Error::NumericOverflow("bigint");

/// `div`: numeric, as PostgreSQL has no other.
pub fn div() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[Ty::Numeric, Ty::Numeric], Returns::From(|_| DataType::Decimal128(37, 0)), numeric_div)];
    function("div", &OVERLOADS)
}

/// Whole quotients of numerics.
fn numeric_div(args: &Args<'_>) -> Result<ArrayRef> {
    let (left, right) = (args.numeric(0)?, args.numeric(1)?);
    let scale = |index| match args.array(index).map(|array| array.data_type().clone()) {
        Ok(DataType::Decimal128(_, scale)) => i32::from(scale),
        _ => 0,
    };
    let shift = scale(1) - scale(0);
    args.build::<Decimal128Type>(|row| {
        let wide = |value: i128, by: i32| wide_rescale(i256::from_i128(value), by.max(0));
        let (left, right) = (wide(some!(left.get(row)), shift), wide(some!(right.get(row)), -shift));
        let (left, right) = left.zip(right).ok_or(Error::NumericFormatOverflow)?;
        if right == i256::ZERO {
            return Err(Error::DivisionByZero.into());
        }
        let whole = left.checked_div(right).and_then(i256::to_i128).filter(|whole| whole.unsigned_abs() < LIMIT);
        Ok(Some(whole.ok_or(Error::NumericFormatOverflow)?))
    })
}

const LIMIT: u128 = 10_u128.pow(37);

/// `mod`.
pub fn modulo() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Int, Ty::Int], Ty::Int, |args| {
            pairs(args, |a, b| if b == 0 { Err(Error::DivisionByZero) } else { Ok(a.wrapping_rem(b)) })
        }),
        overload(&[Ty::Float, Ty::Float], Ty::Float, |args| {
            floats(args, |a, b| if b == 0.0 { Err(Error::DivisionByZero) } else { Ok(a % b) })
        }),
    ];
    function("mod", &OVERLOADS)
}

/// `gcd`.
pub fn gcd() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 3] = [
        overload(&[Ty::Int4, Ty::Int4], Ty::Int4, |args| small_pairs(args, divisor)),
        overload(&[Ty::Int, Ty::Int], Ty::Int, |args| pairs(args, divisor)),
        overload_of(&[Ty::Numeric, Ty::Numeric], Returns::From(finer), |args| {
            numerics(args, |a, b| Ok(i128::try_from(common(a, b)).ok()))
        }),
    ];
    function("gcd", &OVERLOADS)
}

fn divisor(a: i64, b: i64) -> Result<i64, Error> {
    i64::try_from(common(a.into(), b.into())).map_err(|_| OVERFLOW)
}

/// `lcm`.
pub fn lcm() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 3] = [
        overload(&[Ty::Int4, Ty::Int4], Ty::Int4, |args| small_pairs(args, multiple)),
        overload(&[Ty::Int, Ty::Int], Ty::Int, |args| pairs(args, multiple)),
        overload_of(&[Ty::Numeric, Ty::Numeric], Returns::From(finer), |args| {
            numerics(args, |a, b| Ok(least_multiple(a, b)))
        }),
    ];
    function("lcm", &OVERLOADS)
}

fn multiple(a: i64, b: i64) -> Result<i64, Error> {
    let least = least_multiple(a.into(), b.into()).ok_or(OVERFLOW)?;
    i64::try_from(least).map_err(|_| OVERFLOW)
}

fn least_multiple(a: i128, b: i128) -> Option<i128> {
    let divisor = common(a, b);
    if divisor == 0 {
        return Some(0);
    }
    i128::try_from((a.unsigned_abs() / divisor).checked_mul(b.unsigned_abs())?).ok()
}

/// A numeric with the decimals of both arguments.
fn finer(given: &[DataType]) -> DataType {
    DataType::Decimal128(38, given.iter().map(decimals).max().unwrap_or_default())
}

fn decimals(of: &DataType) -> i8 {
    match of {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    }
}

/// `factorial`: numeric, up to 33!.
pub fn factorial() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[Ty::Int], Returns::From(|_| DataType::Decimal128(38, 0)), |args| {
            let numbers = args.int(0)?;
            args.build::<Decimal128Type>(|row| {
                let number = some!(numbers.get(row));
                if number < 0 {
                    return Err(
                        Error::InvalidParameter("factorial of a negative number is undefined".to_owned()).into()
                    );
                }
                if number > 33 {
                    return Err(Error::NumericOverflow("value").into());
                }
                Ok(Some((1..=i128::from(number)).product()))
            })
        })];
    function("factorial", &OVERLOADS)
}

/// `sign`.
pub fn sign() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float], Ty::Float, |args| {
            let values = args.float(0)?;
            args.build::<Float64Type>(|row| {
                let value = some!(values.get(row));
                Ok(Some(if value == 0.0 { 0.0 } else { value.signum() }))
            })
        }),
        overload_of(&[Ty::Numeric], Returns::From(|_| DataType::Decimal128(1, 0)), |args| {
            let values = args.numeric(0)?;
            args.build::<Decimal128Type>(|row| Ok(Some(some!(values.get(row)).signum())))
        }),
    ];
    function("sign", &OVERLOADS)
}

/// `width_bucket`.
pub fn width_bucket() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        super::array_items::THRESHOLDS,
        overload(&[Ty::Float, Ty::Float, Ty::Float, Ty::Int], Ty::Int4, |args| {
            let (values, lows, highs, counts) = (args.float(0)?, args.float(1)?, args.float(2)?, args.int(3)?);
            args.build::<Int32Type>(|row| {
                let (value, low) = (some!(values.get(row)), some!(lows.get(row)));
                Ok(Some(bucket(value, low, some!(highs.get(row)), some!(counts.get(row)))?))
            })
        }),
    ];
    function("width_bucket", &OVERLOADS)
}

pub(crate) fn bucket(value: f64, low: f64, high: f64, count: i64) -> Result<i32, Error> {
    let count = i32::try_from(count).map_err(|_| Error::NumericOverflow("integer"))?;
    if count <= 0 {
        return Err(Error::InvalidWidthBucket("count must be greater than zero"));
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(Error::InvalidWidthBucket("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(Error::InvalidWidthBucket("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(Error::InvalidWidthBucket("lower bound cannot equal upper bound"));
    }
    let share = (value - low) / (high - low);
    if share < 0.0 {
        return Ok(0);
    }
    if share >= 1.0 {
        return count.checked_add(1).ok_or(Error::NumericOverflow("integer"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a share below 1 gives a bucket of the count")]
    let index = (share * f64::from(count)) as i32;
    Ok(index.min(count - 1) + 1)
}

fn common(a: i128, b: i128) -> u128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Computes with integers, after both arguments have the same decimals, which the result keeps if its type has any.
fn numerics(args: &Args<'_>, compute: impl Fn(i128, i128) -> Result<Option<i128>, Error>) -> Result<ArrayRef> {
    let (left, right) = (args.numeric(0)?, args.numeric(1)?);
    let scales = [args.array(0)?, args.array(1)?].map(|array| decimals(array.data_type()));
    let finest = scales[0].max(scales[1]);
    let [more_left, more_right] = scales.map(|scale| 10_i128.checked_pow(u32::from((finest - scale).unsigned_abs())));
    args.build::<Decimal128Type>(|row| {
        let (a, b) = (some!(left.get(row)), some!(right.get(row)));
        let aligned =
            |value: i128, by: Option<i128>| by.and_then(|by| value.checked_mul(by)).ok_or(Error::NumericFormatOverflow);
        let result = compute(aligned(a, more_left)?, aligned(b, more_right)?)?;
        Ok(Some(result.ok_or(Error::NumericFormatOverflow)?))
    })
}

/// Of `integer`, whose result must be one too.
fn small_pairs(args: &Args<'_>, compute: impl Fn(i64, i64) -> Result<i64, Error>) -> Result<ArrayRef> {
    let (left, right) = (args.column::<Int32Array>(0)?, args.column::<Int32Array>(1)?);
    args.build::<Int32Type>(|row| {
        let result = compute(some!(left.get(row)).into(), some!(right.get(row)).into())?;
        Ok(Some(i32::try_from(result).map_err(|_| Error::NumericOverflow("integer"))?))
    })
}

fn pairs(args: &Args<'_>, compute: impl Fn(i64, i64) -> Result<i64, Error>) -> Result<ArrayRef> {
    let (left, right) = (args.int(0)?, args.int(1)?);
    args.build::<Int64Type>(|row| Ok(Some(compute(some!(left.get(row)), some!(right.get(row)))?)))
}

fn floats(args: &Args<'_>, compute: impl Fn(f64, f64) -> Result<f64, Error>) -> Result<ArrayRef> {
    let (left, right) = (args.float(0)?, args.float(1)?);
    args.build::<Float64Type>(|row| Ok(Some(compute(some!(left.get(row)), some!(right.get(row)))?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;
    use datafusion::common::ScalarValue;

    #[test]
    fn results_are_postgres_s() {
        let check = |udf: Arc<ScalarUDF>, args: &[i64], expect: &str| {
            let args: Vec<_> = args.iter().map(|value| ScalarValue::Int64(Some(*value))).collect();
            assert_eq!(shown(&udf, &args), expect, "{} {args:?}", udf.name());
        };
        assert!(shown(&div(), &[-7, 2].map(|value| ScalarValue::Int64(Some(value)))).contains("-3"));
        check(modulo(), &[-7, 2], "-1");
        check(modulo(), &[i64::MIN, -1], "0");
        check(div(), &[1, 0], "division by zero");
        check(gcd(), &[12, 18], "6");
        let numbers = [ScalarValue::Decimal128(Some(166), 3, 2), ScalarValue::Decimal128(Some(-77_398), 5, 0)];
        assert_eq!(shown(&div(), &numbers), "0");
        check(lcm(), &[12, 18], "36");
        check(lcm(), &[i64::MAX, 2], "bigint out of range");
        check(factorial(), &[-1], "factorial of a negative number is undefined");
        assert!(shown(&factorial(), &[ScalarValue::Int64(Some(25))]).contains("15511210043330985984000000"));
        assert_eq!(bucket(5.35, 0.024, 10.06, 5), Ok(3));
        assert_eq!(bucket(-1.0, 0.0, 10.0, 5), Ok(0));
        assert_eq!(bucket(10.0, 0.0, 10.0, 5), Ok(6));
        assert_eq!(bucket(9.0, 10.0, 0.0, 5), Ok(1));
    }
}
