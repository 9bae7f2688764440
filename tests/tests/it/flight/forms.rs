//! Rows in the form that a client asks for.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, TimeUnit};
use arrow_flight::FlightDescriptor;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use arrow_ipc::CompressionType;
use futures::TryStreamExt;
use lakegate_tests::flight::{Client, state, texts as texts_of};
use lakegate_tests::{Lake, TestServer};
use prost::Message;
use tonic::Code;

use super::connect;
use crate::arrow_types::{columns, tables, write};

async fn asking(server: &TestServer, header: &'static str, value: &'static str) -> Client {
    let mut client = connect(server).await;
    client.headers.push((header, value));
    client
}

fn types(batch: &RecordBatch) -> Vec<DataType> {
    batch.schema().fields().iter().map(|field| field.data_type().clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buffers_are_compressed_for_those_who_ask() {
    let server = TestServer::start(&Lake::sample()).await;
    let sql = "SELECT n, station, temp FROM weather.observations ORDER BY n";
    let plain = connect(&server).await.query(sql).await.unwrap();
    for (value, codec) in [("zstd", CompressionType::ZSTD), ("lz4", CompressionType::LZ4_FRAME)] {
        let mut client = asking(&server, "lakegate-compression", value).await;
        assert_eq!(client.query(sql).await.unwrap().batches, plain.batches);
        let query = CommandStatementQuery { query: sql.to_owned(), transaction_id: None };
        let ticket = client.info(&query).await.unwrap().endpoint[0].ticket.clone().unwrap();
        // What was asked for with the ticket holds, whoever fetches it.
        client.headers.clear();
        let request = client.request(ticket);
        let data: Vec<_> = client.raw().do_get(request).await.unwrap().into_inner().try_collect().await.unwrap();
        let codecs: Vec<_> = data
            .iter()
            .filter_map(|data| arrow_ipc::root_as_message(&data.data_header).unwrap().header_as_record_batch())
            .map(|batch| batch.compression().map(|compression| compression.codec()))
            .collect();
        assert!(!codecs.is_empty() && codecs.iter().all(|found| *found == Some(codec)), "{codecs:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_are_those_that_the_client_knows() {
    let server = TestServer::start(&Lake::sample()).await;
    let sql = "SELECT n, station, temp, time, 12.50::numeric(10, 2), date '2024-02-29', interval '1 day', ARRAY[1, NULL], \
               '\\x00ff'::bytea, time '10:11:12', n > 0 FROM weather.observations ORDER BY n LIMIT 1";
    let mut basic = asking(&server, "lakegate-types", "basic").await;
    let rows = basic.query(sql).await.unwrap();
    let batch = &rows.batches[0];
    let (text, seconds) = (DataType::Utf8, DataType::Timestamp(TimeUnit::Second, None));
    let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let expected = [
        DataType::Int64,
        text.clone(),
        DataType::Float64,
        moment,
        DataType::Float64,
        seconds,
        text.clone(),
        text.clone(),
        text.clone(),
        text,
        DataType::Boolean,
    ];
    assert_eq!(types(batch), expected);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(0), 0);
    assert_eq!(batch.column(4).as_primitive::<Float64Type>().value(0).to_bits(), 12.5_f64.to_bits());
    let shown: Vec<_> = (6..10).map(|at| batch.column(at).as_string::<i32>().value(0).to_owned()).collect();
    assert_eq!(shown, ["1 day", "{1,NULL}", "\\x00ff", "10:11:12"]);
    // The type of PostgreSQL is told as always.
    assert_eq!(rows.schema.field(4).metadata()["ARROW:FLIGHT:SQL:TYPE_NAME"], "numeric");

    let sql = "SELECT station FROM weather.observations ORDER BY n LIMIT 5";
    let plain = connect(&server).await.query(sql).await.unwrap();
    assert_eq!(types(&plain.batches[0]), [DataType::Utf8]);
    let native = asking(&server, "lakegate-types", "native").await.query(sql).await.unwrap();
    assert_eq!(types(&native.batches[0]), [DataType::Utf8View]);
    let texts = native.batches[0].column(0).as_string_view().iter().flatten().map(str::to_owned);
    assert_eq!(texts.collect::<Vec<_>>(), super::texts(&plain.batches, 0));
}

/// Whether `plain` has the type.
fn is_plain(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View
        | DataType::LargeUtf8
        | DataType::BinaryView
        | DataType::LargeBinary
        | DataType::Dictionary(..)
        | DataType::RunEndEncoded(..)
        | DataType::ListView(_)
        | DataType::LargeList(_)
        | DataType::LargeListView(_) => false,
        DataType::Union(..) => false,
        DataType::List(item) | DataType::FixedSizeList(item, _) => is_plain(item.data_type()),
        _ => true,
    }
}

fn is_basic(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Boolean | DataType::Float32 | DataType::Float64 | DataType::Utf8 | DataType::Timestamp(..)
        )
}

/// What `basic` shows otherwise than the other forms: the first value of a column.
const BASIC: [(&str, &str); 4] = [
    ("uint64", "1.8446744073709552e+19"),
    ("decimal128", "-1.2345e-06"),
    ("decimal256", "1.2345678901234568e+39"),
    ("date64", "1969-12-31 00:00:00"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_has_its_values_in_every_form() {
    let (lake, columns) = (Lake::default(), columns());
    write(&lake, &columns);
    let server = TestServer::start(&lake).await;
    let mut wrong = Vec::new();
    for form in ["plain", "native", "basic"] {
        let mut client = asking(&server, "lakegate-types", form).await;
        for (column, table) in
            columns.iter().flat_map(|column| tables(column).into_iter().map(move |table| (column, table)))
        {
            let query = CommandStatementQuery { query: format!("SELECT c FROM {table}"), transaction_id: None };
            let request = client.request(FlightDescriptor::new_cmd(query.as_any().encode_to_vec()));
            let described = client.raw().get_schema(request).await.unwrap().into_inner();
            // FlightInfo's schema is held to that of the rows by `rows`.
            let rows = client.rows(&query).await.unwrap();
            assert_eq!(Schema::try_from(&described).unwrap(), *rows.schema, "{form} {table}");
            let data_type = rows.schema.field(0).data_type();
            let shown = rows.batches.iter().flat_map(texts_of);
            let shown: Vec<_> = shown.map(|row| row[0].clone().unwrap_or_else(|| "NULL".to_owned())).collect();
            let mut expected = column.shown.to_vec();
            if let (true, Some((_, first))) = (form == "basic", BASIC.iter().find(|(name, _)| *name == column.name)) {
                expected[0] = first;
            }
            let is_known = match form {
                "plain" => is_plain(data_type),
                "basic" => is_basic(data_type),
                _ => true,
            };
            if !is_known || shown != expected {
                wrong.push(format!("{form} {table}: {data_type} {shown:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_does_not_exist_is_refused() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = asking(&server, "lakegate-compression", "gzip").await;
    let refused = client.query("SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), state(&refused)), (Code::InvalidArgument, "22023"));
    assert_eq!(
        refused.message(),
        "invalid value for header \"lakegate-compression\": \"gzip\"\nHINT:  Available values: none, lz4, zstd."
    );
}
