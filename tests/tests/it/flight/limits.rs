//! What ends a client's session or its statement: the limits of the other protocol, here as well.

use std::time::Duration;

use arrow_flight::FlightInfo;
use arrow_flight::sql::CommandStatementQuery;
use futures::StreamExt;
use lakegate_tests::flight::{Client, state, status};
use lakegate_tests::{Lake, TestServer};
use tonic::{Code, Status};

use super::access::{basic, open};
use super::{connect, one_text};
use crate::authentication::{PASSWORD, with_roles};
use crate::cancel::ENDLESS;

const ENDLESS_ROWS: &str =
    "SELECT a, b, repeat('x', 100) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b";

async fn login(server: &TestServer, user: &str) -> Client {
    let mut client = open(server).await;
    client.handshake(Some(&basic(user, PASSWORD))).await.unwrap();
    client
}

/// Asks until the answer is as it should be.
async fn until(server: &TestServer, sql: &str, expected: &str) {
    let asking = async {
        while server.value(sql).await != expected {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), asking).await.is_ok(), "{sql}: not {expected}");
}

pub(super) async fn info(client: &mut Client, sql: &str) -> FlightInfo {
    client.info(&CommandStatementQuery { query: sql.to_owned(), transaction_id: None }).await.unwrap()
}

/// The rows of a ticket, to be taken one batch after the other.
pub(super) async fn begin(client: &mut Client, info: &FlightInfo) -> arrow_flight::decode::FlightRecordBatchStream {
    let request = client.request(info.endpoint[0].ticket.clone().unwrap());
    client.stream(request).await.unwrap()
}

/// How a stream of rows ends.
pub(super) async fn failure(mut rows: arrow_flight::decode::FlightRecordBatchStream) -> Status {
    loop {
        match rows.next().await.expect("an error ends it") {
            Ok(_) => {}
            Err(error) => break status(error),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_has_so_many_sessions() {
    let server = with_roles(&Lake::default()).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = login(&server, "reader").await;
        client.query("SELECT 1").await.unwrap();
        clients.push(client);
    }
    let mut late = login(&server, "reader").await;
    let refused = late.query("SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), state(&refused)), (Code::ResourceExhausted, "53300"));
    assert_eq!(refused.message(), "too many connections for role \"reader\"");
    assert_eq!(one_text(&mut login(&server, "admin").await, "SELECT 'alive'").await, "alive");
    // One that says goodbye makes room, and so does one whose connection has broken.
    clients[0].act("CloseSession", Vec::new()).await.unwrap();
    late.query("SELECT 1").await.unwrap();
    let mut later = login(&server, "reader").await;
    assert_eq!(state(&later.query("SELECT 1").await.unwrap_err()), "53300");
    clients.pop();
    let room = async { while later.query("SELECT 1").await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(20), room).await.expect("a broken connection holds its place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_session_ends_and_its_client_is_told_once() {
    let server = TestServer::start(&Lake::default()).await;
    for (before, setting, expected, message) in [
        ("SET application_name = 'idler'", "idle_session_timeout", "57P05", "idle-session"),
        ("BEGIN", "idle_in_transaction_session_timeout", "25P03", "idle-in-transaction"),
    ] {
        let mut client = connect(&server).await;
        client.query(&format!("SET {setting} = '300ms'")).await.unwrap();
        let pid = one_text(&mut client, "SELECT pg_backend_pid()::text").await;
        client.query(before).await.unwrap();
        until(&server, &format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"), "0").await;
        let told = client.query("SELECT 1").await.unwrap_err();
        assert_eq!(state(&told), expected);
        assert_eq!(told.message(), format!("terminating connection due to {message} timeout"));
        assert_eq!(one_text(&mut client, &format!("SELECT current_setting('{setting}')")).await, "0");
        assert_ne!(one_text(&mut client, "SELECT pg_backend_pid()::text").await, pid);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_works_is_not_idle() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    client.query("SET idle_session_timeout = '700ms'").await.unwrap();
    let pid = one_text(&mut client, "SELECT pg_backend_pid()::text").await;
    // One statement is longer than the timeout, and so are some together.
    client.query("SELECT pg_sleep(1.5)").await.unwrap();
    for _ in 0..4 {
        client.query("SELECT pg_sleep(0.3)").await.unwrap();
    }
    assert_eq!(one_text(&mut client, "SELECT pg_backend_pid()::text").await, pid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sessions_see_it_and_can_end_it() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    client.query("SET application_name = 'notebook'").await.unwrap();
    let pid = one_text(&mut client, "SELECT pg_backend_pid()::text").await;
    let activity = |column: &str| format!("SELECT {column} FROM pg_stat_activity WHERE pid = {pid}");
    assert_eq!(server.value(&activity("application_name || ' ' || state")).await, "notebook idle");
    client.query("BEGIN").await.unwrap();
    assert_eq!(server.value(&activity("state")).await, "idle in transaction");
    client.query("ROLLBACK").await.unwrap();
    let told = info(&mut client, ENDLESS_ROWS).await;
    let mut rows = begin(&mut client, &told).await;
    rows.next().await.unwrap().unwrap();
    assert_eq!(server.value(&activity("state || ' ' || query")).await, format!("active {ENDLESS_ROWS}"));
    assert_eq!(server.value(&format!("SELECT pg_cancel_backend({pid})")).await, "t");
    let failed = failure(rows).await;
    assert_eq!((failed.code(), state(&failed)), (Code::Cancelled, "57014"));
    assert_eq!(failed.message(), "canceling statement due to user request");
    assert_eq!(one_text(&mut client, "SELECT pg_backend_pid()::text").await, pid);
    assert_eq!(server.value(&format!("SELECT pg_terminate_backend({pid})")).await, "t");
    let told = client.query("SELECT 1").await.unwrap_err();
    assert_eq!((told.code(), state(&told)), (Code::Unavailable, "57P01"));
    assert_eq!(told.message(), "terminating connection due to administrator command");
    assert_ne!(one_text(&mut client, "SELECT pg_backend_pid()::text").await, pid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statement_timeout_covers_computing_and_sending() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    client.query("SET statement_timeout = 300").await.unwrap();
    for sql in [ENDLESS, ENDLESS_ROWS] {
        let failed = client.query(sql).await.unwrap_err();
        assert_eq!((failed.code(), state(&failed)), (Code::Cancelled, "57014"), "{sql}");
        assert_eq!(failed.message(), "canceling statement due to statement timeout");
    }
    client.query("SET statement_timeout = 0").await.unwrap();
    assert_eq!(one_text(&mut client, "SELECT 'alive'").await, "alive");
}
