//! Deletion vectors: the places of rows of a file that are no longer of the table.
//!
//! Owns: their encoding, in a log or in a file of their own, and that what is damaged hides no row and shows none. Pure.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#deletion-vector-format>

use std::ops::Range;

use bytes::{Buf, Bytes};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use super::action::Vector;

/// The number before a bitmap of 64 bits.
const MAGIC: u32 = 1_681_511_377;

/// The numbers before a bitmap of 32 bits, without and with runs.
const PLAIN: u32 = 12_346;
const WITH_RUNS: u32 = 12_347;
/// Below so many containers a bitmap with runs has no offsets.
const OFFSETS_MIN: usize = 4;
const ARRAY_MAX: usize = 4_096;
const BITMAP_WORDS: usize = 1_024;

const BYTES_MAX: u64 = 256 << 20;
const RANGES_MAX: usize = 16 << 20;

/// Deleted rows, by their places in a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Deleted(Vec<Range<u64>>);

/// Where the bytes of a vector are.
pub(super) enum Place {
    Inline(Vec<u8>),
    /// The path as a log would name it, and the bytes with their length before and their checksum behind.
    File {
        path: String,
        range: Range<u64>,
    },
}

type Parsed<T> = Result<T, &'static str>;

impl Vector {
    pub(super) fn place(&self) -> Parsed<Place> {
        let text = &self.path_or_inline_dv;
        if self.size_in_bytes > BYTES_MAX {
            return Err("it is larger than 256 MiB");
        }
        let path = match self.storage_type.as_str() {
            "i" => {
                let mut bytes = z85(text.as_bytes())?;
                // The letters may stand for some more.
                bytes.truncate(usize::try_from(self.size_in_bytes).unwrap_or(usize::MAX));
                return Ok(Place::Inline(bytes));
            }
            "p" => text.clone(),
            "u" => {
                let at =
                    text.len().checked_sub(20).filter(|at| text.is_char_boundary(*at)).ok_or("its name is short")?;
                let (folder, id) = text.split_at(at);
                let id = uuid::Uuid::from_slice(&z85(id.as_bytes())?).map_err(|_| "its name is no uuid")?;
                let slash = if folder.is_empty() { "" } else { "/" };
                format!("{folder}{slash}deletion_vector_{id}.bin")
            }
            _ => return Err("its storage is of an unknown type"),
        };
        let start = self.offset.unwrap_or(0);
        let end = start.checked_add(self.size_in_bytes + 8).ok_or("it is behind the end of its file")?;
        Ok(Place::File { path, range: start..end })
    }

    /// The vector in the bytes of its place in a file.
    pub(super) fn framed(&self, mut bytes: Bytes) -> Parsed<Bytes> {
        let size = usize::try_from(self.size_in_bytes).map_err(|_| "it is too large")?;
        if bytes.try_get_u32() != Ok(u32::try_from(size).unwrap_or(u32::MAX)) || bytes.len() != size + 4 {
            return Err("its length is another than the log says");
        }
        let body = bytes.split_to(size);
        let mut sum = crc32fast::Hasher::new();
        sum.update(&body);
        if bytes.try_get_u32() == Ok(sum.finalize()) { Ok(body) } else { Err("its checksum is wrong") }
    }

    /// Decodes a vector.
    pub(super) fn decode(&self, bytes: &[u8]) -> Parsed<Deleted> {
        if self.size_in_bytes != bytes.len() as u64 {
            return Err("its length is another than the log says");
        }
        let deleted = bitmaps(bytes).ok_or("it is damaged")?;
        if deleted.count() == self.cardinality {
            Ok(deleted)
        } else {
            Err("it has another number of rows than the log says")
        }
    }
}

impl Deleted {
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// What is left of a file of so many rows; `None` if a row is behind its end.
    pub(crate) fn selection(&self, rows: usize) -> Option<RowSelection> {
        let mut selectors = Vec::with_capacity(self.0.len() * 2 + 1);
        let mut at = 0;
        for range in &self.0 {
            let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
            if start > at {
                selectors.push(RowSelector::select(start - at));
            }
            selectors.push(RowSelector::skip(end - start));
            at = end;
        }
        let rest = rows.checked_sub(at)?;
        if rest > 0 {
            selectors.push(RowSelector::select(rest));
        }
        Some(RowSelection::from(selectors))
    }

