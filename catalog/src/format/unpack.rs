//! Takes the compression off a file, block by block.
//!
//! Owns: which methods there are, and what damaged or cut data is called. Must never know: encodings or records.

use std::sync::Arc;

use async_compression::tokio::bufread::{BzDecoder, GzipDecoder, XzDecoder, ZstdDecoder};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::Error;
use crate::layout::Compression;
use crate::pinned::Pinned;

const UNPACKED_BLOCK_BYTES: usize = 128 << 10;

/// What a stream of xz may ask for: its strongest preset needs 65 MiB, its format allows 4 GiB.
const XZ_MEMORY_BYTES_MAX: u64 = 128 << 20;

/// The blocks of a file without its compression. A packed file may have several members.
pub(super) fn unpacked(file: &Arc<Pinned>) -> BoxStream<'static, Result<Bytes, Error>> {
    let bytes = StreamReader::new(file.stream().map_err(std::io::Error::other));
    match file.file.compression {
        Compression::None => file.stream(),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(bytes);
            decoder.multiple_members(true);
            blocks(file, "gzip", decoder)
        }
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::new(bytes);
            decoder.multiple_members(true);
            blocks(file, "zstd", decoder)
        }
        Compression::Bzip2 => {
            let mut decoder = BzDecoder::new(bytes);
            decoder.multiple_members(true);
            blocks(file, "bzip2", decoder)
        }
        Compression::Xz => {
            let mut decoder = XzDecoder::with_mem_limit(bytes, XZ_MEMORY_BYTES_MAX);
            decoder.multiple_members(true);
            blocks(file, "xz", decoder)
        }
    }
}

fn blocks(
    file: &Arc<Pinned>,
    method: &'static str,
    decoder: impl AsyncRead + Send + 'static,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let file = Arc::clone(file);
    let blocks = ReaderStream::with_capacity(decoder, UNPACKED_BLOCK_BYTES);
    blocks.map_err(move |error| failed(&file, method, error)).boxed()
}

/// An error of the store below travels through the decoder; any other is one of the file.
fn failed(file: &Pinned, method: &str, error: std::io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(ours) => ours.clone(),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            file.unreadable(format!("the {method} data ends too early"))
        }
        None => file.unreadable(format!("the {method} data is damaged")),
    }
}
