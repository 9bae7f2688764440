//! The name of a shadow: everything that the rows of a file depend on.
//!
//! Owns: that another version of a file, another definition, other types or another build have another name. Pure.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::FILE_BYTES_MIN;
use crate::format::Content;
use crate::format::csv::{Layout, Plan};
use crate::pinned::Pinned;
use crate::remembered::RULES;

/// The name of the rows of one version of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u128);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Id {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = u128::from_str_radix(text, 16).ok().map(Self)?;
        (id.to_string() == text).then_some(id)
    }
}

/// The files of a table of text, in their order; nothing of other formats.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// The names of their rows; `None` where a version cannot be told.
    pub(crate) ids: Vec<Option<Id>>,
    /// Their columns, by name. Those that only other files have are NULL in all of their rows, and need no room.
    pub(crate) columns: Vec<SchemaRef>,
}

/// Names the files of a table with these columns of files and of folders.
pub(crate) fn named(content: &Content, schema: &SchemaRef, partitions: &[FieldRef]) -> Named {
    match content {
        Content::Csv { plan, files, .. } => {
            let mut layouts: HashMap<*const Layout, (SchemaRef, Name)> = HashMap::new();
            let named = files.iter().map(|(file, layout)| {
                let new = || {
                    let columns = by_name(plan.columns_of(layout, schema));
                    let name = csv(plan, layout, &columns);
                    (columns, name)
                };
                let (columns, name) = layouts.entry(Arc::as_ptr(layout)).or_insert_with(new);
                (name.of(file, partitions), Arc::clone(columns))
            });
            let (ids, columns) = named.unzip();
            Named { ids, columns }
        }
        Content::Json { encoding, files } => {
            let columns = by_name(schema.fields().iter());
            let mut name = Name::new("json");
            name.add(encoding.name());
            columns.fields().iter().for_each(|field| name.field(field));
            let ids = files.iter().map(|file| name.of(file, partitions)).collect();
            Named { ids, columns: vec![columns; files.len()] }
        }
        Content::Blocks { .. } | Content::Parquet { .. } => Named::default(),
    }
}

/// Columns by their names: their order in a table is that of its first file, and changes with it.
fn by_name<'a>(columns: impl Iterator<Item = &'a FieldRef>) -> SchemaRef {
    let mut columns: Vec<FieldRef> = columns.map(Arc::clone).collect();
    columns.sort_by(|a, b| a.name().cmp(b.name()));
    Arc::new(Schema::new(columns))
}

/// Only the columns that files of this layout have: another file may bring more to the table.
fn csv(plan: &Plan, layout: &Layout, columns: &Schema) -> Name {
    let mut name = Name::new("csv");
    name.add(format!("{:?} {layout:?}", plan.options));
    for field in columns.fields() {
        name.field(field);
        name.add(format!("{:?}", plan.way(field.name())));
    }
    name
}

/// What files have in common, taken in twice: 64 bits would be too few for all files of a lake.
#[derive(Clone)]
struct Name([DefaultHasher; 2]);

impl Name {
    fn new(format: &str) -> Self {
        let mut name = Self([DefaultHasher::new(), DefaultHasher::new()]);
        let [_, second] = &mut name.0;
        second.write_u8(1);
        name.add((RULES, format));
        name
    }

    fn add(&mut self, part: impl Hash) {
        self.0.iter_mut().for_each(|hasher| part.hash(hasher));
    }

    fn field(&mut self, field: &Field) {
        let mut metadata: Vec<_> = field.metadata().iter().collect();
        metadata.sort_unstable();
        self.add((field.name(), metadata));
        match field.data_type() {
            DataType::Struct(fields) => {
                self.add(("struct", fields.len()));
                fields.iter().for_each(|field| self.field(field));
            }
            DataType::List(item) => {
                self.add("list");
                self.field(item);
            }
            other => self.add(format!("{other:?}")),
        }
    }

    /// In the shadow that small files share stand the values of their folders, too.
    fn of(&self, file: &Pinned, partitions: &[FieldRef]) -> Option<Id> {
        let etag = file.file.etag.as_ref()?;
        let mut own = self.clone();
        if file.file.bytes < FILE_BYTES_MIN {
            partitions.iter().for_each(|partition| own.field(partition));
            own.add(&file.file.partitions);
        }
        own.add((&file.source().root, file.key(), etag, file.file.bytes));
        let [high, low] = own.0.map(|hasher| u128::from(hasher.finish()));
        Some(Id(high << 64 | low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_shown() {
        for id in [Id(0), Id(u128::MAX), Id(77)] {
            assert_eq!(Id::parse(&id.to_string()), Some(id));
        }
        for text in ["", "77", "+0000000000000000000000000000077", "0000000000000000000000000000007g"] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn types_and_tags_are_in_the_name() {
        let name = |data_type: DataType, tag: Option<&str>| {
            let field = Field::new("a", data_type, true);
            let metadata = tag.map(|tag| ("tag".to_owned(), tag.to_owned())).into_iter().collect();
            let mut name = Name::new("json");
            name.field(&field.with_metadata(metadata));
            name.0.map(|hasher| hasher.finish())
        };
        let list = |of: DataType| DataType::new_list(of, true);
        let names = [
            name(DataType::Int64, None),
            name(DataType::Int64, Some("x")),
            name(DataType::Int32, None),
            name(list(DataType::Int64), None),
            name(list(DataType::Int32), None),
        ];
        for (at, one) in names.iter().enumerate() {
            assert!(names.iter().skip(at + 1).all(|other| other != one && other[0] != one[1]));
        }
        assert_eq!(name(DataType::Int64, Some("x")), names[1]);
    }
}
