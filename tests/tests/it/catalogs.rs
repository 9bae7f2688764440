//! The catalogs: what they cost, and what they tell of what cannot be answered.

use lakegate_tests::s3::{Operation, Server};
use lakegate_tests::{Lake, TestServer};

/// What clients list on connect: none of it is about the columns of any table.
const LISTINGS: &[&str] = &[
    "SELECT n.nspname, c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c \
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam \
     WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' \
     AND n.nspname <> 'information_schema' ORDER BY 1,2",
    "SELECT table_schema, table_name, table_type FROM information_schema.tables ORDER BY 1, 2",
    "SELECT schemaname, tablename FROM pg_tables",
    "SELECT c.oid, c.xmin, c.tableoid, c.ctid FROM pg_class c",
    "SELECT t.oid, t.typname, t.typrelid FROM pg_type t",
    "SELECT schemaname, relname, n_live_tup FROM pg_stat_user_tables",
    "SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges",
    "SELECT count(pg_total_relation_size(oid)) FROM pg_class",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_of_tables_opens_none_and_a_look_at_one_opens_one() {
    let store = Server::start().await;
    let lake = Lake::default();
    // Tables are opened ahead when the server starts; those that come later only when somebody asks.
    store.put("lake/many/first.csv", "x,y\n1,a\n").await;
    let server = TestServer::start_s3(&store, "lake").await;
    assert_eq!(server.value("SELECT count(*) FROM many.first").await, "1");
    for at in 0..60 {
        lake.write(&format!("many/t{at}.csv"), format!("x,y\n{at},a\n"));
    }
    store.upload(&lake, "lake").await;
    server.refresh().await;
    let mut client = server.wire().await;
    store.faults.reset_counts();
    for sql in LISTINGS {
        let answer = client.query(sql).await;
        assert_eq!(answer.state(), "00000", "{sql}: {:?}", answer.fault);
        assert!(answer.texts().len() >= 60 || sql.contains("count("), "{sql}");
    }
    assert_eq!(store.faults.count(Operation::Get), 0, "{:?}", store.faults.log());
    let sql = "SELECT attname FROM pg_attribute WHERE attrelid = 'many.t7'::regclass AND attnum > 0 ORDER BY attnum";
    assert_eq!(server.column(sql).await, ["x", "y"]);
    let sql = "SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n \
               ON n.oid = c.relnamespace WHERE c.relname = 't8' AND n.nspname = 'many' AND a.attnum > 0 ORDER BY a.attnum";
    assert_eq!(server.column(sql).await, ["x", "y"]);
    let sql = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'many' AND table_name = 't9'";
    assert_eq!(server.column(sql).await, ["x", "y"]);
    let opened: std::collections::BTreeSet<String> = store
        .faults
        .log()
        .into_iter()
        .filter(|(operation, _)| *operation == Operation::Get)
        .map(|(_, key)| key)
        .collect();
    assert_eq!(opened.len(), 3, "{opened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalog_statement_that_fails_is_counted() {
    let server = TestServer::start(&Lake::sample()).await;
    let count = || server.server.engine().unanswered();
    assert_eq!(server.state("SELECT nope FROM weather.stations").await, "42703");
    assert_eq!(count(), 0);
    assert_eq!(server.state("SELECT nope FROM pg_class").await, "42703");
    assert_eq!(server.state("SELECT pg_catalog.nope(1)").await, "42883");
    assert_eq!(count(), 2);
    assert_eq!(server.state("SELECT relname FROM pg_class").await, "00000");
    assert_eq!(count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_sees_what_it_has_under_names() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut client = server.wire().await;
    client.query("PREPARE one (int4, text) AS SELECT $1, $2, 'n'::name").await;
    let sql =
        "SELECT name, statement, parameter_types::text[], result_types::text[], from_sql FROM pg_prepared_statements";
    let rows = client.query(sql).await.texts();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0][0], text("one"));
    assert_eq!(rows[0][4], text("t"));
    client.query("BEGIN").await;
    client.query("DECLARE c CURSOR FOR SELECT 1").await;
    let rows = client.query("SELECT name, statement, is_holdable FROM pg_cursors").await.texts();
    assert_eq!(rows, [[text("c"), text("DECLARE c CURSOR FOR SELECT 1"), text("f")]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_another_of_its_user() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut other = server.wire().await;
    let pid = other.query("SELECT pg_backend_pid()").await.text().unwrap();
    let mut client = server.wire().await;
    assert_eq!(client.query(&format!("SELECT pg_cancel_backend({pid})")).await.text().as_deref(), Some("t"));
    assert_eq!(client.query("SELECT pg_cancel_backend(0)").await.text().as_deref(), Some("f"));
    assert_eq!(other.query("SELECT 1").await.text().as_deref(), Some("1"), "nothing ran");
    assert_eq!(client.query(&format!("SELECT pg_terminate_backend({pid})")).await.text().as_deref(), Some("t"));
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    for _ in 0..1_000 {
        if client.query(&sql).await.text().as_deref() == Some("0") {
            return;
        }
    }
    panic!("the session is still there");
}

/// What psql asks for `\df+ time_bucket`, in short.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_with_a_manual_are_described_where_clients_look() {
    let server = TestServer::start(&Lake::sample()).await;
    let of = "FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace \
              LEFT JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass AND d.objsubid = 0 \
              WHERE p.proname OPERATOR(pg_catalog.~) '^(time_bucket)$' COLLATE pg_catalog.default \
              AND pg_function_is_visible(p.oid)";
    let calls = format!(
        "SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ') ' \
         || pg_get_function_result(p.oid) || ' ' || p.prokind || ' ' || array_to_string(p.proargnames, ' ') {of} ORDER BY 1"
    );
    let calls = server.column(&calls).await;
    assert_eq!(calls.len(), 24, "{calls:?}");
    let expect = "pg_catalog.time_bucket(width interval, ts date, origin date) date f width ts origin";
    assert!(calls.iter().any(|call| call == expect), "{calls:?}");
    let told = format!("SELECT bool_and(d.description LIKE 'The start of the bucket%') {of}");
    assert_eq!(server.value(&told).await, "t");
    let told = format!("SELECT bool_and(obj_description(p.oid, 'pg_proc') = d.description) {of}");
    assert_eq!(server.value(&told).await, "t");
    let cast = "SELECT 'time_bucket(interval, date)'::regprocedure::text";
    assert_eq!(server.value(cast).await, "time_bucket(interval,date)");
}

/// Names that are syntax in PostgreSQL, and not functions: `make_array` is the planner's for ARRAY[...].
const SYNTAX: &[&str] = &["coalesce", "greatest", "least", "make_array", "nullif"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_is_in_pg_proc() {
    let server = TestServer::start(&Lake::default()).await;
    let known: std::collections::HashSet<String> =
        server.column("SELECT DISTINCT proname FROM pg_proc").await.into_iter().collect();
    let all = udfs::all();
    let scalar = all.scalar.iter().map(|udf| udf.name());
    let names = scalar.chain(all.aggregate.iter().map(|udf| udf.name())).chain(all.window.iter().map(|udf| udf.name()));
    let catalogs = catalog::pg_catalog::function_names();
    let own = |name: &&str| !name.starts_with("lakegate_") && !SYNTAX.contains(name);
    let missing: Vec<&str> =
        names.chain(catalogs.iter().copied()).filter(own).filter(|name| !known.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_relation_of_the_catalogs_can_be_read() {
    let server = TestServer::start(&Lake::sample()).await;
    let sql = "SELECT n.nspname || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname IN ('pg_catalog', 'information_schema', 'system') ORDER BY 1";
    let relations = server.column(sql).await;
    assert!(relations.len() > 200);
    let mut client = server.wire().await;
    for relation in relations {
        let answer = client.query(&format!("SELECT * FROM {relation} LIMIT 3")).await;
        assert_eq!(answer.state(), "00000", "{relation}: {:?}", answer.fault);
        let sql = format!("SELECT count(*) FROM pg_attribute WHERE attrelid = '{relation}'::regclass AND attnum > 0");
        let columns = client.query(&sql).await.text();
        assert_eq!(columns, Some(answer.columns.len().to_string()), "{relation}");
    }
}
