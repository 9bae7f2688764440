//! `tableoid`, `xmin`, `ctid` and the rest on tables of the lake.
//!
//! Owns: when a statement needs them, and how a table gets them. Must never know: the catalogs' own relations, which
//! bring theirs. A table is wrapped only where a statement names such a column: others pay nothing.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use catalog::pg_catalog::{SYSTEM_COLUMNS, TableIdentity};
use datafusion::catalog::view::ViewTable;
use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableSource, lit};
use sqlparser::ast::{Expr as Sql, Ident, Query, visit_expressions};
use udfs::pg_type;

use crate::session::fold;

/// Whether an identifier is the name of a system column.
pub(super) fn is_system(ident: &Ident) -> bool {
    let name = fold(ident);
    SYSTEM_COLUMNS.iter().any(|(system, _)| *system == name)
}

/// Whether the query names a system column of anything.
pub(super) fn mentioned(query: &Query) -> bool {
    let found = visit_expressions(query, |expr| {
        let last = match expr {
            Sql::Identifier(ident) => Some(ident),
            Sql::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        if last.is_some_and(is_system) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}

/// The names of the columns that a table's own ones do not take.
pub(super) fn names<'a>(own: impl Iterator<Item = &'a String> + Clone) -> Vec<&'static str> {
    let free = |name: &&str| !own.clone().any(|own| own == name);
    SYSTEM_COLUMNS.iter().map(|(name, _)| *name).filter(free).collect()
}

/// The table with its system columns behind its own.
pub(super) fn with(source: Arc<dyn TableSource>, identity: TableIdentity) -> Result<Arc<dyn TableSource>> {
    let schema = source.schema();
    let own: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut columns: Vec<Expr> = own.iter().map(|name| Expr::Column(Column::new_unqualified(name))).collect();
    let row_number = row_number().alias("row number");
    let numbered = Expr::Column(Column::new_unqualified("row number"));
    let mut plan = LogicalPlanBuilder::scan("source", source, None)?;
    for name in names(own.iter()) {
        columns.push(match name {
            "ctid" => {
                plan = plan.window([row_number.clone()])?;
                let number = Expr::Cast(Cast::new(Box::new(numbered.clone()), DataType::Int64));
                super::planners::operand::call(udfs::pg::tid::tid_of(), vec![number]).alias(name)
            }
            "tableoid" => constant(identity.tableoid, "oid").alias(name),
            "xmin" => constant(identity.xmin, "xid").alias(name),
            "xmax" => constant(0, "xid").alias(name),
            _ => constant(0, "cid").alias(name),
        });
    }
    let plan = plan.project(columns)?.build()?;
    Ok(provider_as_source(Arc::new(ViewTable::new(plan, None))))
}

/// A value of one of the types that are four bytes.
fn constant(value: u32, of: &str) -> Expr {
    let field: Field = pg_type::tagged("", DataType::UInt32, of);
    Expr::Cast(Cast::new_from_field(Box::new(lit(value)), Arc::new(field)))
}
