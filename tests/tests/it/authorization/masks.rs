//! Column masks: a masked value is never shown, and nothing tells of it, whichever door a statement takes.

use arrow_flight::sql::CommandStatementQuery;
use lakegate_tests::flight;
use lakegate_tests::{Lake, TestServer};
use tokio_postgres::Client;

use super::{ADMIN, Role, column, connect, outcome, roles_file, with_roles_file};
use crate::authentication::{PASSWORD, VERIFIER};

const GRANT: &[&str] = &["USAGE, CREATE ON SCHEMA lab", "ALL ON lab.t, lab.people, lab.m, lab.v, lab.out"];

const STAFF: &[Role] = &[
    Role { name: "ann", member_of: &["staff"], grant: &[] },
    Role { name: "bob", member_of: &["staff", "help"], grant: &[] },
    Role { name: "staff", member_of: &[], grant: GRANT },
    Role { name: "help", member_of: &[], grant: &[] },
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

const MASKS: &[&str] = &[
    "CREATE MASK ends ON lab.t (card) USING (left(card, 2) || '**')",
    "CREATE MASK none ON lab.t (pay) TO staff USING (0)",
    "CREATE MASK born ON lab.t (born) TO staff USING (date_trunc('year', born))",
];

async fn started(policies: &[&str]) -> TestServer {
    let server = with_roles_file(&Lake::default(), &file(policies)).await;
    let admin = connect(&server, ADMIN).await;
    run(
        &admin,
        &[
            "CREATE SCHEMA lab",
            "CREATE TABLE lab.t (id bigint, card text, pay numeric(10, 2), born date)",
            "INSERT INTO lab.t VALUES (1, '1111', 10.50, '1970-03-01'), (2, '2222', 20, '1980-04-02')",
            "INSERT INTO lab.t VALUES (3, '1133', 30, '1990-05-03'), (4, NULL, NULL, NULL)",
            "CREATE TABLE lab.people (card text, name text)",
            "INSERT INTO lab.people VALUES ('1111', 'zoe'), ('11**', 'nobody')",
            "CREATE TABLE lab.out (card text)",
            "CREATE VIEW lab.v AS SELECT * FROM lab.t",
            "CREATE MATERIALIZED VIEW lab.m AS SELECT * FROM lab.t",
        ],
    )
    .await;
    server
}

/// What ann sees, in the order of the first column.
const SEEN: &[(&str, &[&str])] = &[
    ("SELECT card FROM lab.t WHERE card IS NOT NULL", &["11**", "11**", "22**"]),
    (
        "SELECT concat_ws('|', id, card, pay, born) FROM lab.t WHERE id < 3",
        &["1|11**|0.00|1970-01-01", "2|22**|0.00|1980-01-01"],
    ),
    ("SELECT x::text FROM lab.t x WHERE id = 2", &["(2,22**,0.00,1980-01-01)"]),
    (
        "SELECT to_json(x)::text FROM lab.t x WHERE id = 2",
        &["{\"id\":2,\"card\":\"22**\",\"pay\":0.00,\"born\":\"1980-01-01\"}"],
    ),
    ("SELECT id FROM lab.t WHERE card = '1111'", &[]),
    ("SELECT id FROM lab.t WHERE card = '11**'", &["1", "3"]),
    ("SELECT id FROM lab.t WHERE card LIKE '%33'", &[]),
    ("SELECT id FROM lab.t WHERE card >= '1112' AND card < '1134'", &[]),
    ("SELECT id FROM lab.t WHERE card IN ('1133', '2222')", &[]),
    ("SELECT id FROM lab.t WHERE pay BETWEEN 5 AND 25", &[]),
    ("SELECT id FROM lab.t WHERE pay > 20 OR born > '1985-05-05'", &["3"]),
    ("SELECT id FROM lab.t WHERE card IS NULL", &["4"]),
    ("SELECT count(*) FROM lab.t", &["4"]),
    ("SELECT count(DISTINCT card) FROM lab.t", &["2"]),
    ("SELECT count(card) FROM lab.t", &["3"]),
    ("SELECT min(card) || max(card) FROM lab.t", &["11**22**"]),
    ("SELECT min(pay) FROM lab.t", &["0.00"]),
    ("SELECT max(pay) FROM lab.t", &["0.00"]),
    ("SELECT sum(pay) FROM lab.t", &["0.00"]),
    ("SELECT max(born) FROM lab.t", &["1990-01-01"]),
    ("SELECT card FROM lab.t WHERE card IS NOT NULL GROUP BY card", &["11**", "22**"]),
    ("SELECT DISTINCT pay FROM lab.t", &["0.00"]),
    ("SELECT rank() OVER (ORDER BY card) FROM lab.t WHERE id < 4", &["1", "1", "3"]),
    ("SELECT name FROM lab.people p JOIN lab.t ON t.card = p.card AND id = 1", &["nobody"]),
    ("SELECT name FROM lab.people p LEFT JOIN lab.t ON t.card = p.card WHERE t.id IS NULL", &["zoe"]),
    ("SELECT name FROM lab.people WHERE card IN (SELECT card FROM lab.t)", &["nobody"]),
    ("SELECT name FROM lab.people p WHERE EXISTS (SELECT 1 FROM lab.t WHERE t.card = p.card)", &["nobody"]),
    ("SELECT name FROM lab.people p, LATERAL (SELECT id FROM lab.t WHERE t.card = p.card AND id = 1) q", &["nobody"]),
    ("SELECT (SELECT max(card) FROM lab.t)", &["22**"]),
    ("WITH q AS (SELECT * FROM lab.t) SELECT max(card) FROM q UNION ALL SELECT min(card) FROM q", &["11**", "22**"]),
    ("SELECT card FROM lab.t WHERE id = 2 UNION SELECT card FROM lab.t WHERE id = 2", &["22**"]),
    ("SELECT a.id FROM lab.t a JOIN lab.t b ON a.card = b.card AND a.id <> b.id", &["1", "3"]),
    ("SELECT card FROM lab.t ORDER BY card DESC LIMIT 1 OFFSET 1", &["22**"]),
    ("SELECT CASE WHEN card = '2222' THEN 'told' ELSE 'not' END FROM lab.t WHERE id = 2", &["not"]),
    ("PREPARE p AS SELECT id FROM lab.t WHERE card = $1; EXECUTE p('22**'); DEALLOCATE p", &["2"]),
    ("BEGIN; DECLARE c CURSOR FOR SELECT card FROM lab.t WHERE id = 2; FETCH ALL FROM c; COMMIT", &["22**"]),
    // What fails tells of what is shown alone.
    ("SELECT id FROM lab.t WHERE id = 1 AND 1 / (pay - 10.50) < 1", &["1"]),
    ("SELECT id FROM lab.t WHERE id = 1 AND 1 / (card::text <> '1111')::int > 0", &["1"]),
    ("SELECT id FROM lab.t WHERE id = 2 AND xmin IS NOT NULL AND card = '22**'", &["2"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_masked_value_is_shown_in_no_shape_of_statement() {
    let server = started(MASKS).await;
    let ann = connect(&server, "ann").await;
    for (sql, expect) in SEEN {
        assert_eq!(column(&ann, sql).await, *expect, "{sql}");
    }
    let error = outcome(&ann, "SELECT card::int FROM lab.t WHERE id = 1").await;
    assert_eq!(error, ("22P02".to_owned(), "invalid input syntax for type integer: \"11**\"".to_owned()));
    for role in ["auditor", ADMIN] {
        let client = connect(&server, role).await;
        assert_eq!(
            column(&client, "SELECT concat(card, pay, born) FROM lab.t WHERE id = 1").await,
            ["111110.501970-03-01"]
        );
    }
    // A view reads with the rights of the operator.
    for relation in ["lab.v", "lab.m"] {
        assert_eq!(column(&ann, &format!("SELECT card FROM {relation} WHERE id = 1")).await, ["1111"]);
    }
    run(&ann, &["CREATE TABLE lab.own AS SELECT * FROM lab.t", "INSERT INTO lab.out SELECT card FROM lab.t"]).await;
    let admin = connect(&server, ADMIN).await;
    assert_eq!(column(&admin, "SELECT concat(card, pay) FROM lab.own WHERE id = 2").await, ["22**0.00"]);
    assert_eq!(column(&admin, "SELECT max(card) FROM lab.out").await, ["22**"]);
    for copy in ["COPY lab.t (id, card) TO STDOUT", "COPY (SELECT id, card FROM lab.t) TO STDOUT"] {
        let copied: Vec<_> = futures::StreamExt::collect(ann.copy_out(copy).await.unwrap()).await;
        let copied: Vec<bytes::Bytes> = copied.into_iter().collect::<Result<_, _>>().unwrap();
        let copied = String::from_utf8(copied.concat()).unwrap();
        let mut copied: Vec<&str> = copied.lines().collect();
        copied.sort_unstable();
        assert_eq!(copied, ["1\t11**", "2\t22**", "3\t11**", "4\t\\N"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_and_the_catalogs_tell_nothing_of_masked_values() {
    let server = started(MASKS).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    for explain in ["EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (ANALYZE, VERBOSE)", "EXPLAIN (ANALYZE, FORMAT json)"] {
        let sql = format!("{explain} SELECT id FROM lab.t WHERE card = '1111' AND pay > 5 AND id < 7");
        let plan = column(&ann, &sql).await.join("\n");
        assert!(plan.contains("ColumnMaskExec") && plan.contains("masked=[born, card, pay]"), "{plan}");
        for told in ["DataSourceExec", "left", "parquet", "bytes_scanned", "pruned"] {
            assert!(!plan.contains(told), "{told}: {plan}");
        }
    }
    let plan = column(&admin, "EXPLAIN SELECT id FROM lab.t WHERE card = '1111'").await.join("\n");
    assert!(plan.contains("DataSourceExec") && !plan.contains("ColumnMaskExec"), "{plan}");
    let files = "SELECT count(*) FROM system.objects WHERE schema = 'lab' AND \"table\" = 't'";
    assert_eq!((column(&admin, files).await, column(&ann, files).await), (vec!["2".to_owned()], vec!["0".to_owned()]));
    // No condition on a masked column rules a file out, and one on another does.
    let pruned = "SELECT max(files_pruned) FROM system.queries WHERE query = ";
    for (sql, expect) in
        [("SELECT id FROM lab.t WHERE card = '1133'", "0"), ("SELECT card FROM lab.t WHERE id = 3", "1")]
    {
        run(&ann, &[sql, sql]).await;
        assert_eq!(column(&ann, &format!("{pruned}'{}'", sql.replace('\'', "''"))).await, [expect], "{sql}");
    }
    let masks = "SELECT concat_ws('|', \"table\", column_name, mask, roles, expression, active) FROM system.masks";
    assert_eq!(column(&ann, masks).await, ["t|born|born|{staff}|t", "t|card|ends|{public}|t", "t|pay|none|{staff}|t"]);
    let told = column(&admin, masks).await;
    assert_eq!(told[1], "t|card|ends|{public}|left(card, 2) || '**'|f", "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_keeps_masked_values() {
    let server = started(MASKS).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    let denied = ("42501".to_owned(), "permission denied for column \"card\" of relation \"t\"".to_owned());
    for sql in [
        "UPDATE lab.t SET card = card",
        "UPDATE lab.t SET id = 1, card = '9' WHERE id = 1",
        "UPDATE lab.t SET card = v.c FROM (VALUES (1, 'x')) v(i, c) WHERE id = v.i",
    ] {
        assert_eq!(outcome(&ann, sql).await, denied, "{sql}");
    }
    let merge = "MERGE INTO lab.t USING (VALUES (3)) v(i) ON id = i WHEN MATCHED THEN DELETE";
    assert_eq!(outcome(&ann, merge).await, ("0A000".to_owned(), "MERGE is not supported with column masks".to_owned()));
    for (sql, expect) in [
        ("UPDATE lab.t SET id = id + 10 WHERE card = '1111' RETURNING id", &[][..]),
        ("UPDATE lab.t SET id = id + 10 WHERE card = '22**' RETURNING concat(id, card, pay)", &["1222**0.00"]),
        ("UPDATE lab.t SET id = 13 FROM (VALUES (3)) v(i) WHERE id = v.i RETURNING concat(card, v.i)", &["11**3"]),
        (
            "INSERT INTO lab.t VALUES (5, '5555', 50, '2000-06-04') RETURNING concat(card, pay, born)",
            &["55**0.002000-01-01"],
        ),
        ("DELETE FROM lab.t WHERE pay > 0 RETURNING id", &[]),
        ("DELETE FROM lab.t WHERE id = 1 RETURNING card", &["11**"]),
        ("DELETE FROM lab.t USING (VALUES (4)) v(i) WHERE id = v.i RETURNING coalesce(card, 'null')", &["null"]),
        ("DELETE FROM lab.t USING lab.people p WHERE p.card = t.card AND t.id = 12 RETURNING t.id", &[]),
    ] {
        assert_eq!(column(&ann, sql).await, expect, "{sql}");
    }
    let all = "SELECT concat_ws(' ', id, card, pay, born) FROM lab.t";
    assert_eq!(
        column(&admin, all).await,
        ["12 2222 20.00 1980-04-02", "13 1133 30.00 1990-05-03", "5 5555 50.00 2000-06-04"]
    );
    // With a mask of its own plain column a role changes it, and whole tables are kept as they are.
    run(&admin, &["CREATE MASK plain ON lab.t (card) TO bob USING (card)", "OPTIMIZE lab.t"]).await;
    let bob = connect(&server, "bob").await;
    run(&bob, &["UPDATE lab.t SET card = '7' || card WHERE card = '5555'", "UPDATE lab.t SET id = 6 WHERE id = 5"])
        .await;
    assert_eq!(column(&admin, &format!("{all} WHERE id = 6")).await, ["6 75555 50.00 2000-06-04"]);
    assert_eq!(column(&ann, "SELECT card FROM lab.t WHERE id = 6").await, ["75**"]);
    // An earlier version is seen through the masks of now.
    let earlier = "SELECT card FROM lab.t FOR VERSION AS OF 1 WHERE id = 1";
    assert_eq!(
        (column(&ann, earlier).await, column(&admin, earlier).await),
        (vec!["11**".into()], vec!["1111".into()])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn masks_are_made_and_dropped_by_sql_and_the_nearest_counts() {
    let server = started(&[]).await;
    let (ann, bob, admin) =
        (connect(&server, "ann").await, connect(&server, "bob").await, connect(&server, ADMIN).await);
    let card = "SELECT card FROM lab.t WHERE id = 1";
    ann.batch_execute("PREPARE known AS SELECT card FROM lab.t WHERE id = 1").await.unwrap();
    assert_eq!(column(&ann, "EXECUTE known").await, ["1111"]);
    run(&admin, &["CREATE MASK everybody ON lab.t (card) USING (NULL)"]).await;
    assert_eq!(column(&ann, "SELECT coalesce(card, 'null') FROM lab.t WHERE id = 1").await, ["null"]);
    run(&admin, &["CREATE MASK staff ON lab.t (card) TO staff USING ('staff')"]).await;
    assert_eq!(
        (column(&ann, "EXECUTE known").await, column(&bob, card).await),
        (vec!["staff".into()], vec!["staff".into()])
    );
    run(&admin, &["CREATE MASK help ON lab.t (card) TO help USING (card)"]).await;
    assert_eq!((column(&ann, card).await, column(&bob, card).await), (vec!["staff".into()], vec!["1111".into()]));
    // Outside of the transaction nobody sees what is not committed.
    run(&admin, &["BEGIN", "DROP MASK staff ON lab.t"]).await;
    assert_eq!(column(&ann, card).await, ["staff"]);
    run(&admin, &["ROLLBACK", "DROP MASK staff ON lab.t", "DROP MASK everybody ON lab.t", "DROP MASK help ON lab.t"])
        .await;
    assert_eq!(column(&ann, "EXECUTE known").await, ["1111"]);
    // An expression can ask who reads, and read other tables with the rights of who does.
    run(&admin, &["SET search_path TO lab"]).await;
    run(
        &admin,
        &["CREATE MASK m ON t (card) USING (
             CASE WHEN current_user = 'bob' THEN card ELSE (SELECT max(name) FROM people WHERE people.card = t.card) END)"],
    )
    .await;
    assert_eq!((column(&ann, card).await, column(&bob, card).await), (vec!["zoe".into()], vec!["1111".into()]));
    run(&admin, &["DROP MASK m ON lab.t", "CREATE MASK m ON lab.m (card) USING ('of a view')"]).await;
    assert_eq!(column(&ann, "SELECT DISTINCT card FROM lab.m").await, ["of a view"]);
    run(&admin, &["REFRESH MATERIALIZED VIEW lab.m FULL", "DROP MASK m ON lab.m"]).await;
    assert_eq!(column(&ann, "SELECT card FROM lab.m WHERE id = 1").await, ["1111"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn masks_and_policies_go_together() {
    let own = "CREATE POLICY own ON lab.t USING (card LIKE '11%')";
    let fails = "CREATE MASK fails ON lab.t (pay) USING (1 / (id - 2))";
    let server = started(&[MASKS[0], own, fails, "ALTER TABLE lab.t ENABLE ROW LEVEL SECURITY"]).await;
    let ann = connect(&server, "ann").await;
    // Policies see values as they are; no mask runs on a row that is hidden.
    for (sql, expect) in [
        ("SELECT id || card FROM lab.t", &["111**", "311**"][..]),
        ("SELECT id FROM lab.t WHERE pay >= -1", &["1", "3"]),
        ("SELECT id FROM lab.t WHERE id = 2 AND pay = 0", &[]),
        ("SELECT sum(pay) FROM lab.t", &["0.00"]),
    ] {
        assert_eq!(column(&ann, sql).await, expect, "{sql}");
    }
    let plan = column(&ann, "EXPLAIN SELECT * FROM lab.t").await.join("\n");
    assert!(plan.contains("RowSecurityExec: t, masked=[card, pay]"), "{plan}");
    assert_eq!(outcome(&ann, "INSERT INTO lab.t VALUES (2, '22')").await.0, "42501");
    run(&ann, &["INSERT INTO lab.t VALUES (7, '1177')", "UPDATE lab.t SET id = 8 WHERE id = 7"]).await;
    let admin = connect(&server, ADMIN).await;
    assert_eq!(column(&admin, "SELECT card FROM lab.t WHERE id = 8").await, ["1177"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_mask_is_refused() {
    let server = started(&["CREATE MASK filed ON lab.t (card) TO help USING (NULL)"]).await;
    let (ann, admin) = (connect(&server, "ann").await, connect(&server, ADMIN).await);
    run(&admin, &["CREATE MASK m ON lab.t (card) USING ('x')", "CREATE MASK IF ON lab.t (pay) USING (1)"]).await;
    for (sql, state, message) in [
        ("CREATE MASK m ON lab.t (pay) TO ann USING (1)", "42710", "mask \"m\" for table \"t\" already exists"),
        ("CREATE MASK filed ON lab.t (pay) TO ann USING (1)", "42710", "mask \"filed\" for table \"t\" already exists"),
        ("CREATE MASK n ON lab.t (card) USING ('y')", "42710", "column \"card\" of table \"t\" already has a mask"),
        (
            "CREATE MASK n ON lab.t (card) TO help USING ('y')",
            "42710",
            "column \"card\" of table \"t\" already has a mask",
        ),
        ("DROP MASK filed ON lab.t", "55000", "cannot drop mask \"filed\" for table \"t\""),
        ("DROP MASK n ON lab.t", "42704", "mask \"n\" for table \"t\" does not exist"),
        ("CREATE MASK n ON lab.t (card) TO nobody USING ('y')", "42704", "role \"nobody\" does not exist"),
        ("CREATE MASK n ON lab.nothing (card) USING ('y')", "42P01", "relation \"lab.nothing\" does not exist"),
        ("CREATE MASK n ON lab.v (card) USING ('y')", "42809", "\"v\" is not a table"),
        ("CREATE MASK n ON lab.t (no) USING ('y')", "42703", "column \"no\" of relation \"t\" does not exist"),
        ("CREATE MASK n ON lab.t (born) USING (no)", "42703", "column \"no\" does not exist"),
        (
            "CREATE MASK n ON lab.t (born) USING (1)",
            "42804",
            "column \"born\" is of type date but expression is of type integer",
        ),
        ("CREATE MASK n ON lab.t (born) USING ('y')", "22007", "invalid input syntax for type date: \"y\""),
        ("CREATE MASK n ON lab.t (born) USING ($1)", "42P02", "there is no parameter $1"),
        (
            "CREATE MASK n ON lab.t (id) USING (count(*))",
            "42803",
            "aggregate functions are not allowed in mask expressions",
        ),
        (
            "CREATE MASK n ON lab.t (id) USING (row_number() OVER ())",
            "42P20",
            "window functions are not allowed in mask expressions",
        ),
        (
            "CREATE MASK n ON lab.t (id) USING (generate_series(1, 2))",
            "0A000",
            "set-returning functions are not allowed in mask expressions",
        ),
        (
            "CREATE MASK n ON lab.t (id) USING ((SELECT max(id) FROM lab.t))",
            "42P17",
            "infinite recursion detected in mask for relation \"t\"",
        ),
        ("CREATE MASK n ON lab.t USING (1)", "42601", "syntax error at or near \"USING\""),
        ("CREATE MASK n ON lab.t (id)", "42601", "sql parser error: Expected: USING, found: EOF"),
    ] {
        assert_eq!(outcome(&admin, sql).await, (state.to_owned(), message.to_owned()), "{sql}");
    }
    for sql in ["CREATE MASK n ON lab.t (id) USING (1)", "DROP MASK m ON lab.t"] {
        assert_eq!(outcome(&ann, sql).await.0, "42501", "{sql}");
    }
    run(&admin, &["DROP MASK IF EXISTS n ON lab.t", "DROP MASK IF ON lab.t", "SET row_security = off", "TABLE lab.t"])
        .await;
    run(&ann, &["SET row_security = off"]).await;
    let off = "query would be affected by column mask for table \"t\"".to_owned();
    assert_eq!(outcome(&ann, "SELECT 1 FROM lab.t").await, ("42501".to_owned(), off));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flight_sees_the_same_values_and_a_ticket_the_masks_of_its_day() {
    let server = started(MASKS).await;
    let admin = connect(&server, ADMIN).await;
    let mut client = flight::Client::open(server.server.flight_addr()).await;
    client.handshake(Some(&crate::flight::basic("ann", PASSWORD))).await.unwrap();
    let sql = "SELECT card FROM lab.t WHERE id < 3 ORDER BY id";
    let command = CommandStatementQuery { query: sql.to_owned(), transaction_id: None };
    let shown = |rows: flight::Rows| -> Vec<String> {
        rows.batches.iter().flat_map(flight::texts).flatten().map(Option::unwrap_or_default).collect()
    };
    let info = client.info(&command).await.unwrap();
    assert_eq!(shown(client.query(sql).await.unwrap()), ["11**", "22**"]);
    let prepared = client.prepare(sql).await.unwrap();
    run(&admin, &["CREATE MASK two ON lab.t (card) TO ann USING (right(card, 1))"]).await;
    assert_eq!(shown(client.execute(&prepared.prepared_statement_handle).await.unwrap()), ["1", "2"]);
    for endpoint in info.endpoint {
        assert_eq!(shown(client.fetch(endpoint.ticket.unwrap()).await.unwrap()), ["1", "2"]);
    }
    let refused = client.update("UPDATE lab.t SET card = 'x'").await.unwrap_err();
    assert_eq!(flight::state(&refused), "42501");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn masks_outlive_a_server_and_go_with_their_table() {
    let lake = Lake::default();
    let roles = file(&[]);
    lake.write("lab/t.csv", "id,card\n1,a111\n2,b222\n");
    let one = with_roles_file(&lake, &roles).await;
    let admin = connect(&one, ADMIN).await;
    run(
        &admin,
        &[
            "CREATE EXTERNAL TABLE lab.people STORED AS CSV LOCATION 'lab/t.csv'",
            "CREATE MASK m ON lab.people (card) USING ('**' || right(card, 1))",
            "ALTER TABLE lab.people RENAME TO out",
        ],
    )
    .await;
    let two = with_roles_file(&lake, &roles).await;
    for server in [&one, &two] {
        let ann = connect(server, "ann").await;
        assert_eq!(column(&ann, "SELECT card FROM lab.out WHERE id = 2").await, ["**2"]);
        assert_eq!(column(&ann, "SELECT id FROM lab.out WHERE card = 'a111'").await, [""; 0]);
    }
    run(&admin, &["DROP TABLE lab.out", "CREATE EXTERNAL TABLE lab.out STORED AS CSV LOCATION 'lab/t.csv'"]).await;
    let ann = connect(&one, "ann").await;
    assert_eq!(column(&ann, "SELECT card FROM lab.out WHERE id = 2").await, ["b222"]);
}
