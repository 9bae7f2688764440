//! The plan node that makes a relation's rows when they are first asked for.
//!
//! Owns: projection, and the conditions that arrive while the plan runs (a hash join tells its probe side which keys
//! it can use), so that `pg_class JOIN pg_attribute` opens only the tables that are asked for.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::reassign_expr_columns;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::columns;
use super::relation::{Relation, Wanted};
use super::system_columns::{self, BOOTSTRAP, TableIdentity};
use super::view::View;
use super::visible;

#[derive(Debug, Clone)]
pub(crate) struct Scan {
    relation: &'static dyn Relation,
    view: Arc<View>,
    columns: SchemaRef,
    projection: Option<Vec<usize>>,
    wanted: Wanted,
    properties: Arc<PlanProperties>,
}

impl Scan {
    pub(crate) fn new(
        relation: &'static dyn Relation,
        view: Arc<View>,
        columns: SchemaRef,
        projection: Option<&Vec<usize>>,
    ) -> Result<Self> {
        let projected = match projection {
            Some(projection) => Arc::new(columns.project(projection)?),
            None => Arc::clone(&columns),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(projected),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (projection, wanted) = (projection.cloned(), Wanted::default());
        Ok(Self { relation, view, columns, projection, wanted, properties: Arc::new(properties) })
    }

    /// Adds conditions on the relation's keys, over all its columns.
    pub(crate) fn with_conditions(mut self, conditions: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        for condition in conditions {
            if !self.wanted.conditions.contains(&condition) {
                self.wanted.conditions.push(condition);
            }
        }
        self
    }

    /// A condition over the projected columns as one over all columns, if it needs the keys alone.
    fn on_keys(&self, condition: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
        let keys = self.relation.keys();
        let mut only = !keys.is_empty();
        let walked = condition.apply(|expr| {
            if let Some(column) = expr.downcast_ref::<Column>() {
                only &= keys.contains(&column.name());
            }
            Ok(TreeNodeRecursion::Continue)
        });
        if walked.is_err() || !only {
            return None;
        }
        reassign_expr_columns(Arc::clone(condition), &self.columns).ok()
    }
}

impl DisplayAs for Scan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CatalogScan: {}.{}", self.relation.schema(), self.relation.name())?;
        for condition in &self.wanted.conditions {
            write!(f, ", {condition}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for Scan {
    fn name(&self) -> &str {
        "CatalogScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for condition in &self.wanted.conditions {
            if f(condition)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a catalog has one partition, not {partition}");
        }
        let Self { relation, view, columns, projection, wanted, .. } = self.clone();
        let batch_rows = context.session_config().batch_size().max(1);
        let rows = async move {
            let rows = visible::rows(&view, relation, relation.rows(&view, &wanted).await?)?;
            let rows = match rows.num_columns() < columns.fields().len() {
                // What a relation does not tell itself, all its rows share.
                true => system_columns::append(&rows, &columns, own_identity(&view, relation))?,
                false => rows,
            };
            let rows = match &projection {
                Some(projection) => rows.project(projection)?,
                None => rows,
            };
            Ok::<_, datafusion::common::DataFusionError>(stream::iter(pieces(rows, batch_rows)).map(Ok))
        };
        let rows = stream::once(rows).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn handle_child_pushdown_result(
        &self,
        _phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let conditions: Vec<_> =
            result.parent_filters.iter().filter_map(|filter| self.on_keys(&filter.filter)).collect();
        // The rows may hold more than the conditions ask for, so who asked keeps its own check.
        let answer =
            FilterPushdownPropagation::with_parent_pushdown_result(vec![PushedDown::No; result.parent_filters.len()]);
        if conditions.is_empty() {
            return Ok(answer);
        }
        Ok(answer.with_updated_node(Arc::new(self.clone().with_conditions(conditions))))
    }
}

fn own_identity(view: &View, relation: &dyn Relation) -> TableIdentity {
    let tableoid = columns::find(relation.schema(), relation.name()).map_or(0, |relation| relation.oid);
    let xmin = if relation.is_of_lake() { system_columns::transaction(&view.snapshot) } else { BOOTSTRAP };
    TableIdentity { tableoid, xmin }
}

fn pieces(rows: RecordBatch, batch_rows: usize) -> Vec<RecordBatch> {
    let starts = (0..rows.num_rows()).step_by(batch_rows);
    starts.map(|start| rows.slice(start, batch_rows.min(rows.num_rows() - start))).collect()
}
