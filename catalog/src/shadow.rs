//! Shadows: copies of text files as Parquet on the local disk, so that what is read again is read fast.
//!
//! Owns: which files get one, in which order, and which go when the room is full. Must never know: a plan of a query.

mod checked;
mod folder;
mod id;
mod reader;
mod told;
mod transcode;
mod work;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(crate) use id::{Id, ids};
pub(crate) use reader::{ShadowReaders, Shadowed};
pub(crate) use told::recall;
pub(crate) use transcode::Pace;
pub use work::ShadowTotals;

use crate::format::Opened;
use crate::format::bounds::FileBounds;
use crate::format::parquet::Footers;
use crate::remembered::{facts, is_settled};
use crate::{Error, disk};
use checked::Checked;
use folder::Folder;

/// Smaller files have none: opening one more file costs as much as reading their text, and there can be many of them.
const FILE_BYTES_MIN: u64 = 256 << 10;

/// A file of this size gets one when it was read once, others when they were read twice.
const READ_ONCE_BYTES_MIN: u64 = 8 << 20;

/// Files that wait for theirs. What is beyond is asked for again by the next query.
const WAITING_MAX: usize = 1_024;

/// Versions of files of which it is known that they were read, or that they cannot have one.
const KNOWN_MAX: usize = 65_536;

/// What becomes known within this time is kept together.
const NEWS_GATHERED: Duration = Duration::from_secs(1);

/// All shadows of a process.
#[derive(Debug, Default)]
pub(crate) struct Shadows {
    /// `None`: there are none.
    folder: Option<Folder>,
    bytes_max: u64,
    state: Mutex<State>,
    arrived: Notify,
    /// Tables of whose files something became known that is not kept.
    news: Mutex<Vec<Weak<Opened>>>,
    told: Notify,
    footers: Footers,
    /// Orders the uses.
    clock: AtomicU64,
    /// Of all that are there or were.
    reads: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    ready: HashMap<Id, Arc<Shadow>>,
    bytes: u64,
    read_once: HashSet<Id>,
    refused: HashSet<Id>,
    waiting: VecDeque<Job>,
    /// Of the files that wait, and of the one that is being read.
    taken: HashSet<Id>,
}

/// A file of a table whose shadow is wanted.
#[derive(Debug, Clone)]
struct Job {
    opened: Arc<Opened>,
    at: usize,
    id: Id,
}

/// The rows of one version of one file. It goes from the disk when nobody reads it any more.
#[derive(Debug)]
pub(crate) struct Shadow {
    pub(crate) id: Id,
    path: PathBuf,
    checked: Checked,
    used: AtomicU64,
    used_at_micros: AtomicI64,
    reads: AtomicU64,
    is_over: AtomicBool,
}

impl Shadow {
    fn new(id: Id, path: PathBuf, checked: Checked, used_at: DateTime<Utc>) -> Self {
        let used_at_micros = AtomicI64::new(used_at.timestamp_micros());
        let (used, reads, is_over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        Self { id, path, checked, used, used_at_micros, reads, is_over }
    }

    pub(crate) fn rows(&self) -> usize {
        usize::try_from(self.checked.rows).unwrap_or(usize::MAX)
    }

    /// What is known of its rows.
    pub(crate) fn told(&self) -> &str {
        self.checked.text.split_once('\n').map_or("", |(_, told)| told)
    }

    /// Of its Parquet file.
    pub(crate) fn parquet_bytes(&self) -> u64 {
        self.checked.bytes
    }

    /// On the disk.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        self.checked.bytes_on_disk
    }

    pub(crate) fn used_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.used_at_micros.load(Ordering::Relaxed))
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        if self.is_over.load(Ordering::Relaxed)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "a shadow could not be removed");
        }
    }
}

impl Shadows {
    /// Those of `dir`, which are used again, or of a folder that goes with the process.
    pub(crate) fn open(dir: Option<&Path>, bytes_max: u64) -> Result<Self, Error> {
        if bytes_max == 0 {
            return Ok(Self::default());
        }
        let (folder, found) = Folder::open(dir)?;
        let there: u64 = found.iter().map(Shadow::bytes_on_disk).sum();
        let bytes_max = bytes_max.min(disk::room(dir, bytes_max).saturating_add(there));
        if bytes_max == 0 {
            return Ok(Self::default());
        }
        let shadows = Self { folder, bytes_max, ..Self::default() };
        for shadow in found {
            shadows.add(shadow);
        }
        Ok(shadows)
    }

