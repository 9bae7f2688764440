//! Parts of remote objects that queries read, kept on the local disk, so that a query that is repeated asks the store for
//! nothing.
//!
//! Owns: which parts are kept, and for how long. A part belongs to one version of an object, by its ETag. Must never know: what
//! an object holds.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::{Error, disk};

/// Every part takes a multiple of it, so that the room bounds their number, and with it the memory of their list.
const UNIT_BYTES: u64 = 4 << 10;

/// A part is at most this share of the room: one large column must not drive out all others.
const SHARE: u64 = 8;

/// Bytes that wait to be written. What is beyond is not kept.
const WAITING_BYTES_MAX: usize = 32 << 20;

/// The parts that a process has read.
#[derive(Debug, Default)]
pub(crate) struct Ranges(Option<Arc<Ring>>);

/// One file that is written from its start to its end and then again from its start, over the oldest parts.
#[derive(Debug)]
struct Ring {
    file: File,
    bytes_max: u64,
    state: Mutex<State>,
    waiting: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    kept: HashMap<Part, Place>,
    /// The parts by their age, with their room.
    oldest: VecDeque<(Part, Range<u64>)>,
}

/// A range of one version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Part {
    version: Arc<str>,
    start: u64,
    end: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    at: u64,
    sum: u32,
}

impl Ranges {
    /// In a file without a name in `dir`, or in the system's temporary directory; it goes with the process.
    pub(crate) fn open(dir: Option<&Path>, bytes_max: u64) -> Result<Self, Error> {
        let bytes_max = disk::room(dir, bytes_max);
        if bytes_max == 0 {
            return Ok(Self::default());
        }
        let new = |dir: &Path| std::fs::create_dir_all(dir).and_then(|()| tempfile::tempfile_in(dir));
        let file = match dir.map_or_else(tempfile::tempfile, new) {
            Ok(file) => file,
            Err(error) if dir.is_none() => {
                tracing::warn!(%error, "nothing that is read of buckets is kept, lake.cache_dir names a place for it");
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Error::Source { root: "lake.cache_dir".to_owned(), reason: error.to_string() });
            }
        };
        let waiting = Arc::new(Semaphore::new(WAITING_BYTES_MAX));
        Ok(Self(Some(Arc::new(Ring { file, bytes_max, state: Mutex::default(), waiting }))))
    }

    pub(crate) fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// Those ranges that are kept.
    pub(crate) async fn get(&self, version: &Arc<str>, ranges: &[Range<u64>]) -> Vec<Option<Bytes>> {
        let none = || vec![None; ranges.len()];
        let Some(ring) = &self.0 else { return none() };
        let places: Vec<Option<(Place, u64)>> = {
            let state = ring.state.lock();
            let place =
                |range: &Range<u64>| Some((*state.kept.get(&Part::new(version, range))?, range.end - range.start));
            ranges.iter().map(place).collect()
        };
        if places.iter().all(Option::is_none) {
            return none();
        }
        let ring = Arc::clone(ring);
        let read = move || places.into_iter().map(|place| ring.read(place?)).collect();
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| none())
    }

    /// Keeps a range that was read, a moment later.
    pub(crate) fn put(&self, version: &Arc<str>, range: &Range<u64>, bytes: &Bytes) {
        let Some(ring) = &self.0 else { return };
        let Ok(permits) = u32::try_from(bytes.len()) else { return };
        if bytes.is_empty() || bytes.len() as u64 > ring.bytes_max / SHARE {
            return;
        }
        let Ok(waiting) = Arc::clone(&ring.waiting).try_acquire_many_owned(permits) else { return };
        let (ring, part, bytes) = (Arc::clone(ring), Part::new(version, range), bytes.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = ring.write(part, &bytes) {
                tracing::debug!(%error, "a part of an object is not kept");
            }
            drop(waiting);
        });
    }
}

impl Part {
    fn new(version: &Arc<str>, range: &Range<u64>) -> Self {
        Self { version: Arc::clone(version), start: range.start, end: range.end }
    }
}

