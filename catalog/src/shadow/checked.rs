//! A file on the local disk whose every block has a checksum: what a disk, a crash or somebody else changed is noticed when it
//! is read, and never decoded.
//!
//! Owns: its form: the bytes, the sums of their blocks, a text, and a tail with the lengths. Must never know: Parquet.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use bytes::Bytes;

const BLOCK_BYTES: u64 = 64 << 10;
const MAGIC: &[u8; 8] = b"lgshdw01";

/// Two lengths, a number of rows, a checksum and the magic number.
const TAIL_BYTES: u64 = 8 + 8 + 8 + 4 + 8;

/// Of the text and the sums.
const REST_BYTES_MAX: u64 = 64 << 20;

/// Ranges that are this near are read at once.
const GAP_BYTES_MAX: u64 = 256 << 10;

/// What is known of such a file.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) bytes: u64,
    pub(super) bytes_on_disk: u64,
    pub(super) rows: u64,
    pub(super) text: String,
    sums: Vec<u32>,
}

/// A file under construction.
pub(super) struct Writer {
    file: File,
    sums: Vec<u32>,
    block: crc32fast::Hasher,
    bytes: u64,
}

impl Writer {
    pub(super) fn new(file: File) -> Self {
        Self { file, sums: Vec::new(), block: crc32fast::Hasher::new(), bytes: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes what follows the bytes, and waits until the disk has all of it.
    pub(super) fn finish(mut self, rows: u64, text: String) -> io::Result<Checked> {
        if !self.bytes.is_multiple_of(BLOCK_BYTES) {
            self.sums.push(self.block.finalize());
        }
        let mut rest: Vec<u8> = self.sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        rest.extend_from_slice(text.as_bytes());
        rest.extend([self.bytes, text.len() as u64, rows].map(u64::to_le_bytes).concat());
        rest.extend(crc32fast::hash(&rest).to_le_bytes());
        rest.extend_from_slice(MAGIC);
        self.file.write_all(&rest)?;
        self.file.sync_all()?;
        let bytes_on_disk = self.bytes + rest.len() as u64;
        Ok(Checked { bytes: self.bytes, bytes_on_disk, rows, text, sums: self.sums })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let mut rest = bytes.get(..written).unwrap_or_default();
        while !rest.is_empty() {
            let room = BLOCK_BYTES - self.bytes % BLOCK_BYTES;
            let (part, after) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            self.block.update(part);
            self.bytes += part.len() as u64;
            if self.bytes.is_multiple_of(BLOCK_BYTES) {
                self.sums.push(std::mem::take(&mut self.block).finalize());
            }
            rest = after;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Checked {
    /// What the end of a file tells.
    pub(super) fn read(file: &mut File) -> io::Result<Self> {
        let bytes_on_disk = file.seek(SeekFrom::End(0))?;
        let tail_start = bytes_on_disk.checked_sub(TAIL_BYTES).ok_or_else(|| damaged("it is too short"))?;
        let tail = exactly(file, tail_start, TAIL_BYTES)?;
        if !tail.ends_with(MAGIC) {
            return Err(damaged("it does not end as it should"));
        }
        let [bytes, text_bytes, rows] = [0, 8, 16].map(|at| number(&tail, at));
        let blocks = bytes.div_ceil(BLOCK_BYTES);
        let is_whole = blocks
            .checked_mul(4)
            .and_then(|sums| sums.checked_add(text_bytes)?.checked_add(bytes))
            .is_some_and(|before| before == tail_start);
        if !is_whole || tail_start - bytes > REST_BYTES_MAX {
            return Err(damaged("its length is not the one that it names"));
        }
        let rest = exactly(file, bytes, bytes_on_disk - bytes)?;
        let (known, sum) = rest.split_at(rest.len().saturating_sub(4 + MAGIC.len()));
        if sum.first_chunk().map(|sum| u32::from_le_bytes(*sum)) != Some(crc32fast::hash(known)) {
            return Err(damaged("its end has another checksum"));
        }
        let sums_bytes = usize::try_from(blocks * 4).unwrap_or(usize::MAX);
        let text_end = sums_bytes + usize::try_from(text_bytes).unwrap_or(usize::MAX);
        let sums = known.get(..sums_bytes).unwrap_or_default().chunks_exact(4);
        let sums = sums.filter_map(|sum| sum.first_chunk().map(|sum| u32::from_le_bytes(*sum))).collect();
        let text = known.get(sums_bytes..text_end).map(|text| String::from_utf8_lossy(text).into_owned());
        Ok(Self { bytes, bytes_on_disk, rows, text: text.unwrap_or_default(), sums })
    }

    /// Some ranges of the bytes.
    pub(super) fn ranges(&self, file: &mut File, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        if ranges.iter().any(|range| range.start > range.end || range.end > self.bytes) {
            return Err(damaged("it names a place outside of itself"));
        }
        let mut sorted: Vec<&Range<u64>> = ranges.iter().collect();
        sorted.sort_unstable_by_key(|range| range.start);
        let mut runs: Vec<Range<u64>> = Vec::new();
        for range in sorted {
            let start = range.start - range.start % BLOCK_BYTES;
            let end = range.end.next_multiple_of(BLOCK_BYTES).min(self.bytes);
            match runs.last_mut() {
                Some(last) if start <= last.end + GAP_BYTES_MAX => last.end = last.end.max(end),
                _ => runs.push(start..end),
            }
        }
        let runs = runs.into_iter().map(|run| Ok((run.start, self.run(file, run)?)));
        let runs = runs.collect::<io::Result<Vec<(u64, Bytes)>>>()?;
        let slice = |range: &Range<u64>| {
            let after = runs.partition_point(|(start, _)| *start <= range.start);
            let (start, bytes) = runs.get(after.checked_sub(1)?)?;
            let place = |at: u64| usize::try_from(at - start).ok().filter(|at| *at <= bytes.len());
            Some(bytes.slice(place(range.start)?..place(range.end)?))
        };
        ranges.iter().map(|range| slice(range).ok_or_else(|| damaged("a range is missing"))).collect()
    }

    /// Whole blocks.
    fn run(&self, file: &mut File, run: Range<u64>) -> io::Result<Bytes> {
        let bytes = exactly(file, run.start, run.end - run.start)?;
        let first = usize::try_from(run.start / BLOCK_BYTES).unwrap_or(usize::MAX);
        let blocks = bytes.chunks(usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX));
        for (at, block) in blocks.enumerate() {
            if self.sums.get(first + at) != Some(&crc32fast::hash(block)) {
                return Err(damaged("a block has another checksum"));
            }
        }
        Ok(bytes.into())
    }
}

fn exactly(file: &mut File, at: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut read)?;
    Ok(read)
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn damaged(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> (tempfile::NamedTempFile, Checked) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Writer::new(file.reopen().unwrap());
        bytes.chunks(70_001).for_each(|part| writer.write_all(part).unwrap());
        let checked = writer.finish(7, "é text".to_owned()).unwrap();
        (file, checked)
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        for length in [0, 1, 65_535, 65_536, 65_537, 1_000_003] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
            let (file, checked) = written(&bytes);
            let mut file = file.reopen().unwrap();
            let again = Checked::read(&mut file).unwrap();
            assert_eq!((again.rows, again.text.as_str(), again.bytes), (7, "é text", length as u64));
            assert_eq!(again.sums, checked.sums);
            assert_eq!(again.bytes_on_disk, file.metadata().unwrap().len());
            let end = length as u64;
            let ranges = [end / 2..end, 0..end, 0..0, end / 3..end / 2, end..end];
            let found = again.ranges(&mut file, &ranges).unwrap();
            for (range, found) in ranges.iter().zip(found) {
                assert_eq!(found, bytes[range.start as usize..range.end as usize], "{length} {range:?}");
            }
            assert!(again.ranges(&mut file, std::slice::from_ref(&(0..end + 1))).is_err());
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes: Vec<u8> = (0..70_000_u32).map(|at| at as u8).collect();
        let (file, _) = written(&bytes);
        let whole = std::fs::read(file.path()).unwrap();
        let all = 0..bytes.len() as u64;
        for at in (0..whole.len()).filter(|at| at % 997 == 0 || *at > 69_990) {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            std::fs::write(file.path(), &changed).unwrap();
            let mut file = file.reopen().unwrap();
            let read = Checked::read(&mut file).and_then(|known| known.ranges(&mut file, std::slice::from_ref(&all)));
            assert!(read.is_err(), "{at}");
        }
        for length in (0..whole.len()).filter(|at| at % 1_009 == 0 || *at > 69_990) {
            std::fs::write(file.path(), &whole[..length]).unwrap();
            assert!(Checked::read(&mut file.reopen().unwrap()).is_err(), "{length}");
        }
    }
}
