//! Small files that are read again are read from the shadow that they share, and nobody sees a difference.

use super::shadows::{csv, json, on_disk, other, shadowed, with_cache};
use super::*;

/// Two folders of small files, one of them without a name, and two ways to write the columns.
fn files() -> Vec<(String, Vec<u8>)> {
    let folder = |n: u64| ["k=1", "k=2", "k=__HIVE_DEFAULT_PARTITION__"][(n % 3) as usize];
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for n in 0..24 {
        files.push((format!("s/c/{}/a{n:02}.csv", folder(n)), csv(n * 20..n * 20 + 13 + n)));
        files.push((format!("s/c/{}/b{n:02}.csv", folder(n / 2)), other(n * 7..n * 7 + 9)));
        files.push((format!("s/j/n{n:02}.ndjson"), json(n * 5..n * 5 + 11)));
    }
    files.push(("s/c/k=1/packed.csv.gz".to_owned(), gzip(&csv(9_000..9_020))));
    files.push(("s/c/k=2/none.csv".to_owned(), csv(0..0)));
    files
}

async fn lake_of(files: &[(String, Vec<u8>)]) -> Fixture {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, text)| (key.as_str(), text.as_slice())).collect();
    Fixture::new(&files).await
}

/// Numbers from `first` on, two to a file.
fn pairs(first: u64, files: u64) -> Vec<(String, Vec<u8>)> {
    let file = |n: u64| (format!("s/t/{n:04}.csv"), format!("n,of\n{},a\n{},\n", n * 2, n * 2 + 1).into_bytes());
    (first..first + files).map(file).collect()
}

/// Reads all files of a table to their ends, twice, and makes their shadows.
async fn settle(lake: &Fixture, table: &str) {
    for _ in 0..2 {
        lake.rows(table, "SELECT count(*) FROM t WHERE random() < 2").await.unwrap();
    }
    lake.lake().make_shadows().await;
}

const ALL: &str = "SELECT * FROM t ORDER BY n";

/// What all questions about a table of small files are answered with.
async fn answers(lake: &Fixture) -> Vec<Vec<String>> {
    let mut answers = Vec::new();
    for (table, sql) in [
        ("s.c", "SELECT * FROM t ORDER BY id, more, k, text, real"),
        ("s.c", "SELECT k, flag, text, id FROM t WHERE id BETWEEN 30 AND 90 ORDER BY id, k, text"),
        ("s.c", "SELECT id, k FROM t WHERE k = 1 AND id > 200 ORDER BY id, k"),
        ("s.c", "SELECT count(*), sum(id), max(text) FROM t WHERE k IS NULL"),
        ("s.c", "SELECT k, count(*), count(DISTINCT id), max(day) FROM t GROUP BY k ORDER BY k"),
        ("s.c", "SELECT k FROM t GROUP BY k ORDER BY k"),
        ("s.c", "SELECT id + k FROM t WHERE k + id > 300 ORDER BY 1"),
        ("s.c", "SELECT count(*) FROM t WHERE more IS NULL OR id = 7"),
        ("s.c", "SELECT count(*), count(text), min(day), max(at), max(instant), min(cents), sum(id), min(k) FROM t"),
        ("s.c", "SELECT count(*) FROM t WHERE id > 9000"),
        ("s.j", "SELECT * FROM t ORDER BY id, text"),
        ("s.j", "SELECT count(*), count(of), count(list), count(flag), min(id), max(id) FROM t"),
        ("s.j", "SELECT of, list, id FROM t WHERE id IN (1, 7, 77) ORDER BY id"),
    ] {
        answers.push(lake.rows(table, sql).await.unwrap());
    }
    answers
}

fn packs(lake: &Fixture) -> usize {
    lake.lake().shadow_totals().packs
}

