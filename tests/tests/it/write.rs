//! Tables that SQL makes and changes: what is told to be written is there, once, and nothing else is.

mod blocks;
mod changes;
mod copy;
mod export;
mod faults;
mod joined;
pub(crate) mod logs;
mod merge;
mod optimize;
mod vacuum;
mod values;

use lakegate_tests::wire::{Answer, Client};
use lakegate_tests::{Lake, TestServer};

pub(crate) async fn ok(client: &mut Client, sql: &str) -> Answer {
    let answer = client.query(sql).await;
    assert_eq!(answer.state(), "00000", "{sql}: {:?}", answer.fault);
    answer
}

/// The tag of a statement that succeeds.
pub(crate) async fn tag(client: &mut Client, sql: &str) -> String {
    ok(client, sql).await.tags.join(";")
}

/// SQLSTATE and message of a statement that fails.
pub(crate) async fn refused(client: &mut Client, sql: &str) -> String {
    let answer = client.query(sql).await;
    let message = answer.fault.as_ref().map(|fault| fault.message.clone());
    format!("{} {}", answer.state(), message.unwrap_or_default())
}

/// The rows of a query, each as its values between bars.
pub(crate) async fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    let answer = ok(client, sql).await;
    let shown = |row: Vec<Option<String>>| {
        row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".into())).collect::<Vec<_>>().join("|")
    };
    answer.texts().into_iter().map(shown).collect()
}

/// Waits for what happens behind a statement.
pub(crate) async fn until(mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.expect("it never came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_made_filled_emptied_and_dropped() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    let create = "CREATE TABLE readings (id int NOT NULL, name varchar(5), at timestamptz, n numeric(10,2), ok bool)";
    assert_eq!(tag(&mut client, create).await, "CREATE TABLE");
    assert_eq!(rows(&mut client, "SELECT * FROM readings").await, Vec::<String>::new());
    let insert = "INSERT INTO readings VALUES (1, 'one', '2026-01-01 00:00+00', 1.005, true), (2, NULL, NULL, -2, 'f')";
    assert_eq!(tag(&mut client, insert).await, "INSERT 0 2");
    assert_eq!(tag(&mut client, "INSERT INTO readings (n, id) SELECT 3.5, 3").await, "INSERT 0 1");
    let all = rows(&mut client, "SELECT id, name, at AT TIME ZONE 'UTC', n, ok FROM readings ORDER BY id").await;
    assert_eq!(all, ["1|one|2026-01-01 00:00:00|1.01|t", "2|NULL|NULL|-2.00|f", "3|NULL|NULL|3.50|NULL"]);
    let sql = "SELECT is_insertable_into FROM information_schema.tables WHERE table_name = 'readings'";
    assert_eq!(rows(&mut client, sql).await, ["YES"]);
    assert_eq!(rows(&mut client, "SELECT has_table_privilege('readings', 'INSERT')").await, ["t"]);
    assert_eq!(tag(&mut client, "TRUNCATE readings").await, "TRUNCATE TABLE");
    assert_eq!(rows(&mut client, "SELECT count(*) FROM readings").await, ["0"]);
    ok(&mut client, "CREATE VIEW seen AS SELECT id FROM readings").await;
    assert!(refused(&mut client, "DROP TABLE readings").await.starts_with("2BP01"));
    ok(&mut client, "DROP VIEW seen").await;
    assert_eq!(tag(&mut client, "DROP TABLE readings").await, "DROP TABLE");
    assert!(refused(&mut client, "SELECT * FROM readings").await.starts_with("42P01"));
    assert_eq!(tag(&mut client, "DROP TABLE IF EXISTS readings").await, "DROP TABLE");
    assert!(lake.keys().iter().all(|key| !key.ends_with(".parquet")), "{:?}", lake.keys());
    ok(&mut client, create).await;
    assert_eq!(rows(&mut client, "SELECT count(*) FROM readings").await, ["0"]);
}
