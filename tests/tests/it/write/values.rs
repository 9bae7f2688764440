//! What columns take, and what they refuse, in PostgreSQL's words.

use std::collections::BTreeSet;

use lakegate_tests::{Lake, TestServer};

use super::{ok, refused, rows, tag};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_assigned_as_postgresql_assigns_them() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut client = server.wire().await;
    let columns = "b bool, i2 int2, i4 int4, i8 int8, f4 real, f8 float8, n numeric(6,2), t text, v varchar(3),
        d date, ts timestamp, tz timestamptz, x bytea, a int[]";
    ok(&mut client, &format!("CREATE TABLE t ({columns})")).await;
    let literals = "('t', '1', '2', '3', '1.5', '2.5', '3.456', 'abc', 'ab ', '2026-02-03', '2026-02-03 04:05',
        '2026-02-03 04:05+00', '\\xff', '{1,NULL}')";
    ok(&mut client, &format!("INSERT INTO t VALUES {literals}")).await;
    let numbers =
        "(true, 1, 2.5, 3, 1, 2, 3, 4, 5, date '2026-02-03', date '2026-02-03', date '2026-02-03', NULL, NULL)";
    ok(&mut client, "SET timezone = 'UTC'").await;
    ok(&mut client, &format!("INSERT INTO t VALUES {numbers}")).await;
    ok(&mut client, "INSERT INTO t (v, n) VALUES ('abc  ', -0.005)").await;
    let all = rows(&mut client, "SELECT * FROM t ORDER BY n DESC").await;
    assert_eq!(
        all,
        [
            "t|1|2|3|1.5|2.5|3.46|abc|ab |2026-02-03|2026-02-03 04:05:00|2026-02-03 04:05:00+00|\\xff|{1,NULL}",
            "t|1|3|3|1|2|3.00|4|5|2026-02-03|2026-02-03 00:00:00|2026-02-03 00:00:00+00|NULL|NULL",
            "NULL|NULL|NULL|NULL|NULL|NULL|-0.01|NULL|abc|NULL|NULL|NULL|NULL|NULL",
        ]
    );
    let wrong = [
        ("INSERT INTO t (i2) VALUES (40000)", "22003 smallint out of range"),
        ("INSERT INTO t (i4) VALUES ('x')", "22P02 invalid input syntax for type integer: \"x\""),
        ("INSERT INTO t (v) VALUES ('abcd')", "22001 value too long for type character varying(3)"),
        ("INSERT INTO t (nope) VALUES (1)", "42703 column \"nope\" of relation \"t\" does not exist"),
        ("INSERT INTO t (b, b) VALUES (true, true)", "42701 column \"b\" specified more than once"),
        ("INSERT INTO t (b, t) VALUES (true)", "42601 INSERT has more target columns than expressions"),
        ("INSERT INTO t (b) VALUES (true, 1)", "42601 INSERT has more expressions than target columns"),
        ("INSERT INTO t (b) SELECT 1", "42804 column \"b\" is of type boolean but expression is of type integer"),
        ("INSERT INTO t (i4) SELECT t FROM t", "42804 column \"i4\" is of type integer but expression is of type text"),
        ("INSERT INTO nope VALUES (1)", "42P01 relation \"nope\" does not exist"),
        ("INSERT INTO t (n) VALUES (12345.6)", "22003 numeric field overflow"),
    ];
    for (sql, expected) in wrong {
        assert_eq!(refused(&mut client, sql).await, expected, "{sql}");
    }
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_kept_is_refused_by_name() {
    let server = TestServer::writable(&Lake::sample()).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE t (a int NOT NULL)").await;
    let wrong = [
        ("CREATE TABLE t (a int)", "42P07"),
        ("CREATE TABLE weather.stations (a int)", "42P07"),
        ("CREATE TABLE nope.t (a int)", "3F000"),
        ("CREATE TABLE u (a int PRIMARY KEY)", "0A000"),
        ("CREATE TABLE u (a int, PRIMARY KEY (a))", "0A000"),
        ("CREATE TABLE u (a int UNIQUE)", "0A000"),
        ("CREATE TABLE u (a int DEFAULT 1)", "0A000"),
        ("CREATE TABLE u (a int CHECK (a > 0))", "0A000"),
        ("CREATE TABLE u (a serial)", "0A000"),
        ("CREATE TABLE u (a numeric)", "0A000"),
        ("CREATE TABLE u (a time)", "0A000"),
        ("CREATE TABLE u (a interval)", "0A000"),
        ("CREATE TABLE u (a int, a int)", "42701"),
        ("CREATE TABLE u (a nope)", "42704"),
        ("CREATE TEMP TABLE u (a int)", "0A000"),
        ("CREATE TABLE u (a int, b int) WITH (partition_by = 'c')", "42703"),
        ("CREATE TABLE _u (a int)", "42602"),
        ("INSERT INTO t VALUES (NULL)", "23502"),
        ("INSERT INTO weather.stations (name) VALUES ('x')", "42809"),
        ("INSERT INTO pg_class (relname) VALUES ('x')", "42501"),
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING", "42P10"),
    ];
    for (sql, state) in wrong {
        assert_eq!(client.query(sql).await.state(), state, "{sql}");
    }
    assert_eq!(tag(&mut client, "CREATE TABLE IF NOT EXISTS t (b text)").await, "CREATE TABLE");
    ok(&mut client, "SET default_transaction_read_only = on").await;
    let message = "25006 cannot execute INSERT in a read-only transaction";
    assert_eq!(refused(&mut client, "INSERT INTO t VALUES (1)").await, message);
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    assert!(refused(&mut client, "CREATE TABLE t (a int)").await.starts_with("25006 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_a_query_has_its_rows_and_outlives_the_server() {
    let lake = Lake::sample();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    let sql = "CREATE TABLE weather.hot AS SELECT station, temp, n FROM weather.observations WHERE n < 100";
    assert_eq!(tag(&mut client, sql).await, "SELECT 100");
    assert_eq!(tag(&mut client, "CREATE TABLE weather.none AS SELECT 1 AS one WITH NO DATA").await, "CREATE TABLE AS");
    assert_eq!(tag(&mut client, "SELECT n AS m INTO weather.some FROM weather.hot LIMIT 3").await, "SELECT 3");
    let sql = "CREATE TABLE parts PARTITIONED BY (station) AS SELECT * FROM weather.hot";
    assert_eq!(tag(&mut client, sql).await, "SELECT 100");
    assert_eq!(tag(&mut client, "INSERT INTO parts VALUES (NULL, 1, 1)").await, "INSERT 0 1");
    assert_eq!(refused(&mut client, "INSERT INTO parts VALUES ('', 1, 1)").await.split(' ').next(), Some("0A000"));
    let other = TestServer::start(&lake).await;
    let mut client = other.wire().await;
    assert_eq!(rows(&mut client, "SELECT count(*), sum(n), count(temp) FROM weather.hot").await, ["100|4950|90"]);
    assert_eq!(rows(&mut client, "SELECT count(*), count(m) FROM weather.some, weather.none").await, ["0|0"]);
    let sql = "SELECT station, count(*), sum(n) FROM parts GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&mut client, sql).await, ["S0|25|1200", "S1|25|1225", "S2|25|1250", "S3|25|1275", "NULL|1|1"]);
    let folders: BTreeSet<String> =
        lake.keys().iter().filter_map(|key| key.rsplit_once("/_delta_log").map(|p| p.0.to_owned())).collect();
    assert_eq!(
        folders.into_iter().collect::<Vec<_>>(),
        ["public/parts", "weather/hot", "weather/none", "weather/some"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_have_the_types_of_their_columns() {
    let server = TestServer::writable(&Lake::default()).await;
    let client = server.client().await;
    client.batch_execute("CREATE TABLE t (i int, f float8, s text, n numeric(5,1), d date)").await.unwrap();
    let insert = client.prepare("INSERT INTO t (i, f, s) VALUES ($1, $2, $3)").await.unwrap();
    let types: Vec<&str> = insert.params().iter().map(|of| of.name()).collect();
    assert_eq!(types, ["int4", "float8", "text"]);
    for at in 0..3_i32 {
        let rows = client.execute(&insert, &[&at, &f64::from(at), &Some("x")]).await.unwrap();
        assert_eq!(rows, 1);
    }
    let rows = client.query("SELECT sum(i), sum(f), count(s) FROM t", &[]).await.unwrap();
    assert_eq!((rows[0].get::<_, i64>(0), rows[0].get::<_, f64>(1), rows[0].get::<_, i64>(2)), (3, 3.0, 3));
    let insert = client.prepare("INSERT INTO t (i) SELECT $1").await.unwrap();
    assert_eq!(insert.params()[0].name(), "int4");
}
