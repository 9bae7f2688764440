//! Which of all replicas refreshes a view now, or runs a stream. It saves work: that nothing is lost or doubled is the commit's.
//!
//! Owns: epochs, each of which one refresh has alone, and when a replica that says nothing any more is taken for gone. It needs a
//! store that puts an object only where none is, and no clock that replicas share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::lineage::forget;
use super::place;
use crate::Error;
use crate::definition::Name;
use crate::publish::Lake;
use crate::store::Source;
use crate::write::{Fault, Probe};

/// How long who has a lease may be silent.
#[derive(Debug, Clone, Copy)]
struct Terms {
    /// A holder that has not spoken for so long is gone.
    silence: Duration,
    beat: Duration,
}

const OF_VIEWS: Terms = Terms { silence: Duration::from_secs(30), beat: Duration::from_secs(10) };

/// Somebody waits for the rows of a stream.
const OF_STREAMS: Terms = Terms { silence: Duration::from_secs(9), beat: Duration::from_secs(3) };

/// The right to refresh a view or to run a stream, until it is released or dropped.
#[derive(Debug)]
pub struct Lease {
    pub epoch: u64,
    /// Ends the task that speaks for it.
    _held: DropGuard,
    speaking: JoinHandle<()>,
}

/// What the object of an epoch says.
#[derive(Debug, Serialize, Deserialize)]
struct Spoken {
    holder: String,
    /// What no other process has, nor this one after a restart.
    #[serde(default)]
    process: String,
    /// That no other lease has, of this holder neither.
    mark: String,
    beat: u64,
    is_released: bool,
}

/// What was last seen of the leases of others, and since when.
#[derive(Debug)]
pub(crate) struct Watch {
    process: String,
    seen: Mutex<HashMap<Path, (String, Instant)>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { process: uuid::Uuid::new_v4().to_string(), seen: Mutex::default() }
    }
}

impl Watch {
    /// Whether what is seen has been the same for longer than a holder is silent.
    fn is_silent(&self, leases: &Path, seen: String, silence: Duration) -> bool {
        let (mut known, now) = (self.seen.lock(), Instant::now());
        let (last, since) = known.entry(leases.clone()).or_insert_with(|| (seen.clone(), now));
        if *last != seen {
            (*last, *since) = (seen, now);
        }
        now.duration_since(*since) >= silence
    }
}

impl Lease {
    /// Lets go of it, so that the next one need not wait.
    pub async fn release(self) {
        let Self { _held, speaking, .. } = self;
        drop(_held);
        let _ended = speaking.await;
    }
}

impl Lake {
    /// The right to refresh a view, with an epoch behind `after`; `None` while another has it. Of a store that cannot be
    /// written it is an error.
    ///
    /// A process asks for one lease of a view at a time: one of its own that it could not release is free.
    pub async fn lease(&self, view: &Name, holder: &str, after: u64) -> Result<Option<Lease>, Error> {
        self.lease_of(view, (place::leases(view), OF_VIEWS), holder, after).await
    }

    /// The same right to run a stream.
    pub async fn stream_lease(&self, stream: &Name, holder: &str) -> Result<Option<Lease>, Error> {
        self.lease_of(stream, (place::leases_of_stream(stream), OF_STREAMS), holder, 0).await
    }

    async fn lease_of(
        &self,
        of: &Name,
        (leases, terms): (Path, Terms),
        holder: &str,
        after: u64,
    ) -> Result<Option<Lease>, Error> {
        let (_, source) = self.first_writable(of)?;
        Probe::pass(source).await?;
        let newest = newest(source, &leases).await?;
        let next = match &newest {
            None => 1,
            Some((epoch, object)) => {
                let spoken = spoken(source, &object.location).await?;
                let is_free = spoken.is_none_or(|spoken| spoken.is_released || spoken.process == self.leases.process);
                let seen = format!("{epoch} {:?} {} {}", object.e_tag, object.last_modified, object.size);
                if !is_free && !self.leases.is_silent(&leases, seen, terms.silence) {
                    return Ok(None);
                }
                epoch + 1
            }
        };
        let epoch = next.max(after + 1);
        let path = place::lease(&leases, epoch);
        let mark = uuid::Uuid::new_v4().to_string();
        let process = self.leases.process.clone();
        let spoken = Spoken { holder: holder.to_owned(), process, mark, beat: 0, is_released: false };
        if !created(source, &path, spoken.text()).await? {
            return Ok(None);
        }
        let stop = CancellationToken::new();
        let source = Arc::clone(source);
        let speaking = tokio::spawn(speak(stop.clone(), source, (leases, epoch, terms.beat), path, spoken));
        Ok(Some(Lease { epoch, _held: stop.drop_guard(), speaking }))
    }
}

/// Renews a lease until `stop`, then releases it and deletes those before it.
async fn speak(
    stop: CancellationToken,
    source: Arc<Source>,
    (leases, epoch, beat): (Path, u64, Duration),
    path: Path,
    mut spoken: Spoken,
) {
    while stop.run_until_cancelled(tokio::time::sleep(beat)).await.is_some() {
        spoken.beat += 1;
        if let Err(error) = source.store.put(&path, PutPayload::from(spoken.text())).await {
            tracing::debug!(%error, "a lease was not renewed");
        }
    }
    spoken.is_released = true;
    let released = source.store.put(&path, PutPayload::from(spoken.text())).await;
    if let Err(error) = released.map(drop).and(forget(&source, &leases, epoch).await) {
        tracing::debug!(%error, "a lease was not released");
    }
}

impl Spoken {
    fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

async fn newest(source: &Source, leases: &Path) -> Result<Option<(u64, ObjectMeta)>, Error> {
    let listed = source.store.list(Some(leases)).try_collect::<Vec<_>>().await;
    let listed = listed.map_err(|cause| source.failed(cause))?;
    let known = listed.into_iter().filter_map(|object| Some((place::epoch(&object.location)?, object)));
    Ok(known.max_by_key(|(epoch, _)| *epoch))
}

/// `None` if the object is gone or says nothing that could be understood.
async fn spoken(source: &Source, path: &Path) -> Result<Option<Spoken>, Error> {
    match source.store.get(path).await {
        Ok(found) => {
            let bytes = found.bytes().await.map_err(|cause| source.failed(cause))?;
            Ok(serde_json::from_slice(&bytes).ok())
        }
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(source.failed(error)),
    }
}

/// Puts the object of an epoch where none is. Each text is its holder's alone, so a lost answer is found out.
async fn created(source: &Source, path: &Path, text: Vec<u8>) -> Result<bool, Error> {
    let options = PutOptions { mode: PutMode::Create, ..Default::default() };
    let Err(error) = source.store.put_opts(path, PutPayload::from(text.clone()), options).await else {
        return Ok(true);
    };
    match source.store.get(path).await {
        Ok(found) => Ok(found.bytes().await.map_err(|cause| source.failed(cause))? == text),
        Err(_) => Err(Fault::store(error)),
    }
}
