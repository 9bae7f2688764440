//! Makes the shadow that small files of a table share: reads them as queries do, all of their columns, and writes their rows
//! one file after the other, with the values of their folders.
//!
//! Owns: what it holds at most, and that a file which cannot be read without a fault is left out. Must never do: tell a user.

use std::fs::File;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use chrono::Utc;
use datafusion::common::DataFusionError;
use futures::stream::{self, BoxStream, StreamExt};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::checked::Writer;
use super::gathered::{Batch, PACK_BYTES_MAX, PACK_FILES_MAX, are_enough};
use super::transcode::{BATCH_ROWS, Refusal, SHARE_MAX, Shared, placed, properties};
use super::{Id, Pace, Shadows, choice, index, remember};
use crate::Error;
use crate::format::bounds::FileBounds;
use crate::format::extremes::Extremes;
use crate::format::scan::Reader;
use crate::format::{Opened, parquet};
use crate::pinned::Pinned;
use crate::remembered::is_settled;

/// Files that are read at once, so that one need not wait for the store's answer to the last.
const AT_ONCE: usize = 4;

/// The rows of one file in memory. What is packed can become very much.
const FILE_MEMORY_BYTES_MAX: usize = 64 << 20;

/// What is known of the files of a pack stays in memory.
const TEXT_BYTES_MAX: usize = 8 << 20;

/// A file and its rows.
type Read = (usize, Result<Vec<RecordBatch>, Unread>);

/// Why there are no rows of a file.
enum Unread {
    /// It has no place in a pack.
    Left(Refusal),
    /// The store does not answer, and would not for the next one.
    Failed(Error),
}

/// A pack that was written, not yet at its place.
struct Written {
    disk: Writer,
    members: Vec<Member>,
}

struct Member {
    at: usize,
    id: Id,
    told: String,
    bounds: FileBounds,
}

impl Shadows {
    /// Makes the shadows that some small files share: one, if they fit in one.
    pub(super) async fn pack(&self, batch: &Batch, pace: &Pace) {
        let Some(first) = batch.opened.content.file(0) else { return };
        let (files, replaced) = choice::chosen(&self.state.lock().held, batch, &first.table);
        if files.is_empty() {
            return;
        }
        let Batch { opened, columns, .. } = batch;
        let reads = stream::iter(files).map(|at| async move { (at, read(opened, at, columns).await) });
        let mut reads = reads.buffered(AT_ONCE).boxed();
        loop {
            match self.pack_some(batch, &mut reads, pace).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(refusal) => {
                    tracing::debug!(table = first.table, reason = refusal.reason, "small files have no shadow");
                    let refused = &mut self.state.lock().refused;
                    batch.ids.iter().filter(|_| refusal.is_lasting).for_each(|id| remember(refused, *id));
                    return;
                }
            }
        }
        let mut state = self.state.lock();
        replaced.iter().for_each(|pack| state.held.forget(pack));
    }

    /// Makes the shadow of the next files; false if none is left.
    async fn pack_some(&self, batch: &Batch, reads: &mut BoxStream<'_, Read>, pace: &Pace) -> Result<bool, Refusal> {
        let (Some(folder), Some(first)) = (&self.folder, batch.opened.content.file(0)) else { return Ok(false) };
        // It goes if it is not finished.
        let (disk, unfinished) = folder.unfinished("pack").map_err(Refusal::lasting)?.into_parts();
        let (written, is_more) = self.write(batch, (reads, disk), pace).await?;
        let Some(Written { disk, members }) = written else { return Ok(is_more) };
        let lines = members.iter().map(|member| (member.id, member.rows(), member.told.as_str()));
        let (rows, text) =
            (members.iter().map(|member| member.bounds.rows).sum(), index::text_of_pack(&first.table, lines));
        let shadow = placed((disk, unfinished), rows, text).await?;
        for Member { at, bounds, .. } in members {
            self.tell(&batch.opened, at, bounds);
        }
        let (files, bytes) = (shadow.ids().count(), shadow.bytes_on_disk());
        tracing::debug!(table = first.table, files, bytes, "small files have a shadow");
        self.state.lock().held.add(shadow, self.bytes_max);
        Ok(is_more)
    }

    /// Writes all rows of the next files until a pack is full; no pack if they are too few. Tells whether more files are left.
    async fn write(
        &self,
        batch: &Batch,
        (reads, disk): (&mut BoxStream<'_, Read>, File),
        pace: &Pace,
    ) -> Result<(Option<Written>, bool), Refusal> {
        let opened = &batch.opened;
        let schema = with_folders(&batch.columns, opened);
        let disk = Arc::new(Mutex::new(Writer::new(disk)));
        let writer = ArrowWriter::try_new(Shared(Arc::clone(&disk)), Arc::clone(&schema), Some(properties()?));
        let mut writer = writer.map_err(Refusal::lasting)?;
        let (mut members, mut bytes, mut text_bytes): (Vec<Member>, u64, usize) = Default::default();
        let mut is_more = true;
        loop {
            let started = Instant::now();
            let Some((at, rows)) = reads.next().await else {
                is_more = false;
                break;
            };
            let Some((id, file)) = opened.ids.get(at).copied().flatten().zip(opened.content.file(at)) else { continue };
            match rows {
                Ok(batches) => {
                    let member = member((at, id), &batches, &batch.columns)?;
                    for rows in &batches {
                        let rows = foldered(rows, file, &schema).map_err(Refusal::lasting)?;
                        writer.write(&rows).map_err(Refusal::lasting)?;
                    }
                    bytes += file.file.bytes;
                    text_bytes += member.told.len();
                    members.push(member);
                }
                Err(Unread::Left(refusal)) => {
                    tracing::debug!(table = file.table, file = file.key(), reason = refusal.reason, "not in a pack");
                    if refusal.is_lasting {
                        remember(&mut self.state.lock().refused, id);
                    }
                }
                Err(Unread::Failed(error)) => return Err(Refusal::of(error)),
            }
            pace.rest(started.elapsed()).await;
            let is_full = members.len() >= PACK_FILES_MAX || bytes >= PACK_BYTES_MAX || text_bytes >= TEXT_BYTES_MAX;
            if is_full || disk.lock().bytes() >= self.bytes_max / SHARE_MAX {
                break;
            }
        }
        if !are_enough(members.len(), bytes) {
            return Ok((None, is_more));
        }
        writer.close().map_err(Refusal::lasting)?;
        let disk = Arc::into_inner(disk).ok_or_else(|| Refusal::lasting("somebody else writes it"))?.into_inner();
        if disk.bytes() > self.bytes_max {
            return Err(Refusal::lasting("it is too large"));
        }
        Ok((Some(Written { disk, members }), is_more))
    }
}

