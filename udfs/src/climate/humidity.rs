//! Water vapour: `saturation_vapour_pressure`, `dew_point`, `relative_humidity`, `vapour_pressure_deficit`.
//!
//! All follow one formula, so that each is the inverse of the others. Must never know: how their numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::quantity::{self, function_of, strict};
use crate::Error;
use crate::function::Ty;
use crate::manual::Manual;

const BOLTON: &str = "D. Bolton, The Computation of Equivalent Potential Temperature, Monthly Weather Review 108 (1980), \
                      equations 10 and 11; within 0.1 % from -30 to 35 degrees Celsius, over water";

pub(super) static SATURATION_VAPOUR_PRESSURE: Manual = Manual {
    name: "saturation_vapour_pressure",
    calls: &[("(temperature double precision)", "double precision")],
    meaning: "The pressure of water vapour over water, in hectopascals, in saturated air of a temperature in degrees \
              Celsius.",
    nulls: strict!("A temperature that is not between -100 and 100 is 22023."),
    example: ("SELECT round(saturation_vapour_pressure(20)::numeric, 2)", "23.37"),
    source: BOLTON,
};

pub(super) static DEW_POINT: Manual = Manual {
    name: "dew_point",
    calls: &[("(temperature double precision, relative_humidity double precision)", "double precision")],
    meaning: "The temperature, in degrees Celsius, to which air must cool for dew to fall; of its temperature in degrees \
              Celsius and its relative humidity in percent.",
    nulls: strict!(
        "A relative humidity of 0 gives NULL: such air has none. A temperature that is not between -100 and 100, or a \
         humidity that is not between 0 and 100, is 22023."
    ),
    example: ("SELECT round(dew_point(25, 60)::numeric, 1)", "16.7"),
    source: BOLTON,
};

pub(super) static RELATIVE_HUMIDITY: Manual = Manual {
    name: "relative_humidity",
    calls: &[("(temperature double precision, dew_point double precision)", "double precision")],
    meaning: "The relative humidity in percent, of air temperature and dew point in degrees Celsius. It is above 100 where \
              the dew point is above the temperature.",
    nulls: strict!("A temperature that is not between -100 and 100 is 22023."),
    example: ("SELECT round(relative_humidity(25, 16.7)::numeric, 0)", "60"),
    source: BOLTON,
};

pub(super) static VAPOUR_PRESSURE_DEFICIT: Manual = Manual {
    name: "vapour_pressure_deficit",
    calls: &[("(temperature double precision, relative_humidity double precision)", "double precision")],
    meaning: "How much pressure of water vapour, in hectopascals, air of a temperature in degrees Celsius and a relative \
              humidity in percent lacks to be saturated. Ten hectopascals are a kilopascal.",
    nulls: strict!(
        "A temperature that is not between -100 and 100, or a humidity that is not between 0 and 100, is 22023."
    ),
    example: ("SELECT round(vapour_pressure_deficit(25, 60)::numeric, 2)", "12.67"),
    source: BOLTON,
};

/// The functions.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        function_of!("saturation_vapour_pressure", [Ty::Float], |[at]| Ok(Some(saturation(at)?))),
        function_of!("dew_point", [Ty::Float, Ty::Float], |[at, humidity]| dew_point(at, humidity)),
        function_of!("relative_humidity", [Ty::Float, Ty::Float], |[at, dew_point]| {
            Ok(Some(100.0 * saturation(dew_point)? / saturation(at)?))
        }),
        function_of!("vapour_pressure_deficit", [Ty::Float, Ty::Float], |[at, humidity]| {
            Ok(Some(saturation(at)? - vapour_pressure(at, humidity)?))
        }),
    ]
}

/// In hectopascals.
pub(super) fn saturation(temperature: f64) -> Result<f64, Error> {
    let at = quantity::temperature(temperature)?;
    Ok(6.112 * (17.67 * at / (at + 243.5)).exp())
}

/// In hectopascals.
pub(super) fn vapour_pressure(temperature: f64, relative_humidity: f64) -> Result<f64, Error> {
    Ok(saturation(temperature)? * quantity::relative_humidity(relative_humidity)? / 100.0)
}

fn dew_point(temperature: f64, relative_humidity: f64) -> Result<Option<f64>, Error> {
    let pressure = vapour_pressure(temperature, relative_humidity)?;
    if pressure <= 0.0 {
        return Ok(None);
    }
    let ratio = (pressure / 6.112).ln();
    Ok(Some(243.5 * ratio / (17.67 - ratio)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FAO Irrigation and Drainage Paper 56, annex 2, table 2.3 (in kPa there), which has its own formula.
    const SATURATION: [(f64, f64); 7] =
        [(1.0, 6.57), (5.0, 8.72), (10.0, 12.28), (15.0, 17.05), (20.0, 23.38), (25.0, 31.68), (30.0, 42.43)];

    #[test]
    fn saturation_is_that_of_the_table() {
        for (at, expect) in SATURATION {
            let gives = saturation(at).unwrap();
            assert!((gives / expect - 1.0).abs() < 0.0015, "{at}: {gives}, not {expect}");
        }
    }

    /// 20 degrees and 50 % have their dew point at 9.3, 30 and 70 % at 23.9: the Magnus formula of WMO-No. 8, annex 4.B.
    #[test]
    fn dew_points_are_those_of_another_formula() {
        let magnus = |at: f64, humidity: f64| {
            let ratio = (humidity / 100.0).ln() + 17.62 * at / (243.12 + at);
            243.12 * ratio / (17.62 - ratio)
        };
        for at in [-20.0, 0.0, 10.0, 20.0, 35.0] {
            for humidity in [10.0, 50.0, 70.0, 100.0] {
                let gives = dew_point(at, humidity).unwrap().unwrap();
                assert!((gives - magnus(at, humidity)).abs() < 0.06, "{at} {humidity}: {gives}");
                let back = 100.0 * saturation(gives).unwrap() / saturation(at).unwrap();
                assert!((back - humidity).abs() < 1e-9, "{at} {humidity}: {back}");
            }
        }
        assert_eq!(format!("{:.1}", dew_point(20.0, 50.0).unwrap().unwrap()), "9.3");
        assert_eq!(dew_point(20.0, 0.0), Ok(None));
        assert!(dew_point(20.0, 101.0).is_err() && dew_point(293.15, 50.0).is_err());
    }
}
