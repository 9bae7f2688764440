//! `apparent_temperature` and `humidex` - how warm the air feels, as Australia and Canada say it.
//!
//! Owns: the two formulas. Must never know: how numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::quantity::{self, function_of, strict};
use crate::Error;
use crate::function::Ty;
use crate::manual::Manual;

pub(super) static APPARENT_TEMPERATURE: Manual = Manual {
    name: "apparent_temperature",
    calls: &[(
        "(temperature double precision, relative_humidity double precision, wind_speed double precision)",
        "double precision",
    )],
    meaning: "How warm the air feels in the shade and in wind, in degrees Celsius, of its temperature in degrees Celsius, \
              its relative humidity in percent and the speed of wind at 10 metres in metres per second.",
    nulls: strict!(
        "A temperature that is not between -100 and 100, a humidity that is not between 0 and 100, or a negative speed, is \
         22023."
    ),
    example: ("SELECT round(apparent_temperature(30, 50, 2)::numeric, 1)", "31.6"),
    source: "R. G. Steadman, Norms of apparent temperature in Australia, Australian Meteorological Magazine 43 (1994), as \
             the Bureau of Meteorology gives it (http://www.bom.gov.au/info/thermal_stress/)",
};

pub(super) static HUMIDEX: Manual = Manual {
    name: "humidex",
    calls: &[("(temperature double precision, dew_point double precision)", "double precision")],
    meaning: "How warm damp air feels, as Canada's forecasts say it: a number like degrees Celsius, of temperature and dew \
              point in degrees Celsius.",
    nulls: strict!("A temperature that is not between -100 and 100 is 22023."),
    example: ("SELECT round(humidex(30, 15)::numeric, 0)", "34"),
    source: "J. M. Masterton and F. A. Richardson, Humidex, Environment Canada CLI 1-79 (1979)",
};

/// The functions.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        function_of!("apparent_temperature", [Ty::Float, Ty::Float, Ty::Float], |[at, humidity, speed]| {
            apparent(at, humidity, speed).map(Some)
        }),
        function_of!("humidex", [Ty::Float, Ty::Float], |[at, dew_point]| humidex(at, dew_point).map(Some)),
    ]
}

fn apparent(temperature: f64, relative_humidity: f64, speed: f64) -> Result<f64, Error> {
    let at = quantity::temperature(temperature)?;
    let vapour = quantity::relative_humidity(relative_humidity)? / 100.0 * 6.105 * (17.27 * at / (237.7 + at)).exp();
    Ok(at + 0.33 * vapour - 0.70 * quantity::speed(speed)? - 4.00)
}

fn humidex(temperature: f64, dew_point: f64) -> Result<f64, Error> {
    let (at, dew_point) = (quantity::temperature(temperature)?, quantity::temperature(dew_point)? + 273.15);
    let vapour = 6.11 * (5417.7530 * (1.0 / 273.16 - 1.0 / dew_point)).exp();
    Ok(at + 5.0 / 9.0 * (vapour - 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Environment Canada's table of humidex: temperature, dew point, index.
    #[test]
    fn humidex_is_that_of_the_table() {
        for (at, dew_point, expect) in [(30.0, 15.0, 34.0), (25.0, 10.0, 26.0), (35.0, 25.0, 47.0), (40.0, 20.0, 48.0)]
        {
            let gives = humidex(at, dew_point).unwrap();
            assert!((gives - expect).abs() <= 1.0, "{at} {dew_point}: {gives}, not {expect}");
        }
    }

    /// Of saturated vapour at 20 degrees (23.3 hPa) by hand: 20 + 0.33 * 11.65 - 0.7 * 5 - 4.
    #[test]
    fn apparent_temperature_is_what_the_formula_gives_by_hand() {
        assert!((apparent(20.0, 50.0, 5.0).unwrap() - 16.35).abs() < 0.02);
        assert!(apparent(20.0, 50.0, -5.0).is_err());
    }
}
