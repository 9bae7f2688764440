//! Roles x relations x shapes of statements: whichever way a relation is named, it takes the same privilege, and who lacks it is
//! told the same.

use futures::StreamExt;
use lakegate_tests::flight::{self, state};
use tokio_postgres::Client;

use super::{ADMIN, Model, OBJECTS, Object, ROLES, connect, outcome, started, told};
use crate::authentication::PASSWORD;

/// Reads, with `{t}` for the relation.
const READS: &[&str] = &[
    "SELECT * FROM {t}",
    "SELECT count(*) FROM {t}",
    "SELECT 1 FROM {t} WHERE false",
    "SELECT 1 FROM {t} LIMIT 0",
    "WITH x AS (SELECT * FROM {t}) SELECT count(*) FROM x",
    "WITH x AS (SELECT 1 FROM {t}), y AS (SELECT * FROM x) SELECT * FROM y LIMIT 1",
    "SELECT (SELECT count(*) FROM {t})",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM {t})",
    "SELECT 1 WHERE 1 IN (SELECT 1 FROM {t})",
    "SELECT 1 WHERE 1 NOT IN (SELECT 2 FROM {t})",
    "SELECT * FROM (SELECT * FROM {t}) q LIMIT 1",
    "SELECT 1 FROM (VALUES (1)) v(n) CROSS JOIN {t} x LIMIT 1",
    "SELECT 1 FROM (VALUES (1)) v(n) LEFT JOIN {t} x ON false",
    "SELECT 1 FROM {t} a JOIN {t} b ON true LIMIT 1",
    "SELECT 1 FROM (VALUES (1)) v(n), LATERAL (SELECT n FROM {t}) q LIMIT 1",
    "SELECT 1 FROM {t} UNION ALL SELECT 2",
    "SELECT 1 EXCEPT SELECT 1 FROM {t}",
    "SELECT 2 INTERSECT SELECT 1 FROM {t}",
    "EXPLAIN SELECT * FROM {t}",
    "EXPLAIN ANALYZE SELECT count(*) FROM {t}",
    "EXPLAIN (FORMAT JSON) SELECT 1 FROM {t}",
    "SELECT 1; SELECT 1 FROM {t}; SELECT 2",
    "SELECT 1 FROM /* shop.offers */ {t} -- ; DROP TABLE x",
    "/* a */ SELECT 1 FROM {t} /* ; */ ;",
    "TABLE {t}",
    "SELECT x FROM {t} x LIMIT 1",
    "SELECT ARRAY(SELECT 1 FROM {t})",
    "SELECT CASE WHEN false THEN (SELECT count(*) FROM {t}) END",
    "SELECT count(*) OVER () FROM {t}",
    "SELECT count(*) FILTER (WHERE true) FROM {t} HAVING count(*) >= 0",
    "SELECT 1 FROM (VALUES (1)) v(n) WHERE n = (SELECT max(1) FROM {t})",
    "PREPARE p AS SELECT 1 FROM {t}; DEALLOCATE p",
    "PREPARE p AS SELECT 1 FROM {t}; EXECUTE p; DEALLOCATE p",
    "BEGIN; DECLARE c CURSOR FOR SELECT 1 FROM {t}; FETCH 1 FROM c; COMMIT",
    "BEGIN; SELECT 1 FROM {t}; COMMIT",
    "BEGIN READ ONLY; SELECT 1 FROM {t}; COMMIT",
    "BEGIN; LOCK TABLE {t} IN ACCESS SHARE MODE; COMMIT",
];

/// Not of the simple protocol alone.
const OTHERS: &[Other] = &[Other::Copy, Other::Describe, Other::Execute];

#[derive(Debug, Clone, Copy)]
enum Other {
    Copy,
    /// Parse and Describe, and no Execute.
    Describe,
    Execute,
}

