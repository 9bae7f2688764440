//! The store is not read for a statement that has ended, however it was ended. Counted at the store.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use arrow_flight::CancelFlightInfoRequest;
use arrow_flight::decode::FlightRecordBatchStream;
use futures::StreamExt;
use lakegate_tests::flight::{Client, state};
use lakegate_tests::s3::{Fault, Operation, Server};
use lakegate_tests::{TestServer, server};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::limits::{begin, failure, info};
use super::sessions::assert_ends;
use super::{connect, one_text};

const OBJECTS: usize = 150;
const SQL: &str = "SELECT id, text FROM s.slow";
/// After the end of a statement the store may be read for so long.
const SOON: Duration = Duration::from_millis(250);
/// One try on a busy machine may be late; a server that reads on is late at all of them.
const TRIES: usize = 3;

/// A table of many objects, each of which takes its time.
async fn slow_table() -> (Server, TestServer) {
    let store = Server::start().await;
    for n in 0..OBJECTS {
        store.put(&format!("lake/s/slow/{n:03}.csv"), format!("id,text\n{n},row {n}\n")).await;
    }
    let mut config = server::config_s3(&store, "lake");
    (config.lake.cache_bytes_max, config.lake.range_cache_bytes_max) = (0, 0);
    config.engine.cpu_threads = 2;
    let server = TestServer::with(config).await;
    server.value("SELECT count(*) FROM s.slow WHERE id < 0").await;
    store.faults.inject(Operation::Get, "slow", Fault::Delay(Duration::from_millis(100)), 10_000);
    (store, server)
}

/// Holds that nothing is read any more after what `end` does to its statement, which it says when it was.
async fn assert_not_read(end: impl AsyncFn(&TestServer) -> Instant) {
    let (store, server) = slow_table().await;
    let mut late: Vec<Duration> = Vec::new();
    while late.len() < TRIES {
        store.faults.reset_counts();
        let ended_at = end(&server).await;
        assert_ends(&server).await;
        // Longer than some answers of the store take: who reads on would ask for more.
        server.value("SELECT pg_sleep(0.7) IS NULL").await;
        let reads = store.faults.count(Operation::Get);
        assert!((1..OBJECTS / 2).contains(&reads), "{reads} objects were read");
        let last = store.faults.last(Operation::Get).unwrap().saturating_duration_since(ended_at);
        if last <= SOON {
            return;
        }
        late.push(last);
    }
    assert!(late.is_empty(), "the store is read on: {late:?}");
}

/// Rows that are on their way.
async fn under_way(client: &mut Client) -> (arrow_flight::FlightInfo, FlightRecordBatchStream) {
    let told = info(client, SQL).await;
    let mut rows = begin(client, &told).await;
    rows.next().await.unwrap().unwrap();
    (told, rows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_a_ticket_that_is_cancelled() {
    assert_not_read(async |server| {
        let mut client = connect(server).await;
        let (told, rows) = under_way(&mut client).await;
        let asked = CancelFlightInfoRequest { info: Some(told) }.encode_to_vec();
        let ended_at = Instant::now();
        client.act("CancelFlightInfo", asked).await.unwrap();
        assert_eq!(state(&failure(rows).await), "57014");
        ended_at
    })
    .await;
}

/// One call ends what all endpoints of a result began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_any_endpoint_of_a_result_that_is_cancelled() {
    assert_not_read(async |server| {
        let mut client = connect(server).await;
        client.headers.push(("lakegate-endpoints", "3"));
        let told = info(&mut client, SQL).await;
        let mut streams = Vec::new();
        for endpoint in &told.endpoint {
            let mut rows = client.stream(client.request(endpoint.ticket.clone().unwrap())).await.unwrap();
            rows.next().await.unwrap().unwrap();
            streams.push(rows);
        }
        assert_eq!(streams.len(), 3);
        let asked = CancelFlightInfoRequest { info: Some(told) }.encode_to_vec();
        let ended_at = Instant::now();
        client.act("CancelFlightInfo", asked).await.unwrap();
        for rows in streams {
            assert_eq!(state(&failure(rows).await), "57014");
        }
        ended_at
    })
    .await;
}

/// The client resets its stream (RST_STREAM), and its connection lives on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_rows_that_nobody_wants() {
    assert_not_read(async |server| {
        let mut client = connect(server).await;
        let (_, rows) = under_way(&mut client).await;
        let ended_at = Instant::now();
        drop(rows);
        assert_eq!(one_text(&mut client, "SELECT 'alive'").await, "alive");
        ended_at
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_the_deadline_of_a_call() {
    assert_not_read(async |server| {
        let mut client = connect(server).await;
        let told = info(&mut client, SQL).await;
        let mut request = client.request(told.endpoint[0].ticket.clone().unwrap());
        // The header alone: the client itself would stop listening.
        request.metadata_mut().insert("grpc-timeout", "600m".parse().unwrap());
        let deadline = Instant::now() + Duration::from_millis(600);
        let rows = client.stream(request).await.unwrap();
        assert_eq!(state(&failure(rows).await), "57014");
        deadline
    })
    .await;
}

/// A way to the server that can be cut: the address of its near end.
async fn wire_to(addr: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let near = listener.local_addr().unwrap();
    let wire = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(addr).await.unwrap();
        // Closed so, it is reset.
        server.set_zero_linger().unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    (near, wire)
}

/// A connection that is reset: nothing says goodbye.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_a_connection_that_has_broken() {
    assert_not_read(async |server| {
        let (addr, wire) = wire_to(server.server.flight_addr()).await;
        let mut client = Client::login(addr).await;
        let (_, _rows) = under_way(&mut client).await;
        let ended_at = Instant::now();
        wire.abort();
        assert!(wire.await.unwrap_err().is_cancelled());
        ended_at
    })
    .await;
}
