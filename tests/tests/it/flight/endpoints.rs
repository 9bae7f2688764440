//! Results in several endpoints, and tickets that are bound to the files they were made for.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow_flight::sql::{CommandPreparedStatementQuery, CommandStatementQuery};
use arrow_flight::{CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo, Ticket};
use lakegate_tests::flight::{Client, Rows, state, texts};
use lakegate_tests::{Lake, TestServer, server};
use prost::Message;
use tonic::{Code, Status};

use super::connect;
use crate::delta::written;

const FILES: usize = 10;

async fn replica(lake: &Lake) -> TestServer {
    let mut config = server::config_writable(lake);
    config.auth.token_key = Some("a key that is long enough for all".to_owned().into());
    TestServer::with(config).await.keeping(lake)
}

/// A client with headers, of the same session wherever it asks.
async fn asking(server: &TestServer, headers: &[(&'static str, &'static str)], like: Option<&Client>) -> Client {
    let mut client = connect(server).await;
    client.headers.extend(headers);
    if let Some(like) = like {
        client.authorization.clone_from(&like.authorization);
    }
    client
}

fn csv(file: usize) -> String {
    let lines: String = (0..=file * 7).map(|line| format!("{},row {line} of {file}\n", file * 100 + line)).collect();
    format!("id,text\n{lines}")
}

/// `s.t` of ten files of text, `s.p` of four of Parquet in folders, and `s.one` of one.
fn lake() -> Lake {
    let lake = Lake::default();
    for file in 0..FILES {
        lake.write(&format!("s/t/{file}.csv"), csv(file));
    }
    for day in 1..=4_i64 {
        let ids: Int64Array = (day * 100..day * 110).collect();
        let names: StringArray = ids.iter().map(|id| id.map(|id| format!("name {id}"))).collect();
        let batch = RecordBatch::try_from_iter([("id", Arc::new(ids) as _), ("name", Arc::new(names) as _)]).unwrap();
        lake.write(&format!("s/p/day=2026-01-0{day}/a.parquet"), lakegate_tests::lake::parquet(&batch));
    }
    lake.write("s/one.csv", "id\n1\n2\n");
    lake
}

fn statement(sql: &str) -> CommandStatementQuery {
    CommandStatementQuery { query: sql.to_owned(), transaction_id: None }
}

async fn info(client: &mut Client, sql: &str) -> FlightInfo {
    client.info(&statement(sql)).await.unwrap()
}

fn tickets(info: &FlightInfo) -> Vec<Ticket> {
    info.endpoint.iter().map(|endpoint| endpoint.ticket.clone().unwrap()).collect()
}

fn rows(rows: &Rows) -> Vec<Vec<Option<String>>> {
    rows.batches.iter().flat_map(texts).collect()
}

/// The rows of all endpoints in an order, fetched from each server in turn; and how many each gave.
async fn union(clients: &mut [Client], info: &FlightInfo) -> (Vec<Vec<Option<String>>>, Vec<usize>) {
    let (mut all, mut counts) = (Vec::new(), Vec::new());
    for (at, ticket) in tickets(info).into_iter().enumerate() {
        let place = at % clients.len();
        let part = rows(&clients[place].fetch(ticket).await.unwrap());
        counts.push(part.len());
        all.extend(part);
    }
    all.sort();
    (all, counts)
}

fn assert_changed(refused: &Status) {
    assert_eq!((refused.code(), state(refused)), (Code::Aborted, "40001"), "{refused:?}");
    assert_eq!(
        refused.message(),
        "the files of the result have changed since it was asked for\nHINT:  Ask for the result again."
    );
}

