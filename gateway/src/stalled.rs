//! What a client is sent and does not take.
//!
//! Owns: how long a stream may wait for its client. HTTP keeps a call open for ever while its window is full; what the statement
//! holds (its place, its batches, its session) is let go instead. Must never know: what is sent, or over which protocol.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;

type Items<T, E> = BoxStream<'static, Result<T, E>>;
type Shared<T, E> = Mutex<Sending<T, E>>;

/// The streams that are being sent.
pub(crate) struct Streams<T, E> {
    patience: Duration,
    /// What a client is told that comes back after all.
    too_late: fn() -> E,
    /// As many as statements may run; those that ended go at the next look.
    all: Mutex<Vec<Weak<Shared<T, E>>>>,
}

struct Sending<T, E> {
    /// `None` once they have ended.
    items: Option<Items<T, E>>,
    /// When the client last took something and did not yet ask for more.
    given_at: Option<Instant>,
}

impl<T: 'static, E: 'static> Streams<T, E> {
    pub(crate) fn new(patience: Duration, too_late: fn() -> E) -> Self {
        Self { patience, too_late, all: Mutex::default() }
    }

    /// The same items, which end when nobody takes them.
    pub(crate) fn watch(&self, items: Items<T, E>) -> Items<T, E> {
        let sending = Arc::new(Mutex::new(Sending { items: Some(items), given_at: None }));
        self.all.lock().push(Arc::downgrade(&sending));
        Watched { sending, too_late: self.too_late }.boxed()
    }

    /// Ends the streams that wait for their clients for too long.
    pub(crate) fn sweep(&self) {
        let mut ended = Vec::new();
        self.all.lock().retain(|sending| {
            let Some(sending) = sending.upgrade() else { return false };
            // One that is locked is being asked for its next items.
            let Some(mut sending) = sending.try_lock() else { return true };
            let is_late = sending.given_at.is_some_and(|given_at| given_at.elapsed() >= self.patience);
            if is_late {
                ended.push(sending.items.take());
            }
            !is_late
        });
        if !ended.is_empty() {
            tracing::info!(streams = ended.len(), "clients take no rows, their statements were ended");
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.all.lock().len()
    }
}

struct Watched<T, E> {
    sending: Arc<Shared<T, E>>,
    too_late: fn() -> E,
}

impl<T, E> Stream for Watched<T, E> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut sending = self.sending.lock();
        let was_late = sending.given_at.take().is_some() && sending.items.is_none();
        let Some(items) = &mut sending.items else {
            return Poll::Ready(was_late.then(|| Err((self.too_late)())));
        };
        let next = items.poll_next_unpin(cx);
        match &next {
            Poll::Ready(Some(_)) => sending.given_at = Some(Instant::now()),
            Poll::Ready(None) => sending.items = None,
            Poll::Pending => {}
        }
        next
    }
}
