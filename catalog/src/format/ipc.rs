//! Arrow IPC: files with a footer, and streams. <https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc>
//!
//! Owns: which of the two a file is. Arrow's own reader decodes batches; what they claim is looked at before.
//! Must never know: the types that a table shows.

mod batch;
mod compact;
mod file;
mod stream;

use std::sync::Arc;

use arrow::datatypes::Schema;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::blocks::{Decoder, Part};
use crate::Error;
use crate::pinned::Pinned;

/// At the start and at the end of a file with a footer.
const MAGIC: &[u8] = b"ARROW1";

/// At the start of the first version of Feather, which is no Arrow.
const FEATHER_1: &[u8] = b"FEA1";

/// Before the length of the metadata of a message.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The metadata of one message, or of a file.
const METADATA_BYTES_MAX: u64 = 64 << 20;

/// The wanted columns of one batch, and all dictionaries of a file.
const BATCH_BYTES_MAX: u64 = 512 << 20;

/// A batch of more rows has no values.
const ROWS_MAX: u64 = i32::MAX as u64;

#[derive(Debug)]
pub(super) struct Ipc;

impl Decoder for Ipc {
    fn columns(&self, file: Arc<Pinned>) -> BoxFuture<'static, Result<Schema, Error>> {
        async move {
            match file::footer(&file).await? {
                Some(footer) => Ok(footer.schema),
                None => stream::schema(&file).await,
            }
        }
        .boxed()
    }

    fn parts(&self, file: Arc<Pinned>, columns: Vec<usize>) -> BoxStream<'static, Result<Part, Error>> {
        let open = async move {
            Ok::<_, Error>(match file::footer(&file).await? {
                Some(footer) => file::parts(file, footer, columns).await?,
                None => stream::parts(file, columns),
            })
        };
        futures::stream::once(open).try_flatten().boxed()
    }
}

/// The columns of a schema as it is written; its decoder panics at what it does not know.
fn schema(file: &Pinned, schema: arrow_ipc::Schema<'_>) -> Result<Schema, Error> {
    if schema.endianness() != arrow_ipc::Endianness::Little {
        return Err(file.unsupported("an Arrow file of a big-endian machine"));
    }
    if schema.fields().is_some_and(|fields| fields.len() > super::COLUMNS_MAX) {
        return Err(file.too_wide(schema.fields().map_or(0, |fields| fields.len())));
    }
    Ok(arrow_ipc::convert::fb_to_schema(schema))
}

fn damaged(file: &Pinned, reason: impl std::fmt::Display) -> Error {
    file.unreadable(format!("its data is damaged: {reason}"))
}