#[tokio::test]
async fn answers_from_a_pack_are_those_of_the_text() {
    let lake = lake_of(&files()).await;
    let before = answers(&lake).await;
    assert!(before.iter().all(|rows| !rows.is_empty()));
    settle(&lake, "s.c").await;
    settle(&lake, "s.j").await;
    assert_eq!((shadowed(&lake, "s.c").len(), shadowed(&lake, "s.j").len()), (50, 24));
    // The columns are those of two kinds of CSV and one of JSON.
    assert_eq!(packs(&lake), 3);
    for (before, after) in before.iter().zip(answers(&lake).await) {
        assert!(*before == after, "{before:#?}\n{after:#?}");
    }
    // What is known of each file rules it out, and nothing is read as text.
    let plan = lake.rows("s.c", "EXPLAIN SELECT id FROM t WHERE id = 9001").await.unwrap().join("\n");
    assert!(plan.contains("DataSourceExec") && !plan.contains("StreamingTableExec"), "{plan}");
    let plan = lake.rows("s.c", "EXPLAIN SELECT id FROM t WHERE id = 77777").await.unwrap().join("\n");
    assert!(!plan.contains("pack-"), "{plan}");
}

#[tokio::test]
async fn changed_files_are_read_as_they_are() {
    let lake = lake_of(&pairs(0, 40)).await;
    settle(&lake, "s.t").await;
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (40, 1));
    let numbers = |rows: &[String]| rows.iter().map(|row| row.split('|').nth(1).unwrap().parse().unwrap()).collect();
    let expected = |gone: std::ops::Range<u64>, more: &[u64]| {
        let mut all: Vec<u64> = (0..80).filter(|n| !gone.contains(n)).chain(more.iter().copied()).collect();
        all.sort_unstable();
        all
    };
    let all: Vec<u64> = numbers(&lake.rows("s.t", ALL).await.unwrap());
    assert_eq!(all, expected(0..0, &[]));
    lake.write("s/t/0003.csv", b"n,of\n500,x\n");
    lake.lake().refresh().await.unwrap();
    let all: Vec<u64> = numbers(&lake.rows("s.t", ALL).await.unwrap());
    assert_eq!(all, expected(6..8, &[500]));
    lake.remove("s/t/0003.csv");
    lake.write("s/t/0099.csv", b"of,n\ny,501\n");
    lake.lake().refresh().await.unwrap();
    let all: Vec<u64> = numbers(&lake.rows("s.t", ALL).await.unwrap());
    assert_eq!(all, expected(6..8, &[501]));
    assert_eq!(lake.rows("s.t", "SELECT count(*), sum(n), max(of) FROM t").await.unwrap(), ["|79|3648|y|"]);
    assert_eq!(shadowed(&lake, "s.t").len(), 39);
    // The first file gives the columns of the table their order.
    lake.write("s/t/0000.csv", b"of,n\nz,0\n");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.columns("s.t").await, "of Utf8View, n Int64");
    assert_eq!(lake.rows("s.t", "SELECT count(*), sum(n), max(of) FROM t").await.unwrap(), ["|78|3647|z|"]);
    assert_eq!(shadowed(&lake, "s.t").len(), 38);
}

#[tokio::test]
async fn few_small_files_are_no_pack() {
    let lake = lake_of(&pairs(0, 15)).await;
    for _ in 0..3 {
        settle(&lake, "s.t").await;
    }
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (0, 0));
    assert_eq!(lake.lake().shadow_totals().waiting, 0);
    // Two of them can have as much text as a file that has a shadow of its own.
    let large = |n: u64| (format!("s/t/{n}.csv"), csv(n * 4_000..n * 4_000 + 1_400));
    let lake = lake_of(&[large(0), large(1)]).await;
    settle(&lake, "s.t").await;
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (2, 1));
}

#[tokio::test]
async fn many_files_are_packed_when_they_were_read_once() {
    let lake = lake_of(&pairs(0, 70)).await;
    lake.rows("s.t", "SELECT n FROM t LIMIT 1").await.unwrap();
    lake.lake().make_shadows().await;
    assert_eq!(packs(&lake), 0);
    lake.rows("s.t", ALL).await.unwrap();
    lake.lake().make_shadows().await;
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (70, 1));
}

