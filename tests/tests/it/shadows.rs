//! A CSV file that is read again is read from its shadow, over the wire.

use std::time::Duration;

use gateway::config::Config;
use lakegate_tests::s3::{Operation, Server};
use lakegate_tests::{Lake, TestServer, server};

fn config(store: &Server) -> Config {
    server::config_s3(store, "lake")
}

/// Readings of which every kind of value has a NULL among them.
fn readings(rows: std::ops::Range<i64>) -> String {
    let mut text = String::from("id,at,value,day,ok,note\n");
    for n in rows {
        let note = if n % 5 == 0 { String::new() } else { format!("\"line\n{n}, \"\"quoted\"\"\"") };
        let value = if n % 7 == 0 { "NA".to_owned() } else { format!("{}.25", n % 1_000) };
        let day = format!("2024-{:02}-{:02}", n % 12 + 1, n % 28 + 1);
        text += &format!("{n},{day}T00:00:{:02}Z,{value},{day},{},{note}\n", n % 60, n % 2 == 0);
    }
    text
}

const QUESTIONS: [&str; 6] = [
    "SELECT id, at, value, day, ok, note FROM s.readings WHERE id % 1000 = 7 ORDER BY id",
    "SELECT count(*), count(value), sum(value), min(at), max(day), max(note) FROM s.readings",
    "SELECT k, ok, count(*), sum(value) FROM s.readings GROUP BY k, ok ORDER BY k, ok",
    "SELECT id FROM s.readings WHERE note IS NULL AND id BETWEEN 19000 AND 19100 ORDER BY id",
    "SELECT id, of, tags FROM s.notes WHERE id IN (3, 4, 7999) ORDER BY id",
    "SELECT count(*), count(of), max(id) FROM s.notes",
];

async fn answers(server: &TestServer) -> Vec<Vec<Vec<Option<String>>>> {
    server.answers(&QUESTIONS).await
}

async fn store() -> Server {
    let store = Server::start().await;
    store.put("lake/s/readings/k=1/a.csv", readings(0..10_000)).await;
    store.put("lake/s/readings/k=2/b.csv", readings(10_000..20_000)).await;
    let note = |n: i64| match n % 3 {
        0 => format!("{{\"id\":{n},\"of\":{{\"name\":\"é{n}\",\"at\":\"2024-01-01\"}},\"tags\":[\"a\",null]}}\n"),
        1 => format!("{{\"id\":{n},\"of\":null,\"tags\":[]}}\n"),
        _ => format!("{{\"tags\":null,\"id\":{n},\"padding\":\"{}\"}}\n", "x".repeat(60)),
    };
    store.put("lake/s/notes.ndjson", (0..8_000).map(note).collect::<String>()).await;
    store
}

