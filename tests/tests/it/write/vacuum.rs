//! VACUUM deletes what nobody can need, and nothing else.

use std::time::Duration;

use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

const DAY: Duration = Duration::from_secs(86_400);

fn data(lake: &Lake) -> Vec<String> {
    lake.keys().into_iter().filter(|key| key.ends_with(".parquet")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_versions_that_are_not_kept_are_deleted() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int, p int) PARTITIONED BY (p)").await;
    ok(&mut client, "INSERT INTO t VALUES (1, 1), (2, 2)").await;
    ok(&mut client, "UPDATE t SET a = 10 WHERE p = 1").await;
    assert_eq!(data(&lake).len(), 3);
    assert_eq!(tag(&mut client, "VACUUM t").await, "VACUUM");
    assert_eq!(data(&lake).len(), 3, "all of them are young");
    // Everything was long ago, and then one more change is made.
    for key in lake.keys() {
        lake.touch(&key, 8 * DAY);
    }
    lake.write("public/t/p=3/of-no-commit.parquet", "");
    lake.write("public/t/_hidden/other.parquet", "");
    lake.write("public/t/notes.bin", "");
    for key in ["public/t/p=3/of-no-commit.parquet", "public/t/_hidden/other.parquet", "public/t/notes.bin"] {
        lake.touch(key, 8 * DAY);
    }
    server.refresh().await;
    ok(&mut client, "DELETE FROM t WHERE p = 2").await;
    let answer = ok(&mut client, "VACUUM t").await;
    assert_eq!(answer.notices.len(), 1, "{:?}", answer.notices);
    assert!(answer.notices[0].message.starts_with("2 files deleted, "), "{:?}", answer.notices);
    // What the UPDATE has replaced and what came to no commit are gone; what was deleted a moment ago may be read still.
    let left = data(&lake);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(
        left.iter().any(|key| key.starts_with("public/t/p=2/"))
            && left.contains(&"public/t/_hidden/other.parquet".to_owned())
    );
    assert!(lake.keys().contains(&"public/t/notes.bin".to_owned()));
    assert_eq!(rows(&mut client, "SELECT a, p FROM t").await, ["10|1"]);
    assert_eq!(rows(&mut client, "SELECT a, p FROM t FOR VERSION AS OF 2 ORDER BY a").await, ["2|2", "10|1"]);
    assert_eq!(rows(&mut TestServer::start(&lake).await.wire().await, "SELECT a, p FROM t").await, ["10|1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_does_not_tell_enough_keeps_all_files() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int)").await;
    for at in 0..3 {
        ok(&mut client, &format!("INSERT INTO t VALUES ({at})")).await;
    }
    ok(&mut client, "UPDATE t SET a = a + 1").await;
    data(&lake).iter().for_each(|key| lake.touch(key, 8 * DAY));
    server.refresh().await;
    // Its commits are of today, so every version of them is kept.
    assert_eq!(tag(&mut client, "VACUUM").await, "VACUUM");
    assert_eq!(data(&lake).len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_vacuumed_says_why() {
    let lake = Lake::sample();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int)").await;
    ok(&mut client, "CREATE VIEW v AS SELECT a FROM t").await;
    assert!(refused(&mut client, "VACUUM nothing").await.starts_with("42P01 "));
    assert_eq!(refused(&mut client, "VACUUM v").await, "55000 cannot vacuum view \"v\"");
    assert!(refused(&mut client, "VACUUM weather.stations").await.starts_with("42809 "));
    assert!(refused(&mut client, "VACUUM t TO 50 PERCENT").await.starts_with("42601 "));
    ok(&mut client, "BEGIN").await;
    assert_eq!(refused(&mut client, "VACUUM t").await, "25001 VACUUM cannot run inside a transaction block");
    ok(&mut client, "ROLLBACK").await;
    ok(&mut client, "CREATE MATERIALIZED VIEW m AS SELECT a FROM t").await;
    ok(&mut client, "INSERT INTO t VALUES (1)").await;
    ok(&mut client, "REFRESH MATERIALIZED VIEW m").await;
    assert_eq!(tag(&mut client, "VACUUM m").await, "VACUUM");
    assert_eq!(rows(&mut client, "SELECT a FROM m").await, ["1"]);
}
