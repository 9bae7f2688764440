//! Delimited text and NDJSON.

use arrow::array::AsArray;

use super::*;

#[tokio::test]
async fn columns_are_found_by_name() {
    let lake = Fixture::new(&[("s/t/1.csv", b"a,b\n1,x\n"), ("s/t/2.csv", b"b;c;a\ny;2024-01-01;2.5\n")]).await;
    assert_eq!(lake.columns("s.t").await, "a Float64, b Utf8View, c Date32");
    assert_eq!(lake.rows("s.t", "SELECT * FROM t ORDER BY a").await.unwrap(), ["|1.0|x||", "|2.5|y|2024-01-01|"]);
    assert_eq!(lake.rows("s.t", "SELECT c FROM t WHERE b = 'y'").await.unwrap(), ["|2024-01-01|"]);
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|2|"]);
}

#[tokio::test]
async fn types_are_those_of_all_values() {
    let lake = Fixture::new(&[(
        "s/t.csv",
        b"\xEF\xBB\xBFid,code,f,b,ts,tz,none,mixed\r\n1,07064001,1,true,2024-01-01,2013-01-01T06:00:00Z,,1\r\n\
          2,31069001,-0.17,FALSE,2024-01-01 10:00:00,2013-01-01T06:00:00+02:00,,x\r\n",
    )])
    .await;
    assert_eq!(
        lake.columns("s.t").await,
        "id Int64, code Utf8View, f Float64, b Boolean, ts Timestamp(\u{b5}s), tz Timestamp(\u{b5}s, \"UTC\"), \
         none Utf8View, mixed Utf8View"
    );
    let rows = lake.rows("s.t", "SELECT code, f, b, ts, tz, none IS NULL FROM t ORDER BY id").await.unwrap();
    assert_eq!(rows[0], "|07064001|1.0|true|2024-01-01T00:00:00|2013-01-01T06:00:00Z|true|");
    assert_eq!(rows[1], "|31069001|-0.17|false|2024-01-01T10:00:00|2013-01-01T04:00:00Z|true|");
}

#[tokio::test]
async fn null_is_an_unquoted_nothing() {
    let lake = Fixture::new(&[("s/t.csv", b"a,b,n\n\"\",,\"\"\nNA,\"x\ny\",5\n")]).await;
    let rows = lake.rows("s.t", "SELECT a = '', b IS NULL, n IS NULL, a FROM t").await.unwrap();
    assert_eq!(rows, ["|true|true|true||", "|false|false|false|NA|"]);
}

#[tokio::test]
async fn packed_files_are_unpacked() {
    let mut members = gzip(b"a\n1\n");
    members.extend(gzip(b"2\n"));
    let lake = Fixture::new(&[("s/gz.csv.gz", &members), ("s/zst.tsv.zst", &zstd(b"a\tb\n1\tx\n").await)]).await;
    assert_eq!(lake.rows("s.gz", "SELECT * FROM t").await.unwrap(), ["|1|", "|2|"]);
    assert_eq!(lake.rows("s.zst", "SELECT b, a FROM t").await.unwrap(), ["|x|1|"]);
    let whole = gzip(b"a\n1\n2\n3\n");
    let lake = Fixture::new(&[("s/cut.csv.gz", &whole[..whole.len() - 6]), ("s/no.csv.gz", b"a,b\n1,2\n")]).await;
    let error = lake.fails("s.cut").await.to_string();
    assert_eq!(error, "could not read file \"s/cut.csv.gz\" of table \"s.cut\": the gzip data ends too early");
    assert!(lake.fails("s.no").await.to_string().ends_with("the gzip data is damaged"));
}

#[tokio::test]
async fn bad_rows_name_their_place() {
    let cases: [(&[u8], &str); 6] = [
        (b"a,b\n1,2\n3\n", "bad record in file \"s/t.csv\" of table \"s.t\", line 3: 1 fields, expected 2"),
        (
            b"a,b\n1,\"x\ny\n",
            "bad record in file \"s/t.csv\" of table \"s.t\", line 2: the quote opened on line 2 is never closed",
        ),
        (b"a,a\n1,2\n", "column \"a\" occurs more than once in file \"s/t.csv\" of table \"s.t\""),
        (b"", "could not read file \"s/t.csv\" of table \"s.t\": file is empty (0 bytes)"),
        (
            b"a\n\xC3\xA9\nx\xE9y\n",
            "invalid byte 0xe9 for encoding \"UTF8\" in file \"s/t.csv\" of table \"s.t\", line 3, byte 6",
        ),
        (b"a\nx\0y\n", "invalid byte 0x00 for encoding \"UTF8\" in file \"s/t.csv\" of table \"s.t\", line 2, byte 3"),
    ];
    for (content, expected) in cases {
        let lake = Fixture::new(&[("s/t.csv", content)]).await;
        assert_eq!(lake.fails("s.t").await.to_string(), expected);
    }
}

