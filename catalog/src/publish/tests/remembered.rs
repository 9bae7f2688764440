//! What was seen of files is kept in the lake, and believed only of the same files.

use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Float64Array};

use super::*;

/// Everything that a table shows of itself: its columns, what is known of them, and its rows.
async fn shown(lake: &Fixture) -> String {
    let mut shown = String::new();
    for name in lake.names() {
        let (schema, table) = name.split_once('.').unwrap();
        let snapshot = lake.lake().snapshot();
        let Kind::Lake(of) = &snapshot.table(schema, table).unwrap().kind else { continue };
        shown += &format!("{name}: {}\n", lake.columns(&name).await);
        let opened = of.opened().unwrap();
        shown += &format!("{:?} {:?}\n", opened.known().bounds.all(), opened.schema);
        if let crate::format::Content::Csv { facts, columns, files, .. } = &opened.content {
            let layouts: Vec<_> = files.iter().map(|(_, layout)| layout).collect();
            shown += &format!("{facts:?} {layouts:?}\n");
            for (name, seen) in columns {
                use crate::format::csv::Class::{Boolean, Moment, Number, Text};
                let classes = [Number, Moment, Boolean, Text];
                let classes = classes.map(|class| (seen.count(class), seen.first(class).map(|first| first.shown())));
                shown += &format!("{name} {:?} {:?} {classes:?}\n", seen.kinds, seen.markers);
            }
        }
        shown += &format!("{:?}\n", lake.rows(&name, "SELECT * FROM t ORDER BY 1").await.unwrap());
    }
    shown
}

/// Another process that opens all tables.
async fn restarted(lake: Fixture) -> Fixture {
    let lake = lake.open().await;
    lake.lake().warm(CancellationToken::new()).await;
    lake
}

/// Writes what was learned; true if there was anything.
async fn kept(lake: &Fixture) -> bool {
    let source = lake.lake().sources.first().unwrap();
    let is_any = source.shelf.waits();
    source.shelf.write(source.store.as_ref()).await;
    is_any
}

async fn lake() -> Fixture {
    let columns: [(&str, ArrayRef); 6] = [
        ("n", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(7)]))),
        ("text", Arc::new(StringArray::from(vec!["a\t\"b\"\n", "é", "z"]))),
        ("day", Arc::new(Date32Array::from(vec![-1, 2, 3]))),
        ("cents", Arc::new(Decimal128Array::from(vec![1, 2, i128::MAX >> 3]).with_precision_and_scale(38, 2).unwrap())),
        ("real", Arc::new(Float64Array::from(vec![0.1, f64::NAN, 2.0]))),
        ("odd", Arc::new(BooleanArray::from(vec![None, None, None] as Vec<Option<bool>>))),
    ];
    let at = TimestampMillisecondArray::from(vec![1, 2, 3]).with_timezone("UTC");
    let lake = Fixture::defined(
        &[
            ("s/p/k=1/a.parquet", &parquet(columns.clone())),
            ("s/p/k=2/b.parquet", &parquet(columns)),
            (
                "s/p/k=3/c.parquet",
                &parquet([("n", Arc::new(Int64Array::from(vec![1]))), ("day", Arc::new(Int64Array::from(vec![1])))]),
            ),
            ("s/p/k=3/d.parquet", b"no Parquet, and so it is looked at again"),
            ("s/at.parquet", &parquet([("at", Arc::new(at))])),
            ("s/c/1.csv", b"id;value\n1;2,5\n2;NA\n"),
            ("s/c/2.csv", b"id;value\r\n3;31.12.2020\r\n"),
            ("s/d/1.csv", b"id,at\n1,01/02/2020\n"),
            ("s/latin.csv", b"id,name\n1,Orl\xe9ans\n"),
            ("s/j/1.ndjson", b"{\"a\":1,\"l\":[1,2],\"o\":{\"k\":\"2020-01-01\"}}\n"),
            ("s/j/2.ndjson", b"{\"b\":true,\"a\":2.5}\n"),
        ],
        "tables/d.sql",
        "CREATE EXTERNAL TABLE s.d STORED AS CSV LOCATION 's/d/' OPTIONS (date_format '%d/%m/%Y')",
    )
    .await;
    lake.lake().warm(CancellationToken::new()).await;
    lake
}

#[tokio::test]
async fn a_new_process_looks_at_no_file_again() {
    let lake = lake().await;
    let names = lake.names();
    let before = shown(&lake).await;
    assert!(kept(&lake).await);
    let lake = restarted(lake).await;
    assert_eq!(lake.names(), names);
    assert_eq!(lake.lake().footers_read(), 1, "only that of the broken file");
    assert!(!kept(&lake).await, "a file was looked at again");
    assert_eq!(shown(&lake).await, before);
    assert!(!lake.lake().refresh().await.unwrap(), "pages are no news");
}

