//! What delimited text shows of itself: encodings, packing, types, headers.

use async_compression::tokio::write::{BzEncoder, XzEncoder};
use tokio::io::AsyncWriteExt;

use super::*;

async fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new());
    encoder.write_all(content).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = XzEncoder::new(Vec::new());
    encoder.write_all(content).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

#[tokio::test]
async fn bzip2_and_xz_are_unpacked() {
    // Two members, as parallel packers write them.
    let [mut bz, mut x] = [bzip2(b"a,b\n1,x\n").await, xz(b"a,b\n1,x\n").await];
    bz.extend(bzip2(b"2,y\n").await);
    x.extend(xz(b"2,y\n").await);
    let text: String = (0..5000).fold("a\n".to_owned(), |text, row| text + &format!("{}\n", row * 7919 % 5003));
    let [whole_bz, whole_x] = [bzip2(text.as_bytes()).await, xz(text.as_bytes()).await];
    let mut damaged = whole_bz.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xFF;
    let mut damaged_x = whole_x.clone();
    damaged_x[whole_x.len() / 2] ^= 0xFF;
    let lake = Fixture::new(&[
        ("s/bz.csv.bz2", &bz),
        ("s/x.csv.XZ", &x),
        ("s/whole.csv.xz", &whole_x),
        ("s/cut_bz.csv.bz2", &whole_bz[..whole_bz.len() - 40]),
        ("s/cut_x.csv.xz", &whole_x[..whole_x.len() - 40]),
        ("s/damaged_bz.csv.bz2", &damaged),
        ("s/damaged_x.csv.xz", &damaged_x),
        ("s/no_bz.csv.bz2", b"a,b\n1,2\n"),
        ("s/no_x.csv.xz", b"a,b\n1,2\n"),
    ])
    .await;
    assert_eq!(lake.rows("s.bz", "SELECT * FROM t").await.unwrap(), ["|1|x|", "|2|y|"]);
    assert_eq!(lake.rows("s.x", "SELECT * FROM t").await.unwrap(), ["|1|x|", "|2|y|"]);
    assert_eq!(lake.rows("s.whole", "SELECT count(*) FROM t").await.unwrap(), ["|5000|"]);
    for (table, expected) in [
        ("s.cut_bz", "the bzip2 data ends too early"),
        ("s.cut_x", "the xz data ends too early"),
        ("s.damaged_bz", "the bzip2 data is damaged"),
        ("s.damaged_x", "the xz data is damaged"),
        ("s.no_bz", "the bzip2 data is damaged"),
        ("s.no_x", "the xz data is damaged"),
    ] {
        let error = lake.fails(table).await.to_string();
        assert!(error.ends_with(expected), "{table}: {error}");
    }
}

/// A file that is larger than what is looked at as a whole: rows of `line`, with others in two places.
fn large(header: &str, line: &str, middle: &str, last: &str) -> Vec<u8> {
    let mut content = header.as_bytes().to_vec();
    while content.len() < 18 << 20 {
        content.extend_from_slice(line.as_bytes());
        if content.len() >= 9 << 20 && content.len() - line.len() < 9 << 20 {
            content.extend_from_slice(middle.repeat(20).as_bytes());
        }
    }
    content.extend_from_slice(last.as_bytes());
    content
}

#[tokio::test]
async fn the_middle_and_the_end_of_a_large_file_are_looked_at() {
    let filler = "abcdefghijklmnopqrstuvwxyz".repeat(4);
    let line = format!("1,2,3,4,\"{filler}\"\n");
    let content = large("a,b,c,d,e\n", &line, "1,2,2.5,4,x\n", "1,N/A,3,word,\"é\ny\"\n");
    let quoted = large("a,b\n", &format!("1,\"{filler}\n7,8\"\n"), "", "x,\"y\"\n");
    let latin = large("a,b\n", &format!("1,{filler}\n"), "", "");
    let latin = [latin, b"2,Caf\xE9\n".to_vec()].concat();
    let lake = Fixture::new(&[("s/t.csv", &content), ("s/quoted.csv", &quoted), ("s/latin.csv", &latin)]).await;
    assert_eq!(lake.columns("s.t").await, "a Int64, b Int64, c Float64, d Utf8View, e Utf8View");
    let rows = lake.rows("s.t", "SELECT count(*) - count(b), max(d), max(c) FROM t").await.unwrap();
    assert_eq!(rows, ["|1|word|3.0|"]);
    // A line of a quoted text that looks like a record is none.
    assert_eq!(lake.columns("s.quoted").await, "a Utf8View, b Utf8View");
    assert_eq!(lake.rows("s.latin", "SELECT b FROM t WHERE a = 2").await.unwrap(), ["|Café|"]);
}

