//! The object that keeps what is known of one table: a line with magic and version, then packed text.
//!
//! Owns: that a cut or damaged object is noticed, and how large one may be. Must never know: what the text says.

use async_compression::Level;
use async_compression::tokio::bufread::{ZstdDecoder, ZstdEncoder};
use async_compression::zstd::CParameter;
use tokio::io::{AsyncRead, AsyncReadExt};

const MAGIC: &[u8] = b"lakegate manifest 1\n";

/// The most text of one table.
pub(super) const TEXT_BYTES_MAX: usize = 128 << 20;

/// The object of a text. The packing has a checksum of the text.
pub(super) async fn written(text: &str) -> std::io::Result<Vec<u8>> {
    let parameters = [CParameter::checksum_flag(true)];
    let mut object = MAGIC.to_vec();
    ZstdEncoder::with_quality_and_params(text.as_bytes(), Level::Fastest, &parameters).read_to_end(&mut object).await?;
    Ok(object)
}

/// The text of an object, or why there is none.
pub(super) async fn read(object: &[u8]) -> Result<String, String> {
    let Some(packed) = object.strip_prefix(MAGIC) else { return Err("it is of another version".to_owned()) };
    let mut text = String::new();
    let unpacked = limited(ZstdDecoder::new(packed)).read_to_string(&mut text).await;
    unpacked.map_err(|error| error.to_string())?;
    if text.len() > TEXT_BYTES_MAX { Err("it is too large".to_owned()) } else { Ok(text) }
}

fn limited<R: AsyncRead>(read: R) -> tokio::io::Take<R> {
    read.take(TEXT_BYTES_MAX as u64 + 1)
}
