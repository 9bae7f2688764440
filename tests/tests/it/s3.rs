//! The lake in a bucket: the same answers as from a folder, and no request for what is known.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use lakegate_tests::lake::arrow_file;
use lakegate_tests::s3::{Operation, Server};
use lakegate_tests::{Lake, TestServer};
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

/// Asks everything once, so that the server knows what it will know.
async fn acquaint(server: &TestServer) {
    let mut client = server.wire().await;
    for sql in QUESTIONS {
        assert_eq!(client.query(sql).await.state(), "00000", "{sql}");
    }
}

/// Asks both servers the same, and wants the same answers.
pub(crate) async fn assert_same_answers(local: &TestServer, remote: &TestServer) {
    for sql in QUESTIONS {
        let (here, there) = (local.wire().await.query(sql).await, remote.wire().await.query(sql).await);
        assert_eq!(here.state(), "00000", "{sql}: {:?}", here.fault);
        assert!(!here.rows.is_empty(), "{sql}");
        assert_eq!((&here.columns, here.texts()), (&there.columns, there.texts()), "{sql}: {:?}", there.fault);
    }
}

/// Questions whose answers have one order.
const QUESTIONS: &[&str] = &[
    "SELECT count(*), sum(n), min(temp), max(temp), sum(temp), min(time), max(time) FROM weather.observations",
    "SELECT station, count(*), sum(temp) FROM weather.observations GROUP BY station ORDER BY station",
    "SELECT * FROM weather.observations WHERE n BETWEEN 495 AND 505 ORDER BY n",
    "SELECT * FROM weather.stations ORDER BY station",
    "SELECT * FROM shop.orders ORDER BY id",
    "SELECT s.name, max(o.temp) FROM weather.observations o JOIN weather.stations s USING (station) GROUP BY 1 ORDER BY 1",
    "SELECT who, year FROM shop.visits ORDER BY who",
    "SELECT count(*), sum(id), sum(temp), sum(temperature), sum(rain), sum(wind), min(at), max(at) FROM weather.year",
    "SELECT key, column_name, change, before, now FROM system.schema_drift ORDER BY key, column_name",
    "SELECT key, bytes FROM system.objects ORDER BY key",
];

