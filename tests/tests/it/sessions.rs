//! What one connection sets, no other sees; and transactions fail as PostgreSQL's do.

use lakegate_tests::{Lake, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_belong_to_their_connection() {
    let server = TestServer::start(&Lake::default()).await;
    let mut one = server.wire().await;
    let mut other = server.wire().await;
    one.query("SET TimeZone = 'Asia/Tokyo'; SET statement_timeout = '7s'; SET custom.thing = 'mine'").await;
    assert_eq!(one.value("SHOW TimeZone").await.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(other.value("SHOW TimeZone").await.as_deref(), Some("UTC"));
    assert_eq!(other.value("SHOW statement_timeout").await.as_deref(), Some("0"));
    assert_eq!(other.query("SHOW custom.thing").await.state(), "42704");
    let noon = "SELECT timestamptz '2026-01-01 12:00:00Z'";
    assert_eq!(one.value(noon).await.as_deref(), Some("2026-01-01 21:00:00+09"));
    assert_eq!(other.value(noon).await.as_deref(), Some("2026-01-01 12:00:00+00"));
    one.query("RESET ALL").await;
    assert_eq!(one.value(noon).await.as_deref(), Some("2026-01-01 12:00:00+00"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_zone_changes_what_columns_of_files_give() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut client = server.wire().await;
    let first = "SELECT min(time) FROM weather.observations";
    let days = "SELECT count(DISTINCT time::date) FROM weather.observations WHERE n < 24";
    let bucket = "SELECT min(date_trunc('day', time)) FROM weather.observations WHERE n = 23";
    assert_eq!(client.value(first).await.as_deref(), Some("2026-01-01 00:00:00+00"));
    assert_eq!(client.value(days).await.as_deref(), Some("1"));
    client.query("SET TimeZone = 'America/New_York'").await;
    assert_eq!(client.value(first).await.as_deref(), Some("2025-12-31 19:00:00-05"));
    assert_eq!(client.value(days).await.as_deref(), Some("2"));
    assert_eq!(client.value(bucket).await.as_deref(), Some("2026-01-01 00:00:00-05"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_reported_variable_is_told() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.parameters.clear();
    client.query("SET application_name = 'renamed'; SET TimeZone = 'Europe/Paris'").await;
    let mut told = client.parameters.clone();
    told.sort();
    let expected = [("TimeZone", "Europe/Paris"), ("application_name", "renamed")];
    assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_transaction_refuses_until_it_ends() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    assert_eq!(status(&mut client, "BEGIN").await, ("BEGIN".into(), 'T'));
    assert_eq!(client.query("SELECT 1/0").await.state(), "22012");
    let refused = client.query("SELECT 1").await;
    assert_eq!(refused.state(), "25P02");
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    assert_eq!(refused.fault.unwrap().message, message);
    assert_eq!(client.extended("SELECT 1", 0).await.state(), "25P02");
    // COMMIT of a failed transaction is told as what it is.
    assert_eq!(status(&mut client, "COMMIT").await, ("ROLLBACK".into(), 'I'));
    client.assert_alive().await;
}

/// The tag of a statement, and the status that ReadyForQuery gives after it.
async fn status(client: &mut lakegate_tests::wire::Client, sql: &str) -> (String, char) {
    client.send(&lakegate_tests::wire::message::query(sql)).await;
    let messages = client.until_ready().await;
    let tag = messages.iter().find(|message| message.tag == b'C').map_or(String::new(), |message| message.text());
    (tag, char::from(messages.last().unwrap().body[0]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn savepoints_bring_a_transaction_back() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("BEGIN; SAVEPOINT a").await;
    assert_eq!(client.query("SELECT 1/0").await.state(), "22012");
    assert_eq!(status(&mut client, "ROLLBACK TO SAVEPOINT a").await, ("ROLLBACK".into(), 'T'));
    client.assert_alive().await;
    assert_eq!(client.query("ROLLBACK TO nope").await.state(), "3B001");
    assert_eq!(status(&mut client, "ROLLBACK").await, ("ROLLBACK".into(), 'I'));
    assert_eq!(client.query("SAVEPOINT a").await.state(), "25P01");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_local_and_set_end_as_their_transaction_does() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let show = "SHOW application_name";
    client.query("BEGIN; SET LOCAL application_name = 'local'").await;
    assert_eq!(client.value(show).await.as_deref(), Some("local"));
    client.query("COMMIT").await;
    assert_eq!(client.value(show).await.as_deref(), Some(""));
    client.query("BEGIN; SET application_name = 'undone'; ROLLBACK").await;
    assert_eq!(client.value(show).await.as_deref(), Some(""));
    client.query("BEGIN; SET application_name = 'kept'; COMMIT").await;
    assert_eq!(client.value(show).await.as_deref(), Some("kept"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discard_all_forgets_everything() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("SET TimeZone = 'Asia/Tokyo'").await;
    assert_eq!(client.query("DISCARD ALL").await.state(), "00000");
    assert_eq!(client.value("SHOW TimeZone").await.as_deref(), Some("UTC"));
    assert_eq!(client.query("BEGIN; DISCARD ALL").await.state(), "25001");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_ok_that_was_not_done() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    for (sql, state) in [
        ("SET no_such_variable = 1", "42704"),
        ("SHOW no_such_variable", "42704"),
        ("SET server_version = '17'", "55P02"),
        ("SET client_encoding = 'LATIN1'", "22023"),
        ("SET TimeZone = 'Nowhere/City'", "22023"),
        ("SET statement_timeout = -5", "22023"),
        ("RESET no_such_variable", "42704"),
        ("DEALLOCATE nope", "26000"),
        ("CLOSE nope", "34000"),
        ("FETCH 1 FROM nope", "34000"),
        ("VACUUM", "25006"),
        ("CREATE INDEX ON x (y)", "0A000"),
    ] {
        let answer = client.query(sql).await;
        assert_eq!(answer.state(), state, "{sql}: {:?}", answer.fault);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_of_a_transaction() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("BEGIN; DECLARE c CURSOR FOR SELECT x FROM generate_series(1, 10) t(x)").await;
    let first = client.query("FETCH FORWARD 3 FROM c").await;
    assert_eq!((first.rows.len(), first.tags), (3, vec!["FETCH 3".to_owned()]));
    let rest = client.query("FETCH ALL FROM c").await;
    assert_eq!((rest.rows.len(), rest.tags), (7, vec!["FETCH 7".to_owned()]));
    assert_eq!(client.query("FETCH 1 FROM c").await.rows.len(), 0);
    assert_eq!(client.query("CLOSE c").await.state(), "00000");
    client.query("COMMIT").await;
    assert_eq!(client.query("DECLARE c CURSOR FOR SELECT 1").await.state(), "25P01", "a cursor needs a transaction");
}

/// Its rows outlive a failed FETCH where it is WITH HOLD, but none of them may seem to follow those that were lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_has_failed_gives_no_more_rows() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    for scroll in ["SCROLL", "NO SCROLL", ""] {
        let query = "SELECT 10 / (x - 20000) FROM generate_series(1, 60000) t(x)";
        let declared = client.query(&format!("DECLARE c {scroll} CURSOR WITH HOLD FOR {query}")).await;
        assert_eq!(declared.state(), "00000", "{scroll}");
        assert_eq!(client.query("FETCH 2 FROM c").await.rows.len(), 2, "{scroll}");
        assert_eq!(client.query("MOVE ALL IN c").await.state(), "22012", "{scroll}");
        let fault = client.query("FETCH 1 FROM c").await.fault.unwrap();
        assert_eq!((fault.state.as_str(), fault.message.as_str()), ("55000", "portal \"c\" cannot be run"), "{scroll}");
        assert_eq!(client.query("CLOSE c").await.state(), "00000");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_sessions_are_ended() {
    let server = TestServer::start(&Lake::default()).await;
    let mut idle = server.wire().await;
    idle.query("SET idle_session_timeout = 200").await;
    let fault = idle.until_closed().await.iter().find_map(lakegate_tests::wire::Message::fault).unwrap();
    assert_eq!((fault.severity.as_str(), fault.state.as_str()), ("FATAL", "57P05"));
    let mut inside = server.wire().await;
    inside.query("SET idle_in_transaction_session_timeout = 200; BEGIN").await;
    let fault = inside.until_closed().await.iter().find_map(lakegate_tests::wire::Message::fault).unwrap();
    assert_eq!((fault.severity.as_str(), fault.state.as_str()), ("FATAL", "25P03"));
}
