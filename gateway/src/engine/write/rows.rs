//! From the rows of a query to those of a table.
//!
//! Owns: where each column of the table comes from, and which rows are written. Must never know: files.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast, cast_with_options, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use catalog::Writer;
use tokio_util::task::AbortOnDropHandle;

use super::returning::Kept;
use crate::engine::row_security::Checks;
use crate::engine::{CpuPool, QueryStream};
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

    /// The same behind a column of marks.
    pub(super) fn marked(columns: &[catalog::Column]) -> Self {
        Self::new(columns, (1..=columns.len()).map(Some).collect())
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
    cpu: &CpuPool,
    stream: QueryStream,
    shape: Shape,
    writer: Writer,
) -> Result<Writer> {
    let sorting = Sorting { shape, is_marked: false, checks: Checks::default(), kept: None };
    Ok(sort(cpu, stream, sorting, writer).await?.writer)
}

/// What a query says of a row, in its first column.
pub(super) mod mark {
    /// It stays as it is.
    pub(in crate::engine::write) const STAYS: i64 = 0;
    /// It is written anew.
    pub(in crate::engine::write) const CHANGED: i64 = 1;
    pub(in crate::engine::write) const GONE: i64 = 2;
    /// It is changed a second time, which only MERGE tells.
    pub(in crate::engine::write) const AGAIN: i64 = 3;
}

/// What is done with the rows of a query.
pub(super) struct Sorting {
    pub shape: Shape,
    /// Whether its first column has the marks of rows; without them all are new.
    pub is_marked: bool,
    /// Whose answers are behind its columns.
    pub checks: Checks,
    /// Takes what the statement has changed.
    pub kept: Option<Kept>,
}

pub(super) struct Sorted {
    pub writer: Writer,
    /// Rows that are new, changed or gone.
    pub changed: u64,
    pub kept: Option<Kept>,
}

/// Writes the rows that the table has then, on the CPU pool.
pub(super) async fn sort(
    cpu: &CpuPool,
    mut stream: QueryStream,
    mut sorting: Sorting,
    mut writer: Writer,
) -> Result<Sorted> {
    let work = async move {
        let mut changed = 0;
        while let Some(batch) = stream.next().await {
            let batch = sorting.checks.pass(batch?)?;
            let rows = sorting.shape.of(&batch)?;
            let (stored, touched) = match sorting.is_marked {
                true => {
                    let marks = Marks::of(&batch)?;
                    changed += marks.touched.true_count() as u64;
                    (filter_record_batch(&rows, &marks.stored)?, Some(marks.touched))
                }
                false => {
                    changed += rows.num_rows() as u64;
                    (rows.clone(), None)
                }
            };
            if stored.num_rows() > 0 {
                writer.write(&stored).await?;
            }
            if let Some(kept) = &mut sorting.kept {
                kept.push(&rows, &batch, touched.as_ref())?;
            }
        }
        Ok(Sorted { writer, changed, kept: sorting.kept })
    };
    AbortOnDropHandle::new(cpu.spawn(work)?).await.map_err(Error::internal)?
}

/// Which rows of a batch the table has then, and which are changed or gone.
struct Marks {
    stored: BooleanArray,
    touched: BooleanArray,
}

impl Marks {
    fn of(batch: &RecordBatch) -> Result<Self> {
        let marks = batch.columns().first().ok_or_else(|| Error::internal("rows without marks"))?;
        let marks = cast(marks, &DataType::Int64)?;
        let marks: &Int64Array =
            marks.as_primitive_opt::<Int64Type>().ok_or_else(|| Error::internal("a mark is no number"))?;
        if marks.iter().flatten().any(|mark| mark == mark::AGAIN) {
            let message = "MERGE command cannot affect row a second time";
            return Err(Error::new(SqlState::CardinalityViolation, message)
                .hint("Ensure that not more than one source row matches any one target row."));
        }
        let all = |is: &dyn Fn(i64) -> bool| marks.iter().map(|mark| Some(is(mark.unwrap_or(mark::STAYS)))).collect();
        let (stored, touched) = (all(&|mark| mark != mark::GONE), all(&|mark| mark != mark::STAYS));
        Ok(Self { stored, touched })
    }
}
