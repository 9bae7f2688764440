//! What footers and headers of pages claim, looked at before the decoder makes room for it.
//!
//! Owns: which claims cannot be true, and which would cost too much memory. What is no Thrift at all the decoder tells.
//! Must never know: values.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::levels::{self, Looked};
use super::thrift::{Cursor, FALSE, I32, LIST, STRUCT};
use super::{lengths, unpacked};
use crate::Error;
use crate::pinned::Pinned;

/// Columns times row groups of one file. Each costs half a kilobyte in memory.
const CHUNKS_MAX: usize = 500_000;

/// A page without its packing. Writers make pages of a megabyte, or one for each column of a row group.
pub(super) const PAGE_BYTES_MAX: usize = 512 << 20;

/// What is added to every bound of a packing, for its own frame.
const FRAME_BYTES: usize = 1 << 10;

/// Kinds of pages.
const DATA_PAGE: i32 = 0;
const DICTIONARY_PAGE: i32 = 2;
const DATA_PAGE_V2: i32 = 3;

/// Encodings.
const DELTA_LENGTH_BYTE_ARRAY: i32 = 6;
const DELTA_BYTE_ARRAY: i32 = 7;

/// A claim that is not believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged(String),
    TooLarge(String),
}

impl Fault {
    /// As an error of its file.
    pub(super) fn of(self, file: &Pinned) -> Error {
        match self {
            Self::Damaged(reason) => file.unreadable(reason),
            Self::TooLarge(reason) => file.too_large(reason),
        }
    }
}

/// Looks at a footer.
pub(super) fn footer(bytes: &[u8]) -> Result<(), Fault> {
    let (mut groups, mut chunks) = (0, 0_usize);
    let read = Cursor::new(bytes).fields(|cursor, number, kind| match (number, kind) {
        (4, LIST) => {
            let (size, kind) = cursor.list()?;
            groups = size;
            (0..size).try_for_each(|_| if kind == STRUCT { group(cursor, &mut chunks) } else { cursor.skip(kind) })
        }
        _ => cursor.skip(kind),
    });
    if chunks > CHUNKS_MAX {
        return Err(Fault::TooLarge(format!(
            "its {groups} row groups have {chunks} columns together, more than {CHUNKS_MAX}"
        )));
    }
    read.ok_or_else(|| Fault::Damaged("the footer is damaged".to_owned()))
}

/// Where the indexes of pages are.
pub(super) fn indexes(metadata: &ParquetMetaData) -> Vec<Range<u64>> {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let places = columns.flat_map(|column| {
        [
            (column.column_index_offset(), column.column_index_length()),
            (column.offset_index_offset(), column.offset_index_length()),
        ]
    });
    let place = |(start, length): (Option<i64>, Option<i32>)| {
        let (start, length) = (u64::try_from(start?).ok()?, u64::try_from(length?).ok()?);
        Some(start..start.checked_add(length)?)
    };
    places.filter_map(place).collect()
}

/// Looks at the indexes that are in a part of the file.
pub(super) fn index(indexes: &[Range<u64>], part: &Range<u64>, bytes: &[u8]) -> Result<(), Fault> {
    let inside = |at: u64| usize::try_from(at.checked_sub(part.start)?).ok();
    for index in indexes {
        let bytes = inside(index.start).zip(inside(index.end)).and_then(|(start, end)| bytes.get(start..end));
        if bytes.is_some_and(|bytes| Cursor::new(bytes).skip(STRUCT).is_none()) {
            return Err(Fault::Damaged("the page index is damaged".to_owned()));
        }
    }
    Ok(())
}

fn damaged_header() -> Fault {
    Fault::Damaged("the header of a page is damaged".to_owned())
}

/// Counts the columns of a row group.
fn group(cursor: &mut Cursor<'_>, chunks: &mut usize) -> Option<()> {
    cursor.fields(|cursor, number, kind| match (number, kind) {
        (1, LIST) => {
            let (size, kind) = cursor.list()?;
            *chunks += size;
            (0..size).try_for_each(|_| cursor.skip(kind))
        }
        _ => cursor.skip(kind),
    })
}

/// Where the pages of a file are.
#[derive(Debug)]
pub(super) struct Pages {
    metadata: Arc<ParquetMetaData>,
    /// By their places in the file.
    chunks: Vec<Chunk>,
    looked: Arc<Looked>,
}

/// A column of a row group.
#[derive(Debug)]
struct Chunk {
    bytes: Range<u64>,
    group: usize,
    column: usize,
    /// Its number among all of them.
    number: usize,
}

