//! Where in a statement an error is, as PostgreSQL 15 says.

use lakegate_tests::{Lake, TestServer};

const ERRORS: &[(&str, &str, usize)] = &[
    ("SELECT 1 + true", "42883", 10),
    ("SELECT 'a'::text + 1", "42883", 18),
    ("SELECT x || 5 FROM (VALUES (5)) v(x)", "42883", 10),
    ("SELECT 1 WHERE DATE '2024-01-01' = 1", "42883", 34),
    ("SELECT v.x <> true, v.x FROM (VALUES (1)) v(x)", "42883", 12),
    ("SELECT DATE '2024-01-01' + '1 day'", "42725", 26),
    ("SELECT '5' + '6'", "42725", 12),
    ("SELECT left('abc', 'x')", "22P02", 20),
    ("SELECT 'x'::int", "22P02", 8),
    ("SELECT CAST('x' AS int)", "22P02", 13),
    ("SELECT DATE '2024-13-01'", "22008", 13),
    ("SELECT 1 = 'x'", "22P02", 12),
    ("SELECT date_trunc('month', '2024-05-06')", "42725", 8),
    ("SELECT 1, date_trunc('month', '2024-05-06'::text)", "42883", 11),
    ("SELECT sum(x) FROM (VALUES ('1'::text)) v(x)", "42883", 8),
    ("SELECT 1 = (SELECT 1, 2)", "42601", 12),
    ("SELECT 1 IN (SELECT 1, 2)", "42601", 10),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_of_operators_functions_and_literals_have_their_place() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    for (sql, state, position) in ERRORS {
        let fault = client.query(sql).await.fault.unwrap();
        assert_eq!((fault.state.as_str(), fault.position), (*state, Some(*position)), "{sql}");
    }
}
