//! What the formulas of this room have in common: how their numbers are read, and which of them no instrument measures.
//!
//! Owns: NULL, NaN, infinity and the units that are told by their range. Must never know: any formula.

use arrow::array::ArrayRef;
use arrow::datatypes::Float64Type;
use datafusion::common::Result;

use crate::Error;
use crate::function::{Args, some};

/// One number per row of `N` numbers: NULL of a NULL, NaN of a NaN; an infinite one is 22003, as of PostgreSQL's `sin`.
pub(super) fn each<const N: usize>(
    args: &Args<'_>,
    compute: impl Fn([f64; N]) -> Result<Option<f64>, Error>,
) -> Result<ArrayRef> {
    let mut columns = Vec::with_capacity(N);
    for index in 0..N {
        columns.push(args.float(index)?);
    }
    args.build::<Float64Type>(|row| {
        let mut values = [0.0; N];
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = some!(column.get(row));
        }
        Ok(of_numbers(values, &compute)?)
    })
}

/// The value of a formula, unless a number is none.
pub(super) fn of_numbers<const N: usize>(
    values: [f64; N],
    compute: impl Fn([f64; N]) -> Result<Option<f64>, Error>,
) -> Result<Option<f64>, Error> {
    if values.iter().any(|value| value.is_nan()) {
        return Ok(Some(f64::NAN));
    }
    if values.iter().any(|value| value.is_infinite()) {
        return Err(Error::NumericOverflow("input is"));
    }
    match compute(values)? {
        Some(value) if value.is_infinite() => Err(Error::Overflow),
        value => Ok(value),
    }
}

fn within(what: &str, value: f64, (least, greatest): (f64, f64), hint: &str) -> Result<f64, Error> {
    if (least..=greatest).contains(&value) {
        return Ok(value);
    }
    let message = format!("{what} {value} is not between {least} and {greatest}");
    Err(Error::ParameterWithHint { message, hint: hint.to_owned() })
}

/// Of air or of a dew point, in degrees Celsius.
pub(super) fn temperature(value: f64) -> Result<f64, Error> {
    let hint = "Temperatures are in degrees Celsius; convert_unit(value, 'K', 'C') gives them of kelvins.";
    within("temperature", value, (-100.0, 100.0), hint)
}

/// In percent.
pub(super) fn relative_humidity(value: f64) -> Result<f64, Error> {
    within("relative humidity", value, (0.0, 100.0), "Relative humidity is in percent.")
}

/// Of wind, in any unit.
pub(super) fn speed(value: f64) -> Result<f64, Error> {
    if value >= 0.0 {
        return Ok(value);
    }
    let hint = "A speed has no sign; the direction tells where the wind comes from.".to_owned();
    Err(Error::ParameterWithHint { message: format!("wind speed {value} is negative"), hint })
}

/// From where wind blows, in degrees.
pub(super) fn direction(value: f64) -> Result<f64, Error> {
    let hint = "Directions are in degrees, clockwise from north; codes such as 990 (variable) are none.";
    within("direction", value, (0.0, 360.0), hint)
}

/// At a station, in hectopascals.
pub(super) fn pressure(value: f64) -> Result<f64, Error> {
    let hint = "Pressures are in hectopascals; convert_unit(value, 'Pa', 'hPa') gives them of pascals.";
    within("pressure", value, (300.0, 1100.0), hint)
}

/// Above the sea, in metres.
pub(super) fn elevation(value: f64) -> Result<f64, Error> {
    within("elevation", value, (-500.0, 9000.0), "Elevations are in metres.")
}

/// In degrees north.
pub(super) fn latitude(value: f64) -> Result<f64, Error> {
    within("latitude", value, (-90.0, 90.0), "The arguments are latitude and longitude, in degrees.")
}

/// In degrees east, from -180 or from 0.
pub(super) fn longitude(value: f64) -> Result<f64, Error> {
    within("longitude", value, (-180.0, 360.0), "The arguments are latitude and longitude, in degrees.")
}

/// The rule for NULL and NaN of [`each`], as a page has it.
macro_rules! strict {
    ($rest:expr) => {
        concat!("NULL gives NULL, NaN gives NaN, infinity is 22003. ", $rest)
    };
}
pub(super) use strict;

/// An overload of this many numbers.
macro_rules! of_numbers {
    ($name:literal, $types:expr, $compute:expr) => {{
        static OVERLOADS: [crate::function::Overload; 1] =
            [crate::function::overload(&$types, crate::function::Ty::Float, |args| {
                crate::climate::quantity::each(args, $compute)
            })];
        crate::function::function($name, &OVERLOADS)
    }};
}
pub(super) use of_numbers as function_of;
