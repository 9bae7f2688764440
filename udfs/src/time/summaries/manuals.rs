//! The pages of summaries.

use crate::manual::Manual;

const STATS: &str = "https://docs.timescale.com/api/latest/hyperfunctions/statistical-and-regression-analysis/";
const PEBAY: &str = "https://www.osti.gov/servlets/purl/1028931";
const PERCENTILES: &str = "https://docs.timescale.com/api/latest/hyperfunctions/percentile-approximation/uddsketch/";
const PAPER: &str = "https://arxiv.org/abs/2004.08604";

const TO_FLOAT: &[(&str, &str)] = &[("(summary record)", "double precision")];
const BY_METHOD: &[(&str, &str)] = &[("(summary record [, method text])", "double precision")];
const WITH_NUMBER: &[(&str, &str)] = &[("(value double precision, summary record)", "double precision")];

const OF_NULL: &str = "NULL gives NULL. NaN if a value was NaN or infinite and the figure depends on it.";
const OF_METHOD: &str = "NULL gives NULL, and so does a sample of one row. NaN if a value was NaN or infinite. Another method \
                         is 22023.";
const OF_SHAPE: &str = "NULL gives NULL, and so does a sample of one row. NaN if all values are equal, or one was NaN or \
                        infinite. Another method is 22023.";
const OF_LINE: &str =
    "NULL gives NULL, and so does a summary in which all x are equal. NaN if a value was NaN or infinite.";

/// All of them.
pub(crate) fn manuals() -> Vec<&'static Manual> {
    AGGREGATES.iter().chain(&OF_ONE).chain(&OF_TWO).chain(&OF_SKETCHES).collect()
}

/// A query over two points on the line y = 2 x + 1.
macro_rules! points {
    ($call:literal) => {
        concat!("SELECT ", $call, " FROM (VALUES (1, 0), (5, 2)) AS m(y, x)")
    };
}

/// A query over five numbers.
macro_rules! numbers {
    ($call:literal) => {
        concat!("SELECT ", $call, " FROM (VALUES (0), (0), (0), (0), (5)) AS m(v)")
    };
}

