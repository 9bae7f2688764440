//! Who writes dies at any request to the store: before it is served, or before its answer comes. Readers see what was there or what
//! was to be, and who comes after finds a lake in which everything goes on.

use lakegate_tests::TestServer;
use lakegate_tests::s3::{BUCKET, Operation, Server};
use lakegate_tests::wire::Client;

use super::matview::creation;
use super::write::{logs, ok, rows, until};

/// More requests than any statement here needs.
const REQUESTS_MAX: usize = 200;

/// When who asks dies: after how many requests, and whether the next one happens nevertheless. Ends with the first that outlives
/// all of its requests.
struct Deaths<'a> {
    store: &'a Server,
    last: Option<(usize, bool)>,
}

impl<'a> Deaths<'a> {
    fn of(store: &'a Server) -> Self {
        Self { store, last: None }
    }
}

impl Iterator for Deaths<'_> {
    type Item = (usize, bool);

    fn next(&mut self) -> Option<Self::Item> {
        let Some((requests, happened)) = self.last else {
            self.last = Some((0, false));
            return self.last;
        };
        assert!(requests < REQUESTS_MAX);
        let changes = matches!(self.store.faults.refused()?, Operation::Put | Operation::Delete | Operation::Multipart);
        self.last = Some(if changes && !happened { (requests, true) } else { (requests + 1, false) });
        self.last
    }
}

/// One statement that changes what a question answers.
struct Change {
    made: &'static [&'static str],
    question: &'static str,
    /// What the question answers before the statement and behind it; `None` is that the table is not there.
    before: Option<&'static str>,
    sql: &'static str,
    behind: Option<&'static str>,
}

const NEW: &[&str] = &["CREATE TABLE t (a int, p int) WITH (partition_by = 'p')"];
const FILLED: &[&str] = &[
    "CREATE TABLE t (a int, p int) WITH (partition_by = 'p')",
    "INSERT INTO t VALUES (1, 1), (2, 1)",
    "INSERT INTO t VALUES (3, 2)",
];
const ALL: &str = "SELECT string_agg(a::text, ' ' ORDER BY a) FROM t";

const CHANGES: [Change; 6] = [
    Change {
        made: NEW,
        question: ALL,
        before: Some("NULL"),
        sql: "INSERT INTO t VALUES (7, 1), (8, 2)",
        behind: Some("7 8"),
    },
    Change {
        made: &[],
        question: ALL,
        before: None,
        sql: "CREATE TABLE t AS SELECT * FROM generate_series(1, 3) s(a)",
        behind: Some("1 2 3"),
    },
    Change {
        made: FILLED,
        question: ALL,
        before: Some("1 2 3"),
        sql: "UPDATE t SET a = a + 10 WHERE a >= 2",
        behind: Some("1 12 13"),
    },
    Change {
        made: FILLED,
        question: ALL,
        before: Some("1 2 3"),
        sql: "DELETE FROM t WHERE a <= 1 OR p = 2",
        behind: Some("2"),
    },
    Change { made: FILLED, question: ALL, before: Some("1 2 3"), sql: "TRUNCATE t", behind: Some("NULL") },
    Change { made: FILLED, question: ALL, before: Some("1 2 3"), sql: "DROP TABLE t", behind: None },
];

