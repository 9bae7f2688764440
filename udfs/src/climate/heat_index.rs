//! `heat_index(temperature, relative_humidity)` - how warm damp air feels.
//!
//! Owns: the regression and its adjustments, which are in degrees Fahrenheit. Must never know: how numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::quantity::{self, function_of, strict};
use crate::Error;
use crate::function::Ty;
use crate::manual::Manual;

pub(super) static HEAT_INDEX: Manual = Manual {
    name: "heat_index",
    calls: &[("(temperature double precision, relative_humidity double precision)", "double precision")],
    meaning: "How warm the air feels in the shade, in degrees Celsius, of its temperature in degrees Celsius and its \
              relative humidity in percent: the regression of Rothfusz with its adjustments from 80 degrees Fahrenheit \
              (26.7 Celsius) of the index on, the simpler formula of Steadman below.",
    nulls: strict!(
        "A temperature that is not between -100 and 100, or a humidity that is not between 0 and 100, is 22023."
    ),
    example: ("SELECT round(heat_index(32, 70)::numeric, 1)", "40.4"),
    source: "https://www.wpc.ncep.noaa.gov/html/heatindex_equation.shtml",
};

/// The function.
pub(super) fn heat_index() -> Arc<ScalarUDF> {
    function_of!("heat_index", [Ty::Float, Ty::Float], |[at, humidity]| celsius(at, humidity).map(Some))
}

fn celsius(temperature: f64, relative_humidity: f64) -> Result<f64, Error> {
    let at = quantity::temperature(temperature)? * 9.0 / 5.0 + 32.0;
    Ok((fahrenheit(at, quantity::relative_humidity(relative_humidity)?) - 32.0) * 5.0 / 9.0)
}

fn fahrenheit(t: f64, rh: f64) -> f64 {
    let simple = 0.5 * (t + 61.0 + (t - 68.0) * 1.2 + rh * 0.094);
    if simple < 80.0 {
        return simple;
    }
    let index =
        -42.379 + 2.04901523 * t + 10.14333127 * rh - 0.22475541 * t * rh - 0.00683783 * t * t - 0.05481717 * rh * rh
            + 0.00122874 * t * t * rh
            + 0.00085282 * t * rh * rh
            - 0.00000199 * t * t * rh * rh;
    if rh < 13.0 && (80.0..=112.0).contains(&t) {
        return index - (13.0 - rh) / 4.0 * ((17.0 - (t - 95.0).abs()) / 17.0).sqrt();
    }
    if rh > 85.0 && (80.0..=87.0).contains(&t) {
        return index + (rh - 85.0) / 10.0 * ((87.0 - t) / 5.0);
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chart of the National Weather Service (weather.gov/safety/heat-index), in degrees Fahrenheit.
    const CHART: [(f64, [(f64, f64); 6]); 3] = [
        (40.0, [(80.0, 80.0), (86.0, 85.0), (90.0, 91.0), (96.0, 101.0), (100.0, 109.0), (110.0, 136.0)]),
        (70.0, [(80.0, 83.0), (82.0, 86.0), (84.0, 90.0), (86.0, 95.0), (90.0, 105.0), (94.0, 119.0)]),
        (100.0, [(80.0, 87.0), (82.0, 95.0), (84.0, 103.0), (86.0, 112.0), (88.0, 121.0), (90.0, 132.0)]),
    ];

    #[test]
    fn the_index_is_that_of_the_chart() {
        for (humidity, row) in CHART {
            for (at, expect) in row {
                let gives = fahrenheit(at, humidity);
                // The chart has whole degrees and leaves the adjustments out.
                let adjusted =
                    if humidity > 85.0 && at < 87.0 { (humidity - 85.0) / 10.0 * ((87.0 - at) / 5.0) } else { 0.0 };
                assert!((gives - adjusted - expect).abs() <= 1.0, "{at} F, {humidity} %: {gives}, not {expect}");
            }
        }
    }

    #[test]
    fn dry_and_damp_air_is_adjusted_and_cool_air_has_the_simple_formula() {
        // 95 F and 5 %: the adjustment is (13 - 5) / 4 = 2 degrees.
        let plain = fahrenheit(95.0, 13.0);
        assert!(fahrenheit(95.0, 5.0) < plain - 2.0);
        assert_eq!(fahrenheit(50.0, 50.0), 0.5 * (50.0 + 61.0 - 21.6 + 4.7));
        assert!(celsius(305.0, 50.0).is_err() && celsius(30.0, -1.0).is_err());
    }
}
