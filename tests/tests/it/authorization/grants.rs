//! GRANT and REVOKE over SQL: kept in the lake, seen by every replica, and beside what the roles file grants.

use lakegate_tests::{Lake, TestServer, server};

use super::{ADMIN, Role, column, connect, outcome, roles_file, with_roles_file};

const SOME: &[Role] = &[
    Role { name: "reader", member_of: &["team"], grant: &["USAGE ON SCHEMA shop", "SELECT ON shop.offers"] },
    Role { name: "team", member_of: &[], grant: &[] },
    Role { name: "Other One", member_of: &[], grant: &[] },
];

fn well() -> (String, String) {
    ("00000".to_owned(), String::new())
}

fn error(state: &str, message: &str) -> (String, String) {
    (state.to_owned(), message.to_owned())
}

async fn started() -> (Lake, TestServer) {
    let lake = Lake::sample();
    lake.write("shop/offers.csv", "a,b\n1,x\n");
    let server = with_roles_file(&lake, &roles_file(SOME, &[])).await;
    (lake, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_is_given_and_taken_while_a_session_runs() {
    let (_lake, server) = started().await;
    let (admin, reader) = (connect(&server, ADMIN).await, connect(&server, "reader").await);
    let denied = error("42501", "permission denied for table orders");
    let count = "SELECT count(*) FROM shop.orders";
    for (to, from) in [("reader", "reader"), ("team", "team"), ("PUBLIC", "PUBLIC"), ("team, \"Other One\"", "team")] {
        assert_eq!(outcome(&reader, count).await, denied, "{to}");
        assert_eq!(outcome(&admin, &format!("GRANT SELECT ON shop.orders TO {to}")).await, well(), "{to}");
        assert_eq!(outcome(&reader, count).await, well(), "{to}");
        let prepared = reader.prepare(count).await.unwrap();
        assert_eq!(outcome(&admin, &format!("REVOKE SELECT ON TABLE shop.orders FROM {from} CASCADE")).await, well());
        assert_eq!(super::told(reader.query(&prepared, &[]).await), denied, "{to}");
    }
    // Of columns, and of all tables that are there.
    assert_eq!(outcome(&admin, "GRANT SELECT (id, customer) ON shop.orders TO reader").await, well());
    assert_eq!(outcome(&reader, "SELECT id FROM shop.orders").await, well());
    assert_eq!(outcome(&reader, "SELECT amount FROM shop.orders").await, denied);
    assert_eq!(outcome(&admin, "REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA shop FROM team").await, well());
    assert_eq!(outcome(&admin, "REVOKE SELECT ON shop.orders FROM reader").await, well());
    assert_eq!(outcome(&reader, "SELECT id FROM shop.orders").await, denied);
    assert_eq!(outcome(&admin, "GRANT SELECT, MAINTAIN ON ALL TABLES IN SCHEMA shop TO team").await, well());
    assert_eq!(outcome(&reader, count).await, well());
    let acl = "SELECT relacl::text FROM pg_class WHERE oid = 'shop.orders'::regclass";
    assert_eq!(column(&reader, acl).await, ["{admin=arwdDxtm/admin,\"\\\"Other One\\\"=r/admin\",team=rm/admin}"]);
    // Schemas.
    assert_eq!(outcome(&reader, "SELECT * FROM weather.stations").await.0, "42501");
    assert_eq!(
        outcome(&admin, "GRANT USAGE ON SCHEMA weather TO team; GRANT SELECT ON weather.stations TO team").await,
        well()
    );
    assert_eq!(outcome(&reader, "SELECT * FROM weather.stations").await, well());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_as_postgresql_does() {
    let (_lake, server) = started().await;
    let (admin, reader) = (connect(&server, ADMIN).await, connect(&server, "reader").await);
    for (sql, state, message) in [
        ("GRANT FLY ON shop.orders TO reader", "42601", "unrecognized privilege type \"fly\""),
        ("GRANT USAGE ON shop.orders TO reader", "0LP01", "invalid privilege type USAGE for table"),
        ("GRANT SELECT ON SCHEMA shop TO reader", "0LP01", "invalid privilege type SELECT for schema"),
        ("GRANT DELETE (id) ON shop.orders TO reader", "0LP01", "invalid privilege type DELETE for column"),
        ("GRANT SELECT ON shop.orders TO nonesuch", "42704", "role \"nonesuch\" does not exist"),
        ("GRANT SELECT ON shop.nothere TO reader", "42P01", "relation \"shop.nothere\" does not exist"),
        ("GRANT USAGE ON SCHEMA nothere TO reader", "3F000", "schema \"nothere\" does not exist"),
        ("GRANT SELECT (zz) ON shop.orders TO reader", "42703", "column \"zz\" of relation \"orders\" does not exist"),
        ("GRANT SELECT ON shop.orders TO reader WITH GRANT OPTION", "0A000", "WITH GRANT OPTION is not supported"),
        ("REVOKE GRANT OPTION FOR SELECT ON shop.orders FROM reader", "0A000", "GRANT OPTION FOR is not supported"),
        ("GRANT EXECUTE ON FUNCTION f() TO reader", "0A000", "privileges on function are not supported"),
        ("REVOKE SELECT ON shop.offers FROM reader", "55000", "cannot revoke SELECT on offers from role \"reader\""),
        ("REVOKE USAGE ON SCHEMA shop FROM reader", "55000", "cannot revoke USAGE on schema shop from role \"reader\""),
    ] {
        assert_eq!(outcome(&admin, sql).await, error(state, message), "{sql}");
    }
    for sql in ["GRANT SELECT ON shop.orders TO reader", "REVOKE SELECT ON shop.offers FROM reader"] {
        assert_eq!(outcome(&reader, sql).await.0, "42501", "{sql}");
    }
    assert_eq!(outcome(&admin, "REVOKE SELECT ON shop.orders FROM reader").await, well());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_are_kept_in_the_lake_and_end_with_a_block() {
    let (lake, server) = started().await;
    let (admin, reader) = (connect(&server, ADMIN).await, connect(&server, "reader").await);
    assert_eq!(outcome(&admin, "BEGIN; GRANT SELECT ON shop.orders TO team").await, well());
    assert_eq!(outcome(&reader, "SELECT 1 FROM shop.orders").await.0, "42501");
    assert_eq!(outcome(&admin, "ROLLBACK").await, well());
    assert_eq!(outcome(&reader, "SELECT 1 FROM shop.orders").await.0, "42501");
    assert_eq!(outcome(&admin, "BEGIN; GRANT SELECT (id) ON shop.orders TO team; COMMIT").await, well());
    assert_eq!(outcome(&reader, "SELECT id FROM shop.orders").await, well());
    // Another replica of the same lake, and one whose roles file binds nobody.
    let replica = with_roles_file(&lake, &roles_file(SOME, &[])).await;
    let reader = connect(&replica, "reader").await;
    assert_eq!(outcome(&reader, "SELECT id FROM shop.orders").await, well());
    assert_eq!(outcome(&reader, "SELECT note FROM shop.orders").await.0, "42501");
    let trusting = TestServer::with(server::config_writable(&lake)).await.keeping(&lake);
    let end = outcome(&trusting.client().await, "GRANT SELECT ON shop.orders TO PUBLIC").await;
    assert_eq!(end, error("55000", "grants are not in force"));
}