#[tokio::test]
async fn what_changed_is_looked_at_and_the_rest_is_not() {
    let lake = lake().await;
    kept(&lake).await;
    lake.write("s/c/2.csv", b"id;value\r\n3;7,5\r\n");
    lake.write("s/p/k=2/b.parquet", &numbers("n", &[70]));
    lake.write("s/p/k=4/new.parquet", &numbers("n", &[80]));
    lake.write("s/j/1.ndjson", b"{\"a\":\"text\"}\n");
    lake.define(
        "tables/d.sql",
        "CREATE EXTERNAL TABLE s.d STORED AS CSV LOCATION 's/d/' OPTIONS (date_format '%m/%d/%Y')",
    );
    let lake = restarted(lake).await;
    assert_eq!(lake.lake().footers_read(), 3, "the two new ones and that of the broken file");
    let found = shown(&lake).await;
    assert_eq!(lake.columns("s.c").await, "id Int64, value Float64");
    assert_eq!(lake.columns("s.j").await.split(',').next(), Some("a Utf8View"));
    assert_eq!(lake.rows("s.d", "SELECT at FROM t").await.unwrap(), ["|2020-01-02|"]);
    assert_eq!(lake.rows("s.p", "SELECT max(n), count(*) FROM t").await.unwrap(), ["|80|6|"]);
    assert!(kept(&lake).await);
    let lake = restarted(lake).await;
    assert!(!kept(&lake).await);
    assert_eq!(shown(&lake).await, found);
}

#[tokio::test]
async fn a_damaged_page_is_made_again() {
    let lake = lake().await;
    let before = shown(&lake).await;
    kept(&lake).await;
    let pages = lake.dir.path().join("lake/_lakegate/manifest");
    let mut damages = 0;
    for page in std::fs::read_dir(&pages).unwrap() {
        let path = page.unwrap().path();
        let mut page = std::fs::read(&path).unwrap();
        match damages % 4 {
            0 => page.truncate(page.len() / 2),
            1 => *page.last_mut().unwrap() ^= 1,
            2 => page.clear(),
            _ => page[18] = b'2',
        }
        std::fs::write(path, page).unwrap();
        damages += 1;
    }
    assert_eq!(damages, 6);
    let lake = restarted(lake).await;
    assert_eq!(shown(&lake).await, before);
    assert!(kept(&lake).await);
    let lake = restarted(lake).await;
    assert!(!kept(&lake).await);
    assert_eq!(shown(&lake).await, before);
}

/// Every byte of the text of a page may be another one: it is read or not, but nothing panics.
#[tokio::test]
async fn a_page_of_nonsense_ends_nothing() {
    let lake = lake().await;
    let source = lake.lake().sources.first().unwrap();
    let texts = source.shelf.texts();
    assert_eq!(texts.len(), 6);
    let mut state = 3_u64;
    for (place, text) in texts {
        for _ in 0..30 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut bytes = text.clone().into_bytes();
            let at = usize::try_from(state >> 33).unwrap() % bytes.len();
            bytes[at] = b"0917\"[{\n\t,x"[usize::try_from(state >> 20).unwrap() % 11];
            let Ok(text) = String::from_utf8(bytes) else { continue };
            source.shelf.keep(place.clone(), text);
            lake.lake().refresh().await.unwrap();
            let name = place.filename().unwrap().strip_suffix(".zst").unwrap().to_owned();
            let (schema, table) = name.split_once('.').unwrap();
            let again = lake.lake().snapshot().table(schema, table).unwrap().reopened();
            drop(again.columns().await);
        }
    }
}

#[tokio::test]
async fn nothing_is_written_where_it_is_not_wanted() {
    let lake = Fixture { dir: tempfile::tempdir().unwrap(), lake: None };
    std::fs::create_dir(lake.dir.path().join("lake")).unwrap();
    lake.write("s/a.csv", b"x\n1\n");
    let url = lake.dir.path().join("lake").to_str().unwrap().to_owned();
    let sources = vec![SourceConfig { url, ..Default::default() }];
    let config = Config { sources, manifest: false, ..Default::default() };
    let opened = Lake::open(config, &lake.dir.path().join("sql")).await.unwrap();
    opened.warm(CancellationToken::new()).await;
    let source = opened.sources.first().unwrap();
    assert!(!source.shelf.waits());
    source.shelf.write(source.store.as_ref()).await;
    assert!(!lake.dir.path().join("lake/_lakegate").exists());
}

/// The ETag of a local file could be that of the next one, too, if both are written in one tick of the clock.
#[tokio::test]
async fn a_file_that_was_written_just_now_is_not_remembered() {
    let lake = Fixture::new(&[("s/a/1.csv", b"x\n1\n"), ("s/a/2.csv", b"x\n1\n")]).await;
    let file = std::fs::File::options().write(true).open(lake.dir.path().join("lake/s/a/2.csv")).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    lake.lake().refresh().await.unwrap();
    lake.lake().warm(CancellationToken::new()).await;
    let source = lake.lake().sources.first().unwrap();
    let texts = source.shelf.texts();
    let text = texts.values().next().unwrap();
    assert!(text.contains("s/a/1.csv") && !text.contains("s/a/2.csv"), "{text}");
}