#[tokio::test]
async fn packs_of_a_growing_table_become_one() {
    let lake = lake_of(&pairs(0, 16)).await;
    settle(&lake, "s.t").await;
    assert_eq!(packs(&lake), 1);
    for (round, expected) in [(1, 1), (2, 2), (3, 1), (4, 2)] {
        pairs(round * 16, 16).iter().for_each(|(key, text)| lake.write(key, text));
        lake.lake().refresh().await.unwrap();
        settle(&lake, "s.t").await;
        let files = usize::try_from(round * 16 + 16).unwrap();
        assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (files, expected), "{round}");
        let sum = files * (files * 2 - 1);
        let counted = format!("|{}|{sum}|", files * 2);
        assert_eq!(lake.rows("s.t", "SELECT count(*), sum(n) FROM t").await.unwrap(), [counted]);
    }
}

#[tokio::test]
async fn what_is_left_of_a_worn_pack_is_packed_anew() {
    let lake = with_cache(lake_of(&pairs(0, 60)).await, 1 << 30).await;
    settle(&lake, "s.t").await;
    let first = on_disk(&lake);
    assert_eq!(first.len(), 1);
    for (gone, left) in [(0..20, 40), (20..40, 20), (40..55, 0)] {
        gone.for_each(|n| lake.remove(&format!("s/t/{n:04}.csv")));
        lake.lake().refresh().await.unwrap();
        let before = lake.rows("s.t", ALL).await.unwrap();
        lake.lake().make_shadows().await;
        assert_eq!(shadowed(&lake, "s.t").len(), left);
        assert_eq!(on_disk(&lake) == first, left == 40, "{left}");
        assert_eq!(on_disk(&lake).len(), left.min(1));
        assert_eq!(lake.rows("s.t", ALL).await.unwrap(), before);
    }
}

#[tokio::test]
async fn files_with_faults_are_in_no_pack() {
    let mut files = pairs(0, 30);
    files.push(("s/t/odd.csv".to_owned(), b"n,of\n7,x\nseven,y\n".to_vec()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, text)| (key.as_str(), text.as_slice())).collect();
    let define = |on_error: &str| {
        format!(
            "CREATE EXTERNAL TABLE s.t (n BIGINT, of TEXT) STORED AS CSV LOCATION 's/t/' OPTIONS (on_error '{on_error}')"
        )
    };
    let lake = Fixture::defined(&files, "tables/t.sql", &define("skip")).await;
    for _ in 0..2 {
        settle(&lake, "s.t").await;
        assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (30, 1));
        assert_eq!(lake.rows("s.t", "SELECT count(*), sum(n) FROM t").await.unwrap(), ["|61|1777|"]);
    }
    let lake = Fixture::defined(&files, "tables/t.sql", &define("fail")).await;
    for _ in 0..3 {
        assert!(matches!(lake.fails("s.t").await, Error::BadValue { line: 3, .. }));
        lake.rows("s.t", "SELECT of FROM t").await.unwrap();
        lake.lake().make_shadows().await;
    }
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (30, 1));
}

#[tokio::test]
async fn other_types_of_folders_are_other_packs() {
    let file = |folder: &str, n: u64| (format!("s/t/k={folder}/{n}.csv"), format!("n\n{n}\n").into_bytes());
    let files: Vec<_> = (0..20).map(|n| file(&(n % 2).to_string(), n)).collect();
    let lake = lake_of(&files).await;
    settle(&lake, "s.t").await;
    assert_eq!(lake.columns("s.t").await, "n Int64, k Int64");
    assert_eq!(shadowed(&lake, "s.t").len(), 20);
    let sql = "SELECT k, count(*), sum(n) FROM t GROUP BY k ORDER BY k";
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), ["|0|10|90|", "|1|10|100|"]);
    let (key, text) = file("odd", 100);
    lake.write(&key, &text);
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.columns("s.t").await, "n Int64, k Utf8View");
    assert_eq!(shadowed(&lake, "s.t").len(), 0);
    settle(&lake, "s.t").await;
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (21, 1));
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), ["|0|10|90|", "|1|10|100|", "|odd|1|100|"]);
}

