//! What the metadata of a batch claims, as far as some columns need it, and its decoding.
//!
//! Owns: that no claim is believed before it is looked at: places in the body, numbers of rows, unpacked sizes.
//! Must never know: where in a file a batch is.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_ipc::{CompressionType, DictionaryBatch, FieldNode, Message, MetadataVersion};
use bytes::Bytes;
use futures::stream;

use super::compact::{self, Cursor};
use super::{BATCH_BYTES_MAX, ROWS_MAX, damaged};
use crate::Error;
use crate::format::blocks::Part;
use crate::pinned::Pinned;

/// Reads the metadata of a message.
pub(super) fn message<'a>(file: &Pinned, bytes: &'a [u8]) -> Result<Message<'a>, Error> {
    arrow_ipc::root_as_message(bytes).map_err(|_| damaged(file, "a message is no flatbuffer"))
}

/// The columns of a file, and which of them are wanted.
#[derive(Debug)]
pub(super) struct Columns {
    all: Schema,
    /// In their order.
    pub(super) wanted: Vec<usize>,
    schema: SchemaRef,
    /// The types of the values of dictionaries that the wanted columns have.
    dictionaries: HashMap<i64, DataType>,
}

impl Columns {
    pub(super) fn new(file: &Pinned, all: Schema, wanted: Vec<usize>) -> Result<Self, Error> {
        let schema = all.project(&wanted).map_err(|_| damaged(file, "its columns are not those that it began with"))?;
        let mut dictionaries = HashMap::new();
        schema.fields().iter().for_each(|field| find_dictionaries(field, &mut dictionaries));
        Ok(Self { all, wanted, schema: Arc::new(schema), dictionaries })
    }

    pub(super) fn are_all(&self) -> bool {
        self.wanted.len() == self.all.fields().len()
    }

    pub(super) fn have_dictionaries(&self) -> bool {
        !self.dictionaries.is_empty()
    }

    /// A dictionary as a batch of one column; `None` if no wanted column has it.
    pub(super) fn dictionary(
        &self,
        file: &Pinned,
        message: &Message<'_>,
        written: &DictionaryBatch<'_>,
        body_bytes: u64,
    ) -> Result<Option<Batch>, Error> {
        let Some(values) = self.dictionaries.get(&written.id()) else { return Ok(None) };
        let batch = written.data().ok_or_else(|| damaged(file, "a dictionary has no values"))?;
        let schema = Schema::new(vec![Field::new("", values.clone(), true)]);
        let dictionaries = HashMap::new();
        let one = Self { all: schema.clone(), wanted: vec![0], schema: Arc::new(schema), dictionaries };
        Batch::of(file, (&batch, message.version()), &one, body_bytes).map(Some)
    }
}

fn find_dictionaries(field: &Field, found: &mut HashMap<i64, DataType>) {
    if let DataType::Dictionary(_, values) = field.data_type() {
        #[expect(deprecated, reason = "the reader of batches looks dictionaries up by it")]
        found.extend(field.dict_id().map(|id| (id, values.as_ref().clone())));
    }
    inner(field.data_type()).into_iter().for_each(|field| find_dictionaries(field, found));
}

/// The fields in a type.
fn inner(data_type: &DataType) -> Vec<&Field> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => vec![item],
        DataType::Struct(fields) => fields.iter().map(AsRef::as_ref).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.as_ref()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends, values],
        DataType::Dictionary(_, values) => inner(values),
        _ => Vec::new(),
    }
}

/// The dictionaries that were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Dictionaries {
    by_id: HashMap<i64, ArrayRef>,
}

impl Dictionaries {
    /// Adds a dictionary, takes it in place of the one before, or puts it behind that.
    pub(super) fn add(
        &mut self,
        file: &Pinned,
        (id, is_delta): (i64, bool),
        batch: Batch,
        parts: Vec<Bytes>,
    ) -> Result<(), Error> {
        let batch = batch.decode(file, parts, self)?;
        let [values] = batch.columns() else { return Err(damaged(file, "a dictionary has no values")) };
        let values = match self.by_id.get(&id).filter(|_| is_delta) {
            Some(known) => arrow::compute::concat(&[known, values]).map_err(|error| damaged(file, error))?,
            None if is_delta => return Err(damaged(file, "a dictionary goes on that did not begin")),
            None => Arc::clone(values),
        };
        self.by_id.insert(id, values);
        let bytes: usize = self.by_id.values().map(|values| values.get_array_memory_size()).sum();
        if bytes as u64 > BATCH_BYTES_MAX {
            return Err(file.too_large(format!("its dictionaries have more than {BATCH_BYTES_MAX} bytes")));
        }
        Ok(())
    }
}

/// A batch without the columns that are not wanted.
#[derive(Debug)]
pub(super) struct Batch {
    rows: i64,
    schema: SchemaRef,
    version: MetadataVersion,
    compression: Option<CompressionType>,
    nodes: Vec<FieldNode>,
    /// Where the buffers are in the body.
    pub(super) ranges: Vec<Range<u64>>,
    variadic: Vec<i64>,
}