    /// Adds rows; `None` if they are not behind those before.
    fn push(&mut self, rows: Range<u64>) -> Option<()> {
        let is_full = self.0.len() >= RANGES_MAX;
        match self.0.last_mut() {
            Some(last) if last.end > rows.start => None,
            Some(last) if last.end == rows.start => {
                last.end = rows.end;
                Some(())
            }
            _ if is_full => None,
            _ => {
                self.0.push(rows);
                Some(())
            }
        }
    }
}

/// A bitmap of 64 bits: one of 32 bits for each upper half.
fn bitmaps(mut bytes: &[u8]) -> Option<Deleted> {
    let mut deleted = Deleted::default();
    if bytes.try_get_u32_le().ok()? != MAGIC {
        return None;
    }
    for _ in 0..bytes.try_get_u64_le().ok()? {
        let upper = u64::from(u32::try_from(bytes.try_get_i32_le().ok()?).ok()?) << 32;
        bitmap(&mut bytes, upper, &mut deleted)?;
    }
    bytes.is_empty().then_some(deleted)
}

/// <https://github.com/RoaringBitmap/RoaringFormatSpec>
fn bitmap(bytes: &mut &[u8], upper: u64, deleted: &mut Deleted) -> Option<()> {
    let cookie = bytes.try_get_u32_le().ok()?;
    let (count, runs) = match cookie {
        PLAIN => (usize::try_from(bytes.try_get_u32_le().ok()?).ok()?, &[][..]),
        _ if cookie & 0xFFFF == WITH_RUNS => {
            let count = (cookie >> 16) as usize + 1;
            (count, bytes.split_off(..count.div_ceil(8))?)
        }
        _ => return None,
    };
    let mut heads = bytes.split_off(..count.checked_mul(4)?)?;
    if runs.is_empty() || count >= OFFSETS_MIN {
        bytes.split_off(..count.checked_mul(4)?)?;
    }
    for at in 0..count {
        let base = upper | u64::from(heads.try_get_u16_le().ok()?) << 16;
        let rows = usize::from(heads.try_get_u16_le().ok()?) + 1;
        if runs.get(at / 8).is_some_and(|flags| flags & (1 << (at % 8)) != 0) {
            for _ in 0..bytes.try_get_u16_le().ok()? {
                let (start, more) = (bytes.try_get_u16_le().ok()?, bytes.try_get_u16_le().ok()?);
                start.checked_add(more)?;
                let start = base + u64::from(start);
                deleted.push(start..start + u64::from(more) + 1)?;
            }
        } else if rows <= ARRAY_MAX {
            for _ in 0..rows {
                let row = base + u64::from(bytes.try_get_u16_le().ok()?);
                deleted.push(row..row + 1)?;
            }
        } else {
            words(bytes, base, deleted)?;
        }
    }
    Some(())
}

fn words(bytes: &mut &[u8], base: u64, deleted: &mut Deleted) -> Option<()> {
    for at in 0..BITMAP_WORDS as u64 {
        let mut word = bytes.try_get_u64_le().ok()?;
        while word != 0 {
            let start = word.trailing_zeros();
            let length = (word >> start).trailing_ones();
            let first = base + at * 64 + u64::from(start);
            deleted.push(first..first + u64::from(length))?;
            word &= u64::MAX.checked_shl(start + length).unwrap_or(0);
        }
    }
    Some(())
}

