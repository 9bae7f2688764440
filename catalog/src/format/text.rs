//! From the bytes of an object to text: unpack, decode, check.
//!
//! Owns: compression, encodings, byte order marks. Must never know: records or columns.

use std::sync::Arc;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use bytes::Bytes;
use encoding_rs::{DecoderResult, Encoding, UTF_8};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::Error;
use crate::layout::Compression;
use crate::pinned::Pinned;

const UNPACKED_BLOCK_BYTES: usize = 128 << 10;

const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// A file as text, block by block.
pub(crate) struct Text {
    file: Arc<Pinned>,
    blocks: BoxStream<'static, Result<Bytes, Error>>,
    decoder: Decoder,
    /// Bytes, after unpacking, of the blocks that were decoded.
    offset: u64,
    /// Line ends in them.
    lines: u64,
}

enum Decoder {
    /// Strict UTF-8; holds the start of a character that the next block ends.
    Utf8(Vec<u8>),
    Other {
        decoder: encoding_rs::Decoder,
        encoding: &'static Encoding,
    },
}

impl Text {
    pub(crate) fn open(file: &Arc<Pinned>, encoding: &'static Encoding) -> Self {
        let decoder = if encoding == UTF_8 {
            Decoder::Utf8(Vec::new())
        } else {
            Decoder::Other { decoder: encoding.new_decoder_with_bom_removal(), encoding }
        };
        Self { blocks: unpacked(file), file: Arc::clone(file), decoder, offset: 0, lines: 0 }
    }

    /// Bytes read so far, after unpacking.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Appends the next block; false at the end of the file. What was right before an error is appended too.
    pub(crate) async fn fill(&mut self, into: &mut String) -> Result<bool, Error> {
        let Some(block) = self.blocks.try_next().await? else {
            return self.end(into).map(|()| false);
        };
        let start = self.offset;
        self.offset += block.len() as u64;
        let block = if start == 0 { self.without_mark(&block)? } else { block };
        let first_new = into.len();
        let decoded = self.decode(&block, into);
        let new = into.as_bytes().get(first_new..).unwrap_or_default();
        let zero = new.iter().position(|byte| *byte == 0);
        let line = self.lines + 1;
        self.lines += line_ends(new);
        if let Some(zero) = zero {
            let line = line + line_ends(new.get(..zero).unwrap_or_default());
            return Err(self.bad_byte(line, start + zero as u64, 0));
        }
        decoded.map(|()| true)
    }

    fn without_mark(&self, block: &Bytes) -> Result<Bytes, Error> {
        if !matches!(self.decoder, Decoder::Utf8(_)) {
            return Ok(block.clone());
        }
        if UTF_16_MARKS.iter().any(|mark| block.starts_with(mark)) {
            return Err(self.bad_byte(1, 0, block.first().copied().unwrap_or_default()));
        }
        Ok(if block.starts_with(UTF_8_MARK) { block.slice(UTF_8_MARK.len()..) } else { block.clone() })
    }

    fn decode(&mut self, block: &[u8], into: &mut String) -> Result<(), Error> {
        let end = self.offset;
        match &mut self.decoder {
            Decoder::Utf8(held) => {
                let joined;
                let bytes = if held.is_empty() {
                    block
                } else {
                    joined = [held.as_slice(), block].concat();
                    held.clear();
                    &joined
                };
                match std::str::from_utf8(bytes) {
                    Ok(text) => into.push_str(text),
                    Err(error) => {
                        let (valid, rest) = bytes.split_at(error.valid_up_to());
                        into.push_str(std::str::from_utf8(valid).unwrap_or_default());
                        if error.error_len().is_none() {
                            held.extend_from_slice(rest);
                            return Ok(());
                        }
                        let line = self.lines + 1 + line_ends(valid);
                        let byte = rest.first().copied().unwrap_or_default();
                        return Err(self.bad_byte(line, end - rest.len() as u64, byte));
                    }
                }
                Ok(())
            }
            Decoder::Other { decoder, .. } => {
                let first_new = into.len();
                into.reserve(
                    decoder.max_utf8_buffer_length_without_replacement(block.len()).unwrap_or(block.len() * 3),
                );
                let (result, read) = decoder.decode_to_string_without_replacement(block, into, false);
                match result {
                    DecoderResult::InputEmpty | DecoderResult::OutputFull => Ok(()),
                    DecoderResult::Malformed(..) => {
                        let at = read.saturating_sub(1);
                        let line = self.lines + 1 + line_ends(into.as_bytes().get(first_new..).unwrap_or_default());
                        let byte = block.get(at).copied().unwrap_or_default();
                        Err(self.bad_byte(line, end - (block.len() - at) as u64, byte))
                    }
                }
            }
        }
    }

    /// A character that is cut by the end of the file.
    fn end(&mut self, into: &mut String) -> Result<(), Error> {
        let cut = match &mut self.decoder {
            Decoder::Utf8(held) => held.first().copied(),
            Decoder::Other { decoder, .. } => {
                into.reserve(16);
                let (result, _) = decoder.decode_to_string_without_replacement(&[], into, true);
                matches!(result, DecoderResult::Malformed(..)).then_some(0)
            }
        };
        match cut {
            None => Ok(()),
            Some(byte) => Err(self.bad_byte(self.lines + 1, self.offset.saturating_sub(1), byte)),
        }
    }

    fn bad_byte(&self, line: u64, offset: u64, byte: u8) -> Error {
        let encoding = match &self.decoder {
            Decoder::Utf8(_) => "UTF8",
            Decoder::Other { encoding, .. } => encoding.name(),
        };
        Error::BadEncoding {
            table: self.file.table.clone(),
            file: self.file.key().to_owned(),
            encoding: encoding.to_owned(),
            line,
            offset,
            byte,
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The blocks of a file without its compression. A gzip file may have several members.
fn unpacked(file: &Arc<Pinned>) -> BoxStream<'static, Result<Bytes, Error>> {
    let bytes = StreamReader::new(file.stream().map_err(std::io::Error::other));
    let file = Arc::clone(file);
    match file.file.compression {
        Compression::None => file.stream(),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(bytes);
            decoder.multiple_members(true);
            let blocks = ReaderStream::with_capacity(decoder, UNPACKED_BLOCK_BYTES);
            blocks.map_err(move |error| unpack_failed(&file, "gzip", error)).boxed()
        }
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::new(bytes);
            decoder.multiple_members(true);
            let blocks = ReaderStream::with_capacity(decoder, UNPACKED_BLOCK_BYTES);
            blocks.map_err(move |error| unpack_failed(&file, "zstd", error)).boxed()
        }
    }
}

/// An error of the store below travels through the decoder; any other is one of the file.
fn unpack_failed(file: &Pinned, method: &str, error: std::io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(ours) => ours.clone(),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            file.unreadable(format!("the {method} data ends too early"))
        }
        None => file.unreadable(format!("the {method} data is damaged")),
    }
}