impl Member {
    fn rows(&self) -> usize {
        usize::try_from(self.bounds.rows).unwrap_or(usize::MAX)
    }
}

/// All rows of a file.
async fn read(opened: &Opened, at: usize, columns: &SchemaRef) -> Result<Vec<RecordBatch>, Unread> {
    let left = |reason: &str| Unread::Left(Refusal::lasting(reason));
    let file = opened.content.file(at).ok_or_else(|| left("there is no such file"))?;
    let text = opened.text(at).ok_or_else(|| left("it is no text"))?;
    if columns.fields().is_empty() {
        return Err(left("it has no column"));
    }
    // What changes within the same tick of the clock has the same ETag.
    if !is_settled(file, Utc::now()) {
        return Err(Unread::Left(Refusal::passing("it was written just now")));
    }
    let (_, mut reader) = Reader::open(text, Arc::clone(columns), (BATCH_ROWS, 1)).map_err(Unread::of)?;
    let (mut batches, mut bytes) = (Vec::new(), 0);
    while let Some(batch) = reader.next().await.map_err(Unread::of)? {
        bytes += batch.get_array_memory_size();
        if bytes > FILE_MEMORY_BYTES_MAX {
            return Err(left("it has too many rows"));
        }
        batches.push(batch);
    }
    // They are listed as queries meet them.
    match opened.content.has_rejects(at) {
        true => Err(left("it has records that are left out")),
        false => Ok(batches),
    }
}

impl Unread {
    fn of(error: Error) -> Self {
        match error {
            Error::Replaced { .. } => Self::Left(Refusal::passing(error)),
            error if error.is_of_content() => Self::Left(Refusal::lasting(error)),
            error => Self::Failed(error),
        }
    }
}

/// What is known of the rows of a file.
fn member((at, id): (usize, Id), batches: &[RecordBatch], columns: &SchemaRef) -> Result<Member, Refusal> {
    let mut extremes = Extremes::new(columns).map_err(Refusal::lasting)?;
    for batch in batches {
        extremes.add(batch).map_err(Refusal::lasting)?;
    }
    let bounds = extremes.finish().map_err(Refusal::lasting)?;
    let rows = usize::try_from(bounds.rows).map_err(Refusal::lasting)?;
    let told = parquet::told(columns, rows, &bounds).unwrap_or_default();
    Ok(Member { at, id, told, bounds })
}

/// The columns of the files and those of their folders.
fn with_folders(columns: &Schema, opened: &Opened) -> SchemaRef {
    let all = columns.fields().iter().chain(&opened.partitions.fields).map(Arc::clone);
    Arc::new(Schema::new(all.collect::<Vec<_>>()))
}

/// Rows with the values of the folders of their file behind.
fn foldered(rows: &RecordBatch, file: &Pinned, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
    for (place, field) in schema.fields().iter().skip(rows.num_columns()).enumerate() {
        columns.push(match file.file.partitions.get(place) {
            Some(value) => value.to_array_of_size(rows.num_rows())?,
            None => new_null_array(field.data_type(), rows.num_rows()),
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