static AGGREGATES: [Manual; 5] = [
    Manual {
        name: "stats_agg",
        calls: &[("(value double precision)", "record"), ("(y double precision, x double precision)", "record")],
        meaning: "What is known of numbers, as the record (n, sx, sx2, sx3, sx4): how many there are, their sum, and the \
                  sums of the second, third and fourth powers of their distances to the mean. Of pairs, y first, the \
                  record (n, sx, sx2, sx3, sx4, sy, sy2, sy3, sy4, sxy), with the sum of the products of both distances. \
                  rollup() makes one of many. summary -> average() reads it, and so do -> sum(), -> num_vals(), \
                  -> stddev(), -> variance(), -> skewness(), -> kurtosis(), of pairs each with _x or _y at its end, \
                  -> slope(), -> intercept(), -> x_intercept(), -> corr(), -> covariance(), -> determination_coeff(); \
                  a method, 'population' ('pop') or 'sample' ('samp'), stands in the parentheses. The functions may also \
                  be called: average(summary). But sum, stddev, variance and corr of one argument are PostgreSQL's \
                  aggregates unless that argument is itself a call of stats_agg, rollup or rolling.",
        nulls: "Rows with a NULL do not count; NULL when no row counts. With a NaN or infinity all sums of that column \
                but the first are NaN. 22003 if finite values come to a sum that is infinite, such as of fourth powers of \
                1e80.",
        example: (numbers!("average(stats_agg(v))"), "1.0"),
        source: PEBAY,
    },
    Manual {
        name: "percentile_agg",
        calls: &[("(value double precision)", "record")],
        meaning: "A sketch of the values from which any percentile is told: uddsketch(200, 0.001, value).",
        nulls: "NULL and NaN do not count; NULL when no row counts. Infinite values are the first and the last.",
        example: ("SELECT num_vals(percentile_agg(g)) FROM generate_series(1, 1000) AS s(g)", "1000.0"),
        source: PERCENTILES,
    },
    Manual {
        name: "uddsketch",
        calls: &[("(size integer, max_error double precision, value double precision)", "record")],
        meaning: "A UDDSketch: how many values are in each of at most `size` buckets, from 7 to 10000. A percentile is off \
                  by max_error of itself at most, from 1e-12 to less than 1, until that takes more buckets; then each two \
                  become one, and error() tells the error that it has now. The record is (max_buckets, max_error, \
                  compactions, count, sum, zero_bucket_count, negative_indexes, negative_counts, positive_indexes, \
                  positive_counts). summary -> approx_percentile(p) reads it, and so do -> approx_percentile_rank(value), \
                  -> mean(), -> num_vals() and -> error(); they may also be called, with the record behind the number, \
                  but approx_percentile(p, value) is an aggregate unless its value is itself a call of percentile_agg, \
                  uddsketch, rollup or rolling. approx_percentile tells the value that has p of the values before it. \
                  The same values give the same buckets, in whatever order and parts they come.",
        nulls: "NULL and NaN do not count; NULL when no row counts. Infinite values are the first and the last. Another \
                size or error is 22023, and 22004 if it is NULL.",
        example: ("SELECT error(uddsketch(100, 0.05, g)) FROM generate_series(1, 10) AS s(g)", "0.05"),
        source: PAPER,
    },
    Manual {
        name: "rollup",
        calls: &[("(summary record)", "record")],
        meaning: "One summary of all rows that went into summaries of stats_agg, percentile_agg or uddsketch, such as one \
                  of a day of those of its hours. Sketches must have the same size and max_error.",
        nulls: "NULL does not count; NULL when no row counts. Sketches of different sizes or errors are 22023, and so is a \
                record that is no summary.",
        example: (
            "SELECT average(rollup(s)) FROM (SELECT stats_agg(g) AS s FROM generate_series(1, 9) AS t(g) GROUP BY g % 2) \
             AS parts",
            "5.0",
        ),
        source: STATS,
    },
    Manual {
        name: "rolling",
        calls: &[("(summary record)", "record")],
        meaning: "rollup under the name that Toolkit has for windows: rolling(summary) OVER (ORDER BY time ROWS 6 \
                  PRECEDING). What leaves the window is not subtracted; each row is rolled up anew.",
        nulls: "As rollup.",
        example: (
            "SELECT max(average(r)) FROM (SELECT rolling(s) OVER (ORDER BY k ROWS 1 PRECEDING) AS r FROM (SELECT g / 2 AS \
             k, stats_agg(g) AS s FROM generate_series(1, 9) AS t(g) GROUP BY 1) AS parts) AS windows",
            "7.5",
        ),
        source: STATS,
    },
];

const fn page(
    name: &'static str,
    calls: &'static [(&'static str, &'static str)],
    meaning: &'static str,
    nulls: &'static str,
    example: (&'static str, &'static str),
) -> Manual {
    Manual { name, calls, meaning, nulls, example, source: STATS }
}

static OF_ONE: [Manual; 3] = [
    page(
        "num_vals",
        &[("(summary record)", "bigint")],
        "How many rows went into a summary: bigint of stats_agg, as in Toolkit double precision of uddsketch.",
        "NULL gives NULL.",
        (numbers!("num_vals(stats_agg(v))"), "5"),
    ),
    page(
        "skewness",
        BY_METHOD,
        "The third standardised moment: sum((v - mean)^3) / d / stddev^3, where d is n for a population and n - 1 for a \
         sample, also in stddev. The method is 'sample' if none is given.",
        OF_SHAPE,
        (numbers!("skewness(stats_agg(v), 'population')"), "1.5"),
    ),
    page(
        "kurtosis",
        BY_METHOD,
        "The fourth standardised moment, which is 3 of a normal distribution: sum((v - mean)^4) / d / stddev^4, where d is \
         n for a population and n - 1 for a sample, also in stddev. The method is 'sample' if none is given.",
        OF_SHAPE,
        (numbers!("kurtosis(stats_agg(v), 'population')"), "3.25"),
    ),
];

