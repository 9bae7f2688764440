//! A file with a footer, which names its blocks.
//!
//! Owns: which bytes of a file are asked for. Must never know: how a batch is decoded.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow_ipc::{Block, MessageHeader};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::batch::{Batch, Columns, Dictionaries, message};
use super::{CONTINUATION, MAGIC, METADATA_BYTES_MAX, damaged};
use crate::Error;
use crate::format::blocks::Part;
use crate::pinned::Pinned;

/// What is read of the end of a file at first.
const TAIL_BYTES: u64 = 64 << 10;

/// The length of the footer, and the magic.
const END_BYTES: u64 = 4 + MAGIC.len() as u64;

/// A block up to this size is read as a whole: a second request for it costs more than its other columns.
const WHOLE_BYTES_MAX: u64 = 1 << 20;

/// Buffers of a block that are this near are read at once.
const GAP_BYTES_MAX: u64 = 64 << 10;

/// Blocks that are read at once: the next one while one is decoded, and more if only their rows are counted.
const AHEAD: usize = 2;
const COUNTED_AT_ONCE: usize = 8;

/// What a file says at its end.
pub(super) struct Footer {
    pub(super) schema: Schema,
    dictionaries: Vec<Place>,
    batches: Vec<Place>,
}

/// A message, inside the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    metadata_bytes: u64,
    body_bytes: u64,
}

impl Place {
    fn of(file: &Pinned, block: &Block) -> Result<Self, Error> {
        let place = || {
            let place = Self {
                start: u64::try_from(block.offset()).ok()?,
                metadata_bytes: u64::try_from(block.metaDataLength()).ok()?,
                body_bytes: u64::try_from(block.bodyLength()).ok()?,
            };
            let end = place.start.checked_add(place.metadata_bytes)?.checked_add(place.body_bytes)?;
            (end <= file.file.bytes).then_some(place)
        };
        let place = place().ok_or_else(|| damaged(file, "the footer names a place outside the file"))?;
        if place.metadata_bytes > METADATA_BYTES_MAX {
            return Err(file.too_large(format!("a batch has {} bytes of metadata", place.metadata_bytes)));
        }
        Ok(place)
    }

    fn body(&self) -> u64 {
        self.start + self.metadata_bytes
    }
}

/// Reads the footer; `None` if the file does not end as one with a footer.
pub(super) async fn footer(file: &Pinned) -> Result<Option<Footer>, Error> {
    let bytes = file.file.bytes;
    let tail = one(file, bytes.saturating_sub(TAIL_BYTES)..bytes).await?;
    let Some(length) = tail.strip_suffix(MAGIC).and_then(|tail| tail.last_chunk::<4>()) else { return Ok(None) };
    let length = i32::from_le_bytes(*length);
    let inside = |length: u64| length > 0 && length.saturating_add(END_BYTES + MAGIC.len() as u64) <= bytes;
    let Some(length) = u64::try_from(length).ok().filter(|length| inside(*length)) else {
        return Err(damaged(file, format!("the footer cannot be {length} bytes long")));
    };
    if length > METADATA_BYTES_MAX {
        return Err(file.too_large(format!("the footer has {length} bytes")));
    }
    let end = bytes - END_BYTES;
    let written = match usize::try_from(length + END_BYTES).ok().and_then(|back| tail.len().checked_sub(back)) {
        Some(start) => tail.slice(start..tail.len() - usize::try_from(END_BYTES).unwrap_or_default()),
        None => one(file, end - length..end).await?,
    };
    let footer = arrow_ipc::root_as_footer(&written).map_err(|_| damaged(file, "the footer is no flatbuffer"))?;
    let schema = footer.schema().ok_or_else(|| damaged(file, "the footer has no columns"))?;
    let places = |blocks: Option<flatbuffers::Vector<'_, Block>>| {
        blocks.into_iter().flatten().map(|block| Place::of(file, block)).collect::<Result<Vec<_>, Error>>()
    };
    Ok(Some(Footer {
        schema: super::schema(file, schema)?,
        dictionaries: places(footer.dictionaries())?,
        batches: places(footer.recordBatches())?,
    }))
}

/// The rows, block by block.
pub(super) async fn parts(
    file: Arc<Pinned>,
    footer: Footer,
    columns: Vec<usize>,
) -> Result<BoxStream<'static, Result<Part, Error>>, Error> {
    let columns = Columns::new(&file, footer.schema, columns)?;
    let mut dictionaries = Dictionaries::default();
    if columns.have_dictionaries() {
        for place in footer.dictionaries {
            dictionary(&file, place, &columns, &mut dictionaries).await?;
        }
    }
    let at_once = if columns.wanted.is_empty() { COUNTED_AT_ONCE } else { AHEAD };
    let (columns, dictionaries) = (Arc::new(columns), Arc::new(dictionaries));
    let read = move |place: Place| {
        let (file, columns, dictionaries) = (Arc::clone(&file), Arc::clone(&columns), Arc::clone(&dictionaries));
        async move { block(&file, place, &columns, dictionaries).await }
    };
    let blocks = futures::stream::iter(footer.batches).map(read).buffered(at_once);
    Ok(blocks.try_filter_map(|part| async move { Ok(part) }).boxed())
}

