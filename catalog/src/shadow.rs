//! Shadows: copies of text files as Parquet on the local disk, so that what is read again is read fast.
//!
//! Owns: which files get one, alone or together, and in which order. Must never know: a plan of a query.

mod checked;
mod choice;
mod folder;
mod gathered;
mod held;
mod id;
mod index;
mod pack;
mod part;
mod place;
mod reader;
mod told;
mod transcode;
mod work;

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(crate) use id::{Id, Named, named};
pub(crate) use part::Part;
pub(crate) use place::{Place, Shadow};
pub(crate) use reader::{ShadowReaders, Shadowed};
pub(crate) use told::recall;
pub(crate) use transcode::Pace;
pub use work::ShadowTotals;

use crate::format::Opened;
use crate::format::bounds::FileBounds;
use crate::format::parquet::Footers;
use crate::remembered::{facts, is_settled};
use crate::{Error, disk};
use folder::Folder;
use gathered::{Batch, Gathered, Told};
use held::Held;

/// Smaller files have none of their own: opening one more file costs as much as reading their text, and there can be many of
/// them. They share one.
const FILE_BYTES_MIN: u64 = 256 << 10;

/// A file of this size gets one when it was read once, others when they were read twice.
const READ_ONCE_BYTES_MIN: u64 = 8 << 20;

/// Files and packs that wait for theirs. What is beyond is asked for again by the next query.
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
    /// Small files of a table have become enough for a pack.
    gathered: Notify,
    /// Tables of whose files something became known that is not kept.
    news: Mutex<Vec<Weak<Opened>>>,
    told: Notify,
    footers: Footers,
    /// Of all that are there or were.
    reads: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    held: Held,
    read_once: HashSet<Id>,
    refused: HashSet<Id>,
    gathered: Gathered,
    waiting: VecDeque<Job>,
    /// Of the files that wait, and of those that are being read.
    taken: HashSet<Id>,
}

