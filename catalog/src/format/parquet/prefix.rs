//! The first bytes of a packed page: no more is unpacked than is asked for, and what the packing unpacks at once.
//!
//! Owns: the beginnings of packings. What cannot be unpacked the decoder tells.

use std::io::Read;

use parquet::basic::Compression;

use super::thrift::Cursor;

/// What Brotli reads at once.
const BLOCK_BYTES: usize = 4 << 10;

/// A page that is unpacked as far as it was asked for.
pub(super) struct Prefix<'a> {
    packed: Packing<'a>,
    /// What the page is without its packing, as it claims: nothing beyond is unpacked.
    bytes: usize,
    unpacked: Vec<u8>,
}

enum Packing<'a> {
    None(&'a [u8]),
    Snappy(Cursor<'a>),
    Stream(Box<dyn Read + 'a>),
    /// Not unpacked here.
    Unknown,
}

impl<'a> Prefix<'a> {
    pub(super) fn new(compression: Compression, body: &'a [u8], bytes: usize) -> Self {
        let packed = match compression {
            Compression::UNCOMPRESSED => Packing::None(body),
            Compression::SNAPPY => {
                let mut cursor = Cursor::new(body);
                // The length of all.
                cursor.unsigned().map_or(Packing::Unknown, |_| Packing::Snappy(cursor))
            }
            Compression::GZIP(_) => Packing::Stream(Box::new(flate2::read::MultiGzDecoder::new(body))),
            Compression::BROTLI(_) => Packing::Stream(Box::new(brotli::Decompressor::new(body, BLOCK_BYTES))),
            Compression::ZSTD(_) => zstd::stream::read::Decoder::with_buffer(body)
                .map_or(Packing::Unknown, |decoder| Packing::Stream(Box::new(decoder))),
            Compression::LZ4 | Compression::LZ4_RAW | Compression::LZO => Packing::Unknown,
        };
        Self { packed, bytes, unpacked: Vec::new() }
    }

    /// So many bytes from this place on; `None` if the page does not have them.
    pub(super) fn range(&mut self, start: usize, bytes: usize) -> Option<&[u8]> {
        let end = start.checked_add(bytes).filter(|end| *end <= self.bytes)?;
        let missing = end.saturating_sub(self.unpacked.len());
        match &mut self.packed {
            Packing::None(body) => return body.get(start..end),
            Packing::Snappy(cursor) => {
                while self.unpacked.len() < end {
                    snappy(cursor, &mut self.unpacked)?;
                }
            }
            Packing::Stream(stream) => {
                let missing = u64::try_from(missing).ok()?;
                stream.by_ref().take(missing).read_to_end(&mut self.unpacked).ok()?;
            }
            Packing::Unknown => return None,
        }
        self.unpacked.get(start..end)
    }
}

/// Unpacks the next element. <https://github.com/google/snappy/blob/main/format_description.txt>
fn snappy(cursor: &mut Cursor<'_>, unpacked: &mut Vec<u8>) -> Option<()> {
    let tag = cursor.byte()?;
    let (kind, high) = (tag & 3, usize::from(tag >> 2));
    let (bytes, back) = match kind {
        0 => {
            // Up to 60 the tag has it itself.
            let bytes = if high < 60 { high } else { number(cursor, high - 59)? };
            unpacked.extend_from_slice(cursor.take(bytes.checked_add(1)?)?);
            return Some(());
        }
        1 => ((high & 7) + 4, (high >> 3 << 8) + number(cursor, 1)?),
        2 => (high + 1, number(cursor, 2)?),
        _ => (high + 1, number(cursor, 4)?),
    };
    let start = unpacked.len().checked_sub(back).filter(|_| back > 0)?;
    // What is copied can reach into the copy.
    for at in start..start + bytes {
        unpacked.push(*unpacked.get(at)?);
    }
    Some(())
}

/// A number of so many bytes, the lowest first.
fn number(cursor: &mut Cursor<'_>, bytes: usize) -> Option<usize> {
    Some(cursor.take(bytes)?.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use parquet::basic::{BrotliLevel, GzipLevel, ZstdLevel};

    use super::*;

    /// Words that come again near and far, and others that do not.
    fn page() -> Vec<u8> {
        let mut seed = 7_u32;
        let mut page = vec![0; 1_000];
        for at in 0..30_000_u32 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match at % 3 {
                0 => page.extend(seed.to_le_bytes()),
                1 => {
                    page.extend(b"a word that is always the same, and longer than one copy can be in Snappy's packing")
                }
                _ => page.extend((at / 50).to_le_bytes()),
            }
        }
        page
    }

    fn gzip(page: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(page).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_beginning_of_a_page_is_what_the_whole_begins_with() {
        let page = page();
        let mut brotli = Vec::new();
        brotli::CompressorWriter::new(&mut brotli, 4096, 5, 20).write_all(&page).unwrap();
        let packings = [
            (Compression::UNCOMPRESSED, page.clone()),
            (Compression::SNAPPY, snap::raw::Encoder::new().compress_vec(&page).unwrap()),
            (Compression::GZIP(GzipLevel::default()), gzip(&page)),
            (Compression::ZSTD(ZstdLevel::default()), zstd::bulk::compress(&page, 3).unwrap()),
            (Compression::BROTLI(BrotliLevel::default()), brotli),
        ];
        for (compression, packed) in packings {
            let mut prefix = Prefix::new(compression, &packed, page.len());
            for (start, bytes) in [(0, 0), (0, 4), (4, 3), (5, 2_000), (1, 1), (2_004, 100_000), (0, page.len())] {
                assert_eq!(prefix.range(start, bytes), page.get(start..start + bytes), "{compression} {start} {bytes}");
            }
            assert_eq!(prefix.range(page.len(), 1), None);
            assert_eq!(prefix.range(usize::MAX, 1), None);
            let half = packed.get(..packed.len() / 2).unwrap();
            assert_eq!(Prefix::new(compression, half, page.len()).range(0, page.len()), None, "{compression}");
        }
    }

    #[test]
    fn snappy_that_is_damaged_is_none() {
        let damaged: [&[u8]; 7] = [
            b"",
            b"\x08",
            b"\x08\x1c1234",
            // A copy from before the beginning, and from nowhere.
            b"\x08\x00a\x05\x02",
            b"\x08\x00a\x05\x00",
            b"\x08\x00a\x07\x01\x00",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        for packed in damaged {
            assert_eq!(Prefix::new(Compression::SNAPPY, packed, 8).range(0, 8), None, "{packed:?}");
        }
        // One byte, seven times more.
        assert_eq!(Prefix::new(Compression::SNAPPY, b"\x08\x00a\x0d\x01", 8).range(0, 8), Some(&b"aaaaaaaa"[..]));
    }

    #[test]
    fn no_more_is_unpacked_than_was_asked_for() {
        let page = vec![1; 64 << 20];
        let packed = snap::raw::Encoder::new().compress_vec(&page).unwrap();
        let mut prefix = Prefix::new(Compression::SNAPPY, &packed, page.len());
        assert_eq!(prefix.range(0, 100), page.get(..100));
        assert!(prefix.unpacked.len() < 1 << 17, "{}", prefix.unpacked.len());
    }
}
