//! How much one client, and all together, may have.

use std::time::Duration;

use lakegate_tests::wire::{Client, message};
use lakegate_tests::{Lake, TestServer, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_too_many_is_told_so() {
    let lake = Lake::default();
    let mut config = server::config(&lake);
    config.pg.max_connections = 3;
    config.pg.superuser_reserved_connections = 0;
    let server = TestServer::with(config).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(server.wire().await);
    }
    let mut late = Client::open(server.addr()).await;
    late.send(&message::startup(message::PROTOCOL_3_0, &[("user", "lakegate"), ("database", "lakegate")])).await;
    let fault = late.until_closed().await.iter().find_map(message::Message::fault).unwrap();
    assert_eq!(
        (fault.severity.as_str(), fault.state.as_str(), fault.message.as_str()),
        ("FATAL", "53300", "sorry, too many clients already")
    );
    let mut gone = clients.pop().unwrap();
    gone.send(&message::terminate()).await;
    assert!(gone.is_closed().await);
    server.wire().await.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_logs_in_is_cut() {
    let lake = Lake::default();
    let mut config = server::config(&lake);
    config.pg.authentication_timeout_ms = 300;
    let server = TestServer::with(config).await;
    for first in [&b""[..], &message::ssl_request(), &[0, 0, 0]] {
        let mut client = Client::open(server.addr()).await;
        client.send(first).await;
        let closed = tokio::time::timeout(Duration::from_secs(20), client.bytes_until_closed()).await;
        assert!(closed.is_ok(), "a silent stranger keeps its connection");
    }
    let mut quick = server.wire().await;
    quick.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_a_session_are_counted() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let mut state = "00000".to_owned();
    let mut count = 0;
    while state == "00000" && count < 100_000 {
        let name = format!("s{count}");
        client.send(&[message::parse(&name, "SELECT 1", &[]), message::sync()].concat()).await;
        let messages = client.until_ready().await;
        state = messages.iter().find_map(message::Message::fault).map_or(state, |fault| fault.state);
        count += 1;
    }
    assert_eq!(state, "54000", "after {count} prepared statements");
    client.assert_alive().await;
    assert_eq!(client.query("DEALLOCATE ALL").await.state(), "00000");
    client.send(&[message::parse("again", "SELECT 1", &[]), message::sync()].concat()).await;
    assert_eq!(client.until_ready().await[0].tag, b'1');
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn portals_of_a_session_are_counted() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("BEGIN").await;
    client.send(&[message::parse("", "SELECT 1", &[]), message::sync()].concat()).await;
    client.until_ready().await;
    let mut state = "00000".to_owned();
    let mut count = 0;
    while state == "00000" && count < 100_000 {
        client.send(&[message::bind(&format!("p{count}"), "", &[], &[], &[]), message::sync()].concat()).await;
        let messages = client.until_ready().await;
        state = messages.iter().find_map(message::Message::fault).map_or(state, |fault| fault.state);
        count += 1;
    }
    assert_eq!(state, "54000", "after {count} portals");
    client.query("ROLLBACK").await;
    client.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_above_its_memory_fails_alone() {
    let lake = Lake::default();
    let mut config = server::config(&lake);
    config.engine.memory_bytes_max = 64 << 20;
    config.engine.query_memory_bytes_max = 32 << 20;
    config.engine.spill_bytes_max = 16 << 20;
    let server = TestServer::with(config).await;
    let mut client = server.wire().await;
    for hungry in [
        "SELECT array_agg(repeat('x', 100) || a) FROM generate_series(1, 3000000) a",
        "SELECT lttb(to_timestamp(a), a, 100) FROM generate_series(1, 6000000) a",
    ] {
        let answer = client.query(hungry).await;
        assert!(["53200", "53100"].contains(&answer.state()), "{hungry}: {:?}", answer.fault);
        client.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_says_so() {
    let lake = Lake::sample();
    let mut config = server::config(&lake);
    config.engine.running_max = 1;
    config.engine.queued_max = 1;
    config.engine.queue_timeout_ms = 60_000;
    let server = TestServer::with(config).await;
    // Only statements that read the lake need a place.
    let o = "weather.observations";
    let endless = &format!("SELECT count(*) FROM {o} a, {o} b, {o} c, {o} d WHERE a.n + b.n + c.n + d.n = -1");
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut client = server.wire().await;
        client.send(&message::query(endless)).await;
        busy.push(client);
    }
    while server.server.engine().queued() == 0 {
        tokio::task::yield_now().await;
    }
    let answer = server.wire().await.query("SELECT sum(n) FROM weather.observations").await;
    assert_eq!(answer.state(), "53400", "{:?}", answer.fault);
    for client in &busy {
        lakegate_tests::wire::cancel(server.addr(), client.key.as_ref().unwrap()).await;
    }
}
