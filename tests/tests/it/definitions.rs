//! What SQL defines is kept in the lake: it outlives the server, every replica sees it, and no change is lost.

use lakegate_tests::s3::{Fault, Operation, Server};
use lakegate_tests::wire::{Answer, Client};
use lakegate_tests::{Lake, TestServer, server};

use crate::authentication::{PASSWORD, with_roles};

const FIRST: &str = "_lakegate/definitions/00000000000000000001.sql";

async fn ok(client: &mut Client, sql: &str) -> Answer {
    let answer = client.query(sql).await;
    assert_eq!(answer.state(), "00000", "{sql}: {:?}", answer.fault);
    answer
}

async fn state(client: &mut Client, sql: &str) -> String {
    client.query(sql).await.state().to_owned()
}

/// A lake whose one file has a delimiter that no server would guess.
fn odd() -> Lake {
    let lake = Lake::sample();
    lake.write("raw/odd.csv", "id~name\n1~ada\n2~bob\n");
    lake
}

const ODD: &str = "CREATE EXTERNAL TABLE shop.people (id INT, name TEXT) STORED AS CSV LOCATION 'raw/odd.csv'
    OPTIONS (delimiter '~')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_outlive_the_server_in_a_folder_and_in_a_bucket() {
    let lake = odd();
    let store = Server::start().await;
    store.upload(&lake, "lake").await;
    let local = [TestServer::start(&lake).await, TestServer::start(&lake).await];
    let remote = [TestServer::start_s3(&store, "lake").await, TestServer::start_s3(&store, "lake").await];
    for [first, second] in [local, remote] {
        let mut client = first.wire().await;
        ok(&mut client, ODD).await;
        ok(&mut client, "CREATE VIEW shop.names AS SELECT name FROM shop.people -- all").await;
        ok(&mut client, "COMMENT ON COLUMN shop.people.name IS 'as they wrote it'").await;
        ok(&mut client, "COMMENT ON TABLE weather.stations IS 'where'").await;
        assert_eq!(first.column("SELECT name FROM shop.names ORDER BY 1").await, ["ada", "bob"]);
        second.refresh().await;
        assert_eq!(second.column("SELECT name FROM shop.names ORDER BY 1").await, ["ada", "bob"]);
        let sql = "SELECT col_description('shop.people'::regclass, 2) || obj_description('weather.stations'::regclass)";
        assert_eq!(second.value(sql).await, "as they wrote itwhere");
        let mut client = second.wire().await;
        ok(&mut client, "DROP VIEW shop.names").await;
        ok(&mut client, "DROP TABLE shop.people").await;
        first.refresh().await;
        assert_eq!(first.state("SELECT * FROM shop.people").await, "42P01");
    }
    let text = std::fs::read_to_string(lake.path().join(FIRST)).unwrap();
    assert!(text.contains("CREATE EXTERNAL TABLE \"shop\".\"people\" (id INT, name TEXT) STORED AS CSV"), "{text}");
    assert!(text.starts_with("-- What SQL defined, version 1, "), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_two_servers_at_once_are_all_kept() {
    let store = Server::start().await;
    store.upload(&Lake::sample(), "lake").await;
    let servers = [TestServer::start_s3(&store, "lake").await, TestServer::start_s3(&store, "lake").await];
    let (mut one, mut other) = (servers[0].wire().await, servers[1].wire().await);
    for round in 0..10 {
        let sql = |server: &str| format!("CREATE VIEW public.{server}{round} AS SELECT {round} AS n");
        let (a, b) = (sql("a"), sql("b"));
        let (a, b) = tokio::join!(one.query(&a), other.query(&b));
        assert_eq!((a.state(), b.state()), ("00000", "00000"), "{:?} {:?}", a.fault, b.fault);
    }
    for server in &servers {
        server.refresh().await;
        assert_eq!(server.value("SELECT count(*) FROM pg_views WHERE schemaname = 'public'").await, "20");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_is_seen_by_others_as_a_whole_or_not_at_all() {
    let lake = Lake::sample();
    let server = TestServer::start(&lake).await;
    let (mut one, mut other) = (server.wire().await, server.wire().await);
    ok(&mut one, "CREATE VIEW public.model AS SELECT 1 AS n").await;
    // As dbt replaces a view.
    ok(&mut one, "BEGIN").await;
    ok(&mut one, "CREATE VIEW \"lakegate\".\"public\".\"model__tmp\" AS (SELECT 2 AS n)").await;
    ok(&mut one, "ALTER TABLE public.model RENAME TO model__backup").await;
    ok(&mut one, "ALTER TABLE public.model__tmp RENAME TO model").await;
    assert_eq!(one.value("SELECT n FROM public.model").await.as_deref(), Some("2"));
    assert_eq!(other.value("SELECT n FROM public.model").await.as_deref(), Some("1"));
    assert_eq!(state(&mut other, "SELECT * FROM public.model__backup").await, "42P01");
    ok(&mut one, "DROP VIEW IF EXISTS public.model__backup CASCADE").await;
    ok(&mut one, "COMMIT").await;
    assert_eq!(other.value("SELECT n FROM public.model").await.as_deref(), Some("2"));
    // The second of two blocks over one version fails as a whole.
    ok(&mut one, "BEGIN").await;
    ok(&mut one, "CREATE VIEW public.late AS SELECT 1").await;
    ok(&mut other, "CREATE VIEW public.early AS SELECT 1").await;
    assert_eq!(state(&mut one, "COMMIT").await, "40001");
    assert_eq!(state(&mut one, "SELECT * FROM public.late").await, "42P01");
    assert_eq!(state(&mut one, "SELECT * FROM public.early").await, "00000");
    // A connection that goes away has defined nothing.
    ok(&mut other, "BEGIN").await;
    ok(&mut other, "DROP VIEW public.early").await;
    drop(other);
    assert_eq!(state(&mut one, "SELECT * FROM public.early").await, "00000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_superusers_define() {
    let server = with_roles(&Lake::sample()).await;
    let connect = async |user: &str| {
        let mut config = server.driver();
        let (client, connection) = config.user(user).password(PASSWORD).connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    let (reader, admin) = (connect("reader").await, connect("admin").await);
    admin.execute("CREATE VIEW public.v AS SELECT 1", &[]).await.unwrap();
    for sql in ["CREATE VIEW public.w AS SELECT 1", "DROP VIEW public.v", "COMMENT ON VIEW public.v IS 'x'", ODD] {
        let error = reader.batch_execute(sql).await.unwrap_err();
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{sql}");
    }
    assert_eq!(reader.query("SELECT * FROM public.v", &[]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_sql_come_first_and_are_not_changed() {
    let lake = odd();
    let files = [
        ("tables/people.sql", ODD),
        ("views/v.sql", "CREATE VIEW shop.v AS SELECT 1 AS n; COMMENT ON VIEW shop.v IS 'of the file';"),
    ];
    let server = TestServer::with_sql(&lake, &files).await;
    let mut client = server.wire().await;
    for sql in [
        "DROP VIEW shop.v",
        "CREATE OR REPLACE VIEW shop.v AS SELECT 2 AS n",
        "ALTER VIEW shop.v RENAME TO w",
        "COMMENT ON VIEW shop.v IS 'x'",
        "DROP TABLE shop.people",
        "CREATE OR REPLACE EXTERNAL TABLE shop.people STORED AS CSV LOCATION 'raw/odd.csv'",
    ] {
        assert_eq!(state(&mut client, sql).await, "55000", "{sql}");
    }
    assert_eq!(server.value("SELECT obj_description('shop.v'::regclass, 'pg_class')").await, "of the file");
    // One that comes to define what SQL had defined.
    ok(&mut client, "CREATE VIEW shop.both AS SELECT 'sql' AS by").await;
    let files = [("views/both.sql", "CREATE VIEW shop.both AS SELECT 'file' AS by")];
    let server = TestServer::with_sql(&lake, &files).await;
    assert_eq!(server.value("SELECT by FROM shop.both").await, "file");
    let sql = "SELECT key || ': ' || reason FROM system.skipped_files WHERE \"table\" = 'both'";
    let reason = server.value(sql).await;
    assert!(reason.starts_with("_lakegate/definitions: ") && reason.contains("more than once"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_external_table_says_how_its_files_are_read() {
    let lake = odd();
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, ODD).await;
    assert_eq!(server.value("SELECT sum(id)::text || max(name) FROM shop.people").await, "3bob");
    assert_eq!(state(&mut client, ODD).await, "42P07");
    let again = ODD.replace("TABLE shop", "TABLE IF NOT EXISTS shop");
    assert_eq!(state(&mut client, &again).await, "00000");
    // A table over the very files of a name: the definition comes before the name.
    ok(
        &mut client,
        "CREATE EXTERNAL TABLE weather.stations (station TEXT, lat TEXT) STORED AS CSV LOCATION 'weather/stations.csv'",
    )
    .await;
    assert_eq!(server.value("SELECT pg_typeof(lat)::text FROM weather.stations LIMIT 1").await, "text");
    ok(&mut client, "DROP TABLE weather.stations").await;
    assert_eq!(server.value("SELECT pg_typeof(lat)::text FROM weather.stations LIMIT 1").await, "double precision");
    // It waits for its files.
    ok(&mut client, "CREATE EXTERNAL TABLE shop.later STORED AS CSV LOCATION 'later/'").await;
    assert_eq!(state(&mut client, "SELECT * FROM shop.later").await, "42P01");
    lake.write("later/a.csv", "x\n7\n");
    server.refresh().await;
    assert_eq!(server.value("SELECT x FROM shop.later").await, "7");
    for (sql, expect) in [
        ("CREATE EXTERNAL TABLE a.b STORED AS CSV LOCATION 'x'", "3F000"),
        ("CREATE EXTERNAL TABLE shop.b STORED AS ORC LOCATION 'x'", "42601"),
        ("CREATE EXTERNAL TABLE shop.b STORED AS CSV LOCATION 'x' OPTIONS (delimeter ';')", "42601"),
        ("CREATE EXTERNAL TABLE shop.b STORED AS CSV", "42601"),
        ("CREATE EXTERNAL TABLE shop.b STORED AS CSV LOCATION '../x'", "42501"),
        ("CREATE EXTERNAL TABLE shop.b STORED AS CSV LOCATION 's3://elsewhere/x'", "42501"),
        ("CREATE EXTERNAL TABLE", "42601"),
        ("DROP VIEW shop.people", "42809"),
        ("DROP EXTERNAL TABLE shop.people, shop.later", "00000"),
    ] {
        assert_eq!(state(&mut client, sql).await, expect, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_loses_no_change() {
    let store = Server::start().await;
    store.upload(&Lake::sample(), "lake").await;
    let start = || TestServer::start_s3(&store, "lake");
    let server = start().await;
    let mut client = server.wire().await;
    let create = |name: &str| format!("CREATE VIEW public.{name} AS SELECT 1 AS n");
    store.faults.inject(Operation::Put, "probes", Fault::IgnoreCondition, 2);
    assert_eq!(state(&mut client, &create("never")).await, "0A000", "a store that overwrites");
    let server = start().await;
    let mut client = server.wire().await;
    store.faults.inject(Operation::Put, "definitions", Fault::AccessDenied, 1);
    assert_eq!(state(&mut client, &create("denied")).await, "42501");
    // It was written, and the answer lost: the second try meets its own object.
    store.faults.inject(Operation::Put, "definitions", Fault::AppliedThenSlowDown, 1);
    ok(&mut client, &create("kept")).await;
    assert_eq!(server.column("SELECT viewname FROM pg_views WHERE schemaname = 'public'").await, ["kept"]);
    // What cannot be read hides no table, and what was known stays.
    store.put("lake/_lakegate/definitions/00000000000000000009.sql", "CREATE VIEW 'a").await;
    server.refresh().await;
    assert_eq!(server.column("SELECT viewname FROM pg_views WHERE schemaname = 'public'").await, ["kept"]);
    let fresh = start().await;
    assert_eq!(fresh.value("SELECT count(*) FROM weather.stations").await, "4");
    assert_eq!(fresh.wire().await.query(&create("new")).await.state(), "XX001", "would hide what it cannot read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lake_without_a_source_keeps_nothing() {
    let lake = Lake::sample();
    let mut config = server::config(&lake);
    config.lake.sources.clear();
    let server = TestServer::with(config).await;
    assert_eq!(server.state("CREATE VIEW public.v AS SELECT 1").await, "58030");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_a_table_are_added_set_and_dropped() {
    let lake = odd();
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, ODD).await;
    ok(&mut client, "CREATE VIEW shop.names AS SELECT name FROM shop.people").await;
    let names = "SELECT string_agg(name, ',' ORDER BY id) FROM shop.people";
    assert_eq!(server.value(names).await, "ada,bob");
    for (sql, expected) in [
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (delimiter '|')", "42710"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (ADD \"delimiter\" '|')", "42710"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (SET quote '|')", "42704"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (DROP delimiter, DROP delimiter)", "42704"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (SET delimiter '||')", "42601"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (unheard 'of')", "42601"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (quote)", "42601"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (DROP quote 'x')", "42601"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS ()", "42601"),
        ("ALTER EXTERNAL TABLE shop.people OPTIONS (quote x)", "42601"),
        ("ALTER EXTERNAL TABLE shop.names OPTIONS (quote '|')", "42809"),
        ("ALTER EXTERNAL TABLE shop.nobody OPTIONS (quote '|')", "42P01"),
        ("ALTER EXTERNAL TABLE weather.stations OPTIONS (quote '|')", "55000"),
        ("ALTER EXTERNAL TABLE IF EXISTS shop.nobody OPTIONS (quote '|')", "00000"),
        ("ALTER TABLE shop.people OPTIONS (quote '|')", "0A000"),
    ] {
        assert_eq!(state(&mut client, sql).await, expected, "{sql}");
    }
    assert_eq!(server.value(names).await, "ada,bob");
    let answer = client.query("ALTER EXTERNAL TABLE shop.people OPTIONS (SET quote '|')").await;
    assert_eq!(answer.fault.unwrap().message, "option \"quote\" not found");
    let sql = "ALTER EXTERNAL TABLE shop.people OPTIONS (SET delimiter '|', quote '''', ADD comment '#', DROP comment)";
    ok(&mut client, sql).await;
    // The file has no such delimiter now.
    assert_ne!(server.state(names).await, "00000");
    ok(&mut client, "ALTER EXTERNAL TABLE shop.people OPTIONS (DROP delimiter, DROP quote)").await;
    ok(&mut client, "ALTER EXTERNAL TABLE shop.people OPTIONS (add delimiter '~')").await;
    assert_eq!(server.value(names).await, "ada,bob");
    ok(&mut client, "BEGIN").await;
    ok(&mut client, "ALTER EXTERNAL TABLE shop.people OPTIONS (SET delimiter '|')").await;
    ok(&mut client, "ROLLBACK").await;
    assert_eq!(server.value(names).await, "ada,bob");
    let again = TestServer::start(&lake).await;
    assert_eq!(again.value(names).await, "ada,bob");
    let kept = lake.keys().into_iter().filter(|key| key.starts_with("_lakegate/definitions/")).max().unwrap();
    let text = std::fs::read_to_string(lake.path().join(kept)).unwrap();
    assert!(text.contains("LOCATION 'raw/odd.csv'\nOPTIONS (delimiter '~')"), "{text}");
}
