//! What a client puts: a command, and record batches behind it.
//!
//! Owns: how much of it is taken, what is believed before it is decoded, and that damaged batches fail their call alone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_ipc::MessageHeader;
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
        let mut left = BYTES_MAX;
        let data =
            stream::iter([Ok(self.first)]).chain(self.rest).map_err(|status| malformed("data").caused_by(status));
        let data = data.and_then(move |data| {
            let bytes = data.data_header.len() + data.data_body.len();
            let kept = left.checked_sub(bytes).ok_or_else(too_much);
            left = left.saturating_sub(bytes);
            futures::future::ready(kept.and_then(|_| plain(data)))
        });
        let data = data.map_err(|error| FlightError::from_external_error(Box::new(error)));
        let mut batches = FlightRecordBatchStream::new_from_flight_data(data);
        let mut taken = Vec::new();
        let (mut bytes, mut rows) = (0, 0);
        // The decoder of IPC trusts what lengths and offsets say; it may panic, and then this call fails.
        while let Ok(next) = AssertUnwindSafe(batches.try_next()).catch_unwind().await.map_err(|_| ()) {
            let Some(batch) = next.map_err(refused)? else {
                if let (true, Some(schema)) = (taken.is_empty(), batches.schema()) {
                    // No set of values is not the same as no values.
                    taken.push(RecordBatch::new_empty(Arc::clone(schema)));
                }
                return Ok(Some(taken));
            };
            rows = batch.num_rows().saturating_add(rows);
            if rows > ROWS_MAX {
                return Err(too_much());
            }
            bytes = batch.columns().iter().map(|values| spread_bytes(values)).fold(bytes, usize::saturating_add);
            if bytes > BYTES_MAX {
                return Err(too_much());
            }
            // Those without rows cost nothing to send.
            if batch.num_rows() > 0 {
                taken.push(batch);
            }
        }
        Err(malformed("record batch"))
    }
}

fn too_much() -> Error {
    Error::new(SqlState::ProgramLimitExceeded, "too many parameters in one call")
        .detail(format!("At most {ROWS_MAX} sets and {BYTES_MAX} bytes may be bound at once."))
}

/// Why a stream of batches ended: of what the client sent only our own words are told.
fn refused(error: FlightError) -> Error {
    match error {
        FlightError::ExternalError(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(_) => malformed("record batch"),
        },
        other => malformed("record batch").caused_by(other),
    }
}

/// A message without compression: the decoder would make room for what a buffer claims, whatever that is.
fn plain(data: FlightData) -> Result<FlightData> {
    let message = arrow_ipc::root_as_message(&data.data_header).map_err(|_| malformed("record batch"))?;
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()),
        _ => None,
    };
    if batch.is_some_and(|batch| batch.compression().is_some()) {
        return Err(Error::unsupported("compressed parameters are not supported"));
    }
    Ok(data)
}

/// The bytes of the longest value, or of all where they are not texts or numbers.
fn longest(values: &dyn Array) -> usize {
    let texts = values.as_string_opt::<i32>().map(|texts| texts.iter().flatten().map(str::len).max());
    let texts = texts.or_else(|| values.as_string_opt::<i64>().map(|texts| texts.iter().flatten().map(str::len).max()));
    match (texts, values.data_type().primitive_width()) {
        (Some(longest), _) => longest.unwrap_or(0),
        (None, Some(width)) => width,
        (None, None) => spread_bytes(values),
    }
}

/// What values have when each has its bytes for itself: views and dictionaries can name the same bytes very often.
fn spread_bytes(values: &dyn Array) -> usize {
    let all = |values: &dyn Array| values.get_array_memory_size();
    match values.data_type() {
        DataType::Utf8View => values.as_string_view().lengths().map(|bytes| bytes as usize + 16).sum(),
        DataType::BinaryView => values.as_binary_view().lengths().map(|bytes| bytes as usize + 16).sum(),
        DataType::Dictionary(..) => {
            let dictionary = values.as_any_dictionary();
            longest(dictionary.values().as_ref()).saturating_mul(dictionary.len())
        }
        DataType::RunEndEncoded(..) | DataType::ListView(_) | DataType::LargeListView(_) | DataType::Union(..) => {
            all(values).saturating_mul(values.len())
        }
        DataType::List(_) => spread_bytes(values.as_list::<i32>().values().as_ref()).saturating_add(all(values)),
        DataType::LargeList(_) => spread_bytes(values.as_list::<i64>().values().as_ref()).saturating_add(all(values)),
        DataType::FixedSizeList(..) => spread_bytes(values.as_fixed_size_list().values().as_ref()),
        DataType::Map(..) => spread_bytes(values.as_map().entries()),
        DataType::Struct(_) => {
            let columns = values.as_struct().columns().iter();
            columns.map(|values| spread_bytes(values.as_ref())).fold(0, usize::saturating_add)
        }
        _ => all(values),
    }
}
