//! Conditions on functions of a time leave out files by the bounds of the time, and no rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use lakegate_tests::differential::Random;
use lakegate_tests::lake::parquet;
use lakegate_tests::s3::Server;
use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2023-01-01 00:00 UTC.
const FIRST: i64 = 19_358 * DAY;
const FILES: i64 = 24;
/// Each file has so many days.
const DAYS: i64 = 30;

/// Moments of one file, with some around midnights and where clocks of Berlin and New York change.
fn moments(file: i64) -> Vec<Option<i64>> {
    let mut random = Random::new(u64::try_from(file).unwrap() + 1);
    let first = FIRST + file * DAYS * DAY;
    let mut moments: Vec<_> = (0..150).map(|_| Some(first + random.between(0, DAYS * DAY - 1))).collect();
    for day in 0..DAYS {
        let shift = random.pick(&[-3_600, -1, 0, 1, 3_599, 3_600, 7_200]) * SECOND;
        moments.push(Some((first + day * DAY + shift).clamp(first, first + DAYS * DAY - 1)));
    }
    moments.push(None);
    moments
}

fn file(file: i64) -> Vec<u8> {
    let moments = moments(file);
    let clock = TimestampMicrosecondArray::from(moments.clone());
    let days: Date32Array = moments.iter().map(|at| at.and_then(|at| i32::try_from(at.div_euclid(DAY)).ok())).collect();
    let seconds: Int64Array = moments.iter().map(|at| at.map(|at| at.div_euclid(SECOND))).collect();
    let epochs: Float64Array = moments.iter().map(|at| at.map(|at| at as f64 / SECOND as f64)).collect();
    let millis: Int64Array = moments.iter().map(|at| at.map(|at| at.div_euclid(1_000))).collect();
    let columns: [(&str, ArrayRef); 6] = [
        ("ts", Arc::new(clock.clone().with_timezone("UTC"))),
        ("clock", Arc::new(clock)),
        ("day", Arc::new(days)),
        ("seconds", Arc::new(seconds)),
        ("epoch", Arc::new(epochs)),
        ("millis", Arc::new(millis)),
    ];
    parquet(&RecordBatch::try_from_iter(columns).unwrap())
}

