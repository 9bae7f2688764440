//! Makes a shadow: reads a file as queries read it, all of its columns, and writes Parquet.
//!
//! Owns: that queries do not wait for it, and that a file which cannot be read to its end without a fault has none. Must never
//! do: tell a user.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow::array::RecordBatch;
use chrono::Utc;
use parking_lot::Mutex;
use tempfile::TempPath;
use tokio::time::Instant;

use super::checked::Writer;
use super::folder::{self, Folder};
use super::{Id, Shadow, index};
use crate::Error;
use crate::format::Opened;
use crate::format::bounds::FileBounds;
use crate::format::parquet;
use crate::format::scan::Reader;
use crate::remembered::is_settled;

pub(super) const BATCH_ROWS: usize = 8_192;

/// A row group is what one thread reads alone, and what is left out as a whole.
const GROUP_ROWS_MAX: usize = 128 << 10;
const GROUP_BYTES_MAX: usize = 64 << 20;

/// While statements run it rests so many times as long as it works.
const REST: u32 = 9;
const REST_MAX: Duration = Duration::from_secs(2);

/// Of all shadows, one may be so much.
pub(super) const SHARE_MAX: u64 = 2;

/// Tells whether there is other work.
pub(crate) struct Pace(pub(crate) Box<dyn Fn() -> bool + Send + Sync>);

impl Pace {
    /// Lets others work, now that this work has taken so long.
    pub(super) async fn rest(&self, worked: Duration) {
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
    pub(super) fn lasting(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), is_lasting: true }
    }

    pub(super) fn passing(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), is_lasting: false }
    }

    pub(super) fn of(error: Error) -> Self {
        Self { reason: error.to_string(), is_lasting: error.is_of_content() }
    }
}

/// The shadow of a file, at its place on the disk, and what is known of its rows.
pub(super) async fn transcode(
    (opened, at, id): (&Opened, usize, Id),
    folder: &Folder,
    bytes_max: u64,
    pace: &Pace,
) -> Result<(Shadow, FileBounds), Refusal> {
    let file = opened.content.file(at).ok_or_else(|| Refusal::lasting("there is no such file"))?;
    // What changes within the same tick of the clock has the same ETag.
    while !is_settled(file, Utc::now()) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if file.file.modified_at > Utc::now() {
            return Err(Refusal::lasting("it is of the future"));
        }
    }
    // It goes if it is not finished.
    let (disk, unfinished) = folder.unfinished(&id.to_string()).map_err(Refusal::lasting)?.into_parts();
    let Written { disk, told, bounds } = write((opened, at), disk, bytes_max / SHARE_MAX, pace).await?;
    let shadow = placed((disk, unfinished), bounds.rows, index::text_of_one(id, &told)).await?;
    Ok((shadow, bounds))
}

/// A shadow whose rows are written, at its place.
pub(super) async fn placed((disk, unfinished): (Writer, TempPath), rows: u64, text: String) -> Result<Shadow, Refusal> {
    // The disk may take its time.
    let placing = tokio::task::spawn_blocking(move || {
        let checked = disk.finish(rows, text)?;
        let place = folder::place(&unfinished);
        unfinished.persist(&place)?;
        Shadow::new(place, checked, Utc::now()).ok_or_else(|| std::io::Error::other("its own index is not understood"))
    });
    placing.await.map_err(Refusal::lasting)?.map_err(Refusal::lasting)
}

/// Writes all rows in their order.
async fn write((opened, at): (&Opened, usize), disk: File, bytes_max: u64, pace: &Pace) -> Result<Written, Refusal> {
    let text = opened.text(at).ok_or_else(|| Refusal::lasting("it is no text"))?;
    let schema = opened.columns.get(at).ok_or_else(|| Refusal::lasting("there is no such file"))?;
    if schema.fields().is_empty() {
        return Err(Refusal::lasting("it has no column"));
    }
    let (_, mut reader) = Reader::open(text, Arc::clone(schema), (BATCH_ROWS, 1)).map_err(Refusal::of)?;
    let disk = Arc::new(Mutex::new(Writer::new(disk)));
    let writer = ArrowWriter::try_new(Shared(Arc::clone(&disk)), Arc::clone(schema), Some(properties()?));
    let mut writer = writer.map_err(Refusal::lasting)?;
    let mut rows = 0;
    loop {
        let started = Instant::now();
        let batch: Option<RecordBatch> = reader.next().await.map_err(Refusal::of)?;
        let Some(batch) = batch else { break };
        rows += batch.num_rows();
        writer.write(&batch).map_err(Refusal::lasting)?;
        if disk.lock().bytes() > bytes_max {
            return Err(Refusal::lasting("it is too large"));
        }
        pace.rest(started.elapsed()).await;
    }
    // They are listed as queries meet them.
    if opened.content.has_rejects(at) {
        return Err(Refusal::lasting("it has records that are left out"));
    }
    let metadata = writer.close().map_err(Refusal::lasting)?;
    let bounds = parquet::bounds_of(&metadata, schema, rows);
    let told = parquet::told(schema, rows, &bounds).unwrap_or_default();
    let disk = Arc::into_inner(disk).ok_or_else(|| Refusal::lasting("somebody else writes it"))?.into_inner();
    Ok(Written { disk, told, bounds })
}

/// All rows of a file.
struct Written {
    disk: Writer,
    told: String,
    bounds: FileBounds,
}

/// The file that the writer of Parquet has, and that is there when it is done.
pub(super) struct Shared(pub(super) Arc<Mutex<Writer>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().flush()
    }
}

pub(super) fn properties() -> Result<WriterProperties, Refusal> {
    let level = ZstdLevel::try_new(1).map_err(Refusal::lasting)?;
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
        .set_max_row_group_bytes(Some(GROUP_BYTES_MAX))
        .build())
}
