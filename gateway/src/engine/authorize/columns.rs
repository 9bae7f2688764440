//! Columns that a statement may not read, of a relation of which it may read others.
//!
//! Owns: that such a column is refused wherever the statement names it, `*` and whole rows included, and never left out in
//! silence. It carries a mark in its field, which goes with it through joins, aliases and queries up to the first expression
//! that uses it. Must never know: who holds what.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::Field;
use catalog::{Held, Privilege, Table};
use datafusion::catalog::view::ViewTable;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError, ExprSchema, Result as PlanResult};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};

use super::denied;
use crate::engine::define::kind;
use crate::error::Result;

/// The key of the mark; its value is what the message names.
const MARK: &str = "lakegate:denied";

/// The source with marks on the columns that are not held.
pub(in crate::engine) fn marked(
    source: Arc<dyn TableSource>,
    table: &Table,
    held: &Held,
) -> Result<Arc<dyn TableSource>> {
    let mark = FieldMetadata::from(BTreeMap::from([(MARK.to_owned(), format!("{} {}", kind(table), table.name))]));
    let columns = source.schema();
    let columns = columns.fields().iter().map(|field| {
        let column = Expr::Column(Column::new_unqualified(field.name()));
        match held.has_on(field.name(), Privilege::Select) {
            true => column,
            false => column.alias_with_metadata(field.name(), Some(mark.clone())),
        }
    });
    let columns: Vec<Expr> = columns.collect();
    let plan = LogicalPlanBuilder::scan("source", source, None)?.project(columns)?.build()?;
    Ok(provider_as_source(Arc::new(ViewTable::new(plan, None))))
}

/// Refuses a plan that uses a marked column.
pub(in crate::engine) fn refuse_marked(plan: &LogicalPlan) -> PlanResult<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                match expr {
                    Expr::Column(column) => {
                        for input in node.inputs() {
                            if let Ok(field) = input.schema().field_from_column(column) {
                                refuse(field)?;
                            }
                        }
                    }
                    Expr::OuterReferenceColumn(field, _) => refuse(field)?,
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn refuse(field: &Field) -> PlanResult<()> {
    match field.metadata().get(MARK) {
        None => Ok(()),
        Some(named) => Err(DataFusionError::External(Box::new(denied(named)))),
    }
}
