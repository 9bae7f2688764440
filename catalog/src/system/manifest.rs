//! What the snapshot's manifest tells of a table, as the relations show it.

use std::collections::HashMap;

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;

use crate::format::delta::Delta;
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
    /// If its table is open and its format tells.
    pub(crate) rows: Option<i64>,
}

pub(crate) fn kind(table: &Table) -> &'static str {
    match table.kind {
        _ if table.matview.is_some() => "materialized view",
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

/// The files of a table; a view has none.
pub(crate) fn files(table: &Table) -> Vec<&DataFile> {
    lake(table).map(LakeTable::files).unwrap_or_default()
}

/// The objects of a table; a view has none.
pub(crate) fn objects(table: &Table) -> Vec<Object<'_>> {
    let Some(lake) = lake(table) else { return Vec::new() };
    let counts = counts(lake);
    let objects = lake.files().into_iter().map(|file| Object {
        source: lake.root(),
        key: file.path.as_ref(),
        bytes: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        etag: file.etag.as_deref(),
        modified_at: file.modified_at,
        partitions: partitions(lake.partitions(), file),
        rows: counts.get(file.path.as_ref()).copied(),
    });
    objects.collect()
}

/// The rows of a table, if it is open and all of its files tell theirs; those of skipped files are not among them.
pub(crate) fn rows(table: &Table) -> Option<i64> {
    let opened = lake(table)?.opened()?;
    let is_whole = opened.delta.as_deref().is_none_or(Delta::is_whole);
    let files = is_whole.then(|| opened.rows())?;
    files.into_iter().try_fold(0_i64, |sum, rows| sum.checked_add_unsigned(rows?))
}

/// The newest moment in the rows of a table, in microseconds, and the column that has it: the first of those with instants, or
/// else with timestamps or with days, of which the files tell it.
pub(crate) fn newest_event(table: &Table) -> Option<(String, i64)> {
    let opened = lake(table)?.opened()?;
    let known = opened.known();
    let total = known.bounds.all();
    let columns = opened.schema.fields().iter().filter_map(|field| {
        let known = total.column(field.name())?;
        let rank = match field.data_type() {
            DataType::Timestamp(_, Some(_)) => 0,
            DataType::Timestamp(_, None) => 1,
            DataType::Date32 => 2,
            _ => return None,
        };
        let Precision::Exact(newest) = &known.max_value else { return None };
        match newest.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))) {
            Ok(ScalarValue::TimestampMicrosecond(Some(micros), _)) => Some((rank, field.name(), micros)),
            Ok(_) | Err(_) => None,
        }
    });
    columns.min_by_key(|(rank, ..)| *rank).map(|(_, name, micros)| (name.clone(), micros))
}

/// The bytes of a table's files.
pub(crate) fn bytes(table: &Table) -> i64 {
    files(table).iter().fold(0, |sum, file| sum.saturating_add_unsigned(file.bytes))
}

fn lake(table: &Table) -> Option<&LakeTable> {
    match &table.kind {
        Kind::Lake(lake) => Some(lake),
        Kind::View(_) => None,
    }
}

/// The rows of the files that are read, as far as they tell them.
fn counts(lake: &LakeTable) -> HashMap<&str, i64> {
    let Some(opened) = lake.opened() else { return HashMap::new() };
    let files = opened.content.files().zip(opened.rows());
    files.filter_map(|(file, rows)| Some((file.key(), i64::try_from(rows?).unwrap_or(i64::MAX)))).collect()
}

fn partitions(columns: &[FieldRef], file: &DataFile) -> Option<String> {
    let folders = columns.iter().zip(&file.partitions);
    let folders: Vec<String> = folders.map(|(column, value)| format!("{}={value}", column.name())).collect();
    (!folders.is_empty()).then(|| folders.join("/"))
}
