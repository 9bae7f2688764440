//! `haversine(latitude_1, longitude_1, latitude_2, longitude_2)` - the distance of two places on the globe.
//!
//! Owns: the formula and the radius. Must never know: how numbers are read.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::quantity::{self, function_of, strict};
use crate::Error;
use crate::function::Ty;
use crate::manual::Manual;

pub(super) static HAVERSINE: Manual = Manual {
    name: "haversine",
    calls: &[(
        "(latitude_1 double precision, longitude_1 double precision, latitude_2 double precision, longitude_2 double precision)",
        "double precision",
    )],
    meaning: "The distance of two places along the surface, in kilometres, on a sphere of the mean radius of the Earth \
              (6371.0088 km): within 0.6 % of that on the ellipsoid. The arguments are in degrees north and east.",
    nulls: strict!(
        "A latitude that is not between -90 and 90, or a longitude that is not between -180 and 360, is 22023. The station \
         next to a place is the first of ORDER BY haversine(...) LIMIT 1."
    ),
    example: ("SELECT round(haversine(48.8566, 2.3522, 43.6047, 1.4442)::numeric, 1)", "588.1"),
    source: "R. W. Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984)",
};

const RADIUS_KM: f64 = 6371.0088;

/// The function.
pub(super) fn haversine() -> Arc<ScalarUDF> {
    function_of!("haversine", [Ty::Float, Ty::Float, Ty::Float, Ty::Float], |[a, b, c, d]| {
        kilometres((a, b), (c, d)).map(Some)
    })
}

fn kilometres(from: (f64, f64), to: (f64, f64)) -> Result<f64, Error> {
    let place = |(latitude, longitude)| -> Result<(f64, f64), Error> {
        let degrees = (quantity::latitude(latitude)?, quantity::longitude(longitude)?);
        Ok((degrees.0.to_radians(), degrees.1.to_radians()))
    };
    let (from, to) = (place(from)?, place(to)?);
    let half_sine = |angle: f64| (angle / 2.0).sin().powi(2);
    let haversine = half_sine(to.0 - from.0) + from.0.cos() * to.0.cos() * half_sine(to.1 - from.1);
    Ok(2.0 * RADIUS_KM * haversine.min(1.0).sqrt().asin())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arcs of known length: a degree of the equator, a quarter and half of the globe; and the airports of New York (JFK)
    /// and London (LHR), 5540 km apart on the sphere.
    #[test]
    fn arcs_have_their_length() {
        let degree = RADIUS_KM * std::f64::consts::PI / 180.0;
        for (from, to, expect) in [
            ((0.0, 0.0), (0.0, 1.0), degree),
            ((0.0, 179.5), (0.0, -179.5), degree),
            ((0.0, 359.0), (0.0, 0.0), degree),
            ((90.0, 0.0), (0.0, 77.0), 90.0 * degree),
            ((90.0, 0.0), (-90.0, 0.0), 180.0 * degree),
            ((45.0, 7.0), (45.0, 7.0), 0.0),
        ] {
            let gives = kilometres(from, to).unwrap();
            assert!((gives - expect).abs() < 1e-6, "{from:?} {to:?}: {gives}, not {expect}");
        }
        let gives = kilometres((40.6398, -73.7789), (51.4775, -0.4614)).unwrap();
        assert!((gives - 5540.0).abs() < 5.0, "{gives}");
        assert!(kilometres((91.0, 0.0), (0.0, 0.0)).is_err() && kilometres((0.0, -181.0), (0.0, 0.0)).is_err());
    }
}
