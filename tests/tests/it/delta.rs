//! Delta tables as their own writer leaves them (`tests/delta`), and while they are written.

use std::path::Path;

use lakegate_tests::lake::numbers;
use lakegate_tests::s3::{self, Operation};
use lakegate_tests::{Lake, TestServer};
use tokio::sync::watch;

/// The committed tables.
pub(crate) fn written() -> Lake {
    let lake = Lake::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("delta/lake");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                lake.write(path.strip_prefix(&root).unwrap().to_str().unwrap(), std::fs::read(&path).unwrap());
            }
        }
    }
    lake
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_their_own_writer_are_read() {
    let server = TestServer::start(&written()).await;
    let parts = "SELECT concat_ws('|', coalesce(station, '-'), day, n) FROM delta.parts ORDER BY n, 1";
    let expected = [
        "a b/ä|2024-01-01|1",
        "x=1|2024-01-01|2",
        "-|2024-01-01|3",
        "x=1|2024-01-02|12",
        "-|2024-01-02|13",
        "a b/ä|2024-01-03|21",
        "-|2024-01-03|23",
        "a b/ä|2024-01-04|31",
        "a b/ä|2024-01-04|31",
        "x=1|2024-01-04|32",
        "x=1|2024-01-04|32",
        "-|2024-01-04|33",
        "-|2024-01-04|33",
        "x=1|2024-01-03|122",
    ];
    assert_eq!(server.column(parts).await, expected);
    for (sql, expected) in [
        ("SELECT count(*) FROM delta.parts", "14"),
        ("SELECT sum(n) FROM delta.parts WHERE station = 'x=1' AND day >= '2024-01-03'", "186"),
        ("SELECT string_agg(DISTINCT day::text, ',') FROM delta.parts WHERE station IS NULL AND n < 5", "2024-01-01"),
        ("SELECT count(*) || ' ' || max(version) FROM delta.overwritten", "3 2"),
        ("SELECT format || ' ' || files FROM system.tables WHERE name = 'overwritten'", "delta 1"),
        ("SELECT count(*) FROM system.skipped_files", "0"),
        ("SELECT k::text FROM delta.kinds k WHERE id = 1", KINDS),
        ("SELECT count(small) || ' ' || count(added) || ' ' || count(*) FROM delta.kinds", "1 1 3"),
        ("SELECT (pair).b FROM delta.kinds WHERE list[1] = 1", "x"),
        ("SELECT id FROM delta.kinds WHERE at > '2024-02-29 12:30:00.123455+00'", "1"),
        ("SELECT id FROM delta.kinds WHERE added = 'new'", "3"),
    ] {
        assert_eq!(server.value(sql).await, expected, "{sql}");
    }
    let types = "SELECT column_name || ' ' || data_type FROM information_schema.columns
        WHERE table_schema = 'delta' AND table_name = 'kinds' ORDER BY ordinal_position";
    let expected = [
        "id bigint",
        "small smallint",
        "tiny smallint",
        "real real",
        "double double precision",
        "money numeric",
        "word text",
        "bytes bytea",
        "yes boolean",
        "day date",
        "at timestamp with time zone",
        "naive timestamp without time zone",
        "list ARRAY",
        "pair record",
        "added text",
    ];
    assert_eq!(server.column(types).await, expected);
}

const KINDS: &str = "(1,-3,7,1.5,NaN,12.50,käse,\"\\\\x00ff\",t,2024-02-29,\"2024-02-29 12:30:00.123456+00\",\
                     \"2024-02-29 12:30:00.123456\",\"{1,NULL,3}\",\"(1,x)\",)";

fn commit(version: i64) -> String {
    format!("s/t/_delta_log/{version:020}.json")
}

fn file(version: i64) -> (String, Vec<u8>) {
    let rows = 100 + usize::try_from(version).unwrap() % 7;
    (format!("s/t/{version}.parquet"), numbers("x", std::iter::repeat_n(version, rows)))
}

fn added(version: i64, bytes: usize) -> String {
    format!(
        "{{\"add\":{{\"path\":\"{version}.parquet\",\"partitionValues\":{{}},\"size\":{bytes},\"modificationTime\":0,\
         \"dataChange\":true}}}}\n"
    )
}

/// The first version, of one file as all others.
fn begun() -> Lake {
    let lake = Lake::default();
    let (key, content) = file(0);
    let schema =
        r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}"#;
    let log = format!(
        "{{\"protocol\":{{\"minReaderVersion\":1,\"minWriterVersion\":2}}}}\n\
         {{\"metaData\":{{\"id\":\"1\",\"format\":{{\"provider\":\"parquet\"}},\"schemaString\":\"{schema}\",\
         \"partitionColumns\":[],\"configuration\":{{}}}}}}\n{}",
        added(0, content.len())
    );
    lake.write(&key, &content);
    lake.write(&commit(0), log);
    lake
}

