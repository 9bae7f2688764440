//! The columns of a table, as the metadata of its log declares them.
//!
//! Owns: which type of PostgreSQL's a type of Delta's is, and where files name columns otherwise. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use ::parquet::arrow::RowNumber;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use serde::Deserialize;
use serde_json::Value;
use udfs::pg_type;

use super::action::Metadata;
use crate::format::normal::normal;
use crate::format::parquet::names::{Column, Columns, Inner, Names};

const MODE: &str = "delta.columnMapping.mode";
const PHYSICAL_NAME: &str = "delta.columnMapping.physicalName";
const ID: &str = "delta.columnMapping.id";

/// Which type of PostgreSQL's a text is, of the columns that SQL has declared so. Other engines read the text.
pub(crate) const TEXT_TYPE: &str = "lakegate.type";

/// The types whose values are kept as texts in their one form.
const TEXT_TYPES: [&str; 3] = ["uuid", "json", "jsonb"];

/// The column that tells a row's file.
pub const FILE_NUMBER: &str = "lakegate:file";

/// The column that tells a row's place in its file.
pub const ROW_NUMBER: &str = "lakegate:row";

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columned {
    /// In their order; each with its name in the log's own values.
    pub(super) columns: Vec<(Field, String)>,
    /// Places in `columns`.
    pub(super) partitions: Vec<usize>,
    /// The places of those that writers must not leave NULL.
    pub(super) required: Vec<usize>,
    pub(super) names: Option<Arc<Names>>,
    /// The column that the decoder counts, if rows are numbered. It stands behind all others.
    pub(super) row_number: Option<FieldRef>,
}

impl Columned {
    /// Adds two columns behind all others: the place of each row's file in the state of the table, and its own in that.
    pub(super) fn number_rows(&mut self) {
        let row_number = Field::new(ROW_NUMBER, DataType::Int64, false).with_extension_type(RowNumber);
        self.row_number = Some(Arc::new(row_number));
        self.partitions.push(self.columns.len());
        self.columns.push((Field::new(FILE_NUMBER, DataType::Int64, false), FILE_NUMBER.to_owned()));
    }

    /// The columns that are in files.
    pub(super) fn of_files(&self) -> impl Iterator<Item = &(Field, String)> {
        let all = self.columns.iter().enumerate();
        all.filter(|(place, _)| !self.partitions.contains(place)).map(|(_, column)| column)
    }
}

/// Why a schema cannot be used.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    Damaged(String),
    Unsupported(String),
}

#[derive(Deserialize)]
struct Struct {
    fields: Vec<StructField>,
}

#[derive(Deserialize)]
struct StructField {
    name: String,
    #[serde(rename = "type")]
    data_type: Value,
    #[serde(default = "yes")]
    nullable: bool,
    #[serde(default)]
    metadata: HashMap<String, Value>,
}

/// Whether values of a type, by the tag of its fields, are kept as their texts.
pub(crate) fn is_text_type(tag: &str) -> bool {
    TEXT_TYPES.contains(&tag)
}

/// A column of a file as its table shows it, with the type that is declared of its texts.
fn shown(raw: &Field, metadata: &HashMap<String, Value>) -> Field {
    let field = normal(raw);
    let tag = metadata.get(TEXT_TYPE).and_then(Value::as_str).filter(|tag| is_text_type(tag));
    match (tag, field.data_type()) {
        (Some(tag), DataType::Utf8View) => pg_type::tagged(field.name(), DataType::Utf8View, tag),
        _ => field,
    }
}

fn yes() -> bool {
    true
}

/// A column as a writer must know it.
#[derive(Debug)]
pub(crate) struct Declared {
    /// As its table shows it.
    pub(crate) field: Field,
    /// As files have it.
    pub(crate) file_type: DataType,
    pub(crate) nullable: bool,
    pub(crate) is_partition: bool,
    pub(crate) metadata: HashMap<String, Value>,
}

/// The columns that a log declares, in their order.
pub(crate) fn declared(metadata: &Metadata) -> Result<Vec<Declared>, Fault> {
    let root: Struct = serde_json::from_str(&metadata.schema_string).map_err(|error| damaged(&error.to_string()))?;
    let column = |field: StructField| {
        let (file_type, _) = typed(&field.data_type, Mode::None)?;
        let is_partition = metadata.partition_columns.contains(&field.name);
        let raw = Field::new(&field.name, file_type.clone(), true);
        let StructField { nullable, metadata, .. } = field;
        Ok(Declared { field: shown(&raw, &metadata), file_type, nullable, is_partition, metadata })
    };
    root.fields.into_iter().map(column).collect()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    None,
    Name,
    Id,
}

