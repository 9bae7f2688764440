//! Conditions that fail for some rows: the same error whatever holds the rows, and none for rows that another condition leaves out.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use lakegate_tests::lake::parquet;
use lakegate_tests::s3::Server;
use lakegate_tests::{TestServer, flight};

/// So many that a file of text gets a shadow of its own.
const ROWS: i64 = 20_000;

/// `x` is 0 in the rows in which `b` is large and `t` no number.
fn rows() -> Vec<(i64, String, i64)> {
    let row = |n: i64| match n % 10 {
        0 => (0, "no number at all in this row".to_owned(), 1 << 40),
        _ => (n, n.to_string(), n),
    };
    (0..ROWS).map(row).collect()
}

fn text() -> String {
    rows().into_iter().fold("x,t,b\n".to_owned(), |text, (x, t, b)| text + &format!("{x},{t},{b}\n"))
}

fn columns() -> Vec<u8> {
    let (x, rest): (Vec<_>, Vec<_>) = rows().into_iter().map(|(x, t, b)| (x, (t, b))).unzip();
    let (t, b): (Vec<_>, Vec<_>) = rest.into_iter().unzip();
    let columns: [(&str, ArrayRef); 3] = [
        ("x", Arc::new(Int64Array::from(x))),
        ("t", Arc::new(StringArray::from(t))),
        ("b", Arc::new(Int64Array::from(b))),
    ];
    parquet(&RecordBatch::try_from_iter(columns).unwrap())
}

const FAIL: [(&str, &str, &str); 4] = [
    ("1 / x > 0", "22012", "division by zero"),
    ("t::int > 3", "22P02", "invalid input syntax for type integer: \"no number at all in this row\""),
    ("b::int > 3", "22003", "integer out of range"),
    ("b > 3 AND (1 / x > 0 OR b = 4)", "22012", "division by zero"),
];

/// With the number of the rows for which they hold.
const HOLD: [(&str, &str); 4] = [
    ("x <> 0 AND 1 / x > 0", "1"),
    ("1 / x > 0 AND x <> 0", "1"),
    ("b < 100 AND t::int > 3 AND b::int < 9", "5"),
    ("strpos(t, 'a') = 0 AND t::int = 7", "1"),
];

/// Over the PostgreSQL protocol and over Flight.
async fn fails(server: &TestServer, table: &str) {
    let mut client = server.wire().await;
    let mut flight = flight::Client::login(server.server.flight_addr()).await;
    for (condition, state, message) in FAIL {
        let sql = format!("SELECT count(*), max(x) FROM {table} WHERE {condition}");
        let fault = client.query(&sql).await.fault.expect(&sql);
        assert_eq!((fault.state.as_str(), fault.message.as_str()), (state, message), "{sql}");
        let status = flight.query(&sql).await.expect_err(&sql);
        assert_eq!((flight::state(&status), status.message()), (state, message), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_fails_alike_over_every_format() {
    let store = Server::start().await;
    store.put("lake/s/text.csv", text()).await;
    store.put("lake/s/columns.parquet", columns()).await;
    let server = TestServer::writable_s3(&store, "lake").await;
    fails(&server, "s.text").await;
    assert_eq!(server.value("SELECT count(*) FROM s.text").await, ROWS.to_string());
    server.column("CREATE TABLE s.logged AS SELECT * FROM s.text").await;
    while server.value("SELECT count(*) FROM system.shadows").await != "1" {
        tokio::task::yield_now().await;
    }
    for table in ["s.text", "s.columns", "s.logged"] {
        fails(&server, table).await;
        for (condition, rows) in HOLD {
            let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
            assert_eq!(server.value(&sql).await, rows, "{sql}");
        }
        let shown = server.column(&format!("SELECT x <> 0 AND 1 / x > 0 FROM {table}")).await;
        assert_eq!(shown.iter().filter(|holds| *holds == "t").count(), 1, "{table}");
    }
}
