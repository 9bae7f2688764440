//! Bytes that their browser does not take.
//!
//! Owns: what it is told when it comes back.

use std::time::Duration;

use axum::body::Bytes;

use crate::error::{Error, SqlState};

pub(super) type Streams = crate::stalled::Streams<Bytes, Error>;

pub(super) fn streams(patience: Duration) -> Streams {
    Streams::new(patience, || Error::new(SqlState::ConnectionFailure, "the rows were not taken"))
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt, stream};

    use super::*;

    #[test]
    fn only_what_was_given_and_not_taken_further_is_late() {
        let two = || stream::iter([Ok(Bytes::from_static(b"a")), Ok(Bytes::from_static(b"b"))]).boxed();
        let watched = streams(Duration::ZERO);
        let (mut taken, mut fresh) = (watched.watch(two()), watched.watch(two()));
        assert!(taken.next().now_or_never().unwrap().unwrap().is_ok());
        watched.sweep();
        assert!(taken.next().now_or_never().unwrap().unwrap().is_err());
        assert!(taken.next().now_or_never().unwrap().is_none());
        assert!(fresh.next().now_or_never().unwrap().unwrap().is_ok(), "nobody has asked for it yet");
        drop((taken, fresh));
        watched.sweep();
        assert_eq!(watched.count(), 0);
    }
}