/// Writes that read the relation too, with what they take of `shop.sink`.
const WRITES: &[(&str, &[&str])] = &[
    ("INSERT INTO shop.sink SELECT 1, 'x' FROM {t} WHERE false", &["INSERT"]),
    ("INSERT INTO shop.sink WITH x AS (SELECT 1 FROM {t} WHERE false) SELECT 1, 'x' FROM x", &["INSERT"]),
    ("UPDATE shop.sink SET b = 'y' FROM {t} x WHERE false", &["UPDATE"]),
    ("UPDATE shop.sink SET b = (SELECT 'y' FROM {t} LIMIT 1) WHERE false", &["UPDATE"]),
    ("DELETE FROM shop.sink USING {t} x WHERE false", &["DELETE"]),
    ("DELETE FROM shop.sink WHERE a IN (SELECT 7 FROM {t})", &["DELETE", "SELECT"]),
    ("MERGE INTO shop.sink s USING {t} x ON s.a = 7 WHEN MATCHED THEN DELETE", &["DELETE", "SELECT"]),
    ("COPY (SELECT 1 FROM {t}) TO 'copies/never.csv'", &["export"]),
    ("CREATE TABLE lab.made AS SELECT 1 AS one FROM {t}", &["lab"]),
    ("CREATE VIEW shop.mine AS SELECT 1 AS one FROM {t}", &["superuser"]),
];

/// One relation in several spellings.
fn spellings(object: Object) -> Vec<String> {
    let Object { schema, name, .. } = object;
    let exact = format!("\"{schema}\".\"{name}\"");
    if name.contains(' ') {
        return vec![exact.clone(), format!("lakegate.{exact}")];
    }
    let loud = format!("{}.{}", schema.to_uppercase(), name.to_uppercase());
    vec![format!("{schema}.{name}"), exact, loud, format!("lakegate.{schema}.\"{name}\"")]
}

/// Whether every cell is tried, or every second shape in one spelling.
fn is_full() -> bool {
    std::env::var("LAKEGATE_AUTHORIZATION").is_ok_and(|value| value == "full")
}

fn check(cell: &str, missing: &[String], (state, message): (String, String)) {
    if missing.is_empty() {
        assert_eq!((state.as_str(), message.as_str()), ("00000", ""), "{cell}");
    } else {
        assert!(state == "42501" && missing.contains(&message), "{cell}: {state} {message}, not one of {missing:?}");
    }
}

