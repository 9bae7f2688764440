//! Conditions that may fail while the decoder asks them of rows. It makes a text of their errors; here those are kept.
//!
//! Owns: that a statement ends with the error of its condition, as over every other format. Must never know: which conditions
//! may fail.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use parking_lot::Mutex;

/// The first error of the conditions of a scan: the one of all its streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<Arc<DataFusionError>>>>);

impl Failure {
    /// The same condition, whose error is kept.
    pub(super) fn of(&self, condition: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
        Arc::new(Condition { inner: condition, failure: self.clone() })
    }

    /// The error of the condition that failed; `other` if none has.
    pub(super) fn or(&self, other: DataFusionError) -> DataFusionError {
        self.0.lock().as_ref().map_or(other, |kept| DataFusionError::Shared(Arc::clone(kept)))
    }

    fn keep(&self, error: DataFusionError) -> DataFusionError {
        let mut first = self.0.lock();
        DataFusionError::Shared(Arc::clone(first.get_or_insert_with(|| Arc::new(error))))
    }
}

/// A condition that may fail.
#[derive(Debug)]
struct Condition {
    inner: Arc<dyn PhysicalExpr>,
    failure: Failure,
}

impl PhysicalExpr for Condition {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.inner.evaluate(batch).map_err(|error| self.failure.keep(error))
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let inner = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.inner));
        Ok(self.failure.of(inner))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Condition {}

impl Hash for Condition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}
