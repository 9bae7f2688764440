//! Rows that their client does not take.
//!
//! Owns: how long a stream may wait for it. HTTP/2 keeps a call open for ever while its window is full, and the connection
//! lives on beside it; what the statement holds (its place, its batches, its session) is let go instead. Must never know: what
//! the rows are.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow_flight::FlightData;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use tonic::Status;

use super::query::DataStream;
use crate::error::{Error, SqlState};

/// The streams that are being sent.
pub(super) struct Streams {
    patience: Duration,
    /// As many as the connections may have calls; those that ended go at the next look.
    all: Mutex<Vec<Weak<Mutex<Sending>>>>,
}

struct Sending {
    /// `None` once they have ended.
    rows: Option<DataStream>,
    /// When the client last took something and did not yet ask for more.
    given_at: Option<Instant>,
}

impl Streams {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, all: Mutex::default() }
    }

    /// The same rows, which end when nobody takes them.
    pub(super) fn watch(&self, rows: DataStream) -> DataStream {
        let sending = Arc::new(Mutex::new(Sending { rows: Some(rows), given_at: None }));
        self.all.lock().push(Arc::downgrade(&sending));
        Watched(sending).boxed()
    }

    /// Ends the streams that wait for their clients for too long.
    pub(super) fn sweep(&self) {
        let mut ended = Vec::new();
        self.all.lock().retain(|sending| {
            let Some(sending) = sending.upgrade() else { return false };
            // One that is locked is being asked for its next rows.
            let Some(mut sending) = sending.try_lock() else { return true };
            let is_late = sending.given_at.is_some_and(|given_at| given_at.elapsed() >= self.patience);
            if is_late {
                ended.push(sending.rows.take());
            }
            !is_late
        });
        if !ended.is_empty() {
            tracing::info!(streams = ended.len(), "clients take no rows, their statements were ended");
        }
    }
}

struct Watched(Arc<Mutex<Sending>>);

impl Stream for Watched {
    type Item = Result<FlightData, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut sending = self.0.lock();
        let was_late = sending.given_at.take().is_some() && sending.rows.is_none();
        let Some(rows) = &mut sending.rows else {
            return Poll::Ready(was_late.then(|| Err(too_late())));
        };
        let next = rows.poll_next_unpin(cx);
        match &next {
            Poll::Ready(Some(_)) => sending.given_at = Some(Instant::now()),
            Poll::Ready(None) => sending.rows = None,
            Poll::Pending => {}
        }
        next
    }
}

fn too_late() -> Status {
    Error::new(SqlState::ConnectionFailure, "terminating statement because its client takes no rows").into()
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, stream};

    use super::*;

    fn two() -> DataStream {
        stream::iter([Ok(FlightData::new()), Ok(FlightData::new())]).boxed()
    }

    #[test]
    fn only_what_was_given_and_not_taken_further_is_late() {
        let streams = Streams::new(Duration::ZERO);
        let (mut taken, mut waiting, mut fresh) =
            (streams.watch(two()), streams.watch(stream::pending().boxed()), streams.watch(two()));
        assert!(taken.next().now_or_never().unwrap().unwrap().is_ok());
        assert!(waiting.next().now_or_never().is_none());
        streams.sweep();
        let failed = taken.next().now_or_never().unwrap().unwrap().unwrap_err();
        assert_eq!(failed.code(), tonic::Code::Unavailable);
        assert!(taken.next().now_or_never().unwrap().is_none());
        assert!(fresh.next().now_or_never().unwrap().unwrap().is_ok(), "nobody has asked for it yet");
        assert_eq!(streams.all.lock().len(), 2);
        drop((waiting, fresh));
        streams.sweep();
        assert!(streams.all.lock().is_empty());
    }

    #[test]
    fn a_stream_in_time_is_as_it_was() {
        let streams = Streams::new(Duration::from_secs(3600));
        let mut rows = streams.watch(two());
        assert!(rows.next().now_or_never().unwrap().unwrap().is_ok());
        streams.sweep();
        assert!(rows.next().now_or_never().unwrap().unwrap().is_ok());
        assert!(rows.next().now_or_never().unwrap().is_none() && rows.next().now_or_never().unwrap().is_none());
    }
}
