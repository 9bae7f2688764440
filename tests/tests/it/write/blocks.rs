//! Transaction blocks: what drivers make of one statement, and of some.

use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_is_one_commit_or_none() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut one, mut other) = (server.wire().await, server.wire().await);
    // As a driver does that opens a transaction around everything.
    ok(&mut one, "BEGIN").await;
    ok(&mut one, "CREATE TABLE t (a int)").await;
    assert_eq!(tag(&mut one, "INSERT INTO t VALUES (1)").await, "INSERT 0 1");
    assert_eq!(tag(&mut one, "INSERT INTO t VALUES (2), (3)").await, "INSERT 0 2");
    assert!(refused(&mut other, "SELECT * FROM t").await.starts_with("42P01"));
    ok(&mut one, "COMMIT").await;
    assert_eq!(rows(&mut other, "SELECT a FROM t ORDER BY a").await, ["1", "2", "3"]);
    let log = |lake: &Lake| lake.keys().iter().filter(|key| key.ends_with(".json")).count();
    assert_eq!(log(&lake), 1);
    ok(&mut one, "BEGIN").await;
    ok(&mut one, "INSERT INTO t VALUES (4)").await;
    ok(&mut one, "SAVEPOINT s").await;
    ok(&mut one, "INSERT INTO t VALUES (5)").await;
    assert!(refused(&mut one, "INSERT INTO t VALUES ('x')").await.starts_with("22P02"));
    ok(&mut one, "ROLLBACK TO s").await;
    ok(&mut one, "INSERT INTO t VALUES (6)").await;
    ok(&mut one, "COMMIT").await;
    assert_eq!(rows(&mut other, "SELECT a FROM t ORDER BY a").await, ["1", "2", "3", "4", "6"]);
    assert_eq!(log(&lake), 2);
    ok(&mut one, "BEGIN").await;
    ok(&mut one, "TRUNCATE t").await;
    ok(&mut one, "INSERT INTO t VALUES (7)").await;
    assert_eq!(rows(&mut other, "SELECT count(*) FROM t").await, ["5"]);
    ok(&mut one, "ROLLBACK").await;
    assert_eq!(rows(&mut one, "SELECT count(*) FROM t").await, ["5"]);
    ok(&mut one, "BEGIN; TRUNCATE TABLE t; INSERT INTO t VALUES (8); COMMIT").await;
    assert_eq!(rows(&mut other, "SELECT a FROM t").await, ["8"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_block_cannot_do_truly_is_refused() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int); CREATE TABLE u (a int)").await;
    for (second, state) in [
        ("SELECT * FROM t", "0A000"),
        ("INSERT INTO u VALUES (1)", "0A000"),
        ("CREATE TABLE v (a int)", "0A000"),
        ("CREATE VIEW v AS SELECT 1", "0A000"),
        ("DROP TABLE u", "25001"),
        ("SELECT * FROM u", "00000"),
    ] {
        ok(&mut client, "BEGIN").await;
        ok(&mut client, "INSERT INTO t VALUES (1)").await;
        assert_eq!(client.query(second).await.state(), state, "{second}");
        ok(&mut client, "ROLLBACK").await;
    }
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await, ["0"]);
    ok(&mut client, "BEGIN READ ONLY").await;
    assert!(refused(&mut client, "INSERT INTO t VALUES (1)").await.starts_with("25006"));
    ok(&mut client, "ROLLBACK").await;
}
