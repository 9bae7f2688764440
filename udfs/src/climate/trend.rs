//! Trends without a distribution: `sens_slope`, `mann_kendall_tau`, `mann_kendall_p`.
//!
//! Owns: the three statistics. Must never know: how rows are gathered.

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::special::two_tails;
use crate::Error;
use crate::manual::Manual;
use crate::numbers::{Series, series};

/// The pairs of more rows take too long: their number grows with the square.
const ROWS_MAX: usize = 10_000;
/// So many slopes are sorted at once; more are counted in passes.
const SLOPES_MAX: usize = 1 << 20;

pub(super) static SENS_SLOPE: Manual = Manual {
    name: "sens_slope",
    calls: &[("(x double precision, y double precision)", "double precision")],
    meaning: "The slope of y over x: the median of the slopes of all pairs of rows with different x. It is in units of y for \
              each unit of x, such as degrees a year, and outliers hardly move it.",
    nulls: "Rows with a NULL do not count; a NaN gives NaN. Without two rows of different x it is NULL. More than 10,000 rows \
            of a group are 54000.",
    example: (
        "SELECT sens_slope(year, t) FROM (VALUES (2000, 1.0), (2001, 1.5), (2002, 9.0), (2003, 2.5)) AS r(year, t)",
        "0.5",
    ),
    source: "P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, Journal of the American Statistical \
             Association 63 (1968)",
};

pub(super) static MANN_KENDALL_TAU: Manual = Manual {
    name: "mann_kendall_tau",
    calls: &[("(x double precision, y double precision)", "double precision")],
    meaning: "How steadily y rises with x, from -1 (always falls) to 1 (always rises): Kendall's tau-b, which takes ties into \
              account.",
    nulls: "Rows with a NULL do not count; a NaN gives NaN. It is NULL where x or y has not two different values.",
    example: (
        "SELECT round(mann_kendall_tau(year, t)::numeric, 4) FROM (VALUES (2000, 1.0), (2001, 1.5), (2002, 9.0), (2003, 2.5)) AS r(year, t)",
        "0.6667",
    ),
    source: "M. G. Kendall, Rank Correlation Methods, 4th edition (1970), chapter 3",
};

pub(super) static MANN_KENDALL_P: Manual = Manual {
    name: "mann_kendall_p",
    calls: &[("(x double precision, y double precision)", "double precision")],
    meaning: "How likely a series without trend would rise or fall as steadily as y does with x: the p-value of the test of \
              Mann and Kendall, two-sided, by the normal approximation with corrections for continuity and ties. It takes the \
              values of different x for independent, and is meant for ten rows or more.",
    nulls: "Rows with a NULL do not count; a NaN gives NaN. It is NULL where x or y has not two different values.",
    example: ("SELECT round(mann_kendall_p(x, x * x)::numeric, 6) FROM generate_series(1, 10) AS r(x)", "0.000083"),
    source: "H. B. Mann, Nonparametric tests against trend, Econometrica 13 (1945); M. G. Kendall, Rank Correlation Methods, \
             4th edition (1970), chapters 4 and 5",
};

/// The aggregates.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![series(Trend::Slope), series(Trend::Tau), series(Trend::Probability)]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Trend {
    Slope,
    Tau,
    Probability,
}

impl Series for Trend {
    fn name(&self) -> &'static str {
        match self {
            Self::Slope => "sens_slope",
            Self::Tau => "mann_kendall_tau",
            Self::Probability => "mann_kendall_p",
        }
    }

    fn arguments(&self) -> usize {
        2
    }

    fn value(&self, columns: &[Vec<f64>]) -> Result<Option<f64>, Error> {
        let [x, y] = columns else { return Ok(None) };
        let mut points: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
        points.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        Ok(match self {
            Self::Slope => slope(&points)?,
            Self::Tau => Concordance::of(&points).tau(),
            Self::Probability => Concordance::of(&points).probability(),
        })
    }
}

