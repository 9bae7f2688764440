//! Takes the compression off blocks.
//!
//! Owns: that a block does not become larger than it may. Pure.

use std::io::Read;

use async_compression::tokio::bufread::{BzDecoder, XzDecoder};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::damaged;
use crate::Error;
use crate::pinned::Pinned;

/// A block without its compression.
const BYTES_MAX: u64 = 128 << 20;

/// What a stream of xz may ask for.
const XZ_MEMORY_BYTES_MAX: u64 = 128 << 20;

/// Behind a block in Snappy: the checksum of its bytes.
const SUM_BYTES: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
}

impl Codec {
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"null" => Self::Null,
            b"deflate" => Self::Deflate,
            b"snappy" => Self::Snappy,
            b"zstandard" => Self::Zstandard,
            b"bzip2" => Self::Bzip2,
            b"xz" => Self::Xz,
            _ => return None,
        })
    }
}

/// The bytes of a block.
pub(super) async fn unpacked(file: &Pinned, codec: Codec, packed: Bytes) -> Result<Bytes, Error> {
    let bytes = match codec {
        Codec::Null => return Ok(packed),
        Codec::Deflate => read(flate2::read::DeflateDecoder::new(packed.as_ref())),
        Codec::Zstandard => match zstd::Decoder::with_buffer(packed.as_ref()) {
            Ok(decoder) => read(decoder),
            Err(_) => None,
        },
        Codec::Snappy => {
            if snappy_bytes(&packed).is_some_and(|bytes| bytes > BYTES_MAX) {
                return Err(too_large(file));
            }
            snappy(&packed)
        }
        Codec::Bzip2 => read_async(BzDecoder::new(packed.as_ref())).await,
        Codec::Xz => read_async(XzDecoder::with_mem_limit(packed.as_ref(), XZ_MEMORY_BYTES_MAX)).await,
    };
    let bytes = bytes.ok_or_else(|| damaged(file, "a block cannot be decompressed"))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(too_large(file));
    }
    Ok(bytes.into())
}

fn too_large(file: &Pinned) -> Error {
    file.too_large(format!("a block has more than {BYTES_MAX} bytes without its compression"))
}

/// One byte more than may be tells that there are too many.
fn read(decoder: impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.take(BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

async fn read_async(decoder: impl AsyncRead + Unpin) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.take(BYTES_MAX + 1).read_to_end(&mut bytes).await.ok()?;
    Some(bytes)
}

fn snappy_bytes(packed: &[u8]) -> Option<u64> {
    let packed = packed.get(..packed.len().checked_sub(SUM_BYTES)?)?;
    snap::raw::decompress_len(packed).ok().map(|bytes| bytes as u64)
}

fn snappy(packed: &[u8]) -> Option<Vec<u8>> {
    let (packed, sum) = packed.split_last_chunk::<SUM_BYTES>()?;
    let bytes = snap::raw::Decoder::new().decompress_vec(packed).ok()?;
    (crc32fast::hash(&bytes) == u32::from_be_bytes(*sum)).then_some(bytes)
}
