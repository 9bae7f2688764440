//! Checkpoints: the state of a table at one version in Parquet, in one file or several, or in lines with files beside.
//!
//! Owns: which columns of them are read. What they hold goes the way of the lines of a commit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use ::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use ::parquet::errors::ParquetError;
use arrow::array::RecordBatch;
use arrow_json::LineDelimitedWriter;
use futures::{FutureExt, TryStreamExt};

use super::log::{self, Replay};
use super::{Files, folder};
use crate::Error;
use crate::format::parquet;
use crate::pinned::Pinned;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 1024;

/// Columns of a checkpoint and what is in them; tombstones are of no use to readers of rows.
const COLUMNS: [&str; 6] = ["add", "metaData", "protocol", "sidecar", "checkpointMetadata", "txn"];
const COLUMNS_OF_REST: [&str; 6] = ["remove", "metaData", "protocol", "sidecar", "checkpointMetadata", "txn"];
const UNUSED: [&str; 2] = ["add.stats_parsed", "add.partitionValues_parsed"];

/// Reads one file of a checkpoint, and those that it names.
pub(super) async fn read(files: &Files<'_>, file: &Arc<Pinned>, replay: &mut Replay) -> Result<(), Error> {
    if file.key().ends_with(".json") {
        log::lines(file, replay).await?;
    } else {
        rows(files, file, replay).await?;
    }
    for name in std::mem::take(&mut replay.sidecars) {
        let folder = format!("{}/_sidecars", folder::log(files.folder));
        let sidecar = files.named(&folder, &name, file.key())?;
        let Some(sidecar) = files.listed(&sidecar) else {
            return Err(files.unreadable(sidecar.to_string(), format!("the checkpoint \"{}\" needs it", file.key())));
        };
        rows(files, sidecar, replay).await?;
    }
    Ok(())
}

async fn rows(files: &Files<'_>, file: &Arc<Pinned>, replay: &mut Replay) -> Result<(), Error> {
    // Bytes of unknown origin: some make the decoder panic.
    match AssertUnwindSafe(decode(files, file, replay)).catch_unwind().await {
        Ok(done) => done,
        Err(_) => Err(file.unreadable("the checkpoint is damaged")),
    }
}

async fn decode(files: &Files<'_>, file: &Arc<Pinned>, replay: &mut Replay) -> Result<(), Error> {
    let damaged = |error: ParquetError| match error {
        ParquetError::External(error) => match error.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => file.unreadable(format!("the checkpoint is damaged: {other}")),
        },
        other => file.unreadable(format!("the checkpoint is damaged: {other}")),
    };
    let reader = parquet::reader(file, files.footers);
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(damaged)?;
    let schema = builder.parquet_schema();
    let columns = if replay.rest.is_some() { COLUMNS_OF_REST } else { COLUMNS };
    let is_wanted = |path: &str| {
        let is_in =
            |column: &&str| path == *column || path.strip_prefix(*column).is_some_and(|rest| rest.starts_with('.'));
        columns.iter().any(&is_in) && !UNUSED.iter().any(is_in)
    };
    let leaves = (0..schema.num_columns()).filter(|leaf| is_wanted(&schema.column(*leaf).path().string()));
    let mask = ProjectionMask::leaves(schema, leaves.collect::<Vec<_>>());
    let mut batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(damaged)?;
    while let Some(batch) = batches.try_next().await.map_err(damaged)? {
        apply(&batch, replay).map_err(|reason| file.unreadable(format!("the checkpoint is damaged: {reason}")))?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Rows as lines: their columns are named as the fields of a commit's actions.
fn apply(batch: &RecordBatch, replay: &mut Replay) -> Result<(), String> {
    let mut lines = LineDelimitedWriter::new(Vec::new());
    lines.write(batch).map_err(|error| error.to_string())?;
    lines.finish().map_err(|error| error.to_string())?;
    for line in lines.into_inner().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        replay.apply(serde_json::from_slice(line).map_err(|error| error.to_string())?)?;
    }
    Ok(())
}
