//! UPDATE ... FROM, DELETE ... USING, and RETURNING.

use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer, server};
use tokio_postgres::types::Type;

use super::{ok, refused, rows, tag};

/// The data files of a lake.
fn data(lake: &Lake) -> Vec<String> {
    lake.keys().into_iter().filter(|key| key.ends_with(".parquet")).collect()
}

/// Three files of ten rows.
async fn filled(client: &mut Client) {
    ok(client, "CREATE TABLE t (a int, b text)").await;
    for part in 0..3 {
        let sql = format!("INSERT INTO t SELECT x, 'r' || x FROM generate_series({0}, {0} + 9) s(x)", part * 10);
        ok(client, &sql).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_joins_several_rows_is_changed_once_and_other_files_stay() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    filled(&mut client).await;
    ok(&mut client, "CREATE TABLE o AS SELECT x / 2 AS a, 'o' || x AS x FROM generate_series(24, 31) s(x)").await;
    let before = data(&lake).len();
    assert_eq!(tag(&mut client, "UPDATE t SET b = x FROM o WHERE o.a = t.a").await, "UPDATE 4");
    assert_eq!(data(&lake).len(), before + 1, "one file is written anew");
    let changed = rows(&mut client, "SELECT a, b IN ('o' || 2 * a, 'o' || 2 * a + 1) FROM t WHERE b ~ 'o'").await;
    assert_eq!(changed, ["12|t", "13|t", "14|t", "15|t"]);
    assert_eq!(rows(&mut client, "SELECT count(*), sum(a) FROM t").await, ["30|435"]);
    // Equal rows are rows of their own.
    ok(&mut client, "INSERT INTO t VALUES (50, 'x'), (50, 'x'), (50, 'y')").await;
    let update = "UPDATE t SET b = t.b || o.a FROM o WHERE t.a = 50 AND o.a = 12";
    assert_eq!(tag(&mut client, update).await, "UPDATE 3");
    assert_eq!(rows(&mut client, "SELECT b FROM t WHERE a = 50 ORDER BY b").await, ["x12", "x12", "y12"]);
    let before = data(&lake).len();
    assert_eq!(tag(&mut client, "DELETE FROM t USING o, o AS p WHERE o.a = t.a AND p.a = o.a").await, "DELETE 4");
    assert_eq!(data(&lake).len(), before + 1);
    assert_eq!(tag(&mut client, "DELETE FROM t USING o WHERE o.a = t.a").await, "DELETE 0");
    assert_eq!(data(&lake).len(), before + 1, "what matches nothing writes nothing");
    assert_eq!(rows(&mut client, "SELECT count(*), sum(a) FROM t").await, ["29|531"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_rows_are_given_when_they_are_committed_and_not_before() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut one, mut other) = (server.wire().await, server.wire().await);
    filled(&mut one).await;
    assert_eq!(
        rows(&mut one, "UPDATE t SET a = a + 100 WHERE a = 7 RETURNING a, b, a - 100 AS was").await,
        ["107|r7|7"]
    );
    let answer = ok(&mut one, "INSERT INTO t VALUES (200, 'n'), (201, NULL) RETURNING *").await;
    assert_eq!(answer.tags, ["INSERT 0 2"]);
    // An error of the list takes the whole statement along.
    for sql in [
        "INSERT INTO t VALUES (300, 'z') RETURNING 1 / (a - 300)",
        "UPDATE t SET b = 'z' WHERE a < 3 RETURNING 1 / a",
        "DELETE FROM t WHERE a < 3 RETURNING 1 / a",
    ] {
        let answer = one.query(sql).await;
        assert_eq!((answer.state(), answer.texts().len()), ("22012", 0), "{sql}");
    }
    assert_eq!(rows(&mut one, "SELECT count(*) FROM t WHERE b = 'z' OR a < 3").await, ["3"]);
    // In a block they are given at once, and seen by others with its COMMIT.
    ok(&mut one, "BEGIN").await;
    assert_eq!(rows(&mut one, "INSERT INTO t VALUES (400, 'x') RETURNING a").await, ["400"]);
    assert_eq!(rows(&mut one, "INSERT INTO t VALUES (401, 'x') RETURNING a").await, ["401"]);
    assert_eq!(rows(&mut other, "SELECT count(*) FROM t WHERE a >= 400").await, ["0"]);
    ok(&mut one, "COMMIT").await;
    assert_eq!(rows(&mut other, "SELECT count(*) FROM t WHERE a >= 400").await, ["2"]);
    // A conflict is told, and no row with it.
    ok(&mut one, "BEGIN").await;
    assert_eq!(rows(&mut one, "DELETE FROM t WHERE a = 400 RETURNING b").await, ["x"]);
    ok(&mut other, "UPDATE t SET b = 'y' WHERE a = 400").await;
    assert!(refused(&mut one, "COMMIT").await.starts_with("40001"));
    assert_eq!(rows(&mut one, "DELETE FROM t WHERE a >= 400 RETURNING a, b").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returned_rows_are_described_and_take_parameters() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    filled(&mut server.wire().await).await;
    let driver = server.client().await;
    let insert =
        driver.prepare("INSERT INTO t (a, b) VALUES ($1, $2) RETURNING b, a * 2::int8 AS twice").await.unwrap();
    let columns: Vec<_> = insert.columns().iter().map(|c| (c.name().to_owned(), c.type_().clone())).collect();
    assert_eq!(columns, [("b".to_owned(), Type::TEXT), ("twice".to_owned(), Type::INT8)]);
    assert_eq!(insert.params(), [Type::INT4, Type::TEXT]);
    for number in [70_i32, 71] {
        let row = driver.query_one(&insert, &[&number, &"p"]).await.unwrap();
        assert_eq!((row.get::<_, String>(0), row.get::<_, i64>(1)), ("p".to_owned(), i64::from(number) * 2));
    }
    let update = "UPDATE t SET b = t.b || $1 FROM (VALUES (70), (71)) AS s (k) WHERE s.k = t.a AND k > $2
        RETURNING a, b, k + $3 AS more";
    let changed = driver.query(update, &[&"!", &70_i32, &5_i32]).await.unwrap();
    let shown: Vec<_> = changed.iter().map(|row| (row.get::<_, i32>(0), row.get::<_, String>(1), row.get(2))).collect();
    assert_eq!(shown, [(71, "p!".to_owned(), 76_i32)]);
    assert_eq!(driver.execute("DELETE FROM t WHERE a >= $1 RETURNING a", &[&70_i32]).await.unwrap(), 2);
    driver
        .batch_execute("PREPARE p (int) AS INSERT INTO t VALUES ($1, 'e') RETURNING a; EXECUTE p (90)")
        .await
        .unwrap();
    let count = driver.query_one("SELECT count(*) FROM t WHERE b = 'e'", &[]).await.unwrap();
    assert_eq!(count.get::<_, i64>(0), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_rows_than_fit_into_memory_are_not_returned_and_not_written() {
    let lake = Lake::default();
    let mut config = server::config_writable(&lake);
    config.engine.memory_bytes_max = 128 << 20;
    config.engine.query_memory_bytes_max = 16 << 20;
    let server = TestServer::with(config).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a text)").await;
    let rows_of = "INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 60000)";
    assert_eq!(refused(&mut client, &format!("{rows_of} RETURNING a")).await, "53200 out of memory");
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await, ["0"]);
    assert_eq!(tag(&mut client, rows_of).await, "INSERT 0 60000");
}
