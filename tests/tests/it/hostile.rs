//! SQL that kills or stalls an engine without a guard. Each statement ends with its SQLSTATE, and the server lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lakegate_tests::wire::{Client, cancel_until_ready, message};
use lakegate_tests::{Lake, TestServer};
use tokio::time::Instant;

/// How long one of a hundred cheap statements may take meanwhile: in a release build on a machine of its own it is 100 ms.
const P99: Duration = Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 100 });

fn chain(first: &str, between: &str, each: &str, count: usize) -> String {
    let mut sql = first.to_owned();
    for at in 0..count {
        if at > 0 {
            sql.push_str(between);
        }
        sql.push_str(each);
    }
    sql
}

/// Each of the levels joins the one before with itself: 2^14 scans in a short text.
fn doubling_cte() -> String {
    let mut sql = "WITH t0 AS (SELECT 1 AS x)".to_owned();
    for level in 1..=14 {
        sql.push_str(&format!(", t{level} AS (SELECT a.x FROM t{0} a JOIN t{0} b ON a.x = b.x)", level - 1));
    }
    sql + " SELECT count(*) FROM t14"
}

/// Statements and the SQLSTATEs that each may end with.
fn statements() -> Vec<(String, &'static [&'static str])> {
    let complex: &[&str] = &["54001"];
    let too_large: &[&str] = &["54000", "22023", "53200"];
    let endless: &[&str] = &["57014"];
    let refused: &[&str] = &["42501", "0A000"];
    let mut table = vec![
        (chain("SELECT ", "+", "1", 20_000), complex),
        (chain("SELECT ", "+", "1", 3_000), complex),
        (chain("SELECT 1 FROM generate_series(1, 2) t(c) WHERE ", " OR ", "c = 0", 20_000), complex),
        (chain("", " UNION ALL ", "SELECT 1", 20_000), complex),
        (chain("", " UNION ALL ", "SELECT 1", 3_000), complex),
        (chain("SELECT ", "", "(", 1_000) + "1" + &")".repeat(1_000), complex),
        (chain("SELECT ", "", "abs(", 1_000) + "1" + &")".repeat(1_000), complex),
        (chain("SELECT ", "", "NOT ", 20_000) + "true", complex),
        (chain("SELECT ", "", "- ", 20_000) + "1", complex),
        (chain("SELECT 1 WHERE 1 ", " ", "::int", 20_000), complex),
        (chain("SELECT ", "", "CASE WHEN true THEN ", 1_000) + "1" + &" END".repeat(1_000), complex),
        (chain("SELECT ", "", "ARRAY[", 1_000) + "1" + &"]".repeat(1_000), complex),
        (chain("", "", "SELECT * FROM (", 1_000) + "SELECT 1" + &") t".repeat(1_000), complex),
        (chain("SELECT ", ",", "1", 2_000), &["54001", "54011"]),
        (doubling_cte(), complex),
        (format!("SELECT '{}'", "x".repeat(1_100_000)), complex),
        ("SELECT lpad('x', 2147483647, 'y')".into(), too_large),
        ("SELECT repeat('a', 2147483647)".into(), too_large),
        ("SELECT length(repeat('a', 1000000000))".into(), too_large),
        ("SELECT array_fill(1, ARRAY[2147483647])".into(), &["54000", "22023", "53200", "42883", "0A000"]),
        (
            "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t".into(),
            &["57014", "0A000", "53200"],
        ),
        (
            "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11"
                .into(),
            endless,
        ),
        ("SELECT sum(x) FROM generate_series(1, 1000000000000000000) t(x)".into(), &["57014", "54000"]),
        ("CREATE EXTERNAL TABLE stolen STORED AS CSV LOCATION '/etc/passwd'".into(), refused),
        ("CREATE EXTERNAL TABLE stolen STORED AS CSV LOCATION 'http://169.254.169.254/latest'".into(), refused),
        ("SELECT * FROM '/etc/passwd'".into(), &["42601", "42P01"]),
        ("SELECT * FROM \"/etc/passwd\"".into(), &["42P01"]),
        ("COPY (SELECT 1) TO '/tmp/lakegate-must-not-exist.csv'".into(), refused),
        ("COPY weather.stations FROM '/etc/passwd'".into(), refused),
        ("COPY (SELECT 1) TO PROGRAM 'id'".into(), refused),
        ("SET datafusion.execution.batch_size = 1000000000000".into(), &["42704"]),
        ("SET datafusion.runtime.memory_limit = '100G'".into(), &["42704"]),
        ("SET datafusion.runtime.temp_directory = '/etc'".into(), &["42704"]),
        ("SET datafusion.execution.target_partitions = 1000000".into(), &["42704"]),
        ("CREATE TABLE copy AS SELECT * FROM generate_series(1, 10)".into(), &["25006"]),
        ("CREATE VIEW v AS SELECT * FROM '/etc/passwd'".into(), &["42601", "42P01"]),
        ("CREATE VIEW pg_catalog.pg_shadow AS SELECT 1".into(), refused),
        ("INSERT INTO weather.stations SELECT * FROM weather.stations".into(), &["42809"]),
        ("DELETE FROM weather.stations".into(), &["42809"]),
        ("UPDATE weather.stations SET name = 'x'".into(), &["42809"]),
        ("DROP TABLE weather.stations".into(), &["55000"]),
        ("DROP SCHEMA weather CASCADE".into(), &["55000"]),
        ("ALTER TABLE weather.stations RENAME TO gone".into(), &["55000"]),
        ("TRUNCATE weather.stations".into(), &["42809"]),
        ("GRANT ALL ON weather.stations TO public".into(), &["55000"]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'".into(), refused),
        ("LOAD 'evil.so'".into(), &["42501", "0A000", "42601"]),
        ("DO $$ BEGIN NULL; END $$".into(), &["42501", "0A000", "42601"]),
        ("SELECT 9223372036854775807 + 1".into(), &["22003"]),
        ("SELECT (-9223372036854775807 - 1) / -1".into(), &["22003"]),
        ("SELECT 1 / 0".into(), &["22012"]),
        ("SELECT 1 % 0".into(), &["22012"]),
        ("SELECT 'a' ~ '((a{1,1000}){1,1000}){1,1000}'".into(), &["2201B", "54000"]),
        ("SELECT pg_sleep(1e9)".into(), &["57014", "42883", "0A000"]),
        ("SELECT pg_read_file('/etc/passwd')".into(), &["42883", "42501"]),
    ];
    table.push(("EXPLAIN ANALYZE ".to_owned() + &chain("SELECT ", "+", "1", 20_000), complex));
    table
}

/// Sends every statement, and gives what was not as it should be.
async fn misbehaviours(server: &TestServer, extended: bool) -> Vec<String> {
    let mut client = impatient(server).await;
    let mut wrong = Vec::new();
    for (sql, states) in statements() {
        let label = &sql[..sql.len().min(70)];
        let started = Instant::now();
        let answer = if extended { client.extended(&sql, 1).await } else { client.query(&sql).await };
        if !states.contains(&answer.state()) {
            wrong.push(format!("{label}: {} instead of {states:?}: {:?}", answer.state(), answer.fault));
        }
        if started.elapsed() > Duration::from_secs(10) {
            wrong.push(format!("{label}: took {:?}", started.elapsed()));
        }
        if !answer.trace.ends_with('Z') {
            wrong.push(format!("{label}: the connection is gone"));
            client = impatient(server).await;
        }
        // What was stopped really stops: the next statement has its threads.
        let next = client.query("SELECT 1").await;
        if next.state() != "00000" {
            wrong.push(format!("{label}: then SELECT 1 gives {:?}", next.fault));
            while client.query("SELECT 1").await.state() != "00000" {}
        }
    }
    wrong
}

/// A connection whose statements end after two seconds.
async fn impatient(server: &TestServer) -> Client {
    let mut client = server.wire().await;
    client.query("SET statement_timeout = '2s'").await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_statements_end_with_their_sqlstate_and_the_server_lives() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut witness = server.wire().await;
    let stop = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            let mut took = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let asked_at = Instant::now();
                witness.assert_alive().await;
                took.push(asked_at.elapsed());
                tokio::task::yield_now().await;
            }
            took.sort_unstable();
            took
        }
    });
    let wrong = misbehaviours(&server, false).await;
    stop.store(true, Ordering::Relaxed);
    let took = watching.await.unwrap();
    let p99 = took[took.len() * 99 / 100];
    println!("SELECT 1 beside hostile statements: {} times, p99 {p99:?}, longest {:?}", took.len(), took.last());
    assert!(p99 < P99, "SELECT 1 took {p99:?} beside hostile statements");
    assert!(!std::path::Path::new("/tmp/lakegate-must-not-exist.csv").exists(), "COPY wrote a file of the server");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_statements_are_refused_in_the_extended_protocol_too() {
    let server = TestServer::start(&Lake::sample()).await;
    let wrong = misbehaviours(&server, true).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_long_but_harmless_is_answered() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut client = server.wire().await;
    for (sql, expected) in [
        (chain("SELECT ", "+", "1", 300), "300"),
        (chain("SELECT count(*) FROM (", " UNION ALL ", "SELECT 1", 200) + ") t", "200"),
        (chain("SELECT ", "", "(", 40) + "1" + &")".repeat(40), "1"),
        (chain("SELECT 1 WHERE 5 IN (", ",", "5", 10_000) + ")", "1"),
        (chain("SELECT ", ",", "1", 1_500), "1"),
        ("SELECT repeat('ab', 1000)".to_owned(), &*"ab".repeat(1000)),
        (format!("SELECT length('{}')", "%a%".repeat(100_000)), "300000"),
        ("SELECT repeat('a', 100000) ~ '(a+)+$'".to_owned(), "t"),
    ] {
        let label = &sql[..sql.len().min(70)];
        client.query("SET statement_timeout = '30s'").await;
        assert_eq!(client.value(&sql).await.as_deref(), Some(expected), "{label}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heavy_statement_does_not_freeze_the_others() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut heavy = server.wire().await;
    let sql = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11";
    heavy.send(&message::query(sql)).await;
    for _ in 0..20 {
        let answered = async { server.wire().await.assert_alive().await };
        let patience = Duration::from_secs(5);
        tokio::time::timeout(patience, answered).await.expect("a login and SELECT 1 wait for a heavy statement");
    }
    assert_eq!(cancel_until_ready(server.addr(), &mut heavy).await.state(), "57014");
}
