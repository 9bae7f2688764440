//! `sqrt(x)`, `cbrt` is DataFusion's, `power(x, y)`, `ln(x)`, `log(x)`, `log(base, x)`, `log10(x)`, `exp(x)` - on double precision.
//!
//! A root of a negative number is 2201F, a logarithm of zero or less 2201E, a result that does not fit 22003. NULL gives
//! NULL. Numeric arguments are computed in double precision here.
//! <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT sqrt(2), power(2, 10), ln(10), log(2, 8);
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, function_named, overload, some};

/// `sqrt`.
pub fn sqrt() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Float], Ty::Float, |args| {
        map(args, |x| {
            if x < 0.0 {
                Err(Error::InvalidPower("cannot take square root of a negative number"))
            } else {
                Ok(x.sqrt())
            }
        })
    })];
    function("sqrt", &OVERLOADS)
}

/// `power`, also `pow`.
pub fn power() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Float, Ty::Float], Ty::Float, |args| {
        let (bases, exponents) = (args.float(0)?, args.float(1)?);
        args.build::<Float64Type>(|row| Ok(Some(raise(some!(bases.get(row)), some!(exponents.get(row)))?)))
    })];
    function_named(&["power", "pow"], &OVERLOADS)
}

/// `exp`.
pub fn exp() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::Float], Ty::Float, |args| map(args, |x| finite(x.exp(), x.is_finite())))];
    function("exp", &OVERLOADS)
}

/// `ln`.
pub fn ln() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Float], Ty::Float, |args| map(args, |x| Ok(positive(x)?.ln())))];
    function("ln", &OVERLOADS)
}

/// `log10`.
pub fn log10() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::Float], Ty::Float, |args| map(args, |x| Ok(positive(x)?.log10())))];
    function("log10", &OVERLOADS)
}

/// `log`: to base 10, or to the base of the first of two arguments.
pub fn log() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float], Ty::Float, |args| map(args, |x| Ok(positive(x)?.log10()))),
        overload(&[Ty::Float, Ty::Float], Ty::Float, |args| {
            let (bases, values) = (args.float(0)?, args.float(1)?);
            args.build::<Float64Type>(|row| {
                let (base, value) = (positive(some!(bases.get(row)))?, positive(some!(values.get(row)))?);
                if base == 1.0 {
                    return Err(Error::DivisionByZero.into());
                }
                // Exact for the two bases that people check by hand.
                Ok(Some(match base {
                    2.0 => value.log2(),
                    10.0 => value.log10(),
                    _ => value.ln() / base.ln(),
                }))
            })
        }),
    ];
    function("log", &OVERLOADS)
}

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
        return Err(Error::InvalidPower("zero raised to a negative power is undefined"));
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(Error::InvalidPower("a negative number raised to a non-integer power yields a complex result"));
    }
    finite(base.powf(exponent), base.is_finite() && exponent.is_finite())
}

fn finite(result: f64, given_finite: bool) -> Result<f64, Error> {
    if result.is_infinite() && given_finite { Err(Error::NumericOverflow("value")) } else { Ok(result) }
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
        assert_eq!(shown(&log(), &[float(2.0), float(8.0)]), "3");
        assert_eq!(shown(&power(), &[float(0.0), float(-1.0)]), "zero raised to a negative power is undefined");
        assert_eq!(shown(&power(), &[float(1e300), float(2.0)]), "value out of range");
        assert_eq!(shown(&exp(), &[float(1000.0)]), "value out of range");
        assert_eq!(shown(&exp(), &[ScalarValue::Float64(None)]), "NULL");
    }
}
