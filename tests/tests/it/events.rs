//! Events of buckets and REFRESH TABLE: the lake is listed where something may have changed, and the listing is believed.

use std::time::Duration;

use lakegate_tests::s3::{self, Operation};
use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer, server};

const TOKEN: &str = "token-of-the-tests";
/// No test lasts so long: whatever changes, changes by an event.
const POLL_MS: u64 = 3_600_000;

/// A server over `prefix` of a bucket that holds a few tables.
async fn over(store: &s3::Server, prefix: &str) -> TestServer {
    let mut config = server::config(&Lake::default());
    config.lake.sources = vec![store.source(prefix)];
    config.lake.poll_interval_ms = POLL_MS;
    config.http.events_token = Some(TOKEN.into());
    TestServer::with(config).await
}

/// Sends a message to `/events` and gives the status of the answer.
async fn send(server: &TestServer, authorization: Option<&str>, body: &str) -> u16 {
    let mut client = Client::open(server.server.http_addr()).await;
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}Content-Length: {}\r\n\r\n",
        body.len()
    );
    client.send(format!("{head}{body}").as_bytes()).await;
    let answer = String::from_utf8(client.bytes_until_closed().await).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn event(bucket: &str, key: &str) -> String {
    let object = serde_json::json!({ "bucket": { "name": bucket }, "object": { "key": key } });
    serde_json::json!({ "Records": [{ "eventName": "s3:ObjectCreated:Put", "s3": object }] }).to_string()
}

/// Tells of a key as the bucket would.
async fn tell(server: &TestServer, key: &str) {
    assert_eq!(send(server, Some(&format!("Bearer {TOKEN}")), &event(s3::BUCKET, key)).await, 200);
}

