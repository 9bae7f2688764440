//! A CSV file that is read again is read from its shadow, over the wire.

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
    assert_eq!(store.faults.count(Operation::Get), 0, "{:?}", store.faults.log());
}
