//! LISTEN and NOTIFY: who is told what, and when.

use lakegate_tests::wire::{Client, Message};
use lakegate_tests::{Lake, TestServer};

/// The sender, channel and payload of a NotificationResponse.
fn told(message: &Message) -> (i32, String, String) {
    assert_eq!(char::from(message.tag), 'A');
    let texts: Vec<&[u8]> = message.body[4..].split(|byte| *byte == 0).collect();
    let text = |at: usize| String::from_utf8(texts[at].to_vec()).unwrap();
    (message.int32(0), text(0), text(1))
}

async fn next(client: &mut Client) -> (String, String) {
    let (_, channel, payload) = told(&client.receive().await.unwrap());
    (channel, payload)
}

fn said(channel: &str, payload: &str) -> (String, String) {
    (channel.to_owned(), payload.to_owned())
}

async fn tag(client: &mut Client, sql: &str) -> String {
    let answer = client.query(sql).await;
    assert_eq!(answer.state(), "00000", "{sql}");
    answer.tags.concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_listens_is_told_while_it_waits() {
    let server = TestServer::start(&Lake::default()).await;
    let (mut one, mut other) = (server.wire().await, server.wire().await);
    assert_eq!(tag(&mut one, "LISTEN news").await, "LISTEN");
    assert_eq!(tag(&mut one, "LISTEN \"News\"").await, "LISTEN");
    assert_eq!(tag(&mut other, "NOTIFY NEWS, 'it''s here'").await, "NOTIFY");
    assert_eq!(tag(&mut other, "NOTIFY elsewhere").await, "NOTIFY");
    assert_eq!(tag(&mut other, "NOTIFY \"News\"").await, "NOTIFY");
    let (sender, channel, payload) = told(&one.receive().await.unwrap());
    assert_eq!((sender, channel, payload), (other.key.clone().unwrap().0, "news".to_owned(), "it's here".to_owned()));
    assert_eq!(next(&mut one).await, said("News", ""));
    assert_eq!(tag(&mut one, "UNLISTEN news").await, "UNLISTEN");
    assert_eq!(tag(&mut other, "NOTIFY news; NOTIFY \"News\", 'last'").await, "NOTIFYNOTIFY");
    assert_eq!(next(&mut one).await, said("News", "last"));
    assert_eq!(tag(&mut one, "UNLISTEN *").await, "UNLISTEN");
    tag(&mut other, "NOTIFY \"News\"").await;
    assert_eq!(one.query("SELECT 1").await.trace, "TDCZ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_tells_at_its_commit_each_thing_once() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    assert_eq!(client.query("BEGIN; LISTEN a; NOTIFY a, '1'; ROLLBACK; NOTIFY a, '2'").await.trace, "CCCCCZ");
    let block =
        "BEGIN; LISTEN a; NOTIFY a, '3'; SAVEPOINT s; NOTIFY a, '4'; ROLLBACK TO s; NOTIFY a, '3'; NOTIFY a, '5'";
    assert_eq!(client.query(block).await.trace, "CCCCCCCCZ");
    assert_eq!(client.query("SELECT 1").await.trace, "TDCZ");
    client.send(&frame("COMMIT")).await;
    let messages = client.until_ready().await;
    let tags: String = messages.iter().map(|message| char::from(message.tag)).collect();
    assert_eq!(tags, "CAAZ");
    assert_eq!((told(&messages[1]).2, told(&messages[2]).2), ("3".to_owned(), "5".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_have_postgresqls_limits() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    assert_eq!(client.query(&format!("NOTIFY a, '{}'", "x".repeat(8000))).await.state(), "22023");
    assert_eq!(tag(&mut client, &format!("NOTIFY a, '{}'", "x".repeat(7999))).await, "NOTIFY");
    // A longer name is cut, as every name is there.
    tag(&mut client, &format!("LISTEN {}", "x".repeat(70))).await;
    client.send(&frame(&format!("NOTIFY {}, 'y'", "x".repeat(63)))).await;
    let messages = client.until_ready().await;
    assert_eq!(messages.iter().map(|message| char::from(message.tag)).collect::<String>(), "CAZ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_tells_when_its_statement_has_ended_well() {
    let server = TestServer::start(&Lake::default()).await;
    let (mut one, mut other) = (server.wire().await, server.wire().await);
    tag(&mut one, "LISTEN \"Rows\"").await;
    // Values are no names: nothing folds them.
    tag(&mut other, "SELECT pg_notify('Rows', 'row ' || x) FROM generate_series(1, 2) AS t(x)").await;
    assert_eq!(next(&mut one).await, said("Rows", "row 1"));
    assert_eq!(next(&mut one).await, said("Rows", "row 2"));
    assert_eq!(
        other.query("SELECT pg_notify('Rows', 'lost'), 1 / (x - 3) FROM generate_series(1, 3) AS t(x)").await.state(),
        "22012"
    );
    let block = "BEGIN; SELECT pg_notify('Rows', 'undone'); ROLLBACK; BEGIN; SELECT pg_notify('Rows', NULL), pg_notify('Rows', ''); COMMIT";
    assert_eq!(other.query(block).await.state(), "00000");
    assert_eq!(next(&mut one).await, said("Rows", ""));
    tag(&mut other, "PREPARE p AS SELECT pg_notify($1, 'prepared')").await;
    tag(&mut other, "EXECUTE p('Rows')").await;
    assert_eq!(next(&mut one).await, said("Rows", "prepared"));
    assert_eq!(other.query("SELECT pg_notify('Rows', 'last')").await.trace, "TDCZ");
    assert_eq!(next(&mut one).await, said("Rows", "last"));
    for (channel, message) in [("NULL", "cannot be empty"), ("''", "cannot be empty"), ("repeat('x', 64)", "too long")]
    {
        let refused = other.query(&format!("SELECT pg_notify({channel}, '')")).await;
        assert_eq!(refused.state(), "22023", "{channel}");
        assert_eq!(refused.fault.map(|fault| fault.message), Some(format!("channel name {message}")), "{channel}");
    }
    assert_eq!(one.query("SELECT 1").await.trace, "TDCZ");
}

/// A Query message.
fn frame(sql: &str) -> Vec<u8> {
    let length = u32::try_from(sql.len() + 5).unwrap();
    [b"Q", length.to_be_bytes().as_slice(), sql.as_bytes(), b"\0"].concat()
}
