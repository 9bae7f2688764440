//! From the bytes of an object to text: unpack, decode, check.
//!
//! Owns: decoding, and how far a file is read. Must never know: records or columns.

use std::sync::Arc;

use bytes::Bytes;
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use futures::TryStreamExt;
use futures::stream::BoxStream;
use memchr::{memchr, memchr_iter};

use super::encoding::{self, Evidence, UTF_8_MARK};
use super::unpack::unpacked;
use crate::Error;
use crate::pinned::Pinned;

/// A file as text, block by block.
pub(crate) struct Text {
    file: Arc<Pinned>,
    blocks: BoxStream<'static, Result<Bytes, Error>>,
    /// What is left of a block that the limit cut.
    rest: Bytes,
    decoder: Decoder,
    /// Bytes, after unpacking, of the blocks that were decoded.
    offset: u64,
    /// No byte from here on is looked at.
    limit: u64,
    /// Line ends in the decoded text.
    lines: u64,
    evidence: Option<Evidence>,
}

/// What came of reading on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    More,
    /// The file goes on behind the limit.
    Limit,
    End,
}

enum Decoder {
    /// The first block will tell.
    Unknown,
    /// Strict UTF-8; holds the start of a character that the next block ends.
    Utf8(Vec<u8>),
    Other {
        decoder: encoding_rs::Decoder,
        encoding: &'static Encoding,
    },
}

impl Decoder {
    fn new(encoding: &'static Encoding) -> Self {
        if encoding == UTF_8 {
            Self::Utf8(Vec::new())
        } else if encoding == UTF_16LE || encoding == UTF_16BE {
            // The mark of a file is right where a definition says only "utf-16".
            Self::Other { decoder: encoding.new_decoder(), encoding }
        } else {
            Self::Other { decoder: encoding.new_decoder_with_bom_removal(), encoding }
        }
    }
}

impl Text {
    pub(crate) fn open(file: &Arc<Pinned>, encoding: &'static Encoding) -> Self {
        Self::start(file, Decoder::new(encoding), u64::MAX)
    }

    /// For a look at the first `limit` bytes; `None` finds the encoding out.
    pub(crate) fn look(file: &Arc<Pinned>, encoding: Option<&'static Encoding>, limit: u64) -> Self {
        let decoder = encoding.map_or(Decoder::Unknown, Decoder::new);
        Self { evidence: Some(Evidence::default()), ..Self::start(file, decoder, limit) }
    }

    fn start(file: &Arc<Pinned>, decoder: Decoder, limit: u64) -> Self {
        let (blocks, rest) = (unpacked(file), Bytes::new());
        Self { file: Arc::clone(file), blocks, rest, decoder, offset: 0, limit, lines: 0, evidence: None }
    }

    /// Bytes read so far, after unpacking.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Moves the limit on by so many bytes.
    pub(crate) fn extend(&mut self, bytes: u64) {
        self.limit = self.limit.saturating_add(bytes);
    }

    /// The encoding that was given or found.
    pub(crate) fn encoding(&self) -> &'static Encoding {
        match &self.decoder {
            Decoder::Unknown | Decoder::Utf8(_) => UTF_8,
            Decoder::Other { encoding, .. } => encoding,
        }
    }

    /// Takes note of bytes that were read beside the stream.
    pub(crate) fn note(&mut self, bytes: &[u8]) {
        if let Some(evidence) = &mut self.evidence {
            evidence.see(bytes);
        }
    }

    /// The share of the bytes behind ASCII that are no UTF-8.
    pub(crate) fn share_of_windows_1252(&self) -> f64 {
        self.evidence.map_or(0.0, Evidence::share_of_windows_1252)
    }

    /// Whether the bytes looked at are text in Windows-1252.
    pub(crate) fn is_windows_1252(&self) -> bool {
        self.evidence.is_some_and(Evidence::is_windows_1252)
    }

    /// Appends the next block. What was right before an error is appended too.
    pub(crate) async fn fill(&mut self, into: &mut String) -> Result<Filled, Error> {
        let Some(block) = self.next_block().await? else {
            return if self.rest.is_empty() { self.end(into).map(|()| Filled::End) } else { Ok(Filled::Limit) };
        };
        let start = self.offset;
        self.offset += block.len() as u64;
        if let Some(evidence) = &mut self.evidence {
            evidence.see(&block);
        }
        if matches!(self.decoder, Decoder::Unknown) {
            self.decoder = Decoder::new(encoding::of_start(&block));
        }
        let block = if start == 0 { self.without_mark(&block)? } else { block };
        let first_new = into.len();
        let decoded = self.decode(&block, into);
        let new = into.as_bytes().get(first_new..).unwrap_or_default();
        let zero = memchr(0, new);
        let line = self.lines + 1;
        self.lines += line_ends(new);
        if let Some(zero) = zero {
            let before = new.get(..zero).unwrap_or_default();
            return Err(self.bad_byte(line + line_ends(before), start + self.encoded_bytes(before), 0));
        }
        decoded.map(|()| Filled::More)
    }

    /// The next bytes before the limit; `None` at the limit, with a rest, and at the end of the file, without one.
    async fn next_block(&mut self) -> Result<Option<Bytes>, Error> {
        while self.rest.is_empty() {
            match self.blocks.try_next().await? {
                Some(block) => self.rest = block,
                None => return Ok(None),
            }
        }
        let room = usize::try_from(self.limit.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let block = self.rest.split_to(room.min(self.rest.len()));
        Ok((!block.is_empty()).then_some(block))
    }

    fn without_mark(&self, block: &Bytes) -> Result<Bytes, Error> {
        if !matches!(self.decoder, Decoder::Utf8(_)) {
            return Ok(block.clone());
        }
        if encoding::has_utf_16_mark(block) {
            return Err(self.bad_byte(1, 0, block.first().copied().unwrap_or_default()));
        }
        Ok(if block.starts_with(UTF_8_MARK) { block.slice(UTF_8_MARK.len()..) } else { block.clone() })
    }

    fn decode(&mut self, block: &[u8], into: &mut String) -> Result<(), Error> {
        let end = self.offset;
        match &mut self.decoder {
            Decoder::Unknown => Ok(()),
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
            Decoder::Unknown => None,
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

    /// How many bytes a text has in the file.
    fn encoded_bytes(&self, text: &[u8]) -> u64 {
        let encoding = self.encoding();
        let text = std::str::from_utf8(text).unwrap_or_default();
        let bytes = if encoding == UTF_8 {
            text.len()
        } else if encoding == UTF_16LE || encoding == UTF_16BE {
            text.encode_utf16().count() * 2
        } else {
            text.chars().count()
        };
        bytes as u64
    }

    fn bad_byte(&self, line: u64, offset: u64, byte: u8) -> Error {
        let encoding = match &self.decoder {
            Decoder::Unknown | Decoder::Utf8(_) => "UTF8",
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
    memchr_iter(b'\n', bytes).count() as u64
}
