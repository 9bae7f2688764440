//! Trigonometry: `sin`, `cos`, `tan`, `cot`, `asin`, `acos`, `atan`, `atan2`, `acosh`, `atanh` in radians, and `sind`,
//! `cosd`, `tand`, `cotd`, `asind`, `acosd`, `atand`, `atan2d` in degrees - double precision to double precision.
//!
//! Those in degrees are exact where the result is (`sind(30)` is 0.5), by PostgreSQL's own formulas. An argument that has
//! no result, such as `acos(2)` or `sin('Infinity')`, is 22003. NULL gives NULL, NaN gives NaN.
//! <https://www.postgresql.org/docs/16/functions-math.html#FUNCTIONS-MATH-TRIG-TABLE>
//!
//! ```sql
//! SELECT sind(30), cosd(60), tand(45), atan2d(1, 1);  -- 0.5  0.5  1  45
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// 22003 "input is out of range".
const OUT_OF_RANGE: Error = Error::NumericOverflow("input is");

macro_rules! of_one {
    ($($(#[$doc:meta])* $name:ident => $compute:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name() -> Arc<ScalarUDF> {
            static OVERLOADS: [Overload; 1] =
                [overload(&[Ty::Float], Ty::Float, |args| each(args, |value| $compute(value)))];
            function(stringify!($name), &OVERLOADS)
        }
    )*};
}

of_one! {
    /// `sin`.
    sin => |value| finite(value).map(f64::sin);
    /// `cos`.
    cos => |value| finite(value).map(f64::cos);
    /// `tan`.
    tan => |value| finite(value).map(f64::tan);
    /// `cot`.
    cot => |value| finite(value).map(|value| 1.0 / value.tan());
    /// `asin`.
    asin => |value| within_one(value).map(f64::asin);
    /// `acos`.
    acos => |value| within_one(value).map(f64::acos);
    /// `acosh`.
    acosh => |value: f64| if value < 1.0 { Err(OUT_OF_RANGE) } else { Ok(value.acosh()) };
    /// `atanh`.
    atanh => |value| within_one(value).map(f64::atanh);
    /// `sind`.
    sind => |value| quadrant(value).map(|at| at.sine_sign * sine(at.degrees));
    /// `cosd`.
    cosd => |value| quadrant(value).map(|at| at.cosine_sign * cosine(at.degrees));
    /// `tand`.
    tand => |value| quadrant(value).map(|at| {
        let ratio = (sine(at.degrees) / cosine(at.degrees)) / (sine(45.0) / cosine(45.0));
        without_minus(at.sine_sign * at.cosine_sign * ratio)
    });
    /// `cotd`.
    cotd => |value| quadrant(value).map(|at| {
        let ratio = (cosine(at.degrees) / sine(at.degrees)) / (cosine(45.0) / sine(45.0));
        without_minus(at.sine_sign * at.cosine_sign * ratio)
    });
    /// `asind`.
    asind => |value| within_one(value).map(|value| if value >= 0.0 { arc_sine(value) } else { -arc_sine(-value) });
    /// `acosd`.
    acosd => |value| within_one(value).map(|value| {
        if value >= 0.0 { arc_cosine(value) } else { 90.0 + arc_sine(-value) }
    });
    /// `atand`.
    atand => |value: f64| Ok(value.atan() / 1_f64.atan() * 45.0);
}

/// `atan2d`.
pub fn atan2d() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Float, Ty::Float], Ty::Float, |args| {
        let (ys, xs) = (args.float(0)?, args.float(1)?);
        args.build::<Float64Type>(|row| {
            let (y, x) = (some!(ys.get(row)), some!(xs.get(row)));
            Ok(Some(y.atan2(x) / 1_f64.atan() * 45.0))
        })
    })];
    function("atan2d", &OVERLOADS)
}

fn each(args: &Args<'_>, compute: impl Fn(f64) -> Result<f64, Error>) -> Result<ArrayRef> {
    let values = args.float(0)?;
    args.build::<Float64Type>(|row| {
        let value = some!(values.get(row));
        Ok(Some(if value.is_nan() { value } else { compute(value)? }))
    })
}

fn finite(value: f64) -> Result<f64, Error> {
    if value.is_infinite() { Err(OUT_OF_RANGE) } else { Ok(value) }
}

fn within_one(value: f64) -> Result<f64, Error> {
    if (-1.0..=1.0).contains(&value) { Ok(value) } else { Err(OUT_OF_RANGE) }
}

/// An angle as one of the first quadrant, with the signs that its sine and cosine have.
struct Quadrant {
    degrees: f64,
    sine_sign: f64,
    cosine_sign: f64,
}

fn quadrant(value: f64) -> Result<Quadrant, Error> {
    let (mut degrees, mut sine_sign, mut cosine_sign) = (finite(value)? % 360.0, 1.0, 1.0);
    if degrees < 0.0 {
        (degrees, sine_sign) = (-degrees, -sine_sign);
    }
    if degrees > 180.0 {
        (degrees, sine_sign) = (360.0 - degrees, -sine_sign);
    }
    if degrees > 90.0 {
        (degrees, cosine_sign) = (180.0 - degrees, -cosine_sign);
    }
    Ok(Quadrant { degrees, sine_sign, cosine_sign })
}

/// Of 0 to 90 degrees; exact at 0, 30 and 90.
fn sine(degrees: f64) -> f64 {
    if degrees <= 30.0 { sine_to_30(degrees) } else { cosine_to_60(90.0 - degrees) }
}

/// Of 0 to 90 degrees; exact at 0, 60 and 90.
fn cosine(degrees: f64) -> f64 {
    if degrees <= 60.0 { cosine_to_60(degrees) } else { sine_to_30(90.0 - degrees) }
}

fn sine_to_30(degrees: f64) -> f64 {
    degrees.to_radians().sin() / 30_f64.to_radians().sin() / 2.0
}

fn cosine_to_60(degrees: f64) -> f64 {
    let from_one = |degrees: f64| 1.0 - degrees.to_radians().cos();
    1.0 - from_one(degrees) / from_one(60.0) / 2.0
}

/// Of 0 to 1.
fn arc_sine(value: f64) -> f64 {
    if value <= 0.5 { value.asin() / 0.5_f64.asin() * 30.0 } else { 90.0 - value.acos() / 0.5_f64.acos() * 60.0 }
}

/// Of 0 to 1.
fn arc_cosine(value: f64) -> f64 {
    if value <= 0.5 { 90.0 - value.asin() / 0.5_f64.asin() * 30.0 } else { value.acos() / 0.5_f64.acos() * 60.0 }
}

/// Zero has no sign.
fn without_minus(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;
    use datafusion::common::ScalarValue;

    #[test]
    fn degrees_are_exact_where_the_result_is() {
        for (udf, value, expect) in [
            (sind(), 30.0, "0.5"),
            (sind(), -150.0, "-0.5"),
            (cosd(), 60.0, "0.5"),
            (cosd(), 240.0, "-0.5"),
            (tand(), 45.0, "1"),
            (tand(), 180.0, "0"),
            (cotd(), 135.0, "-1"),
            (asind(), 0.5, "30"),
            (acosd(), -0.5, "120"),
            (atand(), 1.0, "45"),
            (acos(), 2.0, "input is out of range"),
            (sin(), f64::INFINITY, "input is out of range"),
            (acosh(), 0.5, "input is out of range"),
        ] {
            assert_eq!(shown(&udf, &[ScalarValue::from(value)]), expect, "{} {value}", udf.name());
        }
    }
}
