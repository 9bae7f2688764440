//! MERGE, beyond what PostgreSQL 15 answers to `merge.slt`.

use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_is_one_commit_and_other_files_stay() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut client, mut other) = (server.wire().await, server.wire().await);
    ok(&mut client, "CREATE TABLE t (a int NOT NULL, b text)").await;
    for part in 0..3 {
        let sql = format!("INSERT INTO t SELECT x, 'r' || x FROM generate_series({0}, {0} + 9) s(x)", part * 10);
        ok(&mut client, &sql).await;
    }
    ok(&mut client, "CREATE TABLE s AS SELECT x AS a, 's' || x AS b FROM generate_series(15, 24) s(x) WHERE x <> 20")
        .await;
    ok(&mut client, "INSERT INTO s VALUES (50, 'new')").await;
    let count =
        |what: &str| lake.keys().iter().filter(|key| key.starts_with("public/t/") && key.contains(what)).count();
    let (files, commits) = (count(".parquet"), count("_delta_log"));
    let merge = "MERGE INTO t USING s ON t.a = s.a
        WHEN MATCHED AND t.a < 18 THEN DELETE
        WHEN MATCHED AND t.a > 20 THEN DO NOTHING
        WHEN MATCHED THEN UPDATE SET b = s.b
        WHEN NOT MATCHED THEN INSERT (b, a) VALUES (s.b, s.a)";
    assert_eq!(tag(&mut client, merge).await, "MERGE 6");
    assert_eq!(
        (count(".parquet"), count("_delta_log")),
        (files + 1, commits + 1),
        "one file is written anew, with the new rows"
    );
    let changed = rows(&mut other, "SELECT a, b FROM t WHERE b !~ 'r' ORDER BY a").await;
    assert_eq!(changed, ["18|s18", "19|s19", "50|new"]);
    assert_eq!(rows(&mut other, "SELECT count(*) FROM t WHERE a BETWEEN 10 AND 19").await, ["7"]);
    // Rows of the table that the source does not have, and names that PostgreSQL has since 17.
    let merge = "MERGE INTO t USING s ON t.a = s.a
        WHEN NOT MATCHED BY SOURCE AND t.a < 5 THEN DELETE
        WHEN NOT MATCHED BY SOURCE AND t.a = 5 THEN UPDATE SET b = 'alone'
        WHEN NOT MATCHED BY SOURCE THEN DO NOTHING
        WHEN MATCHED AND t.a = 50 THEN UPDATE SET b = 'both'
        WHEN NOT MATCHED BY TARGET AND s.a = 15 THEN INSERT VALUES (s.a)";
    assert_eq!(tag(&mut client, merge).await, "MERGE 8");
    let changed = rows(&mut client, "SELECT a, b FROM t WHERE a < 6 OR a IN (15, 50) ORDER BY a").await;
    assert_eq!(changed, ["5|alone", "15|NULL", "50|both"]);
    let twice = "MERGE INTO t USING (VALUES (5, 'x'), (5, 'y')) AS q (a, b) ON t.a = q.a WHEN MATCHED THEN DELETE";
    assert_eq!(refused(&mut client, twice).await, "21000 MERGE command cannot affect row a second time");
    let returning = "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE RETURNING t.a";
    assert_eq!(refused(&mut client, returning).await, "0A000 MERGE ... RETURNING is not supported");
    // Another's change of the same rows comes between.
    ok(&mut client, "BEGIN").await;
    assert_eq!(tag(&mut client, "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE").await, "MERGE 8");
    ok(&mut other, "UPDATE t SET b = 'z' WHERE a = 18").await;
    assert!(refused(&mut client, "COMMIT").await.starts_with("40001"));
    assert_eq!(rows(&mut client, "SELECT b FROM t WHERE a = 18").await, ["z"]);
    let driver = server.client().await;
    let merge = "MERGE INTO t USING (SELECT $1::int AS a, $2::text AS b) AS q ON t.a = q.a
        WHEN MATCHED THEN UPDATE SET b = q.b || $3 WHEN NOT MATCHED THEN INSERT VALUES (q.a, $3)";
    for (key, expected) in [(18_i32, "p!"), (99, "!")] {
        assert_eq!(driver.execute(merge, &[&key, &"p", &"!"]).await.unwrap(), 1);
        let row = driver.query_one("SELECT b FROM t WHERE a = $1", &[&key]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), expected);
    }
}
