//! Rows that their client does not take: HTTP/2 keeps a call open for ever while its window is full, and the connection lives on
//! beside it.
//!
//! Owns: what such a client is told.

use std::time::Duration;

use arrow_flight::FlightData;
use tonic::Status;

use crate::error::{Error, SqlState};

pub(super) type Streams = crate::stalled::Streams<FlightData, Status>;

pub(super) fn streams(patience: Duration) -> Streams {
    Streams::new(patience, too_late)
}

fn too_late() -> Status {
    Error::new(SqlState::ConnectionFailure, "terminating statement because its client takes no rows").into()
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt, stream};

    use super::super::query::DataStream;
    use super::*;

    fn two() -> DataStream {
        stream::iter([Ok(FlightData::new()), Ok(FlightData::new())]).boxed()
    }

    #[test]
    fn only_what_was_given_and_not_taken_further_is_late() {
        let watched = streams(Duration::ZERO);
        let (mut taken, mut waiting, mut fresh) =
            (watched.watch(two()), watched.watch(stream::pending().boxed()), watched.watch(two()));
        assert!(taken.next().now_or_never().unwrap().unwrap().is_ok());
        assert!(waiting.next().now_or_never().is_none());
        watched.sweep();
        let failed = taken.next().now_or_never().unwrap().unwrap().unwrap_err();
        assert_eq!(failed.code(), tonic::Code::Unavailable);
        assert!(taken.next().now_or_never().unwrap().is_none());
        assert!(fresh.next().now_or_never().unwrap().unwrap().is_ok(), "nobody has asked for it yet");
        assert_eq!(watched.count(), 2);
        drop((waiting, fresh));
        watched.sweep();
        assert_eq!(watched.count(), 0);
    }

    #[test]
    fn a_stream_in_time_is_as_it_was() {
        let watched = streams(Duration::from_secs(3600));
        let mut rows = watched.watch(two());
        assert!(rows.next().now_or_never().unwrap().unwrap().is_ok());
        watched.sweep();
        assert!(rows.next().now_or_never().unwrap().unwrap().is_ok());
        assert!(rows.next().now_or_never().unwrap().is_none() && rows.next().now_or_never().unwrap().is_none());
    }
}