impl Ring {
    /// `None` of a part that was written over meanwhile, or that the disk has damaged.
    fn read(&self, (place, length): (Place, u64)) -> Option<Bytes> {
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.file.read_exact_at(&mut bytes, place.at).ok()?;
        (crc32fast::hash(&bytes) == place.sum).then(|| bytes.into())
    }

    fn write(&self, part: Part, bytes: &[u8]) -> io::Result<()> {
        let Some(at) = self.room(&part, bytes.len() as u64) else { return Ok(()) };
        self.file.write_all_at(bytes, at)?;
        let sum = crc32fast::hash(bytes);
        let mut state = self.state.lock();
        // Others may have taken the room since, if it is small.
        if state.oldest.iter().rev().any(|(known, room)| *known == part && room.start == at) {
            state.kept.insert(part, Place { at, sum });
        }
        Ok(())
    }

    /// Takes the room of the oldest parts; `None` if the part has room already.
    fn room(&self, part: &Part, length: u64) -> Option<u64> {
        let length = length.next_multiple_of(UNIT_BYTES);
        let mut state = self.state.lock();
        let State { next, kept, oldest } = &mut *state;
        if kept.contains_key(part) {
            return None;
        }
        let mut forget = |is_over: &dyn Fn(&Range<u64>) -> bool| {
            // The oldest part is always the next one in the file.
            while oldest.front().is_some_and(|(_, taken)| is_over(taken)) {
                oldest.pop_front().map(|(part, _)| kept.remove(&part));
            }
        };
        if *next + length > self.bytes_max {
            forget(&|taken| taken.start >= *next);
            *next = 0;
        }
        let room = *next..*next + length;
        forget(&|taken| taken.start < room.end && room.start < taken.end);
        *next = room.end;
        oldest.push_back((part.clone(), room.clone()));
        Some(room.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a part of a version holds.
    fn bytes(version: u64, range: &Range<u64>) -> Bytes {
        (range.start..range.end).map(|at| (at * 31 + version * 7) as u8).collect()
    }

    async fn written(ranges: &Ranges) {
        let waiting = &ranges.0.as_ref().unwrap().waiting;
        drop(waiting.acquire_many(WAITING_BYTES_MAX as u32).await.unwrap());
    }

    #[tokio::test]
    async fn a_part_is_what_was_read_or_it_is_not_there() {
        let ranges = Ranges::open(None, 40 * UNIT_BYTES).unwrap();
        let versions: Vec<Arc<str>> = (0..3).map(|version| format!("lake/a {version}").into()).collect();
        let mut seed = 5_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let (mut found, mut missing) = (0, 0);
        for _ in 0..2_000 {
            let (version, start) = (next(3), next(20) * 1_000);
            let range = start..start + 1 + next(4) * 5_000;
            let kept = ranges.get(&versions[version as usize], &[range.clone(), 1..2]).await;
            assert_eq!(kept[1], None);
            match &kept[0] {
                Some(kept) => {
                    assert_eq!(*kept, bytes(version, &range));
                    found += 1;
                }
                None => {
                    missing += 1;
                    ranges.put(&versions[version as usize], &range, &bytes(version, &range));
                    written(&ranges).await;
                }
            }
        }
        assert!(found > 50 && missing > 500, "{found} {missing}");
        let ring = ranges.0.as_ref().unwrap();
        assert!(ring.file.metadata().unwrap().len() <= ring.bytes_max);
        assert!(ring.state.lock().kept.len() <= 40);
    }

    #[tokio::test]
    async fn a_damaged_part_is_not_there() {
        let (ranges, version) = (Ranges::open(None, 1 << 20).unwrap(), Arc::from("a"));
        ranges.put(&version, &(0..100), &bytes(0, &(0..100)));
        ranges.put(&version, &(0..1 << 20), &bytes(0, &(0..1 << 20)));
        written(&ranges).await;
        assert_eq!(ranges.get(&version, &[0..100, 0..1 << 20]).await, [Some(bytes(0, &(0..100))), None]);
        ranges.0.as_ref().unwrap().file.write_all_at(b"x", 50).unwrap();
        assert_eq!(ranges.get(&version, std::slice::from_ref(&(0..100))).await, [None]);
    }
}
