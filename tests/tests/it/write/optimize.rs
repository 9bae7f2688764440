//! OPTIMIZE makes large files of small ones, and every row stays.

use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

fn data(lake: &Lake) -> usize {
    lake.keys().iter().filter(|key| key.ends_with(".parquet") && !key.contains("_delta_log")).count()
}

/// The commit of a version, by its lines.
fn commit(lake: &Lake, version: u64) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(lake.path().join(super::logs::commit(version))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const ALL: &str = "SELECT a, p, at FROM t ORDER BY a, p";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_files_of_each_partition_become_one() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int, p text, at timestamp) PARTITIONED BY (p)").await;
    for a in 0..6 {
        let insert =
            format!("INSERT INTO t VALUES ({a}, 'x y', now()), ({a}, NULL, NULL), ({a}, 'p{a}', '1999-01-01')");
        ok(&mut client, &insert).await;
    }
    ok(&mut client, "DELETE FROM t WHERE a = 3 AND p IS NULL").await;
    let expected = rows(&mut client, ALL).await;
    let answer = ok(&mut client, "OPTIMIZE t").await;
    assert_eq!(answer.tags, ["OPTIMIZE"]);
    assert_eq!(answer.notices.len(), 1, "{:?}", answer.notices);
    let told = &answer.notices[0].message;
    assert!(told.starts_with("11 files with ") && told.contains(" became 2 with "), "{told}");
    assert_eq!(rows(&mut client, ALL).await, expected);
    let (mut removed, mut added) = (0, 0);
    for line in commit(&lake, 8) {
        for (action, count) in [("remove", &mut removed), ("add", &mut added)] {
            if let Some(action) = line.get(action) {
                assert_eq!(action["dataChange"], false, "{line}");
                *count += 1;
            }
        }
    }
    assert_eq!((removed, added), (11, 2));
    // Nothing is small beside another, so nothing is done.
    let files = data(&lake);
    assert_eq!(ok(&mut client, "OPTIMIZE t").await.notices.len(), 0);
    assert_eq!(data(&lake), files);
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t FOR VERSION AS OF 7").await, ["17"]);
    assert_eq!(rows(&mut TestServer::start(&lake).await.wire().await, ALL).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_more_partitions_than_are_open_has_one_file_of_each() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int, p int) PARTITIONED BY (p)").await;
    for _ in 0..2 {
        ok(&mut client, "INSERT INTO t SELECT n, n % 40 FROM generate_series(1, 400) s(n)").await;
    }
    let answer = ok(&mut client, "OPTIMIZE TABLE t").await;
    assert!(answer.notices[0].message.contains(" became 40 with "), "{:?}", answer.notices);
    assert_eq!(rows(&mut client, "SELECT count(*), sum(a), count(DISTINCT p) FROM t").await, ["800|160400|40"]);
    assert_eq!(ok(&mut client, "OPTIMIZE t").await.notices.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_have_written_meanwhile_stays() {
    let lake = Lake::default();
    let servers = [TestServer::writable(&lake).await, TestServer::writable(&lake).await];
    let (mut one, mut other) = (servers[0].wire().await, servers[1].wire().await);
    ok(&mut one, "CREATE TABLE t (a int, p text, at timestamp)").await;
    ok(&mut one, "INSERT INTO t VALUES (1), (2)").await;
    ok(&mut one, "INSERT INTO t VALUES (3)").await;
    servers[1].refresh().await;
    assert_eq!(rows(&mut other, "SELECT sum(a) FROM t").await, ["6"]);
    for (sql, sum) in [
        ("INSERT INTO t VALUES (4)", "10"),
        ("UPDATE t SET a = a + 10 WHERE a = 1", "20"),
        ("DELETE FROM t WHERE a = 3", "17"),
        ("INSERT INTO t VALUES (5)", "22"),
    ] {
        ok(&mut one, sql).await;
        // It has not seen what was done; what it cannot follow it does again.
        assert_eq!(tag(&mut other, "OPTIMIZE t").await, "OPTIMIZE", "{sql}");
        servers[1].refresh().await;
        assert_eq!(rows(&mut other, "SELECT sum(a) FROM t").await, [sum], "{sql}");
        servers[0].refresh().await;
        assert_eq!(rows(&mut one, "SELECT sum(a) FROM t").await, [sum], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_optimized_says_why() {
    let lake = Lake::sample();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int)").await;
    ok(&mut client, "CREATE VIEW v AS SELECT a FROM t").await;
    ok(&mut client, "CREATE MATERIALIZED VIEW m AS SELECT a FROM t").await;
    assert!(refused(&mut client, "OPTIMIZE nothing").await.starts_with("42P01 "));
    assert_eq!(refused(&mut client, "OPTIMIZE v").await, "55000 cannot optimize view \"v\"");
    assert_eq!(refused(&mut client, "OPTIMIZE m").await, "42809 cannot optimize materialized view \"m\"");
    assert!(refused(&mut client, "OPTIMIZE weather.stations").await.starts_with("42809 "));
    assert_eq!(refused(&mut client, "OPTIMIZE t WHERE a = 1").await, "0A000 OPTIMIZE ... WHERE is not supported");
    assert!(refused(&mut client, "OPTIMIZE t ZORDER BY (a)").await.starts_with("0A000 "));
    assert!(refused(&mut client, "OPTIMIZE t FINAL").await.starts_with("42601 "));
    ok(&mut client, "BEGIN").await;
    assert_eq!(refused(&mut client, "OPTIMIZE t").await, "25001 OPTIMIZE cannot run inside a transaction block");
    ok(&mut client, "ROLLBACK").await;
    ok(&mut client, "SET default_transaction_read_only = on").await;
    assert_eq!(refused(&mut client, "OPTIMIZE t").await, "25006 cannot execute OPTIMIZE in a read-only transaction");
    let mut reader = TestServer::start(&lake).await.wire().await;
    assert!(refused(&mut reader, "OPTIMIZE t").await.starts_with("25006 "));
}
