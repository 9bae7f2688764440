//! Logs stay short: checkpoints stand for commits, and old commits go.

use std::time::Duration;

use lakegate_tests::s3::{BUCKET, Fault, Operation, Server};
use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag, until};

const DAY: Duration = Duration::from_secs(86_400);

pub(crate) const HINT: &str = "public/t/_delta_log/_last_checkpoint";

pub(crate) fn commit(version: u64) -> String {
    format!("public/t/_delta_log/{version:020}.json")
}

fn checkpoint(version: u64) -> String {
    format!("public/t/_delta_log/{version:020}.checkpoint.parquet")
}

fn has(lake: &Lake, key: &str) -> bool {
    lake.path().join(key).exists()
}

/// The version that the hint of a log names, if it is one.
fn hinted(lake: &Lake) -> Option<u64> {
    let text = std::fs::read(lake.path().join(HINT)).ok()?;
    serde_json::from_slice::<serde_json::Value>(&text).ok()?["version"].as_u64()
}

const CREATE: &str = "CREATE TABLE t (a int, p text, at timestamptz, local timestamp, l int[])
    PARTITIONED BY (p, at, local)";

/// Ten versions behind the first: rows of all kinds of partitions, some changed and some gone.
async fn ten(client: &mut Client) {
    for (at, text) in ["'a'", "NULL", "'a b/c=%2F\"ä'", "'x\\y'", "'it''s --'", "'+ &?#'"].into_iter().enumerate() {
        let insert = format!(
            "INSERT INTO t VALUES ({at}, {text}, '2026-01-0{} 01:02:03.000004+00', '1999-12-31 23:59:59.5', '{{1,NULL}}')",
            at + 1
        );
        ok(client, &insert).await;
    }
    ok(client, "INSERT INTO t (a, p) SELECT n, 'many' FROM generate_series(100, 109) s(n)").await;
    ok(client, "UPDATE t SET a = a + 1000 WHERE p IS NULL").await;
    ok(client, "DELETE FROM t WHERE p = 'a' OR a = 105").await;
    ok(client, "INSERT INTO t (a) VALUES (7)").await;
}

/// A server with the table at its tenth version, which has a checkpoint.
async fn with_a_checkpoint(lake: &Lake) -> (TestServer, Client) {
    let server = TestServer::writable(lake).await;
    let mut client = server.wire().await;
    ok(&mut client, CREATE).await;
    ten(&mut client).await;
    until(|| hinted(lake) == Some(10)).await;
    (server, client)
}