#[tokio::test]
async fn words_for_a_missing_value_are_null_among_other_values() {
    let text = b"n,f,b,d,t,mixed,all\n1,2.5,true,2024-01-01,NA,NA,-\n\
        NA,N/A,NULL,-,\\N,5,-\n***,NaN,#N/A,null,\"\\N\",x,NA\n\"NA\",,,,,,\n";
    let lake = Fixture::new(&[("s/t.csv", text), ("s/u/1.csv", b"a\nNA\n"), ("s/u/2.csv", b"a\n5\n.\n")]).await;
    assert_eq!(
        lake.columns("s.t").await,
        "n Int64, f Float64, b Boolean, d Date32, t Utf8View, mixed Utf8View, all Utf8View"
    );
    let rows = lake.rows("s.t", "SELECT n, f, b, d, t, mixed, \"all\" FROM t").await.unwrap();
    assert_eq!(rows, ["|1|2.5|true|2024-01-01|NA|NA|-|", "||||||5|-|", "||NaN|||\\N|x|NA|", "||||||||"]);
    let rows = lake.rows("s.u", "SELECT a FROM t ORDER BY a").await.unwrap();
    assert_eq!(rows, ["|5|", "||", "||"]);
    // A definition's words are the only ones.
    let sql = "CREATE EXTERNAL TABLE s.d STORED AS CSV LOCATION 's/d.csv' OPTIONS (null_values 'x');";
    let lake = Fixture::defined(&[("s/d.csv", b"a,b,c\nx,NA,x\n1,2,x\n")], "tables/a.sql", sql).await;
    assert_eq!(lake.columns("s.d").await, "a Int64, b Utf8View, c Utf8View");
    assert_eq!(lake.rows("s.d", "SELECT * FROM t").await.unwrap(), ["||NA||", "|1|2||"]);
}

