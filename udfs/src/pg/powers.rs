//! `sqrt(x)`, `cbrt` is DataFusion's, `power(x, y)`, `ln(x)`, `log(x)`, `log(base, x)`, `log10(x)`, `exp(x)` - on double precision
//! and on numeric.
//!
//! A root of a negative number is 2201F, a logarithm of zero or less 2201E, a result that does not fit 22003. NULL gives
//! NULL. A numeric result has 16 decimals, a root 15, as PostgreSQL's has for most arguments.
//! <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT sqrt(2), power(2, 10), ln(10), log(2, 8);
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Decimal128Array};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::numeric::real::Real;
use crate::Error;
use crate::function::{Args, Column, Overload, Returns, Ty, function, function_named, overload, overload_of, some};

/// `sqrt`.
pub fn sqrt() -> Arc<ScalarUDF> {
    const NEGATIVE: Error = Error::InvalidPower("cannot take square root of a negative number");
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float], Ty::Float, |args| map(args, |x| if x < 0.0 { Err(NEGATIVE) } else { Ok(x.sqrt()) })),
        overload_of(&[Ty::Numeric], Returns::From(|_| DataType::Decimal128(37, 15)), |args| {
            exact(args, |x| if x.is_negative() { Err(NEGATIVE) } else { Ok(x.sqrt()) })
        }),
    ];
    function("sqrt", &OVERLOADS)
}

/// `power`, also `pow`.
pub fn power() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float, Ty::Float], Ty::Float, |args| {
            let (bases, exponents) = (args.float(0)?, args.float(1)?);
            args.build::<Float64Type>(|row| Ok(Some(raise(some!(bases.get(row)), some!(exponents.get(row)))?)))
        }),
        overload_of(&[Ty::Numeric, Ty::Numeric], NUMERIC, |args| exact_of_two(args, exact_power)),
    ];
    function_named(&["power", "pow"], &OVERLOADS)
}

/// `exp`.
pub fn exp() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float], Ty::Float, |args| map(args, |x| finite(x.exp(), x.is_finite()))),
        overload_of(&[Ty::Numeric], NUMERIC, |args| exact(args, |x| Ok(x.exp()))),
    ];
    function("exp", &OVERLOADS)
}

/// `ln`.
pub fn ln() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float], Ty::Float, |args| map(args, |x| Ok(positive(x)?.ln()))),
        overload_of(&[Ty::Numeric], NUMERIC, |args| exact(args, |x| Ok(exact_positive(x)?.ln()))),
    ];
    function("ln", &OVERLOADS)
}

/// `log10`.
pub fn log10() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float], Ty::Float, |args| map(args, |x| Ok(positive(x)?.log10()))),
        overload_of(&[Ty::Numeric], NUMERIC, |args| exact(args, |x| Ok(exact_positive(x)?.log10()))),
    ];
    function("log10", &OVERLOADS)
}

/// `log`: to base 10, or of two numerics to the base of the first.
pub fn log() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 3] = [
        overload(&[Ty::Float], Ty::Float, |args| map(args, |x| Ok(positive(x)?.log10()))),
        overload_of(&[Ty::Numeric], NUMERIC, |args| exact(args, |x| Ok(exact_positive(x)?.log10()))),
        overload_of(&[Ty::Numeric, Ty::Numeric], NUMERIC, |args| {
            exact_of_two(args, |base, x| {
                let (base, x) = (exact_positive(base)?.ln(), exact_positive(x)?.ln());
                match base {
                    Some(zero) if zero.is_zero() => Err(Error::DivisionByZero),
                    base => Ok(base.zip(x).and_then(|(base, x)| x.div(base))),
                }
            })
        }),
    ];
    function("log", &OVERLOADS)
}

/// A result of 16 decimals.
const NUMERIC: Returns = Returns::From(|_| DataType::Decimal128(37, 16));

/// A function of one numeric; `None` is a result that does not fit.
fn exact(args: &Args<'_>, compute: impl Fn(Real) -> Result<Option<Real>, Error>) -> Result<ArrayRef> {
    let (values, scale) = numerics(args, 0)?;
    let to = scale_of(args.returns);
    args.build::<Decimal128Type>(|row| {
        let value = Real::new(some!(values.get(row)), scale).ok_or(Error::NumericFormatOverflow)?;
        Ok(Some(fit(compute(value)?, to)?))
    })
}

