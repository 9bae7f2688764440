//! The pages of counters and gauges.

use crate::manual::Manual;

const SOURCE: &str = "https://docs.timescale.com/api/latest/hyperfunctions/counters-and-gauges/";
const POINTS: &str = "Rows whose time or value is NULL do not count; NULL when no row counts. Of rows of one time the \
                      least value counts. NaN gives NaN.";
const MORE_THAN_ONE: &str = "Rows whose time or value is NULL do not count; NULL when fewer than two times remain. Of \
                             rows of one time the least value counts. NaN gives NaN.";
const OF_NULL: &str = "NULL gives NULL.";

const TIMES: [&str; 2] =
    ["(time timestamp with time zone, value double precision)", "(time timestamp, value double precision)"];
const TO_FLOAT: &[(&str, &str)] = &[(TIMES[0], "double precision"), (TIMES[1], "double precision")];
const TO_RECORD: &[(&str, &str)] = &[(TIMES[0], "record"), (TIMES[1], "record")];

/// All of them.
pub(crate) fn manuals() -> Vec<&'static Manual> {
    AGGREGATES.iter().chain(&ACCESSORS).collect()
}

static AGGREGATES: [Manual; 7] = [
    Manual {
        name: "counter_agg",
        calls: TO_RECORD,
        meaning: "What is known of a counter, as the record (first_time, first_val, last_time, last_val, delta, slope, \
                  num_elements, num_changes, num_resets), which delta(), rate(), slope() and others read. A value below \
                  the one before is a reset: the counter began again at zero. Points may come in any order; all of a \
                  group are kept in memory until the group is done.",
        nulls: POINTS,
        example: (
            "SELECT rate(counter_agg(t, v)) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 00:00:10', \
             30), (TIMESTAMP '2024-01-01 00:00:20', 5)) AS m(t, v)",
            "1.25",
        ),
        source: SOURCE,
    },
    Manual {
        name: "gauge_agg",
        calls: TO_RECORD,
        meaning: "What is known of a gauge, as the record (first_time, first_val, last_time, last_val, delta, slope, \
                  num_elements, num_changes), which delta(), rate(), slope() and others read. A gauge may go up and down. \
                  Points may come in any order; all of a group are kept in memory until the group is done.",
        nulls: POINTS,
        example: (
            "SELECT delta(gauge_agg(t, v)) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 00:00:10', \
             30), (TIMESTAMP '2024-01-01 00:00:20', 5)) AS m(t, v)",
            "-5.0",
        ),
        source: SOURCE,
    },
    Manual {
        name: "counter_delta",
        calls: TO_FLOAT,
        meaning: "How much a counter rose from its first to its last point, resets accounted for: \
                  delta(counter_agg(time, value)).",
        nulls: POINTS,
        example: (
            "SELECT counter_delta(t, v) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 00:00:10', 30), \
             (TIMESTAMP '2024-01-01 00:00:20', 5)) AS m(t, v)",
            "25.0",
        ),
        source: SOURCE,
    },
    Manual {
        name: "counter_rate",
        calls: TO_FLOAT,
        meaning: "How much a counter rose per second from its first to its last point, resets accounted for: \
                  rate(counter_agg(time, value)). Nothing is added for the time before and after these.",
        nulls: MORE_THAN_ONE,
        example: (
            "SELECT counter_rate(t, v) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 00:00:10', 30), \
             (TIMESTAMP '2024-01-01 00:00:20', 5)) AS m(t, v)",
            "1.25",
        ),
        source: SOURCE,
    },
    Manual {
        name: "gauge_delta",
        calls: TO_FLOAT,
        meaning: "The last value less the first: delta(gauge_agg(time, value)).",
        nulls: POINTS,
        example: (
            "SELECT gauge_delta(t, v) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 00:00:20', 5)) AS \
             m(t, v)",
            "-5.0",
        ),
        source: SOURCE,
    },
    Manual {
        name: "gauge_rate",
        calls: TO_FLOAT,
        meaning: "The last value less the first, per second: rate(gauge_agg(time, value)).",
        nulls: MORE_THAN_ONE,
        example: (
            "SELECT gauge_rate(t, v) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 00:00:20', 5)) AS \
             m(t, v)",
            "-0.25",
        ),
        source: SOURCE,
    },
    Manual {
        name: "derivative",
        calls: TO_FLOAT,
        meaning: "The slope of the line of least squares through the points, per second: slope(gauge_agg(time, value)).",
        nulls: MORE_THAN_ONE,
        example: (
            "SELECT derivative(t, v) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 1), (TIMESTAMP '2024-01-01 00:00:01', 3), \
             (TIMESTAMP '2024-01-01 00:00:02', 2)) AS m(t, v)",
            "0.5",
        ),
        source: "https://prometheus.io/docs/prometheus/latest/querying/functions/#deriv",
    },
];

