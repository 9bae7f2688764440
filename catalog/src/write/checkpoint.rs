//! The state of a table in one Parquet file, from which readers go on instead of from the first commit.
//!
//! Owns: the columns of a classic checkpoint (V1), and that it is written row by row. Must never know: when there is one.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoints>

use std::collections::BTreeMap;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use arrow_json::ReaderBuilder;
use arrow_json::reader::Decoder;
use object_store::path::Path;
use object_store::{ObjectStore, PutMode, PutPayload};
use serde::Serialize;
use serde_json::json;

use super::Fault;
use super::leftovers::{Held, Leftovers};
use super::upload::Upload;
use crate::Error;
use crate::format::delta::action::{Add, Metadata, Protocol, Remove, Transaction, Vector};
use crate::format::delta::{Rest, State, checkpoint_key, folder};
use crate::store::Source;

/// Rows that are in memory at once, and the bytes of a group of them that is complete.
const BATCH_ROWS: usize = 1024;
const GROUP_BYTES_MAX: usize = 8 << 20;

/// The name in a log of the object that says where readers may begin.
const LAST: &str = "_last_checkpoint";

type Map = BTreeMap<String, Option<String>>;

/// One action. What is not there is null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Row<'a> {
    Protocol(&'a Protocol),
    MetaData(&'a Metadata),
    Txn(&'a Transaction),
    Add(Added<'a>),
    Remove(Removed<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Added<'a> {
    path: &'a str,
    partition_values: &'a Map,
    size: u64,
    modification_time: i64,
    data_change: bool,
    stats: Option<&'a str>,
    tags: Option<&'a Map>,
    deletion_vector: Option<&'a Vector>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Removed<'a> {
    path: &'a str,
    deletion_timestamp: Option<i64>,
    data_change: bool,
    extended_file_metadata: Option<bool>,
    partition_values: Option<&'a Map>,
    size: Option<u64>,
    deletion_vector: Option<&'a Vector>,
}

impl<'a> Row<'a> {
    fn add(add: &'a Add) -> Self {
        Self::Add(Added {
            path: &add.path,
            partition_values: &add.partition_values,
            size: add.size,
            modification_time: add.modification_time,
            // No row changes with a checkpoint.
            data_change: false,
            stats: add.stats.as_deref(),
            tags: add.tags.as_ref(),
            deletion_vector: add.deletion_vector.as_ref(),
        })
    }

    fn remove(remove: &'a Remove) -> Self {
        Self::Remove(Removed {
            path: &remove.path,
            deletion_timestamp: remove.deletion_timestamp,
            data_change: false,
            extended_file_metadata: remove.extended_file_metadata,
            partition_values: remove.partition_values.as_ref(),
            size: remove.size,
            deletion_vector: remove.deletion_vector.as_ref(),
        })
    }
}

fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn structure(fields: Vec<Field>) -> DataType {
    DataType::Struct(Fields::from(fields))
}

fn map() -> DataType {
    let pair = structure(vec![required("key", DataType::Utf8), optional("value", DataType::Utf8)]);
    DataType::Map(Arc::new(required("key_value", pair)), false)
}

fn texts() -> DataType {
    DataType::List(Arc::new(optional("element", DataType::Utf8)))
}

/// The columns, one for each action.
fn schema() -> Schema {
    use DataType::{Boolean, Int32, Int64, Utf8};
    let vector = structure(vec![
        required("storageType", Utf8),
        required("pathOrInlineDv", Utf8),
        optional("offset", Int32),
        required("sizeInBytes", Int32),
        required("cardinality", Int64),
    ]);
    let format = structure(vec![required("provider", Utf8), optional("options", map())]);
    Schema::new(vec![
        optional(
            "txn",
            structure(vec![required("appId", Utf8), required("version", Int64), optional("lastUpdated", Int64)]),
        ),
        optional(
            "add",
            structure(vec![
                required("path", Utf8),
                required("partitionValues", map()),
                required("size", Int64),
                required("modificationTime", Int64),
                required("dataChange", Boolean),
                optional("stats", Utf8),
                optional("tags", map()),
                optional("deletionVector", vector.clone()),
            ]),
        ),
        optional(
            "remove",
            structure(vec![
                required("path", Utf8),
                optional("deletionTimestamp", Int64),
                required("dataChange", Boolean),
                optional("extendedFileMetadata", Boolean),
                optional("partitionValues", map()),
                optional("size", Int64),
                optional("deletionVector", vector),
            ]),
        ),
        optional(
            "metaData",
            structure(vec![
                required("id", Utf8),
                optional("name", Utf8),
                optional("description", Utf8),
                required("format", format),
                required("schemaString", Utf8),
                required("partitionColumns", texts()),
                required("configuration", map()),
                optional("createdTime", Int64),
            ]),
        ),
        optional(
            "protocol",
            structure(vec![
                required("minReaderVersion", Int32),
                required("minWriterVersion", Int32),
                optional("readerFeatures", texts()),
                optional("writerFeatures", texts()),
            ]),
        ),
    ])
}

/// Writes the checkpoint of a state, unless there is one, and then where it is; gives their keys. Tombstones from before `since` (in
/// milliseconds) have expired.
pub(super) async fn write(
    (source, leftovers): (&Arc<Source>, &Arc<Leftovers>),
    folder: &str,
    (state, rest): (&State, &Rest),
    since: i64,
) -> Result<Vec<Path>, Error> {
    let path = Path::from(checkpoint_key(folder, state.version));
    let tombstones = || {
        let is_kept = |remove: &&Remove| remove.deletion_timestamp.unwrap_or_default() >= since;
        // A file that came again is in the table.
        rest.tombstones
            .iter()
            .filter(|(key, _)| !state.files.contains_key(key))
            .map(|(_, remove)| remove)
            .filter(is_kept)
    };
    let rows = [Row::Protocol(&state.protocol), Row::MetaData(&state.metadata)]
        .into_iter()
        .chain(rest.transactions.values().map(Row::Txn))
        .chain(state.files.values().map(|add| Row::add(add)))
        .chain(tombstones().map(Row::remove));
    let mut upload = Upload::new(path.clone());
    let size = match all(rows, &mut upload, source).await {
        Ok(size) => size,
        Err(error) => {
            upload.abort(&Held::new(source, leftovers));
            return Err(error);
        }
    };
    let bytes = upload.bytes();
    match upload.finish(source, PutMode::Create).await {
        // Another has written the same.
        Ok(()) | Err(object_store::Error::AlreadyExists { .. }) => {}
        Err(error) => return Err(Fault::store(error)),
    }
    let told = json!({
        "version": state.version, "size": size, "sizeInBytes": bytes, "numOfAddFiles": state.files.len(),
    });
    let last = Path::from(format!("{}/{LAST}", folder::log(folder)));
    let payload = PutPayload::from(told.to_string());
    source.store.put_opts(&last, payload, PutMode::Overwrite.into()).await.map_err(Fault::store)?;
    Ok(vec![path, last])
}

/// Writes rows, and tells how many they are.
async fn all<'a>(
    mut rows: impl Iterator<Item = Row<'a>>,
    upload: &mut Upload,
    source: &Source,
) -> Result<usize, Error> {
    let schema = Arc::new(schema());
    let mut decoder = decoder(&schema).map_err(damaged)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("Lakegate ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options).map_err(failed)?;
    let mut size = 0;
    loop {
        let batch: Vec<Row<'_>> = rows.by_ref().take(BATCH_ROWS).collect();
        if batch.is_empty() {
            break;
        }
        size += batch.len();
        decoder.serialize(&batch).map_err(damaged)?;
        if let Some(batch) = decoder.flush().map_err(damaged)? {
            writer.write(&batch).map_err(failed)?;
        }
        if writer.in_progress_size() > GROUP_BYTES_MAX {
            writer.flush().map_err(failed)?;
        }
        upload.take(writer.inner_mut());
        upload.send(source).await?;
        tokio::task::yield_now().await;
    }
    writer.finish().map_err(failed)?;
    upload.take(writer.inner_mut());
    Ok(size)
}

fn decoder(schema: &Arc<Schema>) -> Result<Decoder, ArrowError> {
    ReaderBuilder::new(Arc::clone(schema)).with_batch_size(BATCH_ROWS).build_decoder()
}

fn damaged(error: ArrowError) -> Error {
    Fault::Rows { table: String::new(), reason: error.to_string() }.into()
}

fn failed(error: ParquetError) -> Error {
    Fault::Rows { table: String::new(), reason: error.to_string() }.into()
}
