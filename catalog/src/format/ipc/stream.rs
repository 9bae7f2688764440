//! A stream of messages: the columns, then batches and the dictionaries between them, to the end.
//!
//! Owns: where a message ends. Must never know: how a batch is decoded.

use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow_ipc::MessageHeader;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::batch::{Batch, Columns, Dictionaries, message};
use super::{BATCH_BYTES_MAX, CONTINUATION, FEATHER_1, MAGIC, METADATA_BYTES_MAX, damaged};
use crate::Error;
use crate::format::blocks::Part;
use crate::format::sequence::Sequence;
use crate::pinned::Pinned;

const CUT: &str = "the file ends within a message";

/// The columns of a stream.
pub(super) async fn schema(file: &Arc<Pinned>) -> Result<Schema, Error> {
    Messages::new(file).schema().await
}

/// The rows, batch by batch.
pub(super) fn parts(file: Arc<Pinned>, columns: Vec<usize>) -> BoxStream<'static, Result<Part, Error>> {
    let open = async move {
        let mut messages = Messages::new(&file);
        let columns = Columns::new(&file, messages.schema().await?, columns)?;
        let reading = Reading { messages, columns, dictionaries: Arc::default() };
        Ok::<_, Error>(futures::stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|part| (part, reading)))
        }))
    };
    futures::stream::once(open).try_flatten().boxed()
}

struct Messages {
    file: Arc<Pinned>,
    sequence: Sequence,
}

impl Messages {
    fn new(file: &Arc<Pinned>) -> Self {
        Self { file: Arc::clone(file), sequence: Sequence::new(file) }
    }

    /// The metadata of the next message; `None` at the end of the stream.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.sequence.rest == 0 {
            return Ok(None);
        }
        let mut length = self.word().await?;
        if length == CONTINUATION {
            length = self.word().await?;
        }
        let length = u64::from(u32::from_le_bytes(length));
        if length == 0 {
            return Ok(None);
        }
        if length > METADATA_BYTES_MAX {
            return Err(damaged(&self.file, format!("a message cannot have {length} bytes of metadata")));
        }
        self.sequence.take(length).await?.map(Some).ok_or_else(|| damaged(&self.file, CUT))
    }

    async fn word(&mut self) -> Result<[u8; 4], Error> {
        let word = self.sequence.take(4).await?;
        word.and_then(|word| word.first_chunk::<4>().copied()).ok_or_else(|| damaged(&self.file, CUT))
    }

    /// The columns, which are the first message.
    async fn schema(&mut self) -> Result<Schema, Error> {
        let first = self.word().await?;
        if first != CONTINUATION {
            return Err(match first {
                _ if MAGIC.starts_with(&first) => self.file.unreadable("the file ends without its footer"),
                _ if first == *FEATHER_1 => self.file.unsupported("the first version of Feather"),
                _ => self.file.unreadable("it is no Arrow file"),
            });
        }
        let length = u64::from(u32::from_le_bytes(self.word().await?));
        let metadata = match length {
            1..=METADATA_BYTES_MAX => self.sequence.take(length).await?,
            _ => None,
        };
        let metadata = metadata.ok_or_else(|| damaged(&self.file, CUT))?;
        let message = message(&self.file, &metadata)?;
        let schema = message.header_as_schema();
        let schema = schema.ok_or_else(|| damaged(&self.file, "the stream does not begin with its columns"))?;
        super::schema(&self.file, schema)
    }
}

struct Reading {
    messages: Messages,
    columns: Columns,
    /// As they are for the next batch.
    dictionaries: Arc<Dictionaries>,
}

impl Reading {
    /// The next batch; `None` at the end.
    async fn next(&mut self) -> Result<Option<Part>, Error> {
        let Self { messages, columns, dictionaries } = self;
        let file = Arc::clone(&messages.file);
        while let Some(metadata) = messages.next().await? {
            let message = message(&file, &metadata)?;
            let bytes = u64::try_from(message.bodyLength()).ok().filter(|bytes| *bytes <= messages.sequence.rest);
            let bytes = bytes.ok_or_else(|| damaged(&file, CUT))?;
            let mut written = None;
            let batch = match message.header_type() {
                MessageHeader::RecordBatch => match message.header_as_record_batch() {
                    Some(batch) => Some(Batch::of(&file, (&batch, message.version()), columns, bytes)?),
                    None => None,
                },
                MessageHeader::DictionaryBatch => {
                    written = message.header_as_dictionary_batch().map(|written| (written.id(), written.isDelta()));
                    match message.header_as_dictionary_batch() {
                        Some(written) => columns.dictionary(&file, &message, &written, bytes)?,
                        None => None,
                    }
                }
                MessageHeader::NONE => None,
                _ => return Err(damaged(&file, "a message is neither rows nor a dictionary")),
            };
            let Some(batch) = batch else {
                messages.sequence.skip(bytes).await?;
                continue;
            };
            let parts = body(&file, &mut messages.sequence, bytes, &batch).await?;
            match written {
                Some(written) => Arc::make_mut(dictionaries).add(&file, written, batch, parts)?,
                None => return Ok(Some(batch.part(&file, parts, Arc::clone(dictionaries)))),
            }
        }
        Ok(None)
    }
}

/// The ranges of a body, of which nothing is kept if none is wanted.
async fn body(file: &Pinned, sequence: &mut Sequence, bytes: u64, batch: &Batch) -> Result<Vec<Bytes>, Error> {
    if batch.ranges.is_empty() {
        sequence.skip(bytes).await?;
        return Ok(Vec::new());
    }
    if bytes > BATCH_BYTES_MAX {
        return Err(file.too_large(format!("a batch has {bytes} bytes, more than {BATCH_BYTES_MAX}")));
    }
    let whole = sequence.take(bytes).await?.ok_or_else(|| damaged(file, CUT))?;
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(whole.len());
    Ok(batch.ranges.iter().map(|range| whole.slice(at(range.start)..at(range.end))).collect())
}