/// A condition, and how many files have rows near those for which it holds.
const CONDITIONS: [(&str, usize); 22] = [
    ("time_bucket('1 day', ts) = '2023-05-05 00:00+00'", 1),
    ("time_bucket('1 month', clock) = '2024-02-01'", 3),
    ("time_bucket('1 week', day) = '2024-02-05'", 2),
    ("time_bucket(86400, seconds) = 1683244800", 1),
    ("time_bucket('1 hour', ts) >= '2024-11-20 00:00+00'", 2),
    ("date_bin('15 min', clock, '2001-01-01') < '2023-01-10'", 1),
    ("date_trunc('day', ts) = '2023-05-05'", 1),
    ("date_trunc('month', clock) BETWEEN '2023-03-01' AND '2023-04-01'", 4),
    ("date_trunc('day', clock) IN ('2023-05-05', '2023-05-07', '2023-05-06')", 1),
    ("date_part('year', clock) = 2023", 13),
    ("extract(year FROM ts) > 2023", 13),
    ("extract(year FROM day) < 2024", 13),
    ("extract(epoch FROM ts) < 1672617600", 1),
    ("ts::date = '2023-05-05'", 1),
    ("clock::date < '2023-01-10'", 1),
    ("to_timestamp(seconds) BETWEEN '2023-05-05 00:00+00' AND '2023-05-06 00:00+00'", 1),
    ("to_timestamp(millis / 1000) >= '2024-11-20 00:00+00'", 2),
    ("to_timestamp(millis / 1000.0) >= '2024-11-20 00:00+00'", 2),
    ("to_timestamp(millis * 0.001) >= '2024-11-20 00:00+00'", 2),
    ("to_timestamp(millis / 1000::double precision) >= '2024-11-20 00:00+00'", 2),
    ("time_bucket('1 day', to_timestamp(seconds)) = '2023-05-05 00:00+00'", 1),
    ("date_trunc('month', to_timestamp(millis / 1000.0)) = '2024-02-01 00:00+00'", 3),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_without_the_range_are_not_read() {
    let store = Server::start().await;
    for at in 0..FILES {
        store.put(&format!("lake/s/t/{at:02}.parquet"), file(at)).await;
    }
    let server = TestServer::start_s3_unkept(&store, "lake").await;
    // The bounds of all files are known by then.
    let all = server.value("SELECT count(*) FROM s.t WHERE ts > '2000-01-01'").await;
    assert_eq!(all, (FILES * (150 + DAYS)).to_string());
    let mut client = server.wire().await;
    for (condition, files_max) in CONDITIONS {
        store.faults.reset_counts();
        let sql = format!("SELECT max(ts), max(clock), max(day), max(seconds), max(epoch) FROM s.t WHERE {condition}");
        let answer = client.query(&sql).await;
        assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
        assert!(answer.texts()[0][0].is_some(), "{sql} has rows");
        let log = store.faults.log();
        let read: BTreeSet<_> = log.iter().filter(|(_, key)| key.ends_with(".parquet")).map(|(_, key)| key).collect();
        // One more may touch the range.
        assert!(!read.is_empty() && read.len() <= files_max + 1, "{sql} reads {read:?}");
    }
}

/// The same condition, which implies nothing: its argument is computed.
fn opaque(call: &str, column: &str) -> String {
    let zero = if column == "day" || column == "seconds" || column == "epoch" || column == "millis" {
        "+ 0"
    } else {
        "+ interval '0'"
    };
    call.replace('@', &format!("({column} {zero})"))
}

const CALLS: [(&str, &str); 22] = [
    ("time_bucket('1 day', @)", "ts"),
    ("time_bucket('7 months', @)", "ts"),
    ("time_bucket('25 hours', @)", "clock"),
    ("time_bucket('1 week', @, '2000-01-04')", "clock"),
    ("time_bucket('36 hours', @)", "day"),
    ("date_bin('10 days', @, '2023-02-03 04:05')", "ts"),
    ("date_trunc('hour', @)", "ts"),
    ("date_trunc('day', @)", "ts"),
    ("date_trunc('week', @, 'Asia/Kolkata')", "ts"),
    ("date_trunc('quarter', @)", "clock"),
    ("date_trunc('decade', @)", "ts"),
    ("(@)::date", "ts"),
    ("(@)::date", "clock"),
    ("(@ AT TIME ZONE 'Pacific/Kiritimati')::date", "ts"),
    ("time_bucket('1 day', @ AT TIME ZONE 'America/New_York')", "ts"),
    ("to_timestamp(@)", "seconds"),
    ("to_timestamp(@)", "epoch"),
    ("to_timestamp(@ / 1000)", "millis"),
    ("to_timestamp(@ / 1000.0)", "millis"),
    ("to_timestamp(@ * 0.001)", "millis"),
    ("to_timestamp(@ / 1000::double precision)", "millis"),
    ("date_trunc('day', to_timestamp(@))", "epoch"),
];

/// Files of a year, two months apart.
const NEAR: i64 = 6;

/// Counts the rows for which a condition holds, as it is and where it implies nothing.
async fn same_rows(client: &mut Client, (call, column): (&str, &str), condition: &str) {
    let sql = format!(
        "SELECT (SELECT count(*) FROM s.t WHERE {} {condition}), (SELECT count(*) FROM s.t WHERE {} {condition})",
        call.replace('@', column),
        opaque(call, column)
    );
    let answer = client.query(&sql).await;
    assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
    let counts = &answer.texts()[0];
    assert_eq!(counts[0], counts[1], "{sql}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_is_left_out() {
    let lake = Lake::default();
    for at in 0..NEAR {
        lake.write(&format!("s/t/{at:02}.parquet"), file(2 * at));
    }
    let server = TestServer::start(&lake).await;
    let mut random = Random::new(11);
    for zone in ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"] {
        let mut client = server.wire().await;
        client.query(&format!("SET TIME ZONE '{zone}'")).await;
        for _ in 0..2 {
            for (call, column) in CALLS {
                let op = random.pick(&["=", "<", "<=", ">", ">=", "<>"]);
                let days = random.between(-5, 2 * NEAR * DAYS + 5);
                let at = FIRST / SECOND + days * 86_400 + random.pick(&[0, 0, 0, 3_600, 7_199]);
                // A value that the function gives, or another.
                let sql = match random.one_in(4) {
                    true => format!("SELECT to_timestamp({at})"),
                    false => {
                        let value = call.replace('@', column);
                        format!(
                            "SELECT {value} FROM s.t WHERE {column} IS NOT NULL ORDER BY abs(seconds - {at}) LIMIT 1"
                        )
                    }
                };
                let value = client.query(&sql).await.text().expect(&sql);
                same_rows(&mut client, (call, column), &format!("{op} '{value}'")).await;
            }
            for value in ["2022", "2023", "2023.5", "2024", "1683244800", "1683244800.5", "0", "-3", "1e12"] {
                let (part, column) =
                    random.pick(&[("year", "ts"), ("year", "clock"), ("year", "day"), ("epoch", "ts")]);
                let call = random.pick(&["date_part('$', @)", "extract($ FROM @)"]).replace('$', part);
                let op = random.pick(&["=", "<", "<=", ">", ">="]);
                same_rows(&mut client, (&call, column), &format!("{op} {value}")).await;
            }
        }
    }
}