static OF_TWO: [Manual; 16] = [
    page("average_x", TO_FLOAT, "The mean of x.", OF_NULL, (points!("average_x(stats_agg(y, x))"), "1.0")),
    page("average_y", TO_FLOAT, "The mean of y.", OF_NULL, (points!("average_y(stats_agg(y, x))"), "3.0")),
    page("sum_x", TO_FLOAT, "The sum of x.", OF_NULL, (points!("sum_x(stats_agg(y, x))"), "2.0")),
    page("sum_y", TO_FLOAT, "The sum of y.", OF_NULL, (points!("sum_y(stats_agg(y, x))"), "6.0")),
    page(
        "stddev_x",
        BY_METHOD,
        "The standard deviation of x. The method is 'sample' if none is given.",
        OF_METHOD,
        (points!("stddev_x(stats_agg(y, x), 'pop')"), "1.0"),
    ),
    page(
        "stddev_y",
        BY_METHOD,
        "The standard deviation of y. The method is 'sample' if none is given.",
        OF_METHOD,
        (points!("stddev_y(stats_agg(y, x), 'pop')"), "2.0"),
    ),
    page(
        "variance_x",
        BY_METHOD,
        "The variance of x. The method is 'sample' if none is given.",
        OF_METHOD,
        (points!("variance_x(stats_agg(y, x), 'pop')"), "1.0"),
    ),
    page(
        "variance_y",
        BY_METHOD,
        "The variance of y. The method is 'sample' if none is given.",
        OF_METHOD,
        (points!("variance_y(stats_agg(y, x), 'pop')"), "4.0"),
    ),
    page("skewness_x", BY_METHOD, "The skewness of x.", OF_SHAPE, (points!("skewness_x(stats_agg(y, x))"), "0.0")),
    page("skewness_y", BY_METHOD, "The skewness of y.", OF_SHAPE, (points!("skewness_y(stats_agg(y, x))"), "0.0")),
    page(
        "kurtosis_x",
        BY_METHOD,
        "The kurtosis of x.",
        OF_SHAPE,
        (points!("kurtosis_x(stats_agg(y, x), 'pop')"), "1.0"),
    ),
    page(
        "kurtosis_y",
        BY_METHOD,
        "The kurtosis of y.",
        OF_SHAPE,
        (points!("kurtosis_y(stats_agg(y, x), 'pop')"), "1.0"),
    ),
    page(
        "covariance",
        BY_METHOD,
        "The covariance of x and y. The method is 'sample' if none is given.",
        OF_METHOD,
        (points!("covariance(stats_agg(y, x), 'pop')"), "2.0"),
    ),
    page(
        "intercept",
        TO_FLOAT,
        "The y at x = 0 of the line of least squares.",
        OF_LINE,
        (points!("intercept(stats_agg(y, x))"), "1.0"),
    ),
    page(
        "x_intercept",
        TO_FLOAT,
        "The x at y = 0 of the line of least squares: of a vertical line its x.",
        "NULL gives NULL, and so does a level line or one point. NaN if a value was NaN or infinite.",
        (points!("x_intercept(stats_agg(y, x))"), "-0.5"),
    ),
    page(
        "determination_coeff",
        TO_FLOAT,
        "The square of the correlation; 1 of a level line.",
        OF_LINE,
        (points!("determination_coeff(stats_agg(y, x))"), "1.0"),
    ),
];

static OF_SKETCHES: [Manual; 3] = [
    Manual {
        name: "approx_percentile_rank",
        calls: WITH_NUMBER,
        meaning: "About the part of the values that is less than this one, from 0 to 1: those in buckets before its own, \
                  and half of those in its own.",
        nulls: "NULL gives NULL. NaN is greater than all values.",
        example: ("SELECT approx_percentile_rank(200, percentile_agg(g)) FROM generate_series(1, 100) AS s(g)", "1.0"),
        source: PERCENTILES,
    },
    Manual {
        name: "mean",
        calls: TO_FLOAT,
        meaning: "The mean of the values that went into a sketch, which is no approximation.",
        nulls: "NULL gives NULL.",
        example: ("SELECT mean(percentile_agg(g)) FROM generate_series(1, 9) AS s(g)", "5.0"),
        source: PERCENTILES,
    },
    Manual {
        name: "error",
        calls: TO_FLOAT,
        meaning: "How far a percentile of the sketch may be off, as a part of itself.",
        nulls: "NULL gives NULL.",
        example: ("SELECT error(percentile_agg(g)) FROM generate_series(1, 9) AS s(g)", "0.001"),
        source: PAPER,
    },
];
