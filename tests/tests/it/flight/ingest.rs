//! Bulk ingest: every mode, each in one commit, once; and what comes of streams that are not whole.

mod broken;
mod once;
mod types;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow_flight::sql::{
    CommandStatementIngest, TableDefinitionOptions, TableExistsOption as Exists, TableNotExistOption as Missing,
};
use lakegate_tests::flight::{Client, state};
use lakegate_tests::{Lake, TestServer};

use super::connect;
use crate::write::{ok, rows};

pub(super) const CREATE: (Missing, Exists) = (Missing::Create, Exists::Fail);
pub(super) const APPEND: (Missing, Exists) = (Missing::Fail, Exists::Append);
pub(super) const REPLACE: (Missing, Exists) = (Missing::Create, Exists::Replace);
pub(super) const CREATE_APPEND: (Missing, Exists) = (Missing::Create, Exists::Append);

pub(super) fn into(table: &str, (missing, exists): (Missing, Exists)) -> CommandStatementIngest {
    let options = TableDefinitionOptions { if_not_exist: missing as i32, if_exists: exists as i32 };
    CommandStatementIngest {
        table_definition_options: Some(options),
        table: table.to_owned(),
        schema: None,
        catalog: None,
        temporary: false,
        transaction_id: None,
        options: HashMap::new(),
    }
}

pub(super) fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, values)| (*name, Arc::clone(values), true)))
        .unwrap()
}

pub(super) fn ids(values: impl IntoIterator<Item = i64>) -> RecordBatch {
    batch(&[("id", Arc::new(Int64Array::from_iter_values(values)))])
}

/// Versions in the log of a table.
pub(super) fn commits(lake: &Lake, table: &str) -> usize {
    let log = format!("{table}/_delta_log/");
    lake.keys().iter().filter(|key| key.starts_with(&log) && key.ends_with(".json")).count()
}

