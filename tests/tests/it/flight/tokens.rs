//! Tokens grow old, but not those of clients that work.

use arrow_flight::FlightDescriptor;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use lakegate_tests::flight::{Client, state};
use lakegate_tests::{Lake, TestServer};
use prost::Message;
use tonic::Code;

use super::access::{basic, open};
use super::one_text;
use crate::authentication::{PASSWORD, with_roles_and};

const KEY: &str = "a key that is long enough for all";

async fn with_lifetime(milliseconds: u64) -> TestServer {
    with_roles_and(&Lake::default(), |config| {
        config.auth.token_lifetime_ms = milliseconds;
        config.auth.token_key = Some(KEY.to_owned().into());
    })
    .await
}

async fn login(server: &TestServer) -> Client {
    let mut client = open(server).await;
    client.handshake(Some(&basic("reader", PASSWORD))).await.unwrap();
    client
}

/// A client that shows what another was given, over a connection of its own.
async fn with_token_of(client: &Client, server: &TestServer) -> Client {
    let mut other = open(server).await;
    other.authorization.clone_from(&client.authorization);
    other
}

/// Asks, and gives the token that came with the answer.
async fn renewed(client: &mut Client) -> Option<String> {
    let command = CommandStatementQuery { query: "SELECT 1".to_owned(), transaction_id: None };
    let request = client.request(FlightDescriptor::new_cmd(command.as_any().encode_to_vec()));
    let response = client.raw().get_flight_info(request).await.unwrap();
    response.metadata().get("authorization").map(|token| token.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_in_use_outlives_its_token() {
    let server = with_lifetime(800).await;
    let mut client = login(&server).await;
    let pid = one_text(&mut client, "SELECT pg_backend_pid()::text").await;
    for _ in 0..6 {
        client.query("SELECT pg_sleep(0.4)").await.unwrap();
    }
    // The token is the first one, three lives old; a second connection of the same client shows it, too.
    assert_eq!(one_text(&mut client, "SELECT pg_backend_pid()::text").await, pid);
    let mut second = with_token_of(&client, &server).await;
    assert_eq!(one_text(&mut second, "SELECT pg_backend_pid()::text").await, pid);
    // Unused for longer than it lives, it is good where it was shown before, and nowhere else.
    login(&server).await.query("SELECT pg_sleep(1.2)").await.unwrap();
    let mut thief = with_token_of(&client, &server).await;
    let refused = thief.query("SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), state(&refused)), (Code::Unauthenticated, "28000"));
    assert_eq!(refused.message(), "bad token: it has expired");
    let shown = client.authorization.clone().unwrap();
    assert_eq!(thief.handshake(Some(&shown)).await.unwrap_err().message(), "bad token: it has expired");
    assert_eq!(one_text(&mut client, "SELECT pg_backend_pid()::text").await, pid);
    // A session that was closed does not go on.
    client.act("CloseSession", Vec::new()).await.unwrap();
    assert_eq!(state(&client.query("SELECT 1").await.unwrap_err()), "28000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_token_is_answered_with_a_new_one() {
    let server = with_lifetime(3_600_000).await;
    let mut client = login(&server).await;
    assert_eq!(renewed(&mut client).await, None, "it is new");
    let server = with_lifetime(1500).await;
    let mut client = login(&server).await;
    let pid = one_text(&mut client, "SELECT pg_backend_pid()::text").await;
    client.query("SELECT pg_sleep(1)").await.unwrap();
    let token = renewed(&mut client).await.expect("less than half of its life is left");
    assert!(token.starts_with("Bearer ") && Some(&token) != client.authorization.as_ref());
    // The new one lets in where nobody knows the session, and means the same session where somebody does.
    client.query("SELECT pg_sleep(0.8)").await.unwrap();
    let other_replica = with_lifetime(1500).await;
    let mut elsewhere = with_token_of(&client, &other_replica).await;
    assert_eq!(state(&elsewhere.query("SELECT 1").await.unwrap_err()), "28000", "the old one is expired there");
    elsewhere.authorization = Some(token.clone());
    assert_eq!(one_text(&mut elsewhere, "SELECT current_user::text").await, "reader");
    let mut again = open(&server).await;
    again.authorization = Some(token);
    assert_eq!(one_text(&mut again, "SELECT pg_backend_pid()::text").await, pid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_life_at_all_stops_the_start() {
    let mut config = lakegate_tests::server::config(&Lake::default());
    config.auth.token_lifetime_ms = 0;
    let error = gateway::server::Server::start(config).await.err().unwrap();
    assert!(error.message.contains("auth.token_lifetime_ms"), "{error}");
}
