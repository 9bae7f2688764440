//! The lake: its sources, and the snapshot that new queries get.
//!
//! Owns: when the lake is listed, and the replacement of a snapshot as a whole. Must never do: change a snapshot.

mod arranged;
mod arrival;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use futures::{StreamExt, stream};
use object_store::{ObjectMeta, ObjectStore};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::definition::{self, Kept, Script};
use crate::format::parquet::Footers;
use crate::matview::Watch;
use crate::notify::{self, Hints, Places};
use crate::random::jitter;
use crate::ranges::Ranges;
use crate::remembered::{self, Shelf};
use crate::shadow::Shadows;
use crate::snapshot::{Kind, Snapshot, Table};
use crate::store::Source;
use crate::write::{Leftovers, Upkeep};
use crate::{Config, Error};
use arrival::Arrival;

/// Tables that are opened at once before anybody asks for them.
const WARMED_AT_ONCE: usize = 2;

/// Hints that come within this time are looked at together.
const HINTS_GATHERED: Duration = Duration::from_millis(50);
/// Hints may keep the lake busy for one part in so many of the time, and wait no longer than `HINTS_PAUSE_MAX`.
const HINTS_SHARE: u32 = 5;
const HINTS_PAUSE_MAX: Duration = Duration::from_secs(5);

/// How definitions are named among the sources of skipped files.
const DEFINITIONS: &str = "sql";

/// The sources of the configuration and what is in them now.
#[derive(Debug)]
pub struct Lake {
    pub(crate) sources: Vec<Arc<Source>>,
    /// Where SQL's definitions are kept.
    pub(crate) kept: Kept,
    sql_dir: PathBuf,
    poll_interval: Duration,
    pub(crate) footers: Arc<Footers>,
    pub(crate) shadows: Arc<Shadows>,
    /// Files of statements that failed.
    pub(crate) leftovers: Arc<Leftovers>,
    /// Logs with a checkpoint to write.
    pub(crate) upkeep: Upkeep,
    /// What was seen of the leases of other replicas.
    pub(crate) leases: Watch,
    current: ArcSwap<Snapshot>,
    /// Told of every new snapshot that no statement asked for.
    changed: Notify,
    hints: Hints,
    /// What the current snapshot was made of. Held while the lake is listed, so that listings do not overtake.
    pub(crate) seen: Mutex<Seen>,
    /// The version of the last snapshot that was made.
    versions: AtomicU64,
    /// When the last listing of all sources began that is in the current snapshot, in milliseconds.
    looked_at: AtomicI64,
    arrival: watch::Sender<Arrival>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) listings: Vec<Arc<Vec<ObjectMeta>>>,
    definitions: Vec<(String, String)>,
    pub(crate) script: Arc<Script>,
}

impl Lake {
    /// Opens the sources and lists them once. No file is read.
    pub async fn open(config: Config, sql_dir: &Path) -> Result<Arc<Self>, Error> {
        let lake = Self::begin(config, sql_dir)?;
        lake.arrive().await?;
        Ok(lake)
    }

