//! Makes a shadow: reads a file as queries read it, all of its columns, and writes Parquet.
//!
//! Owns: that queries do not wait for it, and that a file which cannot be read to its end without a fault has none. Must never
//! do: tell a user.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use chrono::Utc;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tokio::time::Instant;

use super::checked::Writer;
use super::folder::{self, Folder};
use super::{Job, Shadow};
use crate::Error;
use crate::format::Content;
use crate::format::scan::Reader;
use crate::pinned::Pinned;
use crate::remembered::is_settled;

const BATCH_ROWS: usize = 8_192;

/// A row group is what one thread reads alone, and what is left out as a whole.
const GROUP_ROWS_MAX: usize = 128 << 10;
const GROUP_BYTES_MAX: usize = 64 << 20;

/// While statements run it rests so many times as long as it works.
const REST: u32 = 9;
const REST_MAX: Duration = Duration::from_secs(2);

/// Of all shadows, one may be so much.
const SHARE_MAX: u64 = 2;

/// Tells whether there is other work.
pub(crate) struct Pace(pub(crate) Box<dyn Fn() -> bool + Send + Sync>);

impl Pace {
    /// Lets others work, now that this work has taken so long.
    async fn rest(&self, worked: Duration) {
        match (self.0)() {
            true => tokio::time::sleep((worked * REST).min(REST_MAX)).await,
            false => tokio::task::yield_now().await,
        }
    }
}

/// Why a file has no shadow.
pub(super) struct Refusal {
    pub(super) reason: String,
    /// Whether the same file would have none at another time, too.
    pub(super) is_lasting: bool,
}

impl Refusal {
    fn lasting(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), is_lasting: true }
    }

    fn of(error: Error) -> Self {
        Self { reason: error.to_string(), is_lasting: error.is_of_content() }
    }
}

/// The shadow of a file, at its place on the disk.
pub(super) async fn transcode(job: &Job, folder: &Folder, bytes_max: u64, pace: &Pace) -> Result<Shadow, Refusal> {
    let file = job.opened.content.file(job.at).ok_or_else(|| Refusal::lasting("there is no such file"))?;
    // What changes within the same tick of the clock has the same ETag.
    while !is_settled(file, Utc::now()) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if file.file.modified_at > Utc::now() {
            return Err(Refusal::lasting("it is of the future"));
        }
    }
    // It goes if it is not finished.
    let (disk, unfinished) = folder.unfinished(job.id).map_err(Refusal::lasting)?.into_parts();
    let (writer, rows) = write(job, file, disk, bytes_max / SHARE_MAX, pace).await?;
    let id = job.id;
    // The disk may take its time.
    let placing = tokio::task::spawn_blocking(move || {
        let checked = writer.finish(rows, folder::text(id))?;
        let place = folder::place(&unfinished);
        unfinished.persist(&place)?;
        Ok::<_, std::io::Error>(Shadow::new(id, place, checked, Utc::now()))
    });
    placing.await.map_err(Refusal::lasting)?.map_err(Refusal::lasting)
}

/// Writes all rows in their order.
async fn write(job: &Job, file: &Pinned, disk: File, bytes_max: u64, pace: &Pace) -> Result<(Writer, u64), Refusal> {
    let opened = &job.opened;
    let text = opened.text(job.at).ok_or_else(|| Refusal::lasting("it is no text"))?;
    let schema = columns(&opened.content, job.at, &opened.file_schema);
    if schema.fields().is_empty() {
        return Err(Refusal::lasting("it has no column"));
    }
    let (_, mut reader) = Reader::open(text, Arc::clone(&schema), (BATCH_ROWS, 1)).map_err(Refusal::of)?;
    let mut writer = ArrowWriter::try_new(Writer::new(disk), schema, Some(properties()?)).map_err(Refusal::lasting)?;
    let mut rows = 0;
    loop {
        let started = Instant::now();
        let batch: Option<RecordBatch> = reader.next().await.map_err(Refusal::of)?;
        let Some(batch) = batch else { break };
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(Refusal::lasting)?;
        if writer.inner().bytes() > bytes_max {
            return Err(Refusal::lasting("it is too large"));
        }
        pace.rest(started.elapsed()).await;
    }
    // They are listed as queries meet them.
    if let Content::Csv { plan, .. } = &opened.content
        && plan.rejects(file.key()).is_some_and(|rejects| rejects.found().0 > 0)
    {
        return Err(Refusal::lasting("it has records that are left out"));
    }
    Ok((writer.into_inner().map_err(Refusal::lasting)?, rows))
}

/// The columns of a file. Those that other files have are NULL in all of its rows, and need no room.
pub(super) fn columns(content: &Content, at: usize, schema: &SchemaRef) -> SchemaRef {
    match content {
        Content::Csv { plan, files, .. } => match files.get(at) {
            Some((_, layout)) => {
                let fields = plan.columns_of(layout, schema).map(Arc::clone).collect::<Vec<_>>();
                Arc::new(Schema::new(fields))
            }
            None => Arc::clone(schema),
        },
        Content::Json { .. } | Content::Parquet { .. } => Arc::clone(schema),
    }
}

fn properties() -> Result<WriterProperties, Refusal> {
    let level = ZstdLevel::try_new(1).map_err(Refusal::lasting)?;
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
        .set_max_row_group_bytes(Some(GROUP_BYTES_MAX))
        .build())
}
