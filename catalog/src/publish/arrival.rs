//! How a lake arrives: all of its sources are listed once, tried again for as long as one of them does not answer.
//!
//! Owns: what is known of a lake that has not, and that nobody ever sees a part of one. Must never know: who waits for it.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use futures::future::join_all;
use object_store::client::HttpError;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio_util::sync::CancellationToken;

use super::{Lake, Seen};
use crate::Error;
use crate::definition;
use crate::random::jitter;
use crate::store::Source;

/// A source that does not answer is left alone for longer each time.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How far it is.
#[derive(Debug, Clone, Default)]
pub(crate) enum Arrival {
    #[default]
    Listing,
    /// The last try has failed: the root of the source, and why.
    Failed(String, &'static str),
    Here,
}

impl Lake {
    /// Why nobody can be told what is in it; `None` once it was listed as a whole.
    pub fn awaited(&self) -> Option<Error> {
        match &*self.arrival.borrow() {
            Arrival::Listing => Some(Error::Awaited { failed: None }),
            Arrival::Failed(root, reason) => Some(Error::Awaited { failed: Some((root.clone(), reason)) }),
            Arrival::Here => None,
        }
    }

    /// Waits until it was listed as a whole.
    pub async fn arrived(&self) {
        // The sender is the lake itself.
        let _ = self.arrival.subscribe().wait_for(|arrival| matches!(arrival, Arrival::Here)).await;
    }

    /// Lists every source, so that there is a first snapshot, and tests those that may be written. No file is read.
    pub async fn arrive(&self) -> Result<(), Error> {
        if self.awaited().is_none() {
            return Ok(());
        }
        let began_at = Utc::now();
        let mut listings = Vec::new();
        for (source, listing) in
            self.sources.iter().zip(join_all(self.sources.iter().map(|source| source.list())).await)
        {
            listings.push(Arc::new(self.noted(source, listing).await?));
        }
        let definitions = self.definitions()?;
        let script = match (self.sources.first(), listings.first()) {
            (Some(source), Some(listing)) => match self.kept.read(source, definition::newest(listing)).await {
                // Without them SQL's own tables would seem to be gone.
                Err(error @ Error::Store { .. }) => return self.noted(source, Err(error)).await,
                Err(error) => {
                    tracing::warn!(%error, cause = ?error.source(), "what SQL defined could not be read");
                    Arc::default()
                }
                Ok(script) => Arc::new(script),
            },
            _ => Arc::default(),
        };
        let mut seen = self.seen.lock().await;
        *seen = Seen { listings, definitions, script };
        self.publish(&seen);
        self.looked_at.store(began_at.timestamp_millis(), Ordering::Release);
        drop(seen);
        self.arrival.send_replace(Arrival::Here);
        self.probe().await;
        Ok(())
    }

    /// The same, and again until all sources have answered or `stop`.
    pub async fn arrive_until(&self, stop: &CancellationToken) {
        if self.awaited().is_none() {
            return;
        }
        let mut pause = PAUSE;
        let arriving = async {
            while self.arrive().await.is_err() {
                tokio::time::sleep(pause + jitter(pause / 10)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            tracing::info!(tables = self.snapshot().tables().count(), "the lake was listed");
        };
        stop.run_until_cancelled(arriving).await;
    }

    /// What a source answered; a failure is kept in mind for who asks.
    async fn noted<T>(&self, source: &Source, answer: Result<T, Error>) -> Result<T, Error> {
        let error = match answer {
            Err(error) => error,
            fine => return fine,
        };
        if let Error::Store { root, cause } = &error {
            let reason = reason(source.store.as_ref(), cause).await;
            tracing::warn!(source = root, reason, %cause, "the lake could not be listed, and is not served yet");
            self.arrival.send_replace(Arrival::Failed(root.clone(), reason));
        }
        Err(error)
    }
}

/// Why a store gave no listing. Only the failure of another request tells whether it was refused.
async fn reason(store: &dyn ObjectStore, cause: &object_store::Error) -> &'static str {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    let mut inner = Some(cause as &(dyn std::error::Error + 'static));
    while let Some(error) = inner {
        if error.is::<HttpError>() {
            return "it does not answer";
        }
        inner = error.source();
    }
    match store.head(&Path::from("_lakegate/probe/none")).await {
        Err(PermissionDenied { .. } | Unauthenticated { .. }) => "permission denied: it refuses these credentials",
        Ok(_) | Err(NotFound { .. }) => "it gives no listing: the bucket does not exist, or may not be listed",
        Err(_) => "it answers with errors",
    }
}
