//! What is read again is read from its shadow, and nobody sees a difference.

use super::*;

const KINDS: &str = "\u{1F600}";

/// Rows of all kinds of columns that text can have, with NULLs and line ends in quotes.
pub(super) fn csv(rows: std::ops::Range<u64>) -> Vec<u8> {
    let mut text = String::from("id;real;day;at;instant;flag;text;empty;cents\r\n");
    for n in rows {
        let null = |text: String, every: u64| if n.is_multiple_of(every) { String::new() } else { text };
        let day = format!("20{:02}-{:02}-{:02}", n % 100, n % 12 + 1, n % 28 + 1);
        text += &[
            n.to_string(),
            null(format!("{},{}", n * 7 % 1_000, n % 10), 5),
            null(day.clone(), 7),
            null(format!("{day} {:02}:10:{:02}", n % 24, n % 60), 11),
            null(format!("{day}T01:02:03+02:00"), 13),
            null((n % 2 == 0).to_string(), 17),
            null(format!("\"a;\"\"{n}\"\"\r\n{KINDS}{}\"", "x".repeat((n % 90) as usize)), 3),
            String::new(),
            format!("{}.25", n % 50),
        ]
        .join(";");
        text += "\r\n";
    }
    text.into_bytes()
}

/// The same columns in another order, one more and one less.
pub(super) fn other(rows: std::ops::Range<u64>) -> Vec<u8> {
    let mut text = String::from("text,more,id,flag\n");
    rows.for_each(|n| text += &format!("{},{}.5,{n},{}\n", "é".repeat((n % 40) as usize), n % 9, n % 3 == 0));
    text.into_bytes()
}

pub(super) fn json(rows: std::ops::Range<u64>) -> Vec<u8> {
    let line = |n: u64| match n % 4 {
        0 => format!("{{\"id\":{n},\"of\":{{\"name\":\"n{n}\",\"at\":\"2024-01-01T00:00:{:02}Z\"}}}}\n", n % 60),
        1 => format!("{{\"id\":{n},\"list\":[1.5,null,{n}],\"of\":{{\"name\":null,\"deep\":{{\"k\":[{n}]}}}}}}\n"),
        2 => format!("{{\"list\":[],\"id\":{n},\"text\":\"\\u00e9 \\\"{n}\\\"\\n\",\"of\":null}}\n"),
        _ => format!(
            "{{\"id\":{n},\"flag\":true,\"odd\":{},\"list\":null}}\n",
            if n == 7 { "[{\"a\":1}]" } else { "[]" }
        ),
    };
    rows.map(line).collect::<String>().into_bytes()
}

pub(super) const ROWS: u64 = 2_500;

