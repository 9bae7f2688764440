//! One Parquet file of the demo, written batch by batch, so that its size costs no memory.
//!
//! Owns: compression, row groups, sort order. Must never know: what the columns mean.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::WriterProperties;

pub(super) const BATCH_ROWS: u64 = 65_536;
const ROW_GROUP_ROWS: usize = 131_072;

/// Writes the batches, sorted by the first column; gives their rows.
pub(super) fn write<W: Write + Send>(
    writer: W,
    schema: SchemaRef,
    batches: impl Iterator<Item = io::Result<RecordBatch>>,
) -> io::Result<u64> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_sorting_columns(Some(vec![SortingColumn { column_idx: 0, descending: false, nulls_first: false }]))
        .build();
    let mut parquet = ArrowWriter::try_new(writer, schema, Some(properties)).map_err(io::Error::other)?;
    let mut rows = 0;
    for batch in batches {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        parquet.write(&batch).map_err(io::Error::other)?;
    }
    parquet.close().map_err(io::Error::other)?;
    Ok(rows)
}