#[tokio::test]
async fn a_value_beyond_the_sample_is_never_a_silent_null() {
    let mut content = b"a,b\n".to_vec();
    // Larger than what is looked at as a whole.
    for row in 0..2_500_000 {
        content.extend(format!("{row},1\n").bytes());
        if row == 800_000 {
            content.extend(b"oops,2\n");
        }
    }
    let lake = Fixture::new(&[("s/t.csv", &content)]).await;
    let error = lake.rows("s.t", "SELECT max(a) FROM t").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid value \"oops\" for column \"a\" of type bigint in file \"s/t.csv\" of table \"s.t\", line 800003"
    );
    assert_eq!(lake.rows("s.t", "SELECT sum(b) FROM t").await.unwrap(), ["|2500002|"]);
}

/// Records of about three parts, with everything that makes their ends hard to find.
#[derive(Default)]
struct Hard {
    text: String,
    /// The values of the first column; every hundredth is no number, on these lines.
    numbers: Vec<String>,
    bad: Vec<u64>,
    sum: i64,
    /// The letters of the notes of the others.
    letters: usize,
}

impl Hard {
    fn new() -> Self {
        let (mut next, mut hard, mut line) = (random(7), Self { text: "n,note,last\r\n".into(), ..Self::default() }, 2);
        while hard.text.len() < 3 << 20 {
            let number = next(1000);
            let note =
                ["plain", "with, comma", "two\r\nlines", "said \"yes\",\n", "3\" wide", "", "\u{e9}"][next(7) as usize];
            let quoted = format!("\"{}\"", note.replace('"', "\"\""));
            let note_text = if note.contains(['\n', ',']) { &quoted } else { note };
            let is_bad = next(100) == 0;
            hard.numbers.push(format!("{}{number}", if is_bad { "x" } else { "" }));
            let last = ["1\r\n", "\"\"\n"][next(2) as usize];
            hard.text.push_str(&format!("{},{note_text},{last}", hard.numbers.last().unwrap()));
            if is_bad {
                hard.bad.push(line);
            } else {
                hard.sum += i64::try_from(number).unwrap();
                hard.letters += note.chars().count();
            }
            line += 1 + note.matches('\n').count() as u64;
        }
        hard
    }
}

#[tokio::test]
async fn parts_that_are_read_side_by_side_are_the_file() {
    let Hard { text, numbers, bad, sum, letters } = Hard::new();
    let text = text.as_bytes();
    let files = ["s/t.csv", "s/kept.csv", "s/plain.csv"].map(|key| (key, text));
    let sql = "CREATE EXTERNAL TABLE s.t (n BIGINT, note TEXT, last TEXT) STORED AS CSV LOCATION 's/t.csv';
        CREATE EXTERNAL TABLE s.kept (n BIGINT, note TEXT, last TEXT) STORED AS CSV LOCATION 's/kept.csv'
        OPTIONS (on_error 'skip');
        CREATE EXTERNAL TABLE s.plain (n TEXT, note TEXT, last TEXT) STORED AS CSV LOCATION 's/plain.csv';";
    let lake = Fixture::defined(&files, "tables/a.sql", sql).await;
    let sums = "SELECT sum(n), sum(character_length(note)) FROM t";
    assert_eq!(lake.rows("s.kept", sums).await.unwrap(), [format!("|{sum}|{letters}|")]);
    let snapshot = lake.lake().snapshot();
    let Kind::Lake(table) = &snapshot.table("s", "kept").unwrap().kind else { panic!("a table") };
    let crate::format::Content::Csv { plan, .. } = &table.opened().unwrap().content else { panic!("text") };
    let (count, rejects) = plan.rejects("s/kept.csv").unwrap().found();
    assert_eq!(count, bad.len() as u64);
    assert_eq!(rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), bad[..100]);
    assert!(matches!(lake.fails("s.t").await, Error::BadValue { line, .. } if line == bad[0]));
    // The rows are in the order of the file.
    let batches = lake.table("s.plain").await.unwrap().sql("SELECT n FROM t").await.unwrap().collect().await.unwrap();
    let column = |batch: &RecordBatch| batch.column(0).as_string_view().iter().flatten().map(String::from).collect();
    assert_eq!(batches.iter().flat_map(|batch| -> Vec<String> { column(batch) }).collect::<Vec<_>>(), numbers);
    // A wrong record in the last part names its line.
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    lake.write("s/plain.csv", &[text, b"1,2,3,4\n"].concat());
    lake.lake().refresh().await.unwrap();
    let error = lake.fails("s.plain").await;
    assert!(matches!(error, Error::BadRecord { line, .. } if line == lines + 1), "{error}, {lines}");
}