/// Packed, and not smaller for it.
fn stored(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

async fn lake() -> Fixture {
    Fixture::new(&[
        ("s/c/k=1/a.csv", &csv(0..ROWS)),
        ("s/c/k=1/b.csv.gz", &stored(&csv(ROWS..ROWS * 2))),
        ("s/c/k=2/c.csv", &other(50..8_050)),
        ("s/c/k=__HIVE_DEFAULT_PARTITION__/small.csv", &csv(3..20)),
        ("s/j/1.ndjson", &json(0..9_000)),
        ("s/j/2.ndjson", &json(0..8_000)),
    ])
    .await
}

const QUESTIONS: [(&str, &str); 12] = [
    ("s.c", "SELECT * FROM t ORDER BY id, more, k"),
    ("s.c", "SELECT id, text, k FROM t WHERE id BETWEEN 100 AND 180 AND k = 1 ORDER BY id"),
    ("s.c", "SELECT count(*), count(text), min(day), max(at), max(instant), min(cents), sum(id) FROM t"),
    ("s.c", "SELECT flag, k, count(*), sum(more) FROM t GROUP BY flag, k ORDER BY flag, k"),
    ("s.c", "SELECT max(text), count(more) FROM t WHERE text IS NOT NULL AND id > 7000"),
    ("s.c", "SELECT id FROM t WHERE real > 990 AND empty IS NULL ORDER BY id LIMIT 40"),
    ("s.c", "SELECT count(*) FROM t WHERE more IS NULL OR id = 7"),
    ("s.j", "SELECT * FROM t ORDER BY id, text"),
    ("s.j", "SELECT id, of, list FROM t WHERE id IN (1, 7, 77, 8999) ORDER BY id"),
    ("s.j", "SELECT count(*), count(of), count(list), count(flag), max(id) FROM t"),
    ("s.j", "SELECT id FROM t WHERE of IS NULL AND id < 40 ORDER BY id"),
    ("s.j", "SELECT odd, count(*) FROM t GROUP BY odd ORDER BY 2"),
];

async fn answers(lake: &Fixture) -> Vec<Vec<String>> {
    let mut answers = Vec::new();
    for (table, sql) in QUESTIONS {
        answers.push(lake.rows(table, sql).await.unwrap());
    }
    answers
}

/// The keys of the files of a table that have a shadow.
pub(super) fn shadowed(lake: &Fixture, name: &str) -> Vec<String> {
    let (schema, table) = name.split_once('.').unwrap();
    let snapshot = lake.lake().snapshot();
    let Kind::Lake(of) = &snapshot.table(schema, table).unwrap().kind else { panic!("a view") };
    let opened = of.opened().unwrap();
    let files = opened.content.files().zip(&opened.ids);
    let has = |id: Option<crate::shadow::Id>| id.is_some_and(|id| lake.lake().shadows.peek(id).is_some());
    files.filter(|(_, id)| has(**id)).map(|(file, _)| file.key().to_owned()).collect()
}

/// Reads all files of a table to their ends and makes their shadows.
pub(super) async fn settle(lake: &Fixture, table: &str) {
    for _ in 0..2 {
        lake.rows(table, "SELECT count(*) FROM t WHERE random() < 2").await.unwrap();
        lake.lake().make_shadows().await;
    }
}

#[tokio::test]
async fn answers_from_shadows_are_those_of_the_text() {
    let lake = lake().await;
    let before = answers(&lake).await;
    assert_eq!(shadowed(&lake, "s.c"), Vec::<String>::new());
    lake.lake().make_shadows().await;
    let all = ["s/c/k=1/a.csv", "s/c/k=1/b.csv.gz", "s/c/k=2/c.csv"];
    assert_eq!(shadowed(&lake, "s.c"), all);
    assert_eq!(shadowed(&lake, "s.j"), ["s/j/1.ndjson", "s/j/2.ndjson"]);
    for (at, (before, after)) in before.iter().zip(answers(&lake).await).enumerate() {
        assert!(!before.is_empty());
        assert!(*before == after, "{}", QUESTIONS[at].1);
    }
    // What has a shadow is not read.
    let plan = lake.rows("s.j", "EXPLAIN SELECT id FROM t WHERE id = 5").await.unwrap().join("\n");
    assert!(plan.contains("DataSourceExec") && !plan.contains("StreamingTableExec"), "{plan}");
    let plan = lake.rows("s.c", "EXPLAIN SELECT id FROM t WHERE id = 5").await.unwrap().join("\n");
    assert!(plan.contains("DataSourceExec") && plan.contains("StreamingTableExec"), "{plan}");
}

#[tokio::test]
async fn a_query_that_stops_early_has_not_read_a_file() {
    let lake = Fixture::new(&[("s/a.csv", &csv(0..ROWS))]).await;
    for _ in 0..3 {
        assert_eq!(lake.rows("s.a", "SELECT id FROM t LIMIT 3").await.unwrap(), ["|0|", "|1|", "|2|"]);
    }
    lake.lake().make_shadows().await;
    assert_eq!(shadowed(&lake, "s.a"), Vec::<String>::new());
    settle(&lake, "s.a").await;
    assert_eq!(shadowed(&lake, "s.a"), ["s/a.csv"]);
    assert_eq!(lake.rows("s.a", "SELECT id FROM t LIMIT 3").await.unwrap(), ["|0|", "|1|", "|2|"]);
}

#[tokio::test]
async fn queries_are_answered_while_a_shadow_is_made() {
    let lake = Fixture::new(&[("s/a/1.csv", &csv(0..ROWS)), ("s/a/2.csv", &csv(0..ROWS))]).await;
    let sql = "SELECT sum(id), count(DISTINCT text) FROM t";
    let before = lake.rows("s.a", sql).await.unwrap();
    lake.rows("s.a", sql).await.unwrap();
    let asking = async {
        let mut seen = Vec::new();
        while seen.last() != Some(&2) {
            assert_eq!(lake.rows("s.a", sql).await.unwrap(), before);
            seen.push(shadowed(&lake, "s.a").len());
        }
        seen
    };
    let (seen, ()) = tokio::join!(asking, lake.lake().make_shadows());
    assert!(seen.len() > 1 && seen.is_sorted(), "{seen:?}");
}

#[tokio::test]
async fn a_replaced_file_is_never_read_from_the_shadow_of_the_last() {
    let lake = Fixture::new(&[("s/a/1.csv", &csv(0..ROWS)), ("s/a/2.csv", &csv(0..ROWS))]).await;
    settle(&lake, "s.a").await;
    assert_eq!(shadowed(&lake, "s.a"), ["s/a/1.csv", "s/a/2.csv"]);
    lake.write("s/a/1.csv", &csv(1..ROWS + 1));
    // Until it is listed, the answer is that of the last.
    let sum = "SELECT sum(id) - 3123750 FROM t";
    assert_eq!(lake.rows("s.a", sum).await.unwrap(), ["|3123750|"]);
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.rows("s.a", sum).await.unwrap(), [format!("|{}|", 3_123_750 + ROWS)]);
    assert_eq!(shadowed(&lake, "s.a"), ["s/a/2.csv"]);
    lake.remove("s/a/2.csv");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.rows("s.a", sum).await.unwrap(), [format!("|{ROWS}|")]);
}

