//! A lake of temporary files, read through plans as queries read it.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::DataFusionError;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::SourceConfig;

struct Fixture {
    dir: TempDir,
    lake: Option<Arc<Lake>>,
}

impl Fixture {
    async fn new(files: &[(&str, &[u8])]) -> Self {
        let fixture = Self { dir: tempfile::tempdir().unwrap(), lake: None };
        std::fs::create_dir(fixture.dir.path().join("lake")).unwrap();
        files.iter().for_each(|(key, content)| fixture.write(key, content));
        fixture.open().await
    }

    /// With one file of definitions.
    async fn defined(files: &[(&str, &[u8])], kind: &str, sql: &str) -> Self {
        let fixture = Self { dir: tempfile::tempdir().unwrap(), lake: None };
        std::fs::create_dir(fixture.dir.path().join("lake")).unwrap();
        files.iter().for_each(|(key, content)| fixture.write(key, content));
        fixture.define(kind, sql);
        fixture.open().await
    }

    fn define(&self, kind: &str, sql: &str) {
        let path = self.dir.path().join("sql").join(kind);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, sql).unwrap();
    }

    fn config(&self) -> Config {
        let url = self.dir.path().join("lake").to_str().unwrap().to_owned();
        let sources = vec![SourceConfig { url, ..Default::default() }];
        Config { sources, poll_interval_ms: 10, ..Default::default() }
    }

    async fn open(self) -> Self {
        let config = self.config();
        self.open_with(config).await
    }

    async fn open_with(mut self, config: Config) -> Self {
        self.lake = Some(Lake::open(config, &self.dir.path().join("sql")).await.unwrap());
        self
    }

    fn lake(&self) -> &Arc<Lake> {
        self.lake.as_ref().unwrap()
    }

    /// Puts a file in its place at once.
    fn write(&self, key: &str, content: &[u8]) {
        let path = self.dir.path().join("lake").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new_in(self.dir.path()).unwrap();
        file.write_all(content).unwrap();
        // What was written just now is not remembered.
        file.as_file().set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
        file.persist(path).unwrap();
    }

    fn remove(&self, key: &str) {
        std::fs::remove_file(self.dir.path().join("lake").join(key)).unwrap();
    }

    async fn table(&self, name: &str) -> Result<SessionContext, Error> {
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
        crate::optimizer_rules().into_iter().for_each(|rule| context.add_optimizer_rule(rule));
        for (url, store) in self.lake().object_stores() {
            context.register_object_store(&url, store);
        }
        let (schema, name) = name.split_once('.').unwrap();
        let snapshot = self.lake().snapshot();
        let provider = snapshot.table(schema, name).expect("the table").provider().await?;
        context.register_table("t", provider).unwrap();
        Ok(context)
    }

    /// The rows of a query over `t`, a cell between bars.
    async fn rows(&self, table: &str, sql: &str) -> Result<Vec<String>, Error> {
        let context = self.table(table).await?;
        let batches = context.sql(sql).await.unwrap().collect().await.map_err(ours)?;
        let text = pretty_format_batches(&batches).unwrap().to_string();
        let lines = text.lines().filter(|line| line.starts_with('|')).skip(1);
        Ok(lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect())
    }

    async fn columns(&self, table: &str) -> String {
        let (schema, name) = table.split_once('.').unwrap();
        let columns = self.lake().snapshot().table(schema, name).unwrap().columns().await.unwrap();
        let shown = |field: &Arc<arrow::datatypes::Field>| format!("{} {}", field.name(), field.data_type());
        columns.fields().iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    async fn fails(&self, table: &str) -> Error {
        self.rows(table, "SELECT * FROM t").await.expect_err("an error")
    }

    fn skipped(&self) -> Vec<(String, String)> {
        self.lake().snapshot().skipped_files().into_iter().map(|file| (file.key, file.reason)).collect()
    }

    fn names(&self) -> Vec<String> {
        self.lake().snapshot().tables().map(|table| format!("{}.{}", table.schema, table.name)).collect()
    }
}

/// The files as table `t`, and rows in memory as `m`.
async fn beside(files: &[(String, Vec<u8>)], rows: Vec<RecordBatch>) -> (Fixture, SessionContext) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, bytes)| (key.as_str(), bytes.as_slice())).collect();
    let lake = Fixture::new(&files).await;
    let context = lake.table("s.t").await.unwrap();
    let memory = MemTable::try_new(rows[0].schema(), vec![rows]).unwrap();
    context.register_table("m", Arc::new(memory)).unwrap();
    (lake, context)
}

/// Numbers below the one that is asked for, always the same ones.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

/// The error of the catalog in one of DataFusion.
fn ours(error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(inner) => *inner.downcast::<Error>().expect("an error of the catalog"),
        DataFusionError::ParquetError(inner) => match *inner {
            parquet::errors::ParquetError::External(inner) => {
                *inner.downcast::<Error>().expect("an error of the catalog")
            }
            other => panic!("{other:?}"),
        },
        DataFusionError::ArrowError(inner, _) => match *inner {
            arrow::error::ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(inner) => ours(*inner.downcast::<DataFusionError>().unwrap()),
            },
            other => panic!("{other:?}"),
        },
        DataFusionError::Context(_, inner) => ours(*inner),
        DataFusionError::Shared(inner) => match inner.as_ref() {
            DataFusionError::External(inner) => inner.downcast_ref::<Error>().unwrap().clone(),
            DataFusionError::ParquetError(inner) => match inner.as_ref() {
                parquet::errors::ParquetError::External(inner) => inner.downcast_ref::<Error>().unwrap().clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

async fn zstd(content: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncWriteExt;
    let mut encoder = async_compression::tokio::write::ZstdEncoder::new(Vec::new());
    encoder.write_all(content).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

fn parquet<const N: usize>(columns: [(&str, ArrayRef); N]) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn numbers(name: &str, values: &[i64]) -> Vec<u8> {
    parquet([(name, Arc::new(Int64Array::from(values.to_vec())))])
}

mod blocks;
mod blocks_at_once;
mod csv;
mod csv_found;
mod delta;
mod delta_deletions;
mod delta_faults;
mod delta_versions;
mod json;
mod lake;
mod packs;
mod parquet_files;
mod pruning;
mod remembered;
mod shadow_answers;
mod shadows;
mod text_known;
mod unread;
