//! Row policies: a hidden row is never shown, and nothing tells of it, whichever door a statement takes.

use arrow_flight::sql::CommandStatementQuery;
use lakegate_tests::flight;
use lakegate_tests::{Lake, TestServer};
use tokio_postgres::Client;

use super::{ADMIN, Role, column, connect, outcome, roles_file, with_roles_file};
use crate::authentication::{PASSWORD, VERIFIER};

const GRANT: &[&str] = &["USAGE, CREATE ON SCHEMA lab", "ALL ON lab.t, lab.notes, lab.regions, lab.m, lab.v, lab.out"];

const STAFF: &[Role] = &[
    Role { name: "ann", member_of: &["staff"], grant: &[] },
    Role { name: "bob", member_of: &["staff"], grant: &[] },
    Role { name: "eve", member_of: &["staff"], grant: &[] },
    Role { name: "staff", member_of: &[], grant: GRANT },
];

fn file(policies: &[&str]) -> String {
    let policies: Vec<String> = policies.iter().map(|policy| format!("\"\"\"{policy}\"\"\"")).collect();
    let auditor =
        format!("[[role]]\nname = \"auditor\"\nverifier = \"{VERIFIER}\"\nmember_of = [\"staff\"]\nbypassrls = true\n");
    format!("policies = [{}]\n{}{auditor}", policies.join(", "), roles_file(STAFF, &[]))
}

async fn run(client: &Client, statements: &[&str]) {
    for sql in statements {
        assert_eq!(outcome(client, sql).await, ("00000".to_owned(), String::new()), "{sql}");
    }
}

/// Two of four rows are ann's, one is bob's; the others tell of themselves by errors.
async fn started(policies: &[&str]) -> TestServer {
    let server = with_roles_file(&Lake::default(), &file(policies)).await;
    let admin = connect(&server, ADMIN).await;
    run(
        &admin,
        &[
            "CREATE SCHEMA lab",
            "CREATE TABLE lab.t (id bigint, owner text, note text)",
            "INSERT INTO lab.t VALUES (1, 'ann', '10'), (2, 'ann', '20')",
            "INSERT INTO lab.t VALUES (3, 'bob', 'hidden-b'), (0, 'zoe', 'hidden-z')",
            "CREATE TABLE lab.regions (who text, region text)",
            "CREATE TABLE lab.out (id bigint)",
            "CREATE VIEW lab.v AS SELECT * FROM lab.t",
            "CREATE MATERIALIZED VIEW lab.m AS SELECT * FROM lab.t",
        ],
    )
    .await;
    server
}

const OWN: &[&str] =
    &["CREATE POLICY own ON lab.t USING (owner = current_user)", "ALTER TABLE lab.t ENABLE ROW LEVEL SECURITY"];