const ALL: &str = "SELECT a, p, at AT TIME ZONE 'UTC', local, l FROM t ORDER BY a";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_stands_for_the_commits_before_it() {
    let lake = Lake::default();
    let (_server, mut client) = with_a_checkpoint(&lake).await;
    let expected = rows(&mut client, ALL).await;
    assert_eq!(expected.len(), 15);
    for version in 0..=10 {
        lake.remove(&commit(version));
    }
    let others = TestServer::writable(&lake).await;
    let mut other = others.wire().await;
    assert_eq!(rows(&mut other, ALL).await, expected);
    assert_eq!(rows(&mut other, "SELECT a FROM t WHERE p = 'a b/c=%2F\"ä'").await, ["2"]);
    assert_eq!(rows(&mut other, "SELECT count(*) FROM t WHERE at < '2026-01-04' AND local IS NOT NULL").await, ["2"]);
    // Writers go on from it, and a hint that lies or is none changes nothing.
    ok(&mut other, "UPDATE t SET a = a + 1 WHERE a = 7").await;
    assert!(has(&lake, &commit(11)));
    for hint in ["{\"version\":3,\"size\":1}", "{\"version\":99,\"size\":1}", "no json"] {
        lake.write(HINT, hint);
        let fresh = TestServer::start(&lake).await;
        assert_eq!(fresh.value("SELECT count(*) || ' ' || sum(a) FROM t WHERE a < 100").await, "5 22", "{hint}");
    }
    for a in 12..=20 {
        ok(&mut other, &format!("INSERT INTO t (a) VALUES ({a})")).await;
    }
    until(|| has(&lake, &checkpoint(20)) && hinted(&lake) == Some(20)).await;
    assert!(has(&lake, &checkpoint(10)) && has(&lake, &commit(11)), "they are young");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_no_kept_version_needs_are_deleted() {
    let lake = Lake::default();
    let (server, mut client) = with_a_checkpoint(&lake).await;
    for key in lake.keys() {
        lake.touch(&key, 40 * DAY);
    }
    // The newest version of thirty days ago is one behind the checkpoint.
    server.refresh().await;
    ok(&mut client, "INSERT INTO t (a) VALUES (11)").await;
    lake.touch(&commit(11), 31 * DAY);
    server.refresh().await;
    for a in 12..=20 {
        ok(&mut client, &format!("INSERT INTO t (a) VALUES ({a})")).await;
    }
    until(|| hinted(&lake) == Some(20) && (0..10).all(|version| !has(&lake, &commit(version)))).await;
    assert!((10..=20).all(|version| has(&lake, &commit(version))));
    assert!(has(&lake, &checkpoint(10)) && has(&lake, &checkpoint(20)));
    let fresh = TestServer::writable(&lake).await;
    let mut other = fresh.wire().await;
    assert_eq!(rows(&mut other, ALL).await, rows(&mut client, ALL).await);
    // What is gone is an error, and what is there is what it was.
    let mut gone = String::new();
    for version in [0, 5, 9] {
        let answer = other.query(&format!("SELECT count(*) FROM t FOR VERSION AS OF {version}")).await;
        answer.state().clone_into(&mut gone);
        let fault = answer.fault.unwrap();
        assert_eq!(fault.message, format!("table \"public.t\" has no version {version}"));
        assert_eq!(fault.detail.as_deref(), Some("The log has the versions 10 to 20."));
    }
    for (version, count) in [(10, "15"), (11, "16"), (20, "25")] {
        let sql = format!("SELECT count(*) FROM t FOR VERSION AS OF {version}");
        assert_eq!(rows(&mut other, &sql).await, [count], "{version}");
    }
    let now = rows(&mut other, "SELECT extract(epoch from now())::bigint").await[0].parse::<i64>().unwrap();
    let at = |days: i64| {
        let sql = "SELECT count(*) FROM t FOR TIMESTAMP AS OF";
        format!("{sql} '{}'", chrono::DateTime::from_timestamp(now - days * 86_400, 0).unwrap().to_rfc3339())
    };
    assert_eq!(other.query(&at(41)).await.state(), gone);
    assert_eq!(rows(&mut other, &at(39)).await, ["15"]);
    assert_eq!(rows(&mut other, &at(30)).await, ["16"]);
    // A commit that stayed where those behind it went is no version of the time between.
    let (protocol, rest) =
        ("{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n", "{\"commitInfo\":{}}\n");
    lake.write(&commit(0), format!("{protocol}{rest}"));
    lake.touch(&commit(0), 50 * DAY);
    fresh.refresh().await;
    assert_eq!(other.query(&at(45)).await.state(), gone);
    // VACUUM knows what was removed before the commits went.
    assert_eq!(tag(&mut other, "VACUUM t").await, "VACUUM");
    assert_eq!(rows(&mut other, ALL).await, rows(&mut client, ALL).await);
    ok(&mut client, "TRUNCATE t").await;
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await, ["0"]);
}

/// Copies a lake below a prefix, with the times of its files.
pub(crate) fn copy(lake: &Lake, store: &Server, prefix: &str) {
    let root = store.path().join(BUCKET).join(prefix);
    for key in lake.keys() {
        let (from, to) = (lake.path().join(&key), root.join(&key));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&from, &to).unwrap();
        let file = std::fs::File::options().write(true).open(&to).unwrap();
        file.set_modified(std::fs::metadata(&from).unwrap().modified().unwrap()).unwrap();
    }
}

