//! Files of statements that did not come to their commit.
//!
//! Owns: what waits to be deleted, within bounds. One that stays costs its bytes and is of no table. Must never do: delete
//! what a commit may name.

use std::sync::Arc;

use object_store::WriteMultipart;
use object_store::path::Path;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Fault, dropped};
use crate::store::Source;

/// Writers whose files wait, or uploads; those of more are left where they are.
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
    /// Files, and the mark that hides them as long as one of them stays.
    Objects(Vec<Path>, Option<Path>),
    Upload(WriteMultipart),
}

impl Leftovers {
    fn push(&self, source: &Arc<Source>, what: What) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING_MAX {
            waiting.push(Leftover { source: Arc::clone(source), what });
        }
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
                        What::Objects(paths, mark) => {
                            dropped::delete(&source, paths).await?;
                            dropped::delete(&source, mark.into_iter().collect()).await
                        }
                        What::Upload(upload) => upload.abort().await.map_err(Fault::store),
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
    /// What hides them where there is no log yet: it goes behind them.
    mark: Option<Path>,
    is_kept: bool,
}

impl Held {
    pub(super) fn new(source: &Arc<Source>, leftovers: &Arc<Leftovers>) -> Self {
        let (source, leftovers) = (Arc::clone(source), Arc::clone(leftovers));
        Self { source, leftovers, paths: Vec::new(), mark: None, is_kept: false }
    }

    pub(super) fn add(&mut self, path: Path) {
        self.paths.push(path);
    }

    pub(super) fn hide_behind(&mut self, mark: Path) {
        self.mark = Some(mark);
    }

    /// Drops an upload that is not complete.
    pub(super) fn abort(&self, upload: WriteMultipart) {
        self.leftovers.push(&self.source, What::Upload(upload));
    }

    /// Takes the files out of danger.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// The files are in danger again: nothing names them.
    pub(super) fn give_back(&mut self) {
        self.is_kept = false;
    }

    pub(super) fn paths(&self) -> &[Path] {
        &self.paths
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (paths, mark) = (std::mem::take(&mut self.paths), self.mark.take());
        if !self.is_kept && (!paths.is_empty() || mark.is_some()) {
            self.leftovers.push(&self.source, What::Objects(paths, mark));
        }
    }
}