#[tokio::test]
async fn a_word_behind_the_sample_is_an_error() {
    // In neither of the three places that are looked at.
    let mut content = large("a,b\n", &format!("1,{}\n", "z".repeat(60)), "", "");
    let at = (7 << 20) + content[7 << 20..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    content.splice(at..at, *b"NA,x\n");
    let lake = Fixture::new(&[("s/t.csv", &content)]).await;
    let error = lake.rows("s.t", "SELECT max(a) FROM t").await.unwrap_err();
    assert!(matches!(&error, Error::BadValue { value, .. } if value == "NA"), "{error}");
}

#[tokio::test]
async fn a_comma_stands_before_decimals_where_it_is_no_delimiter() {
    let sql = "CREATE EXTERNAL TABLE s.d (a NUMERIC(9,2), b FLOAT8) STORED AS CSV LOCATION 's/d.csv'
        OPTIONS (delimiter ';', decimal ',');";
    let lake = Fixture::defined(
        &[
            ("s/semi.csv", b"a;b;c;d\n3,14;1,234;1.234;48.5\n2;5;6.789;2\n-0,5;7;8.000;3\n"),
            ("s/tab.tsv", b"a\tb\n3,14\t1.234,5\n2\t5\n"),
            ("s/comma.csv", b"a,b\n\"3,14\",1\n\"2,5\",2\n"),
            ("s/t/1.csv", b"a;b\n3,5;x\n"),
            ("s/t/2.csv", b"b,a\ny,4.25\n"),
            ("s/d.csv", b"a;b\n3,14;1,5\n"),
        ],
        "tables/a.sql",
        sql,
    )
    .await;
    // 48.5 in the last column shows that points are decimal here too: 1,234 and 1.234 stay what they are or are read so.
    assert_eq!(lake.columns("s.semi").await, "a Float64, b Utf8View, c Float64, d Float64");
    assert_eq!(lake.rows("s.semi", "SELECT a, d FROM t").await.unwrap(), ["|3.14|48.5|", "|2.0|2.0|", "|-0.5|3.0|"]);
    assert_eq!(lake.columns("s.tab").await, "a Float64, b Utf8View");
    assert_eq!(lake.columns("s.comma").await, "a Utf8View, b Int64");
    assert_eq!(lake.rows("s.t", "SELECT a, b FROM t ORDER BY a").await.unwrap(), ["|3.5|x|", "|4.25|y|"]);
    assert_eq!(lake.rows("s.d", "SELECT * FROM t").await.unwrap(), ["|3.14|1.5|"]);
}

#[tokio::test]
async fn numbers_stay_exact() {
    let lake = Fixture::new(&[(
        "s/t.csv",
        b"big,id,wide,code\n1,9007199254740993,1,01\n99999999999999999999999999999999999999,0.5,9223372036854775807,2\n",
    )])
    .await;
    assert_eq!(lake.columns("s.t").await, "big Decimal128(38, 0), id Utf8View, wide Int64, code Utf8View");
    let rows = lake.rows("s.t", "SELECT max(big), min(id), max(wide) FROM t").await.unwrap();
    assert_eq!(rows, ["|99999999999999999999999999999999999999|0.5|9223372036854775807|"]);
}

#[tokio::test]
async fn moments_are_recognised_in_many_forms() {
    let lake = Fixture::new(&[
        (
            "s/t.csv",
            b"AAAAMMJJ,AAAAMMJJHH,n,ymd,dmy,mdy,dotted,open,ts\n\
              20240131,2024013123,20240131,2024/01/31,31/01/2024,01/31/2024,31.01.2024,01/02/2024,1706745600\n\
              20240201,2024020100,20240201,2024/02/01,01/02/2024,02/01/2024 10:30,01.02.2024,02/01/2024,1706832000\n",
        ),
        ("s/u/1.csv", b"d\n01/02/2024\n"),
        ("s/u/2.csv", b"d\n31/01/2024\n"),
    ])
    .await;
    assert_eq!(
        lake.columns("s.t").await,
        "AAAAMMJJ Date32, AAAAMMJJHH Timestamp(µs), n Int64, ymd Date32, dmy Date32, mdy Timestamp(µs), dotted Date32, \
         open Utf8View, ts Int64"
    );
    let rows = lake.rows("s.t", "SELECT * FROM t").await.unwrap();
    assert_eq!(
        rows,
        [
            "|2024-01-31|2024-01-31T23:00:00|20240131|2024-01-31|2024-01-31|2024-01-31T00:00:00|2024-01-31|01/02/2024|\
             1706745600|",
            "|2024-02-01|2024-02-01T00:00:00|20240201|2024-02-01|2024-02-01|2024-02-01T10:30:00|2024-02-01|02/01/2024|\
             1706832000|",
        ]
    );
    assert_eq!(lake.rows("s.u", "SELECT d FROM t ORDER BY d").await.unwrap(), ["|2024-01-31|", "|2024-02-01|"]);
    let sql = "CREATE EXTERNAL TABLE s.d STORED AS CSV LOCATION 's/d.csv'
        OPTIONS (date_format '%d-%m-%y', timestamp_format '%Y%m%d%H%z');";
    let text = b"a,b,c\n31-12-24,2024010100+0100,2024-01-01\n01-02-24,2024010101+0100,2024-01-02\n";
    let lake = Fixture::defined(&[("s/d.csv", text)], "tables/a.sql", sql).await;
    let rows = lake.rows("s.d", "SELECT * FROM t").await.unwrap();
    assert_eq!(rows[0], "|2024-12-31|2023-12-31T23:00:00Z|2024-01-01|");
}

#[tokio::test]
async fn headers_and_lines_before_them_are_found() {
    let rows = "1880,-.18,5\r\n1881,-.2,x\r\n".repeat(100);
    let title = format!("Land-Ocean: Global Means\r\n\r\nYear,Jan,Feb\r\n{rows}1882,1,2,3\r\n");
    let sql = "CREATE EXTERNAL TABLE s.given STORED AS CSV LOCATION 's/given.csv' OPTIONS (header 'true');";
    let lake = Fixture::defined(
        &[
            ("s/none.csv", b"2024-01-01,x,5\n2024-01-02,y,6\n"),
            ("s/given.csv", b"1,x\n2,y\n"),
            ("s/years.csv", b"Country,1960,1961\nAruba,54211,55438\n"),
            ("s/title.csv", title.as_bytes()),
            ("s/notes.csv.gz", &gzip(b"# it's \"open\n# more\nyear;temp\n1880;1,5\n")),
            ("s/named.csv", b"#year,temp\n1880,1.5\n"),
        ],
        "tables/a.sql",
        sql,
    )
    .await;
    assert_eq!(lake.columns("s.none").await, "column_1 Date32, column_2 Utf8View, column_3 Int64");
    assert_eq!(lake.rows("s.none", "SELECT * FROM t").await.unwrap(), ["|2024-01-01|x|5|", "|2024-01-02|y|6|"]);
    assert_eq!(lake.rows("s.given", "SELECT * FROM t").await.unwrap(), ["|2|y|"]);
    assert_eq!(lake.columns("s.years").await, "Country Utf8View, 1960 Int64, 1961 Int64");
    assert_eq!(lake.columns("s.title").await, "Year Int64, Jan Float64, Feb Utf8View");
    // Lines are those of the file.
    assert!(matches!(lake.fails("s.title").await, Error::BadRecord { line: 204, .. }));
    assert_eq!(lake.rows("s.notes", "SELECT * FROM t").await.unwrap(), ["|1880|1.5|"]);
    assert_eq!(lake.columns("s.named").await, "year Int64, temp Float64");
}

#[tokio::test]
async fn bad_records_are_left_out_if_a_definition_says_so() {
    let sql =
        "CREATE EXTERNAL TABLE s.t (n INT, a TEXT, d DATE) STORED AS CSV LOCATION 's/t/' OPTIONS (on_error 'skip');
        CREATE EXTERNAL TABLE s.strict (n INT, a TEXT) STORED AS CSV LOCATION 's/strict.csv';";
    let text = b"n,a,d\n1,x,2024-01-01\noops,y,2024-01-02\n3,\"two\nlines\",2024-01-03\n4,x\n\
        5,\"z\"z,2024-01-05\n6,w,2024-13-01\n7,v,2024-01-07\n8,\"open,2024-01-08\n9,u,2024-01-09\n";
    let files: [(&str, &[u8]); 3] =
        [("s/t/1.csv", text), ("s/t/2.csv", b"n,a,d\n10,t,\n"), ("s/strict.csv", b"n,a\noops,1\n")];
    let lake = Fixture::defined(&files, "tables/a.sql", sql).await;
    // Whatever is asked for, the rows are the same.
    for sql in ["SELECT count(*) FROM t", "SELECT count(a) FROM t"] {
        assert_eq!(lake.rows("s.t", sql).await.unwrap(), ["|5|"], "{sql}");
    }
    assert_eq!(lake.rows("s.t", "SELECT n FROM t ORDER BY n").await.unwrap(), ["|1|", "|3|", "|7|", "|9|", "|10|"]);
    let snapshot = lake.lake().snapshot();
    let Kind::Lake(table) = &snapshot.table("s", "t").unwrap().kind else { panic!("a table") };
    let crate::format::Content::Csv { plan, .. } = &table.opened().unwrap().content else { panic!("text") };
    let (count, kept) = plan.rejects("s/t/1.csv").unwrap().found();
    let shown: Vec<String> = kept
        .iter()
        .map(|reject| {
            format!("{} {} {} {}", reject.line, reject.column.as_deref().unwrap_or("-"), reject.reason, reject.text)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "3 n no value of type integer oops",
            "6 - 2 fields, expected 3 4,x",
            "7 - text after a closing quote 5,\"z\"z,2024-01-05",
            "8 d no value of type date 2024-13-01",
            "10 - the quote opened on line 10 is never closed 8,\"open,2024-01-08",
        ]
    );
    assert_eq!(count, 5);
    assert_eq!(plan.rejects("s/t/2.csv").unwrap().found().0, 0);
    assert!(matches!(lake.fails("s.strict").await, Error::BadValue { line: 2, .. }));
}

#[tokio::test]
async fn a_text_with_columns_is_a_table() {
    let rows: String =
        (10..99).fold(String::new(), |text, row| text + &format!(" 000{row} 19970101  {row}   11.77\r\n"));
    let lake = Fixture::new(&[
        ("s/cdnow.txt", format!(" customer_id  date number_of_cds  dollar_value\r\n{rows}").as_bytes()),
        ("s/tabs.txt.gz", &gzip(b"a\tb\n1\tx y\n")),
        ("s/notes.txt", b"These are notes.\nThey are short, and no table.\n\nMind the gap.\n"),
    ])
    .await;
    assert_eq!(
        lake.columns("s.cdnow").await,
        "customer_id Utf8View, date Date32, number_of_cds Int64, dollar_value Float64"
    );
    assert_eq!(lake.rows("s.cdnow", "SELECT * FROM t LIMIT 1").await.unwrap(), ["|00010|1997-01-01|10|11.77|"]);
    assert_eq!(lake.rows("s.tabs", "SELECT b FROM t").await.unwrap(), ["|x y|"]);
    assert!(matches!(lake.fails("s.notes").await, Error::NoColumns { .. }));
}

#[tokio::test]
async fn a_text_without_columns_is_no_table_once_it_was_looked_at() {
    let sql = "CREATE EXTERNAL TABLE s.told STORED AS CSV LOCATION 's/told.txt' OPTIONS (comment '#');";
    let lake = Fixture::defined(
        &[
            ("s/notes.txt", b"These are notes.\nThey are short, and no table.\n\nMind the gap.\n"),
            ("s/line.txt", b"see the wiki\nor ask Bob\n"),
            ("s/told.txt", b"These are notes.\nThey are short, and no table.\n\nMind the gap.\n"),
            ("s/words.csv", b"word\none\ntwo three\n"),
            ("s/few.txt", b"n name\n1 one\n"),
            ("s/names.txt", b"city name\nrome ann\nparis bob\n"),
            ("s/mixed/a.txt", b"These are notes.\nThey are short, and no table.\n"),
            ("s/mixed/b.csv", b"a,a\n1,2\n"),
        ],
        "tables/told.sql",
        sql,
    )
    .await;
    let prose = |key: &str| (key.to_owned(), "it is text without columns".to_owned());
    for _ in 0..2 {
        lake.lake().warm(CancellationToken::new()).await;
        assert_eq!(lake.names(), ["s.few", "s.mixed", "s.names", "s.told", "s.words"]);
        let skipped = lake.skipped();
        assert_eq!(skipped.iter().filter(|(_, reason)| reason.ends_with("without columns")).count(), 4);
        assert!(skipped.contains(&prose("s/line.txt")) && skipped.contains(&prose("s/notes.txt")), "{skipped:?}");
        lake.lake().refresh().await.unwrap();
    }
    assert!(matches!(lake.fails("s.mixed").await, Error::DuplicateColumn { .. }));
    lake.write("s/notes.txt", b"a;b\n1;2\n");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.columns("s.notes").await, "a Int64, b Int64");
}

