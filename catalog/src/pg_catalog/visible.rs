//! Which rows of `system` a role sees: those of relations that it may read.
//!
//! Owns: that keys, values and errors of a table are told to nobody who may not read it. Must never know: which relation asks.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use datafusion::common::Result;

use super::relation::Relation;
use super::view::View;
use crate::system;

/// The rows of a relation that its reader may see.
pub(super) fn rows(view: &View, relation: &dyn Relation, rows: RecordBatch) -> Result<RecordBatch> {
    let access = view.access();
    if relation.schema() != system::SCHEMA || access.is_free(&view.user) {
        return Ok(rows);
    }
    let text = |name: &str| rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let (schemas, names) = (text("schema"), text("table").or_else(|| text("name")));
    let sources = text("source_table");
    let may_look = |schema: &str, name: &str| match relation.tells_values() {
        true => access.may_look(&view.user, schema, name),
        false => access.may_read(&view.user, schema, name),
    };
    let Some((schemas, names)) = schemas.zip(names) else { return Ok(rows) };
    let is_seen = |row: usize| {
        // A file of no table could be of any.
        let (Some(schema), Some(name)) = (value(schemas, row), value(names, row)) else { return false };
        may_look(schema, name)
            && sources
                .and_then(|sources| value(sources, row))
                .is_none_or(|source| source.split_once('.').is_some_and(|(schema, name)| may_look(schema, name)))
    };
    let seen: BooleanArray = (0..rows.num_rows()).map(|row| Some(is_seen(row))).collect();
    Ok(filter_record_batch(&rows, &seen)?)
}

fn value(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}