impl Batch {
    pub(super) fn of(
        file: &Pinned,
        (batch, version): (&arrow_ipc::RecordBatch<'_>, MetadataVersion),
        columns: &Columns,
        body_bytes: u64,
    ) -> Result<Self, Error> {
        let rows = batch.length();
        if u64::try_from(rows).ok().is_none_or(|rows| rows > ROWS_MAX) {
            return Err(damaged(file, format!("a batch cannot have {rows} rows")));
        }
        let mut cursor = Cursor::new(batch, version);
        let mut kept = Self {
            rows,
            schema: Arc::clone(&columns.schema),
            version,
            compression: batch.compression().map(|compression| compression.codec()),
            nodes: Vec::new(),
            ranges: Vec::new(),
            variadic: Vec::new(),
        };
        // By places in the file's order: they are few, and mostly in order already.
        let mut parts = Vec::with_capacity(columns.wanted.len());
        for (place, field) in columns.all.fields().iter().enumerate() {
            let part = cursor.column(field.data_type());
            let part = part.ok_or_else(|| damaged(file, "a batch has fewer buffers than its columns need"))?;
            if columns.wanted.contains(&place) {
                parts.push((place, part));
            }
        }
        if !cursor.is_at_end() {
            return Err(damaged(file, "a batch has more buffers than its columns need"));
        }
        for wanted in &columns.wanted {
            let Some((_, part)) = parts.iter().find(|(place, _)| place == wanted) else { continue };
            kept.nodes.extend_from_slice(&part.nodes);
            kept.variadic.extend_from_slice(&part.variadic);
            for (start, length) in &part.buffers {
                let range = || {
                    let (start, length) = (u64::try_from(*start).ok()?, u64::try_from(*length).ok()?);
                    let end = start.checked_add(length)?;
                    (end <= body_bytes).then_some(start..end)
                };
                let range = range().ok_or_else(|| damaged(file, "a batch names a place outside its body"))?;
                kept.ranges.push(range);
            }
        }
        let bytes: u64 = kept.ranges.iter().map(|range| range.end - range.start).sum();
        kept.admit(file, bytes)?;
        Ok(kept)
    }

    fn admit(&self, file: &Pinned, bytes: u64) -> Result<(), Error> {
        if bytes > BATCH_BYTES_MAX {
            return Err(file.too_large(format!("a batch has {bytes} bytes, more than {BATCH_BYTES_MAX}")));
        }
        Ok(())
    }

    /// The batch with the bytes of its ranges, to be decoded.
    pub(super) fn part(self, file: &Arc<Pinned>, parts: Vec<Bytes>, dictionaries: Arc<Dictionaries>) -> Part {
        let sizes = compact::unpacked_sizes(self.compression, &parts).unwrap_or_default();
        let stored = parts.iter().map(|part| part.len() as u64);
        let bytes = stored.chain(sizes).fold(0_u64, u64::saturating_add);
        let (rows, file) = (self.rows.unsigned_abs(), Arc::clone(file));
        Part::new((rows, bytes), stream::once(async move { self.decode(&file, parts, &dictionaries) }))
    }

    /// Decodes the batch from the bytes of its ranges.
    pub(super) fn decode(
        self,
        file: &Pinned,
        parts: Vec<Bytes>,
        dictionaries: &Dictionaries,
    ) -> Result<RecordBatch, Error> {
        if self.nodes.iter().any(|node| node.null_count() < 0 || node.null_count() > node.length()) {
            return Err(damaged(file, "a column claims more NULLs than values"));
        }
        let sizes = compact::unpacked_sizes(self.compression, &parts);
        let sizes = sizes.ok_or_else(|| damaged(file, "a buffer claims a size that cannot be"))?;
        let bytes = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
        self.admit(file, bytes)?;
        // Without a bit for each value there are no more of them than rows: a type without bytes can claim any number.
        let values_max = bytes.saturating_mul(8).saturating_add(self.rows.unsigned_abs());
        if self.nodes.iter().any(|node| u64::try_from(node.length()).ok().is_none_or(|length| length > values_max)) {
            return Err(damaged(file, "a column claims more values than it has bytes"));
        }
        let body = compact::body(self.compression, &parts, &sizes);
        let body = body.ok_or_else(|| damaged(file, "a buffer cannot be decompressed"))?;
        drop(parts);
        let metadata = compact::metadata(self.rows, &self.nodes, &body, &self.variadic);
        let batch = flatbuffers::root::<arrow_ipc::RecordBatch<'_>>(&metadata).map_err(|error| damaged(file, error))?;
        let by_id = &dictionaries.by_id;
        let decoder =
            arrow_ipc::reader::RecordBatchDecoder::try_new(&body.bytes, batch, self.schema, by_id, &self.version);
        decoder.and_then(|decoder| decoder.read_record_batch()).map_err(|error| damaged(file, error))
    }
}
