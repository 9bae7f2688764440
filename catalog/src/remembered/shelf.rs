//! Where a source keeps its pages: what the last listing showed, and what waits to be written.
//!
//! Owns: that nothing is written while somebody waits, and that a source that takes no writes is asked once.

use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Memory, page};

/// No table has objects here: the name is hidden.
pub(super) const FOLDER: &str = "_lakegate/manifest";

/// What is learned within this time is written together.
const GATHERED: Duration = Duration::from_secs(2);

/// A table that grows all the time is not written all the time. What waits is known to this process.
const REWRITTEN_PAUSE: Duration = Duration::from_secs(30);

/// All text that waits to be written. What is beyond is learned again by the next process.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Files can be looked at without a page.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest object that is read.
const PAGE_BYTES_MAX: u64 = 64 << 20;

/// The pages of one source.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    is_on: bool,
    /// With their sizes.
    pages: Mutex<HashMap<Path, u64>>,
    waiting: Mutex<BTreeMap<Path, String>>,
    arrived: Notify,
    is_refused: AtomicBool,
}

/// Whether an object is a page, or a part of one.
pub(crate) fn is_page(key: &Path) -> bool {
    key.as_ref().strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'))
}

/// The page of a table, by its schema and name.
pub(crate) fn place(table: &str) -> Path {
    Path::from(FOLDER).join(format!("{table}.zst"))
}

impl Shelf {
    pub(crate) fn new(is_on: bool) -> Self {
        Self { is_on, ..Self::default() }
    }

    /// Takes the pages of a whole listing.
    pub(crate) fn listed(&self, pages: HashMap<Path, u64>) {
        *self.pages.lock() = pages;
    }

    /// What is known of a table: at most one request. What cannot be read is as if it were not there.
    pub(crate) async fn recall(&self, store: &dyn ObjectStore, place: &Path, options: String) -> Memory {
        if self.is_on { Memory::of(options, self.text(store, place).await) } else { Memory::default() }
    }

    /// The text of a page, without a request if there is none.
    pub(crate) async fn text(&self, store: &dyn ObjectStore, place: &Path) -> Option<String> {
        if !self.is_on {
            return None;
        }
        let size = self.pages.lock().get(place).copied();
        let waiting = self.waiting.lock().get(place).cloned();
        match (waiting, size) {
            (Some(text), _) => Some(text),
            (None, Some(..=PAGE_BYTES_MAX)) => {
                let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetched(store, place)).await;
                let fetched = fetched.unwrap_or_else(|_| Err("the store does not answer in time".to_owned()));
                let told = |reason: &String| {
                    tracing::info!(page = %place, reason, "a page of the manifest is left out and written again");
                };
                fetched.inspect_err(told).ok()
            }
            (None, _) => None,
        }
    }

    /// Lets a page be written soon.
    pub(crate) fn keep(&self, place: Path, text: String) {
        let mut waiting = self.waiting.lock();
        let bytes: usize = waiting.values().map(String::len).sum();
        let fits = bytes + text.len() <= WAITING_BYTES_MAX && text.len() <= page::TEXT_BYTES_MAX;
        if self.is_on && fits && !self.is_refused.load(Ordering::Relaxed) {
            waiting.insert(place, text);
            self.arrived.notify_one();
        }
    }

    #[cfg(test)]
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.lock().is_empty()
    }

    #[cfg(test)]
    pub(crate) fn texts(&self) -> BTreeMap<Path, String> {
        self.waiting.lock().clone()
    }

    /// Writes what waits, until `stop`.
    pub(crate) async fn write_until(&self, store: &dyn ObjectStore, stop: &CancellationToken) {
        let writing = async {
            loop {
                self.arrived.notified().await;
                tokio::time::sleep(GATHERED).await;
                if self.write(store).await {
                    tokio::time::sleep(REWRITTEN_PAUSE).await;
                }
            }
        };
        stop.run_until_cancelled(writing).await;
    }

    /// Writes what waits now; true if a page was there before.
    pub(crate) async fn write(&self, store: &dyn ObjectStore) -> bool {
        let mut is_rewritten = false;
        loop {
            // A table that is opened meanwhile finds the page before.
            let Some((place, text)) = self.waiting.lock().pop_first() else { return is_rewritten };
            let written = match page::written(&text).await {
                Ok(object) => {
                    let size = object.len() as u64;
                    store.put(&place, object.into()).await.map(|_| size)
                }
                Err(error) => {
                    tracing::warn!(page = %place, %error, "a page of the manifest could not be packed");
                    continue;
                }
            };
            match written {
                Ok(size) => is_rewritten |= self.pages.lock().insert(place, size).is_some(),
                Err(error) if is_refusal(&error) => {
                    tracing::info!(%error, "the source takes no writes: what is known of its files is not kept there");
                    self.is_refused.store(true, Ordering::Relaxed);
                    self.waiting.lock().clear();
                }
                Err(error) => tracing::warn!(page = %place, %error, "a page of the manifest could not be written"),
            }
        }
    }
}

async fn fetched(store: &dyn ObjectStore, place: &Path) -> Result<String, String> {
    let object = async { store.get(place).await?.bytes().await };
    let object = object.await.map_err(|error| error.to_string())?;
    page::read(&object).await
}

/// Whether the source would refuse the next write, too.
fn is_refusal(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
        }
        cause = inner.source();
    }
    matches!(
        error,
        Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotSupported { .. }
            | Error::NotImplemented { .. }
    )
}
