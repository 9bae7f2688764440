//! A lake that does not answer when the server starts: it lives, says why it is not ready, and serves as soon as it can.

use gateway::server::Server;
use lakegate_tests::s3::{BUCKET, Fault, Operation};
use lakegate_tests::wire::{Client, message};
use lakegate_tests::{Lake, TestServer, flight, s3, server};

use crate::http::get;

/// What a login ends with: severity, SQLSTATE, message and detail.
async fn refusal(server: &TestServer) -> [String; 4] {
    let mut client = Client::open(server.addr()).await;
    client.send(&message::startup(message::PROTOCOL_3_0, &[("user", "lakegate"), ("database", "lakegate")])).await;
    let fault = client.until_closed().await.iter().find_map(message::Message::fault).unwrap();
    [fault.severity, fault.state, fault.message, fault.detail.unwrap_or_default()]
}

async fn assert_waits(server: &TestServer, reason: &str) {
    let told = format!("Source \"s3://{BUCKET}/a\" could not be listed: {reason}");
    assert_eq!(get(server, "/healthz").await.0, 200);
    assert_eq!(get(server, "/readyz").await, (503, format!("{told}\n")));
    let expected = ["FATAL", "57P03", "the database system is starting up", &format!("{told}.")];
    assert_eq!(refusal(server).await, expected);
    let mut client = flight::Client::login(server.server.flight_addr()).await;
    let status = client.query("SELECT 1").await.err().unwrap();
    assert_eq!((status.code(), flight::state(&status)), (tonic::Code::Unavailable, "57P03"));
}

/// Waits until the server says that it is ready, and then for an answer.
async fn assert_serves(server: &TestServer) {
    while get(server, "/readyz").await.0 != 200 {}
    assert_eq!(server.value("SELECT sum(x) FROM t").await, "3");
}

/// An object that is there without a request.
fn keep(store: &s3::Server, key: &str, content: &str) {
    let path = store.path().join(BUCKET).join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_not_there_yet_is_waited_for() {
    let (store, socket) = s3::Server::closed();
    keep(&store, "a/t.csv", "x\n1\n2\n");
    let server = TestServer::start_s3(&store, "a").await;
    while get(&server, "/readyz").await == (503, "The lake is being listed\n".to_owned()) {}
    assert_waits(&server, "it does not answer").await;
    store.open(socket);
    assert_serves(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_refuses_the_credentials_is_told_as_such() {
    let store = s3::Server::start().await;
    keep(&store, "a/t.csv", "x\n1\n2\n");
    for operation in [Operation::List, Operation::Head] {
        store.faults.inject(operation, "", Fault::AccessDenied, usize::MAX);
    }
    let server = TestServer::start_s3(&store, "a").await;
    assert_waits(&server, "permission denied: it refuses these credentials").await;
    store.faults.clear();
    assert_serves(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_source_of_two_is_not_the_lake() {
    let (store, _socket) = s3::Server::closed();
    let lake = Lake::sample();
    let mut config = server::config(&lake);
    config.lake.sources.push(store.source("a"));
    let server = TestServer::with(config).await;
    while get(&server, "/readyz").await == (503, "The lake is being listed\n".to_owned()) {}
    assert_waits(&server, "it does not answer").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_the_configuration_ends_the_start() {
    for (url, reason) in [("ftp://x", "unknown scheme \"ftp\""), ("/nonexistent/lake", "No such file")] {
        let mut config = server::config(&Lake::default());
        config.lake.sources[0].url = url.to_owned();
        let error = Server::start(config).await.err().unwrap();
        assert!(error.message.starts_with(&format!("could not open source \"{url}\": {reason}")), "{}", error.message);
    }
}