/// Of points in the order of x.
fn slope(points: &[(f64, f64)]) -> Result<Option<f64>, Error> {
    if points.len() > ROWS_MAX {
        let message = format!("sens_slope takes at most {ROWS_MAX} rows of a group, not {}", points.len());
        return Err(Error::LimitExceeded(message));
    }
    let mut count = 0_usize;
    each_slope(points, |_| count += 1);
    let Some(last) = count.checked_sub(1) else { return Ok(None) };
    let (lower, upper) = (last / 2, count / 2);
    if count > SLOPES_MAX {
        return Ok(Some(middle(counted(points, lower), counted(points, upper))));
    }
    let mut slopes = Vec::with_capacity(count);
    each_slope(points, |slope| slopes.push(slope));
    let (below, upper_slope, _) = slopes.select_nth_unstable_by(upper, f64::total_cmp);
    let upper_slope = *upper_slope;
    let lower_slope = if lower == upper { None } else { below.iter().copied().max_by(f64::total_cmp) };
    Ok(Some(middle(lower_slope.unwrap_or(upper_slope), upper_slope)))
}

fn middle(lower: f64, upper: f64) -> f64 {
    if lower == upper { lower } else { lower / 2.0 + upper / 2.0 }
}

fn each_slope(points: &[(f64, f64)], mut take: impl FnMut(f64)) {
    for (at, one) in points.iter().enumerate() {
        for other in points.iter().skip(at + 1) {
            if other.0 > one.0 {
                // Zero has no sign.
                take((other.1 - one.1) / (other.0 - one.0) + 0.0);
            }
        }
    }
}

/// The slope of a rank, found 16 bits at a time.
fn counted(points: &[(f64, f64)], rank: usize) -> f64 {
    let (mut rank, mut found) = (rank, 0_u64);
    for shift in [48, 32, 16, 0] {
        let mut counts = vec![0_usize; 1 << 16];
        each_slope(points, |slope| {
            let key = ordered(slope);
            if shift == 48 || key >> (shift + 16) == found {
                let digit = usize::try_from((key >> shift) & 0xffff).unwrap_or_default();
                counts.get_mut(digit).into_iter().for_each(|count| *count += 1);
            }
        });
        let mut digit = 0;
        for (at, count) in (0..).zip(&counts) {
            digit = at;
            if rank < *count {
                break;
            }
            rank -= count;
        }
        found = found << 16 | digit;
    }
    let bits = if found >> 63 == 1 { found ^ (1 << 63) } else { !found };
    f64::from_bits(bits)
}

/// Bits that are ordered as the numbers are.
fn ordered(of: f64) -> u64 {
    let bits = of.to_bits();
    if bits >> 63 == 1 { !bits } else { bits ^ (1 << 63) }
}

/// How many pairs of points rise and fall, and how many cannot.
struct Concordance {
    points: f64,
    /// Pairs that rise less those that fall.
    score: f64,
    /// The numbers of points with equal x, and with equal y.
    equal_x: Vec<f64>,
    equal_y: Vec<f64>,
}

impl Concordance {
    /// Of points in the order of x and y, in the way of W. R. Knight, Journal of the American Statistical Association 61
    /// (1966): those that fall are the exchanges of a merge sort.
    fn of(points: &[(f64, f64)]) -> Self {
        let equal_x = runs(points, |one, other| one.0 == other.0);
        let equal_both = runs(points, |one, other| one == other);
        let mut ys: Vec<f64> = points.iter().map(|point| point.1).collect();
        let falling = exchanges(&mut ys);
        let equal_y = runs(&ys, |one, other| one == other);
        let rows = points.len() as f64;
        let pairs = |of: &[f64]| of.iter().map(|count| count * (count - 1.0) / 2.0).sum::<f64>();
        let score =
            rows * (rows - 1.0) / 2.0 - pairs(&equal_x) - pairs(&equal_y) + pairs(&equal_both) - 2.0 * falling as f64;
        Self { points: rows, score, equal_x, equal_y }
    }

    fn tau(&self) -> Option<f64> {
        let different = |equal: &[f64]| {
            let all = self.points * (self.points - 1.0) / 2.0;
            all - equal.iter().map(|count| count * (count - 1.0) / 2.0).sum::<f64>()
        };
        let below = different(&self.equal_x).sqrt() * different(&self.equal_y).sqrt();
        (below > 0.0).then(|| (self.score / below).clamp(-1.0, 1.0))
    }

