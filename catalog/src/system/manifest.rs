//! What the snapshot's manifest tells of a table, as the relations show it.

use arrow::datatypes::FieldRef;
use chrono::{DateTime, Utc};

use crate::manifest::DataFile;
use crate::snapshot::{Kind, LakeTable, Table};

/// An object of a table.
pub(crate) struct Object<'a> {
    pub(crate) source: &'a str,
    pub(crate) key: &'a str,
    pub(crate) bytes: i64,
    pub(crate) etag: Option<&'a str>,
    pub(crate) modified_at: DateTime<Utc>,
    /// `year=2020/month=1`, if the table has partitions.
    pub(crate) partitions: Option<String>,
}

pub(crate) fn kind(table: &Table) -> &'static str {
    match table.kind {
        Kind::Lake(_) => "table",
        Kind::View(_) => "view",
    }
}

/// The format of a table's files; a view has none.
pub(crate) fn format(table: &Table) -> Option<&'static str> {
    lake(table).map(LakeTable::format)
}

/// When the source of a table was last listed as a whole; a view has none.
pub(crate) fn listed_at(table: &Table) -> Option<DateTime<Utc>> {
    lake(table).and_then(LakeTable::listed_at)
}

/// The objects of a table; a view has none.
pub(crate) fn objects(table: &Table) -> Vec<Object<'_>> {
    let Some(lake) = lake(table) else { return Vec::new() };
    let objects = lake.files().into_iter().map(|file| Object {
        source: lake.root(),
        key: file.path.as_ref(),
        bytes: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        etag: file.etag.as_deref(),
        modified_at: file.modified_at,
        partitions: partitions(lake.partitions(), file),
    });
    objects.collect()
}

/// The bytes of a table's files.
pub(crate) fn bytes(table: &Table) -> i64 {
    objects(table).iter().fold(0, |sum, object| sum.saturating_add(object.bytes))
}

fn lake(table: &Table) -> Option<&LakeTable> {
    match &table.kind {
        Kind::Lake(lake) => Some(lake),
        Kind::View(_) => None,
    }
}

fn partitions(columns: &[FieldRef], file: &DataFile) -> Option<String> {
    let folders = columns.iter().zip(&file.partitions);
    let folders: Vec<String> = folders.map(|(column, value)| format!("{}={value}", column.name())).collect();
    (!folders.is_empty()).then(|| folders.join("/"))
}
