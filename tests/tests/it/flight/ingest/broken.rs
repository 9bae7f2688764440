//! Streams that end before their end, and messages that are damaged: nothing is committed, and no file stays.

use std::time::Duration;

use arrow::array::{DictionaryArray, StringViewBuilder};
use arrow::datatypes::Int8Type;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_ipc::writer::IpcWriteOptions;
use futures::{StreamExt, TryStreamExt, stream};
use lakegate_tests::flight::messages;

use super::super::one_text;
use super::*;

async fn put(client: &mut Client, data: Vec<FlightData>) -> Result<(), tonic::Status> {
    let request = client.request(stream::iter(data));
    client.raw().do_put(request).await.map(drop)
}

/// Waits for what happens in the background.
async fn until(mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it never came");
}

fn files(lake: &Lake) -> usize {
    lake.keys().iter().filter(|key| key.ends_with(".parquet")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cut_off_is_not_committed() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut wire = server.wire().await;
    ok(&mut wire, "CREATE TABLE t (id bigint)").await;
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO \"t\"%'";
    for round in 0..12 {
        let client = connect(&server).await;
        let batches = (0..4).map(|at| ids(at * 50_000..(at + 1) * 50_000)).collect();
        let data = messages(&into("t", APPEND), &ids([]).schema(), batches).await;
        let endless = stream::iter(data).chain(stream::pending());
        let request = client.request(endless);
        let call = tokio::spawn({
            let mut client = client.clone();
            async move { client.raw().do_put(request).await.map(drop) }
        });
        until(async || rows(&mut wire, running).await == ["1"]).await;
        // By turns the call is cancelled, by its client or by another session, and the connection cut.
        match round % 3 {
            0 => call.abort(),
            1 => {
                let cancel =
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO \"t\"%'";
                ok(&mut wire, cancel).await;
                assert_eq!(state(&call.await.unwrap().unwrap_err()), "57014");
            }
            _ => {
                drop(client);
                call.abort();
            }
        }
        until(async || rows(&mut wire, running).await == ["0"]).await;
    }
    until(async || files(&lake) == 0).await;
    assert_eq!(rows(&mut wire, "SELECT count(*) FROM t").await, ["0"]);
    assert_eq!(commits(&lake, "public/t"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_ends_an_ingest() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = connect(&server).await;
    client.update("SET statement_timeout = '100ms'").await.unwrap();
    let data = messages(&into("t", CREATE), &ids([]).schema(), vec![ids(0..10)]).await;
    let request = client.request(stream::iter(data).chain(stream::pending()));
    let status = client.raw().do_put(request).await.unwrap_err();
    assert_eq!(state(&status), "57014");
    until(async || files(&lake) == 0).await;
    assert_eq!(refused(&mut client, &into("t", APPEND), vec![ids([1])]).await, "42P01 relation \"t\" does not exist");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_messages_fail_their_call_alone() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = connect(&server).await;
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["one", "two"]));
    let given = batch(&[("id", Arc::new(Int64Array::from(vec![1, 2]))), ("s", texts)]);
    client.ingest(&into("t", CREATE), vec![given.clone()]).await.unwrap();
    let whole = messages(&into("t", APPEND), &given.schema(), vec![given.clone(), given.clone()]).await;
    let (mut failed, mut written) = (0, 1);
    for message in 0..whole.len() {
        for at in 0..whole[message].data_header.len() {
            let mut damaged = whole.clone();
            let mut header = damaged[message].data_header.to_vec();
            header[at] ^= 0x41;
            damaged[message].data_header = header.into();
            match put(&mut client, damaged).await {
                Ok(()) => written += 1,
                Err(_) => failed += 1,
            }
        }
    }
    assert!(failed > 100, "{failed}");
    assert_eq!(commits(&lake, "public/t"), written);
    // Without a schema, with another one, and with rows before it.
    for wrong in [
        vec![whole[0].clone(), whole[0].clone()],
        vec![whole[1].clone()],
        vec![FlightData { data_header: Vec::new().into(), ..whole[0].clone() }, whole[1].clone()],
    ] {
        assert!(put(&mut client, wrong).await.is_err());
    }
    assert_eq!(one_text(&mut client, "SELECT 'alive'").await, "alive");
    assert_eq!(commits(&lake, "public/t"), written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_bytes_do_not_become_very_many() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = connect(&server).await;
    // Every view and every key names the same bytes: as values of their own they are 64 GB.
    let long = "x".repeat(8 << 20);
    let mut views = StringViewBuilder::with_capacity(8_192);
    let block = views.append_block(long.as_bytes().to_vec().into());
    (0..8_192).for_each(|_| views.try_append_view(block, 0, u32::try_from(long.len()).unwrap()).unwrap());
    let views = batch(&[("s", Arc::new(views.finish()))]);
    let keys = arrow::array::Int8Array::from(vec![0; 8_192]);
    let dictionary = DictionaryArray::<Int8Type>::new(keys, Arc::new(StringArray::from(vec![long])));
    let dictionary = batch(&[("s", Arc::new(dictionary))]);
    client.update("SET statement_timeout = '1s'").await.unwrap();
    for hostile in [views, dictionary] {
        let data = messages(&into("t", CREATE), &hostile.schema(), vec![hostile]).await;
        let status = put(&mut client, data).await.unwrap_err();
        assert_eq!(state(&status), "57014", "{status:?}");
    }
    client.update("SET statement_timeout = 0").await.unwrap();
    let options = IpcWriteOptions::default().try_with_compression(Some(arrow_ipc::CompressionType::ZSTD)).unwrap();
    let descriptor = messages(&into("t", CREATE), &ids([]).schema(), vec![]).await[0].flight_descriptor.clone();
    let packed: Vec<FlightData> = FlightDataEncoderBuilder::new()
        .with_flight_descriptor(descriptor)
        .with_options(options)
        .build(stream::iter([Ok(ids(0..1000))]))
        .try_collect()
        .await
        .unwrap();
    let status = put(&mut client, packed).await.unwrap_err();
    assert_eq!(state(&status), "0A000");
    let large = batch(&[("s", Arc::new(StringArray::from(vec!["x".repeat(17 << 20)])))]);
    let status = client.ingest(&into("t", CREATE), vec![large]).await.unwrap_err();
    assert_eq!((state(&status), status.message().lines().next().unwrap()), ("54000", "too large message"));
    assert_eq!(commits(&lake, "public/t"), 0);
}
