//! Columns of a table that is written: as SQL declares them, as the log does, and as files have them.
//!
//! Owns: which types a Delta table can hold. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use arrow::error::ArrowError;
use serde_json::{Value, json};
use udfs::pg_type;

use super::Fault;
use crate::Error;
use crate::format::delta::schema::{Declared, TEXT_TYPE, is_text_type};

/// How Spark keeps the length of a text, which readers of the protocol may leave out.
const TEXT_LENGTH: &str = "__CHAR_VARCHAR_TYPE_STRING";

const NUMERIC_HINT: &str = "Give precision and scale, as in numeric(38, 10), or use double precision.";
const TEXT_HINT: &str = "Store it as text.";

/// A column of a table that is written.
#[derive(Debug, Clone)]
pub struct Column {
    /// As the table shows it, nullable or not.
    pub field: Field,
    /// Of `varchar(n)`.
    pub characters_max: Option<u32>,
    /// As files have it.
    pub(super) file_type: DataType,
    pub(super) is_partition: bool,
}

impl Column {
    pub fn name(&self) -> &str {
        self.field.name()
    }

    /// A column of a table that is made. `field` has its name, its type and whether it takes NULL.
    pub fn new(field: &Field, characters_max: Option<u32>) -> Result<Self, Fault> {
        let refused = |hint| Fault::Type { column: field.name().clone(), data_type: pg_type::sql_name(field), hint };
        let mut metadata = HashMap::new();
        match pg_type::tag(field) {
            None | Some("varchar" | "_varchar") => {}
            Some(tag) if is_text_type(tag) => {
                metadata.insert(pg_type::PG_TYPE_KEY.to_owned(), tag.to_owned());
            }
            Some("numeric" | "_numeric") => return Err(refused(NUMERIC_HINT)),
            Some(_) => return Err(refused(TEXT_HINT)),
        }
        let file_type = stored(field.data_type())
            .ok_or_else(|| refused(if field.data_type().is_decimal() { NUMERIC_HINT } else { TEXT_HINT }))?;
        let field = Field::new(field.name(), file_type.clone(), field.is_nullable()).with_metadata(metadata);
        Ok(Self { field, characters_max, file_type, is_partition: false })
    }

    /// A column of any table, for values that are shown in the place of its own.
    pub fn shown(field: Field) -> Self {
        let file_type = field.data_type().clone();
        Self { field, characters_max: None, file_type, is_partition: false }
    }

    /// As the engine makes values of it.
    pub fn given(&self) -> Field {
        let data_type = stored(self.field.data_type()).unwrap_or_else(|| self.field.data_type().clone());
        match self.text_type() {
            Some(tag) => pg_type::tagged(self.name(), data_type, tag),
            None => Field::new(self.name(), data_type, true),
        }
    }

    /// The type of PostgreSQL's, by its tag, whose values the column keeps as their texts.
    pub fn text_type(&self) -> Option<&str> {
        pg_type::tag(&self.field).filter(|tag| is_text_type(tag))
    }

    /// Values of the column as they are stored: blanks beyond the length of a text are cut.
    pub fn stored(&self, values: ArrayRef) -> Result<ArrayRef, Error> {
        let is_text = matches!(values.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let Some(characters_max) = self.characters_max.filter(|_| is_text) else { return Ok(values) };
        let failed = |error: ArrowError| Fault::Rows { table: String::new(), reason: error.to_string() };
        let texts = super::rows::fitted(cast(&values, &DataType::Utf8).map_err(failed)?, characters_max)?;
        Ok(cast(&texts, values.data_type()).map_err(failed)?)
    }

    pub(super) fn of(declared: Declared) -> Self {
        let length = declared
            .metadata
            .get(TEXT_LENGTH)
            .and_then(Value::as_str)
            .and_then(|text| text.strip_prefix("varchar(")?.strip_suffix(')')?.trim().parse().ok());
        Self {
            field: declared.field.with_nullable(declared.nullable),
            characters_max: length,
            file_type: declared.file_type,
            is_partition: declared.is_partition,
        }
    }

    /// As the column of a data file.
    pub(super) fn of_file(&self) -> FieldRef {
        Arc::new(Field::new(self.name(), named_elements(&self.file_type), true))
    }

    /// As the log declares it.
    pub(super) fn declaration(&self) -> Option<Value> {
        let length = self.characters_max.map(|max| (TEXT_LENGTH, format!("varchar({max})")));
        let text_type = self.text_type().map(|tag| (TEXT_TYPE, tag.to_owned()));
        let metadata: HashMap<&str, String> = length.into_iter().chain(text_type).collect();
        let data_type = declared(&self.file_type)?;
        Some(json!({
            "name": self.name(), "type": data_type, "nullable": self.field.is_nullable(), "metadata": metadata,
        }))
    }

    /// Whether local times are in it, which are a feature of the protocol.
    pub(super) fn has_local_times(&self) -> bool {
        fn is_in(data_type: &DataType) -> bool {
            match data_type {
                DataType::Timestamp(_, None) => true,
                DataType::List(item) => is_in(item.data_type()),
                _ => false,
            }
        }
        is_in(&self.file_type)
    }

    /// Whether folders of a table can have its values as their names.
    pub(super) fn can_partition(&self) -> bool {
        matches!(
            self.file_type,
            DataType::Boolean
                | DataType::Int16
                | DataType::Int32
                | DataType::Int64
                | DataType::Utf8
                | DataType::Date32
                | DataType::Decimal128(..)
                | DataType::Timestamp(..)
        )
    }
}

/// The columns of a log with more of them, each unlike those that are there; `None` if a type is none of Delta's.
pub(super) fn with_columns(schema_string: &str, columns: &[Column]) -> Option<String> {
    let mut schema: Value = serde_json::from_str(schema_string).ok()?;
    let fields = schema.get_mut("fields")?.as_array_mut()?;
    for column in columns {
        fields.push(column.declaration()?);
    }
    Some(schema.to_string())
}

/// The type that files have for one of the engine's; `None` if Delta has none.
fn stored(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32 => data_type.clone(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Decimal128(precision, scale) if *scale >= 0 && scale.unsigned_abs() <= *precision => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::List(item) => {
            let item = Field::new(Field::LIST_FIELD_DEFAULT_NAME, stored(item.data_type())?, true);
            DataType::List(Arc::new(item))
        }
        _ => return None,
    })
}

/// The elements of lists by the name that other engines look for.
fn named_elements(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) => DataType::List(Arc::new(Field::new("element", named_elements(item.data_type()), true))),
        other => other.clone(),
    }
}

/// The log's name of a type.
fn declared(data_type: &DataType) -> Option<Value> {
    Some(match data_type {
        DataType::Boolean => json!("boolean"),
        DataType::Int8 => json!("byte"),
        DataType::Int16 => json!("short"),
        DataType::Int32 => json!("integer"),
        DataType::Int64 => json!("long"),
        DataType::Float32 => json!("float"),
        DataType::Float64 => json!("double"),
        DataType::Utf8 => json!("string"),
        DataType::Binary => json!("binary"),
        DataType::Date32 => json!("date"),
        DataType::Timestamp(_, Some(_)) => json!("timestamp"),
        DataType::Timestamp(_, None) => json!("timestamp_ntz"),
        DataType::Decimal128(precision, scale) => json!(format!("decimal({precision},{scale})")),
        DataType::List(item) => {
            json!({"type": "array", "elementType": declared(item.data_type())?, "containsNull": true})
        }
        _ => return None,
    })
}
