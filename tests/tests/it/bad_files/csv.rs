//! Delimited text: the cases T4.33 to T4.51.

use lakegate_tests::lake::gzip;
use lakegate_tests::{Lake, TestServer};

use super::{check, fails, gives};

const XX001: &str = "XX001";

fn wide(columns: usize) -> String {
    let names: Vec<String> = (0..columns).map(|at| format!("c{at}")).collect();
    let values = vec!["1"; columns];
    format!("{}\n{}\n", names.join(","), values.join(","))
}

/// Noise, always the same.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..bytes).map(next).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_are_damaged() {
    let utf16: Vec<u8> = "\u{feff}a,b\n1,é\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let good = gzip("a,b\n1,2\n".repeat(1000).as_bytes());
    check(vec![
        fails("T4.33 zero bytes", "zero.csv", "", XX001, "file is empty (0 bytes)"),
        gives("T4.34 a header only", "header.csv", "a,b\n", ""),
        fails("T4.35 a row too short", "short.csv", "a,b\n1,2\n3\n", "22P04", "line 3: 1 fields, expected 2"),
        fails("T4.35 a row too long", "long.csv", "a,b\n1,2\n3,4,5\n", "22P04", "line 3: 3 fields, expected 2"),
        fails("T4.36 a NUL byte", "nul.csv", "a,b\n1,x\0y\n", "22021", "invalid byte 0x00 for encoding \"UTF8\""),
        fails("T4.37 a byte that is no UTF-8", "utf8.csv", &b"a\n\xC3\xA9\nx\xE9y\n"[..], "22021", "line 3, byte 6"),
        gives("T4.37 Latin-1 is read", "latin.csv", &b"a\nCaf\xE9\n"[..], "Café"),
        fails("T4.38 a quote that stays open", "quote.csv", "a,b\n1,\"x\n2,y\n", "22P04", "the quote opened on line 2"),
        fails(
            "T4.38 text behind a quote",
            "after.csv",
            "a,b\n1,\"x\"y\n",
            "22P04",
            "line 2: text after a closing quote",
        ),
        gives("T4.39 a mark of UTF-8", "mark.csv", "\u{feff}a,b\n1,x\n", "1|x").asking("SELECT a, b FROM t"),
        gives("T4.40 UTF-16 is read", "utf16.csv", utf16.clone(), "1|é"),
        fails("T4.40 UTF-16 that is cut", "cut16.csv", &utf16[..utf16.len() - 1], "22021", "UTF-16LE"),
        gives("T4.41 lines that end with CR", "cr.csv", "a,b\r1,x\r2,y\r", "1|x\n2|y"),
        fails("T4.42 a name twice", "twice.csv", "a,b,a\n1,2,3\n", "42701", "column \"a\" occurs more than once"),
        fails("T4.45 20,000 columns", "wide.csv", wide(20_000), "54011", "20000 columns"),
        gives("T4.46 beyond bigint", "int.csv", "a\n1\n9223372036854775808\n", "1\n9223372036854775808"),
        fails("T4.48 gzip that is cut", "cut.csv.gz", &good[..good.len() - 6], XX001, "the gzip data ends too early"),
        fails(
            "T4.48 gzip that is damaged",
            "bad.csv.gz",
            {
                let mut bad = good.clone();
                bad[20] ^= 0x55;
                bad
            },
            XX001,
            "the gzip data is damaged",
        ),
        fails("T4.49 no gzip", "plain.csv.gz", "a,b\n1,2\n", XX001, "the gzip data is damaged"),
        fails("T4.50 noise", "noise.csv", noise(10_000), "22021", "invalid byte"),
        gives("T4.51 columns without names", "names.csv", "a,,\n1,2,3\n", "1|2|3")
            .asking("SELECT a, column_2, column_3 FROM t"),
        gives("T4.51 only columns without names", "none.csv", ",\n1,2\n", "1|2")
            .asking("SELECT column_1, column_2 FROM t"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_43_and_46_values_that_are_not_of_the_declared_type() {
    let lake = Lake::default();
    let rows: String = (1..=5_000).map(|row| format!("{row}\n")).collect();
    lake.write("s/late.csv", format!("n\n{rows}x\n"));
    lake.write("s/int.csv", "n\n1\n2147483648\n");
    let sql = "CREATE EXTERNAL TABLE s.late (n INT) STORED AS CSV LOCATION 's/late.csv';
        CREATE EXTERNAL TABLE s.int (n INT) STORED AS CSV LOCATION 's/int.csv';";
    let server = TestServer::with_sql(&lake, &[("tables/t.sql", sql)]).await;
    for (table, value, line) in [("late", "x", 5_002), ("int", "2147483648", 3)] {
        let fault = server.wire().await.query(&format!("SELECT sum(n) FROM s.{table}")).await.fault.unwrap();
        assert_eq!(fault.state, "22P02", "{fault:?}");
        let expected = format!(
            "invalid value \"{value}\" for column \"n\" of type integer in file \"s/{table}.csv\" of table \
             \"s.{table}\", line {line}"
        );
        assert_eq!(fault.message, expected);
    }
    let found = Lake::default();
    found.write("s/late.csv", format!("n\n{rows}x\n"));
    let server = TestServer::start(&found).await;
    // All of the file is looked at, so that the column is a text.
    assert_eq!(server.value("SELECT max(n) FROM s.late").await, "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_44_and_47_lines_and_packings_without_end_cost_little_memory() {
    let lake = Lake::default();
    let line = vec![b'x'; 200 << 20];
    lake.write("bad/line.csv", [b"a\n", line.as_slice(), b"\n"].concat());
    let shorter = &line[..40 << 20];
    lake.write("bad/header.csv", shorter);
    lake.write("bad/quote.csv", [b"a\n\"", shorter, b"\"\n"].concat());
    // Members one after the other: a thousandth of what they become.
    let member = gzip(&line[..1 << 20]);
    lake.write("bad/packed.csv.gz", [gzip(b"a\n"), member.repeat(40)].concat());
    let rows = gzip(&[vec![b'x'; 1023], b"\n".to_vec()].concat().repeat(1 << 10));
    lake.write("bad/rows.csv.gz", [gzip(b"a\n"), rows.repeat(40)].concat());
    drop(line);
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    for table in ["line", "header", "quote", "packed"] {
        let fault = client.query(&format!("SELECT * FROM bad.{table}")).await.fault.unwrap();
        assert_eq!(fault.state, "54000", "{table}: {fault:?}");
        assert!(
            fault.message.contains(&format!("record of more than 16777216 bytes in file \"bad/{table}.")),
            "{fault:?}"
        );
    }
    assert_eq!(client.value("SELECT count(*) FROM bad.rows").await.as_deref(), Some("40960"));
}
