//! Each way of changing a table takes its own privilege.

use futures::SinkExt;
use lakegate_tests::Lake;

use super::{ADMIN, Role, connect, outcome, roles_file, told, with_roles_file};

const PRIVILEGES: [&str; 6] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MAINTAIN"];

/// Statements, and the privileges that they take together.
const STATEMENTS: &[(&str, &[&str])] = &[
    ("INSERT INTO lab.t VALUES (1, 'x')", &["INSERT"]),
    ("INSERT INTO lab.t (b) VALUES ('x')", &["INSERT"]),
    ("INSERT INTO lab.t VALUES (1, 'x') RETURNING a", &["INSERT", "SELECT"]),
    ("UPDATE lab.t SET b = 'y'", &["UPDATE"]),
    ("UPDATE lab.t SET a = a + 1", &["UPDATE", "SELECT"]),
    ("UPDATE lab.t SET b = 'y' WHERE a = 1", &["UPDATE", "SELECT"]),
    ("UPDATE lab.t SET b = 'y' RETURNING b", &["UPDATE", "SELECT"]),
    ("DELETE FROM lab.t WHERE false", &["DELETE"]),
    ("DELETE FROM lab.t WHERE a = -1", &["DELETE", "SELECT"]),
    ("MERGE INTO lab.t USING (VALUES (1)) v(n) ON a = n WHEN MATCHED THEN UPDATE SET b = 'z'", &["SELECT", "UPDATE"]),
    (
        "MERGE INTO lab.t USING (VALUES (-9)) v(n) ON a = n WHEN NOT MATCHED THEN INSERT VALUES (n, 'm')",
        &["SELECT", "INSERT"],
    ),
    ("OPTIMIZE lab.t", &["MAINTAIN"]),
    ("VACUUM lab.t", &["MAINTAIN"]),
    ("REFRESH TABLE lab.t", &["MAINTAIN"]),
    ("TRUNCATE lab.t", &["TRUNCATE"]),
];

const MIXED: &[Role] = &[
    Role { name: "select", member_of: &[], grant: &["USAGE ON SCHEMA lab", "SELECT ON lab.t"] },
    Role { name: "insert", member_of: &[], grant: &["USAGE ON SCHEMA lab", "INSERT ON lab.t"] },
    Role { name: "update", member_of: &[], grant: &["USAGE ON SCHEMA lab", "UPDATE ON lab.t"] },
    Role { name: "delete", member_of: &[], grant: &["USAGE ON SCHEMA lab", "DELETE ON lab.t"] },
    Role { name: "truncate", member_of: &[], grant: &["USAGE ON SCHEMA lab", "TRUNCATE ON lab.t"] },
    Role { name: "maintain", member_of: &[], grant: &["USAGE ON SCHEMA lab", "MAINTAIN ON lab.t, lab.m"] },
    Role { name: "insert_select", member_of: &["insert", "select"], grant: &[] },
    Role { name: "update_select", member_of: &["update", "select"], grant: &[] },
    Role { name: "delete_select", member_of: &["delete", "select"], grant: &[] },
    Role { name: "everything", member_of: &[], grant: &["USAGE ON SCHEMA lab", "ALL ON ALL TABLES IN SCHEMA lab"] },
    Role { name: "creator", member_of: &[], grant: &["USAGE, CREATE ON SCHEMA lab"] },
];