    #[cfg(test)]
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.folder.as_ref().and_then(Folder::path)
    }

    pub(crate) fn are_on(&self) -> bool {
        self.folder.is_some()
    }

    /// The shadow of a file, for a query that is about to read it.
    pub(crate) fn get(&self, id: Id) -> Option<Arc<Shadow>> {
        let shadow = Arc::clone(self.state.lock().ready.get(&id)?);
        shadow.used.store(self.clock.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        shadow.used_at_micros.store(Utc::now().timestamp_micros(), Ordering::Relaxed);
        shadow.reads.fetch_add(1, Ordering::Relaxed);
        self.reads.fetch_add(1, Ordering::Relaxed);
        Some(shadow)
    }

    /// The same for those who only look.
    pub(crate) fn peek(&self, id: Id) -> Option<Arc<Shadow>> {
        self.state.lock().ready.get(&id).map(Arc::clone)
    }

    /// Queries that still run begin anew, with the text.
    fn close(&self) {
        if let Some(folder) = &self.folder {
            folder.close();
        }
    }

    fn totals(&self) -> ShadowTotals {
        let state = self.state.lock();
        let (shadows, waiting) = (state.ready.len(), state.taken.len());
        ShadowTotals { shadows, bytes: state.bytes, waiting, reads: self.reads.load(Ordering::Relaxed) }
    }

    /// Takes note that a query has read a file of text to its end.
    pub(crate) fn was_read(&self, opened: &Arc<Opened>, (at, rows, began_at): (usize, u64, DateTime<Utc>)) {
        let (Some(id), Some(file)) = (opened.ids.get(at).copied().flatten(), opened.content.file(at)) else { return };
        if is_settled(file, began_at) && !opened.content.has_rejects(at) {
            self.tell(opened, at, told::counted(rows, &opened.file_schema));
        }
        let bytes = file.file.bytes;
        if self.folder.is_none() || bytes < FILE_BYTES_MIN {
            return;
        }
        let mut state = self.state.lock();
        if state.ready.contains_key(&id) || state.refused.contains(&id) || state.taken.contains(&id) {
            return;
        }
        if bytes < READ_ONCE_BYTES_MIN && !state.read_once.remove(&id) {
            remember(&mut state.read_once, id);
        } else if state.waiting.len() < WAITING_MAX {
            state.taken.insert(id);
            state.waiting.push_back(Job { opened: Arc::clone(opened), at, id });
            self.arrived.notify_one();
        }
    }

    /// Lets the next query know more of a file.
    fn tell(&self, opened: &Arc<Opened>, at: usize, bounds: FileBounds) {
        if !opened.tell(at, bounds) {
            return;
        }
        let mut news = self.news.lock();
        let table = Arc::downgrade(opened);
        if !news.iter().any(|known| known.ptr_eq(&table)) {
            news.push(table);
            self.told.notify_one();
        }
    }

    /// Lets what became known be kept in the lake.
    pub(crate) fn keep_news(&self) {
        let news = std::mem::take(&mut *self.news.lock());
        for opened in news.iter().filter_map(Weak::upgrade) {
            if let (Some(file), Some(page)) = (opened.content.file(0), told::page(&opened)) {
                file.source().shelf.keep(facts::place(&file.table), page);
            }
        }
    }

    /// Makes shadows until `stop`, one at a time and slowly while there is other work.
    pub(crate) async fn make_until(&self, pace: &Pace, stop: &CancellationToken) {
        let making = async {
            loop {
                self.arrived.notified().await;
                self.make_waiting(pace).await;
            }
        };
        let keeping = async {
            loop {
                self.told.notified().await;
                tokio::time::sleep(NEWS_GATHERED).await;
                self.keep_news();
            }
        };
        stop.run_until_cancelled(futures::future::join(making, keeping)).await;
    }

    /// Makes those that files wait for now.
    pub(crate) async fn make_waiting(&self, pace: &Pace) {
        loop {
            let Some(job) = self.state.lock().waiting.pop_front() else { return };
            let id = job.id;
            let made = self.make(job, pace).await;
            let mut state = self.state.lock();
            state.taken.remove(&id);
            if !made {
                remember(&mut state.refused, id);
            }
        }
    }

    /// True if there is a shadow now, or if there may be one at another time.
    async fn make(&self, job: Job, pace: &Pace) -> bool {
        let Some(folder) = &self.folder else { return false };
        let Some(file) = job.opened.content.file(job.at) else { return false };
        match transcode::transcode(&job, folder, self.bytes_max, pace).await {
            Ok((shadow, bounds)) => {
                self.tell(&job.opened, job.at, bounds);
                tracing::debug!(
                    table = file.table,
                    file = file.key(),
                    bytes = shadow.bytes_on_disk(),
                    "a file has a shadow"
                );
                self.add(shadow);
                true
            }
            Err(refusal) => {
                tracing::debug!(table = file.table, file = file.key(), reason = refusal.reason, "no shadow");
                !refusal.is_lasting
            }
        }
    }

    fn add(&self, shadow: Shadow) {
        let mut state = self.state.lock();
        let now = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        shadow.used.store(now, Ordering::Relaxed);
        state.bytes += shadow.bytes_on_disk();
        if let Some(before) = state.ready.insert(shadow.id, Arc::new(shadow)) {
            state.bytes -= before.bytes_on_disk();
            before.is_over.store(true, Ordering::Relaxed);
        }
        while state.bytes > self.bytes_max {
            let oldest = state.ready.values().min_by_key(|shadow| shadow.used.load(Ordering::Relaxed));
            let Some(oldest) = oldest.map(Arc::clone) else { break };
            state.forget(&oldest);
        }
    }

    /// A shadow that cannot be read is no shadow.
    fn discard(&self, shadow: &Arc<Shadow>, reason: &dyn std::fmt::Display) {
        tracing::warn!(shadow = %shadow.id, %reason, "a shadow is damaged and not used any more");
        self.state.lock().forget(shadow);
    }
}

impl State {
    fn forget(&mut self, shadow: &Arc<Shadow>) {
        if self.ready.get(&shadow.id).is_some_and(|known| Arc::ptr_eq(known, shadow)) {
            self.ready.remove(&shadow.id);
            self.bytes -= shadow.bytes_on_disk();
            shadow.is_over.store(true, Ordering::Relaxed);
        }
    }
}

/// Forgetting costs one more read of a file.
fn remember(known: &mut HashSet<Id>, id: Id) {
    if known.len() >= KNOWN_MAX {
        known.clear();
    }
    known.insert(id);
}
