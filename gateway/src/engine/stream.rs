//! Rows on their way out. Cancel, deadline, limits, metrics and the query log live in here: no protocol can forget them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tokio::sync::mpsc;

use crate::error::Result;

/// The only form in which rows leave the engine. Dropping it stops the work behind it.
pub struct QueryStream {
    schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch>>,
}

impl QueryStream {
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next batch; `None` after the last. Ends with 57014 when the statement is cancelled or late.
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        self.batches.recv().await
    }
}