/// What a question answers, and `None` where it names a table that is not there.
async fn answer(client: &mut Client, question: &str) -> Option<String> {
    let answer = client.query(question).await;
    if answer.state() == "42P01" {
        return None;
    }
    assert_eq!(answer.state(), "00000", "{question}: {:?}", answer.fault);
    answer.texts().pop()?.pop().map(|value| value.unwrap_or_else(|| "NULL".to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_whose_process_dies_was_done_or_not() {
    let store = Server::start().await;
    let mut lakes = 0..;
    for change in CHANGES {
        let (mut undone, mut done) = (0, 0);
        for (requests, first_happens) in Deaths::of(&store) {
            let lake = format!("{}", lakes.next().unwrap());
            let server = TestServer::writable_s3(&store, &lake).await;
            let mut client = server.wire().await;
            for sql in change.made {
                ok(&mut client, sql).await;
            }
            assert_eq!(answer(&mut client, change.question).await.as_deref(), change.before, "{}", change.sql);
            store.faults.refuse_after(requests, first_happens);
            let state = client.query(change.sql).await.state().to_owned();
            drop((client, server));
            store.faults.clear();
            let other = TestServer::writable_s3(&store, &lake).await;
            let mut client = other.wire().await;
            let found = answer(&mut client, change.question).await;
            let told = format!("{} refused after {requests}, which happens: {first_happens}: {state}", change.sql);
            let (is_before, is_behind) = (found.as_deref() == change.before, found.as_deref() == change.behind);
            match state.as_str() {
                "00000" => assert!(is_behind, "{told}: {found:?}"),
                // It says itself that it does not know.
                "40003" => assert!(is_before || is_behind, "{told}: {found:?}"),
                _ => assert!(is_before, "{told}: {found:?}"),
            }
            (undone, done) = (undone + u32::from(is_before), done + u32::from(is_behind));
            // The lake takes the same statement again, if it was not done.
            if is_before {
                ok(&mut client, change.sql).await;
                assert_eq!(answer(&mut client, change.question).await.as_deref(), change.behind, "{told}");
            }
        }
        assert!(undone > 0 && done > 0, "{}: {undone} times undone, {done} times done", change.sql);
    }
}

/// A checkpoint is written, and commits are deleted, behind a statement that has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_keeper_dies_is_as_good_as_before() {
    let made = logs::before_a_checkpoint().await;
    let store = Server::start().await;
    let (mut written, mut left) = (0, 0);
    let mut lakes = 0..;
    for (requests, first_happens) in Deaths::of(&store) {
        let lake = format!("{}", lakes.next().unwrap());
        logs::copy(&made, &store, &lake);
        let root = store.path().join(BUCKET).join(&lake);
        let hinted =
            || std::fs::read_to_string(root.join(logs::HINT)).is_ok_and(|hint| hint.contains("\"version\":20"));
        let first = root.join(logs::commit(0));
        let server = TestServer::writable_s3(&store, &lake).await;
        let mut client = server.wire().await;
        assert_eq!(answer(&mut client, "SELECT sum(a) FROM t").await.as_deref(), Some("190"));
        store.faults.refuse_after(requests, first_happens);
        let state = client.query("INSERT INTO t VALUES (20)").await.state().to_owned();
        if state == "00000" {
            until(|| store.faults.refused().is_some() || (hinted() && !first.exists())).await;
        }
        drop((client, server));
        store.faults.clear();
        let told = format!("refused after {requests}, which happens: {first_happens}: {state}");
        (written, left) = (written + u32::from(hinted()), left + u32::from(first.exists()));
        let other = TestServer::writable_s3(&store, &lake).await;
        let mut client = other.wire().await;
        let found = answer(&mut client, "SELECT sum(a) FROM t").await;
        match state.as_str() {
            "00000" => assert_eq!(found.as_deref(), Some("210"), "{told}"),
            _ => assert!([Some("190"), Some("210")].contains(&found.as_deref()), "{told}: {found:?}"),
        }
        ok(&mut client, "INSERT INTO t VALUES (1000)").await;
        let sum = answer(&mut client, "SELECT sum(a) FROM t FOR VERSION AS OF 10").await;
        assert_eq!(sum.as_deref(), Some("55"), "{told}");
    }
    assert!(written > 0 && left > 0, "{written} times written, {left} times left");
}

/// Name, options, query.
const VIEWS: [(&str, &str, &str); 3] = [
    ("lines", "", "SELECT day, k, v + 1 AS w FROM s.t"),
    ("days", "partition_by = 'day'", "SELECT day, count(*) AS n, sum(v)::bigint AS v FROM s.t GROUP BY day"),
    ("whole", "", "SELECT count(*) AS n, sum(v)::bigint AS v FROM s.t"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_process_dies_is_made_good_by_the_next() {
    let store = Server::start().await;
    let sorted = async |client: &mut Client, sql: &str| {
        let mut rows = rows(client, sql).await;
        rows.sort();
        rows
    };
    store.put("r/s/t/day=2026-01-01/a.csv", "k,v\na,1\n").await;
    store.put("r/s/t/day=2026-01-02/b.csv", "k,v\nb,2\n").await;
    let server = TestServer::writable_s3(&store, "r").await;
    let mut client = server.wire().await;
    for (name, options, query) in VIEWS {
        ok(&mut client, &creation(name, options, query)).await;
    }
    let other = TestServer::start_s3(&store, "r").await;
    let mut reader = other.wire().await;
    let mut round = 0;
    for (name, _, query) in VIEWS {
        let kept = format!("SELECT * FROM {name}");
        let (mut undone, mut done) = (0, 0);
        for (requests, first_happens) in Deaths::of(&store) {
            let before = sorted(&mut client, &kept).await;
            round += 1;
            // One file is new or goes, and one is replaced.
            match round % 2 {
                0 => store.delete("r/s/t/day=2026-01-03/c.csv").await,
                _ => store.put("r/s/t/day=2026-01-03/c.csv", "k,v\nc,3\n").await,
            }
            store.put("r/s/t/day=2026-01-01/a.csv", format!("k,v\na,{round}\n")).await;
            store.faults.refuse_after(requests, first_happens);
            let state = client.query(&format!("REFRESH MATERIALIZED VIEW {name}")).await.state().to_owned();
            store.faults.clear();
            server.refresh().await;
            let behind = sorted(&mut client, query).await;
            other.refresh().await;
            let found = sorted(&mut reader, &kept).await;
            let told = format!("{name} refused after {requests}, which happens: {first_happens}: {state}");
            assert!(found == before || found == behind, "{told}: {found:?}");
            assert!(state != "00000" || found == behind, "{told}: {found:?}");
            (undone, done) = (undone + u32::from(found == before), done + u32::from(found == behind));
            ok(&mut client, &format!("REFRESH MATERIALIZED VIEW {name}")).await;
            assert_eq!(sorted(&mut client, &kept).await, behind, "{told}");
        }
        assert!(undone > 0 && done > 0, "{name}: {undone} times undone, {done} times done");
    }
}
