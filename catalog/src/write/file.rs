//! One data file while it is written.
//!
//! Owns: its form, and that its bytes go to the store as they come. Must never know: a log.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::Utc;
use object_store::PutMode;
use object_store::path::Path;

use super::action::Added;
use super::leftovers::Held;
use super::partitions::Values;
use super::upload::Upload;
use super::{Fault, partitions, stats};
use crate::Error;
use crate::format::parquet;
use crate::store::Source;

/// A row group is what one thread reads alone, and what is left out as a whole.
const GROUP_ROWS_MAX: usize = 1 << 20;
const GROUP_BYTES_MAX: usize = 64 << 20;

/// How Parquet files are written that stay in the lake.
pub(super) fn properties() -> Result<WriterProperties, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
        .set_max_row_group_bytes(Some(GROUP_BYTES_MAX))
        .set_created_by(concat!("Lakegate ", env!("CARGO_PKG_VERSION")).to_owned());
    Ok(properties.build())
}

/// A file that is not complete.
pub(super) struct File {
    name: String,
    partition: Values,
    schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
    upload: Upload,
    rows: usize,
}

impl File {
    /// A file in a folder, under a name that no other has.
    pub(super) fn new(folder: &str, schema: SchemaRef, partition: Values) -> Result<Self, ParquetError> {
        let name = format!("{}part-{}.zstd.parquet", partitions::folders(&partition), uuid::Uuid::new_v4());
        // Other engines do not read Arrow's own schema, and the log declares the columns.
        let options = ArrowWriterOptions::new().with_properties(properties()?).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), options)?;
        let key = format!("{folder}/{name}");
        let path = Path::parse(&key).unwrap_or_else(|_| Path::from(key));
        // A log has URLs.
        let name = name.replace('%', "%25");
        Ok(Self { name, partition, schema, writer, upload: Upload::new(path), rows: 0 })
    }

    pub(super) fn partition(&self) -> &Values {
        &self.partition
    }

    /// What it holds in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.writer.memory_size() + self.upload.memory_bytes()
    }

    /// How large it is so far, in the store or on its way.
    pub(super) fn written_bytes(&self) -> u64 {
        self.upload.bytes()
    }

    pub(super) async fn write(&mut self, source: &Source, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write(batch).map_err(failed)?;
        self.rows += batch.num_rows();
        self.send(source).await
    }

    /// Lets the rows go that are not in a row group yet.
    pub(super) async fn flush(&mut self, source: &Source) -> Result<(), Error> {
        self.writer.flush().map_err(failed)?;
        self.send(source).await
    }

    async fn send(&mut self, source: &Source) -> Result<(), Error> {
        self.upload.take(self.writer.inner_mut());
        self.upload.send(source).await
    }

    /// Completes the file, and says what its log must know.
    pub(super) async fn finish(mut self, source: &Source, held: &mut Held) -> Result<Added, Error> {
        let metadata = self.writer.finish().map_err(failed)?;
        self.upload.take(self.writer.inner_mut());
        let size = self.written_bytes();
        held.add(self.upload.path.clone());
        self.upload.finish(source, PutMode::Overwrite).await.map_err(Fault::store)?;
        let bounds = parquet::bounds_of(&metadata, &self.schema, self.rows);
        let names = self.schema.fields().iter().map(|field| field.name().as_str());
        Ok(Added {
            path: self.name,
            partition_values: self.partition,
            size,
            modification_time: Utc::now().timestamp_millis(),
            data_change: true,
            stats: stats::text(&bounds, names),
        })
    }

    /// Gives up: nothing of it stays.
    pub(super) fn abort(self, held: &Held) {
        self.upload.abort(held);
    }
}

fn failed(error: ParquetError) -> Error {
    Fault::Rows { table: String::new(), reason: error.to_string() }.into()
}
