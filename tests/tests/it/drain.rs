//! What clients and probes hear between the request to stop and the end, and while the store does not answer.

use std::time::Duration;

use arrow_flight::sql::CommandStatementQuery;
use futures::StreamExt;
use lakegate_tests::s3::{Fault, Operation};
use lakegate_tests::wire::{Client, cancel_until_ready, message};
use lakegate_tests::{Lake, TestServer, flight, s3};
use tokio::net::TcpStream;

use crate::cancel::ENDLESS;
use crate::http::get;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_serves_who_is_there_and_tells_who_comes() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut running = server.wire().await;
    let mut idle = server.wire().await;
    running.send(&message::query("SELECT pg_sleep(1), count(*) FROM generate_series(1, 3)")).await;
    let mut stuck = server.wire().await;
    stuck.send(&message::query(ENDLESS)).await;
    assert_eq!(get(&server, "/readyz").await.0, 200);
    let clients = async {
        let told = idle.until_closed().await;
        let fault = told.iter().find_map(|message| message.fault()).unwrap();
        assert_eq!((&*fault.severity, &*fault.state), ("FATAL", "57P01"));
        assert_eq!(get(&server, "/readyz").await, (503, "stopping\n".to_owned()));
        assert_eq!(get(&server, "/healthz").await.0, 200);
        assert_eq!(get(&server, "/metrics").await.0, 200);
        let mut late = Client::open(server.addr()).await;
        late.send(&message::startup(message::PROTOCOL_3_0, &[("user", "late"), ("database", "lakegate")])).await;
        let told = late.until_closed().await;
        let fault = told.iter().find_map(|message| message.fault()).unwrap();
        assert_eq!((&*fault.severity, &*fault.state), ("FATAL", "57P03"));
        assert_eq!(fault.message, "the database system is shutting down");
        let answer = running.until_ready().await;
        assert_eq!(answer.iter().filter(|message| message.tag == b'D').count(), 1, "the statement ends well");
        assert_eq!(cancel_until_ready(server.addr(), &mut stuck).await.state(), "57014");
    };
    tokio::join!(server.server.shutdown(), clients);
    let told = running.until_closed().await;
    assert_eq!(told.iter().find_map(|message| message.fault()).unwrap().state, "57P01");
    for addr in [server.addr(), server.server.flight_addr(), server.server.http_addr()] {
        assert!(TcpStream::connect(addr).await.is_err(), "{addr} is still served");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_over_flight_arrive_to_the_last() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut client = flight::Client::login(server.server.flight_addr()).await;
    // Far more than is on its way at any moment.
    let query = "SELECT n, repeat('x', 1000) FROM generate_series(1, 40000) n".to_owned();
    let info = client.info(&CommandStatementQuery { query, transaction_id: None }).await.unwrap();
    let mut rows = client.stream(client.request(info.endpoint[0].ticket.clone().unwrap())).await.unwrap();
    let mut count = rows.next().await.unwrap().unwrap().num_rows();
    let mut idle = server.wire().await;
    let reading = async {
        // It is told when the stop has begun.
        idle.until_closed().await;
        while let Some(batch) = rows.next().await {
            count += batch.unwrap().num_rows();
        }
        count
    };
    // A client that stays connected holds up nothing.
    let stopped = async { tokio::join!(server.server.shutdown(), reading).1 };
    assert_eq!(tokio::time::timeout(Duration::from_secs(60), stopped).await, Ok(40_000));
    assert!(client.query("SELECT 1").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_answer_takes_readiness_and_not_life() {
    let store = s3::Server::start().await;
    store.upload(&Lake::sample(), "lake").await;
    let server = TestServer::start_s3(&store, "lake").await;
    assert_eq!(get(&server, "/readyz").await.0, 200);
    store.faults.inject(Operation::List, "", Fault::Internal, usize::MAX);
    assert_eq!(get(&server, "/readyz").await, (503, "the lake does not answer\n".to_owned()));
    assert_eq!(get(&server, "/healthz").await.0, 200);
    server.wire().await.assert_alive().await;
    store.faults.clear();
    assert_eq!(get(&server, "/readyz").await.0, 200);
}
