//! COPY ... TO an object of the lake.

use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_copied_to_an_object_that_is_seen_when_it_is_whole() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int, b text, n numeric(6,2), at timestamp)").await;
    ok(
        &mut client,
        "INSERT INTO t VALUES (1, 'a,\"b\"', 1.5, '2026-01-02 03:04:05.6'), (2, NULL, NULL, NULL), (3, '', 0, NULL)",
    )
    .await;
    let read = |key: &str| std::fs::read_to_string(lake.path().join(key)).unwrap();
    let copy = "COPY (SELECT * FROM t ORDER BY a) TO 'out/all.csv' WITH (FORMAT csv, HEADER)";
    assert_eq!(tag(&mut client, copy).await, "COPY 3");
    let expected = "a,b,n,at\n1,\"a,\"\"b\"\"\",1.50,2026-01-02 03:04:05.6\n2,,,\n3,\"\",0.00,\n";
    assert_eq!(read("out/all.csv"), expected);
    assert_eq!(rows(&mut client, "SELECT a, n FROM out.all ORDER BY a").await, ["1|1.5", "2|NULL", "3|0"]);
    let taken = "58P02 could not create \"out/all.csv\": an object of this name already exists";
    assert_eq!(refused(&mut client, copy).await, taken);
    assert_eq!(read("out/all.csv"), expected, "nothing is overwritten");
    let here = lake.path().canonicalize().unwrap();
    let copy = format!("COPY t (b, a) TO '{}/out/t.txt' (DELIMITER ';', NULL 'none')", here.display());
    assert_eq!(tag(&mut client, &copy).await, "COPY 3");
    assert_eq!(read("out/t.txt"), "a,\"b\";1\nnone;2\n;3\n");
    assert_eq!(tag(&mut client, "COPY t TO 'out/rows.parquet' (FORMAT parquet)").await, "COPY 3");
    let all = "SELECT a, b, n, at FROM out.rows EXCEPT SELECT a, b, n, at FROM t";
    assert_eq!(rows(&mut client, all).await, Vec::<String>::new());
    assert_eq!(rows(&mut client, "SELECT count(*) FROM out.rows").await, ["3"]);
    // More than a part of an upload.
    let large =
        "COPY (SELECT x, repeat('y', 100) AS y FROM generate_series(1, 200000) s(x)) TO 'out/large.csv' CSV HEADER";
    assert_eq!(tag(&mut client, large).await, "COPY 200000");
    assert_eq!(rows(&mut client, "SELECT count(*), count(DISTINCT x) FROM out.large").await, ["200000|200000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_nowhere_else_and_leaves_nothing_when_it_fails() {
    let lake = Lake::sample();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int)").await;
    let before = lake.keys();
    let denied = "42501 permission denied to COPY to";
    for (to, expected) in [
        ("/tmp/lakegate-must-not-exist.csv", denied),
        ("../out.csv", denied),
        ("s3://elsewhere/out.csv", denied),
        ("out/", denied),
        ("_lakegate/out.csv", denied),
        ("out/.hidden.csv", denied),
        ("public/t/out.parquet", denied),
        ("public/t/_delta_log/00000000000000000009.json", denied),
        ("weather/stations.csv", "58P02 could not create"),
    ] {
        let message = refused(&mut client, &format!("COPY (SELECT 1 AS x) TO '{to}' CSV")).await;
        assert!(message.starts_with(expected), "{to}: {message}");
    }
    for (sql, expected) in [
        ("COPY (SELECT 1 / (5000 - x) FROM generate_series(1, 9000) s(x)) TO 'out/x.csv' CSV", "22012"),
        ("COPY (SELECT 1 AS x) TO 'out/x.csv' (FORMAT binary)", "0A000"),
        ("COPY (SELECT 1 AS x) TO 'out/x.parquet' (FORMAT parquet, HEADER)", "0A000"),
        ("COPY (SELECT 1 AS x, 2 AS x) TO 'out/x.parquet' (FORMAT parquet)", "42701"),
        ("COPY (SELECT nope) TO 'out/x.csv' CSV", "42703"),
        ("COPY (SELECT 1) TO PROGRAM 'cat'", "42501"),
        ("BEGIN READ ONLY; COPY (SELECT 1 AS x) TO 'out/x.csv'", "25006"),
    ] {
        assert_eq!(client.query(sql).await.state(), expected, "{sql}");
    }
    assert_eq!(lake.keys(), before);
    let server = TestServer::start(&lake).await;
    let message = refused(&mut server.wire().await, "COPY (SELECT 1 AS x) TO 'out/x.csv'").await;
    assert_eq!(message, "25006 cannot write to \"out/x.csv\": its source is read-only");
}
