//! A roles file that changes: what it says next holds for sessions, prepared statements and tickets that are there.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow_flight::sql::CommandStatementQuery;
use lakegate_tests::flight::{self, state};
use lakegate_tests::{Lake, TestServer, server};
use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::{ADMIN, Role, column, connect, outcome, roles_file, told};
use crate::authentication::PASSWORD;

const READS: &[Role] =
    &[Role { name: "reader", member_of: &[], grant: &["USAGE ON SCHEMA shop", "SELECT ON shop.orders"] }];
const LOOKS: &[Role] = &[Role { name: "reader", member_of: &[], grant: &["USAGE ON SCHEMA shop"] }];

const COUNT: &str = "SELECT count(*) FROM shop.orders";

async fn started() -> (TestServer, PathBuf, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("roles.toml");
    write(&path, &roles_file(READS, &[]));
    let lake = Lake::sample();
    let mut config = server::config(&lake);
    config.auth.roles_file = Some(path.clone());
    (TestServer::with(config).await.keeping(&lake), path, dir)
}

/// Puts the file in its place at once.
fn write(path: &Path, text: &str) {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(&fresh, path).unwrap();
}

fn denied() -> (String, String) {
    ("42501".to_owned(), "permission denied for table orders".to_owned())
}

fn well() -> (String, String) {
    ("00000".to_owned(), String::new())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_taken_away_is_missed_by_what_was_prepared_with_it() {
    let (server, path, _dir) = started().await;
    let (admin, reader) = (connect(&server, ADMIN).await, connect(&server, "reader").await);
    let prepared = reader.prepare(COUNT).await.unwrap();
    assert_eq!(outcome(&reader, &format!("PREPARE p AS {COUNT}")).await, well());
    let mut flight = flight::Client::open(server.server.flight_addr()).await;
    flight.handshake(Some(&crate::flight::basic("reader", PASSWORD))).await.unwrap();
    let info = flight.info(&CommandStatementQuery { query: COUNT.to_owned(), transaction_id: None }).await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let handle = flight.prepare(COUNT).await.unwrap().prepared_statement_handle;

    write(&path, &roles_file(LOOKS, &[]));
    assert_eq!(column(&admin, "SELECT pg_reload_conf()::text").await, ["true"]);
    assert_eq!(told(reader.query(&prepared, &[]).await), denied());
    assert_eq!(outcome(&reader, "EXECUTE p").await, denied());
    assert_eq!(outcome(&reader, "EXPLAIN EXECUTE p").await, denied());
    assert_eq!(outcome(&reader, COUNT).await, denied());
    assert_eq!(state(&flight.fetch(ticket.clone()).await.unwrap_err()), "42501");
    assert_eq!(state(&flight.execute(&handle).await.unwrap_err()), "42501");

    // A file that cannot be used changes nothing, and lets nobody in that was not.
    write(&path, "hunter2 = [");
    assert_eq!(column(&admin, "SELECT pg_reload_conf()::text").await, ["false"]);
    assert_eq!(outcome(&reader, COUNT).await, denied());
    assert_eq!(outcome(&connect(&server, "reader").await, "SELECT 1").await, well());

    write(&path, &roles_file(READS, &[]));
    assert_eq!(column(&admin, "SELECT pg_reload_conf()::text").await, ["true"]);
    assert_eq!(told(reader.query(&prepared, &[]).await), well());
    assert_eq!(outcome(&reader, "EXECUTE p").await, well());
    assert_eq!(flight.fetch(ticket).await.unwrap().batches.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_is_taken_away_does_not_log_in_and_holds_nothing() {
    let (server, path, _dir) = started().await;
    let (admin, reader) = (connect(&server, ADMIN).await, connect(&server, "reader").await);
    let refused = ("42501".to_owned(), "permission denied for function pg_reload_conf".to_owned());
    assert_eq!(outcome(&reader, "SELECT pg_reload_conf()").await, refused);
    write(&path, &roles_file(&[], &["SELECT ON shop.nothing"]));
    assert_eq!(column(&admin, "SELECT pg_reload_conf()::text").await, ["true"]);
    let mut config = server.driver();
    let error = config.user("reader").password(PASSWORD).connect(NoTls).await.err().unwrap();
    assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("28P01"));
    assert_eq!(outcome(&reader, COUNT).await, ("42501".into(), "permission denied for schema shop".into()));
    assert_eq!(outcome(&reader, "SELECT 1").await, well());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superuser_that_is_none_any_more_defines_nothing() {
    let (server, path, _dir) = started().await;
    let admin = connect(&server, ADMIN).await;
    assert_eq!(outcome(&admin, "CREATE VIEW public.v AS SELECT 1 AS one").await, well());
    write(&path, &roles_file(READS, &[]).replace("superuser = true", "superuser = false"));
    assert_eq!(column(&admin, "SELECT pg_reload_conf()::text").await, ["true"]);
    assert_eq!(outcome(&admin, "DROP VIEW public.v").await.0, "42501");
    assert_eq!(outcome(&admin, COUNT).await.0, "42501");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_is_read_without_being_asked() {
    let (server, path, _dir) = started().await;
    let reader = connect(&server, "reader").await;
    assert_eq!(outcome(&reader, COUNT).await, well());
    write(&path, &roles_file(LOOKS, &[]));
    let began_at = Instant::now();
    while outcome(&reader, COUNT).await != denied() {
        assert!(began_at.elapsed() < Duration::from_secs(60), "the file was not read again");
    }
}
