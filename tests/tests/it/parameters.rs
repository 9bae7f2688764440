//! Parameters: the types that their places give them, and values that come back as they went.

use lakegate_tests::wire::{Answer, Client, message};
use lakegate_tests::{Lake, TestServer};

/// A statement and the types that PostgreSQL 15 tells of its parameters.
const TYPES: &[(&str, &[u32])] = &[
    ("SELECT $1", &[25]),
    ("SELECT $1 || 'b', 'a' || $2", &[25, 25]),
    ("SELECT $1 + 1, $2 = 1", &[23, 23]),
    ("SELECT x FROM (VALUES (1)) t(x) WHERE x > $1 AND x = ANY($2)", &[23, 1007]),
    ("SELECT 'a' = ANY($1), $2 = ANY(ARRAY[1, 2])", &[1009, 23]),
    ("SELECT x FROM generate_series(1, $1) t(x)", &[23]),
    ("SELECT x FROM generate_series($1, 10, $2) t(x)", &[23, 23]),
    ("SELECT 1 LIMIT $1 OFFSET $2", &[20, 20]),
    ("SELECT $1::uuid, $2::int4[], $3::text[], $4::interval, $5::timestamptz", &[2950, 1007, 1009, 1186, 1184]),
    ("SELECT $1::numeric, $2::bytea, $3::date, $4::bool, $5::oid", &[1700, 17, 1082, 16, 26]),
    ("SELECT CASE WHEN $1 THEN 1 ELSE $2 END", &[16, 23]),
    ("SELECT coalesce($1, 1.5), nullif($2, 'a'), greatest(1, $3)", &[1700, 25, 23]),
    ("SELECT timestamp '2024-01-01' + $1, timestamp '2024-01-01' - $2", &[1186, 1114]),
    ("SELECT interval '1 day' * $1", &[701]),
    ("SELECT 1 WHERE $1", &[16]),
    ("SELECT 1 WHERE NOT $1 AND $2", &[16, 16]),
    ("SELECT 1 WHERE 2 BETWEEN $1 AND $2 OR 2 IN ($3, $4)", &[23, 23, 23, 23]),
    ("SELECT 1 WHERE $1 IN (SELECT 1::int8)", &[20]),
    ("SELECT 'a' LIKE $1, $2 LIKE 'a%'", &[25, 25]),
    ("SELECT lower($1), length($2), left($3, $4)", &[25, 25, 25, 23]),
    ("SELECT set_config('x.y', $1, false)", &[25]),
    ("SELECT oid FROM pg_type WHERE typname = $1 AND oid = $2 AND typtype = $3", &[19, 26, 18]),
    ("SELECT table_name FROM information_schema.tables WHERE table_name = $1 AND table_type = $2", &[19, 25]),
    ("SELECT (ARRAY[1, 2])[$1], $2::uuid = ANY($3)", &[23, 2950, 2951]),
    ("SELECT array_append(ARRAY['a'], $1)", &[25]),
    ("SELECT 2.5 * $1, 1::float8 / $2, 1::int8 - $3", &[1700, 701, 20]),
    (
        "SELECT '{}'::jsonb -> $1, '{}'::jsonb #>> $2, '{}'::jsonb @> $3, $4::jsonb ? $5, '{}'::jsonb - $6",
        &[25, 1009, 3802, 3802, 25, 25],
    ),
    ("SELECT json_array_length($1), jsonb_set($2, $3, $4, $5)", &[114, 3802, 1009, 3802, 16]),
    ("SELECT '{}'::jsonb = $1, $2 || '{}'::jsonb, coalesce($3, '{}'::jsonb)", &[3802, 3802, 3802]),
    ("SELECT json_extract_path($1, $2), json_object($3)", &[114, 25, 1009]),
    ("SELECT * FROM json_each($1), jsonb_array_elements($2)", &[114, 3802]),
    ("SELECT date '2024-01-01' < $1, now() > $2", &[1082, 1184]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_has_the_type_of_its_place() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for (sql, expected) in TYPES {
        let parts = [message::parse("", sql, &[]), message::describe(b'S', ""), message::sync()];
        client.send(&parts.concat()).await;
        let messages = client.until_ready().await;
        let told = messages.iter().find(|message| message.tag == b't').map(message::Message::parameter_types);
        if told.as_deref() != Some(*expected) {
            wrong.push(format!("{sql}\n  {told:?} instead of {expected:?} {:?}", Answer::of(messages).fault));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_stands_nowhere_has_no_type() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    client.send(&[message::parse("", "SELECT $2::int4", &[]), message::sync()].concat()).await;
    assert_eq!(Answer::of(client.until_ready().await).state(), "42P18");
}

async fn echo(client: &mut Client, sql: &str, value: &[u8], formats: [i16; 2]) -> Answer {
    let parts = [
        message::parse("", sql, &[]),
        message::bind("", "", &[formats[0]], &[Some(value)], &[formats[1]]),
        message::describe(b'P', ""),
        message::execute("", 0),
        message::sync(),
    ];
    client.send(&parts.concat()).await;
    Answer::of(client.until_ready().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_numeric_keeps_its_digits_and_its_scale() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    for value in ["12345678901234567890.1230", "-0.0001", "0.00", "10000", "1e3", "123456789012345678901234567890.5"] {
        let expected = if value == "1e3" { "1000" } else { value };
        for sql in ["SELECT $1::numeric", "SELECT $1::numeric::text", "SELECT x FROM (SELECT $1::numeric) t(x)"] {
            let answer = echo(&mut client, sql, value.as_bytes(), [0, 0]).await;
            assert_eq!(answer.text().as_deref(), Some(expected), "{sql}: {:?}", answer.fault);
        }
        assert_eq!(client.value(&format!("SELECT CAST({value} AS numeric)")).await.as_deref(), Some(expected));
        assert_eq!(client.value(&format!("SELECT '{value}'::numeric")).await.as_deref(), Some(expected));
    }
    // 10.5 in binary: two digits to base 10,000, weight 0, scale 1.
    let binary = [0, 2, 0, 0, 0, 0, 0, 1, 0, 10, 0x13, 0x88];
    let answer = echo(&mut client, "SELECT $1::numeric", &binary, [1, 1]).await;
    assert_eq!(answer.rows[0][0].as_deref(), Some(&binary[..]), "{:?}", answer.fault);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_uuid_goes_and_comes_in_binary() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let value: Vec<u8> = (0..16).collect();
    let answer = echo(&mut client, "SELECT $1::uuid", &value, [1, 1]).await;
    assert_eq!(answer.columns[0].oid, 2950, "{:?}", answer.fault);
    assert_eq!(answer.rows[0][0].as_deref(), Some(&value[..]));
    assert_eq!(echo(&mut client, "SELECT $1::uuid", b"no uuid", [0, 0]).await.state(), "22P02");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_float_literal_is_read_as_a_float_whatever_its_exponent() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    assert_eq!(client.value("SELECT CAST(-1e+300 AS float8)").await.as_deref(), Some("-1e+300"));
    assert_eq!(client.value("SELECT 1e-300::float8").await.as_deref(), Some("1e-300"));
    assert_eq!(client.query("SELECT 1e400::float8").await.state(), "22003");
}
