//! Earlier versions of Delta tables.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::delta::{add, checkpoint, columns, commit, field, lines, protocol, remove, x};
use super::*;
use crate::AsOf;

/// The rows of a query over a version of `s.t` as `t`.
async fn rows(lake: &Fixture, as_of: AsOf, sql: &str) -> Result<Vec<String>, Error> {
    let context = lake.table("s.t").await?;
    let provider = lake.lake().snapshot().table("s", "t").unwrap().provider_as_of(as_of).await?;
    context.deregister_table("t").unwrap();
    context.register_table("t", provider).unwrap();
    let batches = context.sql(sql).await.unwrap().collect().await.map_err(ours)?;
    let text = pretty_format_batches(&batches).unwrap().to_string();
    let lines = text.lines().filter(|line| line.starts_with('|'));
    Ok(lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect())
}

fn at(seconds: i64) -> AsOf {
    AsOf::Time(DateTime::from_timestamp(seconds, 0).unwrap())
}

/// Three versions: two files, a third one, and all of them in one with another column.
fn files() -> Vec<(String, Vec<u8>)> {
    let wide = columns(&json!([field("x", &json!("long")), field("y", &json!("long"))]), &[]);
    let [a, b, c] = [&[1, 2][..], &[3], &[4, 5, 6]].map(|values| numbers("x", values));
    let last = [remove("a.parquet"), remove("b.parquet"), wide, add("c.parquet", &c)];
    vec![
        (commit("s/t", 0), lines(&[protocol(), x(), add("a.parquet", &a)])),
        (commit("s/t", 1), lines(&[add("b.parquet", &b)])),
        (commit("s/t", 2), lines(&last)),
        ("s/t/a.parquet".to_owned(), a),
        ("s/t/b.parquet".to_owned(), b),
        ("s/t/c.parquet".to_owned(), c),
    ]
}

async fn lake_of(files: &[(String, Vec<u8>)]) -> Fixture {
    Fixture::new(&files.iter().map(|(key, content)| (key.as_str(), content.as_slice())).collect::<Vec<_>>()).await
}

fn written(lake: &Fixture, key: &str, seconds: i64) {
    let file = std::fs::File::options().write(true).open(lake.dir.path().join("lake").join(key)).unwrap();
    file.set_modified(DateTime::<Utc>::from_timestamp(seconds, 0).unwrap().into()).unwrap();
}

#[tokio::test]
async fn every_version_has_its_own_rows_and_columns() {
    let lake = lake_of(&files()).await;
    let all = "SELECT * FROM t ORDER BY x";
    for _ in 0..2 {
        assert_eq!(rows(&lake, AsOf::Version(0), all).await.unwrap(), ["|x|", "|1|", "|2|"]);
        assert_eq!(rows(&lake, AsOf::Version(2), all).await.unwrap(), ["|x|y|", "|4||", "|5||", "|6||"]);
        assert_eq!(rows(&lake, AsOf::Version(1), all).await.unwrap(), ["|x|", "|1|", "|2|", "|3|"]);
        assert_eq!(rows(&lake, AsOf::Version(1), "SELECT count(*) AS n FROM t").await.unwrap(), ["|n|", "|3|"]);
    }
    let error = rows(&lake, AsOf::Version(3), all).await.unwrap_err();
    assert_eq!(error.to_string(), "table \"s.t\" has no version 3");
    assert_eq!(error.detail().as_deref(), Some("The log has the versions 0 to 2."));
    // The log goes on, and its versions stay what they were.
    lake.write(&commit("s/t", 3), &lines(&[remove("c.parquet")]));
    assert!(lake.lake().refresh().await.unwrap());
    assert_eq!(rows(&lake, AsOf::Version(2), "SELECT count(x) AS n FROM t").await.unwrap(), ["|n|", "|3|"]);
    assert_eq!(rows(&lake, AsOf::Version(3), "SELECT count(*) AS n FROM t").await.unwrap(), ["|n|", "|0|"]);
    // Another log in its place is another table.
    let d = numbers("x", &[9]);
    lake.write("s/t/d.parquet", &d);
    lake.write(&commit("s/t", 0), &lines(&[protocol(), x(), add("d.parquet", &d)]));
    assert!(lake.lake().refresh().await.unwrap());
    assert_eq!(rows(&lake, AsOf::Version(0), all).await.unwrap(), ["|x|", "|9|"]);
}

#[tokio::test]
async fn a_log_without_its_beginning_has_the_versions_from_its_checkpoint() {
    let mut files = files();
    let [a, b] = [&files[3].1, &files[4].1].map(Clone::clone);
    files[0] = (
        "s/t/_delta_log/00000000000000000001.checkpoint.parquet".to_owned(),
        checkpoint(&[protocol(), x(), add("a.parquet", &a), add("b.parquet", &b)]),
    );
    let lake = lake_of(&files).await;
    let count = "SELECT count(*) AS n FROM t";
    assert_eq!(rows(&lake, AsOf::Version(1), count).await.unwrap(), ["|n|", "|3|"]);
    assert_eq!(rows(&lake, AsOf::Version(2), count).await.unwrap(), ["|n|", "|3|"]);
    let error = rows(&lake, AsOf::Version(0), count).await.unwrap_err();
    assert_eq!(error.detail().as_deref(), Some("The log has the versions 1 to 2."));
}

