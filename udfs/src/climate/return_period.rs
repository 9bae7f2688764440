//! Extremes: `return_level`, `return_period`, and both of the generalized distribution, `return_level_gev`,
//! `return_period_gev`.
//!
//! Owns: the two distributions and how they are fitted. Must never know: how rows are gathered.

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::special::ln_gamma;
use crate::Error;
use crate::manual::Manual;
use crate::numbers::{Series, series};

const NULLS: &str = "Rows with a NULL do not count; a NaN gives NaN. It is NULL where the values are fewer than the distribution \
                     has parameters, or all the same. Years that are not above 1, or a second argument that differs within a \
                     group, are 22023.";
const GUMBEL: &str = "J. R. M. Hosking, L-moments, Journal of the Royal Statistical Society B 52 (1990), table 2: the Gumbel \
                      distribution by L-moments";
const GEV: &str = "J. R. M. Hosking, J. R. Wallis and E. F. Wood, Estimation of the generalized extreme-value distribution by \
                   the method of probability-weighted moments, Technometrics 27 (1985)";

pub(super) static RETURN_LEVEL: Manual = Manual {
    name: "return_level",
    calls: &[("(value double precision, years double precision)", "double precision")],
    meaning: "The level that is exceeded once in so many years on average, in the unit of the values, which are the greatest \
              of each year; by a Gumbel distribution.",
    nulls: NULLS,
    example: (
        "SELECT round(return_level(x, 100)::numeric, 2) FROM (VALUES (31.0), (45.0), (38.0), (52.0), (40.0)) AS r(x)",
        "69.64",
    ),
    source: GUMBEL,
};

pub(super) static RETURN_PERIOD: Manual = Manual {
    name: "return_period",
    calls: &[("(value double precision, level double precision)", "double precision")],
    meaning: "After how many years on average a level is exceeded again; the values are the greatest of each year, in the \
              unit of the level; by a Gumbel distribution.",
    nulls: NULLS,
    example: (
        "SELECT round(return_period(x, 60)::numeric, 1) FROM (VALUES (31.0), (45.0), (38.0), (52.0), (40.0)) AS r(x)",
        "26.0",
    ),
    source: GUMBEL,
};

pub(super) static RETURN_LEVEL_GEV: Manual = Manual {
    name: "return_level_gev",
    calls: &[("(value double precision, years double precision)", "double precision")],
    meaning: "As return_level, by a generalized extreme value distribution, whose shape is fitted as well. It takes some \
              thirty years to tell a shape.",
    nulls: NULLS,
    example: (
        "SELECT round(return_level_gev(x, 100)::numeric, 2) FROM (VALUES (31.0), (45.0), (38.0), (52.0), (40.0)) AS r(x)",
        "63.29",
    ),
    source: GEV,
};

pub(super) static RETURN_PERIOD_GEV: Manual = Manual {
    name: "return_period_gev",
    calls: &[("(value double precision, level double precision)", "double precision")],
    meaning: "As return_period, by a generalized extreme value distribution. NULL of a level that it never exceeds.",
    nulls: NULLS,
    example: (
        "SELECT round(return_period_gev(x, 55)::numeric, 1) FROM (VALUES (31.0), (45.0), (38.0), (52.0), (40.0)) AS r(x)",
        "14.9",
    ),
    source: GEV,
};

/// The aggregates.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let of = |name, shaped, is_level| series(Return { name, shaped, is_level });
    vec![
        of("return_level", false, true),
        of("return_period", false, false),
        of("return_level_gev", true, true),
        of("return_period_gev", true, false),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Return {
    name: &'static str,
    /// Whether the shape is fitted.
    shaped: bool,
    /// Whether a level is asked for, or else a period.
    is_level: bool,
}

impl Series for Return {
    fn name(&self) -> &'static str {
        self.name
    }

    fn arguments(&self) -> usize {
        2
    }

    fn value(&self, columns: &[Vec<f64>]) -> Result<Option<f64>, Error> {
        let [values, given] = columns else { return Ok(None) };
        let Some(at) = given.first().copied() else { return Ok(None) };
        if given.iter().any(|other| *other != at) {
            let what = if self.is_level { "years" } else { "level" };
            return Err(Error::InvalidParameter(format!(
                "{what} of {} must be the same in all rows of a group",
                self.name
            )));
        }
        if self.is_level && at <= 1.0 {
            return Err(Error::InvalidParameter(format!("years of {} must be greater than 1", self.name)));
        }
        let fitted = if self.shaped { Fit::generalized(values) } else { Fit::gumbel(values) };
        Ok(fitted.and_then(|fit| if self.is_level { Some(fit.level(at)) } else { fit.period(at) }))
    }
}

const EULER: f64 = 0.577_215_664_901_532_9;

