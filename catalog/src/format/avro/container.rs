//! The head of a file and its blocks.
//!
//! Owns: where a block ends, and that it is of this file. Must never know: what is in a row.

use std::sync::Arc;

use bytes::Bytes;

use super::damaged;
use super::long::write_long;
use super::pack::{Codec, unpacked};
use super::shape::{Columns, Fault, Shape};
use crate::Error;
use crate::format::sequence::Sequence;
use crate::pinned::Pinned;

const MAGIC: [u8; 4] = *b"Obj\x01";
const SYNC_BYTES: usize = 16;

/// The head of a file.
const HEAD_BYTES_MAX: u64 = 16 << 20;

/// A block of more rows has no values.
const ROWS_MAX: u64 = i32::MAX as u64;

/// A block as it is stored. Writers begin a new one after some ten thousands of bytes.
const BLOCK_BYTES_MAX: u64 = 128 << 20;

/// A file that is being read.
pub(super) struct Container {
    pub(super) head: Arc<Head>,
    sequence: Sequence,
}

/// What a file says at its beginning.
pub(super) struct Head {
    pub(super) file: Arc<Pinned>,
    pub(super) shape: Shape,
    pub(super) columns: Columns,
    codec: Codec,
    sync: Bytes,
}

/// A block without its compression.
pub(super) struct Block {
    pub(super) rows: u64,
    pub(super) bytes: Bytes,
}

impl Head {
    /// The head of a file without compression, whose rows have these columns.
    pub(super) fn plain_head(&self, columns: impl Iterator<Item = usize>) -> Vec<u8> {
        let schema = self.columns.schema(columns);
        let mut head = MAGIC.to_vec();
        write_long(1, &mut head);
        for text in ["avro.schema", &schema] {
            write_long(i64::try_from(text.len()).unwrap_or(i64::MAX), &mut head);
            head.extend_from_slice(text.as_bytes());
        }
        write_long(0, &mut head);
        head.extend_from_slice(&self.sync);
        head
    }

    /// Puts a block of rows behind such a head.
    pub(super) fn write_plain(&self, rows: usize, bytes: &[u8], out: &mut Vec<u8>) {
        for number in [rows, bytes.len()] {
            write_long(i64::try_from(number).unwrap_or(i64::MAX), out);
        }
        out.extend_from_slice(bytes);
        out.extend_from_slice(&self.sync);
    }
}

impl Container {
    /// Reads the head.
    pub(super) async fn open(file: &Arc<Pinned>) -> Result<Self, Error> {
        let mut sequence = Sequence::new(file);
        let all = sequence.rest;
        if sequence.take(MAGIC.len() as u64).await?.is_none_or(|magic| *magic != MAGIC) {
            return Err(file.unreadable("it is no Avro file"));
        }
        let cut = || damaged(file, "the file ends within its head");
        let (mut schema, mut codec) = (None, None);
        loop {
            let count = long(&mut sequence).await?.ok_or_else(cut)?;
            if count == 0 {
                break;
            }
            if count < 0 {
                long(&mut sequence).await?.ok_or_else(cut)?;
            }
            for _ in 0..count.unsigned_abs() {
                let (key, value) = (text(file, &mut sequence).await?, text(file, &mut sequence).await?);
                match key.as_ref() {
                    b"avro.schema" => schema = Some(value),
                    b"avro.codec" => codec = Some(value),
                    _ => {}
                }
                if all - sequence.rest > HEAD_BYTES_MAX {
                    return Err(file.too_large(format!("its head has more than {HEAD_BYTES_MAX} bytes")));
                }
            }
        }
        let sync = sequence.take(SYNC_BYTES as u64).await?.ok_or_else(cut)?;
        let codec = codec.as_deref().unwrap_or(b"null");
        let codec = Codec::parse(codec).ok_or_else(|| {
            file.unsupported(format!("the Avro codec \"{}\"", String::from_utf8_lossy(codec).escape_default()))
        })?;
        let schema = schema.ok_or_else(|| damaged(file, "the file has no schema"))?;
        let schema = serde_json::from_slice(&schema).map_err(|_| damaged(file, "the schema is no JSON"))?;
        let (shape, columns) = Shape::of_rows(&schema).map_err(|fault| match fault {
            Fault::Damaged(reason) => damaged(file, reason),
            Fault::Unsupported(feature) => file.unsupported(feature),
            Fault::TooLarge(reason) => file.too_large(reason),
        })?;
        let head = Arc::new(Head { file: Arc::clone(file), shape, columns, codec, sync });
        Ok(Self { head, sequence })
    }

    /// The next block; `None` after the last.
    pub(super) async fn block(&mut self) -> Result<Option<Block>, Error> {
        let Some((rows, bytes)) = self.block_head().await? else { return Ok(None) };
        if bytes > BLOCK_BYTES_MAX {
            return Err(self.head.file.too_large(format!("a block has {bytes} bytes, more than {BLOCK_BYTES_MAX}")));
        }
        let packed = self.sequence.take(bytes).await?.ok_or_else(|| self.cut())?;
        self.check_sync().await?;
        let bytes = unpacked(&self.head.file, self.head.codec, packed).await?;
        Ok(Some(Block { rows, bytes }))
    }

    /// How many rows the next block has; `None` after the last.
    pub(super) async fn count(&mut self) -> Result<Option<u64>, Error> {
        let Some((rows, bytes)) = self.block_head().await? else { return Ok(None) };
        self.sequence.skip(bytes).await?;
        self.check_sync().await?;
        Ok(Some(rows))
    }

    async fn block_head(&mut self) -> Result<Option<(u64, u64)>, Error> {
        if self.sequence.rest == 0 {
            return Ok(None);
        }
        let rows = long(&mut self.sequence).await?.ok_or_else(|| self.cut())?;
        let bytes = long(&mut self.sequence).await?.ok_or_else(|| self.cut())?;
        let number = |number: i64| u64::try_from(number).ok();
        let rows = number(rows).filter(|rows| *rows <= ROWS_MAX);
        let rows = rows.ok_or_else(|| damaged(&self.head.file, "a block claims a number of rows that cannot be"))?;
        let bytes = number(bytes).filter(|bytes| *bytes <= self.sequence.rest).ok_or_else(|| self.cut())?;
        Ok(Some((rows, bytes)))
    }

    async fn check_sync(&mut self) -> Result<(), Error> {
        let sync = self.sequence.take(SYNC_BYTES as u64).await?.ok_or_else(|| self.cut())?;
        if sync == self.head.sync {
            Ok(())
        } else {
            Err(damaged(&self.head.file, "a block does not end with the file's marker"))
        }
    }

    fn cut(&self) -> Error {
        damaged(&self.head.file, "the file ends within a block")
    }
}

/// An integer; `None` if the file ends within it, or it is none.
async fn long(sequence: &mut Sequence) -> Result<Option<i64>, Error> {
    let mut bytes = Vec::with_capacity(10);
    while bytes.len() < 10 {
        let Some(byte) = sequence.take(1).await?.and_then(|byte| byte.first().copied()) else { return Ok(None) };
        bytes.push(byte);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(super::long::long(&bytes).map(|(value, _)| value))
}

async fn text(file: &Pinned, sequence: &mut Sequence) -> Result<Bytes, Error> {
    let length = long(sequence).await?.and_then(|length| u64::try_from(length).ok());
    match length.filter(|length| *length <= HEAD_BYTES_MAX) {
        Some(length) => sequence.take(length).await?.ok_or_else(|| damaged(file, "the file ends within its head")),
        None => Err(damaged(file, "the head is damaged")),
    }
}