    /// Opens the sources and asks none of them: what fails here is a mistake of the configuration.
    pub fn begin(config: Config, sql_dir: &Path) -> Result<Arc<Self>, Error> {
        let shadows = Arc::new(Shadows::open(config.cache_dir.as_deref(), config.cache_bytes_max)?);
        let ranges = Arc::new(Ranges::open(config.cache_dir.as_deref(), config.range_cache_bytes_max)?);
        let open = |(index, source)| {
            let kept = (Shelf::new(config.manifest), Arc::clone(&shadows), Arc::clone(&ranges));
            Source::open(index, source, kept).map(Arc::new)
        };
        let sources: Result<Vec<_>, _> = config.sources.iter().enumerate().map(open).collect();
        let empty = Snapshot {
            version: 0,
            taken_at: Utc::now(),
            schemas: BTreeMap::new(),
            comments: Arc::default(),
            script: Arc::default(),
            streams: Vec::new(),
            sources: Arc::default(),
            skipped: Vec::new(),
            prose: BTreeMap::new(),
        };
        let lake = Self {
            sources: sources?,
            kept: Kept::default(),
            sql_dir: sql_dir.to_owned(),
            poll_interval: config.poll_interval(),
            footers: Arc::default(),
            shadows,
            leftovers: Arc::default(),
            upkeep: Upkeep::default(),
            leases: Watch::default(),
            current: ArcSwap::from_pointee(empty),
            changed: Notify::new(),
            hints: Hints::default(),
            seen: Mutex::default(),
            versions: AtomicU64::default(),
            looked_at: AtomicI64::default(),
            arrival: watch::Sender::default(),
        };
        lake.definitions()?;
        Ok(Arc::new(lake))
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// A moment before which nothing has changed that is not in the newest snapshot: when the last listing of all sources began.
    pub fn looked_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.looked_at.load(Ordering::Acquire))
    }

    /// Lists the lake again; true if anything changed. A source that does not answer keeps what it had.
    pub async fn refresh(&self) -> Result<bool, Error> {
        let mut seen = self.seen.lock().await;
        let began_at = Utc::now();
        let listings = join_all(self.sources.iter().map(|source| source.list())).await;
        let mut failure = None;
        let listings = listings.into_iter().zip(&seen.listings).map(|(listing, last)| match listing {
            Ok(listing) => Arc::new(listing),
            Err(error) => {
                failure = Some(error);
                Arc::clone(last)
            }
        });
        let listings: Vec<_> = listings.collect();
        let script = self.script(&listings, &seen.script).await;
        let now = Seen { listings, definitions: self.definitions()?, script };
        let changed = now != *seen && self.publish(&now);
        *seen = now;
        if failure.is_none() {
            self.looked_at.store(began_at.timestamp_millis(), Ordering::Release);
        }
        match failure {
            Some(error) if !changed => Err(error),
            Some(error) => {
                tracing::warn!(%error, cause = ?std::error::Error::source(&error), "a source could not be listed");
                Ok(true)
            }
            None => Ok(changed),
        }
    }

    /// Takes the hint that an object of a bucket was written or deleted; false if it is of no source. The lake is listed
    /// there soon, and the hint is not believed.
    pub fn hint(&self, bucket: &str, key: &str) -> bool {
        let mut is_ours = false;
        for (at, source) in self.sources.iter().enumerate() {
            if let Some(key) = source.key_below(bucket, key) {
                is_ours = true;
                if !remembered::is_page(&key) {
                    self.hints.key(at, key);
                }
            }
        }
        is_ours
    }

    /// Lists the lake around keys that may have changed; true if anything did.
    pub(crate) async fn look_at(&self, places: Places) -> Result<bool, Error> {
        let Places::Keys(keys) = places else { return self.refresh().await };
        let mut seen = self.seen.lock().await;
        let mut listings = seen.listings.clone();
        let mut whole = None;
        for (at, key) in keys {
            let (Some(source), Some(listing)) = (self.sources.get(at), listings.get_mut(at)) else { continue };
            // A folder is listed as a whole, whatever is asked for.
            if source.folder.is_some() {
                if whole.replace(at) != Some(at) {
                    *listing = Arc::new(source.list().await?);
                }
                continue;
            }
            let after = notify::before(listing, &key).cloned();
            match source.list_up_to(after.as_ref(), &key).await? {
                Some(found) => notify::splice(Arc::make_mut(listing), after.as_ref(), &key, found),
                None => *listing = Arc::new(source.list().await?),
            }
        }
        let script = self.script(&listings, &seen.script).await;
        // A definition of this server may be newer than the keys that were looked at.
        let script = if script.version < seen.script.version { Arc::clone(&seen.script) } else { script };
        let now = Seen { listings, definitions: seen.definitions.clone(), script };
        let changed = now != *seen && self.publish(&now);
        *seen = now;
        Ok(changed)
    }

    /// Lists the lake until `stop`: where hints say so at once, and all of it every poll interval and up to a tenth more, so
    /// that replicas do not list at once.
    pub async fn poll(&self, stop: CancellationToken) {
        let pause = || self.poll_interval + jitter(self.poll_interval / 10);
        let (mut next, mut rest) = (Instant::now() + pause(), HINTS_GATHERED);
        loop {
            let hinted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(next) => false,
                () = self.hints.arrived() => true,
            };
            let started = Instant::now();
            let looking = async {
                if !hinted {
                    return self.refresh().await;
                }
                tokio::time::sleep(rest).await;
                self.look_at(self.hints.take()).await
            };
            match stop.run_until_cancelled(looking).await {
                None => return,
                Some(Ok(false)) => {}
                Some(Ok(true)) => self.changed.notify_one(),
                Some(Err(error)) => {
                    tracing::warn!(%error, cause = ?std::error::Error::source(&error), "the lake could not be listed");
                }
            }
            if hinted {
                let busy = started.elapsed().saturating_sub(rest);
                rest = (busy * (HINTS_SHARE - 1)).clamp(HINTS_GATHERED, HINTS_PAUSE_MAX);
            } else {
                next = Instant::now() + pause();
            }
        }
    }

    /// Opens the tables of every snapshot that the poll finds until `stop`, so that the first query need not.
    pub async fn keep_warm(&self, stop: CancellationToken) {
        let opening = async {
            loop {
                self.warm(stop.clone()).await;
                if stop.run_until_cancelled(self.changed.notified()).await.is_none() {
                    return;
                }
            }
        };
        let keeping = self.sources.iter().map(|source| source.shelf.write_until(source.store.as_ref(), &stop));
        tokio::join!(opening, join_all(keeping), self.leftovers.sweep_until(&stop), self.keep_up_until(&stop));
    }

    /// Opens every table of the newest snapshot that is not open. Those that turn out to be none are in no snapshot from then on.
    pub async fn warm(&self, stop: CancellationToken) {
        let tables: Vec<Arc<Table>> = self.snapshot().tables().map(Arc::clone).collect();
        let opening = stream::iter(tables).for_each_concurrent(WARMED_AT_ONCE, |table| async move {
            if let (Kind::Lake(_), Err(error)) = (&table.kind, table.columns().await) {
                tracing::warn!(table = %format!("{}.{}", table.schema, table.name), %error, "a table cannot be read");
            }
        });
        stop.run_until_cancelled(opening).await;
        if self.snapshot().tables().any(|table| table.is_prose()) {
            self.publish(&*self.seen.lock().await);
        }
    }

    /// Keeps in the sources now what is known of their files, and not only soon.
    pub async fn remember(&self) {
        self.shadows.keep_news();
        join_all(self.sources.iter().map(|source| source.shelf.write(source.store.as_ref()))).await;
    }

    /// The stores of plans, under names that say nothing about where they are.
    pub fn object_stores(&self) -> Vec<(Url, Arc<dyn ObjectStore>)> {
        self.sources.iter().map(|source| (source.url.clone(), Arc::clone(&source.store))).collect()
    }

    /// Whether every source answers now.
    pub async fn store_is_reachable(&self) -> bool {
        join_all(self.sources.iter().map(|source| source.is_reachable())).await.iter().all(|reachable| *reachable)
    }

    /// How many Parquet footers were asked of the stores since the start; a repeated query asks for none.
    pub fn footers_read(&self) -> u64 {
        self.footers.reads()
    }

    fn definitions(&self) -> Result<Vec<(String, String)>, Error> {
        let failed = |error: std::io::Error| Error::Source { root: DEFINITIONS.to_owned(), reason: error.to_string() };
        definition::read(&self.sql_dir).map_err(failed)
    }

    /// What SQL has defined, as the listing of the first source shows it. What cannot be read stays as it was.
    async fn script(&self, listings: &[Arc<Vec<ObjectMeta>>], last: &Arc<Script>) -> Arc<Script> {
        let (Some(source), Some(listing)) = (self.sources.first(), listings.first()) else { return Arc::clone(last) };
        let newest = definition::newest(listing);
        if newest == last.version {
            return Arc::clone(last);
        }
        match self.kept.read(source, newest).await {
            Ok(script) => Arc::new(script),
            Err(error) => {
                tracing::warn!(%error, cause = ?std::error::Error::source(&error), "what SQL defined could not be read");
                Arc::clone(last)
            }
        }
    }

    /// Makes a snapshot and puts it in place of the last one, unless both have the same tables.
    pub(crate) fn publish(&self, seen: &Seen) -> bool {
        let last = self.current.load();
        let snapshot = self.arranged(seen, &last);
        let unchanged = last.version > 0
            && snapshot.skipped == last.skipped
            && snapshot.prose.keys().eq(last.prose.keys())
            && snapshot.comments == last.comments
            && snapshot.script.version == last.script.version
            && snapshot.streams == last.streams
            && snapshot.tables().count() == last.tables().count()
            && snapshot.tables().zip(last.tables()).all(|(a, b)| Arc::ptr_eq(a, b));
        if !unchanged {
            self.current.store(Arc::new(snapshot));
        }
        !unchanged
    }
}

#[cfg(test)]
mod tests;
