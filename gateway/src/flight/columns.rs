//! Result columns as Arrow clients get them.
//!
//! Owns: which types go as they are, decided once per column. What Arrow cannot tell from a number (`money`, `timetz`,
//! `regclass` and its kin) goes as the text that PostgreSQL shows, and so does what the client does not know. Every field names its PostgreSQL type. Must never know: how batches are framed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit, UInt32Type};
use arrow_flight::{FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket};
use arrow_ipc::writer::IpcWriteOptions;
use bytes::Bytes;
use catalog::pg_catalog::Registry;
use ring::digest;
use udfs::pg_type;
use udfs::settings::Output;

use super::form::Types;
use crate::error::{Error, Result, SqlState};

/// The Flight SQL key of a column's type name.
const TYPE_NAME_KEY: &str = "ARROW:FLIGHT:SQL:TYPE_NAME";

/// How the columns of one result go out.
pub(super) struct Columns {
    schema: SchemaRef,
    ways: Vec<Way>,
}

enum Way {
    AsItIs,
    Cast,
    /// As PostgreSQL's output function shows it.
    Text(FieldRef),
    /// The name of what an OID means, of this type.
    Name(String),
}

/// What texts need of the session and the statement.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) output: Arc<dyn Output>,
    pub(super) registry: Option<Arc<Registry>>,
}

impl Columns {
    pub(super) fn of(columns: &Schema, types: Types) -> Self {
        let (fields, ways): (Vec<_>, Vec<_>) = columns.fields().iter().map(|field| column(field, types)).unzip();
        Self { schema: Arc::new(Schema::new(fields)), ways }
    }

    /// As FlightInfo and the stream itself describe them, alike.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Tells these columns from all others, on every replica.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        let mut hash = digest::Context::new(&digest::SHA256);
        for field in self.schema.fields() {
            // In an order, and quoted: nothing of one is taken for a part of another.
            let metadata: BTreeMap<_, _> = field.metadata().iter().collect();
            hash.update(format!("{:?} {:?} {metadata:?};", field.name(), field.data_type()).as_bytes());
        }
        hash.finish().as_ref().to_vec()
    }

    pub(super) fn batch(&self, batch: &RecordBatch, shown: &Shown) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(&self.ways).zip(self.schema.fields());
        let columns = columns.map(|((values, way), field)| way.array(values, field, shown));
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns.collect::<Result<_>>()?, &rows)
            .map_err(Error::internal)
    }
}

/// A schema as messages carry it.
pub(super) fn ipc(schema: &Schema) -> Result<Bytes> {
    let options = IpcWriteOptions::default();
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &options).try_into()?;
    Ok(bytes)
}

/// What a client is told of a result before it fetches it: an endpoint for each ticket.
pub(super) fn info(
    schema: &Schema,
    tickets: impl IntoIterator<Item = Bytes>,
    descriptor: FlightDescriptor,
) -> Result<FlightInfo> {
    let endpoints = tickets.into_iter().map(|ticket| FlightEndpoint::new().with_ticket(Ticket::new(ticket)));
    let info = FlightInfo::new().try_with_schema(schema)?.with_descriptor(descriptor);
    Ok(endpoints.fold(info, FlightInfo::with_endpoint))
}

fn column(field: &FieldRef, types: Types) -> (FieldRef, Way) {
    let tag = pg_type::tag(field);
    let (data_type, way) = match tag {
        Some(tag) if tag.starts_with("reg") && *field.data_type() == DataType::UInt32 => {
            (DataType::Utf8, Way::Name(tag.to_owned()))
        }
        Some("money" | "timetz" | "_money" | "_timetz" | "bit" | "varbit") => {
            (DataType::Utf8, Way::Text(Arc::clone(field)))
        }
        // The encoder tells its field otherwise than we did.
        _ if has_union(field.data_type()) => (DataType::Utf8, Way::Text(Arc::clone(field))),
        _ => {
            let known = match types {
                Types::Native => Some(field.data_type().clone()),
                Types::Plain => Some(plain(field.data_type())),
                Types::Basic => basic(field.data_type()),
            };
            match known {
                None => (DataType::Utf8, Way::Text(Arc::clone(field))),
                Some(known) if known == *field.data_type() => (known, Way::AsItIs),
                Some(known) => (known, Way::Cast),
            }
        }
    };
    let mut metadata = field.metadata().clone();
    metadata.insert(TYPE_NAME_KEY.to_owned(), catalog::pg_catalog::pg_type_of(field).name.to_owned());
    (Arc::new(Field::new(field.name(), data_type, true).with_metadata(metadata)), way)
}

/// The type without views, dictionaries and offsets of 64 bits, at any depth.
fn plain(data_type: &DataType) -> DataType {
    let inner = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(plain(field.data_type())));
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, values) => plain(values),
        DataType::List(field)
        | DataType::ListView(field)
        | DataType::LargeList(field)
        | DataType::LargeListView(field) => DataType::List(inner(field)),
        DataType::FixedSizeList(field, length) => DataType::FixedSizeList(inner(field), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        other => other.clone(),
    }
}

/// Whether there is a union in it, at any depth.
fn has_union(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) => true,
        DataType::Dictionary(_, values) => has_union(values),
        DataType::List(field)
        | DataType::ListView(field)
        | DataType::LargeList(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => has_union(field.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_union(field.data_type())),
        _ => false,
    }
}

/// The type for a client that knows few; `None` is a text.
fn basic(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            DataType::Float64
        }
        DataType::Float16 => DataType::Float32,
        // In seconds every date is within its range.
        DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Second, None),
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::Dictionary(_, values) => basic(values)?,
        DataType::Boolean | DataType::Utf8 | DataType::Timestamp(..) => data_type.clone(),
        number if number.is_integer() || number.is_floating() => number.clone(),
        _ => return None,
    })
}

impl Way {
    fn array(&self, values: &ArrayRef, field: &Field, shown: &Shown) -> Result<ArrayRef> {
        match self {
            // The digits of a numeric may be known better than when it was described.
            Way::AsItIs if values.data_type() == field.data_type() => Ok(Arc::clone(values)),
            Way::AsItIs | Way::Cast => cast(values, field.data_type()),
            Way::Text(of) => Ok(shown.output.texts(values, of)?),
            Way::Name(of) => Ok(names(values, of, shown.registry.as_deref())),
        }
    }
}

fn cast(values: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(values, to, &options).map_err(|error| {
        Error::new(SqlState::NumericValueOutOfRange, "a value does not fit the column that was described")
            .caused_by(error)
    })
}

fn names(values: &ArrayRef, of: &str, registry: Option<&Registry>) -> ArrayRef {
    let mut known: HashMap<u32, String> = HashMap::new();
    let oids = values.as_primitive_opt::<UInt32Type>().into_iter().flatten();
    let names = oids.map(|oid| {
        oid.map(|oid| {
            let name = || registry.and_then(|registry| registry.text(of, oid)).unwrap_or_else(|| oid.to_string());
            known.entry(oid).or_insert_with(name).clone()
        })
    });
    Arc::new(names.collect::<StringArray>())
}
