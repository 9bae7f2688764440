//! Which values the folders of a table have together, and how many rows lie below them.
//!
//! Owns: that folders without rows are not among them. It is made once for a table, when it is first asked for.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::row::{RowConverter, SortField};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Result;

/// The column that holds the number of rows of each tuple.
pub(crate) const ROWS: &str = "rows of the folders";

/// One row for each tuple of values.
#[derive(Debug, Default)]
pub(crate) struct Tuples(OnceLock<Option<Arc<dyn TableProvider>>>);

impl Tuples {
    /// The tuples in their order; `None` if a file does not tell its rows.
    pub(crate) fn get(
        &self,
        columns: impl FnOnce() -> Vec<(FieldRef, ArrayRef)>,
        rows: Option<&UInt64Array>,
    ) -> Option<&Arc<dyn TableProvider>> {
        let known =
            || made(columns(), rows?).inspect_err(|error| tracing::warn!(%error, "folders have no tuples")).ok();
        self.0.get_or_init(known).as_ref()
    }
}

fn made(columns: Vec<(FieldRef, ArrayRef)>, rows: &UInt64Array) -> Result<Arc<dyn TableProvider>> {
    let (mut fields, arrays): (Vec<FieldRef>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let converter = RowConverter::new(fields.iter().map(|field| SortField::new(field.data_type().clone())).collect())?;
    let tuples = converter.convert_columns(&arrays)?;
    let mut counts: HashMap<&[u8], (u64, i64)> = HashMap::new();
    for (at, count) in rows.values().iter().enumerate().filter(|(_, count)| **count > 0) {
        let tuple = counts.entry(tuples.row(at).data()).or_insert((at as u64, 0));
        tuple.1 = tuple.1.saturating_add_unsigned(*count);
    }
    let mut counts: Vec<(&[u8], (u64, i64))> = counts.into_iter().collect();
    counts.sort_unstable();
    let first = UInt64Array::from_iter_values(counts.iter().map(|(_, (at, _))| *at));
    let mut taken = arrays.iter().map(|array| take(array, &first, None)).collect::<Result<Vec<_>, _>>()?;
    taken.push(Arc::new(Int64Array::from_iter_values(counts.iter().map(|(_, (_, count))| *count))));
    fields.push(Arc::new(Field::new(ROWS, DataType::Int64, false)));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), taken)?;
    Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
}