/// SQLSTATE and the first line of what a call is refused with.
pub(super) async fn refused(
    client: &mut Client,
    command: &CommandStatementIngest,
    batches: Vec<RecordBatch>,
) -> String {
    let status = client.ingest(command, batches).await.unwrap_err();
    format!("{} {}", state(&status), status.message().lines().next().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mode_makes_one_commit() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut client, mut wire) = (connect(&server).await, server.wire().await);
    assert_eq!(refused(&mut client, &into("t", APPEND), vec![ids([1])]).await, "42P01 relation \"t\" does not exist");
    assert_eq!(client.ingest(&into("t", CREATE), vec![ids(0..20_000), ids(20_000..30_000)]).await.unwrap(), 30_000);
    assert_eq!(commits(&lake, "public/t"), 1);
    assert_eq!(rows(&mut wire, "SELECT count(*), sum(id) FROM t").await, ["30000|449985000"]);
    assert_eq!(refused(&mut client, &into("t", CREATE), vec![ids([1])]).await, "42P07 relation \"t\" already exists");
    assert_eq!(client.ingest(&into("t", APPEND), vec![ids([-1]), ids([-2])]).await.unwrap(), 2);
    assert_eq!(client.ingest(&into("t", CREATE_APPEND), vec![ids([-3])]).await.unwrap(), 1);
    assert_eq!(commits(&lake, "public/t"), 3);
    assert_eq!(rows(&mut wire, "SELECT count(*), min(id) FROM t").await, ["30003|-3"]);
    assert_eq!(client.ingest(&into("t", REPLACE), vec![ids([7, 8])]).await.unwrap(), 2);
    assert_eq!(commits(&lake, "public/t"), 4);
    assert_eq!(rows(&mut wire, "SELECT id FROM t ORDER BY id").await, ["7", "8"]);
    assert_eq!(client.ingest(&into("u", CREATE_APPEND), vec![ids([5])]).await.unwrap(), 1);
    assert_eq!(client.ingest(&into("v", REPLACE), vec![ids([6])]).await.unwrap(), 1);
    // Rows may be none.
    assert_eq!(client.ingest(&into("w", CREATE), vec![ids([])]).await.unwrap(), 0);
    assert_eq!(rows(&mut wire, "SELECT (SELECT id FROM u), (SELECT id FROM v), count(*) FROM w").await, ["5|6|0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_table_keeps_what_was_declared_or_is_made_anew() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut client, mut wire) = (connect(&server).await, server.wire().await);
    ok(&mut wire, "CREATE TABLE t (id bigint NOT NULL, kind text) PARTITIONED BY (kind)").await;
    ok(&mut wire, "INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
    let with_kind = |values: Vec<Option<i64>>| {
        let kinds: ArrayRef = Arc::new(StringArray::from(vec!["x"; values.len()]));
        batch(&[("id", Arc::new(Int64Array::from(values))), ("kind", kinds)])
    };
    assert_eq!(client.ingest(&into("t", REPLACE), vec![with_kind(vec![Some(3)])]).await.unwrap(), 1);
    assert_eq!(rows(&mut wire, "SELECT * FROM t").await, ["3|x"]);
    assert!(lake.keys().iter().any(|key| key.contains("/kind=x/")), "{:?}", lake.keys());
    let null = refused(&mut client, &into("t", REPLACE), vec![with_kind(vec![None])]).await;
    assert!(null.starts_with("23502 null value in column \"id\""), "{null}");
    // Other columns are another table, of one commit, unless a view needs those that were.
    ok(&mut wire, "CREATE VIEW seen AS SELECT kind FROM t").await;
    let used = refused(&mut client, &into("t", REPLACE), vec![ids([9])]).await;
    assert_eq!(used, "2BP01 cannot replace table t because other objects depend on it");
    ok(&mut wire, "DROP VIEW seen").await;
    let before = commits(&lake, "public/t");
    assert_eq!(client.ingest(&into("t", REPLACE), vec![ids([9, 10])]).await.unwrap(), 2);
    assert_eq!(commits(&lake, "public/t"), before + 1);
    assert_eq!(rows(&mut wire, "SELECT * FROM t ORDER BY 1").await, ["9", "10"]);
    assert_eq!(client.ingest(&into("t", APPEND), vec![ids([11])]).await.unwrap(), 1);
    // A reader that sees the log for the first time sees the same.
    let other = TestServer::start(&lake).await;
    assert_eq!(other.column("SELECT id FROM t ORDER BY 1").await, ["9", "10", "11"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_found_by_name_and_assigned_as_an_insert_does() {
    let server = TestServer::writable(&Lake::default()).await;
    let (mut client, mut wire) = (connect(&server).await, server.wire().await);
    ok(&mut wire, "CREATE TABLE t (a int, n numeric(6, 2), s varchar(3), f real, \"Upper\" text)").await;
    let given = batch(&[
        ("Upper", Arc::new(Int64Array::from(vec![1]))),
        ("n", Arc::new(Float64Array::from(vec![1.005]))),
        ("a", Arc::new(Int64Array::from(vec![7]))),
    ]);
    assert_eq!(client.ingest(&into("t", APPEND), vec![given]).await.unwrap(), 1);
    assert_eq!(rows(&mut wire, "SELECT * FROM t").await, ["7|1.01|NULL|NULL|1"]);
    let number = || -> ArrayRef { Arc::new(Int64Array::from(vec![1 << 40])) };
    let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["four"])) };
    for (columns, expected) in [
        (vec![("nope", number())], "42703 column \"nope\" of relation \"t\" does not exist"),
        (vec![("upper", text())], "42703 column \"upper\" of relation \"t\" does not exist"),
        (vec![("a", number())], "22003 integer out of range"),
        (vec![("n", number())], "22003 numeric field overflow"),
        (vec![("a", text())], "42804 column \"a\" is of type integer but expression is of type text"),
        (vec![("s", text())], "22001 value too long for type character varying(3)"),
        (vec![("a", number()), ("a", number())], "42701 column \"a\" specified more than once"),
        (vec![("", number())], "42601 a column has no name"),
    ] {
        assert_eq!(refused(&mut client, &into("t", APPEND), vec![batch(&columns)]).await, expected);
    }
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["1"]);
    // A dictionary is its values.
    let words: arrow::array::DictionaryArray<Int32Type> = vec![Some("one"), None, Some("one")].into_iter().collect();
    assert_eq!(client.ingest(&into("t", APPEND), vec![batch(&[("s", Arc::new(words))])]).await.unwrap(), 3);
    assert_eq!(rows(&mut wire, "SELECT count(s), min(s) FROM t").await, ["2|one"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_insert_may_not_an_ingest_may_not() {
    let lake = Lake::default();
    lake.write("shop/sales.csv", "id\n1\n");
    let server = TestServer::writable(&lake).await;
    let (mut client, mut wire) = (connect(&server).await, server.wire().await);
    ok(&mut wire, "CREATE TABLE t (id bigint)").await;
    ok(&mut wire, "CREATE VIEW v AS SELECT id FROM t").await;
    let in_schema =
        |schema: &str, table: &str, mode| CommandStatementIngest { schema: Some(schema.into()), ..into(table, mode) };
    for (table, expected) in [
        ("v", "55000 cannot insert into view \"v\""),
        ("pg_class", "42501 permission denied: \"pg_class\" is a system catalog"),
    ] {
        assert_eq!(refused(&mut client, &into(table, APPEND), vec![ids([1])]).await, expected);
    }
    let unknown = in_schema("nowhere", "t", CREATE);
    assert_eq!(refused(&mut client, &unknown, vec![ids([1])]).await, "3F000 schema \"nowhere\" does not exist");
    let sales = in_schema("shop", "sales", APPEND);
    assert_eq!(
        refused(&mut client, &sales, vec![ids([1])]).await,
        "42809 cannot write to table \"sales\" of format csv"
    );
    let system = in_schema("pg_catalog", "t", CREATE);
    assert_eq!(refused(&mut client, &system, vec![ids([1])]).await, "42501 permission denied for schema pg_catalog");
    let temporary = CommandStatementIngest { temporary: true, ..into("t", APPEND) };
    assert_eq!(refused(&mut client, &temporary, vec![ids([1])]).await, "0A000 temporary tables are not supported");
    let transaction = CommandStatementIngest { transaction_id: Some(vec![1].into()), ..into("t", APPEND) };
    let told = refused(&mut client, &transaction, vec![ids([1])]).await;
    assert_eq!(told, "0A000 transactions of Flight SQL are not supported");
    let catalog = CommandStatementIngest { catalog: Some("other".into()), ..into("t", APPEND) };
    assert_eq!(refused(&mut client, &catalog, vec![ids([1])]).await, "3D000 database \"other\" does not exist");
    let option = CommandStatementIngest { options: [("speed".to_owned(), "9".to_owned())].into(), ..into("t", APPEND) };
    assert_eq!(
        refused(&mut client, &option, vec![ids([1])]).await,
        "22023 unrecognized option of an ingest: \"speed\""
    );
    let unsaid = CommandStatementIngest { table_definition_options: None, ..into("t", APPEND) };
    assert!(refused(&mut client, &unsaid, vec![ids([1])]).await.starts_with("22023 the ingest does not say"));
    client.update("SET default_transaction_read_only = on").await.unwrap();
    let read_only = refused(&mut client, &into("t", APPEND), vec![ids([1])]).await;
    assert_eq!(read_only, "25006 cannot execute INSERT in a read-only transaction");
    client.update("SET default_transaction_read_only = off").await.unwrap();
    let own = CommandStatementIngest { catalog: Some("lakegate".into()), ..in_schema("public", "t", APPEND) };
    assert_eq!(client.ingest(&own, vec![ids([1])]).await.unwrap(), 1);
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["1"]);
    // A lake that nobody may write.
    let server = TestServer::start(&Lake::default()).await;
    let told = refused(&mut connect(&server).await, &into("t", CREATE), vec![ids([1])]).await;
    assert_eq!(told, "25006 cannot create table \"t\": every source of the lake is read-only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_has_its_ingests_in_its_own_commit() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let (mut client, mut wire) = (connect(&server).await, server.wire().await);
    ok(&mut wire, "CREATE TABLE t (id bigint)").await;
    client.update("BEGIN").await.unwrap();
    for id in 1..4 {
        assert_eq!(client.ingest(&into("t", APPEND), vec![ids([id])]).await.unwrap(), 1);
    }
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["0"]);
    client.update("COMMIT").await.unwrap();
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["3"]);
    assert_eq!(commits(&lake, "public/t"), 2);
    client.update("BEGIN").await.unwrap();
    assert_eq!(client.ingest(&into("t", REPLACE), vec![ids([9])]).await.unwrap(), 1);
    let wrong =
        refused(&mut client, &into("t", APPEND), vec![batch(&[("x", Arc::new(Int64Array::from(vec![1])))])]).await;
    assert!(wrong.starts_with("42703"), "{wrong}");
    assert!(refused(&mut client, &into("t", APPEND), vec![ids([9])]).await.starts_with("25P02"));
    client.update("ROLLBACK").await.unwrap();
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_tell_how_many_rows_they_have_changed() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut client = connect(&server).await;
    for (sql, count) in [
        ("CREATE TABLE t (a int)", 0),
        ("INSERT INTO t SELECT * FROM generate_series(1, 1000)", 1000),
        ("UPDATE t SET a = a + 1 WHERE a <= 10", 10),
        ("DELETE FROM t WHERE a > 990", 10),
        ("DELETE FROM t WHERE a > 5000", 0),
        ("CREATE TABLE u AS SELECT a FROM t LIMIT 7", 7),
        ("TRUNCATE t", 0),
        ("SET timezone = 'UTC'", 0),
    ] {
        assert_eq!(client.update(sql).await.unwrap(), count, "{sql}");
    }
    let handle = client.prepare("INSERT INTO t VALUES ($1), ($1)").await.unwrap().prepared_statement_handle;
    let sets = batch(&[("0", Arc::new(Int64Array::from(vec![1, 2, 3])))]);
    assert_eq!(client.execute_update(&handle, sets).await.unwrap(), 6);
}
