//! Levels of pages: the decoder takes one above the highest of its column for a NULL or for a value, and tells nothing.
//!
//! Owns: that there is none, and that a column of a file is looked at once. What cannot be read the decoder tells.
//! <https://github.com/apache/parquet-format/blob/master/Encodings.md>

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::schema::types::ColumnDescriptor;

use super::claims::Fault;
use super::lengths;
use super::prefix::Prefix;
use super::thrift::Cursor;

/// Of the encodings of levels, by its number.
const RLE: i32 = 3;

/// Which columns of row groups were looked at as a whole, of one version of a file.
#[derive(Debug, Default)]
pub(super) struct Looked(Box<[AtomicU64]>);

impl Looked {
    pub(super) fn of(metadata: &ParquetMetaData) -> Self {
        let chunks: usize = metadata.row_groups().iter().map(|group| group.columns().len()).sum();
        Self((0..chunks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    pub(super) fn has(&self, chunk: usize) -> bool {
        self.0.get(chunk / 64).is_some_and(|looked| looked.load(Ordering::Relaxed) >> (chunk % 64) & 1 == 1)
    }

    pub(super) fn add(&self, chunk: usize) {
        if let Some(looked) = self.0.get(chunk / 64) {
            looked.fetch_or(1 << (chunk % 64), Ordering::Relaxed);
        }
    }
}

/// Of which levels a column has none but the first.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Repetition,
    Definition,
}

impl fmt::Display for Kind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Repetition => "repetition",
            Self::Definition => "definition",
        })
    }
}

/// The levels of a column up to the highest, in the order in which pages have them.
fn highest(column: &ColumnDescriptor) -> impl Iterator<Item = (Kind, u16)> {
    let kinds = [(Kind::Repetition, column.max_rep_level()), (Kind::Definition, column.max_def_level())];
    kinds.into_iter().filter_map(|(kind, most)| Some((kind, u16::try_from(most).ok().filter(|most| *most > 0)?)))
}

/// Whether a column has levels.
pub(super) fn are_in(column: &ColumnChunkMetaData) -> bool {
    highest(column.column_descr()).next().is_some()
}

/// Where the header of a page says that its levels are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Before the values and packed with them, in these encodings.
    First { repetition: i32, definition: i32 },
    /// Apart and never packed, in so many bytes.
    Second { repetition: usize, definition: usize },
}

/// A page, as it is in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    pub(super) values: u64,
    pub(super) place: Place,
    pub(super) body: &'a [u8],
    /// Without its packing.
    pub(super) bytes: usize,
}

/// Whether the levels of such pages are looked at one page after the other.
pub(super) fn are_apart(compression: Compression) -> bool {
    !matches!(compression, Compression::LZ4 | Compression::LZ4_RAW | Compression::LZO)
}

/// Looks at the levels of a page, in this packing.
pub(super) fn check(column: &ColumnDescriptor, compression: Compression, page: &Packed<'_>) -> Result<(), Fault> {
    match page.place {
        Place::First { repetition, definition } => {
            let prefix = Prefix::new(compression, page.body, page.bytes);
            first(column, prefix, page.values, [repetition, definition])
        }
        Place::Second { repetition, definition } => second(column, page, [repetition, definition]),
    }
}

/// The same of all pages in a part of a column, whose packing is taken off as a whole.
pub(super) fn check_all(column: &ColumnChunkMetaData, part: &Bytes) -> Result<(), Fault> {
    let Some(mut pages) = lengths::pages(column, part) else { return Ok(()) };
    while let Ok(Some(page)) = pages.get_next_page() {
        let number = |encoding: Encoding| if encoding == Encoding::RLE { RLE } else { i32::MAX };
        let bytes = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        let place = match &page {
            Page::DataPage { rep_level_encoding, def_level_encoding, .. } => {
                Place::First { repetition: number(*rep_level_encoding), definition: number(*def_level_encoding) }
            }
            Page::DataPageV2 { rep_levels_byte_len, def_levels_byte_len, .. } => {
                Place::Second { repetition: bytes(*rep_levels_byte_len), definition: bytes(*def_levels_byte_len) }
            }
            Page::DictionaryPage { .. } => continue,
        };
        let (values, body) = (u64::from(page.num_values()), &page.buffer()[..]);
        let page = Packed { values, place, body, bytes: body.len() };
        check(column.column_descr(), Compression::UNCOMPRESSED, &page)?;
    }
    Ok(())
}

fn first(column: &ColumnDescriptor, mut page: Prefix<'_>, values: u64, encodings: [i32; 2]) -> Result<(), Fault> {
    let mut at = 0_usize;
    for (kind, most) in highest(column) {
        let encoding = match kind {
            Kind::Repetition => encodings[0],
            Kind::Definition => encodings[1],
        };
        let (start, bytes) = if encoding == RLE {
            let length = page.range(at, 4).and_then(|bytes| bytes.first_chunk().copied());
            let Some(length) = length else { return Ok(()) };
            (at.saturating_add(4), usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX))
        } else {
            let bits = values.saturating_mul(u64::from(width(most)));
            (at, usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX))
        };
        let Some(levels) = page.range(start, bytes) else { return Ok(()) };
        let found = match encoding {
            RLE => above(Cursor::new(levels), values, most),
            _ => above_in(levels, values, most),
        };
        refuse(found, kind, most)?;
        at = start.saturating_add(bytes);
    }
    Ok(())
}