/// Reads one dictionary, if a wanted column has it.
async fn dictionary(
    file: &Pinned,
    place: Place,
    columns: &Columns,
    dictionaries: &mut Dictionaries,
) -> Result<(), Error> {
    let (metadata, rest) = head(file, place, false).await?;
    let message = message(file, stripped(file, &metadata)?)?;
    let Some(written) = message.header_as_dictionary_batch() else {
        return Err(damaged(file, "a block of a dictionary holds something else"));
    };
    let Some(batch) = columns.dictionary(file, &message, &written, place.body_bytes)? else { return Ok(()) };
    let parts = body(file, place, &batch.ranges, rest).await?;
    dictionaries.add(file, (written.id(), written.isDelta()), batch, parts)
}

/// Reads one batch; `None` of an empty message.
async fn block(
    file: &Arc<Pinned>,
    place: Place,
    columns: &Columns,
    dictionaries: Arc<Dictionaries>,
) -> Result<Option<Part>, Error> {
    let (metadata, rest) = head(file, place, columns.are_all()).await?;
    let message = message(file, stripped(file, &metadata)?)?;
    if message.header_type() == MessageHeader::NONE {
        return Ok(None);
    }
    let Some(written) = message.header_as_record_batch() else {
        return Err(damaged(file, "a block of rows holds something else"));
    };
    let batch = Batch::of(file, (&written, message.version()), columns, place.body_bytes)?;
    let parts = body(file, place, &batch.ranges, rest).await?;
    Ok(Some(batch.part(file, parts, dictionaries)))
}

/// The metadata of a message, and its body if that is small or wanted as a whole.
async fn head(file: &Pinned, place: Place, is_all: bool) -> Result<(Bytes, Option<Bytes>), Error> {
    let is_whole = place.body_bytes <= WHOLE_BYTES_MAX || (is_all && place.body_bytes <= super::BATCH_BYTES_MAX);
    let bytes = one(file, place.start..place.body() + if is_whole { place.body_bytes } else { 0 }).await?;
    let cut = usize::try_from(place.metadata_bytes).unwrap_or(usize::MAX).min(bytes.len());
    Ok((bytes.slice(..cut), is_whole.then(|| bytes.slice(cut..))))
}

/// Ranges of the body of a message; near ones are read at once.
async fn body(file: &Pinned, place: Place, ranges: &[Range<u64>], whole: Option<Bytes>) -> Result<Vec<Bytes>, Error> {
    let slice = |bytes: &Bytes, start: u64, range: &Range<u64>| {
        let at = |place: u64| usize::try_from(place.saturating_sub(start)).unwrap_or(usize::MAX).min(bytes.len());
        bytes.slice(at(range.start)..at(range.end))
    };
    if let Some(whole) = whole {
        return Ok(ranges.iter().map(|range| slice(&whole, 0, range)).collect());
    }
    let mut sorted: Vec<&Range<u64>> = ranges.iter().filter(|range| !range.is_empty()).collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP_BYTES_MAX) => last.end = last.end.max(range.end),
            _ => merged.push(range.clone()),
        }
    }
    let asked: Vec<Range<u64>> =
        merged.iter().map(|range| place.body() + range.start..place.body() + range.end).collect();
    let read = file.ranges(&asked).await?;
    let part = |range: &Range<u64>| {
        let after = merged.partition_point(|merged| merged.start <= range.start);
        let at = after.checked_sub(1)?;
        Some(slice(read.get(at)?, merged.get(at)?.start, range))
    };
    Ok(ranges.iter().map(|range| if range.is_empty() { None } else { part(range) }.unwrap_or_default()).collect())
}

/// The flatbuffer behind its length. Files of the first versions have no marker before it.
fn stripped<'a>(file: &Pinned, metadata: &'a [u8]) -> Result<&'a [u8], Error> {
    let behind = if metadata.starts_with(&CONTINUATION) { 8 } else { 4 };
    metadata.get(behind..).ok_or_else(|| damaged(file, "a block is too short"))
}

async fn one(file: &Pinned, range: Range<u64>) -> Result<Bytes, Error> {
    Ok(file.ranges(std::slice::from_ref(&range)).await?.pop().unwrap_or_default())
}
