//! The FROM list of RETURNING: rows that a statement has joined already, in the place of the join.
//!
//! Must never know: what the statement does with them.

use std::sync::Arc;

use datafusion::common::{Column, DataFusionError, Result};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, TableSource};

use crate::error::Error;

/// The list of a query over rows that have the columns of its FROM list, in their order.
pub(super) fn read(plan: LogicalPlan, rows: &Arc<dyn TableSource>) -> Result<LogicalPlan> {
    let given = rows.schema();
    let LogicalPlan::Projection(list) = plan else { return Err(unsupported()) };
    let wanted = list.input.schema();
    if wanted.fields().len() != given.fields().len() {
        return Err(unsupported());
    }
    let columns = wanted.iter().zip(given.fields()).map(|((qualifier, wanted), given)| {
        let column = Expr::Column(Column::new(Some("joined"), given.name()));
        let column = match wanted.data_type() == given.data_type() {
            true => column,
            false => Expr::Cast(Cast::new_from_field(Box::new(column), Arc::clone(wanted))),
        };
        column.alias_qualified(qualifier.cloned(), wanted.name())
    });
    let columns: Vec<Expr> = columns.collect();
    let input = LogicalPlanBuilder::scan("joined", Arc::clone(rows), None)?.project(columns)?.build()?;
    Ok(LogicalPlan::Projection(Projection::try_new(list.expr, Arc::new(input))?))
}

fn unsupported() -> DataFusionError {
    let error = Error::unsupported("RETURNING of this form is not supported for rows of several relations");
    DataFusionError::External(Box::new(error))
}
