//! Instants of files in the session's time zone.
//!
//! Files keep instants in UTC. PostgreSQL's `date_trunc`, `extract` and casts to dates follow the session's zone, and
//! Arrow's kernels follow the zone of the column's type: so a session in another zone sees columns of that type.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use chrono_tz::Tz;
use datafusion::catalog::view::ViewTable;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableSource, cast};

use crate::error::Result;
use crate::session::Session;

/// The source with its instants in the session's zone. In UTC it is the source itself.
pub(super) fn localized(source: Arc<dyn TableSource>, session: &Session) -> Result<Arc<dyn TableSource>> {
    let zone = session.vars().display().time_zone;
    let schema = source.schema();
    if zone == Tz::UTC || !schema.fields().iter().any(|field| is_instant(field)) {
        return Ok(source);
    }
    let column = |field: &Arc<Field>| {
        let column = Expr::Column(Column::new_unqualified(field.name()));
        match field.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                cast(column, DataType::Timestamp(*unit, Some(zone.name().into()))).alias(field.name())
            }
            _ => column,
        }
    };
    let columns: Vec<Expr> = schema.fields().iter().map(column).collect();
    let plan = LogicalPlanBuilder::scan("source", source, None)?.project(columns)?.build()?;
    Ok(provider_as_source(Arc::new(ViewTable::new(plan, None))))
}

fn is_instant(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Timestamp(_, Some(_)))
}
