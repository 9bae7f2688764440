//! Passwords: SCRAM against a roles file, and what a failure tells.

use lakegate_tests::wire::message::{self, PROTOCOL_3_0};
use lakegate_tests::wire::{Client, Fault};
use lakegate_tests::{Certificate, Lake, TestServer, server};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// PostgreSQL 15's own verifier of `PASSWORD`, out of its `pg_authid`.
pub(crate) const VERIFIER: &str = "SCRAM-SHA-256$4096:4meAazSthvMGn1GFvXp5kA==$8te7K8qua+hUDTAifVRmBHBHIIaFWne5fIrg0hWmoW8=:gk/oFPh90C1sANIKYcO5axhrRPn4lfyp93+7h5OwCRE=";

fn roles() -> String {
    format!(
        "[[role]]\nname = \"reader\"\nverifier = \"{VERIFIER}\"\nconnection_limit = 3\n\n\
         [[role]]\nname = \"admin\"\nverifier = \"{VERIFIER}\"\nsuperuser = true\n"
    )
}

/// A server with the roles `reader` (at most three connections) and `admin`, both with `PASSWORD`.
pub(crate) async fn with_roles(lake: &Lake) -> TestServer {
    with_roles_and(lake, |_| {}).await
}

pub(crate) async fn with_roles_and(lake: &Lake, change: impl FnOnce(&mut gateway::config::Config)) -> TestServer {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, roles().as_bytes()).unwrap();
    let mut config = server::config(lake);
    config.auth.roles_file = Some(file.path().to_owned());
    change(&mut config);
    TestServer::with(config).await.keeping(lake)
}

/// Sends the startup packet and reads the offered SASL mechanisms.
pub(crate) async fn mechanisms(client: &mut Client, user: &str) -> Vec<String> {
    client.send(&message::startup(PROTOCOL_3_0, &[("user", user), ("database", "lakegate")])).await;
    let request = client.receive().await.unwrap();
    assert_eq!((request.tag, request.int32(0)), (b'R', 10), "AuthenticationSASL");
    let names = request.body[4..].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| String::from_utf8(name.to_vec()).unwrap()).collect()
}

/// A login that knows no password: the server's first message, and its last word.
async fn guess(server: &TestServer, user: &str) -> (String, Fault) {
    let mut client = Client::open(server.addr()).await;
    mechanisms(&mut client, user).await;
    client.send(&message::sasl_initial("SCRAM-SHA-256", "n,,n=,r=0123456789abcdefghijklmn")).await;
    let first = client.receive().await.unwrap();
    assert_eq!((first.tag, first.int32(0)), (b'R', 11), "{:?}", first.fault());
    let first = String::from_utf8(first.body[4..].to_vec()).unwrap();
    let nonce = first.split(',').next().unwrap();
    let proof = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    client.send(&message::frame(b'p', format!("c=biws,{nonce},p={proof}").as_bytes())).await;
    let messages = client.until_closed().await;
    assert!(messages.iter().all(|message| message.tag == b'E'), "{messages:?}");
    (first.clone(), messages[0].fault().unwrap())
}

/// The salt and the iterations of a server's first message.
fn salt_and_iterations(first: &str) -> (String, String) {
    let field = |key: &str| first.split(',').find_map(|part| part.strip_prefix(key)).unwrap().to_owned();
    (field("s="), field("i="))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_password_logs_in_and_a_wrong_one_does_not() {
    let server = with_roles(&Lake::default()).await;
    let mut config = server.driver();
    config.user("reader").password(PASSWORD);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let user: String = client.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    assert_eq!(user, "reader");
    for wrong in ["", "correct horse", "CORRECT HORSE BATTERY"] {
        config.password(wrong);
        let error = config.connect(tokio_postgres::NoTls).await.err().unwrap();
        if !wrong.is_empty() {
            assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("28P01"), "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_user_looks_like_a_wrong_password() {
    let server = with_roles(&Lake::default()).await;
    let (first_known, known) = guess(&server, "reader").await;
    let (first_unknown, unknown) = guess(&server, "nobody-knows-me").await;
    let (salt, iterations) = salt_and_iterations(&first_unknown);
    let (salt_known, iterations_known) = salt_and_iterations(&first_known);
    assert_eq!((iterations, salt.len()), (iterations_known, salt_known.len()));
    assert_eq!(unknown.state, "28P01");
    assert_eq!(unknown.message, "password authentication failed for user \"nobody-knows-me\"");
    let renamed = Fault { message: known.message.replace("reader", "nobody-knows-me"), ..known };
    assert_eq!(renamed, unknown);
    // Asking twice tells nothing either: a made-up salt stays as it is, as a real one does.
    assert_eq!(salt, salt_and_iterations(&guess(&server, "nobody-knows-me").await.0).0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channel_binding_is_offered_inside_tls_only() {
    let certificate = Certificate::default();
    let server = with_roles_and(&Lake::default(), |config| certificate.install(config)).await;
    let mut plain = Client::open(server.addr()).await;
    assert_eq!(mechanisms(&mut plain, "reader").await, ["SCRAM-SHA-256"]);
    let mut request = Client::open(server.addr()).await;
    request.send(&message::ssl_request()).await;
    assert_eq!(request.byte().await, Some(b'S'));
    let mut tls = certificate.connect(request.into_stream().0, &[]).await.unwrap();
    assert_eq!(mechanisms(&mut tls, "reader").await, ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    // A client that could bind but believes that the server cannot has met somebody in the middle.
    tls.send(&message::sasl_initial("SCRAM-SHA-256", "y,,n=,r=0123456789abcdefghijklmn")).await;
    let fault = tls.until_closed().await[0].fault().unwrap();
    assert_eq!(fault.severity, "FATAL", "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_has_its_connection_limit() {
    let server = with_roles(&Lake::default()).await;
    let mut config = server.driver();
    config.user("reader").password(PASSWORD);
    let mut open = Vec::new();
    for _ in 0..3 {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        open.push(client);
    }
    let error = config.connect(tokio_postgres::NoTls).await.err().unwrap();
    assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("53300"), "{error:?}");
    config.user("admin");
    assert!(config.connect(tokio_postgres::NoTls).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_address_without_roles_does_not_start() {
    let lake = Lake::default();
    let mut config = server::config(&lake);
    config.pg.listen = ([0, 0, 0, 0], 0).into();
    assert!(gateway::server::Server::start(config).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_certificate_stops_the_start() {
    let lake = Lake::default();
    let broken = lake.write("broken.pem", "-----BEGIN CERTIFICATE-----\nnope\n-----END CERTIFICATE-----\n");
    let mut config = server::config(&lake);
    config.pg.tls_cert_file = Some(broken.clone());
    config.pg.tls_key_file = Some(broken.clone());
    assert!(gateway::server::Server::start(config.clone()).await.is_err());
    config.pg.tls_key_file = None;
    assert!(gateway::server::Server::start(config).await.is_err(), "a certificate without its key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_may_be_required() {
    let certificate = Certificate::default();
    let lake = Lake::default();
    let mut config = server::config(&lake);
    certificate.install(&mut config);
    config.pg.tls_required = true;
    let server = TestServer::with(config).await;
    let mut plain = Client::open(server.addr()).await;
    plain.send(&message::startup(PROTOCOL_3_0, &[("user", "lakegate"), ("database", "lakegate")])).await;
    let fault = plain.until_closed().await[0].fault().unwrap();
    assert_eq!((fault.severity.as_str(), fault.state.as_str()), ("FATAL", "28000"), "{fault:?}");
}