impl Pages {
    pub(super) fn of(metadata: Arc<ParquetMetaData>, looked: Arc<Looked>) -> Self {
        let groups = metadata.row_groups().iter().enumerate();
        let columns = groups.flat_map(|(group, described)| {
            described.columns().iter().enumerate().map(move |(column, described)| (group, column, described))
        });
        let chunks = columns.enumerate().filter_map(|(number, (group, column, described))| {
            Some(Chunk { bytes: range(described)?, group, column, number })
        });
        let mut chunks: Vec<Chunk> = chunks.collect();
        chunks.sort_by_key(|chunk| chunk.bytes.start);
        Self { metadata, chunks, looked }
    }

    /// Looks at the headers of the pages in a part of the file.
    pub(super) fn check(&self, part: &Range<u64>, bytes: &Bytes) -> Result<(), Fault> {
        let after = self.chunks.partition_point(|chunk| chunk.bytes.start <= part.start);
        let chunk = after.checked_sub(1).and_then(|at| self.chunks.get(at)).filter(|chunk| self.is_page(chunk, part));
        let Some((chunk, group)) = chunk.and_then(|chunk| Some((chunk, self.metadata.row_groups().get(chunk.group)?)))
        else {
            return Ok(());
        };
        let Some(column) = group.columns().get(chunk.column) else { return Ok(()) };
        let told = u64::try_from(group.num_rows()).unwrap_or_default();
        let is_repeated = column.column_descr().max_rep_level() > 0;
        let is_whole = *part == chunk.bytes;
        let has_levels = levels::are_in(column) && !self.looked.has(chunk.number);
        let compression = column.compression();
        let mut cursor = Cursor::new(bytes);
        let mut found = Found::default();
        while cursor.left() > 0 {
            let header = Header::read(&mut cursor).and_then(|header| Some((header.sizes()?, header)));
            let Some(((packed, page), header)) = header else {
                // Behind the last row nothing is read.
                if is_whole && found.rows(is_repeated) == Some(told) {
                    break;
                } else {
                    return Err(damaged_header());
                };
            };
            header.check(packed, page, compression)?;
            found.add(&header);
            let Some(body) = cursor.take(packed) else { break };
            if let Some((body, claimed)) = header.packed(body, page) {
                unpacked::check(compression, body, claimed)?;
            }
            if let Some(page) = header.levels(body, page).filter(|_| has_levels && levels::are_apart(compression)) {
                levels::check(column.column_descr(), compression, &page)?;
            }
        }
        if found.has_differences {
            lengths::check(column, bytes)?;
        }
        if has_levels && !levels::are_apart(compression) {
            levels::check_all(column, bytes)?;
        }
        match found.rows(is_repeated) {
            Some(rows) if is_whole && rows != told => {
                Err(Fault::Damaged(format!("a column has {rows} rows in its pages and {told} in the footer")))
            }
            _ => {
                if has_levels && is_whole {
                    self.looked.add(chunk.number);
                }
                Ok(())
            }
        }
    }

    /// Whether a part of the file begins with a page of this column.
    fn is_page(&self, chunk: &Chunk, part: &Range<u64>) -> bool {
        if part.start == chunk.bytes.start {
            return true;
        }
        let index = self.metadata.offset_index().and_then(|index| index.get(chunk.group)?.get(chunk.column));
        let Ok(start) = i64::try_from(part.start) else { return false };
        index.is_some_and(|index| index.page_locations().binary_search_by_key(&start, |page| page.offset).is_ok())
    }
}

/// The bytes of a column of a row group; `None` if they cannot be.
fn range(column: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    let start = u64::try_from(start).ok()?;
    Some(start..start.checked_add(u64::try_from(column.compressed_size()).ok()?)?)
}

/// The most bytes that so many can become; `None` if there is no bound.
pub(super) fn unpacked_max(compression: Compression, packed: usize) -> Option<usize> {
    let factor = match compression {
        Compression::UNCOMPRESSED => 1,
        // Copies of 64 bytes in three.
        Compression::SNAPPY => 32,
        Compression::LZ4 | Compression::LZ4_RAW => 256,
        Compression::GZIP(_) => 1_032,
        Compression::ZSTD(_) | Compression::BROTLI(_) | Compression::LZO => return None,
    };
    Some(packed.saturating_mul(factor).saturating_add(FRAME_BYTES))
}

