//! When to stop, and what must end before the process does.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long running statements may go on after a request to stop.
pub const DRAIN: Duration = Duration::from_secs(25);
/// How long connections that are cut then may take to say goodbye.
pub const GOODBYE: Duration = Duration::from_secs(4);
/// The tasks of the protocols end within this, or are cut.
pub const GRACE: Duration = Duration::from_secs(30);

/// Waits for SIGTERM or SIGINT.
pub async fn requested() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            },
            Err(error) => {
                tracing::warn!(%error, "SIGTERM is not heard; only SIGINT stops the server");
                let _ = interrupt.await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}

/// The tasks of the server. All of them are named, hear the same token, and are waited for.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that ends when the token is cancelled.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(async move {
            task.await;
            tracing::debug!(name, "task ended");
        });
    }

    /// Asks every task to end, and waits for them as long as the grace allows.
    pub async fn stop(&self, grace: Duration) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait()).await.is_err() {
            tracing::warn!("some connections did not end within {} s and are cut", grace.as_secs());
        }
    }
}
