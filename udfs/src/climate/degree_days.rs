//! Degree days of one day: `heating_degree_days`, `cooling_degree_days`, `growing_degree_days`.
//!
//! Owns: the formulas; a sum over days is SQL's `sum`. Must never know: how numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::quantity::{each, function_of, strict};
use crate::Error;
use crate::function::{Overload, Ty, function, overload};
use crate::manual::Manual;

const MEAN_DAYS: &str = "https://www.weather.gov/key/climate_heat_cool";

pub(super) static HEATING_DEGREE_DAYS: Manual = Manual {
    name: "heating_degree_days",
    calls: &[("(mean_temperature double precision, base double precision)", "double precision")],
    meaning: "By how many degrees the mean temperature of a day is below the base, such as 18 degrees Celsius (65 \
              Fahrenheit); 0 if it is above. Both are in the same unit, and so is the result.",
    nulls: strict!("No number is refused."),
    example: ("SELECT heating_degree_days(5.5, 18)", "12.5"),
    source: MEAN_DAYS,
};

pub(super) static COOLING_DEGREE_DAYS: Manual = Manual {
    name: "cooling_degree_days",
    calls: &[("(mean_temperature double precision, base double precision)", "double precision")],
    meaning: "By how many degrees the mean temperature of a day is above the base, such as 18 degrees Celsius (65 \
              Fahrenheit); 0 if it is below. Both are in the same unit, and so is the result.",
    nulls: strict!("No number is refused."),
    example: ("SELECT cooling_degree_days(25.5, 18)", "7.5"),
    source: MEAN_DAYS,
};

pub(super) static GROWING_DEGREE_DAYS: Manual = Manual {
    name: "growing_degree_days",
    calls: &[(
        "(temperature_min double precision, temperature_max double precision, base double precision [, cap double precision])",
        "double precision",
    )],
    meaning: "The warmth that plants have of a day: how far the mean of its least and greatest temperature is above the \
              base, when each of them counts as the base where it is below, and as the cap where it is above. All are in \
              the same unit, and so is the result; maize has 10 and 30 degrees Celsius.",
    nulls: strict!("A least temperature above the greatest, or a cap below the base, is 22023."),
    example: ("SELECT growing_degree_days(8, 34, 10, 30)", "10.0"),
    source: "G. S. McMaster and W. W. Wilhelm, Growing degree-days: one equation, two interpretations, Agricultural and \
             Forest Meteorology 87 (1997), method 2",
};

/// The functions.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    static GROWING: [Overload; 2] = [
        overload(&[Ty::Float, Ty::Float, Ty::Float], Ty::Float, |args| {
            each(args, |[least, greatest, base]| growing(least, greatest, base, f64::INFINITY).map(Some))
        }),
        overload(&[Ty::Float, Ty::Float, Ty::Float, Ty::Float], Ty::Float, |args| {
            each(args, |[least, greatest, base, cap]| growing(least, greatest, base, cap).map(Some))
        }),
    ];
    vec![
        function_of!("heating_degree_days", [Ty::Float, Ty::Float], |[mean, base]| Ok(Some((base - mean).max(0.0)))),
        function_of!("cooling_degree_days", [Ty::Float, Ty::Float], |[mean, base]| Ok(Some((mean - base).max(0.0)))),
        function("growing_degree_days", &GROWING),
    ]
}

fn growing(least: f64, greatest: f64, base: f64, cap: f64) -> Result<f64, Error> {
    if least > greatest {
        return Err(Error::InvalidParameter(format!("least temperature {least} is above the greatest, {greatest}")));
    }
    if cap < base {
        return Err(Error::InvalidParameter(format!("cap {cap} is below the base, {base}")));
    }
    let (least, greatest) = (least.clamp(base, cap), greatest.clamp(base, cap));
    Ok((least + greatest) / 2.0 - base)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the paper's two methods, and of the cap of maize in degrees Fahrenheit (50 and 86).
    #[test]
    fn each_end_of_a_day_is_limited_before_the_mean() {
        for (least, greatest, base, cap, expect) in [
            (12.0, 28.0, 10.0, f64::INFINITY, 10.0),
            (5.0, 21.0, 10.0, f64::INFINITY, 5.5),
            (-5.0, 8.0, 10.0, f64::INFINITY, 0.0),
            (60.0, 90.0, 50.0, 86.0, 23.0),
            (45.0, 90.0, 50.0, 86.0, 18.0),
            (87.0, 99.0, 50.0, 86.0, 36.0),
        ] {
            assert_eq!(growing(least, greatest, base, cap), Ok(expect), "{least} {greatest}");
        }
        assert!(growing(20.0, 10.0, 10.0, 30.0).is_err() && growing(10.0, 20.0, 10.0, 5.0).is_err());
    }
}
