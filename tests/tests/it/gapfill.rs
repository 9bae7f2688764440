//! `time_bucket_gapfill`, `locf` and `interpolate` over rows that are made up, held beside what they are by definition.

use std::collections::BTreeMap;

use lakegate_tests::differential::Random;
use lakegate_tests::{Lake, TestServer, flight};

/// The rows of one query: series, time, value.
type Row = (i64, i64, Option<i64>);

/// What the buckets of one series have, by definition.
fn filled(rows: &BTreeMap<i64, Option<i64>>, (width, start, finish): (i64, i64, i64)) -> Vec<[Option<String>; 4]> {
    let first = start.div_euclid(width) * width;
    let mut buckets: Vec<i64> = (0..).map(|n| first + n * width).take_while(|at| *at < finish).collect();
    // Rows outside of the range are rows as well.
    buckets.extend(rows.keys().filter(|at| !(first..finish).contains(*at)));
    buckets.sort_unstable();
    buckets.dedup();
    let shown = |value: Option<f64>| value.map(|value| value.to_string());
    let of = |at: &i64| {
        let before = rows.range(..=*at).next_back();
        let behind = rows.range(*at..).next();
        let here = rows.get(at).copied().flatten().map(|value| value as f64);
        let carried = before.and_then(|(_, value)| *value).map(|value| value as f64);
        let known = rows.range(..=*at).rev().find_map(|(_, value)| *value).map(|value| value as f64);
        let line = match (rows.get(at), before, behind) {
            (None, Some((from, Some(low))), Some((to, Some(high)))) if low == high || from == to => Some(*low as f64),
            (None, Some((from, Some(low))), Some((to, Some(high)))) => {
                Some((*low as f64 * (to - at) as f64 + *high as f64 * (at - from) as f64) / (to - from) as f64)
            }
            (None, _, _) => None,
            (Some(_), _, _) => here,
        };
        [Some(at.to_string()), shown(carried), shown(known), shown(line)]
    };
    buckets.iter().map(of).collect()
}

