//! The logical types of Parquet that Arrow has no type for: uuid and JSON.
//!
//! Owns: the tags that tell them. Pure. <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use parquet::basic::{ConvertedType, LogicalType};
use parquet::schema::types::Type;
use udfs::pg_type;

/// The schema with tags where the file's own schema says more than Arrow's.
pub(super) fn tagged(schema: &Schema, root: &Type) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        match root.get_fields().iter().find(|described| described.name() == field.name()) {
            Some(described) => of(field, described),
            None => Arc::clone(field),
        }
    });
    Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone())
}

fn of(field: &FieldRef, described: &Type) -> FieldRef {
    if !described.is_primitive() {
        return list(field, described).unwrap_or_else(|| Arc::clone(field));
    }
    let info = described.get_basic_info();
    let tag = match (info.logical_type_ref(), info.converted_type(), field.data_type()) {
        (Some(LogicalType::Uuid), _, DataType::FixedSizeBinary(16)) => "uuid",
        (Some(LogicalType::Json), ..) | (None, ConvertedType::JSON, _) => "json",
        // Parquet's enumerations are texts, which Arrow reads as bytes.
        (Some(LogicalType::Enum), _, DataType::Binary) | (None, ConvertedType::ENUM, DataType::Binary) => {
            return Arc::new(Field::clone(field).with_data_type(DataType::Utf8));
        }
        _ => return Arc::clone(field),
    };
    let mut metadata = field.metadata().clone();
    metadata.insert(pg_type::PG_TYPE_KEY.to_owned(), tag.to_owned());
    Arc::new(Field::clone(field).with_metadata(metadata))
}

/// A list is a group with a repeated group of one element in it.
fn list(field: &FieldRef, described: &Type) -> Option<FieldRef> {
    let (DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)) = field.data_type()
    else {
        return None;
    };
    let [repeated] = described.get_fields() else { return None };
    let element = match repeated.is_primitive() {
        true => repeated,
        false => repeated.get_fields().first()?,
    };
    let item = of(item, element);
    let data_type = match field.data_type() {
        DataType::LargeList(_) => DataType::LargeList(item),
        DataType::FixedSizeList(_, size) => DataType::FixedSizeList(item, *size),
        _ => DataType::List(item),
    };
    Some(Arc::new(Field::clone(field).with_data_type(data_type)))
}
