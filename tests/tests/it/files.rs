//! Broken files: each is told with its table, its name and its cause, and its neighbours answer.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch};
use lakegate_tests::lake::{gzip, numbers, parquet};
use lakegate_tests::{Lake, TestServer};

/// A broken file, and whether the scan or only the query can know.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let whole = numbers("x", 0..1000);
    let half = whole[..whole.len() / 2].to_vec();
    let mut footer_length = whole.clone();
    let at = footer_length.len() - 8;
    footer_length[at..at + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    let mut negative = whole.clone();
    negative[at..at + 4].copy_from_slice(&[0xff; 4]);
    let mut magic = whole.clone();
    let last = magic.len() - 1;
    magic[last] = b'X';
    let mut zeroed_footer = whole.clone();
    let length = u32::from_le_bytes(whole[at..at + 4].try_into().unwrap());
    zeroed_footer[at - usize::try_from(length).unwrap()..at].fill(0);
    // A list of 2^31 elements in a footer of a few bytes.
    let mut bomb = b"PAR1".to_vec();
    let thrift = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07];
    bomb.extend(thrift);
    bomb.extend(u32::try_from(thrift.len()).unwrap().to_le_bytes());
    bomb.extend(b"PAR1");
    let gz = gzip("x\n1\n2\n3\n".repeat(1000).as_bytes());
    vec![
        ("empty.parquet", Vec::new()),
        ("four.parquet", b"PAR1".to_vec()),
        ("eight.parquet", b"PAR1PAR1".to_vec()),
        ("half.parquet", half),
        ("footer_huge.parquet", footer_length),
        ("footer_negative.parquet", negative),
        ("magic.parquet", magic),
        ("footer_zero.parquet", zeroed_footer),
        ("bomb.parquet", bomb),
        ("text.parquet", b"a,b\n1,2\n".to_vec()),
        ("gzip.parquet", gz.clone()),
        ("empty.csv", Vec::new()),
        ("cut.csv.gz", gz[..gz.len() / 2].to_vec()),
        ("plain.csv.gz", b"x\n1\n".to_vec()),
        ("broken.ndjson", b"{\"a\":1}\n{\"a\":\n".to_vec()),
        ("noise.json", vec![0xff; 100]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_files_are_told_and_hide_no_neighbour() {
    let lake = Lake::sample();
    for (name, content) in corpus() {
        lake.write(&format!("broken/{name}"), content);
    }
    let server = TestServer::start(&lake).await;
    assert_eq!(server.value("SELECT count(*) FROM weather.observations").await, "1000");
    let skipped = server.column("SELECT key FROM system.skipped_files").await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for (name, _) in corpus() {
        let table = name.split('.').next().unwrap();
        let answer = client.query(&format!("SELECT * FROM broken.\"{table}\"")).await;
        let listed = skipped.iter().any(|key| key.ends_with(name));
        let told = answer.fault.as_ref().is_some_and(|fault| {
            let text = format!("{} {}", fault.message, fault.detail.clone().unwrap_or_default());
            fault.state != "XX000" && (listed || text.contains(name))
        });
        if !told {
            wrong.push(format!("{name}: listed {listed}, answered {:?}", answer.fault));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    client.assert_alive().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_in_a_folder_is_skipped_by_name() {
    let lake = Lake::default();
    lake.write("s/t/good.parquet", numbers("x", 0..10));
    lake.write("s/t/bad.parquet", b"PAR1PAR1");
    let server = TestServer::start(&lake).await;
    let skipped = server.column("SELECT key || ': ' || reason FROM system.skipped_files").await;
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(skipped[0].starts_with("s/t/bad.parquet: "), "{skipped:?}");
    assert_eq!(server.value("SELECT count(*) FROM s.t").await, "10");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_values_name_their_file_and_line() {
    let lake = Lake::default();
    let mut text = "id,n\n".to_owned();
    for row in 0..5000 {
        text.push_str(&format!("{row},{row}\n"));
    }
    text.push_str("5000,not a number\n");
    lake.write("s/late.csv", &text);
    lake.write("s/quote.csv", "a,b\n1,\"open\n2,x\n3,y\n");
    lake.write("s/ragged.csv", "a,b\n1,2\n3,4,5,6\n7,8\n");
    lake.write("s/latin.csv", b"a\nCaf\xc3\xa9\nCaf\xe9\n".as_slice());
    let server = TestServer::start(&lake).await;
    for (table, states) in [("quote", &["22P04"][..]), ("ragged", &["22P04"]), ("latin", &["22021"])] {
        let answer = server.wire().await.query(&format!("SELECT * FROM s.{table}")).await;
        let listed =
            server.column(&format!("SELECT reason FROM system.skipped_files WHERE \"table\" = '{table}'")).await;
        let state = answer.state();
        assert!(states.contains(&state) || !listed.is_empty(), "{table}: {:?} {listed:?}", answer.fault);
        if let (Some(fault), true) = (&answer.fault, listed.is_empty()) {
            let text = format!("{} {}", fault.message, fault.detail.clone().unwrap_or_default());
            assert!(text.contains(&format!("{table}.csv")), "{text}");
        }
    }
    let answer = server.wire().await.query("SELECT sum(n) FROM s.late").await;
    if let Some(fault) = answer.fault {
        // Either the sample showed a text column, and then the sum is 42883, or the value is told with file and line.
        let text = format!("{} {}", fault.message, fault.detail.clone().unwrap_or_default());
        assert!(["42883", "42000"].contains(&fault.state.as_str()) || text.contains("late.csv"), "{fault:?}");
        assert_ne!(fault.state, "XX000");
    } else {
        panic!("a text was summed up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_not_data_are_left_alone() {
    let lake = Lake::sample();
    lake.write("weather/README.md", "# hello");
    lake.write("weather/.hidden.csv", "x\n1\n");
    lake.write("weather/_temporary/part.csv", "x\n1\n");
    lake.write("weather/observations/_SUCCESS", "");
    let server = TestServer::start(&lake).await;
    assert_eq!(server.value("SELECT count(*) FROM weather.observations").await, "1000");
    let tables = server.column("SELECT name FROM system.tables WHERE schema = 'weather' ORDER BY 1").await;
    assert_eq!(tables, ["observations", "stations"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_files_tell_of_their_rows_is_shown() {
    let lake = Lake::default();
    let day = |days: &[i32]| {
        let days: ArrayRef = Arc::new(Date32Array::from(days.to_vec()));
        parquet(&RecordBatch::try_from_iter([("day", days)]).unwrap())
    };
    lake.write("s/days/a.parquet", day(&[18_262, 18_263]));
    lake.write("s/days/b.parquet", day(&[18_261]));
    lake.write("s/ids/k=1/a.parquet", numbers("id", 0..5));
    lake.write("s/text.csv", "at\n2020-01-01T00:00:00Z\n");
    let server = TestServer::start(&lake).await;
    for table in ["days", "ids", "text"] {
        assert_eq!(server.state(&format!("SELECT 1 FROM s.{table}")).await, "00000");
    }
    let rows = |sql: &'static str| server.column(sql);
    let sql = "SELECT concat_ws(' ', name, rows) FROM system.tables WHERE schema = 's' ORDER BY name";
    assert_eq!(rows(sql).await, ["days 3", "ids 5", "text"]);
    let sql = "SELECT concat_ws(' ', key, rows) FROM system.objects ORDER BY key";
    assert_eq!(rows(sql).await, ["s/days/a.parquet 2", "s/days/b.parquet 1", "s/ids/k=1/a.parquet 5", "s/text.csv"]);
    let sql = "SELECT concat_ws(' ', name, event_column, newest_event) FROM system.freshness ORDER BY name";
    assert_eq!(rows(sql).await, ["days day 2020-01-02 00:00:00+00", "ids", "text"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_dialects_are_read() {
    let lake = Lake::default();
    lake.write("s/bom.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n".as_slice());
    lake.write("s/semicolon.csv", "a;b\n1;x,y\n");
    lake.write("s/newline.csv", "a,b\n1,\"two\nlines\"\n2,\"say \"\"hi\"\"\"\n");
    lake.write("s/nulls.csv", "a,b\n,\"\"\n");
    let server = TestServer::start(&lake).await;
    assert_eq!(server.value("SELECT a + b FROM s.bom").await, "3");
    assert_eq!(server.value("SELECT b FROM s.semicolon").await, "x,y");
    assert_eq!(server.value("SELECT b FROM s.newline WHERE a = 1").await, "two\nlines");
    assert_eq!(server.value("SELECT b FROM s.newline WHERE a = 2").await, "say \"hi\"");
    assert_eq!(server.value("SELECT a FROM s.nulls").await, "NULL");
}
