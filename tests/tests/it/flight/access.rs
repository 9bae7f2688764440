//! Who may call: passwords, tokens, tickets.

use arrow_flight::sql::{Any, CommandStatementQuery, ProstMessageExt, TicketStatementQuery};
use arrow_flight::{FlightInfo, Ticket};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lakegate_tests::flight::{Client, state};
use lakegate_tests::{Lake, TestServer};
use prost::Message;
use tonic::Code;

use super::one_text;
use crate::authentication::{PASSWORD, with_roles, with_roles_and};

/// `user:password` as a header.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}")))
}

pub(super) async fn open(server: &TestServer) -> Client {
    Client::open(server.server.flight_addr()).await
}

fn ticket(info: &FlightInfo) -> Ticket {
    info.endpoint[0].ticket.clone().unwrap()
}

fn query(sql: &str) -> CommandStatementQuery {
    CommandStatementQuery { query: sql.to_owned(), transaction_id: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_gives_a_token_and_nothing_else_lets_in() {
    let server = with_roles(&Lake::default()).await;
    let mut client = open(&server).await;
    let status = client.query("SELECT 1").await.unwrap_err();
    assert_eq!((status.code(), state(&status)), (Code::Unauthenticated, "28000"));
    let wrong = client.handshake(Some(&basic("reader", "wrong"))).await.unwrap_err();
    assert_eq!((wrong.code(), state(&wrong)), (Code::Unauthenticated, "28P01"));
    let unknown = client.handshake(Some(&basic("nobody", PASSWORD))).await.unwrap_err();
    assert_eq!(unknown.message(), wrong.message().replace("reader", "nobody"));
    client.handshake(Some(&basic("reader", PASSWORD))).await.unwrap();
    assert_eq!(one_text(&mut client, "SELECT current_user::text").await, "reader");
    // The token is a password of its own, on any connection.
    let mut other = open(&server).await;
    other.authorization.clone_from(&client.authorization);
    assert_eq!(one_text(&mut other, "SELECT current_user::text").await, "reader");
    // Basic on every call.
    other.authorization = Some(basic("admin", PASSWORD));
    assert_eq!(one_text(&mut other, "SELECT current_user::text").await, "admin");
    for forged in ["Bearer x", "Bearer ", "Basic x", "Digest x", "nothing"] {
        other.authorization = Some(forged.to_owned());
        let status = other.query("SELECT 1").await.unwrap_err();
        assert!(matches!(status.code(), Code::Unauthenticated | Code::InvalidArgument), "{forged}: {status:?}");
    }
    let mut token = client.authorization.clone().unwrap();
    token.pop();
    other.authorization = Some(token);
    assert_eq!(state(&other.query("SELECT 1").await.unwrap_err()), "28000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_worth_nothing_to_another_role_or_when_changed() {
    let server = with_roles(&Lake::default()).await;
    let (mut reader, mut admin) = (open(&server).await, open(&server).await);
    reader.handshake(Some(&basic("reader", PASSWORD))).await.unwrap();
    admin.handshake(Some(&basic("admin", PASSWORD))).await.unwrap();
    let theirs = ticket(&admin.info(&query("SELECT 'secret'")).await.unwrap());
    let status = reader.fetch(theirs.clone()).await.unwrap_err();
    assert_eq!((status.code(), state(&status)), (Code::PermissionDenied, "42501"));
    assert!(!status.message().contains("secret"));
    let any = Any::decode(&*theirs.ticket).unwrap();
    let inner: TicketStatementQuery = any.unpack().unwrap().unwrap();
    for at in [0, 5, 20, inner.statement_handle.len() - 1] {
        let mut forged = inner.statement_handle.to_vec();
        forged[at] ^= 1;
        let forged = TicketStatementQuery { statement_handle: forged.into() };
        let status = admin.fetch(Ticket::new(forged.as_any().encode_to_vec())).await.unwrap_err();
        assert_eq!(state(&status), "42501", "{status:?}");
    }
    assert_eq!(admin.fetch(theirs).await.unwrap().batches[0].num_rows(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_with_one_key_take_each_others_tokens_and_tickets() {
    let lake = Lake::default();
    lake.write("a/t.csv", "id\n1\n2\n");
    lake.write("b/t.csv", "id\n7\n");
    let key = "a key that is long enough for all".to_owned();
    let keyed = |config: &mut gateway::config::Config| config.auth.token_key = Some(key.clone().into());
    let (one, two) = (with_roles_and(&lake, keyed).await, with_roles_and(&lake, keyed).await);
    let mut client = open(&one).await;
    client.handshake(Some(&basic("reader", PASSWORD))).await.unwrap();
    client.query("SET search_path = b").await.unwrap();
    let info = client.info(&query("SELECT id::text FROM t")).await.unwrap();
    let handle = client.prepare("SELECT id::text FROM t").await.unwrap().prepared_statement_handle;
    let mut other = open(&two).await;
    other.authorization.clone_from(&client.authorization);
    // The other replica never saw the session, but the ticket knows which `t` was meant.
    assert_eq!(super::texts(&other.fetch(ticket(&info)).await.unwrap().batches, 0), ["7"]);
    assert_eq!(super::texts(&other.execute(&handle).await.unwrap().batches, 0), ["7"]);
    // A server with another key takes neither.
    let three = with_roles(&lake).await;
    let mut stranger = open(&three).await;
    stranger.authorization.clone_from(&client.authorization);
    assert_eq!(state(&stranger.query("SELECT 1").await.unwrap_err()), "28000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_key_stops_the_start() {
    let mut config = lakegate_tests::server::config(&Lake::default());
    config.auth.token_key = Some("short".to_owned().into());
    let error = gateway::server::Server::start(config).await.err().unwrap();
    assert!(error.message.contains("auth.token_key") && !error.message.contains("short"), "{error}");
}
