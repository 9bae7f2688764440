//! What a role may take: of results, of files, of memory and temporary files, and of statements at once.

use gateway::config::Config;
use lakegate_tests::http::Browser;
use lakegate_tests::wire::{cancel, message};
use lakegate_tests::{Lake, TestServer, flight, server, wire};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::authentication::{PASSWORD, VERIFIER};
use crate::flight::basic;

const O: &str = "weather.observations";

/// A server with the role `ann`, with these settings, and the superuser `admin`, with the same.
async fn start(settings: &str, change: impl FnOnce(&mut Config)) -> TestServer {
    let lake = Lake::sample();
    let role = |name: &str, more: &str| {
        format!("[[role]]\nname = \"{name}\"\nverifier = \"{VERIFIER}\"\nsettings = {{ {settings} }}\n{more}\n")
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = role("ann", "") + &role("admin", "superuser = true");
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let mut config = server::config(&lake);
    config.auth.roles_file = Some(file.path().to_owned());
    change(&mut config);
    TestServer::with(config).await.keeping(&lake)
}

async fn connect(server: &TestServer, user: &str) -> tokio_postgres::Client {
    let mut config = server.driver();
    let (client, connection) = config.user(user).password(PASSWORD).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// SQLSTATE and message of a statement over all protocols, which must be the same.
async fn told(server: &TestServer, user: &str, sql: &str) -> (String, String) {
    let over_pg = connect(server, user).await.simple_query(sql).await.err();
    let over_pg = over_pg.as_ref().and_then(|error| error.as_db_error());
    let over_pg = over_pg.map(|error| (error.code().code().to_owned(), error.message().to_owned())).unwrap_or_default();
    let mut client = flight::Client::open(server.server.flight_addr()).await;
    client.handshake(Some(&basic(user, PASSWORD))).await.unwrap();
    let over_flight = client.query(sql).await.err();
    let over_flight =
        over_flight.map(|status| (flight::state(&status).to_owned(), status.message().to_owned())).unwrap_or_default();
    assert_eq!(over_flight.0, over_pg.0, "{sql}: {over_flight:?} {over_pg:?}");
    let browser = Browser::login(server.server.http_addr(), user, PASSWORD).await;
    let over_http = browser.query_at_most(sql, 100_000).await;
    let fault = over_http.lines().into_iter().find_map(|line| line.get("error").cloned());
    let over_http = fault.map(|fault| fault["sqlstate"].as_str().unwrap().to_owned()).unwrap_or_default();
    assert_eq!(over_http, over_pg.0, "{sql}");
    over_pg
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_is_too_large_is_an_error_and_never_cut() {
    let server = start("\"lakegate.max_result_rows\" = 100, \"lakegate.max_result_bytes\" = \"1MB\"", |_| {}).await;
    let refused = |message: &str| ("54000".to_owned(), message.to_owned());
    let rows = refused("the result has more than 100 rows, as lakegate.max_result_rows allows");
    let bytes = refused("the result has more than 1024 kB, as lakegate.max_result_bytes allows");
    let fine = <(String, String)>::default();
    for (sql, expected) in [
        (format!("SELECT n FROM {O} LIMIT 100"), &fine),
        (format!("SELECT n FROM {O} LIMIT 101"), &rows),
        ("SELECT * FROM generate_series(1, 1000)".to_owned(), &rows),
        ("SELECT repeat('x', 200000) FROM generate_series(1, 5)".to_owned(), &fine),
        ("SELECT repeat('x', 200000) FROM generate_series(1, 6)".to_owned(), &bytes),
        // What is counted is what is given.
        (format!("SELECT count(*), sum(length(repeat('x', 10000))) FROM {O}"), &fine),
    ] {
        assert_eq!(told(&server, "ann", &sql).await, *expected, "{sql}");
    }
    let ann = connect(&server, "ann").await;
    for (raise, state) in [
        ("SET lakegate.max_result_rows = 101", Some(SqlState::INSUFFICIENT_PRIVILEGE)),
        ("SET lakegate.max_result_rows = -1", Some(SqlState::INSUFFICIENT_PRIVILEGE)),
        ("SELECT set_config('lakegate.max_result_rows', '1000', false)", Some(SqlState::INSUFFICIENT_PRIVILEGE)),
        ("SET lakegate.max_result_rows = 10", None),
        ("SET lakegate.max_result_rows = 100", None),
        ("RESET lakegate.max_result_rows", None),
    ] {
        let error = ann.simple_query(raise).await.err();
        assert_eq!(error.as_ref().and_then(|error| error.code()), state.as_ref(), "{raise}");
    }
    let mut config = server.driver();
    config.user("ann").password(PASSWORD).options("-c lakegate.max_result_rows=1000");
    let refused = config.connect(NoTls).await.err().unwrap();
    assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    // A superuser is bound until it says otherwise.
    let admin = connect(&server, "admin").await;
    let all = format!("SELECT n FROM {O}");
    assert!(admin.simple_query(&all).await.is_err());
    admin.simple_query("SET lakegate.max_result_rows = -1").await.unwrap();
    admin.simple_query(&all).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_that_is_too_large_is_refused_before_it_runs() {
    let server = start("\"lakegate.max_scan_bytes\" = \"1kB\"", |_| {}).await;
    let (state, message) = told(&server, "ann", &format!("SELECT sum(temp) FROM {O}")).await;
    assert_eq!(state, "53400");
    assert!(message.starts_with("the statement would read ") && message.ends_with("max_scan_bytes"), "{message}");
    let ann = connect(&server, "ann").await;
    let error = ann.simple_query(&format!("SELECT sum(temp) FROM {O}")).await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.detail().map(|detail| detail.contains("It would open 2 files; the limit is 1 kB.")), Some(true));
    assert!(error.hint().is_some());
    // What opens little or nothing is answered.
    assert_eq!(told(&server, "ann", "SELECT count(*) FROM weather.stations").await.0, "");
    assert_eq!(told(&server, "ann", &format!("SELECT count(*) FROM {O}")).await.0, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_has_its_own_memory_and_temporary_files() {
    let server = start("\"lakegate.memory_limit\" = \"32MB\", temp_file_limit = \"1MB\"", |_| {}).await;
    let held = "SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 60000)";
    assert_eq!(told(&server, "ann", held).await, ("53200".to_owned(), "out of memory".to_owned()));
    let spilled = "SELECT max(n) FROM (SELECT t, row_number() OVER (ORDER BY t) AS n
        FROM (SELECT repeat('y', 1000) || a AS t FROM generate_series(1, 60000) a) q) s WHERE length(t) > 5";
    let expected = ("53400".to_owned(), "temporary file size exceeds temp_file_limit (1024kB)".to_owned());
    assert_eq!(told(&server, "ann", spilled).await, expected);
    let admin = connect(&server, "admin").await;
    admin.simple_query("SET temp_file_limit = -1").await.unwrap();
    admin.simple_query(spilled).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_a_role_wait_for_each_other_and_not_others_for_them() {
    let server = start("\"lakegate.max_running\" = 1", |config| config.engine.queue_timeout_ms = 600_000).await;
    let endless = format!("SELECT count(*) FROM {O} a, {O} b, {O} c, {O} d WHERE a.n + b.n + c.n + d.n = -1");
    let mut busy = Vec::new();
    for _ in 0..9 {
        let client = connect(&server, "ann").await;
        let token = client.cancel_token();
        let endless = endless.clone();
        let running = tokio::spawn(async move { client.simple_query(&endless).await.map(drop) });
        busy.push((token, running));
    }
    while server.server.engine().queued() < 8 {
        tokio::task::yield_now().await;
    }
    let sum = format!("SELECT sum(n) FROM {O}");
    let refused = connect(&server, "ann").await.simple_query(&sum).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::TOO_MANY_CONNECTIONS));
    connect(&server, "ann").await.simple_query("SELECT 1").await.unwrap();
    let admin = connect(&server, "admin").await;
    let queued = admin.query("SELECT count(*) FROM system.queries WHERE state = 'queued'", &[]).await.unwrap();
    assert_eq!(queued[0].get::<_, i64>(0), 8);
    for (token, _) in &busy {
        token.cancel_query(NoTls).await.unwrap();
    }
    for (_, running) in busy {
        assert_eq!(running.await.unwrap().unwrap_err().code(), Some(&SqlState::QUERY_CANCELED));
    }
    connect(&server, "ann").await.simple_query(&sum).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cheap_statements_go_by_heavy_ones() {
    let lake = Lake::sample();
    let mut config = server::config(&lake);
    (config.engine.heavy_max, config.engine.heavy_bytes_min) = (1, 1_000);
    config.engine.queue_timeout_ms = 600_000;
    let server = TestServer::with(config).await;
    let endless = format!("SELECT count(*) FROM {O} a, {O} b, {O} c, {O} d WHERE a.n + b.n + c.n + d.n = -1");
    let mut busy = Vec::new();
    for _ in 0..4 {
        let mut client = server.wire().await;
        client.send(&message::query(&endless)).await;
        busy.push(client);
    }
    while server.server.engine().queued() < 3 {
        tokio::task::yield_now().await;
    }
    // Rows as they stand in their files, small files, and none at all.
    for cheap in ["SELECT n FROM weather.observations LIMIT 3", "SELECT count(name) FROM weather.stations", "SELECT 1"]
    {
        assert_eq!(server.state(cheap).await, "00000", "{cheap}");
    }
    assert_eq!(server.server.engine().queued(), 3);
    for client in &mut busy {
        cancel(server.addr(), client.key.as_ref().unwrap()).await;
    }
    for mut client in busy {
        let ended = wire::Answer::of(client.until_ready().await);
        assert_eq!(ended.state(), "57014");
    }
}