#[tokio::test]
async fn another_type_of_a_column_makes_another_shadow() {
    let numbers: String = (0..40_000).map(|n| format!("{n},{n}\n")).collect();
    let lake = Fixture::new(&[("s/a/1.csv", format!("a,b\n{numbers}").as_bytes())]).await;
    settle(&lake, "s.a").await;
    lake.write("s/a/2.csv", b"b,a,c\n1,1,x\n");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.rows("s.a", "SELECT max(a), max(c) FROM t").await.unwrap(), ["|39999|x|"]);
    assert_eq!(shadowed(&lake, "s.a"), ["s/a/1.csv"], "a column more in another file changes nothing");
    lake.write("s/a/3.csv", b"a,b\n2.5,1\n");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.columns("s.a").await, "a Float64, b Int64, c Utf8View");
    assert_eq!(shadowed(&lake, "s.a"), Vec::<String>::new());
    let sql = "SELECT sum(a), max(b) FROM t";
    let before = lake.rows("s.a", sql).await.unwrap();
    settle(&lake, "s.a").await;
    assert_eq!(shadowed(&lake, "s.a"), ["s/a/1.csv"]);
    assert_eq!(lake.rows("s.a", sql).await.unwrap(), before);
}

#[tokio::test]
async fn a_file_with_faults_has_no_shadow() {
    let mut text: String = (0..40_000).map(|n| format!("{n},{n}\n")).collect();
    text += "1,2,3\n";
    let lake = Fixture::defined(
        &[("s/skip.csv", format!("a,b\n{text}").as_bytes()), ("s/fail.csv", format!("a,b\n{}", text.repeat(40)).as_bytes())],
        "tables/skip.sql",
        "CREATE EXTERNAL TABLE s.skip (a BIGINT, b BIGINT) STORED AS CSV LOCATION 's/skip.csv' OPTIONS (on_error 'skip')",
    )
    .await;
    settle(&lake, "s.skip").await;
    assert_eq!(shadowed(&lake, "s.skip"), Vec::<String>::new());
    assert_eq!(lake.rows("s.skip", "SELECT count(*) FROM t").await.unwrap(), ["|40000|"]);
    for _ in 0..3 {
        assert!(matches!(lake.fails("s.fail").await, Error::BadRecord { line: 40_002, .. }));
        lake.lake().make_shadows().await;
    }
    assert_eq!(shadowed(&lake, "s.fail"), Vec::<String>::new());
}

/// A process with a folder for shadows.
pub(super) async fn with_cache(lake: Fixture, bytes_max: u64) -> Fixture {
    let config = Config { cache_dir: Some(lake.dir.path().join("cache")), cache_bytes_max: bytes_max, ..lake.config() };
    // The folder is free again.
    let Fixture { dir, lake } = lake;
    drop(lake);
    Fixture { dir, lake: None }.open_with(config).await
}

/// The files in the folder of shadows.
pub(super) fn on_disk(lake: &Fixture) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(lake.dir.path().join("cache")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some()).collect()
}

#[tokio::test]
async fn a_new_process_uses_the_shadows_of_the_last() {
    let lake = with_cache(lake().await, 1 << 30).await;
    let before = answers(&lake).await;
    lake.lake().make_shadows().await;
    assert_eq!(on_disk(&lake).len(), 5);
    std::fs::write(lake.dir.path().join("cache/left over.unfinished"), "x").unwrap();
    let lake = with_cache(lake, 1 << 30).await;
    lake.lake().warm(CancellationToken::new()).await;
    assert_eq!(on_disk(&lake).len(), 5);
    assert_eq!(shadowed(&lake, "s.c").len(), 3);
    assert!(answers(&lake).await == before);
    assert!(lake.lake().shadows.are_on());
    let second = Config { cache_dir: Some(lake.dir.path().join("cache")), ..lake.config() };
    let second = Lake::open(second, &lake.dir.path().join("sql")).await.unwrap();
    assert!(!second.shadows.are_on(), "two processes do not share a folder");
}

