//! Prepared statements with values.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int64Type, Schema};
use arrow_flight::IpcMessage;
use bytes::Bytes;
use lakegate_tests::flight::state;
use lakegate_tests::{Lake, TestServer};

use super::{connect, texts};

fn values(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns.into_iter().enumerate().map(|(at, column)| (at.to_string(), column));
    RecordBatch::try_from_iter_with_nullable(named.map(|(name, column)| (name, column, true))).unwrap()
}

fn schema(ipc: Bytes) -> Schema {
    Schema::try_from(IpcMessage(ipc)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_bound_by_position_and_read_as_their_types() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let sql = "SELECT $1::int8 + 1, $2::text || '!', $3::date + 1, $4::numeric, $5::int4 IS NULL";
    let prepared = client.prepare(sql).await.unwrap();
    assert_eq!(schema(prepared.dataset_schema).fields().len(), 5);
    let asked: Vec<_> =
        schema(prepared.parameter_schema).fields().iter().map(|field| field.data_type().clone()).collect();
    assert_eq!(asked[..3], [DataType::Int64, DataType::Utf8, DataType::Date32]);
    let handle = prepared.prepared_statement_handle;
    // The text for a date is read as PostgreSQL reads it; the float for a numeric keeps its digits.
    let given = values(vec![
        Arc::new(Int64Array::from(vec![41])),
        Arc::new(StringArray::from(vec!["hi"])),
        Arc::new(StringArray::from(vec!["28 Feb 2024"])),
        Arc::new(Float64Array::from(vec![0.1])),
        Arc::new(Int64Array::from(vec![None])),
    ]);
    let bound = client.bind(&handle, given).await.unwrap();
    let rows = client.execute(&bound).await.unwrap();
    let batch = &rows.batches[0];
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(0), 42);
    assert_eq!(texts(&rows.batches, 1), ["hi!"]);
    let day = Date32Array::from(vec![19_782]);
    assert_eq!(batch.column(2).as_primitive::<arrow::datatypes::Date32Type>(), &day);
    assert!(batch.column(4).as_boolean().value(0));
    // The handle without values is as it was.
    assert_eq!(state(&client.execute(&handle).await.unwrap_err()), "08P01");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_values_runs_once_for_each() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let handle = client.prepare("SELECT $1::int8 * 2").await.unwrap().prepared_statement_handle;
    let given = values(vec![Arc::new(Int64Array::from_iter_values(1..=100))]);
    let bound = client.bind(&handle, given.clone()).await.unwrap();
    let rows = client.execute(&bound).await.unwrap();
    let doubled: Vec<i64> =
        rows.batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(doubled, (1..=100).map(|n| n * 2).collect::<Vec<_>>());
    assert_eq!(client.execute_update(&handle, given).await.unwrap(), 100);
    // Of no set of values there are no rows, and no error.
    let none = client.bind(&handle, values(vec![Arc::new(Int64Array::from(Vec::<i64>::new()))])).await.unwrap();
    assert_eq!(client.execute(&none).await.unwrap().batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_do_not_fit_are_refused() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let handle = client.prepare("SELECT $1::int2").await.unwrap().prepared_statement_handle;
    for (column, expected) in [
        (Arc::new(Int64Array::from(vec![40_000])) as ArrayRef, "22003"),
        (Arc::new(StringArray::from(vec!["x"])), "22P02"),
        (Arc::new(arrow::array::BinaryArray::from_vec(vec![b"x"])), "42804"),
    ] {
        let bound = client.bind(&handle, values(vec![column])).await.unwrap();
        let status = client.execute(&bound).await.unwrap_err();
        assert_eq!(state(&status), expected, "{status:?}");
    }
    let two: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let bound = client.bind(&handle, values(vec![Arc::clone(&two), two])).await.unwrap();
    assert_eq!(state(&client.execute(&bound).await.unwrap_err()), "08P01");
    assert_eq!(state(&client.prepare("SELECT $1 FROM nowhere").await.unwrap_err()), "42P01");
}
