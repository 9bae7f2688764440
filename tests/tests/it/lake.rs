//! Objects are tables: they come, change and go, and one broken file hides no other.

use std::time::Duration;

use lakegate_tests::lake::{gzip, numbers};
use lakegate_tests::{Lake, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_and_files_are_tables() {
    let lake = Lake::sample();
    lake.write("climate/co2.csv.gz", gzip(b"year,ppm\n1959,315.97\n1960,316.91\n"));
    lake.write("climate/years.tsv", "year\tname\n1959\tfirst\n");
    lake.write("shop/visits/year=2025/a.csv", "who\nada\n");
    lake.write("shop/visits/year=2026/b.csv", "who\nbob\ncid\n");
    let server = TestServer::start(&lake).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM weather.observations", "1000"),
        ("SELECT sum(n) FROM weather.observations", "499500"),
        ("SELECT count(temp) FROM weather.observations", "900"),
        ("SELECT name FROM weather.stations WHERE station = 'S1'", "Paris, Montsouris"),
        ("SELECT \"Height m\" FROM weather.stations WHERE station = 'S2'", "1795"),
        ("SELECT sum(amount) FROM shop.orders", "109.25"),
        ("SELECT max(ppm) FROM climate.co2", "316.91"),
        ("SELECT name FROM climate.years", "first"),
        ("SELECT count(*) FROM shop.visits WHERE year = 2026", "2"),
        ("SELECT string_agg(who, ',' ORDER BY who) FROM shop.visits", "ada,bob,cid"),
    ] {
        assert_eq!(server.value(sql).await, expected, "{sql}");
    }
    let listed = "SELECT table_schema || '.' || table_name FROM information_schema.tables \
                  WHERE table_schema IN ('climate', 'shop', 'weather') ORDER BY 1";
    let expected =
        ["climate.co2", "climate.years", "shop.orders", "shop.visits", "weather.observations", "weather.stations"];
    assert_eq!(server.column(listed).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_match_whatever_their_case_when_unquoted() {
    let lake = Lake::default();
    lake.write("Lab/Samples.csv", "Id,Temp_Change,value,VALUE\n1,0.5,a,b\n");
    let server = TestServer::start(&lake).await;
    for (sql, expected) in [
        ("SELECT id FROM lab.samples", "1"),
        ("SELECT TEMP_CHANGE FROM LAB.SAMPLES", "0.5"),
        ("SELECT \"Temp_Change\" FROM \"Lab\".\"Samples\"", "0.5"),
        ("SELECT s.id FROM lab.samples AS s WHERE S.Temp_Change > 0", "1"),
        ("SELECT \"VALUE\" FROM lab.samples", "b"),
        // An exact match wins over one that differs in case.
        ("SELECT value FROM lab.samples", "a"),
    ] {
        assert_eq!(server.value(sql).await, expected, "{sql}");
    }
    assert_eq!(server.state("SELECT \"id\" FROM lab.samples").await, "42703");
    assert_eq!(server.state("SELECT 1 FROM \"lab\".\"Samples\"").await, "42P01");
    assert_eq!(server.state("SELECT Value FROM (SELECT 1 AS \"vaLUE\", 2 AS \"VAlue\") t").await, "42702");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_changed_and_deleted_objects_are_seen() {
    let lake = Lake::default();
    lake.write("s/t/a.csv", "x\n1\n");
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    let sum = "SELECT sum(x) FROM s.t";
    assert_eq!(client.value(sum).await.as_deref(), Some("1"));
    lake.write("s/t/b.csv", "x\n10\n");
    lake.write("s/fresh.csv", "y\n7\n");
    server.refresh().await;
    assert_eq!(client.value(sum).await.as_deref(), Some("11"));
    assert_eq!(client.value("SELECT y FROM s.fresh").await.as_deref(), Some("7"));
    lake.write("s/t/a.csv", "x\n2\n");
    server.refresh().await;
    assert_eq!(client.value(sum).await.as_deref(), Some("12"));
    lake.remove("s/t/b.csv");
    lake.remove("s/fresh.csv");
    server.refresh().await;
    assert_eq!(client.value(sum).await.as_deref(), Some("2"));
    assert_eq!(client.query("SELECT y FROM s.fresh").await.state(), "42P01");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_noticed_by_polling() {
    let lake = Lake::default();
    lake.write("s/t.csv", "x\n1\n");
    let mut config = lakegate_tests::server::config(&lake);
    config.lake.poll_interval_ms = 50;
    let server = TestServer::with(config).await;
    let mut client = server.wire().await;
    lake.write("s/t.csv", "x\n2\n");
    // Until the next look the old file is known, which is no more: then the answer is 40001.
    let noticed = async { while client.query("SELECT x FROM s.t").await.text().as_deref() != Some("2") {} };
    tokio::time::timeout(Duration::from_secs(30), noticed).await.expect("the change is never seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_of_the_same_size_and_time_is_not_answered_from_memory() {
    let lake = Lake::default();
    let age = Duration::from_secs(1000);
    lake.write("s/t.parquet", numbers("x", [1]));
    lake.touch("s/t.parquet", age);
    let server = TestServer::start(&lake).await;
    assert_eq!(server.value("SELECT x FROM s.t").await, "1");
    lake.write("s/t.parquet", numbers("x", [2]));
    lake.touch("s/t.parquet", age);
    server.refresh().await;
    assert_eq!(server.value("SELECT x FROM s.t").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_of_csv_files_are_found_by_their_header() {
    let lake = Lake::default();
    lake.write("s/t/1.csv", "a,b,c\n1,2,3\n");
    lake.write("s/t/2.csv", "c,a,b\n30,10,20\n");
    lake.write("s/t/3.csv", "b,a\n200,100\n");
    lake.write("s/t/4.csv", "a,b,c,extra\n1000,2000,3000,9\n");
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    let answer = client.query("SELECT sum(a), sum(b), sum(c), sum(extra) FROM s.t").await;
    assert_eq!(answer.texts()[0], ["1111", "2222", "3033", "9"].map(|text| Some(text.to_owned())));
    let answer = client.query("SELECT c FROM s.t WHERE a = 100").await;
    assert_eq!(answer.texts(), [[None]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_only_file_is_an_empty_table() {
    let lake = Lake::default();
    lake.write("s/t.csv", "a,b\n");
    let server = TestServer::start(&lake).await;
    assert_eq!(server.value("SELECT count(*) FROM s.t").await, "0");
    assert_eq!(server.column("SELECT a FROM s.t").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sources_are_one_lake() {
    let (one, two) = (Lake::sample(), Lake::default());
    two.write("more/t.csv", "x\n1\n");
    let mut config = lakegate_tests::server::config(&one);
    config.lake.sources.push(catalog::SourceConfig { url: two.path().to_str().unwrap().into(), ..Default::default() });
    let server = TestServer::with(config).await;
    let sql = "SELECT (SELECT count(*) FROM weather.observations) + (SELECT count(*) FROM more.t)";
    assert_eq!(server.value(sql).await, "1001");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_and_table_options_come_from_the_sql_folder() {
    let lake = Lake::default();
    lake.write("climate/wide.csv", b"Area;Y1961;Y1962\nC\xf4te;0,5;1,5\n".as_slice());
    let view = "CREATE VIEW climate_long AS\n\
                SELECT \"Area\", 1961 AS \"Year\", \"Y1961\" AS \"Temp\" FROM climate.wide\n\
                UNION ALL SELECT \"Area\", 1962, \"Y1962\" FROM climate.wide;\n";
    let table = "CREATE EXTERNAL TABLE climate.wide STORED AS CSV LOCATION 'climate/wide.csv'\n\
                 OPTIONS ('delimiter' ';', 'encoding' 'windows-1252');\n";
    let files = [("views/climate_long.sql", view), ("tables/wide.sql", table)];
    let server = TestServer::with_sql(&lake, &files).await;
    assert_eq!(server.value("SELECT \"Area\" FROM climate_long WHERE \"Year\" = 1962").await, "Côte");
    assert_eq!(
        server.value("SELECT count(*) FROM information_schema.views WHERE table_name = 'climate_long'").await,
        "1"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_query_sees_one_state_of_the_lake() {
    let lake = Lake::default();
    lake.write("s/t.parquet", numbers("x", 0..100_000));
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    let parts =
        "SELECT (SELECT count(*) FROM s.t), (SELECT max(x) + 1 FROM s.t), (SELECT count(*) FROM s.t WHERE x >= 0)";
    for round in 1..20 {
        lake.write("s/t.parquet", numbers("x", 0..100_000 + round));
        let asked = client.query(parts);
        let (answer, ()) = tokio::join!(asked, server.refresh());
        if answer.state() == "40001" {
            continue;
        }
        assert_eq!(answer.state(), "00000", "{:?}", answer.fault);
        let row = &answer.texts()[0];
        assert!(row.iter().all(|value| *value == row[0]), "a mix of two states: {row:?}");
    }
}
