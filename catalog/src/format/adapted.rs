//! Columns as they come, brought to the types of a table.
//!
//! Owns: one conversion for every file that tells its columns, and for rows that a client sends in columns: what a type means does
//! not depend on the way that it came. Must never know: whence rows come.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_adapter::PhysicalExprAdapterFactory;

use super::normal::normal;
use super::parquet::Adapters;

/// What makes the columns of a table of others.
#[derive(Debug, Clone)]
pub struct Adapted {
    schema: SchemaRef,
    values: Arc<[Arc<dyn PhysicalExpr>]>,
}

impl Adapted {
    /// `schema` is what is wanted of rows with the columns of `given`: what these do not have is NULL.
    pub(crate) fn new(schema: SchemaRef, given: SchemaRef) -> Result<Self> {
        let adapter = Adapters.create(Arc::clone(&schema), given)?;
        let values = schema.fields().iter().enumerate();
        let values = values.map(|(at, field)| adapter.rewrite(Arc::new(Column::new(field.name(), at))));
        let values = values.collect::<Result<_>>()?;
        Ok(Self { schema, values })
    }

    /// The columns under which a table of files with `given` would show them. No two may have the same name.
    pub fn shown(given: SchemaRef) -> Result<Self> {
        let schema = Schema::new(given.fields().iter().map(|field| normal(field)).collect::<Vec<_>>());
        Self::new(Arc::new(schema), given)
    }

    /// The columns that come of it.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let values = self.values.iter().map(|value| value.evaluate(batch)?.into_array(rows));
        let values = values.collect::<Result<Vec<ArrayRef>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), values, &options)?)
    }
}
