//! What tools ask to browse a server. `Client::rows` holds every answer to the schema that was told before it.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Schema, UInt32Type};
use arrow_flight::IpcMessage;
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo, SqlInfo,
};
use lakegate_tests::{Lake, TestServer};

use super::{connect, texts};

async fn server() -> TestServer {
    let lake = Lake::default();
    lake.write("shop/sales.csv", "id,name\n1,a\n");
    lake.write("shop/returns.csv", "id\n1\n");
    lake.write("weather/days.csv", "day,rain\n2024-01-01,1.5\n");
    TestServer::start(&lake).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_finds_its_way_to_the_columns() {
    let server = server().await;
    let mut client = connect(&server).await;
    let catalogs = client.rows(&CommandGetCatalogs {}).await.unwrap();
    assert_eq!(texts(&catalogs.batches, 0), ["lakegate"]);
    let schemas = client.rows(&CommandGetDbSchemas::default()).await.unwrap();
    let names = texts(&schemas.batches, 1);
    assert!(["shop", "weather", "pg_catalog", "information_schema"].iter().all(|name| names.iter().any(|n| n == name)));
    let one = CommandGetDbSchemas { db_schema_filter_pattern: Some("sho%".into()), ..Default::default() };
    assert_eq!(texts(&client.rows(&one).await.unwrap().batches, 1), ["shop"]);
    let types = client.rows(&CommandGetTableTypes {}).await.unwrap();
    assert!(texts(&types.batches, 0).contains(&"TABLE".to_owned()));

    let asked = CommandGetTables { table_types: vec!["TABLE".into()], ..Default::default() };
    let tables = client.rows(&asked).await.unwrap();
    let found: Vec<_> = texts(&tables.batches, 1).into_iter().zip(texts(&tables.batches, 2)).collect();
    let expected = [("shop", "returns"), ("shop", "sales"), ("weather", "days")];
    assert_eq!(found, expected.map(|(schema, table)| (schema.to_owned(), table.to_owned())));
    let asked = CommandGetTables {
        db_schema_filter_pattern: Some("shop".into()),
        table_name_filter_pattern: Some("sale_".into()),
        include_schema: true,
        ..Default::default()
    };
    let tables = client.rows(&asked).await.unwrap();
    assert_eq!(texts(&tables.batches, 3), ["TABLE"]);
    let ipc = tables.batches[0].column(4).as_binary::<i32>().value(0).to_vec();
    let schema = Schema::try_from(IpcMessage(ipc.into())).unwrap();
    let columns: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(columns, ["id", "name"]);
    assert_eq!(schema.field(0).metadata()["ARROW:FLIGHT:SQL:TYPE_NAME"], "int8");
    let elsewhere = CommandGetTables { catalog: Some("other".into()), ..Default::default() };
    assert!(texts(&client.rows(&elsewhere).await.unwrap().batches, 1).is_empty());
    // The relations of the catalogs can be described too.
    let asked = CommandGetTables {
        db_schema_filter_pattern: Some("pg_catalog".into()),
        include_schema: true,
        ..Default::default()
    };
    let tables = client.rows(&asked).await.unwrap();
    assert!(texts(&tables.batches, 2).contains(&"pg_class".to_owned()));
    assert!(tables.batches[0].column(4).null_count() == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_question_has_an_answer() {
    let server = server().await;
    let mut client = connect(&server).await;
    let table = || "sales".to_owned();
    let keys = [
        client.rows(&CommandGetPrimaryKeys { table: table(), ..Default::default() }).await.unwrap(),
        client.rows(&CommandGetExportedKeys { table: table(), ..Default::default() }).await.unwrap(),
        client.rows(&CommandGetImportedKeys { table: table(), ..Default::default() }).await.unwrap(),
        client.rows(&CommandGetCrossReference { pk_table: table(), ..Default::default() }).await.unwrap(),
    ];
    assert_eq!(keys.map(|rows| rows.schema.fields().len()), [6, 13, 13, 13]);
    let all = client.rows(&CommandGetSqlInfo { info: Vec::new() }).await.unwrap();
    let ids = all.batches[0].column(0).as_primitive::<UInt32Type>().values().to_vec();
    assert!((0..=11).chain([100, 101]).chain(500..=576).all(|id| ids.contains(&id)), "{ids:?}");
    let some = client.rows(&CommandGetSqlInfo { info: vec![0, 8] }).await.unwrap();
    assert_eq!(some.batches[0].num_rows(), 2);
    let types = client.rows(&CommandGetXdbcTypeInfo { data_type: None }).await.unwrap();
    assert!(texts(&types.batches, 0).contains(&"timestamptz".to_owned()));
    let bigint = client.rows(&CommandGetXdbcTypeInfo { data_type: Some(-5) }).await.unwrap();
    assert_eq!(texts(&bigint.batches, 0), ["int8"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_says_whether_it_takes_rows() {
    let lake = Lake::default();
    for (server, is_writable) in [(TestServer::start(&lake).await, false), (TestServer::writable(&lake).await, true)] {
        let asked = [
            SqlInfo::FlightSqlServerReadOnly,
            SqlInfo::FlightSqlServerBulkIngestion,
            SqlInfo::FlightSqlServerIngestTransactionsSupported,
        ];
        let asked = CommandGetSqlInfo { info: asked.map(|id| id as u32).to_vec() };
        let told = connect(&server).await.rows(&asked).await.unwrap();
        let values = told.batches[0].column(1).as_union();
        let told: Vec<bool> = (0..3).map(|at| values.value(at).as_boolean().value(0)).collect();
        assert_eq!(told, [!is_writable, is_writable, false]);
    }
}