#[tokio::test]
async fn any_text_is_a_table_or_an_error() {
    let parts =
        ["a", "1", "2.5", ",", ",", ";", "\"", "\n", "\n", "\r\n", "#", "-", " ", "é", "\t", "2024-01-01", "NA"];
    let mut state = 7_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % below
    };
    let files: Vec<(String, Vec<u8>)> = (0..300)
        .map(|at| {
            let length = random(60);
            let text: String = (0..length).map(|_| parts[random(parts.len())]).collect();
            (format!("s/t{at}.{}", if at % 3 == 0 { "txt" } else { "csv" }), text.into_bytes())
        })
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, text)| (key.as_str(), text.as_slice())).collect();
    let sql: String = (0..100)
        .map(|at| {
            format!(
                "CREATE EXTERNAL TABLE s.t{} STORED AS CSV LOCATION '{}' OPTIONS (on_error 'skip');\n",
                at, files[at].0
            )
        })
        .collect();
    let lake = Fixture::defined(&files, "tables/a.sql", &sql).await;
    let mut read = 0;
    for at in 0..files.len() {
        let table = format!("s.t{at}");
        let Ok(context) = lake.table(&table).await else { continue };
        let Ok(all) = context.sql("SELECT * FROM t").await.unwrap().collect().await else { continue };
        let rows: usize = all.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(lake.rows(&table, "SELECT count(*) FROM t").await.unwrap(), [format!("|{rows}|")], "{table}");
        read += 1;
    }
    assert!(read > 50, "{read}");
}