fn second(column: &ColumnDescriptor, page: &Packed<'_>, [repetition, definition]: [usize; 2]) -> Result<(), Fault> {
    for (kind, most) in highest(column) {
        let (start, bytes) = match kind {
            Kind::Repetition => (0, repetition),
            Kind::Definition => (repetition, definition),
        };
        let levels = page.body.get(start..).and_then(|rest| rest.get(..bytes));
        refuse(levels.and_then(|levels| above(Cursor::new(levels), page.values, most)), kind, most)?;
    }
    Ok(())
}

fn refuse(found: Option<u16>, kind: Kind, most: u16) -> Result<(), Fault> {
    match found {
        Some(level) => Err(Fault::Damaged(format!(
            "a page has a {kind} level of {level}, and the highest of its column is {most}"
        ))),
        None => Ok(()),
    }
}

/// The bits of a level.
fn width(most: u16) -> u32 {
    u16::BITS - most.leading_zeros()
}

/// A level above the highest in runs of them, as far as they stand for values.
fn above(mut runs: Cursor<'_>, mut values: u64, most: u16) -> Option<u16> {
    let (width, whole) = (width(most), usize::try_from(width(most)).ok()?);
    while values > 0 {
        // As the decoder has it, zero is what some writers fill pages up with.
        let head = runs.unsigned().filter(|head| *head > 0)?;
        let count = head >> 1;
        if head & 1 == 0 {
            let [low, high] = [runs.byte()?, if width > 8 { runs.byte()? } else { 0 }];
            let level = u16::from_le_bytes([low, high]);
            if level > most {
                return Some(level);
            }
            values = values.saturating_sub(count);
        } else {
            let bytes = usize::try_from(count).ok()?.saturating_mul(whole).min(runs.left());
            let here = values.min(count.saturating_mul(8));
            if let found @ Some(_) = above_in(runs.take(bytes)?, here, most) {
                return found;
            }
            values -= here;
        }
    }
    None
}

/// The same in levels of as few bits as the highest has, one after the other.
fn above_in(packed: &[u8], values: u64, most: u16) -> Option<u16> {
    let width = width(most);
    let mask = u16::MAX >> (u16::BITS - width);
    if mask == most {
        return None;
    }
    let mut left = values;
    for eight in packed.chunks(usize::try_from(width).ok()?) {
        let mut bits = eight.iter().rev().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        for _ in 0..left.min(8) {
            let level = u16::try_from(bits & u128::from(mask)).ok()?;
            if level > most {
                return Some(level);
            }
            bits >>= width;
        }
        left = left.saturating_sub(8);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(runs: &[u8], values: u64, most: u16) -> Option<u16> {
        above(Cursor::new(runs), values, most)
    }

    #[test]
    fn runs_are_held_to_the_highest_level() {
        assert_eq!(found(&[6, 1], 3, 1), None);
        assert_eq!(found(&[6, 2], 3, 1), Some(2));
        assert_eq!(found(&[6, 3], 3, 2), Some(3));
        assert_eq!(found(&[6, 0x00, 0x02], 3, 512), None, "a level of two bytes");
        assert_eq!(found(&[6, 0x01, 0x02], 3, 512), Some(513));
        // What comes behind the last value stands for nothing.
        assert_eq!(found(&[6, 1, 6, 3], 3, 2), None);
        assert_eq!(found(&[0, 3], 3, 2), None);
    }

    #[test]
    fn packed_levels_are_held_to_it_where_their_bits_allow_more() {
        // Levels of two bits, the fifth of them is 3.
        let packed = [3, 0b10_01_00_10, 0b10_10_10_11];
        assert_eq!(found(&packed, 8, 2), Some(3));
        assert_eq!(found(&packed, 5, 2), Some(3));
        assert_eq!(found(&packed, 4, 2), None, "it stands for no value");
        assert_eq!(found(&packed, 8, 3), None);
        // Of three bits, over two groups: all 4 but the last, which is 5.
        let four = [0b0010_0100, 0b0100_1001, 0b1001_0010];
        let last = [0b0010_0100, 0b0100_1001, 0b1011_0010];
        let packed = [&[5][..], &four, &last].concat();
        assert_eq!(found(&packed, 16, 4), Some(5));
        assert_eq!(found(&packed, 15, 4), None);
    }

    #[test]
    fn runs_that_end_are_left_to_the_decoder() {
        for runs in [&[][..], &[0x80], &[6], &[3], &[3, 0], &[0xff; 12]] {
            assert_eq!(found(runs, 8, 2), None, "{runs:?}");
        }
    }

    #[test]
    fn a_column_that_was_looked_at_is_known() {
        let looked = Looked((0..2).map(|_| AtomicU64::new(0)).collect());
        [3, 64, 500].iter().for_each(|chunk| looked.add(*chunk));
        let known: Vec<usize> = (0..600).filter(|chunk| looked.has(*chunk)).collect();
        assert_eq!(known, [3, 64]);
    }
}
