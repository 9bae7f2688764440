//! Which files of a table a query must open.
//!
//! Owns: the difference between filters that decide it alone, by the names of folders, and those that only rule files out by
//! the bounds of their values. Must never do: read.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use crate::format::bounds::Bounds;
use crate::manifest::DataFile;

/// The values of the folders' names, one row for each file.
#[derive(Debug)]
pub(crate) struct Partitions {
    pub(crate) fields: Vec<FieldRef>,
    rows: RecordBatch,
}

impl Partitions {
    pub(crate) fn new(fields: &[FieldRef], files: &[&DataFile]) -> Result<Self> {
        let columns = fields.iter().enumerate().map(|(place, field)| {
            let null = ScalarValue::try_from(field.data_type())?;
            let values = files.iter().map(|file| file.partitions.get(place).unwrap_or(&null).clone());
            match files {
                [] => Ok(arrow::array::new_empty_array(field.data_type())),
                _ => ScalarValue::iter_to_array(values),
            }
        });
        let options = RecordBatchOptions::new().with_row_count(Some(files.len()));
        let schema = SchemaRef::new(Schema::new(fields.to_vec()));
        let rows = RecordBatch::try_new_with_options(schema, columns.collect::<Result<_>>()?, &options)?;
        Ok(Self { fields: fields.to_vec(), rows })
    }

    pub(crate) fn columns(&self) -> Vec<(FieldRef, ArrayRef)> {
        self.fields.iter().cloned().zip(self.rows.columns().iter().cloned()).collect()
    }

    /// Whether a filter has the same result for all rows of a file, so that it chooses files.
    pub(crate) fn decide(&self, filter: &Expr) -> bool {
        let columns = filter.column_refs();
        let is_partition = |name: &str| self.fields.iter().any(|partition| partition.name() == name);
        !columns.is_empty() && columns.iter().all(|column| is_partition(&column.name)) && is_of_one_row(filter)
    }

    /// The files for which the filters hold that decide.
    fn keep(&self, filters: &[Expr], state: &dyn Session) -> Result<Option<BooleanArray>> {
        let deciding = conjunction(filters.iter().filter(|filter| self.decide(filter)).cloned());
        let Some(filter) = deciding.filter(|_| self.rows.num_rows() > 0) else { return Ok(None) };
        let filter = state.create_physical_expr(filter, &DFSchema::try_from(self.rows.schema())?)?;
        let holds = filter.evaluate(&self.rows)?.into_array(self.rows.num_rows())?;
        Ok(Some(datafusion::common::cast::as_boolean_array(&holds)?.clone()))
    }
}

/// The places of the files that may have rows for which all filters hold.
pub(crate) fn files(
    filters: &[Expr],
    (partitions, bounds): (&Partitions, &Bounds),
    schema: &SchemaRef,
    state: &dyn Session,
) -> Result<Vec<usize>> {
    let kept = partitions.keep(filters, state)?;
    let is_kept = |at: &usize| kept.as_ref().is_none_or(|kept| kept.is_valid(*at) && kept.value(*at));
    let mut files: Vec<usize> = (0..partitions.rows.num_rows()).filter(is_kept).collect();
    // What decides is done with, and one file is asked itself.
    let is_left = |filter: &&Expr| is_of_one_row(filter) && !partitions.decide(filter);
    if files.len() > 1
        && let Some(filter) = conjunction(filters.iter().filter(is_left).cloned())
    {
        let filter = state.create_physical_expr(filter, &DFSchema::try_from(Schema::clone(schema))?)?;
        let predicate = PruningPredicateBuilder::new().with_file_schema(SchemaRef::clone(schema)).try_build(filter)?;
        if !predicate.always_true() {
            let may_have = predicate.prune(bounds)?;
            files.retain(|at| may_have.get(*at).copied().unwrap_or(true));
        }
    }
    Ok(files)
}

/// Whether a filter can be told for a row alone.
pub(crate) fn is_of_one_row(filter: &Expr) -> bool {
    let has_subquery = filter.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::OuterReferenceColumn(..)
        ))
    });
    !filter.is_volatile() && !has_subquery.unwrap_or(true)
}
