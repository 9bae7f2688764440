//! What a client puts: a command, and record batches behind it, to be bound as parameters or to be written.
//!
//! Owns: how much of it is taken at once, what is believed before it is decoded, and that damaged batches fail their call alone.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_ipc::MessageHeader;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use tonic::{Code, Status, Streaming};

use super::MESSAGE_BYTES_MAX;
use super::params::ROWS_MAX;
use super::status::malformed;
use crate::error::{Error, Result, SqlState};

/// Parameters of one call, together.
const BYTES_MAX: usize = 16 << 20;

/// Rows that are written at once.
const PIECE_ROWS: usize = 8_192;
/// Their values, when each has its bytes for itself.
const PIECE_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;
/// The dictionaries of one call.
const DICTIONARIES_BYTES_MAX: usize = 64 << 20;

pub(super) struct Put {
    first: FlightData,
    rest: Streaming<FlightData>,
}

impl Put {
    pub(super) async fn begin(mut rest: Streaming<FlightData>) -> Result<Self> {
        let first = rest.message().await.map_err(broken)?;
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
        let mut batches = self.decoded(move |data, _| {
            let bytes = data.data_header.len() + data.data_body.len();
            left = left.checked_sub(bytes).ok_or_else(too_much)?;
            Ok(())
        });
        let mut taken = Vec::new();
        let (mut bytes, mut rows) = (0, 0);
        loop {
            let Some(batch) = batches.next().await? else {
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
            bytes = bytes_of(&batch).saturating_add(bytes);
            if bytes > BYTES_MAX {
                return Err(too_much());
            }
            // Those without rows cost nothing to send.
            if batch.num_rows() > 0 {
                taken.push(batch);
            }
        }
    }

    /// The columns of the rows that come, which the first message tells, and the rows as they are asked for.
    pub(super) fn rows(self) -> Result<(SchemaRef, BoxStream<'static, Result<RecordBatch>>)> {
        // The decoder of a schema panics at some of what it does not know.
        let schema = std::panic::catch_unwind(AssertUnwindSafe(|| Schema::try_from(&self.first)));
        let schema =
            schema.ok().and_then(Result::ok).ok_or_else(|| malformed("data: it does not begin with a schema"))?;
        let mut dictionaries = HashMap::new();
        let batches = self.decoded(move |_, message| {
            let Some(dictionary) = message.header_as_dictionary_batch() else { return Ok(()) };
            let bytes = dictionaries.entry(dictionary.id()).or_insert(0_usize);
            let before = if dictionary.isDelta() { *bytes } else { 0 };
            *bytes = before.saturating_add(usize::try_from(message.bodyLength()).unwrap_or(usize::MAX));
            match dictionaries.values().copied().fold(0, usize::saturating_add) {
                0..=DICTIONARIES_BYTES_MAX => Ok(()),
                _ => Err(Error::new(SqlState::ProgramLimitExceeded, "too large dictionaries in one call")
                    .detail(format!("At most {DICTIONARIES_BYTES_MAX} bytes are kept of them."))),
            }
        });
        let pieces = stream::try_unfold((batches, None), |(mut batches, mut rest)| async move {
            loop {
                if let Some(piece) = cut(&mut rest)? {
                    return Ok(Some((piece, (batches, rest))));
                }
                rest = batches.next().await?;
                if rest.is_none() {
                    return Ok(None);
                }
            }
        });
        Ok((Arc::new(schema), pieces.boxed()))
    }

    /// The batches, of messages that `admit` and this room take.
    fn decoded(
        self,
        mut admit: impl FnMut(&FlightData, &arrow_ipc::Message<'_>) -> Result<()> + Send + 'static,
    ) -> Batches {
        let data = stream::iter([Ok(self.first)]).chain(self.rest).map(move |data| {
            let data = data.map_err(broken)?;
            let message = arrow_ipc::root_as_message(&data.data_header).map_err(|_| malformed("record batch"))?;
            plain(&message)?;
            admit(&data, &message)?;
            Ok(data)
        });
        let data = data.map_err(|error: Error| FlightError::from_external_error(Box::new(error)));
        Batches(FlightRecordBatchStream::new_from_flight_data(data))
    }
}

struct Batches(FlightRecordBatchStream);

impl Batches {
    /// The decoder of IPC trusts what lengths and offsets say; it may panic, and then this call fails.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match AssertUnwindSafe(self.0.try_next()).catch_unwind().await {
            Ok(next) => next.map_err(refused),
            Err(_) => Err(malformed("record batch")),
        }
    }

    fn schema(&self) -> Option<&SchemaRef> {
        self.0.schema()
    }
}

/// Takes the first rows of a batch, as many as may be together; `None` if there are none.
fn cut(rest: &mut Option<RecordBatch>) -> Result<Option<RecordBatch>> {
    let Some(batch) = rest.take().filter(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let mut rows = batch.num_rows().min(PIECE_ROWS);
    loop {
        let piece = batch.slice(0, rows);
        if bytes_of(&piece) <= PIECE_BYTES_MAX {
            *rest = Some(batch.slice(rows, batch.num_rows() - rows));
            return Ok(Some(piece));
        }
        if rows == 1 {
            return Err(Error::new(SqlState::ProgramLimitExceeded, "too large row")
                .detail(format!("The values of a row have at most {PIECE_BYTES_MAX} bytes.")));
        }
        rows /= 2;
    }
}

fn bytes_of(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|values| spread_bytes(values)).fold(0, usize::saturating_add)
}

/// Why no more messages come. A stream that breaks has not come to its end.
fn broken(status: Status) -> Error {
    match status.code() {
        Code::Unavailable => Error::new(SqlState::ConnectionFailure, "the client's stream of data broke off"),
        Code::OutOfRange => Error::new(SqlState::ProgramLimitExceeded, "too large message")
            .detail(format!("A message has at most {MESSAGE_BYTES_MAX} bytes."))
            .hint("Send the rows in smaller batches."),
        _ => malformed("data"),
    }
    .caused_by(status)
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
fn plain(message: &arrow_ipc::Message<'_>) -> Result<()> {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()),
        _ => None,
    };
    if batch.is_some_and(|batch| batch.compression().is_some()) {
        return Err(Error::unsupported("compressed record batches are not supported"));
    }
    Ok(())
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
    // Of a part of an array only that part: others have the rest.
    let all = |values: &dyn Array| {
        values.to_data().get_slice_memory_size().unwrap_or_else(|_| values.get_array_memory_size())
    };
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
