//! Wind: `wind_u`, `wind_v`, `wind_speed`, `wind_direction`.
//!
//! Owns: from speed and direction to components and back. Must never know: how numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::quantity::{self, function_of, strict};
use crate::Error;
use crate::function::Ty;
use crate::manual::Manual;

const SOURCE: &str = "WMO-No. 8, Guide to Instruments and Methods of Observation, volume I, chapter 5";

pub(super) static WIND_U: Manual = Manual {
    name: "wind_u",
    calls: &[("(speed double precision, direction double precision)", "double precision")],
    meaning: "The component of wind towards east, in the unit of the speed. The direction is where it comes from, in \
              degrees clockwise from north.",
    nulls: strict!("A negative speed, or a direction that is not between 0 and 360, is 22023."),
    example: ("SELECT wind_u(10, 270)", "10.0"),
    source: SOURCE,
};

pub(super) static WIND_V: Manual = Manual {
    name: "wind_v",
    calls: &[("(speed double precision, direction double precision)", "double precision")],
    meaning: "The component of wind towards north, in the unit of the speed. The direction is where it comes from, in \
              degrees clockwise from north.",
    nulls: strict!("A negative speed, or a direction that is not between 0 and 360, is 22023."),
    example: ("SELECT wind_v(10, 180)", "10.0"),
    source: SOURCE,
};

pub(super) static WIND_SPEED: Manual = Manual {
    name: "wind_speed",
    calls: &[("(u double precision, v double precision)", "double precision")],
    meaning: "The speed of wind, in the unit of its components towards east and north.",
    nulls: strict!("No number is refused."),
    example: ("SELECT wind_speed(3, 4)", "5.0"),
    source: SOURCE,
};

pub(super) static WIND_DIRECTION: Manual = Manual {
    name: "wind_direction",
    calls: &[("(u double precision, v double precision)", "double precision")],
    meaning: "Where wind comes from, in degrees clockwise from north, of its components towards east and north. North is \
              360, and 0 is calm, as stations report it.",
    nulls: strict!("No number is refused."),
    example: ("SELECT wind_direction(10, 0)", "270.0"),
    source: SOURCE,
};

/// The functions.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        function_of!("wind_u", [Ty::Float, Ty::Float], |[speed, from]| component(speed, from).map(|(u, _)| Some(u))),
        function_of!("wind_v", [Ty::Float, Ty::Float], |[speed, from]| component(speed, from).map(|(_, v)| Some(v))),
        function_of!("wind_speed", [Ty::Float, Ty::Float], |[u, v]| Ok(Some(u.hypot(v)))),
        function_of!("wind_direction", [Ty::Float, Ty::Float], |[u, v]| Ok(Some(direction(u, v)))),
    ]
}

/// Towards east and north.
fn component(speed: f64, from: f64) -> Result<(f64, f64), Error> {
    let (speed, (sine, cosine)) = (quantity::speed(speed)?, sine_and_cosine(quantity::direction(from)?));
    // Zero has no sign.
    Ok((0.0 - speed * sine, 0.0 - speed * cosine))
}

/// Of an angle in degrees between 0 and 360; exact at the four winds.
pub(super) fn sine_and_cosine(degrees: f64) -> (f64, f64) {
    match degrees {
        0.0 | 360.0 => (0.0, 1.0),
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        _ => degrees.to_radians().sin_cos(),
    }
}

fn direction(u: f64, v: f64) -> f64 {
    if u == 0.0 && v == 0.0 {
        return 0.0;
    }
    let from = (-u).atan2(-v).to_degrees();
    if from > 0.0 { from } else { from + 360.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_winds_of_the_compass_blow_where_they_are_named_after() {
        let half = 50_f64.sqrt();
        for (from, u, v) in [
            (360.0, 0.0, -10.0),
            (90.0, -10.0, 0.0),
            (180.0, 0.0, 10.0),
            (270.0, 10.0, 0.0),
            (45.0, -half, -half),
            (225.0, half, half),
        ] {
            let gives = component(10.0, from).unwrap();
            assert!((gives.0 - u).abs() < 1e-12 && (gives.1 - v).abs() < 1e-12, "{from}: {gives:?}");
            assert!((direction(gives.0, gives.1) - from).abs() < 1e-12, "{from}");
        }
        assert_eq!(component(10.0, 0.0), component(10.0, 360.0));
        assert_eq!(direction(0.0, 0.0), 0.0);
        assert!(component(10.0, 990.0).is_err() && component(-1.0, 90.0).is_err());
    }
}
