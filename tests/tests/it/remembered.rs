//! A server that starts again, or a second one, knows what the first one saw of the files.

use gateway::config::Config;
use lakegate_tests::s3::{Fault, Operation, Server};
use lakegate_tests::{TestServer, server};

fn config(store: &Server) -> Config {
    let mut config = server::config_s3(store, "lake");
    config.lake.manifest = true;
    config
}

/// Files of consecutive ids, and some of text.
async fn store(files: i64) -> Server {
    let store = Server::start().await;
    for at in 0..files {
        let rows = lakegate_tests::lake::numbers("id", at * 100..(at + 1) * 100);
        store.put(&format!("lake/shop/ids/day={}/{at}.parquet", at % 7), rows).await;
    }
    store.put("lake/shop/sums/1.csv", "day,sum\n2020-01-01,2.5\n").await;
    store.put("lake/shop/sums/2.csv", "day,sum\n2020-01-02,3\n").await;
    store.put("lake/shop/notes/1.ndjson", "{\"day\":\"2020-01-01\",\"note\":{\"by\":\"ada\"}}\n").await;
    store
}

const QUESTIONS: [&str; 4] = [
    "SELECT count(*), min(id), max(id), max(day) FROM shop.ids",
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'shop' ORDER BY 1, 2",
    "SELECT * FROM system.csv_dialect ORDER BY 1, 2, 3, 4",
    "SELECT day, count(*) FROM shop.ids GROUP BY day ORDER BY day",
];

async fn answers(server: &TestServer) -> Vec<Vec<Vec<Option<String>>>> {
    server.answers(&QUESTIONS).await
}

/// The keys that were read and are no pages.
fn files_read(store: &Server) -> Vec<String> {
    let log = store.faults.log().into_iter();
    log.filter(|(op, key)| *op == Operation::Get && !key.contains("_lakegate")).map(|(_, key)| key).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_reads_no_file_to_know_its_tables() {
    let store = store(20).await;
    let server = TestServer::with(config(&store)).await;
    let before = answers(&server).await;
    server.server.lake().remember().await;
    server.refresh().await;
    assert!(!server.server.lake().refresh().await.unwrap(), "pages are no news");
    drop(server);
    store.faults.reset_counts();
    let server = TestServer::with(config(&store)).await;
    assert_eq!(answers(&server).await, before);
    assert_eq!(files_read(&store), Vec::<String>::new());
    let pages = store.faults.count(Operation::Get);
    assert!(pages <= 3, "{pages} requests for three tables");
    assert_eq!(server.value("SELECT sum(sum) FROM shop.sums").await, "5.5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_lookup_among_many_files_needs_two_requests() {
    let store = store(1_000).await;
    let server = TestServer::with(config(&store)).await;
    assert_eq!(server.value("SELECT count(*) FROM shop.ids").await, "100000");
    server.server.lake().remember().await;
    drop(server);
    store.faults.reset_counts();
    let server = TestServer::with(config(&store)).await;
    assert_eq!(server.value("SELECT id FROM shop.ids WHERE id = 54321").await, "54321");
    let log = store.faults.log();
    // The other tables are opened, too, but nobody waits for them.
    let of_table: Vec<_> = log.iter().filter(|(_, key)| key.contains("ids")).collect();
    assert!(of_table.len() <= 2, "{of_table:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_replaced_between_is_read_again_alone() {
    let store = store(5).await;
    let server = TestServer::with(config(&store)).await;
    answers(&server).await;
    server.server.lake().remember().await;
    drop(server);
    store.put("lake/shop/ids/day=3/3.parquet", lakegate_tests::lake::numbers("id", 7_000..7_007)).await;
    store.put("lake/shop/sums/1.csv", "day,sum\n2020-01-01,none\n").await;
    store.faults.reset_counts();
    let server = TestServer::with(config(&store)).await;
    let found = answers(&server).await;
    assert_eq!(found[0], [["407", "0", "7006", "4"].map(|text| Some(text.to_owned()))]);
    let columns = found[1].iter().map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join(" "));
    assert!(columns.into_iter().any(|column| column == "sum text"), "{:?}", found[1]);
    let mut read = files_read(&store);
    read.dedup();
    read.sort();
    assert_eq!(read, ["lake/shop/ids/day=3/3.parquet", "lake/shop/sums/1.csv"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_missing_manifest_costs_a_look_and_no_answer() {
    let store = store(5).await;
    let server = TestServer::with(config(&store)).await;
    let before = answers(&server).await;
    server.server.lake().remember().await;
    drop(server);
    store.put("lake/_lakegate/manifest/shop.ids.zst", "lakegate manifest 1\nnot packed").await;
    store.delete("lake/_lakegate/manifest/shop.sums.zst").await;
    store.faults.inject(Operation::Get, "notes.zst", Fault::AccessDenied, usize::MAX);
    store.faults.reset_counts();
    let server = TestServer::with(config(&store)).await;
    assert_eq!(answers(&server).await, before);
    assert!(files_read(&store).len() >= 8);
    server.server.lake().remember().await;
    store.faults.clear();
    drop(server);
    store.faults.reset_counts();
    let server = TestServer::with(config(&store)).await;
    assert_eq!(answers(&server).await, before);
    assert_eq!(files_read(&store), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_takes_no_writes_is_asked_once() {
    let store = store(2).await;
    store.faults.inject(Operation::Put, "_lakegate", Fault::AccessDenied, usize::MAX);
    let server = TestServer::with(config(&store)).await;
    let before = answers(&server).await;
    store.faults.reset_counts();
    server.server.lake().remember().await;
    store.put("lake/shop/sums/3.csv", "day,sum\n2020-01-03,4\n").await;
    server.refresh().await;
    assert_eq!(answers(&server).await[0], before[0]);
    server.server.lake().remember().await;
    let refused = store.faults.log().into_iter().filter(|(op, key)| *op == Operation::Put && key.contains("_lakegate"));
    assert_eq!(refused.count(), 1);
    drop(server);
    let server = TestServer::with(config(&store)).await;
    assert_eq!(server.value("SELECT count(*) FROM shop.sums").await, "3");
}
