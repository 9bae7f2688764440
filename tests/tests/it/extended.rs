//! The extended protocol: statements, portals, formats, and the way back from an error.

use lakegate_tests::wire::{Answer, message};
use lakegate_tests::{Lake, TestServer};

async fn exchange(client: &mut lakegate_tests::wire::Client, parts: &[Vec<u8>]) -> Answer {
    client.send(&parts.concat()).await;
    client.send(&message::sync()).await;
    Answer::of(client.until_ready().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_tells_its_parameters_and_columns() {
    let server = TestServer::start(&Lake::sample()).await;
    let mut client = server.wire().await;
    let sql = "SELECT station, n + $1 AS more FROM weather.observations WHERE temp > $2 AND station = $3";
    client.send(&[message::parse("s", sql, &[]), message::describe(b'S', "s"), message::sync()].concat()).await;
    let messages = client.until_ready().await;
    let tags: String = messages.iter().map(|message| char::from(message.tag)).collect();
    assert_eq!(tags, "1tTZ", "{:?}", Answer::of(messages));
    assert_eq!(messages[1].parameter_types(), [20, 701, 25]);
    let columns: Vec<_> = messages[2].columns().into_iter().map(|column| (column.name, column.oid)).collect();
    assert_eq!(columns, [("station".to_owned(), 25), ("more".to_owned(), 20)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_without_rows_describe_as_no_data() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    for (sql, trace) in [
        ("SET statement_timeout = 0", "1tn2nCZ"),
        ("BEGIN", "1tn2nCZ"),
        ("COMMIT", "1tn2nCZ"),
        ("", "1tn2nIZ"),
        ("-- nothing", "1tn2nIZ"),
    ] {
        let parts = [
            message::parse("", sql, &[]),
            message::describe(b'S', ""),
            message::bind("", "", &[], &[], &[]),
            message::describe(b'P', ""),
            message::execute("", 0),
        ];
        assert_eq!(exchange(&mut client, &parts).await.trace, trace, "{sql:?}");
    }
    for sql in ["SHOW TimeZone", "EXPLAIN SELECT 1", "VALUES (1)", " SELECT 1", "/* x */ SELECT 1"] {
        let parts = [message::parse("", sql, &[]), message::describe(b'S', "")];
        assert_eq!(exchange(&mut client, &parts).await.trace, "1tTZ", "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zero_one_or_as_many_format_codes_as_columns() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    for (codes, formats, first) in [
        (&[][..], [0, 0], &b"258"[..]),
        (&[0], [0, 0], b"258"),
        (&[1], [1, 1], &[0, 0, 1, 2]),
        (&[1, 0], [1, 0], &[0, 0, 1, 2]),
        (&[0, 1], [0, 1], b"258"),
    ] {
        let parts = [
            message::parse("", "SELECT 258, 'text'", &[]),
            message::bind("", "", &[], &[], codes),
            message::describe(b'P', ""),
            message::execute("", 0),
        ];
        let answer = exchange(&mut client, &parts).await;
        assert_eq!(answer.state(), "00000", "{codes:?}: {:?}", answer.fault);
        let told: Vec<i16> = answer.columns.iter().map(|column| column.format).collect();
        assert_eq!(told, formats, "{codes:?}");
        assert_eq!(answer.rows[0][0].as_deref(), Some(first), "{codes:?}");
        assert_eq!(answer.rows[0][1].as_deref(), Some(&b"text"[..]));
    }
    for codes in [&[0, 0, 0][..], &[2]] {
        let parts =
            [message::parse("", "SELECT 1, 2", &[]), message::bind("", "", &[], &[], codes), message::execute("", 0)];
        let answer = exchange(&mut client, &parts).await;
        assert!(["08P01", "22023"].contains(&answer.state()), "{codes:?}: {:?}", answer.fault);
        client = if answer.trace.ends_with('Z') { client } else { server.wire().await };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_come_in_text_and_in_binary() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let sql = "SELECT $1::int4 + 1, $2::text, $3::bool, $4::float8, $5::int8";
    let one = 1_i32.to_be_bytes();
    let half = 0.5_f64.to_be_bytes();
    for (formats, values) in [
        (&[][..], [Some(&b"1"[..]), Some(b"a"), Some(b"true"), Some(b"0.5"), None]),
        (&[1], [Some(&one[..]), Some(b"a"), Some(&[1]), Some(&half), None]),
        (&[1, 0, 0, 1, 1], [Some(&one[..]), Some(b"a"), Some(b"yes"), Some(&half), None]),
    ] {
        let parts =
            [message::parse("", sql, &[]), message::bind("", "", formats, &values, &[]), message::execute("", 0)];
        let answer = exchange(&mut client, &parts).await;
        assert_eq!(answer.state(), "00000", "{formats:?}: {:?}", answer.fault);
        let expected = ["2", "a", "t", "0.5"].map(|text| Some(text.to_owned()));
        assert_eq!(answer.texts()[0][..4], expected, "{formats:?}");
        assert_eq!(answer.texts()[0][4], None);
    }
    for (value, format, state) in [(&b"x"[..], 0, "22P02"), (b"99999999999", 0, "22003")] {
        let parts = [
            message::parse("", "SELECT $1::int4", &[]),
            message::bind("", "", &[format], &[Some(value)], &[]),
            message::execute("", 0),
        ];
        assert_eq!(exchange(&mut client, &parts).await.state(), state, "{value:?}");
    }
    let parts = [message::parse("", "SELECT $1::int4", &[]), message::bind("", "", &[1], &[Some(&[1, 2])], &[])];
    let answer = exchange(&mut client, &parts).await;
    assert!(["08P01", "22P03"].contains(&answer.state()), "two bytes are no int4: {:?}", answer.fault);
    client = if answer.trace.ends_with('Z') { client } else { server.wire().await };
    let parts = [message::parse("", "SELECT $1::int4", &[]), message::bind("", "", &[], &[], &[])];
    assert_eq!(exchange(&mut client, &parts).await.state(), "08P01", "a parameter is missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_skips_to_sync() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let parts = [
        message::parse("", "SELECT nope", &[]),
        message::bind("", "", &[], &[], &[]),
        message::execute("", 0),
        message::query("SELECT 'must not run'"),
        message::parse("later", "SELECT 1", &[]),
    ];
    let answer = exchange(&mut client, &parts).await;
    assert_eq!((answer.trace.as_str(), answer.state()), ("EZ", "42703"), "{answer:?}");
    let fault = answer.fault.unwrap();
    assert_eq!(fault.position, Some(8), "{fault:?}");
    let bind = message::bind("", "later", &[], &[], &[]);
    assert_eq!(exchange(&mut client, &[bind]).await.state(), "26000", "what was skipped does not exist");
    client.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_is_told_at_once_without_sync() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let fails_to_parse = [message::parse("s", "SELECT nope", &[]), message::describe(b'S', "s")].concat();
    let sql = "SELECT 1 / x FROM (VALUES (0)) t(x)";
    let bound = [message::parse("", sql, &[]), message::bind("", "", &[], &[], &[])].concat();
    let fails_to_run = [bound, message::execute("", 0)].concat();
    // asyncpg waits for the error before it sends Sync.
    for (bytes, before) in [(fails_to_parse, ""), (fails_to_run, "12")] {
        client.send(&[bytes, message::flush()].concat()).await;
        for tag in before.bytes().chain([b'E']) {
            assert_eq!(client.receive().await.unwrap().tag, tag);
        }
        client.send(&message::sync()).await;
        assert_eq!(client.receive().await.unwrap().tag, b'Z');
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flush_sends_what_there_is_without_sync() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.send(&[message::parse("s", "SELECT 1", &[]), message::describe(b'S', "s"), message::flush()].concat()).await;
    for tag in *b"1tT" {
        assert_eq!(client.receive().await.unwrap().tag, tag);
    }
    client.send(&[message::bind("", "s", &[], &[], &[]), message::execute("", 0), message::flush()].concat()).await;
    for tag in *b"2DC" {
        assert_eq!(client.receive().await.unwrap().tag, tag);
    }
    client.send(&message::sync()).await;
    assert_eq!(client.receive().await.unwrap().tag, b'Z');
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_gives_its_rows_in_parts() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("BEGIN").await;
    let sql = "SELECT x FROM generate_series(1, 10000) t(x)";
    let opened = exchange(&mut client, &[message::parse("", sql, &[]), message::bind("c", "", &[], &[], &[])]).await;
    assert_eq!(opened.trace, "12Z");
    let mut seen = 0;
    loop {
        let answer = exchange(&mut client, &[message::execute("c", 3000)]).await;
        seen += answer.rows.len();
        if answer.tags.is_empty() {
            assert!(answer.trace.ends_with("sZ"), "PortalSuspended: {}", answer.trace.trim_matches('D'));
            assert_eq!(answer.rows.len(), 3000);
            // Another portal and another statement do not disturb it.
            client.assert_alive().await;
        } else {
            assert_eq!(answer.tags, ["SELECT 1000"]);
            break;
        }
    }
    assert_eq!(seen, 10_000);
    let spent = exchange(&mut client, &[message::execute("c", 3000)]).await;
    assert_eq!((spent.rows.len(), spent.tags), (0, vec!["SELECT 0".to_owned()]));
    client.query("COMMIT").await;
    let gone = exchange(&mut client, &[message::execute("c", 0)]).await;
    assert_eq!(gone.state(), "34000", "a portal ends with its transaction");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_outside_of_a_transaction_ends_at_sync() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let parts = [message::parse("", "SELECT 1", &[]), message::bind("c", "", &[], &[], &[])];
    assert_eq!(exchange(&mut client, &parts).await.trace, "12Z");
    assert_eq!(exchange(&mut client, &[message::execute("c", 0)]).await.state(), "34000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_statements_have_rules() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let parse = |name: &str| message::parse(name, "SELECT 1", &[]);
    assert_eq!(exchange(&mut client, &[parse("s")]).await.state(), "00000");
    assert_eq!(exchange(&mut client, &[parse("s")]).await.state(), "42P05", "a name is taken");
    assert_eq!(exchange(&mut client, &[parse(""), parse("")]).await.state(), "00000", "the unnamed is replaced");
    let closes = [message::close(b'S', "s"), message::close(b'S', "never was"), message::close(b'P', "never was")];
    assert_eq!(exchange(&mut client, &closes).await.trace, "333Z");
    assert_eq!(exchange(&mut client, &[message::describe(b'S', "s")]).await.state(), "26000");
    assert_eq!(exchange(&mut client, &[message::describe(b'P', "p")]).await.state(), "34000");
    assert_eq!(exchange(&mut client, &[message::parse("", "SELECT 1; SELECT 2", &[])]).await.state(), "42601");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_executes_before_one_sync() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let parts: Vec<Vec<u8>> = (0..50)
        .flat_map(|at| {
            let value = format!("{at}");
            [
                message::parse("", "SELECT $1::int4", &[]),
                message::bind("", "", &[], &[Some(value.as_bytes())], &[]),
                message::execute("", 0),
            ]
        })
        .collect();
    let answer = exchange(&mut client, &parts).await;
    assert_eq!(answer.trace, "12DC".repeat(50) + "Z");
    assert_eq!(answer.texts()[49][0].as_deref(), Some("49"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simple_protocol_runs_several_statements() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let answer = client.query("SET TimeZone TO 'UTC'; SELECT 1 AS a; SELECT 2 AS b, 3 AS c;").await;
    assert_eq!(answer.trace.replace('S', ""), "CTDCTDCZ");
    assert_eq!(answer.tags, ["SET", "SELECT 1", "SELECT 1"]);
    for empty in ["", ";", " ; ; ", "-- ping", "/* nothing */"] {
        assert_eq!(client.query(empty).await.trace, "IZ", "{empty:?}");
    }
    let answer = client.query("SELECT 1; SELECT 1/0; SELECT 'must not run'").await;
    // PostgreSQL computes the constant while it plans, before it tells the columns.
    assert_eq!((answer.trace.replace("TE", "E").as_str(), answer.state()), ("TDCEZ", "22012"));
    let answer = client.query("SELECT 1; SELEC 2").await;
    assert_eq!((answer.trace.as_str(), answer.state()), ("EZ", "42601"), "the whole text is parsed first");
}
