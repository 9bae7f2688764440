//! A batch made smaller: some of its columns, their buffers without compression behind each other.
//!
//! Owns: how many nodes and buffers a column has, and that a buffer becomes no larger than it claims. Pure.
//! <https://github.com/apache/arrow/blob/main/format/Message.fbs>

use std::io::Read;

use arrow::buffer::{Buffer, MutableBuffer};
use arrow::datatypes::{DataType, UnionMode};
use arrow_ipc::{CompressionType, FieldNode, MetadataVersion, RecordBatch, RecordBatchArgs};
use bytes::Bytes;
use flatbuffers::FlatBufferBuilder;

/// Arrow's own writers begin every buffer at a multiple of it.
const ALIGNMENT: usize = 64;

/// Before a compressed buffer: its size without compression, or `PLAIN`.
const SIZE_BYTES: usize = 8;
const PLAIN: i64 = -1;

/// What a column has of a batch.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) nodes: Vec<FieldNode>,
    /// Offset and length.
    pub(super) buffers: Vec<(i64, i64)>,
    pub(super) variadic: Vec<i64>,
}

/// Goes through the metadata of a batch, column by column.
pub(super) struct Cursor<'a> {
    nodes: Box<dyn Iterator<Item = FieldNode> + 'a>,
    buffers: Box<dyn Iterator<Item = (i64, i64)> + 'a>,
    variadic: Box<dyn Iterator<Item = i64> + 'a>,
    version: MetadataVersion,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(batch: &RecordBatch<'a>, version: MetadataVersion) -> Self {
        let buffers = batch.buffers().into_iter().flatten();
        Self {
            nodes: Box::new(batch.nodes().into_iter().flatten().copied()),
            buffers: Box::new(buffers.map(|buffer| (buffer.offset(), buffer.length()))),
            variadic: Box::new(batch.variadicBufferCounts().into_iter().flatten()),
            version,
        }
    }

    /// The next column; `None` if the batch does not have all of it.
    pub(super) fn column(&mut self, data_type: &DataType) -> Option<Part> {
        let mut part = Part::default();
        self.take(data_type, &mut part)?;
        Some(part)
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.nodes.next().is_none() && self.buffers.next().is_none() && self.variadic.next().is_none()
    }

    fn take(&mut self, data_type: &DataType, part: &mut Part) -> Option<()> {
        use DataType as D;
        part.nodes.push(self.nodes.next()?);
        let buffers = match data_type {
            D::Null | D::RunEndEncoded(..) => 0,
            D::FixedSizeList(..) | D::Struct(_) => 1,
            D::Utf8 | D::Binary | D::LargeUtf8 | D::LargeBinary | D::ListView(_) | D::LargeListView(_) => 3,
            D::Utf8View | D::BinaryView => {
                let count = self.variadic.next()?;
                part.variadic.push(count);
                u64::try_from(count).ok()?.checked_add(2)?
            }
            // Until the fourth version unions had a bitmap, too.
            D::Union(_, mode) => {
                u64::from(*mode == UnionMode::Dense) + 1 + u64::from(self.version < MetadataVersion::V5)
            }
            _ => 2,
        };
        for _ in 0..buffers {
            part.buffers.push(self.buffers.next()?);
        }
        match data_type {
            D::List(item)
            | D::LargeList(item)
            | D::ListView(item)
            | D::LargeListView(item)
            | D::FixedSizeList(item, _)
            | D::Map(item, _) => self.take(item.data_type(), part),
            D::Struct(fields) => fields.iter().try_for_each(|field| self.take(field.data_type(), part)),
            D::Union(fields, _) => fields.iter().try_for_each(|(_, field)| self.take(field.data_type(), part)),
            D::RunEndEncoded(ends, values) => {
                self.take(ends.data_type(), part)?;
                self.take(values.data_type(), part)
            }
            _ => Some(()),
        }
    }
}

/// The size of each buffer without compression; `None` if one claims what cannot be.
pub(super) fn unpacked_sizes(compression: Option<CompressionType>, buffers: &[Bytes]) -> Option<Vec<u64>> {
    let size = |buffer: &Bytes| match compression {
        Some(_) if !buffer.is_empty() => match i64::from_le_bytes(*buffer.first_chunk::<SIZE_BYTES>()?) {
            PLAIN => Some((buffer.len() - SIZE_BYTES) as u64),
            size => u64::try_from(size).ok(),
        },
        _ => Some(buffer.len() as u64),
    };
    buffers.iter().map(size).collect()
}

/// The body of a batch, and where its buffers are.
pub(super) struct Body {
    pub(super) bytes: Buffer,
    places: Vec<(i64, i64)>,
}

/// Takes the compression off buffers and puts them behind each other; `None` if one has not the size that it claims.
pub(super) fn body(compression: Option<CompressionType>, buffers: &[Bytes], sizes: &[u64]) -> Option<Body> {
    let sizes = sizes.iter().map(|size| usize::try_from(*size).ok()).collect::<Option<Vec<_>>>()?;
    let bytes = sizes.iter().map(|size| size.next_multiple_of(ALIGNMENT)).sum();
    let mut body = MutableBuffer::from_len_zeroed(bytes);
    let (mut places, mut start) = (Vec::with_capacity(buffers.len()), 0);
    for (buffer, size) in buffers.iter().zip(sizes) {
        let room = body.as_slice_mut().get_mut(start..start + size)?;
        match compression {
            Some(compression) if !buffer.is_empty() => {
                let (claim, packed) = buffer.split_first_chunk::<SIZE_BYTES>()?;
                match i64::from_le_bytes(*claim) {
                    PLAIN => room.copy_from_slice(packed),
                    _ => unpack(compression, packed, room)?,
                }
            }
            _ => room.copy_from_slice(buffer),
        }
        places.push((i64::try_from(start).ok()?, i64::try_from(size).ok()?));
        start += size.next_multiple_of(ALIGNMENT);
    }
    Some(Body { bytes: body.into(), places })
}

/// Fills a room exactly.
fn unpack(compression: CompressionType, packed: &[u8], room: &mut [u8]) -> Option<()> {
    fn fill(mut decoder: impl Read, room: &mut [u8]) -> Option<()> {
        decoder.read_exact(room).ok()?;
        (decoder.read(&mut [0]).ok()? == 0).then_some(())
    }
    match compression {
        // A buffer without a byte can have no frame.
        _ if room.is_empty() => Some(()),
        CompressionType::LZ4_FRAME => fill(lz4_flex::frame::FrameDecoder::new(packed), room),
        CompressionType::ZSTD => fill(zstd::Decoder::with_buffer(packed).ok()?, room),
        _ => None,
    }
}

/// The metadata of a batch with this body.
pub(super) fn metadata(rows: i64, nodes: &[FieldNode], body: &Body, variadic: &[i64]) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let buffers: Vec<_> = body.places.iter().map(|(start, bytes)| arrow_ipc::Buffer::new(*start, *bytes)).collect();
    let (nodes, buffers) = (builder.create_vector(nodes), builder.create_vector(&buffers));
    let variadic = builder.create_vector(variadic);
    let args = RecordBatchArgs {
        length: rows,
        nodes: Some(nodes),
        buffers: Some(buffers),
        compression: None,
        variadicBufferCounts: Some(variadic),
    };
    let batch = RecordBatch::create(&mut builder, &args);
    builder.finish(batch, None);
    builder.finished_data().to_vec()
}
