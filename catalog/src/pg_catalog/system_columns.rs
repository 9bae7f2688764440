//! The columns that every table has and `*` does not show: `tableoid`, `xmin`, `ctid` and the rest.
//!
//! Owns: their names, types and values. Must never know: which statement asks.
//! <https://www.postgresql.org/docs/16/ddl-system-columns.html>
//!
//! A transaction here is a change of the lake: what the lake has was made by the snapshot that shows it, and the server's
//! own rows were there at its start. So `age(xmin)` tells a client what is new to it since it last looked.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryBuilder, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::Result;

use super::columns;
use super::view::View;
use crate::snapshot::Snapshot;

/// The names and types of the columns, by their numbers from -1 down.
pub const SYSTEM_COLUMNS: [(&str, &str); 6] =
    [("ctid", "tid"), ("xmin", "xid"), ("cmin", "cid"), ("xmax", "xid"), ("cmax", "cid"), ("tableoid", "oid")];

/// The first transaction that is no special one.
const FIRST_NORMAL: u32 = 3;
/// The transaction that made the server's own rows.
pub(crate) const BOOTSTRAP: u32 = 1;

/// What all rows of a table share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableIdentity {
    pub tableoid: u32,
    pub xmin: u32,
}

/// What the system columns of a table of the lake show.
pub fn identity(view: &View, schema: &str, name: &str) -> Option<TableIdentity> {
    let directory = view.directory();
    let tableoid = directory.named(schema, name)?.oid;
    Some(TableIdentity { tableoid, xmin: transaction(&view.snapshot) })
}

/// Whether a relation of the server's own schemas has system columns: views have none.
pub fn has_system_columns(schema: &str, name: &str) -> bool {
    columns::find(schema, name).is_some_and(|relation| relation.kind == "r")
}

/// The transaction that a statement would be if it changed anything.
pub fn current_transaction(view: &View) -> u32 {
    transaction(&view.snapshot).saturating_add(1)
}

/// The transaction that made what a snapshot shows.
pub(crate) fn transaction(snapshot: &Snapshot) -> u32 {
    FIRST_NORMAL.saturating_add(u32::try_from(snapshot.version).unwrap_or(u32::MAX - FIRST_NORMAL))
}

/// The columns of a relation and behind them the system columns.
pub(crate) fn appended(columns: &SchemaRef) -> SchemaRef {
    let system = SYSTEM_COLUMNS.iter().map(|(name, of)| Arc::new(columns::field(name, of)));
    Arc::new(Schema::new(columns.fields().iter().cloned().chain(system).collect::<Vec<Arc<Field>>>()))
}

/// The rows with their system columns behind them, as `columns` has them.
pub(crate) fn append(rows: &RecordBatch, columns: &SchemaRef, identity: TableIdentity) -> Result<RecordBatch> {
    let count = rows.num_rows();
    let constant = |value: u32| -> ArrayRef { Arc::new(UInt32Array::from_value(value, count)) };
    let mut ctid = FixedSizeBinaryBuilder::with_capacity(count, 6);
    for row in 0..count {
        ctid.append_value(tid(row))?;
    }
    let system: [ArrayRef; 6] = [
        Arc::new(ctid.finish()),
        constant(identity.xmin),
        constant(0),
        constant(0),
        constant(0),
        constant(identity.tableoid),
    ];
    let arrays = rows.columns().iter().cloned().chain(system).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(Arc::clone(columns), arrays, &options)?)
}

/// Rows to a page; PostgreSQL's pages hold no more.
const PAGE_ROWS: usize = 226;

/// The place of the row with this number: its page, and its number on it from 1.
fn tid(row: usize) -> [u8; 6] {
    let page = u32::try_from(row / PAGE_ROWS).unwrap_or(u32::MAX).to_be_bytes();
    let item = u16::try_from(row % PAGE_ROWS + 1).unwrap_or(u16::MAX).to_be_bytes();
    [page[0], page[1], page[2], page[3], item[0], item[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_page_by_page() {
        assert_eq!(tid(0), [0, 0, 0, 0, 0, 1]);
        assert_eq!(tid(225), [0, 0, 0, 0, 0, 226]);
        assert_eq!(tid(226), [0, 0, 0, 1, 0, 1]);
    }
}
