//! `wind_chill(temperature, wind_speed)` - how cold moving air feels.
//!
//! Owns: the formula and where it holds. Must never know: how numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::quantity::{self, function_of, strict};
use crate::Error;
use crate::function::Ty;
use crate::manual::Manual;

pub(super) static WIND_CHILL: Manual = Manual {
    name: "wind_chill",
    calls: &[("(temperature double precision, wind_speed double precision)", "double precision")],
    meaning: "How cold the air feels in wind, in degrees Celsius, of its temperature in degrees Celsius and the speed of \
              wind at 10 metres in kilometres per hour.",
    nulls: strict!(
        "It is defined up to 10 degrees and from 4.8 km/h on, and NULL beyond: COALESCE(wind_chill(t, v), t) takes the \
         temperature there. A temperature below -100 or above 100, or a negative speed, is 22023."
    ),
    example: ("SELECT round(wind_chill(-20, 30)::numeric, 1)", "-32.6"),
    source: "https://www.weather.gov/media/epz/wxcalc/windChill.pdf, of 2001 with Environment Canada, in metric units",
};

/// The function.
pub(super) fn wind_chill() -> Arc<ScalarUDF> {
    function_of!("wind_chill", [Ty::Float, Ty::Float], |[at, speed]| chill(at, speed))
}

fn chill(temperature: f64, speed_kmh: f64) -> Result<Option<f64>, Error> {
    let (at, speed) = (quantity::temperature(temperature)?, quantity::speed(speed_kmh)?);
    if at > 10.0 || speed < 4.8 {
        return Ok(None);
    }
    let power = speed.powf(0.16);
    Ok(Some(13.12 + 0.6215 * at - 11.37 * power + 0.3965 * at * power))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Environment Canada's table of wind chill, from 0 to -40 degrees in steps of 10.
    const TABLE: [(f64, [f64; 5]); 5] = [
        (5.0, [-2.0, -13.0, -24.0, -36.0, -47.0]),
        (10.0, [-3.0, -15.0, -27.0, -39.0, -51.0]),
        (20.0, [-5.0, -18.0, -30.0, -43.0, -56.0]),
        (30.0, [-6.0, -20.0, -33.0, -46.0, -59.0]),
        (60.0, [-9.0, -23.0, -36.0, -50.0, -64.0]),
    ];

    #[test]
    fn chills_are_those_of_the_table() {
        for (speed, row) in TABLE {
            for (at, expect) in [0.0, -10.0, -20.0, -30.0, -40.0].into_iter().zip(row) {
                let gives = chill(at, speed).unwrap().unwrap();
                assert_eq!(gives.round(), expect, "{at} C, {speed} km/h: {gives}");
            }
        }
    }

    #[test]
    fn where_there_is_none_it_is_null() {
        assert_eq!(chill(10.1, 30.0), Ok(None));
        assert_eq!(chill(-5.0, 4.7), Ok(None));
        assert!(chill(-5.0, -1.0).is_err());
    }
}
