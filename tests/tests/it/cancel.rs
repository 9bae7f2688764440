//! Ending a statement early: by its client's wish, by its deadline, by the client's going away.

use std::time::Duration;

use lakegate_tests::wire::{Answer, Client, cancel, cancel_until_ready, message};
use lakegate_tests::{Lake, TestServer};
use tokio::time::Instant;

/// Computes for hours and gives no row.
pub(crate) const ENDLESS: &str =
    "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11";

/// Gives rows for hours.
const ENDLESS_ROWS: &str =
    "SELECT a, b, repeat('x', 100) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b";

/// The goal is 250 ms; a busy machine of two cores may take longer, and a server that does not stop takes for ever.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_computing_statement_is_cancelled() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.send(&message::query(ENDLESS)).await;
    let started = Instant::now();
    let answer = cancel_until_ready(server.addr(), &mut client).await;
    assert_eq!(answer.state(), "57014");
    assert_eq!(answer.fault.unwrap().message, "canceling statement due to user request");
    assert!(started.elapsed() < SOON);
    client.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_cancelled_while_its_rows_flow() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.send(&message::query(ENDLESS_ROWS)).await;
    for _ in 0..1000 {
        client.receive().await.unwrap();
    }
    let started = Instant::now();
    cancel(server.addr(), client.key.as_ref().unwrap()).await;
    let answer = Answer::of(client.until_ready().await);
    assert_eq!(answer.state(), "57014");
    assert!(started.elapsed() < SOON);
    client.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_extended_protocol_is_cancelled_too() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let bytes = [message::parse("", ENDLESS_ROWS, &[]), message::bind("", "", &[], &[], &[1])].concat();
    client.send(&[bytes, message::execute("", 0), message::sync()].concat()).await;
    for _ in 0..1000 {
        client.receive().await.unwrap();
    }
    cancel(server.addr(), client.key.as_ref().unwrap()).await;
    assert_eq!(Answer::of(client.until_ready().await).state(), "57014");
    client.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_key_cancels_nothing() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let (id, secret) = client.key.clone().unwrap();
    let mut wrong = secret.to_vec();
    wrong[0] ^= 1;
    client.send(&message::query("SELECT sum(x % 7) FROM generate_series(1, 3000000) t(x)")).await;
    cancel(server.addr(), &(id, wrong.into())).await;
    cancel(server.addr(), &(id, secret.slice(..3))).await;
    cancel(server.addr(), &(id.wrapping_add(1), secret)).await;
    assert_eq!(Answer::of(client.until_ready().await).state(), "00000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_between_statements_has_no_effect() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.assert_alive().await;
    cancel(server.addr(), client.key.as_ref().unwrap()).await;
    client.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statement_timeout_covers_computing_and_sending() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("SET statement_timeout = 300").await;
    for sql in [ENDLESS, ENDLESS_ROWS] {
        let started = Instant::now();
        let answer = client.query(sql).await;
        assert_eq!(answer.state(), "57014", "{sql}");
        assert_eq!(answer.fault.unwrap().message, "canceling statement due to statement timeout");
        assert!(started.elapsed() < SOON);
    }
    client.query("SET statement_timeout = 0").await;
    client.assert_alive().await;
}

/// Joins that work for hours between two yields, because one batch meets very many rows or their filter lets none pass.
const STUBBORN: &[&str] = &[
    ENDLESS,
    "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a + b = -1",
    "SELECT count(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b ON a % 2 = b % 2 AND a + b < 0",
    "SELECT count(*) FROM generate_series(1, 1000000) a LEFT JOIN generate_series(1, 1000000) b ON a < b AND a * b < 0",
    "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_join_gives_its_cores_back() {
    let lake = Lake::sample();
    let mut config = lakegate_tests::server::config(&lake);
    config.engine.cpu_threads = 1;
    let server = TestServer::with(config).await.keeping(&lake);
    let mut other = server.wire().await;
    other.query("SET statement_timeout = '20s'").await;
    for sql in STUBBORN {
        // Reading the lake puts both statements on the one core.
        let sql = format!(
            "{sql} {} (SELECT min(n) FROM weather.observations) >= 0",
            if sql.contains("WHERE") { "AND" } else { "WHERE" }
        );
        let mut client = server.wire().await;
        client.send(&message::query(&sql)).await;
        // A statement that reads no file has a thread of its own; when it is done, the join is under way.
        other.value("SELECT sum(x % 7) FROM generate_series(1, 1000000) t(x)").await;
        assert_eq!(cancel_until_ready(server.addr(), &mut client).await.state(), "57014", "{sql}");
        let count = other.value("SELECT count(*) FROM weather.observations").await;
        assert_eq!(count.as_deref(), Some("1000"), "it works on: {sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vanished_client_stops_its_statement() {
    let server = TestServer::start(&Lake::default()).await;
    let mut witness = server.wire().await;
    for sql in [ENDLESS, ENDLESS_ROWS] {
        let mut client = server.wire().await;
        let id = client.key.clone().unwrap().0;
        client.send(&message::query(sql)).await;
        drop(client);
        let started = Instant::now();
        while is_running(&mut witness, id).await {
            assert!(started.elapsed() < SOON, "the statement of a vanished client runs on: {sql}");
        }
    }
}

async fn is_running(witness: &mut Client, id: i32) -> bool {
    let sql = format!("SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE pid = {id}");
    witness.value(&sql).await.as_deref() != Some("0")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_no_bytes_is_cut() {
    let lake = Lake::default();
    let mut config = lakegate_tests::server::config(&lake);
    config.pg.write_timeout_ms = 500;
    let server = TestServer::with(config).await;
    let mut slow = server.wire().await;
    let id = slow.key.clone().unwrap().0;
    slow.send(&message::query(ENDLESS_ROWS)).await;
    let mut witness = server.wire().await;
    let started = Instant::now();
    while is_running(&mut witness, id).await {
        assert!(started.elapsed() < Duration::from_secs(30), "a client that reads nothing keeps its place");
    }
    // What was sent before is still in the socket's buffers; then comes the end.
    let tail = slow.bytes_until_closed().await;
    assert!(!tail.is_empty());
}
