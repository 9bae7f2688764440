//! How a connection begins: versions, TLS, GSS, parameters, who may come in.

use lakegate_tests::wire::message::{self, Message, PROTOCOL_3_0, PROTOCOL_3_2};
use lakegate_tests::wire::{Answer, Client, cancel_until_ready};
use lakegate_tests::{Certificate, Lake, TestServer, server};

const LOGIN: [(&str, &str); 2] = [("user", "lakegate"), ("database", "lakegate")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protocol_3_0_and_3_2_are_spoken() {
    let server = TestServer::start(&Lake::default()).await;
    let mut old = Client::login_with(server.addr(), PROTOCOL_3_0, &[]).await;
    assert_eq!(old.key.as_ref().unwrap().1.len(), 4);
    old.assert_alive().await;
    let mut new = Client::login_with(server.addr(), PROTOCOL_3_2, &[]).await;
    let length = new.key.as_ref().unwrap().1.len();
    assert!((5..=256).contains(&length), "a secret of protocol 3.2 is longer: {length}");
    new.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newer_minors_and_unknown_options_are_negotiated() {
    let server = TestServer::start(&Lake::default()).await;
    for (version, option, expected_options) in [
        ((3 << 16) | 9, None, vec![]),
        ((3 << 16) | 9999, None, vec![]),
        (PROTOCOL_3_2, Some("_pq_.no_such_option"), vec!["_pq_.no_such_option"]),
        (PROTOCOL_3_0, Some("_pq_.other"), vec!["_pq_.other"]),
    ] {
        let mut client = Client::open(server.addr()).await;
        let mut pairs = LOGIN.to_vec();
        pairs.extend(option.map(|name| (name, "1")));
        client.send(&message::startup(version, &pairs)).await;
        let first = client.receive().await.unwrap();
        assert_eq!(first.tag, b'v', "NegotiateProtocolVersion");
        let newest = u32::try_from(first.int32(0)).unwrap();
        assert!(newest == PROTOCOL_3_2 || newest == 2 || newest == version, "{newest:#x}");
        let count = first.int32(4);
        let options: Vec<&[u8]> = first.body[8..].split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
        assert_eq!(usize::try_from(count).unwrap(), expected_options.len());
        assert_eq!(options, expected_options.iter().map(|name| name.as_bytes()).collect::<Vec<_>>());
        assert_eq!(client.until_ready().await.last().map(|message| message.tag), Some(b'Z'));
        client.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_parameter_of_postgres_16_is_told() {
    let server = TestServer::start(&Lake::default()).await;
    let options = [("application_name", "a test"), ("client_encoding", "'utf-8'"), ("TimeZone", "Asia/Tokyo")];
    let client = Client::login_with(server.addr(), PROTOCOL_3_0, &options).await;
    let told = |name: &str| {
        let found = client.parameters.iter().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("{name} is not told")).1.clone()
    };
    for (name, value) in [
        ("application_name", "a test"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("in_hot_standby", "off"),
        ("integer_datetimes", "on"),
        ("IntervalStyle", "postgres"),
        ("server_encoding", "UTF8"),
        ("session_authorization", "lakegate"),
        ("standard_conforming_strings", "on"),
        ("TimeZone", "Asia/Tokyo"),
    ] {
        assert_eq!(told(name), value, "{name}");
    }
    assert!(told("server_version").starts_with("16."));
    assert!(["on", "off"].contains(&&*told("is_superuser")));
    assert!(["on", "off"].contains(&&*told("default_transaction_read_only")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn startup_options_set_variables() {
    let server = TestServer::start(&Lake::default()).await;
    let options = [("options", "-c statement_timeout=5s --application_name=from\\ options")];
    let mut client = Client::login_with(server.addr(), PROTOCOL_3_0, &options).await;
    assert_eq!(client.value("SHOW statement_timeout").await.as_deref(), Some("5s"));
    assert_eq!(client.value("SHOW application_name").await.as_deref(), Some("from options"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_database_does_not_exist() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = Client::open(server.addr()).await;
    client.send(&message::startup(PROTOCOL_3_0, &[("user", "lakegate"), ("database", "nope")])).await;
    let fault = client.until_closed().await.iter().find_map(Message::fault).unwrap();
    assert_eq!((fault.state.as_str(), fault.message.as_str()), ("3D000", "database \"nope\" does not exist"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_certificate_tls_is_declined_and_the_login_goes_on() {
    let server = TestServer::start(&Lake::default()).await;
    for request in [message::ssl_request(), message::gssenc_request()] {
        let mut client = Client::open(server.addr()).await;
        client.send(&request).await;
        assert_eq!(client.byte().await, Some(b'N'));
        client.send(&message::startup(PROTOCOL_3_0, &LOGIN)).await;
        assert_eq!(client.until_ready().await.last().map(|message| message.tag), Some(b'Z'));
        client.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gss_then_tls_then_login() {
    let (certificate, server) = with_tls().await;
    let mut client = Client::open(server.addr()).await;
    client.send(&message::gssenc_request()).await;
    assert_eq!(client.byte().await, Some(b'N'));
    client.send(&message::ssl_request()).await;
    assert_eq!(client.byte().await, Some(b'S'));
    let client = certificate.connect(client.into_stream().0, &[]).await.unwrap();
    login(client).await.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_tls_needs_its_alpn() {
    let (certificate, server) = with_tls().await;
    let open = || async { Client::open(server.addr()).await.into_stream().0 };
    let client = certificate.connect(open().await, &["postgresql"]).await.unwrap();
    login(client).await.assert_alive().await;
    // PostgreSQL refuses direct TLS without ALPN, against attacks across protocols.
    for alpn in [&[][..], &["http/1.1"]] {
        let refused = match certificate.connect(open().await, alpn).await {
            Err(_) => true,
            Ok(mut client) => {
                client.send(&message::startup(PROTOCOL_3_0, &LOGIN)).await;
                client.is_closed().await
            }
        };
        assert!(refused, "direct TLS with ALPN {alpn:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_works_before_and_after_tls() {
    let (certificate, server) = with_tls().await;
    for in_tls in [false, true] {
        let mut client = login(tls(&certificate, &server).await).await;
        let key = client.key.clone().unwrap();
        client.send(&message::query(crate::cancel::ENDLESS)).await;
        if in_tls {
            let mut witness = login(tls(&certificate, &server).await).await;
            let running = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND state = 'active'", key.0);
            while witness.value(&running).await.as_deref() == Some("0") {}
            let mut other = tls(&certificate, &server).await;
            other.send(&message::cancel(key.0, &key.1)).await;
            assert!(other.is_closed().await);
        }
        let answer = match in_tls {
            true => Answer::of(client.until_ready().await),
            false => cancel_until_ready(server.addr(), &mut client).await,
        };
        assert_eq!(answer.state(), "57014", "cancel inside TLS: {in_tls}");
        client.assert_alive().await;
    }
}

/// A connection that is inside TLS and not logged in.
async fn tls(certificate: &Certificate, server: &TestServer) -> Client {
    let mut client = Client::open(server.addr()).await;
    client.send(&message::ssl_request()).await;
    assert_eq!(client.byte().await, Some(b'S'));
    certificate.connect(client.into_stream().0, &[]).await.unwrap()
}

async fn with_tls() -> (Certificate, TestServer) {
    let certificate = Certificate::default();
    let lake = Lake::default();
    let mut config = server::config(&lake);
    certificate.install(&mut config);
    (certificate, TestServer::with(config).await.keeping(&lake))
}

async fn login(mut client: Client) -> Client {
    client.send(&message::startup(PROTOCOL_3_0, &LOGIN)).await;
    assert_eq!(client.until_ready().await.last().map(|message| message.tag), Some(b'Z'));
    client
}
