//! A materialized view that is answered by its query, with the columns of its table.
//!
//! Owns: that the rows are those that a refresh would make: planned by a session of its own, in UTC, whatever the session of whoever
//! asks. Must never know: why the rows that are kept are not given.

use std::fmt;
use std::sync::Arc;

use arrow::compute::CastOptions;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use catalog::pg_catalog::pg_type_of;
use catalog::{Column as Kept, Matview, Snapshot, Table};
use datafusion::catalog::{Session as State, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, Result as PlanResult};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::{CastExpr, Column as Place};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use super::look;
use super::stale::Judged;
use crate::engine::interrupt::Stop;
use crate::engine::plan::Planned;
use crate::engine::write::create::of_query;
use crate::engine::{Core, exact, run};
use crate::error::{Error, Result, SqlState};

struct Computed {
    core: Arc<Core>,
    planned: Planned,
    /// As the table would take the rows.
    columns: Vec<Kept>,
    /// As the table shows them.
    schema: SchemaRef,
}

/// What has the rows of a view as they would be now; `depth` is that of the views around it.
pub(in crate::engine) async fn computed(
    core: &Arc<Core>,
    snapshot: &Arc<Snapshot>,
    (table, matview, database): (&Table, &Matview, &str),
    (judged, depth): (&Arc<Judged>, usize),
) -> Result<Arc<dyn TableProvider>> {
    let schema = table.provider().await?.schema();
    let session = look::session(core, database.to_owned())?;
    // What a block has defined, and no newer lake.
    session.transaction().defined = Some(Arc::clone(snapshot));
    let planned = look::planned(core, &session, matview, (Arc::clone(judged), depth)).await?;
    let columns = of_query(&planned, &matview.columns)?;
    let is_alike = columns.len() == schema.fields().len()
        && columns.iter().zip(schema.fields()).all(|(column, kept)| {
            column.name() == kept.name() && pg_type_of(&column.field).sql_name() == pg_type_of(kept).sql_name()
        });
    if !is_alike {
        let message = format!("the query of materialized view \"{}\" has other columns than its table", table.name);
        return Err(Error::new(SqlState::InvalidTableDefinition, message)
            .hint("DROP MATERIALIZED VIEW and create it anew, or cast the columns in its query."));
    }
    Ok(Arc::new(Computed { core: Arc::clone(core), planned, columns, schema }))
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed").field("schema", &self.schema).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for Computed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        let how = |filter: &&Expr| match self.below(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(how).collect())
    }

    async fn scan(
        &self,
        state: &dyn State,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let wanted = projection.unwrap_or(&all);
        // Rows without columns are counted by their first.
        let read: &[usize] = if wanted.is_empty() { &[0] } else { wanted };
        let mut plan = LogicalPlanBuilder::from(self.planned.plan.as_ref().clone());
        for filter in filters.iter().filter_map(|filter| self.below(filter)) {
            plan = plan.filter(filter)?;
        }
        let plan = plan.project(read.iter().map(|at| self.column(*at)))?.build()?;
        let plan = exact::results(plan)?;
        let mut own = self.core.base.run_state(&self.planned.scope.state);
        if let Some(stop) = state.config().get_extension::<Stop>() {
            own.config_mut().set_extension(stop);
        }
        own.mark_start_execution();
        let optimized = own.optimizer().optimize(plan, &own, |_, _| {})?;
        let input =
            run::physical_plan(&optimized, own).await.map_err(|error| DataFusionError::External(Box::new(error)))?;
        self.cast(input, wanted)
    }
}

impl Computed {
    /// A column of the query.
    fn column(&self, at: usize) -> Expr {
        Expr::Column(Column::from(self.planned.plan.schema().qualified_field(at)))
    }

    /// A condition over the columns of the query, where it means the same: conditions with functions are those of the session that
    /// asks, and values that are cast compare otherwise.
    fn below(&self, filter: &Expr) -> Option<Expr> {
        let mut is_plain = true;
        let below = filter.clone().transform_up(|expr| {
            Ok(match expr {
                Expr::Column(column) => match self.schema.index_of(&column.name).ok().filter(|at| self.is_kept(*at)) {
                    Some(at) => Transformed::yes(self.column(at)),
                    None => {
                        is_plain = false;
                        Transformed::new(Expr::Column(column), false, TreeNodeRecursion::Stop)
                    }
                },
                Expr::Literal(..)
                | Expr::BinaryExpr(_)
                | Expr::Between(_)
                | Expr::InList(_)
                | Expr::IsNull(_)
                | Expr::IsNotNull(_)
                | Expr::Not(_) => Transformed::no(expr),
                other => {
                    is_plain = false;
                    Transformed::new(other, false, TreeNodeRecursion::Stop)
                }
            })
        });
        below.ok().map(|below| below.data).filter(|_| is_plain)
    }

    /// Whether a column of the query is already of the type of the table's.
    fn is_kept(&self, at: usize) -> bool {
        let plan = self.planned.plan.schema();
        at < plan.fields().len()
            && at < self.schema.fields().len()
            && plan.field(at).data_type() == self.schema.field(at).data_type()
    }

    /// The columns of the table, from rows of which each is one of `wanted`.
    fn cast(&self, input: Arc<dyn ExecutionPlan>, wanted: &[usize]) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let schema = Arc::new(self.schema.project(wanted)?);
        let given = input.schema();
        let column = |(place, at): (usize, &usize)| {
            let (Some(column), kept) = (self.columns.get(*at), self.schema.field(*at)) else {
                return Err(DataFusionError::Internal("a column of a view is missing".to_owned()));
            };
            let value: Arc<dyn PhysicalExpr> = Arc::new(Place::new(given.field(place).name(), place));
            let value = converted(value, given.field(place).data_type(), column.field.data_type())?;
            let value = converted(value, column.field.data_type(), kept.data_type())?;
            Ok((value, kept.name().clone()))
        };
        let columns: Vec<_> = wanted.iter().enumerate().map(column).collect::<PlanResult<_>>()?;
        Ok(Arc::new(ProjectionExec::try_new_with_schema_metadata(columns, input, &schema)?))
    }
}

/// A value as a table takes it: no digit is lost unseen.
fn converted(value: Arc<dyn PhysicalExpr>, from: &DataType, to: &DataType) -> PlanResult<Arc<dyn PhysicalExpr>> {
    if from == to {
        return Ok(value);
    }
    if let (DataType::Decimal128(_, had) | DataType::Decimal256(_, had), DataType::Decimal128(_, has)) = (from, to)
        && had > has
    {
        return Err(DataFusionError::Internal("digits of a numeric would be lost".to_owned()));
    }
    let options = CastOptions { safe: false, ..Default::default() };
    Ok(Arc::new(CastExpr::new(value, to.clone(), Some(options))))
}
