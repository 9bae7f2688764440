//! Pages of texts that are written as differences: how many there are is a claim, for which the decoder makes room at once.
//!
//! Owns: that it is not believed beyond the values of the page. Such pages are unpacked twice, which others are not.
//! <https://github.com/apache/parquet-format/blob/master/Encodings.md>

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::SerializedPageReader;

use super::claims::Fault;
use super::thrift::Cursor;

/// Lengths of one page: a quarter of a gigabyte of them.
const LENGTHS_MAX: u64 = 64 << 20;

/// Looks at the pages in a part of a column. What cannot be read the decoder tells.
pub(super) fn check(column: &ColumnChunkMetaData, part: &Bytes) -> Result<(), Fault> {
    let Some(mut pages) = pages(column, part) else { return Ok(()) };
    while let Ok(Some(page)) = pages.get_next_page() {
        let described = column.column_descr();
        let levels = [described.max_rep_level(), described.max_def_level()];
        let values = u64::from(page.num_values());
        let claimed = claimed(&page, levels).unwrap_or_default();
        if claimed > values {
            return Err(Fault::Damaged(format!("a page of {values} values cannot have the {claimed} that it claims")));
        }
        if claimed > LENGTHS_MAX {
            return Err(Fault::TooLarge(format!("a page has {claimed} texts, more than {LENGTHS_MAX}")));
        }
    }
    Ok(())
}

/// The pages in a part of a column, unpacked.
pub(super) fn pages(column: &ColumnChunkMetaData, part: &Bytes) -> Option<SerializedPageReader<Bytes>> {
    let bytes = i64::try_from(part.len()).unwrap_or(i64::MAX);
    let column = column.clone().into_builder().set_data_page_offset(0).set_dictionary_page_offset(None);
    let column = column.set_total_compressed_size(bytes).build().ok()?;
    SerializedPageReader::new(Arc::new(part.clone()), &column, 0, None).ok()
}

/// The most lengths that a page claims to have, behind levels up to these.
fn claimed(page: &Page, [repetition, definition]: [i16; 2]) -> Option<u64> {
    let mut cursor = Cursor::new(page.buffer());
    match page {
        Page::DataPage { num_values, rep_level_encoding, def_level_encoding, .. } => {
            for (most, encoding) in [(repetition, *rep_level_encoding), (definition, *def_level_encoding)] {
                if most > 0 {
                    skip_levels(&mut cursor, usize::try_from(*num_values).ok()?, (most, encoding))?;
                }
            }
        }
        Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
            cursor.advance(usize::try_from(def_levels_byte_len.checked_add(*rep_levels_byte_len)?).ok()?)?;
        }
        Page::DictionaryPage { .. } => return None,
    }
    match page.encoding() {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => Differences::begin(&mut cursor).map(|lengths| lengths.values),
        // The lengths of what texts share with those before, then those of the rest.
        Encoding::DELTA_BYTE_ARRAY => {
            let shared = Differences::begin(&mut cursor)?;
            let rest = shared.skip(&mut cursor).and_then(|()| Differences::begin(&mut cursor));
            Some(shared.values.max(rest.map_or(0, |rest| rest.values)))
        }
        _ => None,
    }
}

/// Goes past the levels of so many values.
fn skip_levels(cursor: &mut Cursor<'_>, values: usize, (most, encoding): (i16, Encoding)) -> Option<()> {
    if encoding == Encoding::RLE {
        let bytes = u32::from_le_bytes(*cursor.first_chunk()?);
        cursor.advance(4)?;
        return cursor.advance(usize::try_from(bytes).ok()?);
    }
    // As many bits as the greatest level has, one after the other.
    let width = usize::try_from(i16::BITS - most.leading_zeros()).ok()?;
    cursor.advance(values.checked_mul(width)?.div_ceil(8))
}

/// What numbers that are written as differences begin with.
struct Differences {
    block: u64,
    parts: u64,
    values: u64,
}

impl Differences {
    fn begin(cursor: &mut Cursor<'_>) -> Option<Self> {
        let differences = Self { block: cursor.unsigned()?, parts: cursor.unsigned()?, values: cursor.unsigned()? };
        cursor.unsigned()?;
        Some(differences)
    }

    /// Goes past the blocks.
    fn skip(&self, cursor: &mut Cursor<'_>) -> Option<()> {
        let (in_part, parts) = (self.block.checked_div(self.parts)?, usize::try_from(self.parts).ok()?);
        let mut left = self.values.saturating_sub(1);
        while left > 0 {
            cursor.unsigned()?;
            let mut widths = cursor.clone();
            cursor.advance(parts)?;
            for _ in 0..parts {
                let width = u64::from(widths.byte()?);
                if left > 0 {
                    cursor.advance(usize::try_from(width.checked_mul(in_part)? / 8).ok()?)?;
                    left = left.saturating_sub(in_part);
                }
            }
        }
        Some(())
    }
}
