//! The demo lake: what it holds, that it is the same each time, and that all of it can be read.

use lakegate_tests::{Lake, TestServer, server};

/// Enough rows for every panel, few enough for a debug build.
const ROWS: usize = 2000;

/// A demo lake.
pub(crate) fn small() -> Lake {
    let lake = Lake::default();
    gateway::demo::write(lake.path(), ROWS).unwrap();
    lake
}

async fn demo_server(lake: &Lake) -> TestServer {
    let mut config = server::config(lake);
    config.sql_dir = crate::tidy::root().join("sql");
    TestServer::with(config).await.keeping(lake)
}

#[test]
fn the_same_rows_are_written_each_time() {
    let (one, two) = (small(), small());
    assert_eq!(one.keys(), two.keys());
    for key in one.keys() {
        let read = |lake: &Lake| std::fs::read(lake.path().join(&key)).unwrap();
        assert!(read(&one) == read(&two), "{key} differs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_and_view_can_be_read() {
    let lake = small();
    let server = demo_server(&lake).await;
    let listed = "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables \
                  WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1";
    let tables = server.column(listed).await;
    assert!(tables.len() >= 8, "{tables:?}");
    for domain in ["climate.", "weather.", "transactions."] {
        assert!(tables.iter().any(|table| table.starts_with(domain)), "nothing in {domain}: {tables:?}");
    }
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for table in tables {
        for sql in [format!("SELECT count(*) FROM {table}"), format!("SELECT * FROM {table} LIMIT 100")] {
            let answer = client.query(&sql).await;
            if answer.state() != "00000" {
                wrong.push(format!("{sql}: {:?}", answer.fault));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_question_of_the_climate_dashboard_is_answered() {
    let lake = small();
    let server = demo_server(&lake).await;
    let sql = "SELECT \"Year\" as time, AVG(\"Temp_Change\") as value FROM climate_analysis \
               GROUP BY \"Year\" ORDER BY \"Year\" ASC";
    let answer = server.wire().await.query(sql).await;
    assert_eq!(answer.state(), "00000", "{:?}", answer.fault);
    let names: Vec<_> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["time", "value"]);
    assert!(answer.rows.len() > 50);
    assert!(answer.texts().is_sorted_by_key(|row| row[0].clone()));
}
