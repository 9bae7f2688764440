//! A load that is sent twice is written once, whoever gets it and whatever became of the first.

use lakegate_tests::s3::{Fault, Operation, Server};
use lakegate_tests::{Lake, TestServer};

use super::*;

fn named(table: &str, mode: (Missing, Exists), id: &str) -> CommandStatementIngest {
    CommandStatementIngest { options: [("lakegate.ingest_id".to_owned(), id.to_owned())].into(), ..into(table, mode) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_id_answers_as_the_first_and_writes_nothing() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut client, mut wire) = (connect(&server).await, server.wire().await);
    for _ in 0..3 {
        assert_eq!(client.ingest(&named("t", CREATE, "first"), vec![ids(0..5), ids(5..10)]).await.unwrap(), 10);
    }
    assert_eq!(commits(&lake, "public/t"), 1);
    for id in ["a", "b", "a", "b", "first"] {
        let expected = if id == "first" { 10 } else { 2 };
        assert_eq!(client.ingest(&named("t", APPEND, id), vec![ids([1, 2])]).await.unwrap(), expected, "{id}");
    }
    assert_eq!(commits(&lake, "public/t"), 3);
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["14"]);
    for _ in 0..2 {
        assert_eq!(client.ingest(&named("t", REPLACE, "whole"), vec![ids([1, 2, 3])]).await.unwrap(), 3);
        let text = batch(&[("s", Arc::new(StringArray::from(vec!["x"])))]);
        assert_eq!(client.ingest(&named("u", REPLACE, "whole"), vec![text]).await.unwrap(), 1);
    }
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["3"]);
    // A header says the same for clients that have no options.
    let mut other = connect(&server).await;
    other.headers.push(("lakegate-ingest-id", "c"));
    for _ in 0..2 {
        assert_eq!(other.ingest(&into("t", APPEND), vec![ids([4])]).await.unwrap(), 1);
    }
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["4"]);
    // A table that is dropped and made again knows nothing of the loads of the one before.
    ok(&mut wire, "DROP TABLE t").await;
    assert_eq!(client.ingest(&named("t", CREATE, "first"), vec![ids([1])]).await.unwrap(), 1);
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["1"]);
    // A load that failed was none.
    let wrong = batch(&[("nope", Arc::new(Int64Array::from(vec![1])))]);
    assert!(refused(&mut client, &named("t", APPEND, "again"), vec![wrong]).await.starts_with("42703"));
    assert_eq!(client.ingest(&named("t", APPEND, "again"), vec![ids([2])]).await.unwrap(), 1);
    for id in ["", &"x".repeat(257)] {
        assert_eq!(refused(&mut client, &named("t", APPEND, id), vec![ids([1])]).await, "22023 invalid id of a load");
    }
    client.update("BEGIN").await.unwrap();
    assert!(refused(&mut client, &named("t", APPEND, "x"), vec![ids([1])]).await.starts_with("0A000"));
    client.update("ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_get_one_load_at_once_write_it_once() {
    let store = Server::start().await;
    let servers = [TestServer::writable_s3(&store, "lake").await, TestServer::writable_s3(&store, "lake").await];
    let (mut one, mut other) = (connect(&servers[0]).await, connect(&servers[1]).await);
    for round in 0..5 {
        let id = format!("load {round}");
        for (table, mode) in [("made", CREATE_APPEND), ("replaced", REPLACE), ("created", CREATE)] {
            let table = if table == "created" { format!("created{round}") } else { table.to_owned() };
            let command = named(&table, mode, &id);
            let (a, b) =
                tokio::join!(one.ingest(&command, vec![ids(0..100)]), other.ingest(&command, vec![ids(0..100)]));
            assert!(a.is_ok() || b.is_ok(), "{table} {round}: {a:?} {b:?}");
            for (client, answer) in [(&mut one, a), (&mut other, b)] {
                // One that meets files of a table which is not there yet is told so, and may ask again.
                let count = match answer {
                    Err(status) if state(&status) == "42P07" => client.ingest(&command, vec![ids(0..100)]).await,
                    answer => answer,
                };
                assert_eq!(count.unwrap(), 100, "{table} {round}");
            }
        }
    }
    for server in &servers {
        server.refresh().await;
        assert_eq!(server.value("SELECT count(*) FROM made").await, "500");
        assert_eq!(server.value("SELECT count(*) FROM replaced").await, "100");
        assert_eq!(server.value("SELECT count(*) FROM created3").await, "100");
    }
    // A replica that has not seen the first.
    assert_eq!(one.ingest(&named("made", APPEND, "late"), vec![ids([1])]).await.unwrap(), 1);
    assert_eq!(other.ingest(&named("made", APPEND, "late"), vec![ids([1])]).await.unwrap(), 1);
    assert_eq!(servers[1].value("SELECT count(*) FROM made").await, "501");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_whose_commit_was_in_doubt_is_not_made_again() {
    let store = Server::start().await;
    let server = TestServer::writable_s3(&store, "lake").await;
    let mut client = connect(&server).await;
    client.ingest(&into("t", CREATE), vec![ids([0])]).await.unwrap();
    store.faults.inject(Operation::Put, "_delta_log", Fault::AppliedThenSlowDown, 1);
    assert_eq!(client.ingest(&named("t", APPEND, "a"), vec![ids([1])]).await.unwrap(), 1);
    // The store says nothing more after it has taken the commit.
    store.faults.inject(Operation::Put, "_delta_log", Fault::AccessDenied, 1);
    assert!(refused(&mut client, &named("t", APPEND, "b"), vec![ids([2])]).await.starts_with("42501"));
    store.faults.clear();
    for id in ["a", "b", "a", "b"] {
        assert_eq!(client.ingest(&named("t", APPEND, id), vec![ids([3])]).await.unwrap(), 1, "{id}");
    }
    assert_eq!(server.column("SELECT id FROM t ORDER BY id").await, ["0", "1", "3"]);
}
