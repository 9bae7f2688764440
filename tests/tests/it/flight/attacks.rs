//! Clients that want to keep the server busy, or never let go.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringViewArray};
use arrow::datatypes::Int32Type;
use arrow_flight::sql::{CommandPreparedStatementQuery, CommandStatementQuery, ProstMessageExt};
use arrow_flight::{FlightData, FlightDescriptor};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::IpcWriteOptions;
use futures::{StreamExt, TryStreamExt, stream};
use lakegate_tests::flight::{Client, state, status};
use lakegate_tests::{Certificate, Lake, TestServer};
use prost::Message;
use tonic::Code;

use super::frames::{self, Raw};
use super::{connect, one_text};

async fn with(change: impl FnOnce(&mut gateway::config::Flight)) -> TestServer {
    let lake = Lake::default();
    let mut config = lakegate_tests::server::config(&lake);
    change(&mut config.flight);
    TestServer::with(config).await.keeping(&lake)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_resets_end_their_own_connection() {
    let server = with(|_| {}).await;
    let mut honest = connect(&server).await;
    let mut raw = Raw::greet(server.server.flight_addr()).await;
    let attack: Vec<u8> =
        (0..10_000).flat_map(|n| [frames::call(2 * n + 1), frames::reset(2 * n + 1)].concat()).collect();
    // The server may close before all of it is sent.
    let _ = raw.send(&attack).await;
    let last = raw.until_closed().await.into_iter().find(|frame| frame.kind == frames::GOAWAY);
    assert!(last.is_none_or(|last| last.code() == frames::ENHANCE_YOUR_CALM));
    assert_eq!(one_text(&mut honest, "SELECT 'alive'").await, "alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_without_an_end_are_cut() {
    let server = with(|_| {}).await;
    let mut raw = Raw::greet(server.server.flight_addr()).await;
    raw.send(&frames::unfinished_call(1)).await.unwrap();
    let more = frames::continuation(1);
    let mut sent = 0;
    while sent < 64 << 20 && raw.send(&more).await.is_ok() {
        sent += more.len();
    }
    assert!(sent < 16 << 20, "{sent} bytes of headers were taken");
    assert_eq!(one_text(&mut connect(&server).await, "SELECT 'alive'").await, "alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_has_so_many_calls_at_a_time() {
    let server = with(|_| {}).await;
    let mut raw = Raw::greet(server.server.flight_addr()).await;
    let calls: Vec<u8> = (0..65).flat_map(|n| frames::call(2 * n + 1)).collect();
    raw.send(&calls).await.unwrap();
    let refused = loop {
        let frame = raw.receive().await.expect("one refused call is no reason to close");
        if frame.kind == frames::RST_STREAM {
            break frame;
        }
    };
    assert_eq!((refused.stream, refused.code()), (129, frames::REFUSED_STREAM));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_logs_in_is_cut() {
    let server = with(|config| config.authentication_timeout_ms = 300).await;
    let addr = server.server.flight_addr();
    let mut honest = connect(&server).await;
    let mut silent = Raw::open(addr).await;
    let mut polite = Raw::greet(addr).await;
    let mut slow = Raw::greet(addr).await;
    slow.send(&frames::unfinished_call(1)).await.unwrap();
    for raw in [&mut silent, &mut polite, &mut slow] {
        raw.until_closed().await;
    }
    assert_eq!(one_text(&mut honest, "SELECT 'alive'").await, "alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_of_tls_that_does_not_go_on_is_cut() {
    let (lake, certificate) = (Lake::default(), Certificate::default());
    let mut config = lakegate_tests::server::config(&lake);
    certificate.install_for_flight(&mut config);
    config.flight.authentication_timeout_ms = 300;
    let server = TestServer::with(config).await.keeping(&lake);
    for first in [&b""[..], &[0x16, 3, 1, 2, 0, 1]] {
        let mut raw = Raw::open(server.server.flight_addr()).await;
        raw.send(first).await.unwrap();
        assert!(raw.until_closed().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_too_many_is_told_so() {
    let server = with(|config| config.max_connections = 2).await;
    // Those who do not log in take no place.
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(Raw::greet(server.server.flight_addr()).await);
    }
    let (mut one, two) = (connect(&server).await, connect(&server).await);
    let mut three = Client::open(server.server.flight_addr()).await;
    let refused = three.query("SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), state(&refused)), (Code::ResourceExhausted, "53300"));
    assert_eq!(refused.message(), "sorry, too many clients already");
    assert_eq!(three.handshake(None).await.unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(one_text(&mut one, "SELECT 'alive'").await, "alive");
    drop((two, three));
    let again = async {
        loop {
            let mut client = Client::open(server.server.flight_addr()).await;
            if client.query("SELECT 1").await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("a place that was left is free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_nobody_takes_are_let_go() {
    let lake = Lake::sample();
    let mut config = lakegate_tests::server::config(&lake);
    config.flight.write_timeout_ms = 300;
    config.engine.running_max = 1;
    let server = TestServer::with(config).await.keeping(&lake);
    let mut client = connect(&server).await;
    // A statement that reads the lake has a place of its own, of which there is one here.
    let o = "weather.observations";
    let endless = format!("SELECT a.n, b.n, repeat('x', 100) FROM {o} a, {o} b, {o} c, {o} d");
    let query = CommandStatementQuery { query: endless, transaction_id: None };
    let info = client.info(&query).await.unwrap();
    let mut rows = client.stream(client.request(info.endpoint[0].ticket.clone().unwrap())).await.unwrap();
    assert!(rows.next().await.unwrap().unwrap().num_rows() > 0);
    let counters = server.server.engine().counters();
    let ended = async {
        while counters.canceled.load(Ordering::Relaxed) == 0 || server.server.engine().memory_reserved() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the statement runs on");
    // The place is free, and the connection as good as before.
    let count = format!("SELECT count(*)::text FROM {o}");
    assert_eq!(one_text(&mut client, &count).await, "1000");
    let failed = loop {
        match rows.next().await.expect("an error ends it") {
            Ok(_) => {}
            Err(error) => break status(error),
        }
    };
    assert_eq!((failed.code(), state(&failed)), (Code::Unavailable, "08006"));
}

/// Puts a batch as the parameters of a statement.
async fn bind(client: &mut Client, batch: RecordBatch, options: IpcWriteOptions) -> Result<(), tonic::Status> {
    let handle = client.prepare("SELECT $1::text").await.unwrap().prepared_statement_handle;
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let data: Vec<FlightData> = arrow_flight::encode::FlightDataEncoderBuilder::new()
        .with_flight_descriptor(Some(descriptor))
        .with_options(options)
        .with_dictionary_handling(arrow_flight::encode::DictionaryHandling::Resend)
        .build(stream::iter([Ok(batch)]))
        .try_collect()
        .await
        .unwrap();
    let request = client.request(stream::iter(data));
    client.raw().do_put(request).await.map(drop)
}

fn one_column(values: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter([("0", values)]).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_messages_do_not_become_large_ones() {
    let server = with(|_| {}).await;
    let mut client = connect(&server).await;
    let packed = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let refused = bind(&mut client, one_column(Arc::new(Int64Array::from(vec![7; 1000]))), packed).await.unwrap_err();
    assert_eq!((refused.code(), state(&refused)), (Code::Unimplemented, "0A000"));
    // 60,000 values that are the same million bytes.
    let long = "x".repeat(1 << 20);
    let mut views = StringViewArray::from(vec![long.as_str()]);
    views = StringViewArray::new(
        std::iter::repeat_n(views.views()[0], 60_000).collect::<Vec<_>>().into(),
        views.data_buffers().to_vec(),
        None,
    );
    let keys = arrow::array::PrimitiveArray::<Int32Type>::from(vec![0; 60_000]);
    let words = arrow::array::DictionaryArray::new(keys, Arc::new(StringArray::from(vec![long.as_str()])));
    for values in [Arc::new(views) as ArrayRef, Arc::new(words)] {
        let refused = bind(&mut client, one_column(values), IpcWriteOptions::default()).await.unwrap_err();
        assert_eq!((refused.code(), state(&refused)), (Code::ResourceExhausted, "54000"), "{refused:?}");
    }
    // Categories are nothing unusual.
    let keys = arrow::array::PrimitiveArray::<Int32Type>::from_iter_values((0..60_000).map(|n| n % 3));
    let words = arrow::array::DictionaryArray::new(keys, Arc::new(StringArray::from(vec!["a", "b", "c"])));
    bind(&mut client, one_column(Arc::new(words)), IpcWriteOptions::default()).await.unwrap();
}
