//! A relation of the catalogs as a table of DataFusion.
//!
//! Owns: which conditions go down to the relation. Must never know: what the rows mean.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::relation::Relation;
use super::scan::Scan;
use super::view::View;

/// A relation as one statement sees it.
#[derive(Debug)]
pub(crate) struct Provider {
    relation: &'static dyn Relation,
    view: Arc<View>,
    columns: SchemaRef,
}

impl Provider {
    pub(crate) fn new(relation: &'static dyn Relation, view: Arc<View>, columns: SchemaRef) -> Self {
        Self { relation, view, columns }
    }
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let keys = self.relation.keys();
        Ok(filters
            .iter()
            .map(|filter| match only_keys(filter, keys) {
                true => TableProviderFilterPushDown::Inexact,
                false => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = DFSchema::try_from(Arc::clone(&self.columns))?;
        let mut conditions = Vec::new();
        for filter in filters.iter().filter(|filter| only_keys(filter, self.relation.keys())) {
            // What cannot be planned here stays in the filter above.
            conditions.extend(state.create_physical_expr(without_qualifiers(filter)?, &columns));
        }
        let scan = Scan::new(self.relation, Arc::clone(&self.view), Arc::clone(&self.columns), projection)?;
        Ok(Arc::new(scan.with_conditions(conditions)))
    }
}

/// Whether a condition can be decided from the keys alone.
fn only_keys(filter: &Expr, keys: &[&str]) -> bool {
    let mut only = !keys.is_empty();
    let walked = filter.apply(|expr| {
        only &= match expr {
            Expr::Column(column) => keys.contains(&column.name.as_str()),
            Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::OuterReferenceColumn(..)
            | Expr::Placeholder(_) => false,
            _ => true,
        };
        Ok(if only { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && only && !filter.column_refs().is_empty() && !filter.is_volatile()
}

fn without_qualifiers(filter: &Expr) -> Result<Expr> {
    let plain = filter.clone().transform(|expr| {
        Ok(match expr {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(plain.data)
}