fn holds(role: &str, privilege: &str) -> bool {
    role == "everything" || role.to_uppercase().split('_').any(|held| held == privilege)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_of_a_table_takes_its_own_privileges() {
    let server = with_roles_file(&Lake::default(), &roles_file(MIXED, &[])).await;
    let admin = connect(&server, ADMIN).await;
    for sql in [
        "CREATE SCHEMA lab",
        "CREATE TABLE lab.t (a bigint, b text)",
        "INSERT INTO lab.t VALUES (1, 'x')",
        "CREATE MATERIALIZED VIEW lab.m AS SELECT 1 AS one",
    ] {
        admin.batch_execute(sql).await.unwrap();
    }
    let mut refused = 0;
    for role in MIXED {
        let client = connect(&server, role.name).await;
        for (sql, needs) in STATEMENTS {
            assert!(needs.iter().all(|need| PRIVILEGES.contains(need)));
            let may = needs.iter().all(|need| holds(role.name, need));
            let (state, message) = outcome(&client, sql).await;
            match may {
                true => assert_eq!((state.as_str(), message.as_str()), ("00000", ""), "{}: {sql}", role.name),
                false => {
                    let denied = ("42501", "permission denied for table t");
                    assert_eq!((state.as_str(), message.as_str()), denied, "{}: {sql}", role.name);
                    refused += 1;
                }
            }
        }
        let copied = async {
            let mut sink = Box::pin(client.copy_in::<_, bytes::Bytes>("COPY lab.t FROM STDIN").await?);
            sink.send(bytes::Bytes::from_static(b"2\ty\n")).await?;
            sink.as_mut().finish().await
        };
        let state = told(copied.await).0;
        assert_eq!(state, if holds(role.name, "INSERT") { "00000" } else { "42501" }, "COPY by {}", role.name);
        let refresh = outcome(&client, "REFRESH MATERIALIZED VIEW lab.m").await;
        match holds(role.name, "MAINTAIN") {
            true => assert_eq!(refresh.0, "00000", "{}", role.name),
            false => assert_eq!(refresh, ("42501".into(), "permission denied for materialized view m".into())),
        }
    }
    assert!(refused > 100, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn create_on_a_schema_stands_for_owning_its_tables() {
    let server = with_roles_file(&Lake::default(), &roles_file(MIXED, &[])).await;
    connect(&server, ADMIN).await.batch_execute("CREATE SCHEMA lab; CREATE TABLE lab.t (a bigint)").await.unwrap();
    let (creator, all) = (connect(&server, "creator").await, connect(&server, "everything").await);
    let denied = ("42501".to_owned(), "permission denied for schema lab".to_owned());
    for sql in ["CREATE TABLE lab.u (a bigint)", "CREATE TABLE lab.u AS SELECT 1 AS a", "SELECT 1 AS a INTO lab.u"] {
        assert_eq!(outcome(&all, sql).await, denied, "{sql}");
    }
    for sql in ["DROP TABLE lab.t", "ALTER TABLE lab.t ADD COLUMN b text"] {
        assert_eq!(outcome(&all, sql).await, ("42501".into(), "must be owner of table t".into()), "{sql}");
    }
    for sql in [
        "CREATE TABLE lab.u (a bigint)",
        "ALTER TABLE lab.u ADD COLUMN b text",
        "DROP TABLE lab.u",
        "CREATE TABLE lab.v AS SELECT 1 AS a",
    ] {
        assert_eq!(outcome(&creator, sql).await, ("00000".into(), String::new()), "{sql}");
    }
    // Making a table is not reading it.
    assert_eq!(outcome(&creator, "SELECT * FROM lab.v").await.0, "42501");
    assert_eq!(outcome(&creator, "CREATE TABLE public.w (a bigint)").await.0, "42501");
    // A view reads with the rights of the operator, so that only one who has them all may define it.
    assert_eq!(outcome(&creator, "CREATE VIEW lab.w AS SELECT * FROM lab.v").await.0, "42501");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_is_read_only_changes_nothing_whatever_it_is_granted() {
    let file = roles_file(MIXED, &[]).replace("name = \"everything\"", "name = \"everything\"\nread_only = true");
    let server = with_roles_file(&Lake::default(), &file).await;
    connect(&server, ADMIN)
        .await
        .batch_execute("CREATE SCHEMA lab; CREATE TABLE lab.t (a bigint, b text)")
        .await
        .unwrap();
    let client = connect(&server, "everything").await;
    for sql in [
        "INSERT INTO lab.t VALUES (1, 'x')",
        "BEGIN READ WRITE; DELETE FROM lab.t",
        "SET default_transaction_read_only = off; TRUNCATE lab.t",
        "DROP TABLE lab.t",
        "OPTIMIZE lab.t",
    ] {
        assert_eq!(outcome(&client, sql).await.0, "25006", "{sql}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    assert_eq!(outcome(&client, "SELECT * FROM lab.t").await.0, "00000");
}
