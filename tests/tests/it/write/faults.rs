//! Stores that fail, and writers that meet: no row is lost, none is doubled, and nobody sees half.

use lakegate_tests::s3::{Fault, Operation, Server};
use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_made_once() {
    let store = Server::start().await;
    let server = TestServer::writable_s3(&store, "lake").await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int)").await;
    for (at, fault) in [Fault::AppliedThenSlowDown, Fault::SlowDown, Fault::Internal].into_iter().enumerate() {
        store.faults.inject(Operation::Put, "_delta_log", fault, 1);
        assert_eq!(tag(&mut client, &format!("INSERT INTO t VALUES ({at})")).await, "INSERT 0 1", "{fault:?}");
        store.faults.clear();
    }
    assert_eq!(rows(&mut client, "SELECT a FROM t ORDER BY a").await, ["0", "1", "2"]);
    // A data file that cannot be put: nothing is seen of the statement.
    store.faults.inject(Operation::Put, "part-", Fault::AccessDenied, 1);
    assert_eq!(refused(&mut client, "INSERT INTO t VALUES (9)").await, "42501 could not write to the object store");
    store.faults.inject(Operation::Put, "_delta_log", Fault::AccessDenied, 1);
    assert_eq!(refused(&mut client, "INSERT INTO t VALUES (9)").await, "42501 could not write to the object store");
    store.faults.clear();
    assert_eq!(rows(&mut client, "SELECT a FROM t ORDER BY a").await, ["0", "1", "2"]);
    let other = TestServer::start_s3(&store, "lake").await;
    assert_eq!(other.column("SELECT a FROM t ORDER BY a").await, ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_meet_both_write() {
    let store = Server::start().await;
    let servers = [TestServer::writable_s3(&store, "lake").await, TestServer::writable_s3(&store, "lake").await];
    let mut first = servers[0].wire().await;
    ok(&mut first, "CREATE TABLE t (a int)").await;
    servers[1].refresh().await;
    let writers = servers.iter().flat_map(|server| (0..2).map(move |_| server)).map(async |server| {
        let mut client = server.wire().await;
        for at in 0..5 {
            assert_eq!(tag(&mut client, &format!("INSERT INTO t VALUES ({at})")).await, "INSERT 0 1");
        }
    });
    futures::future::join_all(writers).await;
    for server in &servers {
        server.refresh().await;
        assert_eq!(server.value("SELECT count(*) || ' ' || sum(a) FROM t").await, "20 40");
    }
    // One of two makes a table.
    let (mut one, mut other) = (servers[0].wire().await, servers[1].wire().await);
    let (a, b) = tokio::join!(one.query("CREATE TABLE u (a int)"), other.query("CREATE TABLE u (a int)"));
    let mut states = [a.state().to_owned(), b.state().to_owned()];
    states.sort();
    assert_eq!(states, ["00000", "42P07"]);
    // A table that was dropped takes no rows, and can be made anew.
    servers[1].refresh().await;
    ok(&mut one, "DROP TABLE t").await;
    ok(&mut one, "CREATE TABLE t (b text)").await;
    ok(&mut one, "INSERT INTO t VALUES ('new')").await;
    // Who knows neither of the drop nor of the new table meets both, and plans anew.
    assert_eq!(other.query("INSERT INTO t (a) VALUES (1)").await.state(), "42703");
    assert_eq!(rows(&mut other, "SELECT * FROM t").await, ["new"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_overwrites_is_not_written() {
    let store = Server::start().await;
    store.upload(&Lake::sample(), "lake").await;
    store.faults.inject(Operation::Put, "_lakegate/probe", Fault::IgnoreCondition, 1000);
    let server = TestServer::writable_s3(&store, "lake").await;
    let mut client = server.wire().await;
    assert!(refused(&mut client, "CREATE TABLE t (a int)").await.starts_with("58000 "));
    assert_eq!(rows(&mut client, "SELECT count(*) FROM weather.stations").await, ["4"]);
    let found = server.value("SELECT write_test FROM system.sources").await;
    assert!(found.starts_with("failed: "), "{found}");
    let good = TestServer::writable(&Lake::default()).await;
    assert_eq!(good.value("SELECT write_test FROM system.sources WHERE writable").await, "passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_statements_that_fail_are_deleted() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int, p int) WITH (partition_by = 'p')").await;
    ok(&mut client, "BEGIN").await;
    ok(&mut client, "INSERT INTO t SELECT n, n % 40 FROM generate_series(1, 100) s(n)").await;
    ok(&mut client, "ROLLBACK").await;
    let data = || lake.keys().into_iter().filter(|key| key.ends_with(".parquet")).count();
    // It happens in the background.
    while data() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_a_table_are_no_table_before_its_commit() {
    let store = Server::start().await;
    let servers = [TestServer::writable_s3(&store, "lake").await, TestServer::writable_s3(&store, "lake").await];
    let [mut first, mut other] = [servers[0].wire().await, servers[1].wire().await];
    let made = |name: &str, rows: u32| format!("CREATE TABLE {name} AS SELECT n FROM generate_series(1, {rows}) s(n)");
    // As a process leaves them that dies.
    store.faults.inject(Operation::Delete, "", Fault::AccessDenied, usize::MAX);
    store.faults.inject(Operation::Put, "00000000000000000000.json", Fault::AccessDenied, 1);
    assert_eq!(refused(&mut first, &made("t", 3)).await, "42501 could not write to the object store");
    let reason = "SELECT reason FROM system.skipped_files WHERE key LIKE '%/t/_delta_log'";
    for (server, client) in servers.iter().zip([&mut first, &mut other]) {
        server.refresh().await;
        assert_eq!(refused(client, "SELECT * FROM t").await, "42P01 relation \"t\" does not exist");
        assert_eq!(rows(client, reason).await, ["the statement that makes the table is at work, or was broken off"]);
    }
    store.faults.clear();
    ok(&mut other, &made("t", 2)).await;
    for (server, client) in servers.iter().zip([&mut first, &mut other]) {
        server.refresh().await;
        assert_eq!(rows(client, "SELECT n FROM t ORDER BY n").await, ["1", "2"]);
        assert!(rows(client, reason).await.is_empty());
    }
    // Of two at once one is done, whole.
    let (a, b) = (made("u", 1000), made("u", 1000));
    let (a, b) = tokio::join!(first.query(&a), other.query(&b));
    let mut states = [a.state().to_owned(), b.state().to_owned()];
    states.sort();
    assert_eq!(states, ["00000", "42P07"]);
    for server in &servers {
        server.refresh().await;
        assert_eq!(server.value("SELECT count(*) || ' ' || sum(n) FROM u").await, "1000 500500");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_table_that_was_not_made() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    let failing = "CREATE TABLE t AS SELECT 1 / (n - 9000) AS q FROM generate_series(1, 9000) s(n)";
    assert_eq!(refused(&mut client, failing).await, "22012 division by zero");
    // It happens in the background.
    while lake.keys().iter().any(|key| key.contains("/t/")) {
        tokio::task::yield_now().await;
    }
    ok(&mut client, "CREATE TABLE t (a int)").await;
}
