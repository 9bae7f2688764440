//! A process that may not hold much: statements that want more end with their SQLSTATE, and the process lives.

use std::time::Duration;

use lakegate_tests::process::{Group, serves};
use lakegate_tests::{Lake, Process, flight};
use tokio::task::JoinSet;

/// As a small pod has it.
const BYTES_MAX: usize = 1 << 30;

/// What grows: aggregates that keep their values, texts that are made, rows that are sorted, joined and made distinct.
const HEAVY: [&str; 10] = [
    "SELECT string_agg(repeat('x', 2000), ',') FROM generate_series(1, 3000000)",
    "SELECT length(string_agg(repeat('x', 2000) || a, ',')) FROM generate_series(1, 60000) a",
    "SELECT array_agg(repeat('x', 5000) || a) FROM generate_series(1, 300000) a",
    "SELECT json_agg(repeat('x', 5000) || a) FROM generate_series(1, 300000) a",
    "SELECT a % 3, string_agg(repeat('x', 5000), ',') FROM generate_series(1, 100000) a GROUP BY 1",
    "SELECT sum(length(repeat('x', 30000 + (a % 7)))) FROM generate_series(1, 20000) a",
    "SELECT sum(length(t || t || t || t)) FROM (SELECT repeat('x', 20000) || a AS t FROM generate_series(1, 50000) a) t",
    "SELECT count(*) FROM (SELECT repeat('y', 5000) || a AS t FROM generate_series(1, 60000) a ORDER BY 1 OFFSET 1) s",
    "SELECT count(*) FROM (SELECT DISTINCT repeat('y', 5000) || a FROM generate_series(1, 200000) a) s",
    "SELECT lttb(to_timestamp(a), a, 100) FROM generate_series(1, 1000000) a",
];

/// How often all of them run side by side, twice each: a thousand times with LAKEGATE_MEMORY=full.
fn rounds() -> usize {
    if std::env::var("LAKEGATE_MEMORY").is_ok_and(|value| value == "full") { 1000 } else { 1 }
}

async fn outcome(addr: std::net::SocketAddr, sql: &str) -> String {
    let mut client = flight::Client::login(addr).await;
    match client.query(sql).await {
        Ok(_) => "00000".to_owned(),
        Err(status) => flight::state(&status).to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_want_all_memory_end_and_the_process_does_not() {
    if serves().await {
        return;
    }
    let lake = Lake::sample();
    let config = tempfile::NamedTempFile::new().unwrap();
    let settings = format!(
        "[pg]\nlisten = \"127.0.0.1:0\"\n[flight]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [engine]\nmemory_bytes_max = {}\nresident_bytes_max = {}\n[[lake.sources]]\nurl = \"{}\"\n",
        BYTES_MAX / 5 * 2,
        BYTES_MAX / 100 * 85,
        lake.path().display()
    );
    std::fs::write(config.path(), settings).unwrap();
    let group = Group::of(BYTES_MAX);
    let test = "memory::statements_that_want_all_memory_end_and_the_process_does_not";
    let mut process = Process::start_in(group.as_ref(), test, config.path());
    let addr = process.flight_addr();
    let mut ends = Vec::new();
    for sql in HEAVY {
        ends.push((sql, outcome(addr, sql).await));
    }
    for _ in 0..rounds() {
        let mut running = JoinSet::new();
        for sql in HEAVY.iter().chain(&HEAVY) {
            running.spawn(async move { (*sql, outcome(addr, sql).await) });
        }
        ends.extend(running.join_all().await);
    }
    let wrong: Vec<_> =
        ends.iter().filter(|(_, state)| !["00000", "53200", "53400", "54000"].contains(&state.as_str())).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(ends.iter().any(|(_, state)| state == "53200"), "nothing wanted too much: {ends:?}");
    // The code of the process, which is that of the tests, is in it and was there before.
    let peak = process.peak_bytes();
    println!("peak {} MiB, {}", peak >> 20, if group.is_some() { "in a control group" } else { "no control group" });
    assert!(peak < BYTES_MAX + BYTES_MAX / 4, "{} MiB", peak >> 20);
    let alive = tokio::time::timeout(Duration::from_secs(60), outcome(addr, "SELECT 1")).await;
    assert_eq!(alive.as_deref(), Ok("00000"));
    process.kill();
}