/// Puts the next version in the place of the one before.
fn overwrite(lake: &Lake, version: i64) {
    let (key, content) = file(version);
    lake.write(&key, &content);
    let removed = format!("{{\"remove\":{{\"path\":\"{}.parquet\",\"dataChange\":true}}}}\n", version - 1);
    lake.write(&commit(version), removed + &added(version, content.len()));
}

const ASK: &str = "SELECT min(x), max(x), count(*), count(x + 0) FROM s.t";

/// Asks so many times, and counts; every answer is of one version.
async fn ask(server: &TestServer, times: usize, asked: &watch::Sender<usize>) {
    let mut client = server.wire().await;
    for at in 1..=times {
        let answer = client.query(ASK).await;
        assert_eq!(answer.state(), "00000", "{:?}", answer.fault);
        let row = &answer.texts()[0];
        let number: i64 = row[0].as_ref().unwrap().parse().unwrap();
        let rows = Some((100 + number % 7).to_string());
        assert_eq!((&row[0], &rows, &rows), (&row[1], &row[2], &row[3]), "a mix of two versions");
        asked.send_replace(at);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_overwritten_and_vacuumed_is_one_version_in_each_answer() {
    const TIMES: usize = 400;
    let lake = begun();
    let server = TestServer::start(&lake).await;
    let (asked, mut asking) = watch::channel(0);
    let writing = async {
        let mut version = 0;
        loop {
            let until = (*asking.borrow() + 3).min(TIMES);
            let is_on = asking.wait_for(|at| *at >= until).await.is_ok();
            if !is_on || *asking.borrow() == TIMES {
                return version;
            }
            version += 1;
            overwrite(&lake, version);
            // The file that the last listing has is gone before the next.
            lake.remove(&file(version - 1).0);
            if version % 2 == 0 {
                server.refresh().await;
            }
        }
    };
    let ((), version) = tokio::join!(ask(&server, TIMES, &asked), writing);
    assert!(version > 30, "only {version} versions were written");
    server.refresh().await;
    assert_eq!(server.value("SELECT max(x) FROM s.t").await, version.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_meets_a_vacuumed_file_looks_again() {
    let lake = begun();
    let server = TestServer::start(&lake).await;
    assert_eq!(server.value("SELECT sum(x) FROM s.t").await, "0");
    for version in 1..4 {
        overwrite(&lake, version);
        lake.remove(&file(version - 1).0);
        assert_eq!(server.value("SELECT max(x + 0) FROM s.t").await, version.to_string());
    }
    lake.remove(&file(3).0);
    assert_eq!(server.state("SELECT max(x + 0) FROM s.t").await, "58P01");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_in_a_bucket_costs_nothing_while_it_stays() {
    let store = s3::Server::start().await;
    store.upload(&written(), "p").await;
    let server = TestServer::start_s3(&store, "p").await;
    assert_eq!(server.value("SELECT sum(n) FROM delta.parts").await, "389");
    // The server opens other tables at its leisure.
    let read = || -> Vec<String> {
        let log = store.faults.log().into_iter();
        let read = log.filter(|(operation, key)| *operation == Operation::Get && key.contains("delta/parts/"));
        read.map(|(_, key)| key).collect()
    };
    store.faults.reset_counts();
    server.refresh().await;
    assert_eq!(server.value("SELECT count(*) FROM delta.parts").await, "14");
    assert_eq!(read(), Vec::<String>::new());
    // A log that goes on is read from where it ended.
    let next = "p/delta/parts/_delta_log/00000000000000000008.json";
    store.put(next, "{\"commitInfo\":{}}\n").await;
    server.refresh().await;
    assert_eq!(server.value("SELECT count(*) FROM delta.parts").await, "14");
    assert_eq!(read().iter().filter(|key| key.contains("_delta_log")).count(), 1, "{:?}", read());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_needs_more_than_is_known_hides_no_other() {
    let lake = written();
    let log = "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"variantType\"]}}\n";
    lake.write("delta/overwritten/_delta_log/00000000000000000005.json", log);
    lake.write("delta/kinds/_delta_log/00000000000000000002.json", "{\"add\":{\"path\":\"../parts/x\",\"size\":1}}\n");
    lake.write("delta/gap/_delta_log/00000000000000000002.json", "{}\n");
    let server = TestServer::start(&lake).await;
    for (table, state) in [("overwritten", "0A000"), ("kinds", "42501"), ("gap", "XX001"), ("parts", "00000")] {
        assert_eq!(server.state(&format!("SELECT count(*) FROM delta.{table}")).await, state, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_can_ask_for_an_earlier_version() {
    let lake = written();
    lake.write("s/plain.csv", "x\n1\n");
    let server = TestServer::start(&lake).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM delta.parts FOR VERSION AS OF 0", "3"),
        ("SELECT count(*) FROM delta.parts FOR VERSION AS OF 1 p", "6"),
        ("SELECT count(*) || ' ' || sum(p.n) FROM delta.parts FOR SYSTEM_VERSION AS OF '2' AS p", "9 108"),
        ("SELECT sum(parts.n) FROM delta.parts FOR VERSION AS OF 2", "108"),
        (
            "SELECT count(*) FROM delta.parts FOR VERSION AS OF 1 p JOIN delta.parts FOR VERSION AS OF 0 q USING (n)",
            "3",
        ),
        ("SELECT count(*) FROM delta.parts FOR VERSION AS OF 3, (SELECT 1) x", "12"),
        ("SELECT count(*) FROM delta.parts FOR TIMESTAMP AS OF TIMESTAMP '9999-01-01 00:00:00+00'", "14"),
        ("SELECT count(*) FROM delta.parts FOR SYSTEM_TIME AS OF '9999-01-01'", "14"),
        (
            "SELECT string_agg(n::text, ',' ORDER BY n) FROM delta.parts FOR VERSION AS OF 4 WHERE day = '2024-01-02'",
            "12,13",
        ),
        ("SELECT count(*) FROM delta.kinds FOR VERSION AS OF 0", "2"),
        ("WITH p AS (TABLE delta.parts FOR VERSION AS OF 0) SELECT count(*) FROM p", "3"),
        ("SELECT count(*) FROM delta.overwritten FOR VERSION AS OF 2", "3"),
    ] {
        assert_eq!(server.value(sql).await, expected, "{sql}");
    }
    for (sql, expected) in [
        ("SELECT added FROM delta.kinds FOR VERSION AS OF 0", "42703"),
        ("SELECT * FROM delta.parts FOR VERSION AS OF 99", "22023"),
        ("SELECT * FROM delta.parts FOR VERSION AS OF -1", "22023"),
        ("SELECT * FROM delta.parts FOR VERSION AS OF 1.5", "22023"),
        ("SELECT * FROM delta.parts FOR TIMESTAMP AS OF '1970-01-01'", "22023"),
        ("SELECT * FROM delta.parts FOR TIMESTAMP AS OF 'soon'", "22007"),
        ("SELECT * FROM delta.overwritten FOR VERSION AS OF 0", "58P01"),
        ("SELECT * FROM s.plain FOR VERSION AS OF 0", "0A000"),
        ("SELECT * FROM pg_class FOR VERSION AS OF 0", "0A000"),
        ("SELECT * FROM nothing FOR VERSION AS OF 0", "42P01"),
        ("SELECT * FROM delta.parts FOR VERSION AS OF (1)", "0A000"),
        ("SELECT * FROM delta.parts FOR VERSION AS OF 0 FOR UPDATE", "0A000"),
    ] {
        assert_eq!(server.state(sql).await, expected, "{sql}");
    }
    let mut client = server.wire().await;
    let fault = client.query("SELECT * FROM delta.kinds FOR VERSION AS OF 2").await.fault.unwrap();
    assert_eq!(fault.message, "table \"delta.kinds\" has no version 2");
    assert_eq!(fault.detail.as_deref(), Some("The log has the versions 0 to 1."));
    let answer = client.extended("SELECT count(*) FROM delta.parts FOR VERSION AS OF 1", 0).await;
    assert_eq!(answer.text().as_deref(), Some("6"));
    for sql in [
        "CREATE VIEW delta.first AS SELECT * FROM delta.parts FOR VERSION AS OF 0",
        "CREATE VIEW delta.changed AS SELECT n FROM delta.parts FOR VERSION AS OF 1 EXCEPT SELECT n FROM delta.first",
        "BEGIN",
        "DECLARE c CURSOR FOR SELECT n FROM delta.parts FOR VERSION AS OF 0 ORDER BY n",
    ] {
        assert_eq!(client.query(sql).await.state(), "00000", "{sql}");
    }
    assert_eq!(client.value("FETCH c").await.as_deref(), Some("1"));
    assert_eq!(client.query("COMMIT").await.state(), "00000");
    assert_eq!(server.value("SELECT string_agg(n::text, ',' ORDER BY n) FROM delta.changed").await, "11,12,13");
    assert_eq!(server.state("SELECT * FROM delta.first FOR VERSION AS OF 0").await, "0A000");
    // A definition of a version, which can be another.
    let define = "CREATE EXTERNAL TABLE delta.old STORED AS DELTA LOCATION 'delta/kinds' OPTIONS (version '0')";
    assert_eq!(client.query(define).await.state(), "00000");
    assert_eq!(server.value("SELECT count(*) FROM delta.old").await, "2");
    assert_eq!(server.value("SELECT count(*) FROM delta.old FOR VERSION AS OF 1").await, "3");
    assert_eq!(client.query("ALTER EXTERNAL TABLE delta.old OPTIONS (SET version '1')").await.state(), "00000");
    assert_eq!(server.value("SELECT count(*) FROM delta.old").await, "3");
}