#[tokio::test]
async fn odd_headers_are_read() {
    let lake = Fixture::new(&[
        ("s/only.csv", b"a,b\n"),
        ("s/index.csv", b",x\n0,5\n"),
        ("s/trailing.csv", b"a;b;\n1;2;\n3;4;\n"),
        ("s/one.csv", b"a\n1\n"),
    ])
    .await;
    assert_eq!(lake.columns("s.only").await, "a Utf8View, b Utf8View");
    assert!(lake.rows("s.only", "SELECT * FROM t").await.unwrap().is_empty());
    assert_eq!(lake.columns("s.index").await, "column_1 Int64, x Int64");
    assert_eq!(lake.rows("s.trailing", "SELECT * FROM t").await.unwrap(), ["|1|2|", "|3|4|"]);
    assert_eq!(lake.rows("s.one", "SELECT * FROM t").await.unwrap(), ["|1|"]);
}

#[tokio::test]
async fn definitions_say_what_files_do_not() {
    let sql = "CREATE EXTERNAL TABLE shop.cdnow (customer TEXT, bought DATE, n INT, usd NUMERIC(12,2)) STORED AS CSV
          LOCATION 'shop/cdnow.txt' OPTIONS (delimiter 'whitespace', header 'false', date_format '%Y%m%d');
        CREATE EXTERNAL TABLE shop.head STORED AS CSV LOCATION 'shop/head.txt' OPTIONS (delimiter 'whitespace');
        CREATE EXTERNAL TABLE w.h (num_poste TEXT, t TIMESTAMPTZ, x FLOAT8) STORED AS CSV LOCATION 'w/h/'
          OPTIONS (delimiter ';', timestamp_format '%Y%m%d%H', null_values 'NA,mq');
        CREATE EXTERNAL TABLE w.area STORED AS CSV LOCATION 'w/area.csv' OPTIONS (encoding 'cp1252');
        CREATE EXTERNAL TABLE w.lost STORED AS CSV LOCATION 'w/lost.csv';";
    let lake = Fixture::defined(
        &[
            ("shop/cdnow.txt", b" 00001 19970101  1   11.77\r\n 00002 19970112  5   77.00\r\n"),
            ("shop/head.txt", b" id  n\r\n 01  2\r\n"),
            ("w/h/1.csv.gz", &gzip(b"NUM_POSTE;T;X;Y\n07064001;2024010123;NA;1\n")),
            ("w/h/2.csv.gz", &gzip(b"T;NUM_POSTE;X\n2024010200;31069001;1.5\n")),
            ("w/area.csv", b"area,season\n\"C\xF4te d'Ivoire, x\",Dec\x96Jan\n"),
        ],
        "tables/a.sql",
        sql,
    )
    .await;
    let rows = lake.rows("shop.cdnow", "SELECT * FROM t").await.unwrap();
    assert_eq!(rows, ["|00001|1997-01-01|1|11.77|", "|00002|1997-01-12|5|77.00|"]);
    assert_eq!(lake.rows("shop.head", "SELECT * FROM t").await.unwrap(), ["|01|2|"]);
    let rows = lake.rows("w.h", "SELECT * FROM t ORDER BY t").await.unwrap();
    assert_eq!(rows, ["|07064001|2024-01-01T23:00:00Z||", "|31069001|2024-01-02T00:00:00Z|1.5|"]);
    assert_eq!(lake.rows("w.area", "SELECT * FROM t").await.unwrap(), ["|Côte d'Ivoire, x|Dec–Jan|"]);
    assert_eq!(lake.skipped(), [("tables/a.sql".to_owned(), "no file at its location".to_owned())]);
}

#[tokio::test]
async fn ndjson_is_read_by_key() {
    let lake = Fixture::new(&[
        ("s/t/1.ndjson", b"{\"b\":1,\"a\":\"x\",\"d\":\"2024-01-01\"}\n\n{\"a\":null}"),
        ("s/t/2.jsonl.gz", &gzip(b"{\"c\":{\"k\":[1,2]},\"b\":2.5}\n")),
        ("s/bad.json", b"{\"a\":1}\n{\"a\":\n"),
        ("s/list.json", b"[[1]]\n"),
    ])
    .await;
    assert_eq!(lake.columns("s.t").await, "b Float64, a Utf8View, d Date32, c Struct(\"k\": List(Int64))");
    let rows = lake.rows("s.t", "SELECT b, a, d, c FROM t ORDER BY b").await.unwrap();
    assert_eq!(rows, ["|1.0|x|2024-01-01||", "|2.5|||{k: [1, 2]}|", "|||||"]);
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|3|"]);
    let error = lake.fails("s.bad").await;
    assert!(matches!(error, Error::BadRecord { line: 2, .. }), "{error}");
    assert!(lake.fails("s.list").await.to_string().contains("line 1: expected an object"));
}