    /// Kendall's variance with ties in both, as of R's `cor.test`.
    fn variance(&self) -> f64 {
        let n = self.points;
        let sum = |equal: &[f64], of: fn(f64) -> f64| equal.iter().map(|count| of(*count)).sum::<f64>();
        let sorted = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
        let two = |t: f64| t * (t - 1.0);
        let three = |t: f64| t * (t - 1.0) * (t - 2.0);
        let both = |of: fn(f64) -> f64| sum(&self.equal_x, of) * sum(&self.equal_y, of);
        let alone = (sorted(n) - sum(&self.equal_x, sorted) - sum(&self.equal_y, sorted)) / 18.0;
        let pairs = both(two) / (2.0 * two(n));
        let triples = if n > 2.0 { both(three) / (9.0 * three(n)) } else { 0.0 };
        alone + pairs + triples
    }

    fn probability(&self) -> Option<f64> {
        self.tau()?;
        let deviation = self.variance().sqrt();
        let corrected = (self.score.abs() - 1.0).max(0.0);
        (deviation > 0.0).then(|| two_tails(corrected / deviation))
    }
}

/// The lengths of the runs of equal neighbours.
fn runs<T>(of: &[T], equal: impl Fn(&T, &T) -> bool) -> Vec<f64> {
    of.chunk_by(equal).map(|run| run.len() as f64).collect()
}

/// Sorts, and counts the pairs that were the other way round.
fn exchanges(of: &mut [f64]) -> u64 {
    let half = of.len() / 2;
    if half == 0 {
        return 0;
    }
    let (left, right) = of.split_at_mut(half);
    let mut count = exchanges(left) + exchanges(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (&left[..], &right[..]);
    while let ([one, after_left @ ..], [other, after_right @ ..]) = (left, right) {
        if one <= other {
            merged.push(*one);
            left = after_left;
        } else {
            count += left.len() as u64;
            merged.push(*other);
            right = after_right;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    of.copy_from_slice(&merged);
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NILE;

    fn years(of: &[f64]) -> Vec<f64> {
        (1871..).map(f64::from).take(of.len()).collect()
    }

    fn all(x: &[f64], y: &[f64]) -> [Option<f64>; 3] {
        [Trend::Slope, Trend::Tau, Trend::Probability].map(|trend| trend.value(&[x.to_vec(), y.to_vec()]).unwrap())
    }

    fn near(gives: Option<f64>, expect: f64) {
        assert!(gives.is_some_and(|gives| (gives - expect).abs() < 1e-9), "{gives:?}, not {expect}");
    }

    /// SciPy 1.17 (`theilslopes`, `kendalltau`) and pymannkendall 1.4 (`original_test`).
    #[test]
    fn trends_are_those_of_other_programs() {
        let [slope, tau, p] = all(&years(&NILE), &NILE);
        near(slope, -1.1111111111111112);
        near(tau, -0.07176098962805803);
        near(p, 0.592096975885398);
        let [slope, tau, p] = all(&years(&NILE[..7]), &[1.0, 2.0, 2.0, 3.0, 5.0, 4.0, 4.0]);
        near(slope, 0.5);
        near(tau, 0.7509392614826382);
        near(p, 0.031419005557745905);
        // With ties in x; the rows in another order.
        let (x, y) = ([5.0, 1.0, 2.0, 1.0, 3.0, 4.0, 3.0], [9.0, 2.0, 2.0, 1.0, 4.0, 4.0, 5.0]);
        let [slope, tau, p] = all(&x, &y);
        near(slope, 1.5);
        near(tau, 0.7894736842105262);
        near(p, 0.027860761781484847);
    }

    #[test]
    fn there_is_no_trend_of_equal_values() {
        assert_eq!(all(&[1.0], &[2.0]), [None, None, None]);
        assert_eq!(all(&[1.0, 1.0], &[2.0, 3.0]), [None, None, None]);
        assert_eq!(all(&[1.0, 2.0], &[3.0, 3.0]), [Some(0.0), None, None]);
    }

    #[test]
    fn counted_slopes_are_those_that_are_sorted() {
        let points: Vec<(f64, f64)> =
            (0..60).map(|at| (f64::from(at / 2), f64::from(at * 37 % 23 - 11) / 7.0)).collect();
        let mut slopes = Vec::new();
        each_slope(&points, |slope| slopes.push(slope));
        slopes.sort_unstable_by(f64::total_cmp);
        for (rank, expect) in slopes.iter().enumerate().step_by(97) {
            assert_eq!(counted(&points, rank), *expect, "{rank}");
        }
        let many = vec![(0.0, 0.0); ROWS_MAX + 1];
        assert!(matches!(slope(&many), Err(Error::LimitExceeded(_))));
    }
}
