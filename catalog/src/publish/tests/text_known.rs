//! What is known of the rows of text that was read.

use super::shadows::{ROWS, csv, other, settle, shadowed};
use super::*;

/// Answers questions when the files are gone.
async fn without(lake: &Fixture, keys: &[&str], sql: &str) -> Vec<String> {
    let context = lake.table("s.t").await.unwrap();
    let (there, away) = (lake.dir.path().join("lake"), lake.dir.path().join("away"));
    keys.iter().for_each(|key| std::fs::rename(there.join(key), away.with_extension(key.replace('/', "-"))).unwrap());
    let batches = context.sql(sql).await.unwrap().collect().await;
    keys.iter().for_each(|key| std::fs::rename(away.with_extension(key.replace('/', "-")), there.join(key)).unwrap());
    let text = pretty_format_batches(&batches.unwrap()).unwrap().to_string();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(1);
    lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect()
}

#[tokio::test]
async fn what_was_read_of_text_is_known() {
    let keys = ["s/t/k=1/a.csv", "s/t/k=2/b.csv", "s/t/k=2/none.csv"];
    let (a, b) = (csv(0..ROWS), csv(70_000..70_010));
    let lake = Fixture::new(&[(keys[0], &a), (keys[1], &b), (keys[2], b"id;more\n")]).await;
    // A look tells whether there are rows, but not of the one without.
    let folders = "SELECT DISTINCT k FROM t WHERE k = 1";
    assert_eq!(without(&lake, &keys, "SELECT k FROM t WHERE k > 7 GROUP BY k").await, Vec::<String>::new());
    let read = "SELECT min(k), count(*) FROM t WHERE random() < 2";
    assert_eq!(lake.rows("s.t", read).await.unwrap(), [format!("|1|{}|", ROWS + 10)]);
    assert_eq!(without(&lake, &keys, folders).await, ["|1|"]);
    assert_eq!(without(&lake, &keys, "SELECT k, count(*) FROM t GROUP BY k ORDER BY k").await, ["|1|2500|", "|2|10|"]);
    assert_eq!(without(&lake, &keys, "SELECT count(*), max(k) FROM t").await, [format!("|{}|2|", ROWS + 10)]);
    // The bounds of one file alone rule it out.
    settle(&lake, "s.t").await;
    assert_eq!(shadowed(&lake, "s.t"), ["s/t/k=1/a.csv"]);
    assert_eq!(without(&lake, &keys[..1], "SELECT count(*) FROM t WHERE id > 60000").await, ["|10|"]);
    assert_eq!(without(&lake, &keys[..1], "SELECT count(*) FROM t WHERE day < '1999-01-01'").await, ["|0|"]);
    let lake = restarted(lake).await;
    assert_eq!(without(&lake, &keys, "SELECT count(*), max(k) FROM t").await, [format!("|{}|2|", ROWS + 10)]);
    assert_eq!(without(&lake, &keys[..1], "SELECT count(*) FROM t WHERE id > 60000").await, ["|10|"]);
    assert_eq!(shadowed(&lake, "s.t"), Vec::<String>::new());
    lake.write(keys[1], &csv(0..3));
    lake.lake().refresh().await.unwrap();
    assert_eq!(
        lake.rows("s.t", "SELECT k, count(*) FROM t GROUP BY k ORDER BY k").await.unwrap(),
        ["|1|2500|", "|2|3|"]
    );
}

/// Another process, which knows what the last one kept in the lake.
async fn restarted(lake: Fixture) -> Fixture {
    lake.lake().remember().await;
    let Fixture { dir, lake } = lake;
    drop(lake);
    Fixture { dir, lake: None }.open().await
}

#[tokio::test]
async fn counts_and_extremes_of_shadows_are_those_of_the_rows() {
    let keys = ["s/t/1.csv", "s/t/2.csv"];
    let lake = Fixture::new(&[(keys[0], &csv(10..ROWS)), (keys[1], &other(ROWS..ROWS * 4))]).await;
    let sql = "SELECT count(*), count(id), min(id), max(id), count(day), min(day), max(day), min(at), max(at), min(instant), \
               max(instant), count(flag), count(text), count(empty), count(more), min(flag), max(flag) FROM t";
    let before = lake.rows("s.t", sql).await.unwrap();
    settle(&lake, "s.t").await;
    assert_eq!(shadowed(&lake, "s.t"), keys);
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), before);
    let known = "SELECT count(*), count(id), min(id), max(id), count(day), min(day), max(day), max(at), max(instant), count(flag) \
                 FROM t";
    let before = lake.rows("s.t", known).await.unwrap();
    assert_eq!(without(&lake, &keys, known).await, before);
    let lake = restarted(lake).await;
    assert_eq!(without(&lake, &keys, known).await, before);
    // With another type of one column the bounds are those of other rows.
    lake.write("s/t/3.csv", b"id\n0.5\n");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.rows("s.t", "SELECT min(id), max(id), count(*) FROM t").await.unwrap(), ["|0.5|9999.0|9991|"]);
}

#[tokio::test]
async fn folders_of_text_are_told_without_its_rows() {
    let keys = ["s/t/k=1/a.csv", "s/t/k=2/b.csv", "s/t/k=1/c.csv"];
    let lake = Fixture::new(&[(keys[0], b"x\n1\n"), (keys[1], b"x\n2\n3\n"), (keys[2], b"x\n7\n")]).await;
    for (sql, expected) in [
        ("SELECT DISTINCT k FROM t ORDER BY k", vec!["|1|", "|2|"]),
        ("SELECT min(k), max(k), count(DISTINCT k) FROM t", vec!["|1|2|2|"]),
        ("SELECT k + 1 FROM t WHERE k <> 2 GROUP BY k + 1", vec!["|2|"]),
    ] {
        assert_eq!(without(&lake, &keys, sql).await, expected, "{sql}");
    }
    let lines = ["s/t/k=a/1.ndjson", "s/t/k=b/2.ndjson"];
    let lake = Fixture::new(&[(lines[0], b"{\"x\":1}\n{}\n"), (lines[1], b"{}\n")]).await;
    assert_eq!(without(&lake, &lines, "SELECT DISTINCT k FROM t ORDER BY k").await, ["|a|", "|b|"]);
    assert_eq!(lake.rows("s.t", "SELECT k, count(*) FROM t GROUP BY k ORDER BY k").await.unwrap(), ["|a|2|", "|b|1|"]);
}

#[tokio::test]
async fn records_that_are_left_out_are_no_rows_of_a_folder() {
    let lake = Fixture::defined(
        &[("s/t/k=1/a.csv", b"x\n1\n2\n"), ("s/t/k=2/b.csv", b"x\none\n")],
        "tables/t.sql",
        "CREATE EXTERNAL TABLE s.t (x BIGINT) STORED AS CSV LOCATION 's/t/' OPTIONS (on_error 'skip')",
    )
    .await;
    for _ in 0..2 {
        assert_eq!(lake.rows("s.t", "SELECT DISTINCT k FROM t ORDER BY k").await.unwrap(), ["|1|"]);
        assert_eq!(lake.rows("s.t", "SELECT k, count(*) FROM t GROUP BY k").await.unwrap(), ["|1|2|"]);
    }
}