fn values(rows: &[Row]) -> String {
    let row = |(series, time, value): &Row| {
        let value = value.map_or("NULL".to_owned(), |value| value.to_string());
        format!("({series}, {time}, {value}::float8)")
    };
    rows.iter().map(row).collect::<Vec<_>>().join(", ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_filled_in_as_they_are_defined() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let mut random = Random::new(7);
    for _ in 0..150 {
        let width = random.between(1, 9);
        let start = random.between(-60, 60);
        let finish = start + random.between(-5, 90);
        let mut rows: Vec<Row> = Vec::new();
        for series in 0..random.between(1, 4) {
            // One row of a bucket, so that sum() is its value.
            let mut buckets: Vec<i64> =
                (0..random.below(12)).map(|_| random.between(-90, 160).div_euclid(width) * width).collect();
            buckets.sort_unstable();
            buckets.dedup();
            for at in buckets {
                let value = (!random.one_in(4)).then(|| random.between(-50, 50));
                rows.push((series, at + random.between(0, width - 1), value));
            }
        }
        if rows.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT series, time_bucket_gapfill({width}, time, {start}, {finish}) AS b, locf(sum(v)), \
             locf(sum(v), treat_null_as_missing => true), interpolate(sum(v)) \
             FROM (VALUES {}) r(series, time, v) GROUP BY series, b ORDER BY series, b",
            values(&rows)
        );
        let mut by_series: BTreeMap<i64, BTreeMap<i64, Option<i64>>> = BTreeMap::new();
        for (series, time, value) in &rows {
            by_series.entry(*series).or_default().insert(time.div_euclid(width) * width, *value);
        }
        let expected: Vec<Vec<Option<String>>> = by_series
            .iter()
            .flat_map(|(series, rows)| {
                let of = |row: [Option<String>; 4]| [Some(series.to_string())].into_iter().chain(row).collect();
                filled(rows, (width, start, finish)).into_iter().map(of).collect::<Vec<_>>()
            })
            .collect();
        let answer = client.query(&sql).await;
        assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
        assert_eq!(answer.texts(), expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buckets_are_those_of_generate_series() {
    let server = TestServer::start(&Lake::default()).await;
    for (width, step) in
        [("7 minutes", "7 minutes"), ("1 day", "1 day"), ("1 month", "1 month"), ("5 months", "5 months")]
    {
        for of in ["timestamp", "timestamptz"] {
            let sql = format!(
                "WITH filled AS (SELECT time_bucket_gapfill('{width}', t) AS b FROM (VALUES ('2023-05-05'::{of})) v(t) \
                 WHERE t >= '2023-01-17 03:04:05' AND t < '2024-12-29 01:02:03' GROUP BY 1), \
                 series AS (SELECT generate_series(time_bucket('{width}', '2023-01-17 03:04:05'::{of}), \
                 '2024-12-29 01:02:02.999999', '{step}') AS b) \
                 SELECT concat_ws(' ', (SELECT count(*) FROM filled), (SELECT count(*) FROM series), \
                 (SELECT count(*) FROM filled JOIN series USING (b)))"
            );
            let counts = server.value(&sql).await;
            let counts: Vec<&str> = counts.split(' ').collect();
            assert!(counts[0] != "0" && counts.iter().all(|count| *count == counts[0]), "{width} {of}: {counts:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_range_ends_with_its_statement() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("SET statement_timeout = 300").await;
    let sql = "SELECT count(*) FROM (SELECT time_bucket_gapfill(1, t, 0, 9999999) AS b, s, locf(max(t)) \
               FROM generate_series(1, 3) t, generate_series(1, 300) s GROUP BY 1, 2) x";
    let fault = client.query(sql).await.fault.unwrap();
    assert_eq!(fault.state, "57014");
    client.assert_alive().await;
    // Rows come as they are asked for.
    client.query("SET statement_timeout = 0").await;
    let sql = "SELECT b FROM (SELECT time_bucket_gapfill(1, t, 0, 9999999) AS b, s FROM generate_series(1, 3) t, \
               generate_series(1, 300) s GROUP BY 1, 2) x LIMIT 3";
    assert_eq!(client.query(sql).await.rows.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_may_be_of_parameters() {
    let server = TestServer::start(&Lake::default()).await;
    let client = server.client().await;
    let sql = "SELECT time_bucket_gapfill($1::int, t) FROM (VALUES (2), (9)) v(t) WHERE t >= $2 AND t < $3 GROUP BY 1 ORDER BY 1";
    let statement = client.prepare(sql).await.unwrap();
    for (width, from, to, expected) in [(5_i32, 0_i32, 10_i32, vec![0_i64, 5]), (2, -2, 3, vec![-2, 0, 2])] {
        let rows = client.query(&statement, &[&width, &from, &to]).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>(), expected);
    }
    let mut wire = server.wire().await;
    wire.query("PREPARE filled(int, int) AS SELECT time_bucket_gapfill(4, t, $1, $2) FROM (VALUES (101)) v(t) GROUP BY 1 ORDER BY 1").await;
    for _ in 0..2 {
        let answer = wire.query("EXECUTE filled(100, 110)").await;
        assert_eq!(answer.texts().concat(), ["100", "104", "108"].map(|text| Some(text.to_owned())));
    }
    let mut flight = flight::Client::login(server.server.flight_addr()).await;
    let filled =
        flight.query("SELECT time_bucket_gapfill(4, t, 0, 10) AS b FROM (VALUES (5)) v(t) GROUP BY 1").await.unwrap();
    assert_eq!(filled.batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_say_what_timescale_says() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let hint = "Specify start and finish as arguments or in the WHERE clause.";
    for (call, message, expected) in [
        ("(1, t)", "missing time_bucket_gapfill argument: could not infer start from WHERE clause", hint),
        ("(1, t, 1)", "missing time_bucket_gapfill argument: could not infer finish from WHERE clause", hint),
        ("(1, t, finish := 1)", "missing time_bucket_gapfill argument: could not infer start from WHERE clause", hint),
        (
            "(1, t + t)",
            "invalid time_bucket_gapfill argument: ts needs to refer to a single column if no start or finish is supplied",
            hint,
        ),
        (
            "(1, t, CASE WHEN length(version()) > 0 THEN NULL::int ELSE 1 END, 2)",
            "invalid time_bucket_gapfill argument: start cannot be NULL",
            hint,
        ),
        ("(NULL::int, t, 1, 2)", "invalid time_bucket_gapfill argument: bucket_width cannot be NULL", ""),
        ("(-1, t, 1, 2)", "invalid time_bucket_gapfill argument: bucket_width must be greater than 0", ""),
        ("(t, t, 1, 2)", "invalid time_bucket_gapfill argument: bucket_width must be a simple expression", ""),
        ("(1, NULL::int, 1, 2)", "invalid time_bucket_gapfill argument: ts cannot be NULL", ""),
    ] {
        let sql = format!("SELECT time_bucket_gapfill{call} FROM (VALUES (1), (2)) v(t) GROUP BY 1");
        let fault = client.query(&sql).await.fault.expect(&sql);
        assert_eq!((fault.state.as_str(), fault.message.as_str()), ("22023", message), "{sql}");
        assert_eq!(fault.hint.as_deref().unwrap_or_default(), expected, "{sql}");
    }
}
