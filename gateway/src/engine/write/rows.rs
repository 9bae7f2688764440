//! From the rows of a query to those of a table.
//!
//! Owns: where each column of the table comes from. Must never know: files.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use catalog::Writer;
use tokio_util::task::AbortOnDropHandle;

use crate::engine::{Core, QueryStream};
use crate::error::{Error, Result, SqlState};

/// The columns of a table, each from one of a query or from nothing.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Shape {
    schema: SchemaRef,
    /// For each column of the table the place in the query; what has none is NULL.
    places: Vec<Option<usize>>,
}

impl Shape {
    pub(super) fn new(columns: &[catalog::Column], places: Vec<Option<usize>>) -> Self {
        // Whether NULL may be is for the writer to say.
        let nullable = |column: &catalog::Column| Field::new(column.name(), column.field.data_type().clone(), true);
        Self { schema: Arc::new(Schema::new(columns.iter().map(nullable).collect::<Vec<_>>())), places }
    }

    /// Of a query that gives every column, in the table's order.
    pub(in crate::engine) fn whole(columns: &[catalog::Column]) -> Self {
        Self::new(columns, (0..columns.len()).map(Some).collect())
    }

    /// The rows as the table has them.
    pub(super) fn of(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.schema.fields().iter().zip(&self.places).map(|(field, place)| match place {
            None => Ok(new_null_array(field.data_type(), rows.num_rows())),
            Some(place) => match rows.columns().get(*place) {
                Some(values) => converted(values, field.data_type()),
                None => Err(Error::internal("a column of a query that writes is missing")),
            },
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let count = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &count).map_err(Error::internal)
    }
}

/// Values of a column's type that differ in how they lie in memory, or are narrower numbers.
fn converted(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if values.data_type() == data_type {
        return Ok(Arc::clone(values));
    }
    if let (DataType::Decimal128(_, from) | DataType::Decimal256(_, from), DataType::Decimal128(_, to)) =
        (values.data_type(), data_type)
        && from > to
    {
        return Err(Error::internal("digits of a numeric would be lost"));
    }
    let options = CastOptions { safe: false, ..Default::default() };
    cast_with_options(values, data_type, &options).map_err(|error| match (&error, data_type) {
        (ArrowError::CastError(_), DataType::Int16) => out_of_range("smallint"),
        (ArrowError::CastError(_), DataType::Int32) => out_of_range("integer"),
        (ArrowError::CastError(_), DataType::Int64) => out_of_range("bigint"),
        _ => error.into(),
    })
}

fn out_of_range(data_type: &str) -> Error {
    Error::new(SqlState::NumericValueOutOfRange, format!("{data_type} out of range"))
}

/// Writes all rows of a stream, on the CPU pool; gives the writer back.
pub(in crate::engine) async fn write(
    core: &Core,
    mut stream: QueryStream,
    shape: Shape,
    mut writer: Writer,
) -> Result<Writer> {
    let work = async move {
        while let Some(batch) = stream.next().await {
            let rows = shape.of(&batch?)?;
            if rows.num_rows() > 0 {
                writer.write(&rows).await?;
            }
        }
        Ok(writer)
    };
    AbortOnDropHandle::new(core.cpu.spawn(work)?).await.map_err(Error::internal)?
}
