//! Names and types of result columns: clients decide by them (`tests/slt/columns.txt`, recorded from PostgreSQL).

use lakegate_tests::wire::message;
use lakegate_tests::{Lake, TestServer};

/// Statements whose columns differ until the numeric results of PostgreSQL are given; the list may only shrink.
const KNOWN: &[(&str, &str)] = &[
    ("SELECT 1 + 1, abs(-1)", "avg of integers is float8 instead of numeric"),
    ("SELECT sum(x::smallint)", "two aggregates that differ by a cast only are refused with 42701"),
    ("SELECT date '2024-01-01' + 1", "date arithmetic is bigint and date instead of integer and timestamp"),
    ("SELECT extract(epoch FROM now()), date_part", "extract is float8 instead of numeric"),
    ("SELECT floor(extract(epoch FROM now())", "extract is float8 instead of numeric"),
    ("SELECT row_number() OVER ()", "ranks are numeric instead of bigint"),
    ("SELECT pg_typeof(1)", "pg_typeof is missing"),
    ("SELECT stddev(x), variance(x)", "variance is missing"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_have_the_names_and_types_of_postgres() {
    let text = include_str!("../../slt/columns.txt");
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut wrong = Vec::new();
    for pair in lines.chunks(2) {
        let [sql, expected] = pair else { panic!("a statement without its columns") };
        client.send(&[message::parse("", sql, &[]), message::describe(b'S', ""), message::sync()].concat()).await;
        let messages = client.until_ready().await;
        let told = match messages.iter().find(|message| b"TE".contains(&message.tag)) {
            Some(found) if found.tag == b'T' => {
                let columns = found.columns().into_iter().map(|column| format!("{}:{}", column.name, column.oid));
                columns.collect::<Vec<_>>().join(", ")
            }
            found => format!("{:?}", found.and_then(message::Message::fault)),
        };
        if KNOWN.iter().any(|(start, _)| sql.starts_with(start)) {
            assert_ne!(told, expected.trim(), "it differs no more, so take it off the list: {sql}");
        } else if told != expected.trim() {
            wrong.push(format!("{sql}\n  PostgreSQL: {}\n  Lakegate:   {told}", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