#[tokio::test]
async fn a_file_that_is_gone_is_missing_in_the_versions_that_have_it() {
    let lake = lake_of(&files()).await;
    let count = "SELECT sum(x) AS n FROM t";
    assert_eq!(rows(&lake, AsOf::Version(1), count).await.unwrap(), ["|n|", "|6|"]);
    lake.remove("s/t/b.parquet");
    assert!(lake.lake().refresh().await.unwrap());
    let error = rows(&lake, AsOf::Version(1), count).await.unwrap_err();
    assert!(matches!(error, Error::MissingFile { .. }), "{error}");
    assert_eq!(rows(&lake, AsOf::Version(0), count).await.unwrap(), ["|n|", "|3|"]);
}

#[tokio::test]
async fn a_moment_has_the_version_that_was_the_newest_then() {
    let lake = lake_of(&files()).await;
    // The second commit seems to be older than the first.
    for (version, seconds) in [(0, 1_000), (1, 990), (2, 2_000)] {
        written(&lake, &commit("s/t", version), seconds);
    }
    lake.lake().refresh().await.unwrap();
    let count = "SELECT sum(x) AS n FROM t";
    for (seconds, sum) in [(1_000, "|3|"), (1_001, "|6|"), (1_999, "|6|"), (2_000, "|15|"), (9_999, "|15|")] {
        assert_eq!(rows(&lake, at(seconds), count).await.unwrap(), ["|n|", sum], "{seconds}");
    }
    let error = rows(&lake, at(999), count).await.unwrap_err();
    assert_eq!(error.to_string(), "table \"s.t\" has no version of 1970-01-01 00:16:39+00 or before");
}

#[tokio::test]
async fn a_commit_that_tells_its_time_is_believed() {
    let mut files = files();
    let told = |millis: i64| json!({"commitInfo": {"inCommitTimestamp": millis, "operation": "WRITE"}});
    let mut metadata = x();
    metadata["metaData"]["configuration"] =
        json!({"delta.enableInCommitTimestamps": "true", "delta.inCommitTimestampEnablementVersion": "1"});
    let (b, c) = (files[4].1.clone(), files[5].1.clone());
    files[1].1 = lines(&[told(50_000), metadata, add("b.parquet", &b)]);
    files[2].1 = lines(&[told(60_000), add("c.parquet", &c)]);
    let lake = lake_of(&files).await;
    for (version, seconds) in [(0, 40), (1, 1_000), (2, 2_000)] {
        written(&lake, &commit("s/t", version), seconds);
    }
    lake.lake().refresh().await.unwrap();
    let count = "SELECT sum(x) AS n FROM t";
    for (seconds, sum) in [(40, "|3|"), (49, "|3|"), (50, "|6|"), (59, "|6|"), (60, "|21|")] {
        assert_eq!(rows(&lake, at(seconds), count).await.unwrap(), ["|n|", sum], "{seconds}");
    }
    assert!(matches!(rows(&lake, at(39), count).await, Err(Error::NoVersion { .. })));
}

#[tokio::test]
async fn a_definition_can_be_of_a_version() {
    let files = files();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, content)| (key.as_str(), content.as_slice())).collect();
    let sql = "CREATE EXTERNAL TABLE s.old STORED AS DELTA LOCATION 's/t' OPTIONS (version '1')";
    let lake = Fixture::defined(&files, "tables/a.sql", sql).await;
    for _ in 0..2 {
        assert_eq!(lake.rows("s.old", "SELECT * FROM t ORDER BY x").await.unwrap(), ["|1|", "|2|", "|3|"]);
        lake.write(&commit("s/t", 3), &lines(&[remove("c.parquet")]));
        lake.lake().refresh().await.unwrap();
    }
    for (options, reason) in [
        ("version '-1'", "invalid value \"-1\" for option \"version\""),
        ("version '1', timestamp '2020-01-01'", "a Delta table is of one version: version or timestamp"),
        ("timestamp 'soon'", "invalid value \"soon\" for option \"timestamp\""),
        ("delimiter '|'", "option \"delimiter\" is not one of DELTA, known are timestamp, version"),
    ] {
        lake.define("tables/a.sql", &sql.replace("version '1'", options));
        lake.lake().refresh().await.unwrap();
        let skipped = lake.skipped();
        assert!(skipped.iter().any(|(_, shown)| shown.contains(reason)), "{options}: {skipped:?}");
    }
    lake.define("tables/a.sql", &sql.replace("version '1'", "timestamp '2001-01-01 00:00:00+02'"));
    lake.lake().refresh().await.unwrap();
    assert!(matches!(lake.fails("s.old").await, Error::NoVersion { .. }));
}

#[tokio::test]
async fn other_formats_have_no_versions() {
    let lake = Fixture::new(&[("s/t.csv", b"x\n1\n")]).await;
    let error = rows(&lake, AsOf::Version(0), "SELECT 1").await.unwrap_err();
    assert_eq!(error.to_string(), "table \"s.t\" of format csv has no versions");
}
