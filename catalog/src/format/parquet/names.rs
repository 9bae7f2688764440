//! Columns of files whose names are not those of their table.
//!
//! Owns: the footer of a file with the table's names in it, so that nothing behind it sees others. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::basic::Repetition;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder, RowGroupMetaData};
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor, Type, TypePtr};

/// Before the name of a column that is no longer in the table, so that it is none of its columns.
const DROPPED: char = '\u{1}';

/// How columns of a table are found in its files.
#[derive(Debug)]
pub(crate) struct Names {
    /// Tells these names from all others.
    pub(crate) label: String,
    pub(crate) columns: Columns,
}

/// The columns of a table or the fields of a struct, by what they are in files.
#[derive(Debug)]
pub(crate) enum Columns {
    ByName(HashMap<String, Column>),
    ById(HashMap<i32, Column>),
}

#[derive(Debug)]
pub(crate) struct Column {
    /// As the table names it.
    pub(crate) name: String,
    pub(crate) inner: Inner,
}

/// What of a column has names.
#[derive(Debug)]
pub(crate) enum Inner {
    None,
    Struct(Columns),
    List(Box<Inner>),
    Map(Box<Inner>, Box<Inner>),
}

impl Names {
    /// The footer as the table names its columns.
    pub(super) fn rename(&self, footer: &ParquetMetaData) -> Result<ParquetMetaData> {
        let file = footer.file_metadata();
        let root = file.schema_descr().root_schema();
        let fields = self.columns.rename(root)?;
        let root = Type::group_type_builder(root.name()).with_fields(fields).build()?;
        let schema: SchemaDescPtr = Arc::new(SchemaDescriptor::new(Arc::new(root)));
        let is_kept = |pair: &&KeyValue| pair.key != ARROW_SCHEMA_META_KEY;
        let file = FileMetaData::new(
            file.version(),
            file.num_rows(),
            file.created_by().map(str::to_owned),
            file.key_value_metadata().map(|pairs| pairs.iter().filter(is_kept).cloned().collect()),
            Arc::clone(&schema),
            file.column_orders().cloned(),
        );
        let groups = footer.row_groups().iter().map(|group| renamed(group, &schema)).collect::<Result<_>>()?;
        Ok(ParquetMetaDataBuilder::new(file).set_row_groups(groups).build())
    }
}

fn renamed(group: &RowGroupMetaData, schema: &SchemaDescPtr) -> Result<RowGroupMetaData> {
    let mut builder = RowGroupMetaData::builder(Arc::clone(schema))
        .set_num_rows(group.num_rows())
        .set_sorting_columns(group.sorting_columns().cloned())
        .set_total_byte_size(group.total_byte_size())
        .set_column_metadata(group.columns().to_vec());
    if let Some(offset) = group.file_offset() {
        builder = builder.set_file_offset(offset);
    }
    if let Some(ordinal) = group.ordinal() {
        builder = builder.set_ordinal(ordinal);
    }
    builder.build()
}

impl Columns {
    fn of(&self, described: &Type) -> Option<&Column> {
        let info = described.get_basic_info();
        match self {
            Self::ByName(columns) => columns.get(described.name()),
            Self::ById(columns) => columns.get(&info.has_id().then(|| info.id())?),
        }
    }

    /// The fields of a group.
    fn rename(&self, group: &Type) -> Result<Vec<TypePtr>> {
        let fields = group.get_fields().iter().map(|field| match self.of(field) {
            Some(column) => named(field, &column.name, column.inner.fields(field)?),
            None => named(field, &format!("{DROPPED}{}", field.name()), fields(field)),
        });
        fields.collect()
    }
}

impl Inner {
    /// The fields of a column.
    fn fields(&self, described: &Type) -> Result<Vec<TypePtr>> {
        match (self, described.is_primitive()) {
            (_, true) => Ok(Vec::new()),
            (Self::None, _) => Ok(fields(described)),
            (Self::Struct(columns), _) => columns.rename(described),
            (Self::List(item), _) => {
                let [repeated] = described.get_fields() else { return Err(unlike("a list")) };
                let element = match fields(repeated).as_slice() {
                    // The element in a group, or the group is the element.
                    [element] if repeated.name() != "array" && !repeated.name().ends_with("_tuple") => {
                        vec![named(element, element.name(), item.fields(element)?)?]
                    }
                    _ => item.fields(repeated)?,
                };
                Ok(vec![named(repeated, repeated.name(), element)?])
            }
            (Self::Map(key, value), _) => {
                let [entries] = described.get_fields() else { return Err(unlike("a map")) };
                let pair = fields(entries);
                let pair = pair
                    .iter()
                    .zip([key, value])
                    .map(|(field, inner)| named(field, field.name(), inner.fields(field)?));
                Ok(vec![named(entries, entries.name(), pair.collect::<Result<_>>()?)?])
            }
        }
    }
}

fn fields(described: &Type) -> Vec<TypePtr> {
    if described.is_primitive() { Vec::new() } else { described.get_fields().to_vec() }
}

fn unlike(what: &str) -> ParquetError {
    ParquetError::General(format!("a column is not stored as {what}"))
}

/// The same type with another name and other fields.
fn named(described: &Type, name: &str, fields: Vec<TypePtr>) -> Result<TypePtr> {
    let info = described.get_basic_info();
    let repetition = if info.has_repetition() { info.repetition() } else { Repetition::OPTIONAL };
    let id = info.has_id().then(|| info.id());
    let logical = info.logical_type_ref().cloned();
    let built = match described {
        Type::PrimitiveType { physical_type, type_length, scale, precision, .. } => {
            Type::primitive_type_builder(name, *physical_type)
                .with_repetition(repetition)
                .with_converted_type(info.converted_type())
                .with_logical_type(logical)
                .with_length(*type_length)
                .with_precision(*precision)
                .with_scale(*scale)
                .with_id(id)
                .build()?
        }
        Type::GroupType { .. } => Type::group_type_builder(name)
            .with_repetition(repetition)
            .with_converted_type(info.converted_type())
            .with_logical_type(logical)
            .with_fields(fields)
            .with_id(id)
            .build()?,
    };
    Ok(Arc::new(built))
}
