//! Statements and cursors by SQL: PREPARE, EXECUTE, DECLARE, FETCH, MOVE, COPY.

use lakegate_tests::wire::{Answer, Client, message};
use lakegate_tests::{Lake, TestServer};

async fn exchange(client: &mut Client, parts: &[Vec<u8>]) -> Answer {
    client.send(&parts.concat()).await;
    client.send(&message::sync()).await;
    Answer::of(client.until_ready().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_sql_and_of_the_protocol_share_their_names() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.send(&[message::parse("p", "SELECT $1::int4 + 1", &[]), message::sync()].concat()).await;
    client.until_ready().await;
    assert_eq!(client.value("EXECUTE p ('41')").await.as_deref(), Some("42"));
    assert_eq!(client.query("PREPARE p AS SELECT 1").await.state(), "42P05");
    assert_eq!(client.query("PREPARE q AS SELECT $1 || 'b'").await.tags, ["PREPARE"]);
    let parts =
        [message::describe(b'S', "q"), message::bind("", "q", &[], &[Some(b"a")], &[]), message::execute("", 0)];
    let answer = exchange(&mut client, &parts).await;
    assert_eq!((answer.text().as_deref(), answer.tags.as_slice()), (Some("ab"), &["SELECT 1".to_owned()][..]));
    assert_eq!(exchange(&mut client, &[message::close(b'S', "q")]).await.state(), "00000");
    assert_eq!(client.query("EXECUTE q ('a')").await.state(), "26000");
    assert_eq!(client.query("DISCARD ALL").await.tags, ["DISCARD ALL"]);
    let bound = [message::bind("", "p", &[], &[Some(b"1")], &[])];
    assert_eq!(exchange(&mut client, &bound).await.state(), "26000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn execute_describes_as_the_statement_that_it_runs() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("PREPARE p (int, text) AS SELECT $1 * 2 AS twice, $2 AS name").await;
    let parts = [
        message::parse("", "EXECUTE p (1 + 1, 'x')", &[]),
        message::describe(b'S', ""),
        message::bind("", "", &[], &[], &[1]),
        message::execute("", 0),
    ];
    let answer = exchange(&mut client, &parts).await;
    let columns: Vec<_> = answer.columns.iter().map(|column| (column.name.as_str(), column.oid)).collect();
    assert_eq!(columns, [("twice", 23), ("name", 25)], "{:?}", answer.fault);
    assert_eq!(answer.rows[0][0].as_deref(), Some(&[0, 0, 0, 4][..]));
    for (sql, state) in [
        ("EXECUTE p (1)", "42601"),
        ("EXECUTE p ('x', 'x')", "22P02"),
        ("EXECUTE p ((SELECT 1), 'x')", "0A000"),
        ("PREPARE q AS SHOW TimeZone", "42601"),
        ("PREPARE q (nope) AS SELECT $1", "42704"),
    ] {
        assert_eq!(client.query(sql).await.state(), state, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_is_a_portal_that_can_be_described_and_closed() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("BEGIN").await;
    client.query("DECLARE \"rows\" CURSOR FOR SELECT x, x::text AS t FROM generate_series(1, 10) t(x)").await;
    let answer = exchange(&mut client, &[message::describe(b'P', "rows")]).await;
    let columns: Vec<_> = answer.columns.iter().map(|column| (column.name.as_str(), column.oid)).collect();
    assert_eq!(columns, [("x", 23), ("t", 25)], "{:?}", answer.fault);
    for (sql, tag, first) in [
        ("FETCH \"rows\"", "FETCH 1", Some("1")),
        ("FETCH FORWARD 2 FROM \"rows\"", "FETCH 2", Some("2")),
        ("MOVE 2 IN rows", "MOVE 2", None),
        ("FETCH NEXT FROM rows", "FETCH 1", Some("6")),
        ("FETCH RELATIVE 2 FROM rows", "FETCH 1", Some("8")),
        ("FETCH FORWARD FROM rows", "FETCH 1", Some("9")),
        ("MOVE FORWARD ALL IN rows", "MOVE 1", None),
        ("FETCH ALL FROM rows", "FETCH 0", None),
    ] {
        let answer = client.query(sql).await;
        assert_eq!((answer.text().as_deref(), answer.tags.as_slice()), (first, &[tag.to_owned()][..]), "{sql}");
    }
    assert_eq!(exchange(&mut client, &[message::close(b'P', "rows")]).await.state(), "00000");
    assert_eq!(client.query("FETCH rows").await.state(), "34000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_outlives_the_deadline_of_its_declare() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("SET statement_timeout = 200; BEGIN").await;
    client.query("DECLARE c CURSOR FOR SELECT x FROM generate_series(1, 1000000) t(x)").await;
    client.query("SET statement_timeout = 0; SELECT pg_sleep(0.4)").await;
    assert_eq!(client.query("MOVE 900000 FROM c").await.tags, ["MOVE 900000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_binary_cursor_gives_the_simple_protocol_binary_rows() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("BEGIN").await;
    assert_eq!(
        client.query("DECLARE c BINARY CURSOR FOR SELECT x FROM generate_series(1, 3) t(x)").await.state(),
        "00000"
    );
    let answer = client.query("FETCH 2 FROM c").await;
    assert_eq!(answer.columns.iter().map(|column| column.format).collect::<Vec<_>>(), [1]);
    let cells: Vec<_> = answer.rows.iter().flatten().map(Option::as_deref).collect();
    assert_eq!(cells, [Some(&[0, 0, 0, 1][..]), Some(&[0, 0, 0, 2][..])]);
    assert_eq!(client.value("SELECT is_binary FROM pg_cursors").await.as_deref(), Some("t"));
    // Bind says the format otherwise.
    let parts = [message::parse("", "FETCH c", &[]), message::bind("", "", &[], &[], &[]), message::execute("", 0)];
    assert_eq!(exchange(&mut client, &parts).await.text().as_deref(), Some("3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_is_a_document_too() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.query("PREPARE p (int) AS SELECT count(*) AS n FROM generate_series(1, $1) t(x) WHERE x > 1").await;
    for sql in [
        "EXPLAIN (ANALYZE, VERBOSE, FORMAT json) SELECT count(*) AS n FROM generate_series(1, 3) t(x) WHERE x > 1",
        "EXPLAIN (ANALYZE, VERBOSE, FORMAT json) EXECUTE p (3)",
    ] {
        let answer = client.query(sql).await;
        let column = answer.columns.first().map(|column| (column.name.as_str(), column.oid));
        assert_eq!(column, Some(("QUERY PLAN", 114)), "{sql}: {:?}", answer.fault);
        let document: serde_json::Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        let plan = &document[0]["Plan"];
        assert!(plan["Node Type"].is_string(), "{document}");
        assert_eq!((&plan["Output"], &plan["Actual Rows"]), (&serde_json::json!(["n"]), &serde_json::json!(1)));
        assert!(document[0]["Execution Time"].as_f64().is_some_and(|time| time > 0.0), "{document}");
    }
    for (sql, state) in [
        ("EXPLAIN (FORMAT yaml) SELECT 1", "0A000"),
        ("EXPLAIN (FORMAT nope) SELECT 1", "22023"),
        ("EXPLAIN EXECUTE nope", "26000"),
        ("EXPLAIN EXECUTE p", "42601"),
    ] {
        assert_eq!(client.query(sql).await.state(), state, "{sql}");
    }
}

async fn copied(client: &mut Client, sql: &str) -> (Vec<u8>, Answer) {
    client.send(&message::query(sql)).await;
    let messages = client.until_ready().await;
    let data = messages.iter().filter(|message| message.tag == b'd').flat_map(|message| message.body.to_vec());
    (data.collect(), Answer::of(messages))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_to_stdout_writes_text_csv_and_binary() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let rows = "SELECT * FROM (VALUES (1, 'a,\"b\"'), (2, NULL), (3, E'c\\td')) t(n, s)";
    for (options, expected) in [
        ("", "1\ta,\"b\"\n2\t\\N\n3\tc\\td\n"),
        ("WITH CSV HEADER", "n,s\n1,\"a,\"\"b\"\"\"\n2,\n3,c\td\n"),
        (
            "(FORMAT csv, DELIMITER ';', NULL 'none', FORCE_QUOTE (n))",
            "\"1\";\"a,\"\"b\"\"\"\n\"2\";none\n\"3\";c\td\n",
        ),
    ] {
        let (data, answer) = copied(&mut client, &format!("COPY ({rows}) TO STDOUT {options}")).await;
        assert_eq!(String::from_utf8(data).unwrap(), expected, "{options}: {:?}", answer.fault);
        assert_eq!(answer.tags, ["COPY 3"]);
    }
    let (data, answer) = copied(&mut client, "COPY (SELECT 258, NULL::text) TO STDOUT (FORMAT 'binary')").await;
    let mut expected = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    expected.extend_from_slice(&[0, 2, 0, 0, 0, 4, 0, 0, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!((data, answer.trace.as_str()), (expected, "HddcCZ"));
    for (sql, state) in [
        ("COPY (SELECT 1) TO STDOUT (FORMAT nope)", "22023"),
        ("COPY (SELECT 1) TO STDOUT (FORMAT text, QUOTE '\"')", "0A000"),
        ("COPY (SELECT 1) TO STDOUT (FORMAT csv, FORMAT csv)", "42601"),
        ("COPY (SELECT 1) TO STDOUT (FORMAT binary, DELIMITER ',')", "42601"),
        ("COPY nope TO STDOUT", "42P01"),
        ("COPY (SELECT 1) TO '/tmp/x'", "42501"),
        ("COPY (SELECT 1/0) TO STDOUT", "22012"),
    ] {
        assert_eq!(client.query(sql).await.state(), state, "{sql}");
        client.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_streams_many_rows_and_describes_as_no_data() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let sql = "COPY (SELECT x FROM generate_series(1, 200000) t(x)) TO STDOUT";
    let (data, answer) = copied(&mut client, sql).await;
    assert_eq!(data.iter().filter(|byte| **byte == b'\n').count(), 200_000);
    assert_eq!(answer.tags, ["COPY 200000"]);
    let parts = [message::parse("", "COPY (SELECT 1) TO STDOUT", &[]), message::describe(b'S', "")];
    assert_eq!(exchange(&mut client, &parts).await.trace, "1tnZ");
}
