//! Bytes that their browser does not take.
//!
//! Owns: how long an answer may wait for it; what the statement holds (its place, its batches, its session) is let go then. Must
//! never know: what the bytes are.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;

use crate::error::{Error, Result, SqlState};

type Chunks = BoxStream<'static, Result<Bytes>>;

/// The answers that are being sent.
pub(super) struct Streams {
    patience: Duration,
    /// As many as statements may run; those that ended go at the next look.
    all: Mutex<Vec<Weak<Mutex<Sending>>>>,
}

struct Sending {
    /// `None` once they have ended.
    chunks: Option<Chunks>,
    /// When the browser last took something and did not yet ask for more.
    given_at: Option<Instant>,
}

impl Streams {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, all: Mutex::default() }
    }

    /// The same bytes, which end when nobody takes them.
    pub(super) fn watch(&self, chunks: Chunks) -> Chunks {
        let sending = Arc::new(Mutex::new(Sending { chunks: Some(chunks), given_at: None }));
        self.all.lock().push(Arc::downgrade(&sending));
        Watched(sending).boxed()
    }

    pub(super) fn sweep(&self) {
        let mut ended = Vec::new();
        self.all.lock().retain(|sending| {
            let Some(sending) = sending.upgrade() else { return false };
            // One that is locked is being asked for its next bytes.
            let Some(mut sending) = sending.try_lock() else { return true };
            let is_late = sending.given_at.is_some_and(|given_at| given_at.elapsed() >= self.patience);
            if is_late {
                ended.push(sending.chunks.take());
            }
            !is_late
        });
        if !ended.is_empty() {
            tracing::info!(answers = ended.len(), "browsers take no rows, their statements were ended");
        }
    }
}

struct Watched(Arc<Mutex<Sending>>);

impl Stream for Watched {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut sending = self.0.lock();
        let was_late = sending.given_at.take().is_some() && sending.chunks.is_none();
        let Some(chunks) = &mut sending.chunks else {
            let late = || Error::new(SqlState::ConnectionFailure, "the rows were not taken");
            return Poll::Ready(was_late.then(|| Err(late())));
        };
        let next = chunks.poll_next_unpin(cx);
        match &next {
            Poll::Ready(Some(_)) => sending.given_at = Some(Instant::now()),
            Poll::Ready(None) => sending.chunks = None,
            Poll::Pending => {}
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, stream};

    use super::*;

    #[test]
    fn only_what_was_given_and_not_taken_further_is_late() {
        let two = || stream::iter([Ok(Bytes::from_static(b"a")), Ok(Bytes::from_static(b"b"))]).boxed();
        let streams = Streams::new(Duration::ZERO);
        let (mut taken, mut fresh) = (streams.watch(two()), streams.watch(two()));
        assert!(taken.next().now_or_never().unwrap().unwrap().is_ok());
        streams.sweep();
        assert!(taken.next().now_or_never().unwrap().unwrap().is_err());
        assert!(taken.next().now_or_never().unwrap().is_none());
        assert!(fresh.next().now_or_never().unwrap().unwrap().is_ok(), "nobody has asked for it yet");
        drop((taken, fresh));
        streams.sweep();
        assert!(streams.all.lock().is_empty());
    }
}
