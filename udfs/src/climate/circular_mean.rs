//! `circular_mean(direction [, weight])` - the mean of directions, for which 350 and 10 are 20 degrees apart.
//!
//! Owns: the formula. Must never know: how sums are gathered.

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::quantity;
use super::wind::sine_and_cosine;
use crate::Error;
use crate::manual::Manual;
use crate::sums::{Sums, Three, aggregate};

pub(super) static CIRCULAR_MEAN: Manual = Manual {
    name: "circular_mean",
    calls: &[("(direction double precision [, weight double precision])", "double precision")],
    meaning: "The mean of directions in degrees, from 0 to below 360: the direction of the sum of unit vectors, or of vectors \
              of the lengths that the weights are. With the speed as weight it is that of the mean wind.",
    nulls: "Rows with a NULL do not count; a NaN gives NaN. It is NULL without a row, and where the vectors cancel (0 and 180, or \
            weights of 0). A direction that is not between 0 and 360, or a negative weight, is 22023. Stations report calm as \
            0, so give the speed as weight or leave calm out.",
    example: ("SELECT round(circular_mean(d)::numeric, 6) FROM (VALUES (350), (20)) AS r(d)", "5.000000"),
    source: "K. V. Mardia and P. E. Jupp, Directional Statistics (2000), chapter 2",
};

/// The aggregate.
pub(super) fn circular_mean() -> Arc<AggregateUDF> {
    aggregate(Mean)
}

/// A mean vector shorter than this is what rounding leaves of none.
const SHORTEST: f64 = 1e-9;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Mean;

impl Sums for Mean {
    fn name(&self) -> &'static str {
        "circular_mean"
    }

    fn takes(&self, arguments: usize) -> bool {
        matches!(arguments, 1 | 2)
    }

    fn adds(&self, row: &[f64]) -> Result<Option<Three>, Error> {
        let (direction, weight) = match row {
            [direction] => (*direction, 1.0),
            [direction, weight, ..] => (*direction, *weight),
            [] => return Ok(None),
        };
        if weight < 0.0 {
            return Err(Error::InvalidParameter(format!("weight {weight} of circular_mean is negative")));
        }
        let (sine, cosine) = sine_and_cosine(quantity::direction(direction)?);
        Ok(Some([weight * sine, weight * cosine, weight]))
    }

    fn value(&self, [sine, cosine, weight]: Three) -> Option<f64> {
        if weight == 0.0 || sine.hypot(cosine) / weight < SHORTEST {
            return None;
        }
        let mean = sine.atan2(cosine).to_degrees().rem_euclid(360.0);
        // What is a hair below 0 rounds to 360.
        Some(if mean >= 360.0 { 0.0 } else { mean })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(rows: &[&[f64]]) -> Option<f64> {
        let mut sums = [0.0; 3];
        for row in rows {
            let more = Mean.adds(row).unwrap().unwrap_or_default();
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        Mean.value(sums)
    }

    /// The second is example 2.1 of Mardia and Jupp (2000): the mean of nine homing directions is 51 degrees.
    #[test]
    fn means_are_those_of_vectors() {
        let near = |gives: Option<f64>, expect: f64, by: f64| {
            assert!(gives.is_some_and(|gives| (gives - expect).abs() < by), "{gives:?}, not {expect}");
        };
        near(mean(&[&[350.0], &[20.0]]), 5.0, 1e-9);
        let turns = [43.0, 45.0, 52.0, 61.0, 75.0, 88.0, 88.0, 279.0, 357.0].map(|turn| [turn]);
        near(mean(&turns.each_ref().map(|turn| &turn[..])), 51.0, 0.5);
        near(mean(&[&[0.0, 3.0], &[90.0, 3.0]]), 45.0, 1e-9);
        near(mean(&[&[0.0, 0.0], &[200.0, 5.0]]), 200.0, 1e-9);
        assert_eq!(mean(&[&[360.0], &[0.0]]), Some(0.0));
        assert_eq!(mean(&[&[0.0], &[180.0]]), None);
        assert_eq!(mean(&[&[10.0], &[130.0], &[250.0]]), None);
        assert_eq!(mean(&[]), None);
        assert!(Mean.adds(&[990.0]).is_err() && Mean.adds(&[10.0, -1.0]).is_err());
    }
}