/// A year of files, one per month. A column is added in March, all are moved in May, one is renamed in July; the rain has
/// decimals from August on, and the wind is not measured in October.
fn year(lake: &Lake) {
    for month in 1..=12 {
        let header = match month {
            1..=2 => "id,at,temp",
            3..=4 => "id,at,temp,rain",
            5..=6 => "rain,temp,wind,id,at",
            7..=9 | 11.. => "rain,temperature,wind,id,at",
            _ => "rain,temperature,id,at",
        };
        let mut text = format!("{header}\n");
        for day in 1..=28 {
            let value = |name: &str| match name {
                "id" => format!("{}", month * 100 + day),
                "at" => format!("2025-{month:02}-{day:02}T06:00:00"),
                "rain" if month >= 8 => format!("{day}.5"),
                "rain" => format!("{day}"),
                _ => format!("{month}"),
            };
            text.push_str(&header.split(',').map(value).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        lake.write(&format!("weather/year/{month:02}.csv"), text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_changing_files_is_one_table_with_a_report() {
    let lake = Lake::default();
    year(&lake);
    let server = TestServer::start(&lake).await;
    let sql = "SELECT concat_ws(' ', count(*), count(temp), count(temperature), count(rain), count(wind), sum(id)) FROM weather.year";
    let ids: i32 = (1..=12).flat_map(|month| (1..=28).map(move |day| month * 100 + day)).sum();
    assert_eq!(server.value(sql).await, format!("336 168 168 280 196 {ids}"));
    let sql = "SELECT concat_ws(' ', at::date, temp, temperature, rain, wind) FROM weather.year
        WHERE id IN (101, 301, 528, 702, 802, 1003) ORDER BY id";
    let expected = [
        "2025-01-01 1",
        "2025-03-01 3 1",
        "2025-05-28 5 28 5",
        "2025-07-02 7 2 7",
        "2025-08-02 8 2.5 8",
        "2025-10-03 10 3.5",
    ];
    assert_eq!(server.column(sql).await, expected);
    let sql =
        "SELECT concat_ws(' ', split_part(key, '/', 3), column_name, change, before, now) FROM system.schema_drift
        WHERE schema = 'weather' AND name = 'year'";
    let expected = [
        "03.csv rain added",
        "05.csv rain moved 4 1",
        "05.csv temp moved 3 2",
        "05.csv wind added",
        "07.csv temperature renamed temp temperature",
        "08.csv rain type bigint double precision",
        "10.csv wind missing",
        "11.csv wind added",
    ];
    assert_eq!(server.column(sql).await, expected);
}

/// The sample lake, a table in hive folders, and a year of files.
pub(crate) fn sample() -> Lake {
    let lake = Lake::sample();
    lake.write("shop/visits/year=2025/a.csv", "who\nada\n");
    lake.write("shop/visits/year=2026/b.csv.gz", lakegate_tests::lake::gzip(b"who\nbob\n"));
    year(&lake);
    lake
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_answers_as_a_folder_does() {
    let lake = sample();
    let store = Server::start().await;
    store.upload(&lake, "a/prefix").await;
    let local = TestServer::start(&lake).await;
    let remote = TestServer::start_s3(&store, "a/prefix").await;
    assert_same_answers(&local, &remote).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_query_asks_for_nothing_that_is_known() {
    let store = Server::start().await;
    store.upload(&sample(), "lake").await;
    let server = TestServer::start_s3(&store, "lake").await;
    let mut client = server.wire().await;
    let sql = "SELECT station, avg(temp) FROM weather.observations WHERE n > 10 GROUP BY station";
    acquaint(&server).await;
    store.faults.reset_counts();
    let first = client.query(sql).await;
    assert_eq!(store.faults.count(Operation::List), 0, "{:?}", store.faults.log());
    assert_eq!(store.faults.count(Operation::Head), 0, "{:?}", store.faults.log());
    // What was read is kept a moment later.
    for _ in 0..1_000 {
        store.faults.reset_counts();
        assert_eq!(client.query(sql).await.texts().len(), first.texts().len());
        if store.faults.log().is_empty() {
            return;
        }
    }
    panic!("a repeated query still asks the store: {:?}", store.faults.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_are_read_by_their_columns_and_only_once() {
    let numbers = |from: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(from..from + 300_000)) };
    let columns = ["a", "b", "c"].map(|name| (name, numbers(0)));
    let store = Server::start().await;
    store.put("lake/s/t.arrow", arrow_file(&RecordBatch::try_from_iter(columns).unwrap())).await;
    let server = TestServer::start_s3(&store, "lake").await;
    let mut client = server.wire().await;
    let sql = "SELECT sum(b) FROM s.t";
    assert_eq!(client.value("SELECT count(*) FROM s.t").await.as_deref(), Some("300000"));
    store.faults.reset_counts();
    assert_eq!(client.value(sql).await.as_deref(), Some("44999850000"));
    // The footer and the metadata of the block are known, and one column is one range.
    assert!(store.faults.log().len() <= 3, "{:?}", store.faults.log());
    for _ in 0..1_000 {
        store.faults.reset_counts();
        assert_eq!(client.value(sql).await.as_deref(), Some("44999850000"));
        if store.faults.log().is_empty() {
            return;
        }
    }
    panic!("a repeated query still asks the store: {:?}", store.faults.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_of_an_unchanged_lake_reads_no_object() {
    let store = Server::start().await;
    store.upload(&sample(), "lake").await;
    let server = TestServer::start_s3(&store, "lake").await;
    acquaint(&server).await;
    store.faults.reset_counts();
    server.refresh().await;
    assert!(store.faults.count(Operation::List) >= 1);
    assert_eq!(store.faults.count(Operation::Get), 0, "{:?}", store.faults.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_opens_the_one_file_that_can_answer() {
    let store = Server::start().await;
    for at in 0..40_i64 {
        let rows = lakegate_tests::lake::numbers("id", at * 1_000..(at + 1) * 1_000);
        store.put(&format!("lake/shop/ids/day={}/{at}.parquet", at % 4), rows).await;
    }
    let server = TestServer::start_s3(&store, "lake").await;
    let mut client = server.wire().await;
    // Opens the table: a request for each footer.
    assert_eq!(client.query("SELECT count(*) FROM shop.ids").await.text().unwrap(), "40000");
    for (sql, expected, requests_max) in [
        ("SELECT count(*), min(id), max(id), min(day), max(day), count(day) FROM shop.ids", "40000", 0),
        ("SELECT count(*) FROM shop.ids WHERE day = 3", "10000", 0),
        ("SELECT id FROM shop.ids WHERE id = 17500", "17500", 2),
        ("SELECT id FROM shop.ids WHERE id = 17501 AND day = 1", "17501", 2),
        ("SELECT count(*) FROM shop.ids WHERE id BETWEEN 5990 AND 6009", "20", 4),
        ("SELECT count(*) FROM shop.ids WHERE id < 0 OR id IS NULL", "0", 0),
    ] {
        store.faults.reset_counts();
        assert_eq!(client.query(sql).await.text().unwrap(), expected, "{sql}");
        let requests = store.faults.log();
        assert!(requests.len() <= requests_max, "{sql}: {requests:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_objects_are_listed_in_pages() {
    let store = Server::start().await;
    let folder = store.path().join("lake/pages/many/t");
    std::fs::create_dir_all(&folder).unwrap();
    for at in 0..1100 {
        std::fs::write(folder.join(format!("{at:05}.csv")), format!("x\n{at}\n")).unwrap();
    }
    let server = TestServer::start_s3(&store, "pages").await;
    assert_eq!(server.value("SELECT count(*) FROM system.objects").await, "1100");
    assert_eq!(server.value("SELECT sum(x) FROM many.t").await, (0..1100).sum::<i32>().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_of_the_tests_keeps_its_conditions_under_a_race() {
    let store = Server::start().await;
    for round in 0..20 {
        let put = |writer: usize| {
            let client = store.object_store();
            async move {
                let options = PutOptions::from(PutMode::Create);
                let payload = format!("{writer}").into();
                client.put_opts(&format!("race/{round}").into(), payload, options).await.is_ok()
            }
        };
        let won = futures::future::join_all((0..8).map(put)).await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1, "one writer wins");
    }
    let client = store.object_store();
    let path = "race/0".into();
    let old = client.head(&path).await.unwrap().e_tag;
    client.put(&path, "changed".into()).await.unwrap();
    let options = object_store::GetOptions { if_match: old, ..Default::default() };
    let stale = client.get_opts(&path, options).await;
    assert!(matches!(stale, Err(object_store::Error::Precondition { .. })));
}
