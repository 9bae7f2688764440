//! How many statements run at once. Over the limit they wait; only a full queue or a long wait refuses (53400).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result, SqlState};

pub(crate) struct Admission {
    running: Arc<Semaphore>,
    running_max: usize,
    queued: AtomicUsize,
    queued_max: usize,
    queue_timeout: Duration,
}

impl Admission {
    pub(crate) fn new(running_max: usize, queued_max: usize, queue_timeout: Duration) -> Self {
        let (running, queued) = (Arc::new(Semaphore::new(running_max)), AtomicUsize::new(0));
        Self { running, running_max, queued, queued_max, queue_timeout }
    }

    /// A place to run, held until the permit is dropped.
    pub(crate) async fn admit(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue_up()?;
        match tokio::time::timeout(self.queue_timeout, Arc::clone(&self.running).acquire_owned()).await {
            Ok(permit) => permit.map_err(Error::internal),
            Err(_) => Err(full("the statement waited too long for its turn")),
        }
    }

    fn queue_up(&self) -> Result<Place<'_>> {
        let fits = |queued: usize| (queued < self.queued_max).then_some(queued + 1);
        match self.queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(Place(&self.queued)),
            Err(_) => Err(full("the queue of waiting statements is full")),
        }
    }

    /// Whether a statement runs now.
    pub(crate) fn is_busy(&self) -> bool {
        self.running.available_permits() < self.running_max
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }
}

/// One waiting statement; it leaves the queue however its wait ends.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn full(message: &str) -> Error {
    Error::new(SqlState::ConfigurationLimitExceeded, message).hint("Try again when fewer statements run.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn over_the_limit_waits_and_a_full_queue_refuses() {
        let admission = Arc::new(Admission::new(1, 1, Duration::from_secs(60)));
        assert!(!admission.is_busy());
        let first = admission.admit().await.unwrap();
        assert!(admission.is_busy());
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.admit().await.map(drop) }
        });
        while admission.queued() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(admission.admit().await.unwrap_err().state, SqlState::ConfigurationLimitExceeded);
        drop(first);
        waiting.await.unwrap().unwrap();
    }
}