/// The parameters of a distribution of extremes.
#[derive(Debug)]
struct Fit {
    location: f64,
    scale: f64,
    /// Hosking's `k`, whose sign is the other way round than that of some; 0 of Gumbel.
    shape: f64,
}

impl Fit {
    fn gumbel(values: &[f64]) -> Option<Self> {
        let moments = Moments::of(values);
        let scale = moments.second / std::f64::consts::LN_2;
        (scale > 0.0).then_some(Self { location: moments.mean - EULER * scale, scale, shape: 0.0 })
    }

    fn generalized(values: &[f64]) -> Option<Self> {
        let moments = Moments::of(values);
        if values.len() < 3 || moments.second <= 0.0 {
            return None;
        }
        let c = 2.0 / (3.0 + moments.third / moments.second) - std::f64::consts::LN_2 / 3_f64.ln();
        let shape = 7.8590 * c + 2.9554 * c * c;
        // Close to 0 the terms cancel, and it is Gumbel's.
        if shape.abs() < 1e-6 {
            return Self::gumbel(values);
        }
        // There is no mean beyond.
        if shape <= -1.0 {
            return None;
        }
        let gamma = ln_gamma(1.0 + shape).exp();
        let scale = moments.second * shape / ((1.0 - 2_f64.powf(-shape)) * gamma);
        Some(Self { location: moments.mean - scale * (1.0 - gamma) / shape, scale, shape })
    }

    /// The quantile of `1 - 1 / years`.
    fn level(&self, years: f64) -> f64 {
        let reduced = -(-(-1.0 / years).ln_1p()).ln();
        let step = if self.shape == 0.0 { reduced } else { -(-self.shape * reduced).exp_m1() / self.shape };
        self.location + self.scale * step
    }

    fn period(&self, level: f64) -> Option<f64> {
        let step = (level - self.location) / self.scale;
        let reduced = match self.shape {
            0.0 => step,
            // Above the end of the distribution there is no level, and below its begin are all.
            shape if shape * step >= 1.0 => return (shape < 0.0).then_some(1.0),
            shape => -(-shape * step).ln_1p() / shape,
        };
        Some(-1.0 / (-(-reduced).exp()).exp_m1())
    }
}

/// L-moments of a sample.
struct Moments {
    mean: f64,
    second: f64,
    third: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let (mut b0, mut b1, mut b2) = (0.0, 0.0, 0.0);
        for (at, value) in sorted.iter().enumerate() {
            let at = at as f64;
            b0 += value;
            b1 += value * at / (n - 1.0).max(1.0);
            b2 += value * at * (at - 1.0) / ((n - 1.0) * (n - 2.0)).max(1.0);
        }
        let (b0, b1, b2) = (b0 / n, b1 / n, b2 / n);
        let same = sorted.first() == sorted.last();
        Self { mean: b0, second: if same { 0.0 } else { 2.0 * b1 - b0 }, third: 6.0 * b2 - 6.0 * b1 + b0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NILE;

    fn of(shaped: bool, is_level: bool, at: f64) -> Option<f64> {
        let of = Return { name: "return", shaped, is_level };
        of.value(&[NILE.to_vec(), vec![at; NILE.len()]]).unwrap()
    }

    /// Computed from the definition of L-moments as means over all pairs and triples of the sample, in Python.
    #[test]
    fn levels_and_periods_are_those_of_the_definition() {
        for (shaped, is_level, at, expect) in [
            (false, true, 10.0, 1284.534223057681),
            (false, true, 100.0, 1574.0768886438327),
            (false, false, 1300.0, 11.268218876319919),
            (true, true, 10.0, 1261.4447904585663),
            (true, true, 100.0, 1329.7897444493956),
            (true, false, 1300.0, 25.580585127715292),
        ] {
            let gives = of(shaped, is_level, at).unwrap();
            assert!((gives - expect).abs() < 1e-6 * expect, "{at}: {gives}, not {expect}");
        }
        let level = of(true, true, 37.0).unwrap();
        assert!((of(true, false, level).unwrap() - 37.0).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_be_fitted_is_null_and_what_cannot_be_asked_refused() {
        let of = |values: &[f64], given: &[f64]| {
            Return { name: "return_level", shaped: false, is_level: true }.value(&[values.to_vec(), given.to_vec()])
        };
        assert_eq!(of(&[5.0], &[10.0]), Ok(None));
        assert_eq!(of(&[5.0, 5.0], &[10.0, 10.0]), Ok(None));
        assert!(of(&[5.0, 6.0], &[10.0, 20.0]).is_err() && of(&[5.0, 6.0], &[1.0, 1.0]).is_err());
        assert_eq!(Fit { location: 0.0, scale: 1.0, shape: 0.5 }.period(3.0), None);
        assert_eq!(Fit { location: 0.0, scale: 1.0, shape: -0.5 }.period(-3.0), Some(1.0));
    }
}