#[tokio::test]
async fn partitions_are_columns_of_text_files_too() {
    let lake = Fixture::new(&[
        ("s/t/year=2024/day=2024-01-01/a.csv", b"x,year\n1,99\n"),
        ("s/t/year=2025/day=__HIVE_DEFAULT_PARTITION__/a.csv", b"x\n2\n"),
        ("s/u/k=07/a.csv", b"x\n1\n"),
        ("s/u/k=a%20b/a.csv", b"x\n2\n"),
    ])
    .await;
    assert_eq!(lake.columns("s.t").await, "x Int64, year Int64, day Date32");
    assert_eq!(
        lake.rows("s.t", "SELECT day, x, year FROM t ORDER BY x").await.unwrap(),
        ["|2024-01-01|1|2024|", "||2|2025|"]
    );
    assert_eq!(lake.rows("s.t", "SELECT x FROM t WHERE year > 2024").await.unwrap(), ["|2|"]);
    assert_eq!(lake.rows("s.t", "SELECT x FROM t WHERE day IS NULL").await.unwrap(), ["|2|"]);
    assert!(lake.rows("s.t", "SELECT x FROM t WHERE year = 1").await.unwrap().is_empty());
    assert_eq!(lake.rows("s.u", "SELECT * FROM t ORDER BY x").await.unwrap(), ["|1|07|", "|2|a b|"]);
}

#[tokio::test]
async fn a_bad_byte_is_an_error_of_its_row() {
    let lake = Fixture::new(&[("s/t/1.csv", b"a\nx\n"), ("s/t/2.csv", b"a\n\xC3\xA9\nz\xE9\n")]).await;
    assert_eq!(lake.columns("s.t").await, "a Utf8View");
    assert!(matches!(lake.fails("s.t").await, Error::BadEncoding { line: 3, .. }));
}

#[tokio::test]
async fn the_encoding_is_what_the_bytes_show() {
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(unit).collect() };
    let text = "ville;jour\nOrléans;2024-01-01\n東京;2024-01-02\n";
    let marked = format!("\u{feff}{text}");
    let lake = Fixture::new(&[
        ("s/utf8.csv", text.as_bytes()),
        ("s/utf8_mark.csv", marked.as_bytes()),
        ("s/le_mark.csv", &wide(&marked, u16::to_le_bytes)),
        ("s/be_mark.csv", &wide(&marked, u16::to_be_bytes)),
        ("s/le.csv", &wide(text, u16::to_le_bytes)),
        ("s/be.csv.gz", &gzip(&wide(text, u16::to_be_bytes))),
    ])
    .await;
    for table in ["s.utf8", "s.utf8_mark", "s.le_mark", "s.be_mark", "s.le", "s.be"] {
        assert_eq!(lake.columns(table).await, "ville Utf8View, jour Date32", "{table}");
        let rows = lake.rows(table, "SELECT * FROM t").await.unwrap();
        assert_eq!(rows, ["|Orléans|2024-01-01|", "|東京|2024-01-02|"], "{table}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_are_windows_1252() {
    let columns = "CREATE EXTERNAL TABLE s.declared (n INT, a TEXT) STORED AS CSV LOCATION 's/declared.csv';";
    let lake = Fixture::defined(
        &[
            ("s/t/1.csv", b"n,a\n1,x\n"),
            ("s/t/2.csv", b"n,a\n2,C\xF4te d'Ivoire\n3,Dec\x96Jan\n"),
            ("s/header.csv", b"n,Temp\xE9rature\n1,2\n"),
            ("s/declared.csv", b"n,a\n1,\xB0C\n"),
        ],
        "tables/a.sql",
        columns,
    )
    .await;
    let rows = lake.rows("s.t", "SELECT a FROM t ORDER BY n").await.unwrap();
    assert_eq!(rows, ["|x|", "|Côte d'Ivoire|", "|Dec–Jan|"]);
    assert_eq!(lake.columns("s.header").await, "n Int64, Température Int64");
    assert_eq!(lake.rows("s.declared", "SELECT a FROM t").await.unwrap(), ["|°C|"]);
}

#[tokio::test]
async fn a_bad_byte_behind_the_sample_is_an_error_that_says_what_to_do() {
    let mut content = b"n,a\n".to_vec();
    // Larger than what is looked at as a whole.
    while content.len() < 18 << 20 {
        content
            .extend_from_slice(b"1,abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz\n");
    }
    // Behind the start, before the middle.
    content[(6 << 20) + 40] = b'\xE9';
    let lake = Fixture::new(&[("s/t.csv", &content)]).await;
    let error = lake.rows("s.t", "SELECT max(a) FROM t").await.unwrap_err();
    assert!(matches!(&error, Error::BadEncoding { line, .. } if *line > 1000), "{error}");
    assert!(error.hint().unwrap().contains("encoding 'cp1252'"));
}