/// What ann sees of `{t}`, in the order of the first column.
const SEEN: &[(&str, &[&str])] = &[
    ("SELECT id FROM {t}", &["1", "2"]),
    ("SELECT x.* FROM {t} x", &["1", "2"]),
    ("TABLE {t}", &["1", "2"]),
    ("SELECT count(*) FROM {t}", &["2"]),
    ("SELECT count(id) FROM {t} WHERE id >= 0", &["2"]),
    ("SELECT min(id) FROM {t}", &["1"]),
    ("SELECT max(id) FROM {t}", &["2"]),
    ("SELECT DISTINCT owner FROM {t}", &["ann"]),
    ("SELECT owner FROM {t} GROUP BY owner", &["ann"]),
    ("SELECT id FROM {t} WHERE id = 3", &[]),
    ("SELECT id FROM {t} WHERE owner = 'bob' OR true", &["1", "2"]),
    ("SELECT (SELECT count(*) FROM {t})", &["2"]),
    ("SELECT n FROM generate_series(0, 4) g(n) WHERE n IN (SELECT id FROM {t})", &["1", "2"]),
    ("SELECT n FROM generate_series(0, 3) g(n) WHERE NOT EXISTS (SELECT 1 FROM {t} WHERE id = n)", &["0", "3"]),
    ("SELECT n FROM generate_series(0, 3) g(n) JOIN {t} ON id = n", &["1", "2"]),
    ("SELECT n FROM generate_series(0, 3) g(n) LEFT JOIN {t} ON id = n WHERE id IS NULL", &["0", "3"]),
    ("SELECT q.id FROM (VALUES (3), (2)) g(n), LATERAL (SELECT id FROM {t} WHERE id = n) q", &["2"]),
    ("WITH q AS (SELECT * FROM {t}) SELECT id FROM q UNION ALL SELECT id FROM q", &["1", "1", "2", "2"]),
    (
        "WITH RECURSIVE q(n) AS (SELECT min(id) FROM {t} UNION ALL SELECT n + 1 FROM q WHERE n < 2) SELECT n FROM q",
        &["1", "2"],
    ),
    ("SELECT a.id FROM {t} a, {t} b WHERE a.id = b.id", &["1", "2"]),
    ("SELECT row_number() OVER (ORDER BY id DESC) FROM {t}", &["1", "2"]),
    ("PREPARE p AS SELECT id FROM {t} WHERE id > $1; EXECUTE p(-1); DEALLOCATE p", &["1", "2"]),
    ("BEGIN; DECLARE c CURSOR FOR SELECT id FROM {t}; FETCH ALL FROM c; COMMIT", &["1", "2"]),
    // What could fail fails on no hidden row.
    ("SELECT id FROM {t} WHERE 10 / (id - 3) < 5", &["1", "2"]),
    ("SELECT id FROM {t} WHERE 10 / id > 0", &["1", "2"]),
    ("SELECT id FROM {t} WHERE note::int > 0", &["1", "2"]),
    ("SELECT note::int + id FROM {t}", &["11", "22"]),
    ("SELECT id FROM {t} WHERE id > 0 AND note::int > 10", &["2"]),
    ("SELECT id FROM (SELECT id, note::int AS n FROM {t}) q WHERE n >= 10", &["1", "2"]),
    ("SELECT n FROM generate_series(1, 2) g(n) JOIN {t} ON id = n AND note::int > 0 AND 1 / id >= 0", &["1", "2"]),
    ("SELECT id FROM {t} ORDER BY 1 / (id - 3)", &["1", "2"]),
    ("SELECT sum(note::int) FROM {t}", &["30"]),
    ("SELECT max(id) FILTER (WHERE note::int > 0) FROM {t}", &["2"]),
    ("SELECT CASE WHEN id = 3 THEN 1 / 0 ELSE id END FROM {t}", &["1", "2"]),
    ("SELECT t.id FROM {t} t WHERE (SELECT 1 / t.id) >= 0", &["1", "2"]),
    ("SELECT id FROM {t} LIMIT 9", &["1", "2"]),
    ("SELECT id FROM {t} WHERE xmin IS NOT NULL", &["1", "2"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_row_is_shown_in_no_shape_of_statement() {
    let server = started(OWN).await;
    let (ann, eve) = (connect(&server, "ann").await, connect(&server, "eve").await);
    for (shape, expect) in SEEN {
        let sql = shape.replace("{t}", "lab.t");
        let mut expect: Vec<&str> = expect.to_vec();
        expect.sort_unstable();
        assert_eq!(column(&ann, &sql).await, expect, "{sql}");
    }
    assert!(column(&eve, "SELECT id FROM lab.t").await.is_empty());
    for role in ["auditor", ADMIN] {
        let client = connect(&server, role).await;
        assert_eq!(column(&client, "SELECT id FROM lab.t").await, ["0", "1", "2", "3"], "{role}");
        assert_eq!(outcome(&client, "SELECT 1 / id FROM lab.t").await.0, "22012", "{role}");
    }
    // A view reads with the rights of the operator, as in PostgreSQL with those of its owner.
    for relation in ["lab.v", "lab.m"] {
        assert_eq!(column(&ann, &format!("SELECT count(*) FROM {relation}")).await, ["4"]);
    }
    let copied = ann.copy_out("COPY lab.t TO STDOUT").await.unwrap();
    let copied: Vec<_> = futures::StreamExt::collect(copied).await;
    let copied: Vec<bytes::Bytes> = copied.into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(String::from_utf8(copied.concat()).unwrap(), "1\tann\t10\n2\tann\t20\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_tells_nothing_of_hidden_rows() {
    let server = started(OWN).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    for explain in ["EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (ANALYZE, VERBOSE)", "EXPLAIN (ANALYZE, FORMAT json)"] {
        let sql = format!("{explain} SELECT id FROM lab.t WHERE note = E'a\nb' AND 1 / id > 0 AND id < 7");
        let plan = column(&ann, &sql).await.join("\n");
        assert!(plan.contains("RowSecurityExec"), "{plan}");
        for told in ["DataSourceExec", "owner", "parquet", "output_rows=4", "bytes_scanned"] {
            assert!(!plan.contains(told), "{told}: {plan}");
        }
    }
    let plan = column(&admin, "EXPLAIN SELECT id FROM lab.t WHERE id < 7").await.join("\n");
    assert!(plan.contains("DataSourceExec") && !plan.contains("RowSecurityExec"), "{plan}");
    let files = "SELECT count(*) FROM system.objects WHERE schema = 'lab' AND \"table\" = 't'";
    assert_eq!((column(&admin, files).await, column(&ann, files).await), (vec!["2".to_owned()], vec!["0".to_owned()]));
    // Conditions that can tell nothing go down to the files all the same.
    run(&ann, &["SELECT id FROM lab.t WHERE id = 3", "SELECT id FROM lab.t WHERE id = 3"]).await;
    let sql = "SELECT max(files_pruned) > 0 FROM system.queries WHERE query = 'SELECT id FROM lab.t WHERE id = 3'";
    assert_eq!(column(&ann, sql).await, ["t"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_keeps_to_the_policies() {
    let server = started(OWN).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    let violated = ("42501".to_owned(), "new row violates row-level security policy for table \"t\"".to_owned());
    for sql in [
        "INSERT INTO lab.t VALUES (7, 'bob', 'x')",
        "INSERT INTO lab.t (id) VALUES (7)",
        "INSERT INTO lab.t SELECT id, 'zoe', note FROM lab.t",
        "INSERT INTO lab.t VALUES (7, 'ann', 'x'), (8, 'bob', 'x')",
        "INSERT INTO lab.t VALUES (7, 'bob', 'x') RETURNING id",
        "UPDATE lab.t SET owner = 'bob'",
        "UPDATE lab.t SET owner = 'bob' WHERE id = 1",
        "UPDATE lab.t SET owner = NULL WHERE id = 1 RETURNING id",
        "UPDATE lab.t SET owner = v.o FROM (VALUES (1, 'bob')) v(i, o) WHERE id = v.i RETURNING v.o",
    ] {
        assert_eq!(outcome(&ann, sql).await, violated, "{sql}");
    }
    run(
        &ann,
        &[
            "INSERT INTO lab.t (owner, id) VALUES ('ann', 5)",
            "INSERT INTO lab.t VALUES (6, 'ann', '60') RETURNING id",
            // No expression of the statement sees a hidden row.
            "UPDATE lab.t SET note = (1000 / id)::text WHERE 10 / (id - 3) < 9",
            "UPDATE lab.t SET note = note || '!' FROM (VALUES (1), (3)) v(i) WHERE id = v.i AND 1 / id >= 0",
            "DELETE FROM lab.t WHERE 60 / id = 10",
        ],
    )
    .await;
    let all = "SELECT concat_ws(' ', id, owner, note) FROM lab.t";
    let expect = ["0 zoe hidden-z", "1 ann 1000!", "2 ann 500", "3 bob hidden-b", "5 ann 200"];
    assert_eq!(column(&admin, all).await, expect);
    run(&ann, &["DELETE FROM lab.t"]).await;
    assert_eq!(column(&admin, all).await, ["0 zoe hidden-z", "3 bob hidden-b"]);
    let merge = "MERGE INTO lab.t USING (VALUES (3)) v(i) ON id = i WHEN MATCHED THEN DELETE";
    for (sql, message) in [
        (merge, "MERGE is not supported with row-level security"),
        ("COPY lab.t FROM STDIN", "COPY FROM not supported with row-level security"),
    ] {
        assert_eq!(outcome(&ann, sql).await, ("0A000".to_owned(), message.to_owned()), "{sql}");
    }
    run(&admin, &["OPTIMIZE lab.t", "UPDATE lab.t SET note = 'n'", merge]).await;
    assert_eq!(column(&admin, all).await, ["0 zoe n"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_are_made_changed_and_dropped_by_sql() {
    let server = started(&[]).await;
    let (ann, bob, admin) =
        (connect(&server, "ann").await, connect(&server, "bob").await, connect(&server, ADMIN).await);
    let ids = "SELECT id FROM lab.t";
    ann.batch_execute("PREPARE known AS SELECT id FROM lab.t").await.unwrap();
    assert_eq!(column(&ann, "EXECUTE known").await.len(), 4);
    run(&admin, &["ALTER TABLE lab.t ENABLE ROW LEVEL SECURITY"]).await;
    assert!(column(&ann, ids).await.is_empty() && column(&ann, "EXECUTE known").await.is_empty());
    run(
        &admin,
        &[
            "CREATE POLICY own ON lab.t TO staff USING (owner = current_user)",
            "CREATE POLICY zero ON lab.t AS PERMISSIVE FOR SELECT TO bob USING (id = 0)",
            "CREATE POLICY small ON lab.t AS RESTRICTIVE FOR ALL TO PUBLIC USING (id < 9) WITH CHECK (id < 5)",
        ],
    )
    .await;
    assert_eq!(column(&ann, "EXECUTE known").await, ["1", "2"]);
    assert_eq!(column(&bob, ids).await, ["0", "3"]);
    // Of two policies for SELECT one shows a row that the ones for DELETE and UPDATE do not.
    run(&bob, &["DELETE FROM lab.t WHERE id = 0", "UPDATE lab.t SET note = 'x' WHERE id = 0"]).await;
    assert_eq!(column(&bob, ids).await, ["0", "3"]);
    let message = "new row violates row-level security policy \"small\" for table \"t\"".to_owned();
    assert_eq!(outcome(&ann, "INSERT INTO lab.t VALUES (5, 'ann')").await, ("42501".to_owned(), message));
    // Outside of the transaction nobody sees a policy that is not committed.
    run(&admin, &["BEGIN", "DROP POLICY own ON lab.t"]).await;
    assert_eq!(column(&ann, ids).await, ["1", "2"]);
    run(&admin, &["ROLLBACK", "ALTER POLICY own ON lab.t RENAME TO mine"]).await;
    run(&admin, &["ALTER POLICY mine ON lab.t TO bob, ann USING (owner = current_user AND id > 1)"]).await;
    assert_eq!(column(&ann, ids).await, ["2"]);
    // A subquery of a policy reads with the rights and the policies of the role.
    run(&admin, &["INSERT INTO lab.regions VALUES ('ann', 'ann'), ('ann', 'zoe')", "SET search_path TO lab"]).await;
    run(&admin, &["ALTER POLICY mine ON t USING (owner IN (SELECT region FROM regions WHERE who = current_user))"])
        .await;
    assert_eq!(column(&ann, ids).await, ["0", "1", "2"]);
    run(&ann, &["INSERT INTO lab.t VALUES (4, 'zoe')", "UPDATE lab.t SET note = 'z' WHERE id = 4"]).await;
    assert_eq!(outcome(&ann, "INSERT INTO lab.t VALUES (4, 'bob')").await.0, "42501");
    run(&admin, &["REVOKE ALL ON lab.regions FROM PUBLIC", "ALTER TABLE lab.regions ENABLE ROW LEVEL SECURITY"]).await;
    assert!(column(&ann, ids).await.is_empty());
    run(&admin, &["ALTER TABLE lab.t DISABLE ROW LEVEL SECURITY", "DROP POLICY IF EXISTS none ON lab.t"]).await;
    assert_eq!(column(&ann, "EXECUTE known").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_numeric_behind_policies_keeps_its_precision_and_scale() {
    let server = started(OWN).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    run(
        &admin,
        &[
            "DROP TABLE lab.out",
            "CREATE TABLE lab.out (owner text, pay numeric(9, 2))",
            "INSERT INTO lab.out VALUES ('ann', 1), ('bob', 2)",
            "CREATE POLICY own ON lab.out USING (owner = current_user)",
            "ALTER TABLE lab.out ENABLE ROW LEVEL SECURITY",
        ],
    )
    .await;
    run(&ann, &["CREATE TABLE lab.mine AS SELECT * FROM lab.out"]).await;
    assert_eq!(column(&admin, "SELECT pay FROM lab.mine").await, ["1.00"]);
    let typed = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                 WHERE attrelid = 'lab.mine'::regclass AND attname = 'pay'";
    assert_eq!(column(&admin, typed).await, ["numeric(9,2)"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_policy_is_refused_in_the_words_of_postgresql() {
    let server =
        started(&["CREATE POLICY filed ON lab.t USING (true)", "ALTER TABLE lab.t ENABLE ROW LEVEL SECURITY"]).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    run(&admin, &["CREATE POLICY p ON lab.t USING (true)"]).await;
    for (sql, state, message) in [
        ("CREATE POLICY p ON lab.t USING (true)", "42710", "policy \"p\" for table \"t\" already exists"),
        ("CREATE POLICY filed ON lab.t USING (true)", "42710", "policy \"filed\" for table \"t\" already exists"),
        ("DROP POLICY filed ON lab.t", "55000", "cannot change policy \"filed\" for table \"t\""),
        ("ALTER TABLE lab.t DISABLE ROW LEVEL SECURITY", "55000", "cannot disable row-level security of table \"t\""),
        ("DROP POLICY q ON lab.t", "42704", "policy \"q\" for table \"t\" does not exist"),
        ("CREATE POLICY q ON lab.t TO nobody USING (true)", "42704", "role \"nobody\" does not exist"),
        ("CREATE POLICY q ON lab.nothing USING (true)", "42P01", "relation \"lab.nothing\" does not exist"),
        ("CREATE POLICY q ON lab.v USING (true)", "42809", "\"v\" is not a table"),
        ("CREATE POLICY q ON lab.t USING (nothing = 1)", "42703", "column \"nothing\" does not exist"),
        ("CREATE POLICY q ON lab.t USING (id = $1)", "42P02", "there is no parameter $1"),
        (
            "CREATE POLICY q ON lab.t USING (id IN (SELECT id FROM lab.t))",
            "42P17",
            "infinite recursion detected in policy for relation \"t\"",
        ),
        (
            "CREATE POLICY q ON lab.t FOR SELECT USING (true) WITH CHECK (true)",
            "42601",
            "WITH CHECK cannot be applied to SELECT or DELETE",
        ),
        ("CREATE POLICY q ON lab.t FOR INSERT USING (true)", "42601", "only WITH CHECK expression allowed for INSERT"),
    ] {
        assert_eq!(outcome(&admin, sql).await, (state.to_owned(), message.to_owned()), "{sql}");
    }
    for sql in [
        "CREATE POLICY q ON lab.t USING (true)",
        "DROP POLICY p ON lab.t",
        "ALTER TABLE lab.t NO FORCE ROW LEVEL SECURITY",
    ] {
        assert_eq!(outcome(&ann, sql).await.0, "42501", "{sql}");
    }
    let off = "query would be affected by row-level security policy for table \"t\"".to_owned();
    run(&ann, &["SET row_security = off"]).await;
    for sql in
        ["SELECT 1 FROM lab.t", "INSERT INTO lab.t VALUES (1)", "DELETE FROM lab.t", "EXPLAIN SELECT 1 FROM lab.t"]
    {
        assert_eq!(outcome(&ann, sql).await, ("42501".to_owned(), off.clone()), "{sql}");
    }
    run(&admin, &["SET row_security = off", "SELECT 1 FROM lab.t"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogs_tell_the_policies() {
    let server = started(OWN).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    run(
        &admin,
        &[
            "CREATE POLICY late ON lab.t AS RESTRICTIVE FOR UPDATE TO ann, bob USING (id > 0) WITH CHECK (id > 1)",
            "ALTER TABLE lab.t FORCE ROW LEVEL SECURITY",
        ],
    )
    .await;
    for (sql, expect) in [
        (
            "SELECT concat_ws('|', schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check)
             FROM pg_policies",
            &[
                "lab|t|late|RESTRICTIVE|{ann,bob}|UPDATE|(id > 0)|(id > 1)",
                "lab|t|own|PERMISSIVE|{public}|ALL|(owner = current_user)",
            ][..],
        ),
        (
            "SELECT concat_ws('|', polname, polcmd, polpermissive, polroles = '{0}', pg_get_expr(polqual, polrelid))
             FROM pg_policy WHERE polrelid = 'lab.t'::regclass",
            &["late|w|f|f|(id > 0)", "own|*|t|t|(owner = current_user)"],
        ),
        (
            "SELECT concat_ws('|', relname, relrowsecurity, relforcerowsecurity) FROM pg_class
             WHERE relname IN ('t', 'out') AND relnamespace = 'lab'::regnamespace",
            &["out|f|f", "t|t|t"],
        ),
        ("SELECT rowsecurity FROM pg_tables WHERE schemaname = 'lab' AND tablename = 't'", &["t"]),
        ("SELECT row_security_active('lab.t')", &["t"]),
        ("SELECT row_security_active('lab.out'::regclass)", &["f"]),
        ("SELECT rolname FROM pg_roles WHERE rolbypassrls AND NOT rolsuper", &["auditor"]),
    ] {
        assert_eq!(column(&ann, sql).await, expect, "{sql}");
    }
    assert_eq!(column(&admin, "SELECT row_security_active('lab.t')").await, ["f"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flight_sees_the_same_rows_and_a_ticket_the_policies_of_its_day() {
    let server = started(OWN).await;
    let admin = connect(&server, ADMIN).await;
    let mut client = flight::Client::open(server.server.flight_addr()).await;
    client.handshake(Some(&crate::flight::basic("ann", PASSWORD))).await.unwrap();
    let sql = "SELECT id FROM lab.t WHERE 10 / (id - 3) < 5 ORDER BY id";
    let command = CommandStatementQuery { query: sql.to_owned(), transaction_id: None };
    let shown = |rows: flight::Rows| -> Vec<String> {
        rows.batches.iter().flat_map(flight::texts).flatten().map(Option::unwrap_or_default).collect()
    };
    let info = client.info(&command).await.unwrap();
    assert_eq!(shown(client.query(sql).await.unwrap()), ["1", "2"]);
    let prepared = client.prepare(sql).await.unwrap();
    run(&admin, &["CREATE POLICY two ON lab.t AS RESTRICTIVE USING (id = 2)"]).await;
    assert_eq!(shown(client.execute(&prepared.prepared_statement_handle).await.unwrap()), ["2"]);
    for endpoint in info.endpoint {
        assert_eq!(shown(client.fetch(endpoint.ticket.unwrap()).await.unwrap()), ["2"]);
    }
    let refused = client.update("INSERT INTO lab.t VALUES (9, 'ann')").await.unwrap_err();
    assert_eq!(flight::state(&refused), "42501");
}
