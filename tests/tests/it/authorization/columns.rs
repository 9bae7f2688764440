//! `SELECT` on some columns: the others are refused wherever a statement names them, and never left out in silence.

use lakegate_tests::flight::{self, state};
use lakegate_tests::{Lake, TestServer};

use super::{ADMIN, Role, column, connect, outcome, roles_file, with_roles_file};
use crate::authentication::PASSWORD;

const SOME: &[Role] = &[Role {
    name: "part",
    member_of: &[],
    grant: &["USAGE ON SCHEMA shop", "SELECT (id, customer) ON shop.orders", "SELECT (id) ON shop.seen"],
}];

const ALLOWED: &[&str] = &[
    "SELECT id FROM shop.orders",
    "SELECT id, o.customer FROM shop.orders o WHERE customer <> 'x' ORDER BY o.id",
    "SELECT count(*) FROM shop.orders",
    "SELECT customer, max(id) FROM shop.orders GROUP BY customer HAVING max(id) > 0",
    "WITH x AS (SELECT id FROM shop.orders) SELECT * FROM x",
    "SELECT * FROM (SELECT customer FROM shop.orders) q",
    "SELECT a.id FROM shop.orders a JOIN shop.orders b USING (id)",
    "SELECT (SELECT max(o.id) FROM shop.orders o WHERE o.id <= p.id) FROM shop.orders p",
    "EXPLAIN SELECT id FROM shop.orders",
    "SELECT id FROM shop.seen",
];

const REFUSED: &[&str] = &[
    "SELECT * FROM shop.orders",
    "TABLE shop.orders",
    "SELECT o.* FROM shop.orders o",
    "SELECT amount FROM shop.orders",
    "SELECT id FROM shop.orders WHERE amount > 0",
    "SELECT id FROM shop.orders ORDER BY amount",
    "SELECT count(*) FROM shop.orders GROUP BY amount",
    "SELECT 1 FROM shop.orders HAVING max(amount) > 0",
    "SELECT count(amount) FROM shop.orders",
    "SELECT count(*) FROM (SELECT amount FROM shop.orders) q",
    "WITH x AS (SELECT * FROM shop.orders) SELECT id FROM x",
    "SELECT o FROM shop.orders o",
    "SELECT row_to_json(o) FROM shop.orders o",
    "SELECT a.id FROM shop.orders a JOIN shop.orders b ON a.amount = b.amount",
    "SELECT a.id FROM shop.orders a JOIN shop.orders b USING (amount)",
    "SELECT a.id FROM shop.orders a NATURAL JOIN shop.orders b",
    "SELECT (SELECT p.amount) FROM shop.orders p",
    "SELECT id FROM shop.orders p WHERE EXISTS (SELECT 1 FROM (VALUES (1)) v(n) WHERE n < p.amount)",
    "SELECT q.x FROM shop.orders p, LATERAL (SELECT p.amount AS x) q",
    "SELECT sum(id) OVER (ORDER BY amount) FROM shop.orders",
    "SELECT DISTINCT ON (amount) id FROM shop.orders",
    "SELECT id FROM shop.orders UNION SELECT amount::bigint FROM shop.orders",
    "SELECT CASE WHEN false THEN amount END FROM shop.orders",
    "EXPLAIN SELECT * FROM shop.orders",
    "BEGIN; DECLARE c CURSOR FOR SELECT note FROM shop.orders",
    // PostgreSQL says so when it is executed.
    "PREPARE p AS SELECT note FROM shop.orders",
];

async fn started() -> TestServer {
    let server = with_roles_file(&Lake::sample(), &roles_file(SOME, &[])).await;
    let admin = connect(&server, ADMIN).await;
    let view = "CREATE VIEW shop.seen AS SELECT id, amount FROM shop.orders";
    assert_eq!(outcome(&admin, view).await.0, "00000");
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_not_granted_is_refused_wherever_it_is_named() {
    let server = started().await;
    let client = connect(&server, "part").await;
    for sql in ALLOWED {
        assert_eq!(outcome(&client, sql).await, ("00000".into(), String::new()), "{sql}");
    }
    for sql in REFUSED {
        let end = outcome(&client, sql).await;
        assert_eq!(end, ("42501".into(), "permission denied for table orders".into()), "{sql}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    for sql in ["SELECT * FROM shop.seen", "SELECT amount FROM shop.seen"] {
        assert_eq!(outcome(&client, sql).await, ("42501".into(), "permission denied for view seen".into()), "{sql}");
    }
    let mut flight = flight::Client::open(server.server.flight_addr()).await;
    flight.handshake(Some(&crate::flight::basic("part", PASSWORD))).await.unwrap();
    assert_eq!(state(&flight.query("SELECT amount FROM shop.orders").await.unwrap_err()), "42501");
    assert_eq!(flight.query("SELECT id FROM shop.orders").await.unwrap().batches[0].num_rows(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogs_tell_the_columns_that_are_granted() {
    let server = started().await;
    let client = connect(&server, "part").await;
    for (sql, expect) in [
        ("SELECT has_column_privilege('shop.orders', 'id', 'SELECT')::text", &["true"][..]),
        ("SELECT has_column_privilege('shop.orders', 'amount', 'SELECT')::text", &["false"]),
        ("SELECT has_any_column_privilege('shop.orders', 'SELECT')::text", &["true"]),
        ("SELECT has_any_column_privilege('shop.orders', 'INSERT')::text", &["false"]),
        ("SELECT has_table_privilege('shop.orders', 'SELECT')::text", &["false"]),
        (
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'shop'",
            &["orders.customer", "orders.id", "seen.id"],
        ),
        ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop'", &["orders", "seen"]),
        (
            "SELECT attacl::text FROM pg_attribute WHERE attrelid = 'shop.orders'::regclass AND attname = 'id'",
            &["{part=r/admin}"],
        ),
    ] {
        assert_eq!(column(&client, sql).await, expect, "{sql}");
    }
}