/// What is of use here in the header of a page.
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    kind: Option<i32>,
    page_bytes: Option<i32>,
    packed_bytes: Option<i32>,
    values: Option<i32>,
    rows: Option<i32>,
    encoding: Option<i32>,
    /// The encodings of the definition levels and of the repetition levels, or their bytes in a page of the second kind, where
    /// they are never packed.
    definition: i32,
    repetition: i32,
    is_unpacked: bool,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut header = Self::default();
        cursor.fields(|cursor, number, kind| match (number, kind) {
            (1, I32) => cursor.i32().map(|kind| header.kind = Some(kind)),
            (2, I32) => cursor.i32().map(|bytes| header.page_bytes = Some(bytes)),
            (3, I32) => cursor.i32().map(|bytes| header.packed_bytes = Some(bytes)),
            (own @ (5 | 7 | 8), STRUCT) => cursor.fields(|cursor, number, kind| match (own, number, kind) {
                (_, 1, I32) => cursor.i32().map(|values| header.values = Some(values)),
                (5, 2, I32) | (8, 4, I32) => cursor.i32().map(|encoding| header.encoding = Some(encoding)),
                (8, 3, I32) => cursor.i32().map(|rows| header.rows = Some(rows)),
                (5, 3, I32) | (8, 5, I32) => cursor.i32().map(|definition| header.definition = definition),
                (5, 4, I32) | (8, 6, I32) => cursor.i32().map(|repetition| header.repetition = repetition),
                (8, 7, FALSE) => {
                    header.is_unpacked = true;
                    Some(())
                }
                _ => cursor.skip(kind),
            }),
            _ => cursor.skip(kind),
        })?;
        Some(header)
    }

    /// The bytes of the page as they are in the file, and without their packing.
    fn sizes(&self) -> Option<(usize, usize)> {
        Some((usize::try_from(self.packed_bytes?).ok()?, usize::try_from(self.page_bytes?).ok()?))
    }

    /// What is packed of the bytes of a page, and how many it claims to become.
    fn packed<'a>(&self, body: &'a [u8], page: usize) -> Option<(&'a [u8], usize)> {
        if self.is_unpacked {
            return None;
        }
        let levels = match self.kind {
            Some(DATA_PAGE_V2) => usize::try_from(self.definition.checked_add(self.repetition)?).ok()?,
            _ => 0,
        };
        Some((body.get(levels..)?, page.checked_sub(levels)?))
    }

    /// The levels in the body of a page that is so large without its packing; `None` if it has none.
    fn levels<'a>(&self, body: &'a [u8], page: usize) -> Option<levels::Packed<'a>> {
        let (repetition, definition) = (self.repetition, self.definition);
        let place = match self.kind? {
            DATA_PAGE => levels::Place::First { repetition, definition },
            DATA_PAGE_V2 => {
                let [repetition, definition] = [usize::try_from(repetition).ok()?, usize::try_from(definition).ok()?];
                levels::Place::Second { repetition, definition }
            }
            _ => return None,
        };
        Some(levels::Packed { values: u64::try_from(self.values?).ok()?, place, body, bytes: page })
    }

    fn check(&self, packed: usize, page: usize, compression: Compression) -> Result<(), Fault> {
        if unpacked_max(compression, packed).is_some_and(|most| page > most) {
            return Err(Fault::Damaged(format!("a page of {packed} bytes cannot hold the {page} that it claims")));
        }
        if page > PAGE_BYTES_MAX {
            return Err(Fault::TooLarge(format!("a page has {page} bytes, more than {PAGE_BYTES_MAX}")));
        }
        // Each value of a dictionary has a byte at least, or else it is the only one.
        let values = self.values.and_then(|values| usize::try_from(values).ok()).unwrap_or_default();
        if self.kind == Some(DICTIONARY_PAGE) && values > page.max(1) {
            return Err(Fault::Damaged(format!(
                "a dictionary of {page} bytes cannot hold the {values} values it claims"
            )));
        }
        Ok(())
    }
}

/// What the pages of a column hold together.
#[derive(Debug, Default)]
struct Found {
    values: u64,
    rows: u64,
    /// Whether the header of a page does not tell its rows.
    is_untold: bool,
    /// Whether texts are written as differences.
    has_differences: bool,
}

impl Found {
    fn add(&mut self, header: &Header) {
        let count = |number: Option<i32>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
        match header.kind {
            Some(DATA_PAGE) => self.is_untold = true,
            Some(DATA_PAGE_V2) => self.rows += count(header.rows),
            _ => return,
        }
        self.values += count(header.values);
        self.has_differences |= matches!(header.encoding, Some(DELTA_LENGTH_BYTE_ARRAY | DELTA_BYTE_ARRAY));
    }

    fn rows(&self, is_repeated: bool) -> Option<u64> {
        if is_repeated { (!self.is_untold).then_some(self.rows) } else { Some(self.values) }
    }
}