fn exact_of_two(args: &Args<'_>, compute: impl Fn(Real, Real) -> Result<Option<Real>, Error>) -> Result<ArrayRef> {
    let ((lefts, left_scale), (rights, right_scale)) = (numerics(args, 0)?, numerics(args, 1)?);
    let to = scale_of(args.returns);
    args.build::<Decimal128Type>(|row| {
        let left = Real::new(some!(lefts.get(row)), left_scale).ok_or(Error::NumericFormatOverflow)?;
        let right = Real::new(some!(rights.get(row)), right_scale).ok_or(Error::NumericFormatOverflow)?;
        Ok(Some(fit(compute(left, right)?, to)?))
    })
}

fn numerics<'a>(args: &'a Args<'_>, index: usize) -> Result<(Column<'a, Decimal128Array>, i8)> {
    Ok((args.column(index)?, scale_of(args.array(index)?.data_type())))
}

fn scale_of(of: &DataType) -> i8 {
    match of {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    }
}

fn fit(result: Option<Real>, scale: i8) -> Result<i128, Error> {
    let mantissa = result.and_then(|real| real.mantissa(scale));
    mantissa.filter(|value| value.unsigned_abs() < 10_u128.pow(37)).ok_or(Error::NumericFormatOverflow)
}

fn exact_positive(value: Real) -> Result<Real, Error> {
    if value.is_zero() || value.is_negative() {
        positive(if value.is_zero() { 0.0 } else { -1.0 })?;
    }
    Ok(value)
}

fn exact_power(base: Real, exponent: Real) -> Result<Option<Real>, Error> {
    if base.is_zero() && exponent.is_negative() {
        return Err(ZERO_TO_NEGATIVE);
    }
    if base.is_negative() && exponent.as_integer().is_none() {
        return Err(COMPLEX);
    }
    Ok(base.pow(exponent))
}

const ZERO_TO_NEGATIVE: Error = Error::InvalidPower("zero raised to a negative power is undefined");
const COMPLEX: Error = Error::InvalidPower("a negative number raised to a non-integer power yields a complex result");

fn map(args: &Args<'_>, compute: impl Fn(f64) -> Result<f64, Error>) -> Result<ArrayRef> {
    let values = args.float(0)?;
    args.build::<Float64Type>(|row| Ok(Some(compute(some!(values.get(row)))?)))
}

fn positive(value: f64) -> Result<f64, Error> {
    if value == 0.0 {
        return Err(Error::InvalidLogarithm("cannot take logarithm of zero"));
    }
    if value < 0.0 { Err(Error::InvalidLogarithm("cannot take logarithm of a negative number")) } else { Ok(value) }
}

fn raise(base: f64, exponent: f64) -> Result<f64, Error> {
    if base == 0.0 && exponent < 0.0 {
        return Err(ZERO_TO_NEGATIVE);
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(COMPLEX);
    }
    finite(base.powf(exponent), base.is_finite() && exponent.is_finite())
}

fn finite(result: f64, given_finite: bool) -> Result<f64, Error> {
    if result.is_infinite() && given_finite { Err(Error::Overflow) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;
    use datafusion::common::ScalarValue;

    #[test]
    fn domains_are_postgres_s() {
        let float = |value: f64| ScalarValue::Float64(Some(value));
        assert_eq!(shown(&sqrt(), &[float(-1.0)]), "cannot take square root of a negative number");
        assert_eq!(shown(&sqrt(), &[ScalarValue::Int64(Some(9))]), "3");
        assert_eq!(shown(&ln(), &[float(0.0)]), "cannot take logarithm of zero");
        assert_eq!(shown(&log(), &[float(-1.0)]), "cannot take logarithm of a negative number");
        assert_eq!(shown(&power(), &[float(0.0), float(-1.0)]), "zero raised to a negative power is undefined");
        assert_eq!(shown(&power(), &[float(1e300), float(2.0)]), "value out of range: overflow");
        assert_eq!(shown(&exp(), &[float(1000.0)]), "value out of range: overflow");
        assert_eq!(shown(&exp(), &[ScalarValue::Float64(None)]), "NULL");
    }
}
