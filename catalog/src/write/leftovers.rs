//! Files of statements that did not come to their commit.
//!
//! Owns: what waits to be deleted, within bounds. One that stays costs its bytes and is of no table. Must never do: delete
//! what a commit may name.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::store::Source;

/// More are left where they are.
const WAITING_MAX: usize = 10_000;

/// What waits to be deleted.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    waiting: Mutex<Vec<Leftover>>,
    arrived: Notify,
}

#[derive(Debug)]
struct Leftover {
    source: Arc<Source>,
    what: What,
}

#[derive(Debug)]
enum What {
    Object(Path),
    Upload(WriteMultipart),
}

impl Leftovers {
    fn push(&self, source: &Arc<Source>, what: impl IntoIterator<Item = What>) {
        let mut waiting = self.waiting.lock();
        let room = WAITING_MAX.saturating_sub(waiting.len());
        let taken = what.into_iter().take(room).map(|what| Leftover { source: Arc::clone(source), what });
        waiting.extend(taken);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Deletes what comes, until `stop`.
    pub(crate) async fn sweep_until(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(self.arrived.notified()).await.is_some() {
            let waiting = std::mem::take(&mut *self.waiting.lock());
            for Leftover { source, what } in waiting {
                let deleting = async {
                    match what {
                        What::Object(path) => source.store.delete(&path).await,
                        What::Upload(upload) => upload.abort().await,
                    }
                };
                if let Some(Err(error)) = stop.run_until_cancelled(deleting).await {
                    tracing::debug!(%error, "a file of a statement that failed stays");
                }
            }
        }
    }
}

/// Files that are deleted unless they are kept.
#[derive(Debug)]
pub(super) struct Held {
    source: Arc<Source>,
    leftovers: Arc<Leftovers>,
    paths: Vec<Path>,
}

impl Held {
    pub(super) fn new(source: &Arc<Source>, leftovers: &Arc<Leftovers>) -> Self {
        Self { source: Arc::clone(source), leftovers: Arc::clone(leftovers), paths: Vec::new() }
    }

    pub(super) fn add(&mut self, path: Path) {
        self.paths.push(path);
    }

    /// Drops an upload that is not complete.
    pub(super) fn abort(&self, upload: WriteMultipart) {
        self.leftovers.push(&self.source, [What::Upload(upload)]);
    }

    /// Takes the files out of danger, and names them.
    pub(super) fn keep(&mut self) -> Vec<Path> {
        std::mem::take(&mut self.paths)
    }

    /// The files are in danger again: nothing names them.
    pub(super) fn give_back(&mut self, paths: Vec<Path>) {
        self.paths.extend(paths);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let paths = self.keep();
        if !paths.is_empty() {
            self.leftovers.push(&self.source, paths.into_iter().map(What::Object));
        }
    }
}
