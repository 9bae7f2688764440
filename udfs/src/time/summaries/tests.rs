//! Summaries beside what two passes, sorting and hand tell of the same rows.

use super::*;
use crate::time::testing::{Dice, in_every_way, made};
use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::concat;
use moments::Method;

fn udaf(name: &str) -> Arc<AggregateUDF> {
    aggregates().into_iter().find(|udaf| udaf.name() == name).unwrap()
}

fn column(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn read<S: Summary>(value: &ScalarValue) -> Option<S> {
    S::read(value.to_array().unwrap().as_struct()).unwrap().remove(0)
}

/// The summary of some rows, of others that are rolled up in parts, and of all in a moving window.
fn summaries<S: Summary>(name: &str, columns: &[ArrayRef]) -> [S; 3] {
    let (of, rollup) = (udaf(name), udaf("rollup"));
    let count = columns[0].len();
    let run = |columns: &[ArrayRef]| {
        let mut alone = made(&of, columns, &[], |args| of.accumulator(args).unwrap());
        alone.update_batch(columns).unwrap();
        alone.evaluate().unwrap().to_array().unwrap()
    };
    let cut = |from: usize, length: usize| columns.iter().map(|column| column.slice(from, length)).collect::<Vec<_>>();
    let parts: Vec<ArrayRef> = (0..count).step_by(7).rev().map(|from| run(&cut(from, 7.min(count - from)))).collect();
    let parts = concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
    let mut rolled = made(&rollup, &[Arc::clone(&parts)], &[], |args| rollup.accumulator(args).unwrap());
    rolled.update_batch(&[parts]).unwrap();
    let mut window = made(&of, columns, &[], |args| of.create_sliding_accumulator(args).unwrap());
    let noise = columns.iter().map(|_| column(&[1e15, f64::NAN])).collect::<Vec<_>>();
    window.update_batch(&noise).unwrap();
    window.update_batch(columns).unwrap();
    window.retract_batch(&noise).unwrap();
    let whole = run(columns);
    let whole = S::read(whole.as_struct()).unwrap().remove(0).unwrap();
    [whole, read(&rolled.evaluate().unwrap()).unwrap(), read(&window.evaluate().unwrap()).unwrap()]
}

fn near(one: f64, other: f64) {
    assert!((one - other).abs() <= 1e-9 * other.abs().max(1e-9), "{one} is not {other}");
}

fn numbers(dice: &mut Dice, count: u64, around: f64) -> Vec<f64> {
    let number = |dice: &mut Dice| f64::from(u32::try_from(dice.roll(10_000)).unwrap()) / 64.0;
    (0..count).map(|_| around + number(dice)).collect()
}

#[test]
fn moments_are_those_of_two_passes() {
    let mut dice = Dice(5);
    for around in [0.0, -70.0, 1e6] {
        let values = numbers(&mut dice, 100, around);
        let mean = values.iter().sum::<f64>() / 100.0;
        let power = |of: i32| values.iter().map(|value| (value - mean).powi(of)).sum::<f64>();
        for of in summaries::<Moments>("stats_agg", &[column(&values)]) {
            assert_eq!((of.n, of.sum), (100, values.iter().sum()));
            near(of.average(), mean);
            near(of.variance(Method::Sample).unwrap(), power(2) / 99.0);
            near(of.stddev(Method::Population).unwrap(), (power(2) / 100.0).sqrt());
            near(of.skewness(Method::Population).unwrap(), power(3) / 100.0 / (power(2) / 100.0).powf(1.5));
            near(of.kurtosis(Method::Sample).unwrap(), power(4) / 99.0 / (power(2) / 99.0).powi(2));
        }
    }
}

#[test]
fn a_line_is_that_of_least_squares() {
    let mut dice = Dice(8);
    let (x, noise) = (numbers(&mut dice, 90, 1e4), numbers(&mut dice, 90, 0.0));
    let y: Vec<f64> = x.iter().zip(&noise).map(|(x, noise)| 3.0 * x + noise - 5.0).collect();
    let mean = |of: &[f64]| of.iter().sum::<f64>() / 90.0;
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let products = |one: &[f64], other: &[f64]| {
        one.iter().zip(other).map(|(one, other)| (one - mean(&x)) * (other - mean(&y))).sum::<f64>()
    };
    let xx: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    let yy: f64 = y.iter().map(|y| (y - mean_y).powi(2)).sum();
    let xy = products(&x, &y);
    for of in summaries::<Pairs>("stats_agg", &[column(&y), column(&x)]) {
        near(of.slope().unwrap(), xy / xx);
        near(of.intercept().unwrap(), mean_y - xy / xx * mean_x);
        near(of.x_intercept().unwrap(), mean_x - mean_y / (xy / xx));
        near(of.corr().unwrap(), xy / (xx * yy).sqrt());
        near(of.determination().unwrap(), xy * xy / (xx * yy));
        near(of.covariance(Method::Sample).unwrap(), xy / 89.0);
        near(of.y.variance(Method::Population).unwrap(), yy / 90.0);
    }
}

/// Whole numbers whose sums are exact come to the same record in every way; what is not finite has no spread.
#[test]
fn summaries_are_the_same_in_groups_and_parts() {
    let same: ArrayRef = Arc::new(Float64Array::from([Some(4.0), None].repeat(20)));
    let of: Moments = read(&in_every_way(&udaf("stats_agg"), &[Arc::clone(&same)], &[])).unwrap();
    assert_eq!(of, Moments { n: 20, sum: 80.0, two: 0.0, three: 0.0, four: 0.0 });
    let pairs: Pairs = read(&in_every_way(&udaf("stats_agg"), &[Arc::clone(&same), same], &[])).unwrap();
    assert_eq!((pairs.slope(), pairs.corr(), pairs.x_intercept()), (None, None, Some(4.0)));
    let none: ArrayRef = Arc::new(Float64Array::from(vec![None; 9]));
    for name in ["stats_agg", "percentile_agg"] {
        assert!(in_every_way(&udaf(name), &[Arc::clone(&none)], &[]).is_null());
    }
    let mut values: Vec<Option<f64>> = (-300..300).map(|at| Some(f64::from(at * at * at))).collect();
    values.extend([None, Some(f64::NAN), Some(0.0), Some(-0.0)]);
    let sketch: Sketch =
        read(&in_every_way(&udaf("percentile_agg"), &[Arc::new(Float64Array::from(values))], &[])).unwrap();
    assert_eq!((sketch.count, sketch.percentile(0.5)), (602, Some(0.0)));
    assert!(sketch.buckets.len() <= 200 && sketch.collapses > 0);
    let ends: ArrayRef = column(&[f64::INFINITY, 2.0, f64::NEG_INFINITY]);
    let sketch: Sketch = read(&in_every_way(&udaf("percentile_agg"), &[ends], &[])).unwrap();
    assert_eq!((sketch.percentile(0.0), sketch.percentile(1.0)), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
    assert!((sketch.percentile(0.5).unwrap() - 2.0).abs() <= 0.002);
}

#[test]
fn what_is_not_finite_leaves_the_sum_and_no_spread() {
    for (values, sum) in [(vec![1.0, f64::INFINITY, 2.0], f64::INFINITY), (vec![f64::NAN, 1.0], f64::NAN)] {
        for of in summaries::<Moments>("stats_agg", &[column(&values)]) {
            assert!(of.sum.to_bits() == sum.to_bits() || of.sum.is_nan() && sum.is_nan());
            assert!(of.variance(Method::Sample).unwrap().is_nan() && of.skewness(Method::Population).unwrap().is_nan());
        }
    }
    let [pairs, ..] = summaries::<Pairs>("stats_agg", &[column(&[1.0, 2.0]), column(&[f64::INFINITY, 1.0])]);
    assert!(pairs.corr().unwrap().is_nan() && pairs.slope().unwrap().is_nan());
    assert_eq!(pairs.y.variance(Method::Population), Some(0.25));
    for values in [[1e80, -1e80], [f64::MAX, f64::MAX]] {
        let of = udaf("stats_agg");
        let mut alone = made(&of, &[column(&values)], &[], |args| of.accumulator(args).unwrap());
        assert!(alone.update_batch(&[column(&values)]).is_err());
    }
}

/// Values of all sizes and both signs: each percentile is off by the error that the sketch tells at most, also when it
/// is rolled up, and there are never more buckets than it may have.
#[test]
fn percentiles_are_within_the_error() {
    let mut dice = Dice(21);
    let of = udaf("uddsketch");
    for (size, error, spread) in [(7, 0.5, 600), (20, 0.01, 3), (200, 0.001, 20), (1000, 0.0001, 1), (64, 1e-12, 300)] {
        let mut values: Vec<f64> = (0..3_000)
            .map(|_| {
                let exponent = i32::try_from(dice.roll(2 * spread + 1)).unwrap() - i32::try_from(spread).unwrap();
                let size = (1.0 + f64::from(u32::try_from(dice.roll(1_000)).unwrap()) / 999.0) * 2.0_f64.powi(exponent);
                if dice.roll(4) == 0 { -size } else { size }
            })
            .chain([0.0, -0.0, 5e-324, f64::MAX])
            .collect();
        let columns = |values: &[f64]| -> Vec<ArrayRef> {
            let sizes: ArrayRef = Arc::new(Int64Array::from(vec![size; values.len()]));
            vec![sizes, column(&vec![error; values.len()]), column(values)]
        };
        let run = |values: &[f64]| -> Sketch {
            let columns = columns(values);
            let mut alone = made(&of, &columns, &[0, 1], |args| of.accumulator(args).unwrap());
            alone.update_batch(&columns).unwrap();
            read(&alone.evaluate().unwrap()).unwrap()
        };
        let whole = run(&values);
        let mut rolled = run(&values[..1_000]);
        rolled.merged(&run(&values[1_000..])).unwrap();
        values.sort_by(f64::total_cmp);
        assert_eq!(run(&values).buckets, whole.buckets);
        assert_eq!((&rolled.buckets, rolled.collapses), (&whole.buckets, whole.collapses));
        assert!(i64::try_from(whole.buckets.len()).unwrap() <= size);
        let bound = whole.error() * (1.0 + 1e-9) + 1e-12;
        for at in 0..values.len() {
            let part = f64::from(u32::try_from(at).unwrap()) / 3_004.0;
            let found = whole.percentile(part).unwrap();
            // The product of the part and the count may round below the rank.
            let exact = [at.saturating_sub(1), at].map(|at| values[at]);
            assert!(
                exact.iter().any(|exact| (found - exact).abs() <= bound * exact.abs()),
                "{found} is not {exact:?} by {bound}"
            );
            let rank = whole.rank(values[at]);
            let own = whole.buckets.iter().map(|(_, count)| *count).max().unwrap();
            assert!((rank - part).abs() <= float(own) / 3_004.0 + 1e-9, "{rank} is not {part}");
        }
    }
}

#[test]
fn sketches_that_there_cannot_be_are_refused() {
    for (size, error) in [(6, 0.1), (10_001, 0.1), (10, 0.0), (10, 1.0), (10, f64::NAN), (10, -1.0)] {
        assert!(Setting::checked(size, error).is_err());
    }
    let sketch = |size| Sketch::empty(Setting::checked(size, 0.1).unwrap());
    assert!(sketch(10).merged(&sketch(11)).is_err());
    let mut good = sketch(10);
    [1.0, -7.0, 0.0].iter().for_each(|value| good.added(*value).unwrap());
    assert_eq!(good.clone().checked(), Some(good.clone()));
    let bad = |change: fn(&mut Sketch)| {
        let mut sketch = good.clone();
        change(&mut sketch);
        assert_eq!(sketch.checked(), None);
    };
    bad(|sketch| sketch.count += 1);
    bad(|sketch| sketch.buckets.reverse());
    bad(|sketch| sketch.buckets[0].1 = 0);
    bad(|sketch| sketch.buckets[0].1 = i64::MAX);
    bad(|sketch| sketch.collapses = 61);
    bad(|sketch| sketch.setting.error = 2.0);
}
