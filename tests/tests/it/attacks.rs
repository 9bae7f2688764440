//! Attacks on the protocol: what a peer may do to the server with bytes, before and after it has logged in.

use lakegate_tests::wire::message::{self, PROTOCOL_3_0, framed};
use lakegate_tests::wire::{Answer, Client};
use lakegate_tests::{Certificate, Lake, TestServer, server};

use crate::authentication::with_roles;

/// Sends bytes as the whole of a connection's input, and gives what came back until the server hung up.
async fn say(server: &TestServer, bytes: &[u8]) -> Vec<message::Message> {
    let mut client = Client::open(server.addr()).await;
    client.send(bytes).await;
    client.until_closed().await
}

/// No ReadyForQuery, no row: whoever sent this is not logged in.
fn assert_not_let_in(messages: &[message::Message]) {
    let tags: String = messages.iter().map(|message| char::from(message.tag)).collect();
    assert!(!tags.contains(['Z', 'D', 'T', 'C', 'K', 'S']), "a stranger was served: {tags}");
    for fault in messages.iter().filter_map(message::Message::fault) {
        assert_eq!(fault.severity, "FATAL", "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_runs_after_a_failed_login() {
    let server = with_roles(&Lake::sample()).await;
    let login = message::startup(PROTOCOL_3_0, &[("user", "mallory"), ("database", "lakegate")]);
    let queries = [message::query("SELECT 1"), message::query("SELECT count(*) FROM weather.observations")].concat();
    for first in [
        // A mechanism that does not exist, a broken first message, a message of another kind.
        message::sasl_initial("NO-SUCH-MECHANISM", "n,,n=,r=abc"),
        message::sasl_initial("SCRAM-SHA-256", "garbage"),
        message::frame(b'p', b"password\0"),
        message::query("SELECT 1"),
        message::sync(),
    ] {
        let messages = say(&server, &[login.clone(), first, queries.clone()].concat()).await;
        assert_not_let_in(&messages[1..]);
        assert!(messages.iter().any(|message| message.tag == b'E'), "no error was told");
    }
    let ran = server_log(&server).await;
    assert!(!ran.iter().any(|sql| sql.contains("count(*) FROM weather")), "a stranger's statement ran: {ran:?}");
}

/// The statements that the server says it ran, through a login that is allowed.
async fn server_log(server: &TestServer) -> Vec<String> {
    let mut config = server.driver();
    config.user("reader").password(crate::authentication::PASSWORD);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let rows = client.simple_query("SELECT * FROM system.query_log").await.unwrap_or_default();
    let text = |row: &tokio_postgres::SimpleQueryRow| {
        (0..row.len()).filter_map(|at| row.get(at).map(str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    rows.iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(text(row)),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_error_of_the_startup_is_fatal_and_closes() {
    let server = TestServer::start(&Lake::default()).await;
    let query = message::query("SELECT 1");
    for (startup, state) in [
        (message::startup(PROTOCOL_3_0, &[("user", "lakegate"), ("database", "elsewhere")]), "3D000"),
        (message::startup(PROTOCOL_3_0, &[("database", "lakegate")]), "28000"),
        (message::startup(PROTOCOL_3_0, &[("user", "lakegate"), ("no_such_variable", "1")]), "42704"),
        (message::startup(PROTOCOL_3_0, &[("user", "lakegate"), ("TimeZone", "Nowhere/City")]), "22023"),
        (message::startup(2 << 16, &[("user", "lakegate")]), "0A000"),
        (message::startup(4 << 16, &[("user", "lakegate")]), "0A000"),
    ] {
        let messages = say(&server, &[startup, query.clone()].concat()).await;
        let fault = messages.iter().find_map(message::Message::fault).expect("no error");
        assert_eq!((fault.severity.as_str(), fault.state.as_str()), ("FATAL", state), "{fault:?}");
        assert!(!messages.iter().any(|message| b"ZDT".contains(&message.tag)), "logged in after {fault:?}");
    }
    server.wire().await.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_sent_before_the_tls_handshake_are_never_read_as_if_inside_it() {
    let certificate = Certificate::default();
    let lake = Lake::default();
    let mut config = server::config(&lake);
    certificate.install(&mut config);
    let server = TestServer::with(config).await;
    let startup = message::startup(PROTOCOL_3_0, &[("user", "lakegate"), ("database", "lakegate")]);
    let smuggled = [message::ssl_request(), startup, message::query("SELECT 'injected'")].concat();
    let mut client = Client::open(server.addr()).await;
    client.send(&smuggled).await;
    // Either nothing or an `S` comes back, and then the connection ends: no handshake succeeds.
    let first = client.byte().await;
    assert!(matches!(first, None | Some(b'S' | b'E')), "{first:?}");
    if first == Some(b'S') {
        let (stream, rest) = client.into_stream();
        assert!(rest.is_empty(), "the server spoke without a handshake");
        assert!(certificate.connect(stream, &[]).await.is_err(), "the handshake went on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_without_its_nul_swallows_nothing() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let swallowing = message::frame(b'Q', b"SELECT 1 --");
    client.send(&[swallowing, message::query("SELECT 2")].concat()).await;
    assert_protocol_violation(client).await;
    server.wire().await.assert_alive().await;
}

/// 08P01 and the end of the connection, without an answer to anything else.
async fn assert_protocol_violation(mut client: Client) {
    let messages = client.until_closed().await;
    let answer = Answer::of(messages);
    assert_eq!(answer.state(), "08P01", "{answer:?}");
    assert!(answer.rows.is_empty(), "{answer:?}");
    assert_eq!(answer.fault.unwrap().severity, "FATAL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_and_lying_bodies_end_only_their_own_connection() {
    let server = TestServer::start(&Lake::default()).await;
    let mut witness = server.wire().await;
    let mut lying_count = message::bind("", "", &[], &[], &[]);
    let at = lying_count.len() - 4;
    lying_count[at..at + 2].copy_from_slice(&[0xff, 0xff]);
    let huge_value = message::frame(b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff\0\0");
    for bytes in [
        message::frame(b'P', b""),
        message::frame(b'B', b""),
        message::frame(b'E', b""),
        message::frame(b'D', b""),
        message::frame(b'C', b""),
        message::frame(b'D', b"S"),
        message::frame(b'D', b"X\0"),
        message::frame(b'P', b"\0SELECT 1\0\xff\xff"),
        message::frame(b'E', b"\0\0\0"),
        message::frame(b'S', b"x"),
        message::frame(b'p', b"password\0"),
        message::frame(0, b""),
        message::frame(b'?', b""),
        lying_count,
        huge_value,
        framed(b'Q', -1, b""),
        framed(b'Q', 0, b""),
        framed(b'Q', 3, b""),
        framed(b'Q', 0x7fff_ffff, b"SELECT 1\0"),
        framed(b'P', i32::MIN, b""),
    ] {
        let mut client = server.wire().await;
        client.send(&bytes).await;
        client.finish().await;
        let answer = Answer::of(client.until_closed().await);
        assert_eq!(answer.state(), "08P01", "{:?} {answer:?}", bytes.get(..8.min(bytes.len())));
        witness.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_data_outside_of_copy_is_harmless() {
    let server = TestServer::start(&Lake::default()).await;
    for body in [&b""[..], b"x"] {
        let mut client = server.wire().await;
        client.send(&message::frame(b'd', body)).await;
        client.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_make_the_server_wait_for_a_gigabyte() {
    let server = with_roles(&Lake::default()).await;
    let login = message::startup(PROTOCOL_3_0, &[("user", "mallory"), ("database", "lakegate")]);
    for announced in [
        framed(b'Q', 1 << 30, b"SELECT"),
        framed(b'P', 1 << 30, b""),
        framed(b'd', 1 << 30, b""),
        framed(b'p', 1 << 30, b""),
        framed(b'p', 0x7fff_ffff, b""),
        framed(b'p', -1, b""),
        framed(b'p', 4, b""),
    ] {
        // The input stays open: a server that waits for the rest would never hang up.
        let messages = say(&server, &[login.clone(), announced].concat()).await;
        assert_not_let_in(&messages[1..]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_startup_packet_has_bounds() {
    let server = TestServer::start(&Lake::default()).await;
    for length in [-1_i32, 0, 3, 4, 7, 10_001, 1 << 30, i32::MIN] {
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend(PROTOCOL_3_0.to_be_bytes());
        assert_not_let_in(&say(&server, &bytes).await);
    }
    // A value without its NUL, a packet without its end, a text that is no UTF-8.
    for body in [&b"user\0lakegate"[..], b"user\0lakegate\0", b"user\0\xff\xfe\0\0", b"user\0", b"\0\0\0\0\0"] {
        let mut bytes = i32::try_from(body.len() + 8).unwrap().to_be_bytes().to_vec();
        bytes.extend(PROTOCOL_3_0.to_be_bytes());
        bytes.extend(body);
        assert_not_let_in(&say(&server, &bytes).await);
    }
    server.wire().await.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_above_the_limit_is_refused_before_it_is_read() {
    let lake = Lake::default();
    let mut config = server::config(&lake);
    config.pg.message_bytes_max = 1 << 20;
    let server = TestServer::with(config).await;
    let mut fits = server.wire().await;
    let sql = format!("SELECT length('{}')", "x".repeat(500_000));
    assert_eq!(fits.value(&sql).await.as_deref(), Some("500000"));
    let mut client = server.wire().await;
    client.send(&framed(b'Q', (1 << 20) + 5, b"SELECT")).await;
    assert_protocol_violation(client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_on_the_port_is_shrugged_off() {
    let server = TestServer::start(&Lake::default()).await;
    for noise in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00", b"\0", b"\xff\xff\xff\xff"]
    {
        let mut client = Client::open(server.addr()).await;
        client.send(noise).await;
        client.finish().await;
        let tags = client.bytes_until_closed().await;
        assert!(!tags.windows(3).any(|bytes| bytes == b"Z\0\0"), "noise was served");
    }
    server.wire().await.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_split_at_every_byte_are_whole_again() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let bytes = [message::parse("", "SELECT 1", &[]), message::bind("", "", &[], &[], &[])].concat();
    let bytes = [bytes, message::execute("", 0), message::sync()].concat();
    for byte in &bytes {
        client.send(std::slice::from_ref(byte)).await;
    }
    assert_eq!(Answer::of(client.until_ready().await).text().as_deref(), Some("1"));
}
