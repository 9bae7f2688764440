//! What a relation of the catalogs is: a name, its columns in `columns.tsv`, and a way to make rows.
//!
//! Owns: the trait and the choice of which objects a statement needs. Must never know: how a plan is made.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::common::{Result, exec_err};
use datafusion::physical_plan::PhysicalExpr;

use super::columns;
use super::view::View;

/// A relation with rows. One that is not implemented exists too, and is empty.
#[async_trait]
pub(crate) trait Relation: std::fmt::Debug + Send + Sync {
    /// Its schema.
    fn schema(&self) -> &'static str {
        "pg_catalog"
    }

    fn name(&self) -> &'static str;

    /// The columns that tell which objects a row is about; conditions on them reach [`Relation::rows`].
    fn keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether its rows tell of the lake, so that they are new whenever that changes.
    fn is_of_lake(&self) -> bool {
        false
    }

    /// Whether its rows tell of rows, values or files of tables, and not only of what is declared of them.
    fn tells_values(&self) -> bool {
        true
    }

    /// All rows, or at least those that `wanted` lets through.
    async fn rows(&self, view: &Arc<View>, wanted: &Wanted) -> Result<RecordBatch>;

    /// Its columns.
    fn columns(&self) -> Result<SchemaRef> {
        match columns::find(self.schema(), self.name()) {
            Some(relation) => Ok(Arc::clone(&relation.arrow)),
            None => exec_err!("relation {}.{} has no list of columns", self.schema(), self.name()),
        }
    }
}

/// The conditions of a statement on a relation's keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) conditions: Vec<Arc<dyn PhysicalExpr>>,
}

impl Wanted {
    /// Which of the candidates (rows of the relation whose keys are set) may be in the result.
    ///
    /// A condition that cannot be evaluated lets everything through: the filter above the scan reports it.
    pub(crate) fn of(&self, candidates: &RecordBatch) -> Vec<bool> {
        let mut wanted = vec![true; candidates.num_rows()];
        for condition in &self.conditions {
            let value = condition.evaluate(candidates).and_then(|value| value.into_array(candidates.num_rows()));
            let Ok(array) = value else { continue };
            let Some(passed) = array.as_any().downcast_ref::<BooleanArray>() else { continue };
            for (wanted, passed) in wanted.iter_mut().zip(passed) {
                *wanted &= passed.unwrap_or(false);
            }
        }
        wanted
    }
}
