//! Messages that no honest client sends.

use arrow::array::{Int64Array, RecordBatch};
use arrow_flight::sql::{Any, CommandPreparedStatementQuery, ProstMessageExt};
use arrow_flight::{Action, FlightData, FlightDescriptor, Ticket};
use futures::stream;
use lakegate_tests::flight::{Client, state};
use lakegate_tests::{Lake, TestServer};
use prost::Message;
use std::sync::Arc;
use tonic::Code;

use super::{connect, one_text};

/// Bytes that look like nothing, the same in every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_is_refused_and_harms_nobody() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let url = |name: &str| format!("type.googleapis.com/arrow.flight.protocol.sql.{name}");
    let mut bodies: Vec<Vec<u8>> = (0..60).map(|seed| noise(seed, (seed * 7) as usize)).collect();
    for name in ["TicketStatementQuery", "CommandStatementQuery", "CommandGetTables", "CommandNothing"] {
        bodies.extend((1..20).map(|seed| Any { type_url: url(name), value: noise(seed, 40).into() }.encode_to_vec()));
    }
    for body in bodies {
        let told = [
            client.fetch(Ticket::new(body.clone())).await.err(),
            {
                let request = client.request(FlightDescriptor::new_cmd(body.clone()));
                client.raw().get_flight_info(request).await.err()
            },
            client.act("CreatePreparedStatement", body.clone()).await.err(),
            client.act("CancelFlightInfo", body.clone()).await.err(),
            client.act("SetSessionOptions", body.clone()).await.err(),
            {
                let descriptor = Some(FlightDescriptor::new_cmd(body.clone()));
                let header = body.clone().into();
                put(
                    &mut client,
                    vec![FlightData { flight_descriptor: descriptor, data_header: header, ..FlightData::default() }],
                )
                .await
                .err()
            },
        ];
        for status in told.into_iter().flatten() {
            // No library tells what it thinks of the bytes.
            let is_ours = ["malformed ", "bad ", "could not ", "the action ", " is not supported", "of this kind"];
            assert!(is_ours.iter().any(|words| status.message().contains(words)), "{status:?}");
            let is_fair = matches!(
                status.code(),
                Code::InvalidArgument | Code::Unimplemented | Code::PermissionDenied | Code::NotFound
            );
            assert!(is_fair, "{status:?}");
        }
    }
    assert_eq!(one_text(&mut client, "SELECT 'alive'").await, "alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_batches_fail_their_call_alone() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let handle = client.prepare("SELECT $1::int8").await.unwrap().prepared_statement_handle;
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle };
    let batch = RecordBatch::try_from_iter([("0", Arc::new(Int64Array::from(vec![1])) as _)]).unwrap();
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let whole: Vec<FlightData> = futures::TryStreamExt::try_collect(
        arrow_flight::encode::FlightDataEncoderBuilder::new()
            .with_flight_descriptor(Some(descriptor))
            .build(stream::iter([Ok(batch)])),
    )
    .await
    .unwrap();
    let mut refused = 0;
    for message in 0..whole.len() {
        for at in 0..whole[message].data_header.len() {
            let mut damaged = whole.clone();
            let mut header = damaged[message].data_header.to_vec();
            header[at] ^= 0x41;
            damaged[message].data_header = header.into();
            refused += usize::from(put(&mut client, damaged).await.is_err());
        }
    }
    assert!(refused > 50, "{refused}");
    put(&mut client, whole).await.unwrap();
    assert_eq!(one_text(&mut client, "SELECT 'alive'").await, "alive");
}

async fn put(client: &mut Client, data: Vec<FlightData>) -> Result<(), tonic::Status> {
    let request = client.request(stream::iter(data));
    client.raw().do_put(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let text = format!("SELECT '{}'", "x".repeat(17 << 20));
    assert_eq!(client.query(&text).await.unwrap_err().code(), Code::OutOfRange);
    let mut request = client.request(Ticket::new(Vec::new()));
    request.metadata_mut().insert("x-large", "y".repeat(1 << 20).parse().unwrap());
    assert!(client.raw().do_get(request).await.is_err());
    let mut client = connect(&server).await;
    assert_eq!(one_text(&mut client, "SELECT 'alive'").await, "alive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_says_so() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    for action in ["BeginTransaction", "CreatePreparedSubstraitPlan", "Nothing"] {
        let request = client.request(Action { r#type: action.into(), body: Vec::new().into() });
        let status = client.raw().do_action(request).await.unwrap_err();
        assert_eq!((status.code(), state(&status)), (Code::Unimplemented, "0A000"), "{action}");
    }
}