/// Asks until the shadows are there.
async fn settled(server: &TestServer, shadows: &str) {
    while server.value("SELECT count(*) FROM system.shadows").await != shadows {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_again_is_not_read_from_the_store() {
    let store = store().await;
    let server = TestServer::with(config(&store)).await;
    let before = answers(&server).await;
    settled(&server, "3").await;
    store.faults.reset_counts();
    assert_eq!(answers(&server).await, before);
    let totals = server.server.lake().shadow_totals();
    assert!(totals.shadows == 3 && totals.bytes > 0 && totals.waiting == 0 && totals.reads >= 3, "{totals:?}");
    let sql = "SELECT count(*), count(note), min(id), max(at) FROM s.readings";
    assert_eq!(server.column(sql).await, ["20000"]);
    assert_eq!(server.column("SELECT DISTINCT k FROM s.readings ORDER BY k").await, ["1", "2"]);
    assert_eq!(store.faults.log(), [], "no request for what was read before");
    let shown = "SELECT concat_ws(' ', \"table\", key, rows, shadow_bytes < bytes, reads > 0, used_at > now() - '1 hour'::interval) \
                 FROM system.shadows ORDER BY 1";
    assert_eq!(
        server.column(shown).await,
        [
            "notes s/notes.ndjson 8000 t t t",
            "readings s/readings/k=1/a.csv 10000 t t t",
            "readings s/readings/k=2/b.csv 10000 t t t"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_object_is_read_and_not_the_shadow_of_the_last() {
    let store = store().await;
    let server = TestServer::with(config(&store)).await;
    answers(&server).await;
    settled(&server, "3").await;
    store.put("lake/s/readings/k=2/b.csv", readings(10_000..20_001)).await;
    // The next listing shows it; until then all answers are of the last.
    let sql = "SELECT sum(id) FROM s.readings WHERE k = 2";
    assert_eq!(server.value(sql).await, "149995000");
    server.refresh().await;
    assert_eq!(server.value(sql).await, "150015000");
    assert_eq!(server.value("SELECT count(*) FROM system.shadows").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_knows_the_rows_and_has_the_shadows() {
    let (store, cache) = (store().await, Lake::default());
    let mut config = config(&store);
    config.lake.manifest = true;
    config.lake.cache_dir = Some(cache.path().to_owned());
    let server = TestServer::with(config.clone()).await;
    let before = answers(&server).await;
    settled(&server, "3").await;
    server.server.lake().remember().await;
    server.server.shutdown().await;
    drop(server);
    // Without its folder a process still knows how many rows there are.
    store.faults.reset_counts();
    let other =
        TestServer::with(Config { lake: catalog::Config { cache_dir: None, ..config.lake.clone() }, ..config.clone() })
            .await;
    let sql = "SELECT concat_ws(' ', count(*), count(note), min(id), max(day), count(DISTINCT k)) FROM s.readings";
    assert_eq!(
        other.value("SELECT concat_ws(' ', count(*), count(note), min(id), max(day)) FROM s.readings").await,
        "20000 16000 0 2024-12-28"
    );
    let read = |log: Vec<(Operation, String)>| log.into_iter().filter(|(_, key)| !key.contains("_lakegate")).count();
    let lists = store.faults.count(Operation::List);
    assert_eq!(read(store.faults.log()), lists, "{:?}", store.faults.log());
    assert_eq!(other.value("SELECT count(*) FROM system.shadows").await, "0");
    drop(other);
    let server = TestServer::with(config).await;
    assert_eq!(server.value(sql).await, "20000 16000 0 2024-12-28 2");
    store.faults.reset_counts();
    assert_eq!(answers(&server).await, before);
    // What is known of a table may be read from the lake as late as that; its files are not.
    let gets = store.faults.log().into_iter().filter(|(operation, _)| *operation == Operation::Get);
    assert_eq!(read(gets.collect()), 0, "{:?}", store.faults.log());
}

/// Small files in folders, with their columns in two orders, one of them with one more; and lines of JSON.
async fn small_files(files: i64) -> Server {
    let store = Server::start().await;
    for n in 0..files {
        let key = format!("lake/s/small/day=2024-01-{:02}/{n:03}.csv", n % 9 + 1);
        let text = |id: i64| if id % 4 == 0 { String::new() } else { format!("\"line\n{id}, \"\"quoted\"\"\"") };
        let rows = (n * 3..n * 3 + 3).map(|id| match n % 2 {
            0 => format!("{id},{},{}.5\n", text(id), id % 50),
            _ => format!("{},{},{id}\n", if id % 7 == 0 { "NA".into() } else { (id % 50).to_string() }, text(id)),
        });
        let head = if n % 2 == 0 { "id,note,value\n" } else { "value,note,id\n" };
        store.put(&key, head.to_owned() + &rows.collect::<String>()).await;
    }
    for n in 0..40 {
        let line =
            |id: i64| format!("{{\"id\":{id},\"of\":{{\"at\":\"2024-01-01\",\"k\":{}}},\"tags\":[{id},null]}}\n", n);
        store.put(&format!("lake/s/lines/{n}.ndjson"), (n * 2..n * 2 + 2).map(line).collect::<String>()).await;
    }
    store
}

const SMALL_QUESTIONS: [&str; 6] = [
    "SELECT id, note, value, day FROM s.small ORDER BY id",
    "SELECT day, count(*), sum(value), min(id), max(note) FROM s.small GROUP BY day ORDER BY day",
    "SELECT id, day FROM s.small WHERE day = '2024-01-05' AND note IS NULL ORDER BY id",
    "SELECT count(*), count(note), min(id), max(id), count(DISTINCT day) FROM s.small",
    "SELECT id, note FROM s.small WHERE id IN (5, 6, 7, 899) ORDER BY id",
    "SELECT id, of, tags FROM s.lines ORDER BY id",
];

/// Asks, and waits until so many small files are read from packs.
async fn packed(server: &TestServer, files: usize) -> Vec<Vec<Vec<Option<String>>>> {
    let before = server.answers(&SMALL_QUESTIONS).await;
    assert_eq!((before[0].len(), before[5].len()), (files * 3, 80));
    server.answers(&SMALL_QUESTIONS[5..]).await;
    // A statement that asks for them would have the work wait.
    while server.server.lake().shadow_totals().shadows < files + 40 {
        tokio::task::yield_now().await;
    }
    before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_files_that_are_read_again_are_one_local_file() {
    let store = small_files(300).await;
    let server = TestServer::with(config(&store)).await;
    let before = packed(&server, 300).await;
    store.faults.reset_counts();
    assert_eq!(server.answers(&SMALL_QUESTIONS).await, before);
    assert_eq!(store.faults.log(), [], "no request for what was read before");
    let totals = server.server.lake().shadow_totals();
    assert!(totals.packs == 2 && totals.waiting == 0 && totals.reads >= 340, "{totals:?}");
    let shown = "SELECT concat_ws(' ', \"table\", count(*), count(DISTINCT pack), sum(rows), min(reads) > 0, sum(shadow_bytes) > 0) \
                 FROM system.shadows GROUP BY \"table\" ORDER BY 1";
    assert_eq!(server.column(shown).await, ["lines 40 1 80 t t", "small 300 1 900 t t"]);
    let key =
        "SELECT concat_ws(' ', key, bytes, rows) FROM system.shadows WHERE \"table\" = 'small' ORDER BY key LIMIT 1";
    assert_eq!(server.column(key).await, ["s/small/day=2024-01-01/000.csv 75 3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_small_files_are_read_as_they_are() {
    let store = small_files(90).await;
    let mut config = config(&store);
    // What was seen of the other files need not be looked at again.
    config.lake.manifest = true;
    let server = TestServer::with(config).await;
    packed(&server, 90).await;
    server.server.lake().remember().await;
    let sql = "SELECT concat_ws(' ', count(*), sum(id), max(value)) FROM s.small WHERE note IS NULL OR note <> ''";
    assert_eq!(server.value(sql).await, "270 36315 49.5");
    store.put("lake/s/small/day=2024-01-02/001.csv", "id,value,note\n1000,99,x\n").await;
    store.put("lake/s/small/day=2024-01-31/new.csv", "id,note,value\n2000,y,1\n").await;
    store.delete("lake/s/small/day=2024-01-01/000.csv").await;
    store.faults.reset_counts();
    server.refresh().await;
    assert_eq!(server.value(sql).await, "266 39300 99");
    let is_of_text = |(operation, key): &(Operation, String)| *operation == Operation::Get && key.ends_with(".csv");
    let mut read: Vec<String> = store.faults.log().into_iter().filter(is_of_text).map(|(_, key)| key).collect();
    read.sort();
    read.dedup();
    assert_eq!(read, ["lake/s/small/day=2024-01-02/001.csv", "lake/s/small/day=2024-01-31/new.csv"]);
    assert_eq!(server.value("SELECT count(*) FROM system.shadows WHERE \"table\" = 'small'").await, "88");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_has_the_packs_and_throws_damaged_ones_away() {
    let (store, cache) = (small_files(90).await, Lake::default());
    let mut config = config(&store);
    config.lake.cache_dir = Some(cache.path().to_owned());
    let server = TestServer::with(config.clone()).await;
    let before = packed(&server, 90).await;
    let packs = || {
        let files = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "shadow")).collect::<Vec<_>>()
    };
    assert_eq!(packs().len(), 2);
    server.server.shutdown().await;
    drop(server);
    let other = Config { lake: catalog::Config { cache_dir: None, ..config.lake.clone() }, ..config.clone() };
    let other = TestServer::with(other).await;
    assert_eq!(other.answers(&SMALL_QUESTIONS).await, before);
    // It would read the store for packs of its own.
    other.server.shutdown().await;
    drop(other);
    let server = TestServer::with(config.clone()).await;
    assert_eq!(server.server.lake().shadow_totals().packs, 2);
    // The files are opened once more, since the test's manifest is off; then nothing is read.
    server.value("SELECT count(*) FROM s.small, s.lines WHERE false").await;
    // A server that has just started opens its tables by itself as well, which may still go on.
    let unasked = async {
        loop {
            store.faults.reset_counts();
            assert_eq!(server.answers(&SMALL_QUESTIONS).await, before);
            if store.faults.count(Operation::Get) == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), unasked).await.expect("the packs are not read");
    assert_eq!(server.server.lake().shadow_totals().packs, 2);
    // A disk that fails while the server runs costs a second try.
    for path in packs() {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[30] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(server.answers(&SMALL_QUESTIONS).await, before);
    assert!(store.faults.count(Operation::Get) >= 130);
}