#[tokio::test]
async fn a_new_process_uses_the_packs_of_the_last() {
    let lake = with_cache(lake_of(&files()).await, 1 << 30).await;
    let before = answers(&lake).await;
    settle(&lake, "s.c").await;
    settle(&lake, "s.j").await;
    let files = on_disk(&lake);
    assert_eq!(files.len(), 3);
    let lake = with_cache(lake, 1 << 30).await;
    lake.lake().warm(CancellationToken::new()).await;
    assert_eq!((shadowed(&lake, "s.c").len(), shadowed(&lake, "s.j").len(), packs(&lake)), (50, 24, 3));
    assert!(answers(&lake).await == before);
    // Without its whole end a file is thrown away.
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
    }
    let lake = with_cache(lake, 1 << 30).await;
    lake.lake().warm(CancellationToken::new()).await;
    assert_eq!((packs(&lake), on_disk(&lake).len()), (0, 0));
    assert!(answers(&lake).await == before);
}

#[tokio::test]
async fn a_damaged_pack_is_not_read() {
    let lake = with_cache(lake_of(&pairs(0, 40)).await, 1 << 30).await;
    let before = lake.rows("s.t", ALL).await.unwrap();
    for damage in 0..4_usize {
        settle(&lake, "s.t").await;
        assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (40, 1), "{damage}");
        let path = on_disk(&lake).pop().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        match damage {
            0 => bytes.clear(),
            1 => bytes[9] ^= 1,
            2 => bytes[40] ^= 0x80,
            _ => std::fs::remove_file(&path).unwrap(),
        }
        if damage < 3 {
            std::fs::write(&path, bytes).unwrap();
        }
        let first = lake.rows("s.t", ALL).await;
        assert!(matches!(first, Err(Error::Replaced { .. })), "{damage}: {first:?}");
        assert_eq!(lake.rows("s.t", ALL).await.unwrap(), before, "{damage}");
        assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (0, 0), "{damage}");
    }
}

#[tokio::test]
async fn the_pack_that_was_not_used_goes_first_and_as_a_whole() {
    let mut files = Vec::new();
    for table in 0..3 {
        files.extend((0..20_u64).map(|n| (format!("s/t{table}/{n}.csv"), csv(n * 30..n * 30 + 25))));
    }
    let lake = with_cache(lake_of(&files).await, 1 << 30).await;
    settle(&lake, "s.t0").await;
    let bytes = std::fs::metadata(on_disk(&lake).pop().unwrap()).unwrap().len();
    let lake = with_cache(lake, bytes * 2 + bytes / 2).await;
    for table in ["s.t0", "s.t1"] {
        settle(&lake, table).await;
    }
    lake.rows("s.t0", "SELECT sum(id) FROM t").await.unwrap();
    settle(&lake, "s.t2").await;
    let of = |n: usize| shadowed(&lake, &format!("s.t{n}")).len();
    assert_eq!([of(0), of(1), of(2)], [20, 0, 20]);
    assert_eq!((on_disk(&lake).len(), packs(&lake)), (2, 2));
    let totals = lake.lake().shadow_totals();
    let on_disk: u64 = on_disk(&lake).iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    assert_eq!((totals.shadows, totals.bytes), (40, on_disk));
}

