//! What is in the lake, and what becomes of it.

use super::*;

#[tokio::test]
async fn a_replaced_file_is_a_conflict_and_then_new() {
    let arrow =
        |values: &[i64]| blocks::file(&[blocks::batch(&[("x", Arc::new(Int64Array::from(values.to_vec())))])], None);
    let avro = |values: &[i64]| blocks::avro(&[blocks::batch(&[("x", Arc::new(Int64Array::from(values.to_vec())))])]);
    let lake = Fixture::new(&[
        ("s/a.csv", b"x\n1\n"),
        ("s/b.parquet", &numbers("x", &[1])),
        ("s/c.ndjson", b"{\"x\":1}\n"),
        ("s/d.arrow", &arrow(&[1])),
        ("s/e.avro", &avro(&[1])),
    ])
    .await;
    lake.lake().warm(CancellationToken::new()).await;
    lake.write("s/a.csv", b"x\n22\n");
    lake.write("s/b.parquet", &numbers("x", &[22]));
    lake.remove("s/c.ndjson");
    lake.write("s/d.arrow", &arrow(&[22]));
    lake.write("s/e.avro", &avro(&[22]));
    for table in ["s.a", "s.b", "s.c", "s.d", "s.e"] {
        let error = lake.fails(table).await;
        assert!(matches!(error, Error::Replaced { .. }), "{error}");
    }
    assert!(lake.lake().refresh().await.unwrap());
    for table in ["s.a", "s.b", "s.d", "s.e"] {
        assert_eq!(lake.rows(table, "SELECT x FROM t").await.unwrap(), ["|22|"]);
    }
    assert_eq!(lake.names(), ["s.a", "s.b", "s.d", "s.e"]);
}

#[tokio::test]
async fn a_refresh_notices_changes_and_keeps_the_rest() {
    let lake = Fixture::new(&[("s/a.csv", b"x\n1\n"), ("s/b/1.csv", b"x\n1\n")]).await;
    let first = lake.lake().snapshot();
    assert!(!lake.lake().refresh().await.unwrap());
    assert_eq!(lake.lake().snapshot().version, first.version);
    lake.write("s/b/2.csv", b"x\n2\n");
    assert!(lake.lake().refresh().await.unwrap());
    let second = lake.lake().snapshot();
    assert_eq!(second.version, first.version + 1);
    assert!(Arc::ptr_eq(first.table("s", "a").unwrap(), second.table("s", "a").unwrap()));
    assert!(!Arc::ptr_eq(first.table("s", "b").unwrap(), second.table("s", "b").unwrap()));
    assert_eq!(lake.rows("s.b", "SELECT x FROM t ORDER BY x").await.unwrap(), ["|1|", "|2|"]);
    lake.remove("s/a.csv");
    lake.define("views/v.sql", "CREATE VIEW s.v AS SELECT 1; CREATE VIEW s.b AS SELECT 2; nonsense");
    assert!(lake.lake().refresh().await.unwrap());
    assert_eq!(lake.names(), ["s.b", "s.v"]);
    let snapshot = lake.lake().snapshot();
    assert!(matches!(&snapshot.table("s", "v").unwrap().kind, Kind::View(view) if view.sql == "SELECT 1"));
    let skipped = lake.skipped();
    let reasons = skipped.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>();
    let syntax = "bad definition in \"views/v.sql\", line 1: Expected: CREATE, found: nonsense";
    assert_eq!(reasons, [syntax, "a table has the same name"]);
    assert!(!lake.lake().refresh().await.unwrap());
}

#[tokio::test]
async fn polling_refreshes_until_it_is_stopped() {
    let lake = Fixture::new(&[]).await;
    let stop = CancellationToken::new();
    let polling = tokio::spawn({
        let (lake, stop) = (Arc::clone(lake.lake()), stop.clone());
        async move { lake.poll(stop).await }
    });
    lake.write("s/a.csv", b"x\n1\n");
    while lake.names().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    polling.await.unwrap();
    assert!(lake.lake().store_is_reachable().await);
}

#[tokio::test]
async fn one_table_gets_a_file_when_several_could() {
    let lake = Fixture::new(&[
        ("s/a.csv", b"x\n1\n"),
        ("s/a/1.csv", b"x\n1\n"),
        ("s/b/1.csv", b"x\n1\n"),
        ("s/b/2.csv", b"x\n1\n"),
        ("s/b/3.ndjson", b"{}\n"),
        ("s/c.csv", b"x\n1\n"),
        ("s/c.csv.gz", &gzip(b"x\n2\n")),
        ("s/d/k=1/1.csv", b"x\n1\n"),
        ("s/d/2.csv", b"x\n1\n"),
        ("s/readme.md", b"# x\n"),
        ("s/_hidden.csv", b"x\n"),
        ("root file.csv", b"x\n7\n"),
    ])
    .await;
    assert_eq!(lake.names(), ["public.root file", "s.a", "s.b", "s.c", "s.d"]);
    let expected = [
        ("s/a.csv", "a folder has the same name"),
        ("s/b/3.ndjson", "the other files of the table are csv"),
        ("s/c.csv.gz", "another file has the same name"),
        ("s/d/k=1/1.csv", "the folders do not name the partitions ()"),
        ("s/readme.md", "the name does not end in a known format"),
    ];
    assert_eq!(lake.skipped(), expected.map(|(key, reason)| (key.to_owned(), reason.to_owned())));
    assert_eq!(lake.rows("public.root file", "SELECT x FROM t").await.unwrap(), ["|7|"]);
}

#[tokio::test]
async fn a_source_that_cannot_be_opened_stops_the_start() {
    let config = |url: &str| Config {
        sources: vec![SourceConfig { url: url.into(), ..Default::default() }],
        ..Default::default()
    };
    for url in ["/nonexistent/lake", "ftp://x"] {
        let error = Lake::open(config(url), Path::new("sql")).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("could not open source \"{url}\"")), "{error}");
    }
}
