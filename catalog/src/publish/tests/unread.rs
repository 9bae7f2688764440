//! Answers from the names of folders and from what is known of all rows.

use arrow::array::Int32Array;

use super::pruning::without;
use super::*;

#[tokio::test]
async fn questions_over_folders_read_no_file() {
    let files: [(&str, &[u8]); 5] = [
        ("s/t/k=1/p=a/a.parquet", &numbers("x", &[4, 2])),
        ("s/t/k=1/p=b/b.parquet", &numbers("x", &[30])),
        ("s/t/k=1/p=b/c.parquet", &numbers("x", &[40, 50])),
        ("s/t/k=__HIVE_DEFAULT_PARTITION__/p=a/d.parquet", &numbers("x", &[7])),
        ("s/t/k=9/p=z/no rows.parquet", &numbers("x", &[])),
    ];
    let keys = files.map(|(key, _)| key);
    for (sql, expected) in [
        ("SELECT DISTINCT k FROM t ORDER BY k", "|1| ||"),
        ("SELECT DISTINCT p, k FROM t ORDER BY p, k", "|a|1| |a|| |b|1|"),
        ("SELECT k, count(*) FROM t GROUP BY k ORDER BY k", "|1|5| ||1|"),
        ("SELECT p, count(k), count(*), max(k) FROM t GROUP BY p ORDER BY p", "|a|2|3|1| |b|3|3|1|"),
        ("SELECT p || '!', count(*) FROM t WHERE k > 0 GROUP BY p || '!' ORDER BY 1", "|a!|2| |b!|3|"),
        ("SELECT min(p), max(p), count(*) FROM t WHERE p < 'b'", "|a|a|3|"),
        ("SELECT min(k), count(*), count(1), count(k) FROM t WHERE k = 9", "||0|0|0|"),
        ("SELECT count(DISTINCT p), count(*) FILTER (WHERE k = 1) FROM t", "|2|5|"),
        ("SELECT count(*) FROM (SELECT DISTINCT k, p FROM t)", "|3|"),
        ("SELECT n, count(*) FROM (SELECT k + 1 AS n FROM t WHERE p <> 'c') AS u GROUP BY n ORDER BY n", "|2|5| ||1|"),
        ("SELECT count(x), min(x), max(x), max(k) FROM t", "|6|2|50|1|"),
    ] {
        let lake = Fixture::new(&files).await;
        assert_eq!(without(&lake, &keys, sql).await, expected, "{sql}");
    }
}

/// Files of some rows in folders of two columns, as one table of Parquet and as one in memory.
async fn twice(random: &mut impl FnMut(u64) -> u64) -> (Fixture, SessionContext) {
    let (mut files, mut batches) = (Vec::new(), Vec::new());
    for at in 0..25 {
        let rows = usize::try_from(random(4)).unwrap();
        let (k, p) = ((random(4) > 0).then(|| i64::try_from(random(3)).unwrap()), ["a", "b", "ä"][random(3) as usize]);
        let folder = k.map_or_else(|| "__HIVE_DEFAULT_PARTITION__".to_owned(), |k| k.to_string());
        let x: ArrayRef = Arc::new(Int32Array::from_iter((0..rows).map(|_| Some(random(5) as i32))));
        files.push((format!("s/t/k={folder}/p={p}/{at}.parquet"), parquet([("x", Arc::clone(&x))])));
        let k: ArrayRef = Arc::new(Int64Array::from(vec![k; rows]));
        let p: ArrayRef = Arc::new(arrow::array::StringViewArray::from(vec![p; rows]));
        batches
            .push(RecordBatch::try_from_iter_with_nullable([("x", x, true), ("k", k, true), ("p", p, true)]).unwrap());
    }
    beside(&files, batches).await
}

#[tokio::test]
async fn answers_over_folders_are_those_of_the_rows() {
    let mut random = random(7);
    for _ in 0..3 {
        let (_lake, context) = twice(&mut random).await;
        for _ in 0..40 {
            let mut pick = |list: &[&str]| list[usize::try_from(random(list.len() as u64)).unwrap()].to_owned();
            let keys = ["k", "p", "k, p", "k % 2", "coalesce(k, 5)", "p || 'x'", "1"];
            let calls = [
                "count(*)",
                "count(k)",
                "min(p)",
                "max(k)",
                "count(DISTINCT k)",
                "count(*) FILTER (WHERE k > 1)",
                "bool_or(k = 2)",
                "count(x)",
                "sum(k)",
                "max(x)",
                "avg(k)",
                "array_agg(DISTINCT k ORDER BY k)",
                "count(NULL)",
                "min(k) FILTER (WHERE p = 'a')",
                "count(CASE WHEN k = 1 THEN p END)",
            ];
            let filters = ["TRUE", "k = 1", "p <> 'b'", "k IS NULL", "k IN (0, 2) OR p = 'a'", "x > 2", "k = 77"];
            let (key, call, other, filter) = (pick(&keys), pick(&calls), pick(&calls), pick(&filters));
            let rest = match pick(&["group", "group", "all", "distinct", "rollup", "limit"]).as_str() {
                "group" => format!("SELECT {key}, {call} AS c, {other} AS d FROM # WHERE {filter} GROUP BY {key}"),
                "all" => format!("SELECT {call} AS c, {other} AS d FROM # WHERE {filter}"),
                "rollup" => {
                    format!("SELECT k, p, {call} AS c, {other} AS d FROM # WHERE {filter} GROUP BY ROLLUP (k, p)")
                }
                "limit" => format!("SELECT count(*), 1 FROM (SELECT p FROM # WHERE {filter} LIMIT 7)"),
                _ => format!("SELECT DISTINCT {key} FROM # WHERE {filter}"),
            };
            let mut answers = Vec::new();
            for table in ["t", "m"] {
                let batches = context.sql(&rest.replace('#', table)).await.unwrap().collect().await.unwrap();
                let text = pretty_format_batches(&batches).unwrap().to_string();
                let mut rows: Vec<String> = text.lines().skip(3).map(|row| row.replace([' ', '-'], "")).collect();
                rows.sort();
                answers.push(rows);
            }
            assert_eq!(answers[0], answers[1], "{rest}");
        }
    }
}
