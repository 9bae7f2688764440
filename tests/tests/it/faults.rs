//! A store that fails: the right rows, or an error that says what happened. Never wrong rows, never a secret.

use std::time::Duration;

use lakegate_tests::lake::numbers;
use lakegate_tests::s3::{Fault, Operation, Server};
use lakegate_tests::{Lake, TestServer};

async fn started() -> (Server, TestServer) {
    let store = Server::start().await;
    store.upload(&Lake::sample(), "lake").await;
    store.put("lake/s/t.parquet", numbers("x", 0..200_000)).await;
    let server = TestServer::start_s3_unkept(&store, "lake").await;
    (store, server)
}

const ASK: &str = "SELECT count(*), sum(x) FROM s.t";

fn right() -> Vec<Option<String>> {
    vec![Some("200000".into()), Some("19999900000".into())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_faults_are_retried() {
    let (store, server) = started().await;
    let mut client = server.wire().await;
    for fault in [
        Fault::SlowDown,
        Fault::Internal,
        Fault::CutBody(100),
        Fault::CutBody(0),
        Fault::Reset,
        Fault::Delay(Duration::from_millis(200)),
    ] {
        store.faults.inject(Operation::Get, "t.parquet", fault, 1);
        let answer = client.query(ASK).await;
        assert_eq!(answer.state(), "00000", "{fault:?}: {:?}", answer.fault);
        assert_eq!(answer.texts()[0], right(), "{fault:?}");
        store.faults.clear();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lasting_faults_are_told_without_secrets() {
    let (store, server) = started().await;
    let mut client = server.wire().await;
    client.query("SET statement_timeout = '20s'").await;
    for (fault, states) in [
        (Fault::AccessDenied, &["42501", "58030"][..]),
        (Fault::PreconditionFailed, &["40001"]),
        (Fault::SlowDown, &["58030", "57014"]),
    ] {
        store.faults.inject(Operation::Get, "t.parquet", fault, usize::MAX);
        let answer = client.query(ASK).await;
        assert!(states.contains(&answer.state()), "{fault:?}: {:?}", answer.fault);
        let told = format!("{:?}", answer.fault);
        for secret in ["secret-key-of-the-tests", "access-key-of-the-tests", "127.0.0.1", "Signature"] {
            assert!(!told.contains(secret), "{told}");
        }
        store.faults.clear();
        assert_eq!(client.query(ASK).await.texts(), [right()], "after {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_object_instead_of_a_range_gives_no_wrong_rows() {
    let (store, server) = started().await;
    let mut client = server.wire().await;
    store.faults.inject(Operation::Get, "t.parquet", Fault::IgnoreRange, 1);
    let answer = client.query(ASK).await;
    if answer.state() == "00000" {
        assert_eq!(answer.texts(), [right()]);
    } else {
        assert_ne!(answer.state(), "XX000", "{:?}", answer.fault);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_listing_keeps_the_last_lake() {
    let (store, server) = started().await;
    store.faults.inject(Operation::List, "", Fault::AccessDenied, usize::MAX);
    assert!(server.server.lake().refresh().await.is_err(), "a refresh that saw nothing says so");
    assert_eq!(server.wire().await.query(ASK).await.texts(), [right()]);
    store.faults.clear();
    store.put("lake/s/u.csv", "y\n1\n").await;
    server.refresh().await;
    assert_eq!(server.value("SELECT y FROM s.u").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_went_away_is_an_error_until_the_next_look() {
    let (store, server) = started().await;
    store.delete("lake/s/t.parquet").await;
    let mut client = server.wire().await;
    let answer = client.query("SELECT sum(x) FROM s.t").await;
    assert!(["58P01", "40001", "42P01"].contains(&answer.state()), "{:?}", answer.fault);
    server.refresh().await;
    assert_eq!(client.query("SELECT sum(x) FROM s.t").await.state(), "42P01");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_over_a_replaced_file_fails_and_never_ends_early() {
    let (store, server) = started().await;
    let mut client = server.wire().await;
    assert_eq!(client.query(ASK).await.texts(), [right()]);
    store.faults.inject(Operation::Get, "t.parquet", Fault::PreconditionFailed, usize::MAX);
    client.query("BEGIN").await;
    assert_eq!(client.query("DECLARE c CURSOR FOR SELECT x FROM s.t").await.state(), "00000");
    assert_eq!(client.query("FETCH 10 FROM c").await.state(), "40001");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_store_is_cancelled() {
    let (store, server) = started().await;
    store.faults.inject(Operation::Get, "t.parquet", Fault::Delay(Duration::from_secs(120)), usize::MAX);
    let mut client = server.wire().await;
    client.query("SET statement_timeout = 500").await;
    let started = tokio::time::Instant::now();
    assert_eq!(client.query(ASK).await.state(), "57014");
    assert!(started.elapsed() < Duration::from_secs(10));
}