/// A page of what is asked of a record.
const fn page(
    name: &'static str,
    returns: &'static [(&'static str, &'static str)],
    meaning: &'static str,
    example: (&'static str, &'static str),
) -> Manual {
    Manual { name, calls: returns, meaning, nulls: OF_NULL, example, source: SOURCE }
}

const FLOAT_OF: &[(&str, &str)] = &[("(summary record)", "double precision")];
const COUNT_OF: &[(&str, &str)] = &[("(summary record)", "bigint")];

static ACCESSORS: [Manual; 8] = [
    page(
        "delta",
        FLOAT_OF,
        "The change from the first to the last point of counter_agg or gauge_agg, of a counter without its resets.",
        ("SELECT delta(counter_agg(to_timestamp(g), g % 3)) FROM generate_series(1, 5) AS s(g)", "3.0"),
    ),
    page(
        "increase",
        FLOAT_OF,
        "The same as delta, under the name that Prometheus has for counters; nothing is extrapolated.",
        ("SELECT increase(counter_agg(to_timestamp(g), g % 3)) FROM generate_series(1, 5) AS s(g)", "3.0"),
    ),
    page(
        "rate",
        FLOAT_OF,
        "The change per second from the first to the last point of counter_agg or gauge_agg. NULL of one point.",
        ("SELECT rate(counter_agg(to_timestamp(g), g % 3)) FROM generate_series(1, 5) AS s(g)", "0.75"),
    ),
    page(
        "slope",
        FLOAT_OF,
        "The slope per second of the line of least squares through the points of counter_agg or gauge_agg, those of a \
         counter without its resets; of stats_agg(y, x) the slope of the line of least squares. NULL of one point, and \
         where all x are equal.",
        ("SELECT slope(counter_agg(to_timestamp(g), g * 2)) FROM generate_series(1, 5) AS s(g)", "2.0"),
    ),
    page(
        "num_elements",
        COUNT_OF,
        "How many points counter_agg or gauge_agg has, those of one time counted once.",
        ("SELECT num_elements(gauge_agg(to_timestamp(g), 7)) FROM generate_series(1, 5) AS s(g)", "5"),
    ),
    page(
        "num_changes",
        COUNT_OF,
        "How many points of counter_agg or gauge_agg have another value than the point before.",
        ("SELECT num_changes(gauge_agg(to_timestamp(g), g / 2)) FROM generate_series(1, 5) AS s(g)", "2"),
    ),
    page(
        "num_resets",
        COUNT_OF,
        "How often the counter of counter_agg began again.",
        ("SELECT num_resets(counter_agg(to_timestamp(g), g % 3)) FROM generate_series(1, 8) AS s(g)", "2"),
    ),
    page(
        "time_delta",
        FLOAT_OF,
        "The seconds from the first to the last point of counter_agg or gauge_agg.",
        ("SELECT time_delta(gauge_agg(to_timestamp(g), 7)) FROM generate_series(1, 5) AS s(g)", "4.0"),
    ),
];
