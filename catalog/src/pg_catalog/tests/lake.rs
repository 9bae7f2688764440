//! The catalogs over files in a folder.

use std::path::Path;

use super::*;
use crate::{Config, Lake, SourceConfig};

/// Knows what the files tell.
#[derive(Debug)]
struct Files;

#[async_trait]
impl ColumnSource for Files {
    async fn columns(&self, table: &Table) -> Result<SchemaRef, crate::Error> {
        table.columns().await
    }
}

fn write(folder: &Path, key: &str, text: &str) {
    let path = folder.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

async fn open(folder: &Path) -> SessionContext {
    write(folder, "lake/weather/stations.csv", "id,name,height\n1,Brest,94.5\n");
    write(folder, "lake/weather/readings/year=2023/a.csv", "id,value\n1,2\n");
    write(folder, "lake/weather/readings/year=2024/b.csv", "id,value\n1,3\n2,4\n");
    write(folder, "lake/weather/empty.csv", "");
    write(
        folder,
        "sql/views/high.sql",
        "CREATE VIEW weather.high AS SELECT * FROM weather.stations WHERE height > 90;",
    );
    let source = SourceConfig { url: folder.join("lake").display().to_string(), ..SourceConfig::default() };
    let config = Config { sources: vec![source], ..Config::default() };
    let lake = Lake::open(config, &folder.join("sql")).await.unwrap();
    context(lake.snapshot(), Arc::new(Files)).1
}

async fn check(context: &SessionContext, sql: &str, expect: &[&str]) {
    assert_eq!(rows(context, sql).await, expect, "{sql}");
}

#[tokio::test]
async fn files_are_tables() {
    let folder = tempfile::tempdir().unwrap();
    let context = open(folder.path()).await;
    let sql = "SELECT c.relname, c.relkind, c.relam FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'weather' AND c.relname <> 'empty'
        ORDER BY 1";
    check(&context, sql, &["high|v|0", "readings|r|2", "stations|r|2"]).await;
    let sql = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'stations' ORDER BY ordinal_position";
    check(&context, sql, &["id|bigint", "name|text", "height|double precision"]).await;
    let sql = "SELECT view_definition FROM information_schema.views WHERE table_schema = 'weather'";
    check(&context, sql, &[" SELECT * FROM weather.stations WHERE height > 90;"]).await;
}

#[tokio::test]
async fn sizes_are_the_manifests() {
    let folder = tempfile::tempdir().unwrap();
    let context = open(folder.path()).await;
    let sql = "SELECT name, kind, format, files, bytes, newest_at IS NOT NULL FROM system.tables
        WHERE name <> 'empty' ORDER BY 1";
    let expect = ["high|view|~|0|0|false", "readings|table|csv|2|30|true", "stations|table|csv|1|28|true"];
    check(&context, sql, &expect).await;
    let sql = "SELECT key, bytes, partitions FROM system.objects WHERE \"table\" = 'readings' ORDER BY 1";
    let expect = ["weather/readings/year=2023/a.csv|13|year=2023", "weather/readings/year=2024/b.csv|17|year=2024"];
    check(&context, sql, &expect).await;
    check(&context, "SELECT pg_table_size('weather.stations'), pg_table_size('weather.high')", &["28|0"]).await;
    check(&context, "SELECT pg_database_size('lakegate') >= 58", &["true"]).await;
}

#[tokio::test]
async fn skipped_files_are_told_and_hide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let context = open(folder.path()).await;
    let sql = "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'weather' ORDER BY 1";
    let tables = rows(&context, sql).await;
    assert!(tables.contains(&"stations".to_owned()) && !tables.contains(&"empty".to_owned()), "{tables:?}");
    check(&context, "SELECT key FROM system.skipped_files", &["weather/empty.csv"]).await;
}

#[tokio::test]
async fn how_csv_is_read_is_told_with_counter_examples() {
    let folder = tempfile::tempdir().unwrap();
    let context = open(folder.path()).await;
    let sql = "SELECT property, value, confidence, origin FROM system.csv_dialect
        WHERE name = 'stations' AND key IS NOT NULL";
    check(&context, sql, &[]).await;
    rows(&context, "SELECT column_name FROM information_schema.columns WHERE table_name = 'stations'").await;
    let expect = [
        "encoding|UTF-8|1.0|detected",
        "delimiter|,|1.0|detected",
        "quote|\"|1.0|detected",
        "header|true|1.0|detected",
        "skip_lines|0|1.0|detected",
        "decimal|.|1.0|detected",
        "line_end|\\n|1.0|detected",
    ];
    check(&context, sql, &expect).await;
}