#[tokio::test]
async fn a_damaged_shadow_is_not_read() {
    let lake = with_cache(Fixture::new(&[("s/a.csv", &csv(0..ROWS))]).await, 1 << 30).await;
    let sql = "SELECT sum(id), count(text), max(day) FROM t";
    let before = lake.rows("s.a", sql).await.unwrap();
    for damage in 0..6_usize {
        settle(&lake, "s.a").await;
        assert_eq!(shadowed(&lake, "s.a"), ["s/a.csv"], "{damage}");
        let path = on_disk(&lake).pop().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let length = bytes.len();
        match damage {
            0 => bytes.truncate(length / 2),
            1 => bytes[length / 2] ^= 1,
            2 => bytes[9] ^= 0x80,
            3 => bytes.clear(),
            4 => bytes[length - 4_000] ^= 1,
            _ => {}
        }
        if damage == 5 {
            std::fs::remove_file(&path).unwrap()
        } else {
            std::fs::write(&path, bytes).unwrap()
        }
        let error = lake.rows("s.a", sql).await;
        assert!(error.is_ok() || matches!(error, Err(Error::Replaced { .. })), "{damage}: {error:?}");
        assert_eq!(lake.rows("s.a", sql).await.unwrap(), before, "{damage}");
        lake.rows("s.a", "SELECT * FROM t").await.unwrap_or_default();
        assert_eq!(shadowed(&lake, "s.a"), Vec::<String>::new(), "{damage}");
    }
}

#[tokio::test]
async fn the_shadow_that_was_not_used_goes_first_and_nobody_loses_it() {
    let files: Vec<(String, Vec<u8>)> = (0..4_u64).map(|n| (format!("s/t{n}.csv"), csv(n..ROWS + n))).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, text)| (key.as_str(), text.as_slice())).collect();
    let lake = with_cache(Fixture::new(&files).await, 1 << 30).await;
    settle(&lake, "s.t0").await;
    let bytes = std::fs::metadata(on_disk(&lake).pop().unwrap()).unwrap().len();
    let lake = with_cache(lake, bytes * 2 + bytes / 2).await;
    for table in ["s.t0", "s.t1"] {
        settle(&lake, table).await;
    }
    // A query that has begun.
    let context = lake.table("s.t1").await.unwrap();
    let running = context.sql("SELECT sum(id) FROM t").await.unwrap().create_physical_plan().await.unwrap();
    lake.rows("s.t0", "SELECT sum(id) FROM t").await.unwrap();
    settle(&lake, "s.t2").await;
    let of = |n: usize| shadowed(&lake, &format!("s.t{n}")).len();
    lake.lake().warm(CancellationToken::new()).await;
    assert_eq!([of(0), of(1), of(2), of(3)], [1, 0, 1, 0]);
    assert_eq!(on_disk(&lake).len(), 3);
    let batches = datafusion::physical_plan::collect(running, context.task_ctx()).await.unwrap();
    assert_eq!(batches[0].num_rows(), 1);
    drop((batches, context));
    assert_eq!(on_disk(&lake).len(), 2);
    let lake = with_cache(lake, 0).await;
    settle(&lake, "s.t0").await;
    assert_eq!(shadowed(&lake, "s.t0"), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_without_a_name_goes_with_the_process() {
    let lake = Fixture::new(&[("s/a.csv", &csv(0..ROWS))]).await;
    settle(&lake, "s.a").await;
    let folder = lake.lake().shadows.path().unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let held = Arc::clone(lake.lake());
    held.close_shadows();
    assert!(!folder.exists());
    // Who asks still gets an answer, at the second try.
    assert!(matches!(lake.rows("s.a", "SELECT sum(id) FROM t").await, Err(Error::Replaced { .. })));
    lake.rows("s.a", "SELECT sum(id) FROM t").await.unwrap();
    let lake = lake.open().await;
    settle(&lake, "s.a").await;
    let folder = lake.lake().shadows.path().unwrap();
    drop(lake);
    assert!(!folder.exists());
}
