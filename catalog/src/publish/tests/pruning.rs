//! Files that cannot answer a query are not opened, and answers are those of all files.

use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Float64Array};

use super::*;

/// Opens the table, takes files away, and asks: an answer comes from the others.
pub(super) async fn without(lake: &Fixture, keys: &[&str], sql: &str) -> String {
    let context = lake.table("s.t").await.unwrap();
    keys.iter().for_each(|key| lake.remove(key));
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let text = pretty_format_batches(&batches).unwrap().to_string();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(1);
    lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_filter_opens_only_the_files_that_can_have_such_rows() {
    for (sql, expected) in [
        ("SELECT x FROM t WHERE x = 1", "|1|"),
        ("SELECT x FROM t WHERE x < 3 AND k <> 7", "|1| |2|"),
        ("SELECT x FROM t WHERE (x = 2 OR k = 9) AND k < 100", "|2|"),
        ("SELECT count(*) FROM t WHERE x IN (0, 2)", "|1|"),
        ("SELECT count(*) FROM t WHERE k = 1 OR x < 2", "|2|"),
    ] {
        let lake = Fixture::new(&[
            ("s/t/k=1/a.parquet", &numbers("x", &[1, 2])),
            ("s/t/k=2/b.parquet", &numbers("x", &[30, 40])),
            ("s/t/k=3/c.parquet", &parquet([("y", Arc::new(StringArray::from(vec!["only y"])))])),
        ])
        .await;
        assert_eq!(without(&lake, &["s/t/k=2/b.parquet", "s/t/k=3/c.parquet"], sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn counts_and_extremes_read_no_file() {
    let lake = Fixture::new(&[
        ("s/t/k=1/a.parquet", &numbers("x", &[4, 2])),
        ("s/t/k=__HIVE_DEFAULT_PARTITION__/b.parquet", &numbers("x", &[30, 40, 50])),
        ("s/t/k=3/c.parquet", &parquet([("y", Arc::new(StringArray::from(vec!["only y"])))])),
    ])
    .await;
    let keys = ["s/t/k=1/a.parquet", "s/t/k=__HIVE_DEFAULT_PARTITION__/b.parquet", "s/t/k=3/c.parquet"];
    let sql = "SELECT count(*), count(x), count(k), min(x), max(x), min(k), max(k) FROM t";
    assert_eq!(without(&lake, &keys, sql).await, "|6|5|3|2|50|1|3|");
}

/// Files of random rows, as one table of Parquet and as one in memory.
async fn twice(random: &mut impl FnMut(u64) -> u64) -> (Fixture, SessionContext) {
    let mut files = Vec::new();
    let mut batches = Vec::new();
    for at in 0..12 {
        let rows = usize::try_from(random(6)).unwrap();
        let base = i64::try_from(random(40)).unwrap() - 20;
        let mut some = |value: i64| (random(5) > 0).then_some(base + value);
        let numbers: Vec<Option<i64>> = (0..rows).map(|row| some(i64::try_from(row).unwrap())).collect();
        let texts: StringArray =
            numbers.iter().map(|n| n.map(|n| format!("{}{n}", if n < 0 { "é" } else { "a" }))).collect();
        let days: Date32Array = numbers.iter().map(|n| n.map(|n| i32::try_from(n * 7).unwrap())).collect();
        let cents: Decimal128Array = numbers.iter().map(|n| n.map(|n| i128::from(n) * 25)).collect();
        let reals = numbers.iter().map(|n| n.map(|n| if n % 5 == 0 { f64::NAN } else { n as f64 / 2.0 }));
        let columns: [(&str, ArrayRef); 6] = [
            ("n", Arc::new(numbers.iter().copied().collect::<Int64Array>())),
            ("text", Arc::new(texts)),
            ("day", Arc::new(days)),
            ("cents", Arc::new(cents.with_precision_and_scale(10, 2).unwrap())),
            ("real", Arc::new(reals.collect::<Float64Array>())),
            ("odd", Arc::new(numbers.iter().map(|n| n.map(|n| n % 2 != 0)).collect::<BooleanArray>())),
        ];
        files.push((format!("s/t/k={}/{at}.parquet", at % 3), parquet(columns.clone())));
        let k: ArrayRef = Arc::new(Int64Array::from(vec![i64::from(at % 3); rows]));
        let columns = columns.into_iter().chain([("k", k)]).map(|(name, array)| (name, array, true));
        batches.push(RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    }
    beside(&files, batches).await
}

#[tokio::test]
async fn answers_are_those_of_all_files() {
    let mut random = random(42);
    let (_lake, context) = twice(&mut random).await;
    for _ in 0..150 {
        let number = random(60).cast_signed() - 30;
        let conditions = [
            format!("n = {number}"),
            format!("n > {number}"),
            format!("n <= {number}"),
            format!("n BETWEEN {number} AND {}", number + 5),
            format!("n NOT IN ({number}, 3)"),
            "n IS NULL".to_owned(),
            "n IS NOT NULL".to_owned(),
            format!("text = 'a{number}'"),
            format!("text > 'a{number}'"),
            format!("text LIKE 'a{}%'", number.abs() % 10),
            format!("day < DATE '1970-01-01' + INTERVAL '{number}' DAY"),
            format!("day = DATE '1970-01-08' OR cents = {number}.25"),
            format!("cents >= {number}"),
            "odd".to_owned(),
            "NOT odd AND k = 1".to_owned(),
            format!("k = {} OR n = {number}", number.rem_euclid(3)),
            format!("NOT (k = 2 AND n < {number})"),
            format!("real > {number}"),
            format!("real <= {number}"),
            format!("real <> {number}"),
            format!("real IN ({number}, 1.5)"),
            format!("real NOT IN ({number}, 1.5)"),
            "real = CAST('NaN' AS double)".to_owned(),
            format!("NOT (real < {number})"),
            format!("{number} < real OR real IS NULL"),
        ];
        let mut pick = || conditions[usize::try_from(random(25)).unwrap()].clone();
        let filter = format!("({}) AND ({}) OR ({})", pick(), pick(), pick());
        let mut answers = Vec::new();
        for table in ["t", "m"] {
            let sql = format!("SELECT k, n, text, day, cents, odd, real FROM {table} WHERE {filter} ORDER BY 1, 2, 3");
            let batches = context.sql(&sql).await.unwrap().collect().await.unwrap();
            answers.push(pretty_format_batches(&batches).unwrap().to_string());
        }
        assert_eq!(answers[0], answers[1], "{filter}");
    }
    for order in ["real DESC NULLS LAST", "real", "n DESC NULLS LAST"] {
        let mut answers = Vec::new();
        for table in ["t", "m"] {
            let sql = format!("SELECT real, n FROM {table} ORDER BY {order}, n LIMIT 3");
            let batches = context.sql(&sql).await.unwrap().collect().await.unwrap();
            answers.push(pretty_format_batches(&batches).unwrap().to_string());
        }
        assert_eq!(answers[0], answers[1], "{order}");
    }
    let sql = |table: &str| {
        format!(
            "SELECT count(*), count(n), min(n), max(n), min(text), max(text), min(day), max(k), max(cents) FROM {table}"
        )
    };
    let mut answers = Vec::new();
    for table in ["t", "m"] {
        let batches = context.sql(&sql(table)).await.unwrap().collect().await.unwrap();
        let text = pretty_format_batches(&batches).unwrap().to_string();
        // Not the heads, which name the table.
        answers.push(text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(answers[0], answers[1]);
}