const FOUR: (&str, &str) = ("lakegate-endpoints", "4");
const STRICT: (&str, &str) = ("lakegate-snapshot", "strict");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_endpoints_of_a_result_have_each_row_once() {
    let lake = lake();
    let (one, two) = (replica(&lake).await, replica(&lake).await);
    let mut plain = connect(&one).await;
    plain.update("CREATE VIEW v AS SELECT id, upper(text) AS name FROM s.t WHERE id >= 100").await.unwrap();
    plain.update("CREATE TABLE d (id int, text text)").await.unwrap();
    for values in ["(1, 'a'), (2, 'b'), (3, 'c')", "(4, 'd'), (5, 'e')", "(6, 'f')"] {
        plain.update(&format!("INSERT INTO d VALUES {values}")).await.unwrap();
    }
    plain.update("DELETE FROM d WHERE id IN (2, 4)").await.unwrap();
    two.refresh().await;
    let mut client = asking(&one, &[FOUR], None).await;
    let other = asking(&two, &[], Some(&client)).await;
    for (sql, endpoints) in [
        ("SELECT * FROM s.t", 4),
        ("SELECT id * 2, text || '!' FROM s.t WHERE id % 3 = 0", 4),
        ("SELECT x FROM (SELECT id + 1 AS x FROM s.t AS a) AS q WHERE x > 10", 4),
        ("WITH c AS (SELECT id FROM s.t) SELECT id FROM c", 4),
        ("SELECT name, id FROM v", 4),
        ("SELECT day, id, name FROM s.p", 4),
        ("SELECT id FROM s.p WHERE day = '2026-01-02'", 4),
        ("SELECT to_char(day::timestamp, 'YYYY'), id FROM s.p", 4),
        ("SELECT * FROM d", 2),
        ("SELECT id FROM s.one", 1),
        ("SELECT id FROM s.t WHERE false", 4),
    ] {
        let mut expected = rows(&plain.query(sql).await.unwrap());
        expected.sort();
        let told = info(&mut client, sql).await;
        assert_eq!(told.endpoint.len(), endpoints, "{sql}");
        let (all, counts) = union(&mut [client.clone(), other.clone()], &told).await;
        assert_eq!(all, expected, "{sql}: {counts:?}");
        let is_selective = sql.contains("WHERE");
        assert!(is_selective || counts.iter().all(|count| *count > 0), "{sql}: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_has_its_parameters_in_every_endpoint() {
    let lake = lake();
    let server = replica(&lake).await;
    let mut client = asking(&server, &[FOUR], None).await;
    let handle = client.prepare("SELECT id, $1::numeric FROM s.t WHERE id > $2").await.unwrap();
    let values = RecordBatch::try_from_iter([
        ("0", Arc::new(StringArray::from(vec!["1.50", "2.250"])) as _),
        ("1", Arc::new(Int64Array::from(vec![500, 900])) as _),
    ]);
    let handle = client.bind(&handle.prepared_statement_handle, values.unwrap()).await.unwrap();
    let told = client.info(&CommandPreparedStatementQuery { prepared_statement_handle: handle }).await.unwrap();
    assert_eq!(told.endpoint.len(), 4);
    let (all, _) = union(&mut [client.clone()], &told).await;
    let count = |sql: &'static str| server.value(sql);
    let expected = count("SELECT count(*) FROM s.t WHERE id > 500").await.parse::<usize>().unwrap();
    let more = count("SELECT count(*) FROM s.t WHERE id > 900").await.parse::<usize>().unwrap();
    assert!(more > 0 && all.len() == expected + more, "{} rows", all.len());
    let of =
        |value: &str| all.iter().filter(|row| row[1].as_deref().is_some_and(|text| text.starts_with(value))).count();
    assert_eq!((of("1.5"), of("2.25")), (expected, more));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_follow_its_files_has_one_endpoint() {
    let lake = lake();
    let server = replica(&lake).await;
    let mut client = asking(&server, &[FOUR], None).await;
    for sql in [
        "SELECT id FROM s.t ORDER BY id",
        "SELECT id FROM s.t LIMIT 3",
        "SELECT id FROM s.t OFFSET 3",
        "SELECT id FROM (SELECT id FROM s.t LIMIT 3) q",
        "SELECT count(*) FROM s.t",
        "SELECT id % 2 FROM s.t GROUP BY 1",
        "SELECT DISTINCT id % 2 FROM s.t",
        "SELECT DISTINCT ON (id % 2) id FROM s.t ORDER BY id % 2, id",
        "SELECT row_number() OVER () FROM s.t",
        "SELECT a.id FROM s.t a JOIN s.one b ON a.id = b.id",
        "SELECT a.id FROM s.t a, s.t b WHERE a.id = b.id",
        "SELECT id FROM s.t UNION ALL SELECT id FROM s.t",
        "SELECT id FROM s.t WHERE id IN (SELECT id FROM s.one)",
        "SELECT id FROM s.t WHERE EXISTS (SELECT FROM s.one)",
        "SELECT id, (SELECT max(id) FROM s.t) FROM s.t",
        "SELECT id FROM s.t WHERE id = ANY (SELECT id FROM s.one)",
        "SELECT id, random() FROM s.t",
        "SELECT id FROM s.t WHERE now() > '2020-01-01'",
        "SELECT id, ctid FROM s.t",
        "SELECT id, unnest(ARRAY[1, 2]) FROM s.t",
        "SELECT id, generate_series(1, 2) FROM s.t",
        "SELECT relname FROM pg_class",
        "SELECT 1",
        "VALUES (1), (2)",
        "SELECT * FROM generate_series(1, 10)",
        "SHOW TimeZone",
        "EXPLAIN SELECT id FROM s.t",
        "SET application_name = 'parts'",
    ] {
        let told = info(&mut client, sql).await;
        assert_eq!(told.endpoint.len(), 1, "{sql}");
        client.fetch(tickets(&told).remove(0)).await.unwrap();
    }
    let long = format!("SELECT id FROM s.t WHERE text <> '{}'", "x".repeat(70_000));
    assert_eq!(info(&mut client, &long).await.endpoint.len(), 1);
    client.update("BEGIN").await.unwrap();
    assert_eq!(info(&mut client, "SELECT id FROM s.t").await.endpoint.len(), 1);
    client.update("COMMIT").await.unwrap();
    assert_eq!(info(&mut client, "SELECT id FROM s.t").await.endpoint.len(), 4);
    assert_eq!(info(&mut asking(&server, &[], None).await, "SELECT id FROM s.t").await.endpoint.len(), 1);
    for value in ["0", "33", "many"] {
        let mut client = asking(&server, &[("lakegate-endpoints", value)], None).await;
        let refused = client.query("SELECT 1").await.unwrap_err();
        assert_eq!(state(&refused), "22023");
        assert!(refused.message().ends_with("Available values: 1 to 32."), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_of_files_that_changed_give_no_rows() {
    let lake = lake();
    let (one, two) = (replica(&lake).await, replica(&lake).await);
    let mut client = asking(&one, &[FOUR], None).await;
    let mut other = asking(&two, &[], Some(&client)).await;
    let told = info(&mut client, "SELECT id FROM s.t").await;
    let all = tickets(&told);
    client.fetch(all[0].clone()).await.unwrap();
    // Another table is no business of theirs.
    lake.write("s/one.csv", "id\n3\n");
    one.refresh().await;
    client.fetch(all[1].clone()).await.unwrap();
    lake.write("s/t/new.csv", "id,text\n5000,new\n");
    one.refresh().await;
    assert_changed(&client.fetch(all[2].clone()).await.unwrap_err());
    // Who has not yet seen the new file reads what the ticket means.
    assert!(!rows(&other.fetch(all[2].clone()).await.unwrap()).is_empty());
    // And looks again where the ticket knows more.
    let told = info(&mut client, "SELECT id FROM s.t").await;
    let (found, _) = union(&mut [other.clone()], &told).await;
    assert!(found.contains(&vec![Some("5000".to_owned())]));
    // A file that is replaced, without anybody's having looked.
    lake.write("s/t/9.csv", "id,text\n1,a\n2,b\n");
    let mut changed = 0;
    for ticket in tickets(&told) {
        match other.fetch(ticket).await {
            Ok(part) => assert!(!rows(&part).is_empty()),
            Err(refused) => {
                // When some rows of the part had been sent, the store's refusal is told as it is.
                assert_eq!((refused.code(), state(&refused)), (Code::Aborted, "40001"), "{refused:?}");
                changed += 1;
            }
        }
    }
    assert!(changed > 0, "one of the parts has the file");
    let asked = CancelFlightInfoRequest { info: Some(told) }.encode_to_vec();
    let answer = client.act("CancelFlightInfo", asked).await.unwrap();
    let answer = CancelFlightInfoResult::decode(answer[0].clone()).unwrap();
    assert_eq!(answer.status, CancelStatus::NotCancellable as i32, "nothing of it runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_ticket_has_the_rows_of_its_own_moment_or_none() {
    let lake = lake();
    let (one, two) = (replica(&lake).await, replica(&lake).await);
    let (mut client, mut free) = (asking(&one, &[STRICT], None).await, connect(&one).await);
    let mut other = asking(&two, &[], Some(&client)).await;
    let sql =
        "SELECT count(*), max(a.id) FROM s.t a LEFT JOIN s.one b ON a.id = b.id WHERE a.id < (SELECT max(id) FROM s.p)";
    let bound = tickets(&info(&mut client, sql).await).remove(0);
    let unbound = tickets(&info(&mut free, sql).await).remove(0);
    let expected = rows(&free.query(sql).await.unwrap());
    assert_eq!(rows(&client.fetch(bound.clone()).await.unwrap()), expected);
    assert_eq!(rows(&other.fetch(bound.clone()).await.unwrap()), expected);
    lake.write("s/unrelated.csv", "id\n1\n");
    one.refresh().await;
    assert_eq!(rows(&client.fetch(bound.clone()).await.unwrap()), expected);
    lake.write("s/t/new.csv", "id,text\n1,new\n");
    one.refresh().await;
    assert_changed(&client.fetch(bound).await.unwrap_err());
    assert_ne!(rows(&free.fetch(unbound).await.unwrap()), expected);
    // A view that changes is another query over the same files.
    client.update("CREATE VIEW v AS SELECT id FROM s.t").await.unwrap();
    let bound = tickets(&info(&mut client, "SELECT id FROM v").await).remove(0);
    client.update("CREATE OR REPLACE VIEW v AS SELECT id + 1 AS id FROM s.t").await.unwrap();
    assert_changed(&client.fetch(bound).await.unwrap_err());
    // What is of no file needs no files to be the same.
    for sql in ["SELECT 1", "SHOW TimeZone", "SET application_name = 'strict'"] {
        client.query(sql).await.unwrap();
    }
    for sql in ["SELECT count(*) FROM pg_class", "EXPLAIN SELECT id FROM s.t"] {
        let refused = client.query(sql).await.unwrap_err();
        assert_eq!((refused.code(), state(&refused)), (Code::Unimplemented, "0A000"), "{sql}: {refused:?}");
    }
    // Both options together.
    let mut client = asking(&one, &[STRICT, FOUR], None).await;
    let told = info(&mut client, "SELECT id FROM s.t").await;
    assert_eq!(told.endpoint.len(), 4);
    let (all, _) = union(&mut [client.clone()], &told).await;
    assert_eq!(all.len().to_string(), one.value("SELECT count(*) FROM s.t").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_other_writers_are_divided_too() {
    let lake = written();
    let (one, two) = (replica(&lake).await, replica(&lake).await);
    let mut plain = connect(&one).await;
    let mut client = asking(&one, &[FOUR], None).await;
    let other = asking(&two, &[], Some(&client)).await;
    for (sql, endpoints) in [
        ("SELECT * FROM delta.parts", 4),
        ("SELECT station, n FROM delta.parts WHERE day >= '2024-01-03'", 4),
        ("SELECT * FROM delta.parts FOR VERSION AS OF 0", 3),
        ("SELECT id, list, word FROM delta.kinds", 2),
        ("SELECT * FROM delta.overwritten", 1),
    ] {
        let mut expected = rows(&plain.query(sql).await.unwrap());
        expected.sort();
        let told = info(&mut client, sql).await;
        assert_eq!(told.endpoint.len(), endpoints, "{sql}");
        assert_eq!(union(&mut [client.clone(), other.clone()], &told).await.0, expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_of_a_table_stays_while_the_table_goes_on() {
    let lake = Lake::default();
    let server = replica(&lake).await;
    let mut client = asking(&server, &[STRICT], None).await;
    client.update("CREATE TABLE d (id int)").await.unwrap();
    client.update("INSERT INTO d VALUES (1)").await.unwrap();
    client.update("INSERT INTO d VALUES (2)").await.unwrap();
    let sql = "SELECT id FROM d FOR VERSION AS OF 1";
    let old = tickets(&info(&mut client, sql).await).remove(0);
    let expected = rows(&client.query(sql).await.unwrap());
    assert_eq!(expected, [[Some("1".to_owned())]]);
    let mut bound = Vec::new();
    for sql in [
        "SELECT id FROM d",
        "SELECT a.id FROM d a JOIN d FOR VERSION AS OF 1 b ON true",
        "SELECT a.id FROM d FOR VERSION AS OF 1 a JOIN d b ON true",
        "SELECT id FROM d FOR VERSION AS OF 1 WHERE id < (SELECT max(id) FROM d)",
    ] {
        bound.push(tickets(&info(&mut client, sql).await).remove(0));
    }
    client.update("INSERT INTO d VALUES (3)").await.unwrap();
    assert_eq!(rows(&client.fetch(old).await.unwrap()), expected);
    for ticket in bound {
        assert_changed(&client.fetch(ticket).await.unwrap_err());
    }
}
