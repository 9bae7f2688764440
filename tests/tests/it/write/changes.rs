//! DELETE and UPDATE: rows that match, and no other.

use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_match_go_or_change_and_files_without_one_stay() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int, b varchar(4), n numeric(5,1))").await;
    for part in 0..3 {
        let sql = format!("INSERT INTO t SELECT x, 'r' || x, x FROM generate_series({0}, {0} + 9) s(x)", part * 10);
        ok(&mut client, &sql).await;
    }
    let data = || lake.keys().into_iter().filter(|key| key.ends_with(".parquet")).collect::<Vec<_>>();
    let before = data();
    assert_eq!(tag(&mut client, "DELETE FROM t WHERE a BETWEEN 12 AND 14").await, "DELETE 3");
    assert_eq!(data().len(), before.len() + 1, "one file is written anew");
    assert_eq!(rows(&mut client, "SELECT count(*), sum(a) FROM t").await, ["27|396"]);
    assert_eq!(tag(&mut client, "DELETE FROM t AS x WHERE x.a > (SELECT max(a) - 1 FROM t)").await, "DELETE 1");
    assert_eq!(tag(&mut client, "DELETE FROM t WHERE NULL").await, "DELETE 0");
    assert_eq!(tag(&mut client, "UPDATE t SET n = a / 2.0, b = NULL WHERE a IN (1, 28)").await, "UPDATE 2");
    assert_eq!(tag(&mut client, "UPDATE t SET a = a + 100, n = '7.25' WHERE a = 2").await, "UPDATE 1");
    let changed = rows(&mut client, "SELECT * FROM t WHERE b IS NULL OR a > 100 OR a = 3 ORDER BY a").await;
    assert_eq!(changed, ["1|NULL|0.5", "3|r3|3.0", "28|NULL|14.0", "102|r2|7.3"]);
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await, ["26"]);
    for (sql, expected) in [
        ("UPDATE t SET nope = 1", "42703 column \"nope\" of relation \"t\" does not exist"),
        ("UPDATE t SET a = 'x'", "22P02 invalid input syntax for type integer: \"x\""),
        ("UPDATE t SET a = b", "42804 column \"a\" is of type integer but expression is of type text"),
        ("UPDATE t SET b = 'fivex'", "22001 value too long for type character varying(4)"),
        ("UPDATE t SET a = 1, a = 2", "42601 multiple assignments to same column \"a\""),
        ("DELETE FROM t WHERE nope", "42703 column \"nope\" does not exist"),
        ("DELETE FROM nope", "42P01 relation \"nope\" does not exist"),
    ] {
        assert_eq!(refused(&mut client, sql).await, expected, "{sql}");
    }
    assert_eq!(tag(&mut client, "UPDATE t SET b = 'all'").await, "UPDATE 26");
    assert_eq!(rows(&mut client, "SELECT DISTINCT b FROM t").await, ["all"]);
    let driver = server.client().await;
    assert_eq!(driver.execute("UPDATE t SET b = $1 WHERE a = $2", &[&"p", &3_i32]).await.unwrap(), 1);
    assert_eq!(driver.execute("DELETE FROM t WHERE b = $1", &[&"p"]).await.unwrap(), 1);
    assert_eq!(tag(&mut client, "DELETE FROM t").await, "DELETE 25");
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_in_blocks_and_by_two_at_once() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut one, mut other) = (server.wire().await, server.wire().await);
    ok(&mut one, "CREATE TABLE t (a int, p text) WITH (partition_by = 'p')").await;
    ok(&mut one, "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'y')").await;
    ok(&mut one, "BEGIN").await;
    assert_eq!(tag(&mut one, "UPDATE t SET p = 'z' WHERE a = 3").await, "UPDATE 1");
    // Rows that are added meanwhile do not matter, and rows that are changed do.
    ok(&mut other, "INSERT INTO t VALUES (4, 'y')").await;
    ok(&mut one, "COMMIT").await;
    assert_eq!(rows(&mut other, "SELECT * FROM t ORDER BY a").await, ["1|x", "2|y", "3|z", "4|y"]);
    ok(&mut one, "BEGIN").await;
    ok(&mut one, "DELETE FROM t WHERE a = 1").await;
    ok(&mut other, "UPDATE t SET a = 10 WHERE a = 1").await;
    assert!(refused(&mut one, "COMMIT").await.starts_with("40001"));
    assert_eq!(rows(&mut other, "SELECT a FROM t ORDER BY a").await, ["2", "3", "4", "10"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_is_added_and_is_null_in_rows_that_are_there() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;
    assert_eq!(tag(&mut client, "ALTER TABLE t ADD COLUMN b text, ADD at timestamp").await, "ALTER TABLE");
    ok(&mut client, "INSERT INTO t VALUES (2, 'x', '2026-01-02')").await;
    let all = ["1|NULL|NULL", "2|x|2026-01-02 00:00:00"];
    assert_eq!(rows(&mut client, "SELECT * FROM t ORDER BY a").await, all);
    assert!(refused(&mut client, "ALTER TABLE t ADD COLUMN a int").await.starts_with("42701"));
    assert!(refused(&mut client, "ALTER TABLE t ADD COLUMN c int NOT NULL").await.starts_with("23502"));
    assert_eq!(tag(&mut client, "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int").await, "ALTER TABLE");
    ok(&mut client, "BEGIN").await;
    ok(&mut client, "ALTER TABLE t ADD COLUMN c int").await;
    assert!(refused(&mut client, "INSERT INTO t VALUES (3)").await.starts_with("0A000"));
    ok(&mut client, "ROLLBACK").await;
    let other = TestServer::start(&lake).await;
    assert_eq!(rows(&mut other.wire().await, "SELECT * FROM t ORDER BY a").await, all);
}
