//! The HTTP port: health, readiness, metrics, and nothing else.

use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer};

/// The status and the body of a GET.
pub(crate) async fn get(server: &TestServer, path: &str) -> (u16, String) {
    let mut client = Client::open(server.server.http_addr()).await;
    client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).await;
    let answer = String::from_utf8(client.bytes_until_closed().await).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_readiness_are_answered() {
    let server = TestServer::start(&Lake::sample()).await;
    assert_eq!(get(&server, "/healthz").await.0, 200);
    assert_eq!(get(&server, "/readyz").await.0, 200);
    assert_eq!(get(&server, "/").await.0, 404);
    assert_eq!(get(&server, "/debug/config").await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_count_in_the_format_of_prometheus() {
    let server = TestServer::start(&Lake::sample()).await;
    server.wire().await.assert_alive().await;
    server.wire().await.query("SELECT 1/0").await;
    let (status, body) = get(&server, "/metrics").await;
    assert_eq!(status, 200);
    let samples = body.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut count = 0;
    for sample in samples {
        let value = sample.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{sample}");
        assert!(sample.starts_with("lakegate_") || sample.starts_with("process_"), "{sample}");
        assert!(!sample.contains("SELECT"), "a statement in a label: {sample}");
        count += 1;
    }
    assert!(count >= 5, "{body}");
}