/// What is to be made.
#[derive(Debug, Clone)]
enum Job {
    /// The shadow of one file.
    File { opened: Arc<Opened>, at: usize, id: Id },
    /// One shadow of some small files.
    Pack(Batch),
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
            shadows.state.lock().held.add(shadow, bytes_max);
        }
        Ok(shadows)
    }

    #[cfg(test)]
    pub(crate) fn path(&self) -> Option<std::path::PathBuf> {
        self.folder.as_ref().and_then(Folder::path)
    }

    pub(crate) fn are_on(&self) -> bool {
        self.folder.is_some()
    }

    /// Where the rows of some of the files are, for a query that is about to read them.
    pub(crate) fn find(&self, ids: &[Option<Id>], files: &[usize]) -> Vec<Option<Place>> {
        if !self.are_on() {
            return vec![None; files.len()];
        }
        let mut state = self.state.lock();
        let (now, used_at) = (state.held.tick(), Utc::now());
        let found = files.iter().map(|at| {
            let place = state.held.get(ids.get(*at).copied().flatten()?)?;
            place.is_used((now, used_at));
            Some(place.clone())
        });
        let found: Vec<Option<Place>> = found.collect();
        let reads = found.iter().flatten().count() as u64;
        self.reads.fetch_add(reads, Ordering::Relaxed);
        found
    }

    /// Where the rows of a file are, for those who only look.
    pub(crate) fn peek(&self, id: Id) -> Option<Place> {
        self.state.lock().held.get(id).cloned()
    }

    /// Queries that still run begin anew, with the text.
    fn close(&self) {
        if let Some(folder) = &self.folder {
            folder.close();
        }
    }

    fn totals(&self) -> ShadowTotals {
        let state = self.state.lock();
        let (shadows, packs) = (state.held.files(), state.held.packs().count());
        let (bytes, waiting, reads) = (state.held.bytes(), state.taken.len(), self.reads.load(Ordering::Relaxed));
        ShadowTotals { shadows, packs, bytes, waiting, reads }
    }

    /// Takes note that a query has read a file of text to its end.
    pub(crate) fn was_read(&self, opened: &Arc<Opened>, (at, rows, began_at): (usize, u64, DateTime<Utc>)) {
        let (Some(id), Some(file)) = (opened.ids.get(at).copied().flatten(), opened.content.file(at)) else { return };
        if is_settled(file, began_at) && !opened.content.has_rejects(at) {
            self.tell(opened, at, told::counted(rows, &opened.file_schema));
        }
        if self.folder.is_none() {
            return;
        }
        let bytes = file.file.bytes;
        let mut state = self.state.lock();
        if state.held.get(id).is_some() || state.refused.contains(&id) || state.taken.contains(&id) {
            return;
        }
        if bytes < FILE_BYTES_MIN {
            let Some(columns) = opened.columns.get(at) else { return };
            match state.gathered.see(opened, columns, (id, bytes)) {
                Told::Known | Told::New => {}
                Told::Enough => self.gathered.notify_one(),
                Told::Full => {
                    self.queue_packs(&mut state, gathered::QUIET_AFTER);
                }
            }
        } else if bytes < READ_ONCE_BYTES_MIN && !state.read_once.remove(&id) {
            remember(&mut state.read_once, id);
        } else if state.waiting.len() < WAITING_MAX {
            state.taken.insert(id);
            state.waiting.push_back(Job::File { opened: Arc::clone(opened), at, id });
            self.arrived.notify_one();
        }
    }

    /// Lets the small files wait for their packs that are enough, and of whose tables nobody reads more; true if others will be.
    fn queue_packs(&self, state: &mut State, quiet_for: Duration) -> bool {
        let (batches, is_more) = state.gathered.take(quiet_for);
        for batch in batches {
            if state.waiting.len() < WAITING_MAX {
                state.taken.extend(batch.ids.iter().copied());
                state.waiting.push_back(Job::Pack(batch));
                self.arrived.notify_one();
            }
        }
        is_more
    }

    /// Looks at a table that was opened: what is left of worn packs is packed anew.
    pub(crate) fn tidy(&self, opened: &Arc<Opened>) {
        let Some(file) = opened.content.file(0).filter(|_| !opened.ids.is_empty()) else { return };
        let mut state = self.state.lock();
        let (batches, gone) = choice::worn(&state.held, opened, &file.table);
        gone.iter().for_each(|pack| state.held.forget(pack));
        for batch in batches {
            if state.waiting.len() < WAITING_MAX {
                state.waiting.push_back(Job::Pack(batch));
                self.arrived.notify_one();
            }
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

    #[cfg(test)]
    fn queue_gathered(&self) {
        self.queue_packs(&mut self.state.lock(), Duration::ZERO);
    }

    /// Makes shadows until `stop`, one at a time and slowly while there is other work.
    pub(crate) async fn make_until(&self, pace: &Pace, stop: &CancellationToken) {
        let making = async {
            loop {
                self.arrived.notified().await;
                self.make_waiting(pace).await;
            }
        };
        let gathering = async {
            loop {
                self.gathered.notified().await;
                tokio::time::sleep(gathered::QUIET_AFTER).await;
                if self.queue_packs(&mut self.state.lock(), gathered::QUIET_AFTER) {
                    self.gathered.notify_one();
                }
            }
        };
        let keeping = async {
            loop {
                self.told.notified().await;
                tokio::time::sleep(NEWS_GATHERED).await;
                self.keep_news();
            }
        };
        stop.run_until_cancelled(futures::future::join3(making, gathering, keeping)).await;
        // The tables that wait hold their sources, and these the shadows.
        self.state.lock().waiting.clear();
    }

    /// Makes those that files wait for now.
    pub(crate) async fn make_waiting(&self, pace: &Pace) {
        loop {
            let Some(job) = self.state.lock().waiting.pop_front() else { return };
            match job {
                Job::File { opened, at, id } => {
                    let made = self.make(&opened, (at, id), pace).await;
                    let mut state = self.state.lock();
                    state.taken.remove(&id);
                    if !made {
                        remember(&mut state.refused, id);
                    }
                }
                Job::Pack(batch) => {
                    self.pack(&batch, pace).await;
                    let mut state = self.state.lock();
                    for id in &batch.ids {
                        state.taken.remove(id);
                    }
                }
            }
        }
    }

    /// True if there is a shadow now, or if there may be one at another time.
    async fn make(&self, opened: &Arc<Opened>, (at, id): (usize, Id), pace: &Pace) -> bool {
        let Some(folder) = &self.folder else { return false };
        let Some(file) = opened.content.file(at) else { return false };
        match transcode::transcode((opened, at, id), folder, self.bytes_max, pace).await {
            Ok((shadow, bounds)) => {
                self.tell(opened, at, bounds);
                let bytes = shadow.bytes_on_disk();
                tracing::debug!(table = file.table, file = file.key(), bytes, "a file has a shadow");
                self.state.lock().held.add(shadow, self.bytes_max);
                true
            }
            Err(refusal) => {
                tracing::debug!(table = file.table, file = file.key(), reason = refusal.reason, "no shadow");
                !refusal.is_lasting
            }
        }
    }

    /// A shadow that cannot be read is no shadow.
    fn discard(&self, shadow: &Arc<Shadow>, reason: &dyn std::fmt::Display) {
        tracing::warn!(shadow = %shadow.name(), %reason, "a shadow is damaged and not used any more");
        self.state.lock().held.forget(shadow);
    }
}

/// Forgetting costs one more read of a file.
fn remember(known: &mut HashSet<Id>, id: Id) {
    if known.len() >= KNOWN_MAX {
        known.clear();
    }
    known.insert(id);
}
