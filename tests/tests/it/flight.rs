//! Flight SQL: the same answers as over the PostgreSQL protocol, in columns.

mod access;
mod attacks;
mod certificates;
mod endpoints;
mod forms;
mod frames;
mod hostile;
mod ingest;
mod jwt;
mod limits;
mod metadata;
mod parameters;
mod processes;
mod reads;
mod sessions;
mod tickets;
mod tokens;

pub(crate) use access::basic;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use lakegate_tests::flight::{Client, state};
use lakegate_tests::{Lake, TestServer};
use tonic::Code;

pub(crate) async fn connect(server: &TestServer) -> Client {
    Client::login(server.server.flight_addr()).await
}

/// The texts of a column of texts.
pub(crate) fn texts(batches: &[RecordBatch], at: usize) -> Vec<String> {
    let column = |batch: &RecordBatch| {
        let texts = batch.column(at).as_string::<i32>().clone();
        texts.iter().map(|text| text.unwrap_or("NULL").to_owned()).collect::<Vec<_>>()
    };
    batches.iter().flat_map(column).collect()
}

pub(crate) async fn one_text(client: &mut Client, sql: &str) -> String {
    texts(&client.query(sql).await.unwrap().batches, 0).remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_the_lake_come_in_columns() {
    let lake = Lake::default();
    let lines: String = (0..20_000).map(|n| format!("{n},name {n},{}.5,2024-01-{:02}\n", n % 7, n % 28 + 1)).collect();
    lake.write("shop/sales.csv", format!("id,name,amount,day\n{lines}"));
    let server = TestServer::start(&lake).await;
    let mut client = connect(&server).await;
    let rows = client.query("SELECT id, name, amount, day FROM shop.sales ORDER BY id").await.unwrap();
    let types: Vec<_> = rows.schema.fields().iter().map(|field| field.data_type().clone()).collect();
    assert_eq!(types, [DataType::Int64, DataType::Utf8, DataType::Float64, DataType::Date32]);
    let ids: Vec<i64> =
        rows.batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(ids, (0..20_000).collect::<Vec<_>>());
    assert_eq!(texts(&rows.batches, 1)[19_999], "name 19999");
    // The schema comes also where no row does.
    let none = client.query("SELECT id, name FROM shop.sales WHERE id < 0").await.unwrap();
    assert_eq!((none.schema.fields().len(), none.batches.iter().map(RecordBatch::num_rows).sum::<usize>()), (2, 0));
    let nothing = client.query("SELECT FROM shop.sales LIMIT 3").await.unwrap();
    assert_eq!(nothing.batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrow_cannot_tell_comes_as_text() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let sql = "SELECT '12.5'::money, 'pg_class'::regclass, '10:00:00+02'::timetz, 1.50::numeric(10, 2), \
               '{\"a\": 1}'::jsonb, ARRAY['x', NULL], 'a'::text, interval '1 mon 2 days'";
    let rows = client.query(sql).await.unwrap();
    let batch = &rows.batches[0];
    let shown: Vec<_> = (0..3).map(|at| batch.column(at).as_string::<i32>().value(0).to_owned()).collect();
    assert_eq!(shown, ["$12.50", "pg_class", "10:00:00+02"]);
    assert_eq!(*batch.column(3).data_type(), DataType::Decimal128(10, 2));
    assert_eq!(batch.column(4).as_string::<i32>().value(0), "{\"a\": 1}");
    let names = rows.schema.fields().iter().map(|field| field.metadata()["ARROW:FLIGHT:SQL:TYPE_NAME"].clone());
    let names: Vec<_> = names.collect();
    assert_eq!(names, ["money", "regclass", "timetz", "numeric", "jsonb", "_text", "text", "interval"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_those_of_the_other_protocol() {
    let server = TestServer::start(&Lake::default()).await;
    let (mut flight, mut wire) = (connect(&server).await, server.wire().await);
    for (sql, code) in [
        ("SELECT * FROM nowhere", Code::NotFound),
        ("SELEC 1", Code::InvalidArgument),
        ("SELECT nothing FROM pg_class", Code::InvalidArgument),
        ("SELECT 1 / 0", Code::InvalidArgument),
        ("SELECT 'x'::int4", Code::InvalidArgument),
        ("SELECT nosuch(1)", Code::InvalidArgument),
        ("SELECT 1 / (a - 5) FROM generate_series(1, 10) AS t(a)", Code::InvalidArgument),
        ("SHOW nothing", Code::NotFound),
        ("CREATE INDEX ON x (y)", Code::Unimplemented),
        ("", Code::InvalidArgument),
        ("SELECT 1; SELECT 2", Code::InvalidArgument),
    ] {
        let status = flight.query(sql).await.unwrap_err();
        assert_eq!(status.code(), code, "{sql}: {status:?}");
        let Some(fault) = wire.query(sql).await.fault else { continue };
        assert_eq!(state(&status), fault.state, "{sql}");
        assert_eq!(status.message().lines().next(), Some(fault.message.as_str()), "{sql}");
    }
    assert_eq!(one_text(&mut flight, "SELECT 'alive'").await, "alive");
}
