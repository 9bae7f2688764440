//! What a client puts: a command, and record batches behind it.
//!
//! Owns: how much of it is taken, and that damaged batches fail their call alone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use tonic::Streaming;

use super::params::ROWS_MAX;
use super::status::malformed;
use crate::error::{Error, Result, SqlState};

/// Parameters of one call, together.
const BYTES_MAX: usize = 16 << 20;

pub(super) struct Put {
    first: FlightData,
    rest: Streaming<FlightData>,
}

impl Put {
    pub(super) async fn begin(mut rest: Streaming<FlightData>) -> Result<Self> {
        let first = rest.message().await.map_err(|_| malformed("data"))?;
        let first = first.ok_or_else(|| malformed("data: it holds no command"))?;
        Ok(Self { first, rest })
    }

    pub(super) fn command(&self) -> &[u8] {
        self.first.flight_descriptor.as_ref().map_or(&[], |descriptor| &descriptor.cmd)
    }

    /// All of the batches; `None` if the client sends not even a schema.
    pub(super) async fn batches(self) -> Result<Option<Vec<RecordBatch>>> {
        if self.first.data_header.is_empty() {
            return Ok(None);
        }
        let data =
            stream::iter([Ok(self.first)]).chain(self.rest).map_err(|status| FlightError::Tonic(Box::new(status)));
        let mut batches = FlightRecordBatchStream::new_from_flight_data(data);
        let mut taken = Vec::new();
        let (mut bytes, mut rows) = (0, 0);
        // The decoder of IPC trusts what lengths and offsets say; it may panic, and then this call fails.
        while let Ok(next) = AssertUnwindSafe(batches.try_next()).catch_unwind().await.map_err(|_| ()) {
            let Some(batch) = next.map_err(|error| malformed("record batch").caused_by(error))? else {
                if let (true, Some(schema)) = (taken.is_empty(), batches.schema()) {
                    // No set of values is not the same as no values.
                    taken.push(RecordBatch::new_empty(Arc::clone(schema)));
                }
                return Ok(Some(taken));
            };
            bytes += batch.get_array_memory_size();
            rows += batch.num_rows();
            if bytes > BYTES_MAX || rows > ROWS_MAX {
                return Err(Error::new(SqlState::ProgramLimitExceeded, "too many parameters in one call")
                    .detail(format!("At most {ROWS_MAX} sets and {BYTES_MAX} bytes may be bound at once.")));
            }
            taken.push(batch);
        }
        Err(malformed("record batch"))
    }
}
