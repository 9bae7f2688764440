//! Clients that show a certificate instead of a password, over both protocols.

use lakegate_tests::flight::{Client, state};
use lakegate_tests::wire::{self, message};
use lakegate_tests::{Authority, Certificate, Identity, Lake, TestServer};
use tonic::Code;

use super::access::basic;
use super::one_text;
use crate::authentication::{PASSWORD, with_roles_and};

async fn server(certificate: &Certificate, authority: &Authority) -> TestServer {
    with_roles_and(&Lake::default(), |config| {
        certificate.install(config);
        certificate.install_for_flight(config);
        config.pg.tls_client_ca_file = Some(authority.file().to_owned());
        config.flight.tls_client_ca_file = Some(authority.file().to_owned());
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_in_a_certificate_is_the_role() {
    let (certificate, authority) = (Certificate::default(), Authority::default());
    let server = server(&certificate, &authority).await;
    let open = async |identity: Option<Identity>| {
        Client::open_tls(server.server.flight_addr(), certificate.client(identity, &["h2"])).await
    };
    let mut reader = open(Some(authority.identity("reader"))).await.unwrap();
    assert_eq!(one_text(&mut reader, "SELECT current_user::text").await, "reader");
    // It gets a token as well, which is good without it.
    reader.handshake(None).await.unwrap();
    let mut bearer = open(None).await.unwrap();
    bearer.authorization.clone_from(&reader.authorization);
    assert_eq!(one_text(&mut bearer, "SELECT current_user::text").await, "reader");
    // A password is a proof of its own.
    reader.authorization = Some(basic("admin", PASSWORD));
    assert_eq!(one_text(&mut reader, "SELECT current_user::text").await, "admin");
    let mut nobody = open(Some(authority.identity("nobody"))).await.unwrap();
    let refused = nobody.query("SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), state(&refused)), (Code::Unauthenticated, "28000"));
    assert_eq!(refused.message(), "certificate authentication failed for user \"nobody\"");
    let mut silent = open(None).await.unwrap();
    assert_eq!(silent.query("SELECT 1").await.unwrap_err().message(), "no credentials were given");
    // One of another authority does not get as far as that.
    if let Ok(mut forged) = open(Some(Authority::default().identity("reader"))).await {
        assert!(state(&forged.query("SELECT 1").await.unwrap_err()).is_empty(), "the connection breaks");
    }
}

/// The first message of a login over TLS.
async fn first(server: &TestServer, certificate: &Certificate, identity: Identity, user: &str) -> message::Message {
    let stream = Box::new(tokio::net::TcpStream::connect(server.addr()).await.unwrap());
    let mut client: wire::Client = certificate.connect_as(Some(identity), stream, &["postgresql"]).await.unwrap();
    client.send(&message::startup(message::PROTOCOL_3_0, &[("user", user), ("database", "lakegate")])).await;
    client.receive().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_in_the_name_of_the_role_is_its_password() {
    let (certificate, authority) = (Certificate::default(), Authority::default());
    let server = server(&certificate, &authority).await;
    // AuthenticationOk, and SASL for everybody else.
    let welcome = first(&server, &certificate, authority.identity("reader"), "reader").await;
    assert_eq!((welcome.tag, welcome.int32(0)), (b'R', 0));
    let asked = first(&server, &certificate, authority.identity("reader"), "admin").await;
    assert_eq!((asked.tag, asked.int32(0)), (b'R', 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_without_a_certificate_stops_the_start() {
    let authority = Authority::default();
    let mut config = lakegate_tests::server::config(&Lake::default());
    config.flight.tls_client_ca_file = Some(authority.file().to_owned());
    let error = gateway::server::Server::start(config).await.err().unwrap();
    assert!(error.message.contains("flight.tls_client_ca_file needs"), "{error}");
}
