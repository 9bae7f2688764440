//! `sea_level_pressure(pressure, elevation, temperature [, relative_humidity])` - what a barometer would show at the sea.
//!
//! Owns: the formula. Must never know: how numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::humidity::vapour_pressure;
use super::quantity::{self, each, strict};
use crate::Error;
use crate::function::{Overload, Ty, function, overload};
use crate::manual::Manual;

pub(super) static SEA_LEVEL_PRESSURE: Manual = Manual {
    name: "sea_level_pressure",
    calls: &[(
        "(pressure double precision, elevation double precision, temperature double precision [, relative_humidity double precision])",
        "double precision",
    )],
    meaning: "The pressure of a station reduced to the level of the sea, in hectopascals, of its pressure in hectopascals, \
              its elevation in metres, the temperature in degrees Celsius and the relative humidity in percent; without a \
              humidity the air is dry. It is meant for stations below 750 metres.",
    nulls: strict!(
        "A pressure that is not between 300 and 1100, an elevation that is not between -500 and 9000, or what is no \
         temperature or humidity, is 22023."
    ),
    example: ("SELECT round(sea_level_pressure(995.2, 151, 15, 70)::numeric, 1)", "1013.0"),
    source: "WMO-No. 8, Guide to Instruments and Methods of Observation, volume I, chapter 3: reduction of low-level stations",
};

/// The function.
pub(super) fn sea_level_pressure() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Float, Ty::Float, Ty::Float], Ty::Float, |args| {
            each(args, |[pressure, elevation, at]| reduced(pressure, elevation, at, 0.0).map(Some))
        }),
        overload(&[Ty::Float, Ty::Float, Ty::Float, Ty::Float], Ty::Float, |args| {
            each(args, |[pressure, elevation, at, humidity]| reduced(pressure, elevation, at, humidity).map(Some))
        }),
    ];
    function("sea_level_pressure", &OVERLOADS)
}

/// 0.0148275 K/m is gravity over twice the gas constant of dry air and ln 10; 0.0065 K/m how temperature falls, 0.12 K/hPa
/// what vapour adds to it.
fn reduced(pressure: f64, elevation: f64, temperature: f64, humidity: f64) -> Result<f64, Error> {
    let (pressure, elevation) = (quantity::pressure(pressure)?, quantity::elevation(elevation)?);
    let virtual_mean = quantity::temperature(temperature)?
        + 273.15
        + 0.0065 * elevation / 2.0
        + 0.12 * vapour_pressure(temperature, humidity)?;
    Ok(pressure * 10_f64.powf(0.0148275 * elevation / virtual_mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ICAO standard atmosphere: what it has at these heights is 1013.25 hPa at the sea.
    #[test]
    fn the_standard_atmosphere_has_one_pressure_at_the_sea() {
        for (elevation, temperature, pressure) in
            [(0.0, 15.0, 1013.25), (100.0, 14.35, 1001.29), (300.0, 13.05, 977.73), (500.0, 11.75, 954.61)]
        {
            let gives = reduced(pressure, elevation, temperature, 0.0).unwrap();
            assert!((gives - 1013.25).abs() < 0.05, "{elevation}: {gives}");
            assert!(reduced(pressure, elevation, temperature, 90.0).unwrap() <= gives);
        }
        assert!(reduced(101_325.0, 0.0, 15.0, 0.0).is_err() && reduced(1000.0, 0.0, 288.0, 0.0).is_err());
    }
}
