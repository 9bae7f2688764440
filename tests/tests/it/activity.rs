//! What an operator sees of statements and sessions, and who may see and end whose.

use lakegate_tests::wire::{Answer, message};
use lakegate_tests::{Lake, TestServer, flight};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::authentication::{PASSWORD, with_roles};
use crate::cancel::ENDLESS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_tell_what_ran() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut client = server.wire().await;
    client.query("SET application_name = 'probe'").await;
    // The footers are read now, and their bounds are known behind it.
    client.query("SELECT n FROM weather.observations").await;
    client.query("SELECT n FROM weather.observations WHERE n < 10").await;
    client.query("SELECT 1 / 0").await;
    client.query("SELECT * FROM nowhere").await;
    let sql = "SELECT query, state, sqlstate, rows, files_scanned, files_pruned, bytes_read > 0, bytes_sent > 0, \
               protocol, role, client_addr, duration >= '0'::interval AND started_at + duration <= now() + '1min'::interval, \
               pid = pg_backend_pid() FROM system.queries WHERE application_name = 'probe' ORDER BY id";
    let rows = client.query(sql).await.texts();
    let rows: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect()).collect();
    let rest = ["postgresql", "lakegate", "127.0.0.1", "t", "t"];
    let row = |begin: [&'static str; 8]| [begin.as_slice(), &rest].concat();
    let expected = [
        row(["SELECT n FROM weather.observations", "succeeded", "00000", "1000", "2", "0", "t", "t"]),
        row(["SELECT n FROM weather.observations WHERE n < 10", "succeeded", "00000", "10", "1", "1", "t", "t"]),
        row(["SELECT 1 / 0", "failed", "22012", "0", "0", "0", "f", "f"]),
        row(["SELECT * FROM nowhere", "failed", "42P01", "0", "0", "0", "f", "f"]),
        row([sql, "running", "NULL", "0", "0", "0", "f", "f"]),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_a_statement_changes_are_told_too() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("CREATE TABLE t (a int8)").await;
    client.query("INSERT INTO t SELECT * FROM generate_series(1, 7)").await;
    client.send(&message::query("COPY t FROM STDIN")).await;
    client.until(b'G').await;
    client.send(&[message::frame(b'd', b"1\n2\n3\n"), message::frame(b'c', b"")].concat()).await;
    assert_eq!(Answer::of(client.until_ready().await).state(), "00000");
    let told = "SELECT concat_ws(' ', split_part(query, ' ', 1), state, rows) FROM system.queries WHERE query LIKE '% t %' ORDER BY id";
    let told: Vec<_> = client.query(told).await.texts().into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(told[..3], ["CREATE succeeded 0", "INSERT succeeded 7", "COPY succeeded 3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_running_until_it_is_cancelled() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let pid = client.key.clone().unwrap().0;
    client.send(&message::query(ENDLESS)).await;
    let mut witness = server.wire().await;
    let state =
        format!("SELECT state FROM system.queries WHERE pid = {pid} AND query LIKE 'SELECT count%' ORDER BY id");
    while witness.value(&state).await.as_deref() != Some("running") {}
    witness.query(&format!("SELECT pg_cancel_backend({pid})")).await;
    assert_eq!(Answer::of(client.until_ready().await).state(), "57014");
    assert_eq!(witness.value(&state).await.as_deref(), Some("canceled"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_over_flight_are_told_with_the_bytes_that_were_sent() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut client = flight::Client::login(server.server.flight_addr()).await;
    client.query("SELECT station, n FROM weather.observations").await.unwrap();
    let sql = "SELECT concat_ws(' ', protocol, state, rows, bytes_sent > 8000) FROM system.queries WHERE query LIKE 'SELECT station%'";
    assert_eq!(server.column(sql).await, ["flight succeeded 1000 t"]);
}

async fn login(server: &TestServer, user: &str) -> Client {
    let mut config = server.driver();
    config.user(user).password(PASSWORD);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The first column of the rows, as text; or the SQLSTATE and the DETAIL.
async fn column(client: &Client, sql: &str) -> Result<Vec<Option<String>>, (String, String)> {
    match client.simple_query(sql).await {
        Ok(messages) => Ok(messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
                _ => None,
            })
            .collect()),
        Err(error) => {
            let error = error.as_db_error().unwrap();
            Err((error.code().code().to_owned(), error.detail().unwrap_or_default().to_owned()))
        }
    }
}

async fn pid(client: &Client) -> String {
    column(client, "SELECT pg_backend_pid()").await.unwrap().remove(0).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_sessions_of_others_only_a_superuser_is_told_more_than_whose_they_are() {
    let server = with_roles(&Lake::default()).await;
    let (reader, admin) = (login(&server, "reader").await, login(&server, "admin").await);
    column(&reader, "SELECT 'of the reader'").await.unwrap();
    column(&admin, "SELECT 'of the admin'").await.unwrap();
    let (pid_reader, pid_admin) = (pid(&reader).await, pid(&admin).await);
    let known = |pid: &str| {
        format!(
            "SELECT concat_ws('|', usename, query, state, wait_event_type, wait_event, client_addr, backend_type, \
             query_start IS NULL, backend_start IS NULL, state_change IS NULL, xact_start IS NULL, backend_xid) \
             FROM pg_stat_activity WHERE pid = {pid}"
        )
    };
    let hidden = "admin|<insufficient privilege>|t|t|t|t";
    assert_eq!(column(&reader, &known(&pid_admin)).await.unwrap(), [Some(hidden.to_owned())]);
    let shown = "reader|SELECT pg_backend_pid()|idle|Client|ClientRead|127.0.0.1|client backend|f|f|f|t";
    column(&reader, "SELECT pg_backend_pid()").await.unwrap();
    assert_eq!(column(&admin, &known(&pid_reader)).await.unwrap(), [Some(shown.to_owned())]);
    let texts = "SELECT query FROM system.queries WHERE query IS NULL OR query LIKE '%of the%' ORDER BY id";
    assert_eq!(column(&reader, texts).await.unwrap()[..2], [Some("SELECT 'of the reader'".to_owned()), None]);
    let all = column(&admin, texts).await.unwrap();
    assert_eq!(all[..2], ["SELECT 'of the reader'", "SELECT 'of the admin'"].map(|text| Some(text.to_owned())));
    let addresses = "SELECT DISTINCT role FROM system.queries WHERE client_addr IS NULL ORDER BY 1";
    assert_eq!(column(&reader, addresses).await.unwrap(), [Some("admin".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_ended_by_its_own_role_or_a_superuser() {
    let server = with_roles(&Lake::default()).await;
    let (reader, admin) = (login(&server, "reader").await, login(&server, "admin").await);
    let (pid_reader, pid_admin) = (pid(&reader).await, pid(&admin).await);
    for function in ["pg_cancel_backend", "pg_terminate_backend"] {
        let refused = column(&reader, &format!("SELECT {function}({pid_admin})")).await.unwrap_err();
        let detail = "Only roles with the SUPERUSER attribute may do this to roles with the SUPERUSER attribute.";
        assert_eq!(refused, ("42501".to_owned(), detail.to_owned()), "{function}");
    }
    let running = tokio::spawn(async move { column(&reader, ENDLESS).await });
    let active = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid_reader} AND state = 'active'");
    while column(&admin, &active).await.unwrap() != [Some("1".to_owned())] {}
    let other = login(&server, "reader").await;
    let told = column(&other, &format!("SELECT pg_cancel_backend({pid_reader})")).await.unwrap();
    assert_eq!(told, [Some("t".to_owned())]);
    assert_eq!(running.await.unwrap().unwrap_err().0, "57014");
    column(&admin, "SELECT 1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_a_block_is_told() {
    let server = TestServer::start(&Lake::default()).await;
    let (mut client, mut witness) = (server.wire().await, server.wire().await);
    let pid = client.key.clone().unwrap().0;
    let known = format!(
        "SELECT concat_ws(' ', state, wait_event, xact_start IS NULL, query_start IS NULL) FROM pg_stat_activity WHERE pid = {pid}"
    );
    assert_eq!(witness.value(&known).await.as_deref(), Some("idle ClientRead t t"));
    client.query("BEGIN").await;
    assert_eq!(witness.value(&known).await.as_deref(), Some("idle in transaction ClientRead f f"));
    client.query("SELECT 1 / 0").await;
    assert_eq!(witness.value(&known).await.as_deref(), Some("idle in transaction (aborted) ClientRead f f"));
    client.query("ROLLBACK").await;
    assert_eq!(witness.value(&known).await.as_deref(), Some("idle ClientRead t f"));
    let own = format!("SELECT state || ' ' || (xact_start IS NOT NULL) FROM pg_stat_activity WHERE pid = {pid}");
    assert_eq!(client.value(&own).await.as_deref(), Some("active true"));
}