/// Waits until the query has this answer.
pub(crate) async fn until(server: &TestServer, sql: &str, expected: &str) {
    let mut client = server.wire().await;
    let mut last = None;
    let found = async {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        loop {
            tick.tick().await;
            last = client.query(sql).await.text();
            if last.as_deref() == Some(expected) {
                return;
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(30), found).await;
    assert!(found.is_ok(), "{sql}: {last:?} instead of {expected}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_shows_what_was_added_changed_and_deleted() {
    let store = s3::Server::start().await;
    store.put("lake/shop/items/a.csv", "x\n1\n").await;
    store.put("lake/shop/zone.csv", "z\n0\n").await;
    let server = over(&store, "lake").await;
    let sum = "SELECT sum(x) FROM shop.items";
    until(&server, sum, "1").await;
    store.faults.reset_counts();

    store.put("lake/shop/items/b c+é.csv", "x\n10\n").await;
    tell(&server, "lake/shop/items/b+c%2B%C3%A9.csv").await;
    until(&server, sum, "11").await;
    assert_eq!(store.faults.count(Operation::List), 1, "one request tells all around a key");

    store.put("lake/shop/items/a.csv", "x\n5\n").await;
    tell(&server, "lake/shop/items/a.csv").await;
    until(&server, sum, "15").await;

    store.delete("lake/shop/items/b c+é.csv").await;
    tell(&server, "lake/shop/items/b+c%2B%C3%A9.csv").await;
    until(&server, sum, "5").await;

    store.put("lake/new/first.csv", "y\n7\n").await;
    tell(&server, "lake/new/first.csv").await;
    until(&server, "SELECT y FROM new.first", "7").await;
    assert_eq!(server.value("SELECT z FROM shop.zone").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_lie_change_nothing() {
    let store = s3::Server::start().await;
    store.put("lake/shop/items.csv", "x\n1\n").await;
    let server = over(&store, "lake").await;
    until(&server, "SELECT x FROM shop.items", "1").await;
    let version = server.server.lake().snapshot().version;
    for (bucket, key) in [
        (s3::BUCKET, "lake/shop/items.csv"),
        (s3::BUCKET, "lake/shop/none.csv"),
        (s3::BUCKET, "lake//..//%00"),
        (s3::BUCKET, "other/shop/items.csv"),
        (s3::BUCKET, "lakeside/shop/items.csv"),
        (s3::BUCKET, ""),
        (s3::BUCKET, "%FF%FE"),
        ("elsewhere", "lake/shop/items.csv"),
    ] {
        assert_eq!(send(&server, Some(&format!("Bearer {TOKEN}")), &event(bucket, key)).await, 200, "{key}");
    }
    // The last one is true, and comes twice: what went before has been looked at when it is seen.
    store.put("lake/shop/last.csv", "x\n2\n").await;
    tell(&server, "lake/shop/last.csv").await;
    tell(&server, "lake/shop/last.csv").await;
    until(&server, "SELECT x FROM shop.last", "2").await;
    assert_eq!(server.server.lake().snapshot().version, version + 1);
    assert_eq!(server.value("SELECT x FROM shop.items").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_need_the_token_and_a_form() {
    let store = s3::Server::start().await;
    store.put("lake/shop/items.csv", "x\n1\n").await;
    let server = over(&store, "lake").await;
    store.put("lake/shop/new.csv", "x\n2\n").await;
    let body = event(s3::BUCKET, "lake/shop/new.csv");
    let right = format!("Bearer {TOKEN}");
    for wrong in [None, Some("Bearer"), Some("Bearer token-of-the-test"), Some(TOKEN), Some("Basic dTpw")] {
        assert_eq!(send(&server, wrong, &body).await, 403, "{wrong:?}");
    }
    for broken in ["", "{", "7", "[7]", "{\"Records\":[{}]}", "{\"Records\":7}"] {
        assert_eq!(send(&server, Some(&right), broken).await, 400, "{broken}");
    }
    assert_eq!(send(&server, Some(&right), &" ".repeat((1 << 20) + 1)).await, 413);
    // What AWS sends once when events are switched on has no records.
    assert_eq!(send(&server, Some(&right), "{\"Event\":\"s3:TestEvent\"}").await, 200);
    assert_eq!(server.wire().await.query("SELECT x FROM shop.new").await.fault.unwrap().state, "42P01");
    let without = TestServer::start_s3(&store, "lake").await;
    assert_eq!(send(&without, Some(&right), &body).await, 403);
    assert_eq!(send(&without, Some("Bearer "), &body).await, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_events_is_few_listings() {
    let store = s3::Server::start().await;
    store.put("lake/shop/items/0.csv", "x\n1\n").await;
    let server = over(&store, "lake").await;
    until(&server, "SELECT sum(x) FROM shop.items", "1").await;
    store.faults.reset_counts();
    let keys: Vec<String> = (1..=300).map(|at| format!("lake/shop/items/{at}.csv")).collect();
    for key in &keys {
        store.put(key, "x\n1\n").await;
    }
    let records: Vec<String> = keys.iter().map(|key| event(s3::BUCKET, key)).collect();
    let sending = records.iter().map(|body| send(&server, Some("Bearer token-of-the-tests"), body));
    assert!(futures::future::join_all(sending).await.into_iter().all(|status| status == 200));
    until(&server, "SELECT sum(x) FROM shop.items", "301").await;
    let listings = store.faults.count(Operation::List);
    assert!(listings < 200, "{listings} listings for 300 events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_table_looks_at_once() {
    let store = s3::Server::start().await;
    store.put("lake/shop/items.csv", "x\n1\n").await;
    let server = over(&store, "lake").await;
    let mut client = server.wire().await;
    assert_eq!(client.query("SELECT x FROM shop.items").await.text().unwrap(), "1");
    store.put("lake/shop/items.csv", "x\n2\n3\n").await;
    store.put("lake/shop/new.csv", "x\n9\n").await;
    let answer = client.query("REFRESH TABLE shop.items").await;
    assert_eq!((answer.tags, answer.fault.is_none()), (vec!["REFRESH TABLE".to_owned()], true));
    assert_eq!(client.query("SELECT sum(x) FROM shop.items").await.text().unwrap(), "5");
    store.put("lake/shop/newer.csv", "x\n8\n").await;
    assert_eq!(client.query("refresh external table shop.newer; SELECT x FROM shop.newer").await.text().unwrap(), "8");
    for (sql, state) in [
        ("REFRESH TABLE shop.none", "42P01"),
        ("REFRESH TABLE pg_class", "42809"),
        ("REFRESH TABLE", "42601"),
        ("REFRESH TABLE shop.items shop.new", "42601"),
        ("REFRESH MATERIALIZED VIEW shop.items", "0A000"),
    ] {
        assert_eq!(client.query(sql).await.fault.unwrap().state, state, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freshness_tells_the_newest_object_and_the_last_listing() {
    let store = s3::Server::start().await;
    store.put("lake/shop/items/a.csv", "x\n1\n").await;
    let server = over(&store, "lake").await;
    store.put("lake/shop/items/b.csv", "x\n1\n").await;
    let mut client = server.wire().await;
    client.query("REFRESH TABLE shop.items").await;
    let sql = "SELECT newest_key, newest_at = (SELECT max(modified_at) FROM system.objects), lag BETWEEN '0' AND '1 hour', \
               listed_at > now() - interval '1 hour' AND listed_at <= now() FROM system.freshness WHERE name = 'items'";
    let rows = client.query(sql).await.texts();
    let texts: Vec<_> = rows[0].iter().map(|text| text.as_deref().unwrap()).collect();
    assert!(["shop/items/a.csv", "shop/items/b.csv"].contains(&texts[0]), "{texts:?}");
    assert_eq!(texts[1..], ["t", "t", "t"]);
}