pub(super) fn parse(metadata: &Metadata) -> Result<Columned, Fault> {
    if let Some(format) = metadata.format.as_ref().filter(|format| !format.provider.eq_ignore_ascii_case("parquet")) {
        return Err(Fault::Unsupported(format!("files of format \"{}\"", format.provider)));
    }
    let mode = match metadata.property(MODE) {
        None | Some("none") => Mode::None,
        Some("name") => Mode::Name,
        Some("id") => Mode::Id,
        Some(other) => return Err(Fault::Unsupported(format!("column mapping mode \"{other}\""))),
    };
    let root: Struct = serde_json::from_str(&metadata.schema_string).map_err(|error| damaged(&error.to_string()))?;
    let mut columns: Vec<(Field, String)> = Vec::with_capacity(root.fields.len());
    for field in &root.fields {
        if columns.iter().any(|(known, _)| known.name() == &field.name) {
            return Err(damaged(&format!("column \"{}\" occurs more than once", field.name)));
        }
        let (data_type, _) = typed(&field.data_type, mode)?;
        let raw = Field::new(&field.name, data_type, true);
        columns.push((shown(&raw, &field.metadata), physical(field, mode)?.to_owned()));
    }
    let place = |name: &String| {
        let place = columns.iter().position(|(field, _)| field.name() == name);
        place.ok_or_else(|| damaged(&format!("partition column \"{name}\" is no column")))
    };
    let partitions = metadata.partition_columns.iter().map(place).collect::<Result<_, _>>()?;
    let required =
        root.fields.iter().enumerate().filter(|(_, field)| !field.nullable).map(|(place, _)| place).collect();
    let names = match mode {
        Mode::None => None,
        _ => Some(Arc::new(Names { label: label(metadata), columns: renamed(&root.fields, mode)? })),
    };
    Ok(Columned { columns, partitions, required, names, row_number: None })
}

/// The same for the same names.
fn label(metadata: &Metadata) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    metadata.schema_string.hash(&mut hasher);
    metadata.configuration.get(MODE).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn damaged(reason: &str) -> Fault {
    Fault::Damaged(format!("the schema is damaged: {reason}"))
}

fn physical(field: &StructField, mode: Mode) -> Result<&str, Fault> {
    match mode {
        Mode::None => Ok(&field.name),
        Mode::Name | Mode::Id => {
            let name = field.metadata.get(PHYSICAL_NAME).and_then(Value::as_str);
            name.ok_or_else(|| damaged(&format!("column \"{}\" has no physical name", field.name)))
        }
    }
}

/// Where the fields are in files.
fn renamed(fields: &[StructField], mode: Mode) -> Result<Columns, Fault> {
    let (mut by_name, mut by_id) = (HashMap::new(), HashMap::new());
    for field in fields {
        let (_, inner) = typed(&field.data_type, mode)?;
        let column = Column { name: field.name.clone(), inner };
        if mode == Mode::Id {
            let id = field.metadata.get(ID).and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok());
            by_id.insert(id.ok_or_else(|| damaged(&format!("column \"{}\" has no id", field.name)))?, column);
        } else {
            by_name.insert(physical(field, mode)?.to_owned(), column);
        }
    }
    Ok(if mode == Mode::Id { Columns::ById(by_id) } else { Columns::ByName(by_name) })
}

/// The type that a file's column is read as, and the names within.
fn typed(data_type: &Value, mode: Mode) -> Result<(DataType, Inner), Fault> {
    let part = |name: &str| data_type.get(name).ok_or_else(|| damaged(&format!("a type has no {name}")));
    match (data_type, data_type.get("type").and_then(Value::as_str)) {
        (Value::String(name), _) => Ok((primitive(name)?, Inner::None)),
        (_, Some("struct")) => {
            let inner = Struct::deserialize(data_type).map_err(|error| damaged(&error.to_string()))?;
            let field = |field: &StructField| Ok(Field::new(&field.name, typed(&field.data_type, mode)?.0, true));
            let fields: Fields = inner.fields.iter().map(field).collect::<Result<_, Fault>>()?;
            let names = if mode == Mode::None { Inner::None } else { Inner::Struct(renamed(&inner.fields, mode)?) };
            Ok((DataType::Struct(fields), names))
        }
        (_, Some("array")) => {
            let (item, inner) = typed(part("elementType")?, mode)?;
            let item = Field::new(Field::LIST_FIELD_DEFAULT_NAME, item, true);
            Ok((DataType::List(Arc::new(item)), Inner::List(Box::new(inner))))
        }
        (_, Some("map")) => {
            let ((key, keys), (value, values)) = (typed(part("keyType")?, mode)?, typed(part("valueType")?, mode)?);
            let pair = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
            let entries = Field::new("key_value", DataType::Struct(pair), false);
            Ok((DataType::Map(Arc::new(entries), false), Inner::Map(Box::new(keys), Box::new(values))))
        }
        _ => Err(damaged("a type is neither a name nor a struct, an array or a map")),
    }
}

fn primitive(name: &str) -> Result<DataType, Fault> {
    Ok(match name {
        "string" => DataType::Utf8,
        "long" => DataType::Int64,
        "integer" => DataType::Int32,
        "short" => DataType::Int16,
        "byte" => DataType::Int8,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "decimal" => DataType::Decimal128(10, 0),
        _ => match decimal(name) {
            Some(decimal) => decimal,
            None => return Err(Fault::Unsupported(format!("type \"{name}\""))),
        },
    })
}

/// `decimal(precision,scale)`.
fn decimal(name: &str) -> Option<DataType> {
    let (precision, scale) = name.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale): (u8, i8) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    let is_valid = (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
    is_valid.then_some(DataType::Decimal128(precision, scale))
}