#[tokio::test]
async fn a_table_of_more_files_than_a_pack_holds_has_more_packs() {
    let lake = lake_of(&pairs(0, 4_200)).await;
    let sql = "SELECT count(*), sum(n), count(of) FROM t WHERE random() < 2";
    let answer = ["|8400|35275800|4200|"];
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), answer);
    lake.lake().make_shadows().await;
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (4_200, 2));
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), answer);
    assert_eq!(lake.rows("s.t", "SELECT * FROM t WHERE n = 8001").await.unwrap(), ["|8001||"]);
}

#[tokio::test]
async fn queries_are_answered_while_a_pack_is_made() {
    let lake = lake_of(&pairs(0, 80)).await;
    let before = lake.rows("s.t", ALL).await.unwrap();
    let asking = async {
        let mut seen = Vec::new();
        while seen.last() != Some(&80) {
            assert_eq!(lake.rows("s.t", ALL).await.unwrap(), before);
            seen.push(shadowed(&lake, "s.t").len());
        }
        seen
    };
    let (seen, ()) = tokio::join!(asking, lake.lake().make_shadows());
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!(lake.rows("s.t", ALL).await.unwrap(), before);
}

#[tokio::test]
async fn a_pack_is_divided_among_threads() {
    let lines = |n: u64| (n * 5_000..n * 5_000 + 5_000).map(|id| format!("{id}\n")).collect::<String>();
    let file = |n: u64| (format!("s/t/k={}/{n:02}.csv", n % 4), format!("id\n{}", lines(n)).into_bytes());
    let lake = lake_of(&(0..30).map(file).collect::<Vec<_>>()).await;
    settle(&lake, "s.t").await;
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (30, 1));
    lake.remove("s/t/k=3/03.csv");
    lake.lake().refresh().await.unwrap();
    let context = lake.table("s.t").await.unwrap();
    context.sql("SET datafusion.optimizer.repartition_file_min_size = 0").await.unwrap();
    let rows = async |sql: &str| {
        let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    };
    let sql = "SELECT k, count(*), sum(id), min(id), max(id) FROM t WHERE id % 5 < 5 GROUP BY k ORDER BY k";
    // Two row groups, in two ranges of the file.
    let plan = rows(&format!("EXPLAIN {sql}")).await;
    assert!(plan.matches(":0..").count() == 1 && plan.contains("2 groups"), "{plan}");
    let of = |k: u64| {
        let ids = (0..30).filter(|n| n % 4 == k && *n != 3).flat_map(|n| n * 5_000..n * 5_000 + 5_000);
        let ids: Vec<u64> = ids.collect();
        [k, ids.len() as u64, ids.iter().sum(), ids[0], ids[ids.len() - 1]].map(|number| number.to_string()).join("|")
    };
    let cells = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|");
    let found: Vec<String> = rows(sql).await.lines().filter(|line| line.starts_with('|')).skip(1).map(cells).collect();
    assert_eq!(found, [of(0), of(1), of(2), of(3)]);
}

#[tokio::test]
async fn files_without_rows_are_in_a_pack_and_not_opened() {
    let files: Vec<(String, &[u8])> = (0..20).map(|n| (format!("s/t/{n}.csv"), b"n,of\n".as_slice())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, text)| (key.as_str(), *text)).collect();
    let define = "CREATE EXTERNAL TABLE s.t (n BIGINT, of TEXT) STORED AS CSV LOCATION 's/t/'";
    let lake = Fixture::defined(&files, "tables/t.sql", define).await;
    settle(&lake, "s.t").await;
    assert_eq!((shadowed(&lake, "s.t").len(), packs(&lake)), (20, 1));
    let sql = "SELECT of, count(*), sum(n) FROM t WHERE random() < 2 GROUP BY ROLLUP (of) ORDER BY of";
    assert_eq!(lake.rows("s.t", ALL).await.unwrap(), Vec::<String>::new());
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), ["||0||"]);
    lake.write("s/t/30.csv", b"of,n\nx,1\ny,2\n");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.rows("s.t", ALL).await.unwrap(), ["|1|x|", "|2|y|"]);
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), ["|x|1|1|", "|y|1|2|", "||2|3|"]);
}