/// A table whose next commit is one with a checkpoint, behind which old commits go.
pub(crate) async fn before_a_checkpoint() -> Lake {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int)").await;
    for a in 1..=10 {
        ok(&mut client, &format!("INSERT INTO t VALUES ({a})")).await;
    }
    until(|| hinted(&lake) == Some(10)).await;
    for key in lake.keys() {
        lake.touch(&key, 40 * DAY);
    }
    server.refresh().await;
    for a in 11..=19 {
        ok(&mut client, &format!("INSERT INTO t VALUES ({a})")).await;
    }
    lake
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_has_listed_what_was_cleaned_up_looks_again() {
    let lake = before_a_checkpoint().await;
    let store = Server::start().await;
    copy(&lake, &store, "lake");
    let exists = |version: u64| store.path().join(BUCKET).join("lake").join(commit(version)).exists();
    let writers = TestServer::writable_s3(&store, "lake").await;
    let mut writer = writers.wire().await;
    assert_eq!(rows(&mut writer, "SELECT sum(a) FROM t").await, ["190"]);
    // It lists the log, and cannot read it yet.
    store.faults.inject(Operation::Get, "public/t/", Fault::AccessDenied, usize::MAX);
    let reader = TestServer::start_s3(&store, "lake").await;
    assert_eq!(reader.state("SELECT * FROM t").await, "58030");
    store.faults.clear();
    ok(&mut writer, "INSERT INTO t VALUES (20)").await;
    until(|| !(0..10).any(exists)).await;
    let mut client = reader.wire().await;
    assert!(refused(&mut client, "SELECT * FROM t FOR VERSION AS OF 5").await.ends_with("has no version 5"));
    assert_eq!(rows(&mut client, "SELECT sum(a) FROM t FOR VERSION AS OF 10").await, ["55"]);
    reader.refresh().await;
    assert_eq!(rows(&mut client, "SELECT sum(a) FROM t").await, ["210"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_ten_thousand_commits_is_opened_with_a_handful_of_requests() {
    const COMMITS: u64 = 10_000;
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int)").await;
    ok(&mut client, "INSERT INTO t VALUES (1)").await;
    for version in 2..COMMITS - 1 {
        std::fs::write(lake.path().join(commit(version)), "{\"commitInfo\":{}}\n").unwrap();
    }
    server.refresh().await;
    ok(&mut client, "INSERT INTO t VALUES (2)").await;
    ok(&mut client, "INSERT INTO t VALUES (3)").await;
    until(|| hinted(&lake) == Some(COMMITS)).await;
    ok(&mut client, "INSERT INTO t VALUES (4)").await;
    drop((client, server));
    let store = Server::start().await;
    copy(&lake, &store, "lake");
    let reader = TestServer::start_s3(&store, "lake").await;
    assert_eq!(reader.value("SELECT sum(a) FROM t").await, "10");
    let log = store.faults.log();
    let is_of_log =
        |(operation, key): &&(Operation, String)| *operation == Operation::Get && key.contains("_delta_log");
    let asked: Vec<_> = log.iter().filter(is_of_log).collect();
    assert!(asked.len() <= 5, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_epoch_of_a_view_outlives_its_commits() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE s (a int)").await;
    ok(&mut client, "CREATE MATERIALIZED VIEW t WITH (refresh = 'manual') AS SELECT count(*) AS n FROM s").await;
    let newest = |lake: &Lake| (0..99).take_while(|version| has(lake, &commit(*version))).last();
    while newest(&lake).is_none_or(|version| version < 10) {
        ok(&mut client, "INSERT INTO s VALUES (1)").await;
        ok(&mut client, "REFRESH MATERIALIZED VIEW t").await;
    }
    until(|| hinted(&lake) == Some(10)).await;
    let kept = rows(&mut client, "SELECT n FROM t").await;
    for version in 0..=10 {
        lake.remove(&commit(version));
    }
    let others = TestServer::writable(&lake).await;
    let mut other = others.wire().await;
    ok(&mut other, "REFRESH MATERIALIZED VIEW t").await;
    assert_eq!(crate::matview::how(&mut other, "t").await, "unchanged");
    assert_eq!(rows(&mut other, "SELECT n FROM t").await, kept);
    ok(&mut other, "INSERT INTO s VALUES (1)").await;
    ok(&mut other, "REFRESH MATERIALIZED VIEW t").await;
    assert_eq!(rows(&mut other, "SELECT n FROM t").await, rows(&mut other, "SELECT count(*) FROM s").await);
}
