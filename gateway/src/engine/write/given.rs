//! Rows that a client sends in columns, as a relation of one statement.
//!
//! Owns: that they are taken as they are needed, and once; and the types under which they are seen, which are those of a file
//! with these columns. Must never know: how they travel.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use catalog::Adapted;
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use parking_lot::Mutex;

use crate::error::{Error, Result, SqlState};

/// As many as PostgreSQL's tables have.
const COLUMNS_MAX: usize = 1_600;

type Rows = BoxStream<'static, Result<RecordBatch>>;

pub struct Given {
    adapted: Adapted,
    rows: Mutex<Option<Rows>>,
}

impl Given {
    /// `columns` are those of every batch. The rows end only where the client has said that they are all.
    pub fn new(columns: SchemaRef, rows: Rows) -> Result<Self> {
        let mut names = HashSet::new();
        if columns.fields().is_empty() {
            return Err(Error::unsupported("rows without columns are not supported"));
        }
        if columns.fields().len() > COLUMNS_MAX {
            let message = format!("tables can have at most {COLUMNS_MAX} columns");
            return Err(Error::new(SqlState::TooManyColumns, message));
        }
        for field in columns.fields() {
            if field.name().is_empty() {
                return Err(Error::new(SqlState::SyntaxError, "a column has no name"));
            }
            if !names.insert(field.name()) {
                let message = format!("column \"{}\" specified more than once", field.name());
                return Err(Error::new(SqlState::DuplicateColumn, message));
            }
        }
        Ok(Self { adapted: Adapted::shown(columns)?, rows: Mutex::new(Some(rows)) })
    }

    /// Takes what no statement has taken, and forgets it.
    pub(super) async fn drain(&self) -> Result<()> {
        let rows = self.rows.lock().take();
        let Some(mut rows) = rows else { return Ok(()) };
        while let Some(batch) = rows.next().await {
            batch?;
        }
        Ok(())
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("columns", self.adapted.schema()).finish_non_exhaustive()
    }
}

impl PartitionStream for Given {
    fn schema(&self) -> &SchemaRef {
        self.adapted.schema()
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let external = |error: Error| DataFusionError::External(Box::new(error));
        let adapted = self.adapted.clone();
        let again = || stream::iter([Err(Error::internal("rows of a client were asked for twice"))]).boxed();
        let rows = self.rows.lock().take().unwrap_or_else(again);
        let rows = rows.map(move |batch| adapted.of(&batch.map_err(external)?));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.schema()), rows))
    }
}