/// Bytes in letters, five for four. <https://rfc.zeromq.org/spec/32/>
fn z85(text: &[u8]) -> Parsed<Vec<u8>> {
    const LETTERS: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    let (groups, rest) = text.as_chunks::<5>();
    if !rest.is_empty() {
        return Err("its letters are not in fives");
    }
    let mut bytes = Vec::with_capacity(groups.len() * 4);
    for group in groups {
        let mut number = 0_u64;
        for letter in group {
            let digit = LETTERS.iter().position(|known| known == letter).ok_or("it has an unknown letter")?;
            number = number * 85 + digit as u64;
        }
        bytes.extend_from_slice(&u32::try_from(number).map_err(|_| "its letters are no number")?.to_be_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with runs, arrays and two upper halves, as CRoaring writes them.
    const GOLDEN: &str = "0200000000000000000000003b3004001900008713010001000300020004001f6c05001f302d00000033000000370000\
        003d0000004300000001000a00871370117211400d410d420d0100e0931f6c010000001f30010000003a3000000100000000000300100000\
        000500060007000900";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        MAGIC.to_le_bytes().into_iter().chain(digits.chunks(2).map(byte)).collect()
    }

    fn vector(size_in_bytes: usize, cardinality: u64) -> Vector {
        let (storage_type, path_or_inline_dv) = ("u".to_owned(), "ab^-aqEH.-t@S}K{vb[*k^".to_owned());
        Vector { storage_type, path_or_inline_dv, offset: Some(1), size_in_bytes: size_in_bytes as u64, cardinality }
    }

    #[test]
    fn containers_of_all_kinds_are_read() {
        let upper = 1 << 32;
        let expected = vec![
            10..5010,
            70_000..70_001,
            70_002..70_003,
            200_000..200_003,
            300_000..340_000,
            upper + 5..upper + 8,
            upper + 9..upper + 10,
        ];
        let golden = bytes(GOLDEN);
        assert_eq!(vector(golden.len(), 45_009).decode(&golden), Ok(Deleted(expected)));
        // Every second row, and one more far behind.
        let mut bits = bytes("0100000000000000000000003a300000020000000000ff7f03000000180000001820000");
        bits.extend([0x55; 8192]);
        bits.extend([1, 0]);
        let deleted = vector(bits.len(), 32_769).decode(&bits).unwrap();
        assert_eq!(deleted.0.get(..2), Some(&[0..1, 2..3][..]));
        assert_eq!(deleted.0.last(), Some(&(196_609..196_610)));
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let golden = bytes(GOLDEN);
        for end in 0..golden.len() {
            assert!(vector(end, 45_009).decode(&golden[..end]).is_err(), "{end}");
        }
        for at in 0..golden.len() {
            for bit in 0..8 {
                let mut damaged = golden.clone();
                damaged[at] ^= 1 << bit;
                // Right or wrong, but no panic.
                let _ = vector(damaged.len(), 45_009).decode(&damaged);
            }
        }
        let framed = |size: u32, sum: u32| Bytes::from([&size.to_be_bytes()[..], b"abcd", &sum.to_be_bytes()].concat());
        let sum = crc32fast::hash(b"abcd");
        let vector = vector(4, 0);
        assert_eq!(vector.framed(framed(4, sum)).unwrap(), "abcd");
        assert_eq!(vector.framed(framed(4, sum ^ 1)), Err("its checksum is wrong"));
        assert_eq!(vector.framed(framed(5, sum)), Err("its length is another than the log says"));
        assert!(vector.framed(framed(4, sum).slice(..9)).is_err());
    }

    #[test]
    fn rows_are_selected_around_those_deleted() {
        let deleted = Deleted(vec![0..2, 5..6, 9..10]);
        let selection: Vec<RowSelector> = deleted.selection(10).unwrap().into();
        let expected = [(2, true), (3, false), (1, true), (3, false), (1, true)];
        assert_eq!(selection.iter().map(|part| (part.row_count, part.skip)).collect::<Vec<_>>(), expected);
        assert_eq!(deleted.selection(9), None, "a row behind the end");
    }

    #[test]
    fn a_vector_has_a_file_beside_the_table() {
        let Ok(Place::File { path, range }) = vector(40, 6).place() else { panic!("a file") };
        assert_eq!((path.as_str(), range), ("ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", 1..49));
    }
}
