//! What is asked of `stats_agg`: of one column, or of two and the line through their points.
//!
//! Owns: names and methods. Must never know: the formulas.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::common::Result;

use super::kept::Summary;
use super::moments::{Method, Moments, Pairs};
use super::{Kind, is_kind};
use crate::Error;
use crate::time::accessors::{Accessor, Record, Shape, Takes};

/// What is asked of summaries of numbers. The names of PostgreSQL's aggregates stand behind a prefix, for the planner
/// knows a function by its name alone: see `lakegate_summary_`.
pub(super) fn accessors() -> Vec<Accessor> {
    let one = |name, of| Accessor { name, shape: Shape::Is(|of| is_kind(of, Kind::One)), takes: Takes::Nothing, of };
    let one_by = |name, of| Accessor { takes: Takes::Method, ..one(name, of) };
    let two = |name, of| Accessor { name, shape: Shape::Is(|of| is_kind(of, Kind::Two)), takes: Takes::Nothing, of };
    let two_by = |name, of| Accessor { takes: Takes::Method, ..two(name, of) };
    vec![
        one("average", |record| each(record, |of: &Moments| Some(of.average()))),
        one("lakegate_summary_sum", |record| each(record, |of: &Moments| Some(of.sum))),
        one("num_vals", |record| counts(record, |of: &Moments| of.n)),
        one_by("lakegate_summary_stddev", |record| each_by(record, Moments::stddev)),
        one_by("lakegate_summary_variance", |record| each_by(record, Moments::variance)),
        one_by("skewness", |record| each_by(record, Moments::skewness)),
        one_by("kurtosis", |record| each_by(record, Moments::kurtosis)),
        two("average_x", |record| each(record, |of: &Pairs| Some(of.x.average()))),
        two("average_y", |record| each(record, |of: &Pairs| Some(of.y.average()))),
        two("sum_x", |record| each(record, |of: &Pairs| Some(of.x.sum))),
        two("sum_y", |record| each(record, |of: &Pairs| Some(of.y.sum))),
        two("num_vals", |record| counts(record, |of: &Pairs| of.x.n)),
        two_by("stddev_x", |record| each_by(record, |of: &Pairs, method| of.x.stddev(method))),
        two_by("stddev_y", |record| each_by(record, |of: &Pairs, method| of.y.stddev(method))),
        two_by("variance_x", |record| each_by(record, |of: &Pairs, method| of.x.variance(method))),
        two_by("variance_y", |record| each_by(record, |of: &Pairs, method| of.y.variance(method))),
        two_by("skewness_x", |record| each_by(record, |of: &Pairs, method| of.x.skewness(method))),
        two_by("skewness_y", |record| each_by(record, |of: &Pairs, method| of.y.skewness(method))),
        two_by("kurtosis_x", |record| each_by(record, |of: &Pairs, method| of.x.kurtosis(method))),
        two_by("kurtosis_y", |record| each_by(record, |of: &Pairs, method| of.y.kurtosis(method))),
        two_by("covariance", |record| each_by(record, Pairs::covariance)),
        two("slope", |record| each(record, Pairs::slope)),
        two("intercept", |record| each(record, Pairs::intercept)),
        two("x_intercept", |record| each(record, Pairs::x_intercept)),
        two("lakegate_summary_corr", |record| each(record, Pairs::corr)),
        two("determination_coeff", |record| each(record, Pairs::determination)),
    ]
}

fn each<S: Summary>(record: &Record<'_>, of: fn(&S) -> Option<f64>) -> Result<ArrayRef> {
    let all = S::read(record.rows())?;
    Ok(Arc::new(all.iter().map(|summary| of(summary.as_ref()?)).collect::<Float64Array>()))
}

fn counts<S: Summary>(record: &Record<'_>, of: fn(&S) -> i64) -> Result<ArrayRef> {
    let all = S::read(record.rows())?;
    Ok(Arc::new(all.iter().map(|summary| summary.as_ref().map(of)).collect::<Int64Array>()))
}

fn each_by<S: Summary>(record: &Record<'_>, of: fn(&S, Method) -> Option<f64>) -> Result<ArrayRef> {
    let (all, texts) = (S::read(record.rows())?, record.method());
    let Some(texts) = texts else {
        return Ok(Arc::new(all.iter().map(|summary| of(summary.as_ref()?, Method::Sample)).collect::<Float64Array>()));
    };
    let texts = texts.as_string::<i32>();
    let values = all.iter().zip(texts).map(|(summary, text)| match (summary, text) {
        (Some(summary), Some(text)) => Ok(of(summary, method(text)?)),
        _ => Ok(None),
    });
    Ok(Arc::new(values.collect::<Result<Float64Array, Error>>()?))
}

fn method(text: &str) -> Result<Method, Error> {
    match text.trim().to_ascii_lowercase().as_str() {
        "population" | "pop" => Ok(Method::Population),
        "sample" | "samp" => Ok(Method::Sample),
        _ => Err(Error::ParameterWithHint {
            message: format!("unknown analysis method \"{text}\""),
            hint: "Valid methods are population and sample.".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::session;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Float64Type;

    /// Every accessor of pairs and of one column over constants and columns, with and without a method.
    #[tokio::test]
    async fn accessors_take_records_of_their_kind() {
        let value = async |call: &str| -> Option<f64> {
            let query =
                format!("SELECT {call}::double precision FROM (VALUES (1, 0), (1, 0), (5, 2), (5, 2)) AS m(y, x)");
            let batches = session().sql(&query).await.ok()?.collect().await.ok()?;
            let values = batches[0].column(0).as_primitive::<Float64Type>();
            values.is_valid(0).then(|| values.value(0))
        };
        assert_eq!(value("average(stats_agg(y))").await, Some(3.0));
        assert_eq!(value("lakegate_summary_sum(stats_agg(y))").await, Some(12.0));
        assert_eq!(value("lakegate_summary_stddev(stats_agg(y), ' POP ')").await, Some(2.0));
        assert_eq!(value("lakegate_summary_variance(stats_agg(y))").await, Some(16.0 / 3.0));
        assert_eq!(value("lakegate_summary_corr(stats_agg(y, x))").await, Some(1.0));
        assert_eq!(value("slope(stats_agg(y, x))").await, Some(2.0));
        assert_eq!(value("lakegate_summary_approx_percentile(0, percentile_agg(x))").await, Some(0.0));
        assert_eq!(value("lakegate_summary_approx_percentile(NULL, percentile_agg(x))").await, None);
        for refused in [
            "average(stats_agg(y, x))",
            "average_x(stats_agg(y))",
            "skewness(stats_agg(y), 'other')",
            "skewness(stats_agg(y), 1)",
            "mean(stats_agg(y))",
            "slope(stats_agg(y))",
            "lakegate_summary_approx_percentile(2, percentile_agg(x))",
            "rollup(y)",
            "rollup(struct(y))",
            "stats_agg('a')",
            "uddsketch(y, 0.1, x)",
            "uddsketch(3, 0.1, x)",
        ] {
            assert_eq!(value(refused).await, None, "{refused}");
        }
    }
}