async fn other(client: &Client, other: Other, relation: &str) -> (String, String) {
    match other {
        Other::Copy => match client.copy_out(&format!("COPY (SELECT * FROM {relation}) TO STDOUT")).await {
            Err(error) => told::<()>(Err(error)),
            Ok(rows) => told(rows.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, _>>()),
        },
        Other::Describe => told(client.prepare(&format!("SELECT * FROM {relation}")).await),
        Other::Execute => told(client.query(&format!("SELECT 1 FROM {relation}"), &[]).await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relation_takes_the_same_privilege_in_every_shape_of_statement() {
    let (server, model) = (started().await, Model::new());
    let mut cells = 0;
    for role in ROLES.iter().map(|role| role.name).chain([ADMIN]) {
        let client = connect(&server, role).await;
        for (nth, object) in OBJECTS.iter().enumerate() {
            let spellings = spellings(*object);
            let missing: Vec<String> = model.missing(role, *object, "SELECT").into_iter().collect();
            let spelled = |at: usize| match is_full() {
                true => spellings.clone(),
                false => vec![spellings[at % spellings.len()].clone()],
            };
            let is_tried = |at: usize| is_full() || (at + nth).is_multiple_of(2);
            for (at, shape) in READS.iter().enumerate().filter(|(at, _)| is_tried(*at)) {
                for spelling in spelled(at) {
                    let sql = shape.replace("{t}", &spelling);
                    let end = outcome(&client, &sql).await;
                    if end.0 != "00000" {
                        client.batch_execute("ROLLBACK").await.unwrap();
                    }
                    check(&format!("{role}: {sql}"), &missing, end);
                    cells += 1;
                }
            }
            for (at, kind) in OTHERS.iter().enumerate() {
                for spelling in spelled(at) {
                    let end = other(&client, *kind, &spelling).await;
                    check(&format!("{role}: {kind:?} of {spelling}"), &missing, end);
                    cells += 1;
                }
            }
        }
    }
    assert!(cells > 2_000, "{cells} cells");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_takes_what_it_changes_and_what_it_reads() {
    let (server, model) = (started().await, Model::new());
    let sink = OBJECTS[3];
    for role in ROLES {
        let client = connect(&server, role.name).await;
        for object in OBJECTS.iter().filter(|object| **object != sink) {
            for (at, (shape, needs)) in WRITES.iter().enumerate() {
                let spellings = spellings(*object);
                let sql = shape.replace("{t}", &spellings[at % spellings.len()]);
                let mut missing: Vec<String> = model.missing(role.name, *object, "SELECT").into_iter().collect();
                for need in *needs {
                    missing.extend(match *need {
                        "export" => Some("permission denied to COPY to or from a file".to_owned()),
                        "lab" => Some("permission denied for schema lab".to_owned()),
                        "superuser" => Some("permission denied to define tables and views".to_owned()),
                        privilege => model.missing(role.name, sink, privilege),
                    });
                }
                let end = outcome(&client, &sql).await;
                // A schema that is not there is told first.
                if sql.contains("lab.made") && end.0 == "3F000" {
                    continue;
                }
                check(&format!("{}: {sql}", role.name), &missing, end);
            }
        }
    }
    // The condition never held: nothing was changed, and nothing made.
    let admin = connect(&server, ADMIN).await;
    assert_eq!(super::column(&admin, "SELECT b FROM shop.sink").await, ["x"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_of_the_statements_own_is_no_table() {
    let server = started().await;
    let client = connect(&server, "nobody").await;
    client.batch_execute("SET search_path TO shop, public").await.unwrap();
    for sql in
        ["WITH orders AS (SELECT 7 AS n) SELECT n FROM orders", "WITH loose AS (SELECT 7 AS n) SELECT n FROM loose"]
    {
        assert_eq!(super::column(&client, sql).await, ["7"], "{sql}");
    }
    // Outside the query that has the name, the table is meant.
    let sql = "SELECT * FROM (WITH loose AS (SELECT 7 AS n) SELECT n FROM loose) q, loose";
    assert_eq!(outcome(&client, sql).await, ("42501".into(), "permission denied for table loose".into()));
    // A schema that one may not look into is not looked into, and tells nothing of what is in it.
    let closed = ("42501".into(), "permission denied for schema shop".into());
    assert_eq!(outcome(&client, "SELECT * FROM shop.not_there").await, closed);
    assert_eq!(outcome(&client, "SELECT * FROM orders").await.0, "42P01");
    let looker = connect(&server, "looker").await;
    looker.batch_execute("SET search_path TO shop").await.unwrap();
    let denied = ("42501".into(), "permission denied for table orders".into());
    assert_eq!(outcome(&looker, "SELECT * FROM orders").await, denied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flight_asks_for_the_same_privileges() {
    let (server, model) = (started().await, Model::new());
    for role in ROLES.iter().map(|role| role.name).chain([ADMIN]) {
        let mut client = flight::Client::open(server.server.flight_addr()).await;
        let login = crate::flight::basic(role, PASSWORD);
        client.handshake(Some(&login)).await.unwrap();
        for object in OBJECTS {
            let spelling = &spellings(*object)[0];
            let missing: Vec<String> = model.missing(role, *object, "SELECT").into_iter().collect();
            let sql = format!("SELECT 1 FROM {spelling}");
            let ends = [client.query(&sql).await.map(drop), client.prepare(&sql).await.map(drop)];
            for end in ends {
                let end = match end {
                    Ok(()) => ("00000".to_owned(), String::new()),
                    Err(status) => (state(&status).to_owned(), status.message().to_owned()),
                };
                check(&format!("{role}: {sql} over Flight"), &missing, end);
            }
        }
    }
}
