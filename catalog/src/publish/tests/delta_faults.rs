//! Logs that are damaged, forged or ask for more than is known: an error of one table, and never other rows.

use serde_json::json;

use super::delta::{add, columns, commit, features, field, lines, protocol, remove, with, x};
use super::*;

/// The failure of a table with one file and this log, beside a table that is well.
async fn failure(files: &[(&str, &[u8])]) -> Error {
    let data = numbers("x", &[1, 2]);
    let well = lines(&[protocol(), x(), add("a.parquet", &data)]);
    let key = commit("s/well", 0);
    let own = [("s/t/a.parquet", &data[..]), ("s/well/a.parquet", &data), (key.as_str(), &well)];
    let lake = Fixture::new(&[&own[..], files].concat()).await;
    assert_eq!(lake.rows("s.well", "SELECT x FROM t").await.unwrap(), ["|1|", "|2|"]);
    lake.fails("s.t").await
}

/// Commits by their versions, and what is wrong with them.
type Case<'a> = (&'a [(usize, &'a [u8])], &'a str);

#[tokio::test]
async fn a_damaged_log_is_an_error_of_its_table() {
    let data = numbers("x", &[1, 2]);
    let begun = lines(&[protocol(), x(), add("a.parquet", &data)]);
    let keys: Vec<String> = (0..5).map(|version| commit("s/t", version)).collect();
    let cases: [Case<'_>; 9] = [
        (&[(0, b"")], "file is empty (0 bytes)"),
        (&[(0, &begun), (1, b"")], "file is empty (0 bytes)"),
        (&[(0, &begun[..begun.len() - 9])], "line 3: EOF while parsing"),
        (&[(0, &begun), (1, b"{\"add\":{\"path\":\"a.parquet\"}}")], "line 1: missing field `size`"),
        (&[(0, &begun), (1, b"[1]\nnonsense")], "line 1: "),
        (&[(0, &begun), (2, b"{}")], "the log ends with 2 and lacks 1"),
        (&[(1, &begun)], "the log ends with 1 and lacks 0"),
        (&[(0, b"{\"commitInfo\":{}}")], "the log has no protocol"),
        (&[(0, b"{\"protocol\":{\"minReaderVersion\":1}}")], "the log has no metadata"),
    ];
    for (commits, expected) in cases {
        let commits: Vec<(&str, &[u8])> = commits.iter().map(|(at, content)| (keys[*at].as_str(), *content)).collect();
        let error = failure(&commits).await;
        assert!(error.reason().contains(expected), "{error} / {expected}");
        assert!(error.to_string().contains("s/t/_delta_log"), "{error}");
    }
    let error = failure(&[("s/t/_delta_log/nothing.tmp", b"x")]).await;
    assert!(error.reason().contains("neither a commit nor a checkpoint"), "{error}");
}

#[tokio::test]
async fn a_damaged_checkpoint_is_needed_or_not() {
    let data = numbers("x", &[1, 2]);
    let begun = lines(&[protocol(), x(), add("a.parquet", &data)]);
    let key = "s/t/_delta_log/00000000000000000000.checkpoint.parquet";
    for content in [&b"PAR1PAR1"[..], b"", &data, b"\0\0\0\0\0\0\0\0\0PAR1"] {
        let lake = Fixture::new(&[("s/t/a.parquet", &data), (key, content), (&commit("s/t", 0), &begun)]).await;
        let rows = lake.rows("s.t", "SELECT x FROM t").await;
        assert_eq!(rows.unwrap_or_else(|error| vec![error.to_string()]), ["|1|", "|2|"]);
        let error = failure(&[(key, content)]).await;
        assert!(matches!(error, Error::UnreadableFile { .. } | Error::EmptyFile { .. }), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_refused_by_its_name() {
    let data = numbers("x", &[1, 2]);
    let of_type = |data_type: &str| columns(&json!([field("x", &json!(data_type))]), &[]);
    let newer = json!({"protocol": {"minReaderVersion": 4, "minWriterVersion": 7}});
    let cases = [
        (features(&["deletionVectors", "variantType"]), x(), "feature \"variantType\""),
        (newer, x(), "version 4 of the protocol"),
        (protocol(), of_type("variant"), "type \"variant\""),
        (protocol(), of_type("decimal(39,1)"), "type \"decimal(39,1)\""),
    ];
    for (protocol, table, feature) in cases {
        let log = lines(&[protocol, table, add("a.parquet", &data)]);
        let error = failure(&[(&commit("s/t", 0), &log)]).await;
        assert_eq!(error.to_string(), format!("table \"s.t\" needs {feature}, which is not supported"));
    }
}

#[tokio::test]
async fn no_file_outside_the_source_is_read() {
    let data = numbers("x", &[1, 2]);
    let paths = [
        "../../a.parquet",
        "..%2F..%2Fa.parquet",
        "/etc/passwd",
        "file:///etc/passwd",
        "s3://bucket/a.parquet",
        "https://example.com/a.parquet",
        "a/./b.parquet",
        "a//b.parquet",
        "a%00.parquet",
        "",
    ];
    for path in paths {
        let log = lines(&[protocol(), x(), add(path, &data)]);
        let error = failure(&[(&commit("s/t", 0), &log)]).await;
        assert!(matches!(error, Error::Outside { .. }), "{path}: {error}");
    }
    let vector =
        json!({"storageType": "p", "pathOrInlineDv": "/etc/passwd", "offset": 1, "sizeInBytes": 8, "cardinality": 1});
    let log = lines(&[protocol(), x(), with(add("a.parquet", &data), "deletionVector", vector)]);
    assert!(matches!(failure(&[(&commit("s/t", 0), &log)]).await, Error::Outside { .. }));
}

#[tokio::test]
async fn a_file_that_is_gone_or_another_is_an_error_where_it_is_needed() {
    let data = numbers("x", &[1, 2]);
    let table = columns(&json!([field("k", &json!("long")), field("x", &json!("long"))]), &["k"]);
    let stats =
        json!({"numRecords": 2, "minValues": {"x": 1}, "maxValues": {"x": 2}, "nullCount": {"x": 0}}).to_string();
    let part = |path: &str, k: &str| {
        let add = with(add(path, &data), "partitionValues", json!({"k": k}));
        with(add, "stats", json!(stats))
    };
    let log =
        lines(&[protocol(), table, part("a.parquet", "1"), part("gone.parquet", "2"), part("short.parquet", "3")]);
    let lake =
        Fixture::new(&[("s/t/a.parquet", &data), ("s/t/short.parquet", &data[..20]), (&commit("s/t", 0), &log)]).await;
    assert_eq!(lake.rows("s.t", "SELECT x FROM t WHERE k = 1").await.unwrap(), ["|1|", "|2|"]);
    let fails = async |sql: &str| lake.rows("s.t", sql).await.expect_err("an error").to_string();
    let gone = "could not open file \"s/t/gone.parquet\" of table \"s.t\": No such file or directory";
    let skipped = lake.skipped();
    assert_eq!(
        skipped.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
        ["s/t/gone.parquet", "s/t/short.parquet"]
    );
    for sql in ["SELECT x FROM t WHERE k < 3", "SELECT count(*) FROM t WHERE k = 2", "SELECT count(*) FROM t"] {
        assert_eq!(fails(sql).await, gone, "{sql}");
    }
    assert_eq!(lake.rows("s.t", "SELECT x FROM t WHERE x > 2 AND k < 3").await.unwrap(), [""; 0]);
    let short = fails("SELECT x FROM t WHERE x > 2 AND k = 3").await;
    assert!(short.contains("it has 20 bytes, and"), "{short}");
    lake.write("s/t/gone.parquet", &data);
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t WHERE k < 3").await.unwrap(), ["|4|"]);
    // What was vacuumed since the listing is known at the next.
    lake.write(&commit("s/t", 1), &lines(&[remove("gone.parquet"), remove("short.parquet")]));
    lake.remove("s/t/gone.parquet");
    let error = lake.rows("s.t", "SELECT sum(x) FROM t WHERE k < 3").await.expect_err("an error");
    assert!(matches!(error, Error::Replaced { .. }), "{error}");
    lake.lake().refresh().await.unwrap();
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|2|"]);
}

#[tokio::test]
async fn statistics_that_say_nothing_are_asked_of_the_file() {
    let data = numbers("x", &[1, 2]);
    for stats in [json!("no json"), json!(""), json!(null), json!("{\"numRecords\":-1}"), json!("[]"), json!("{}")] {
        let log = lines(&[protocol(), x(), with(add("a.parquet", &data), "stats", stats.clone())]);
        let lake = Fixture::new(&[("s/t/a.parquet", &data), (&commit("s/t", 0), &log)]).await;
        assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|2|"], "{stats}");
        assert_eq!(lake.lake().footers_read(), 1);
    }
}

#[tokio::test]
async fn a_damaged_deletion_vector_shows_no_row() {
    let data = numbers("x", &(0..100).collect::<Vec<_>>());
    let example = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
    let inline = |text: &str, bytes: u64, rows: u64| json!({"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": bytes, "cardinality": rows});
    let cases = [
        inline(example, 44, 5),
        inline(example, 40, 6),
        inline("\u{e9}xxxx", 4, 1),
        inline("00000", 4, 0),
        inline("", 0, 0),
        json!({"storageType": "x", "pathOrInlineDv": "a", "sizeInBytes": 4, "cardinality": 1}),
        json!({"storageType": "u", "pathOrInlineDv": "short", "offset": 1, "sizeInBytes": 4, "cardinality": 1}),
        json!({"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": 4, "sizeInBytes": 40, "cardinality": 6}),
    ];
    let wrong = json!({"numRecords": 90}).to_string();
    let told = [json!(null)].into_iter().cycle().take(cases.len()).chain([json!(wrong)]);
    let right = inline(example, 44, 6);
    for (vector, stats) in cases.into_iter().chain([right]).zip(told) {
        let add = with(with(add("d.parquet", &data), "deletionVector", vector.clone()), "stats", stats);
        let lake = Fixture::new(&[
            ("s/t/d.parquet", &data),
            (&commit("s/t", 0), &lines(&[features(&["deletionVectors"]), x(), add])),
        ])
        .await;
        for sql in ["SELECT x FROM t", "SELECT count(*) FROM t", "SELECT x FROM t LIMIT 1"] {
            let error = lake.rows("s.t", sql).await.expect_err(sql);
            assert!(matches!(error, Error::UnreadableFile { .. } | Error::MissingFile { .. }), "{vector}: {error}");
        }
    }
}

/// What is read in spite of something odd beside it: T4.57, T4.62, T4.64, T4.67, T4.68, T4.71 and T4.72.
#[tokio::test]
async fn what_is_odd_and_harmless_is_read() {
    let data = numbers("x", &[1, 2]);
    let (unknown, info) = (json!({"futureAction": {"a": [1]}}), |at: i64| json!({"commitInfo": {"timestamp": at}}));
    let begun = lines(&[info(2_000), protocol(), x(), unknown, add("a.parquet", &data)]);
    let again = lines(&[info(1_000), add("a.parquet", &data)]);
    let log = |name: &str| format!("s/t/_delta_log/{name}");
    let odd: [&[(String, &[u8])]; 6] = [
        &[],
        &[(log("_last_checkpoint"), b"\xff no json")],
        &[(log("00000000000000000001.json"), &again)],
        &[(log("00000000000000000001.json.tmp"), b"x"), ("s/t/stray.parquet".into(), b"x")],
        &[(log("00000000000000000000.checkpoint.0000000001.0000000002.parquet"), b"x")],
        &[(log("99999999999999999999.json"), b"x")],
    ];
    for (at, beside) in odd.into_iter().enumerate() {
        let key = commit("s/t", 0);
        let own = [("s/t/a.parquet", &data[..]), (key.as_str(), &begun)];
        let beside: Vec<(&str, &[u8])> = beside.iter().map(|(key, content)| (key.as_str(), *content)).collect();
        let lake = Fixture::new(&[&own[..], &beside].concat()).await;
        assert_eq!(lake.rows("s.t", "SELECT x FROM t ORDER BY x").await.unwrap(), ["|1|", "|2|"], "{at}");
    }
}

/// Files by their keys.
type Files<'a> = &'a [(&'a str, &'a [u8])];

/// T4.65, T4.66, T4.68, T4.70 and T4.72.
#[tokio::test]
async fn what_is_odd_and_needed_is_refused() {
    let data = numbers("x", &[1, 2]);
    let changed = |name: &str, value: serde_json::Value| {
        let mut table = x();
        table["metaData"][name] = value;
        lines(&[protocol(), table, add("a.parquet", &data)])
    };
    let mapping = json!({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}});
    let mut mapped = x();
    mapped["metaData"]["configuration"] = json!({"delta.columnMapping.mode": "id"});
    let begun = lines(&[protocol(), x(), add("a.parquet", &data)]);
    let keys = [0, 1, u64::MAX].map(|version| commit("s/t", version));
    let [first, second, last] = keys.each_ref().map(String::as_str);
    let half = "s/t/_delta_log/00000000000000000001.checkpoint.0000000001.0000000002.parquet";
    let cases: [(Files<'_>, &str); 5] = [
        (&[(first, &changed("schemaString", json!("no json")))], "schema"),
        (&[(first, &changed("format", json!({"provider": "csv"})))], "files of format \"csv\""),
        (&[(half, &data), (second, &begun)], "lacks 0"),
        (&[(first, &lines(&[mapping, mapped, add("a.parquet", &data)]))], "x"),
        (&[(first, &begun), (last, &begun)], "the log ends with 18446744073709551615 and lacks 1"),
    ];
    for (files, expected) in cases {
        let error = failure(files).await;
        assert!(error.to_string().contains(expected), "{error} / {expected}");
        assert!(!matches!(error, Error::Rows { .. }), "{error}");
    }
}
