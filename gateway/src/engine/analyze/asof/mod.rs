//! As-of joins: beside each row the latest row of another table that is not later, by one pass over both.
//!
//! Owns: which subqueries are such joins, and how these run. Must never know: SQL text, sessions. PostgreSQL has no word
//! for them: `LATERAL (SELECT ... WHERE r.key = l.key AND r.time <= l.time ORDER BY r.time DESC LIMIT 1)`, also as a scalar
//! subquery, or without the bound for the latest row of each key. `Apply` would ask once for each row of the left.

mod exec;
mod merge;
mod node;
mod planned;
mod shape;

use std::sync::Arc;

use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, TableReference};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, Projection, when};

pub(super) use node::AsOf;
pub(super) use planned::planned;

use shape::Shape;

/// The input beside the rows of a LATERAL subquery, if that is an as-of join. With `keep`, NULLs where there is none.
pub(super) fn joined(input: &LogicalPlan, plan: &LogicalPlan, keep: bool) -> Result<Option<LogicalPlan>> {
    let Some(shape) = shape::of(plan, input.schema())? else { return Ok(None) };
    let columns = plan
        .schema()
        .iter()
        .map(|(relation, field)| (relation.cloned(), field.name().clone(), FieldMetadata::from(field.as_ref())));
    over(input, shape, keep, columns.collect()).map(Some)
}

/// The input with the value of a scalar subquery as a column of that name, if the subquery is an as-of join.
pub(super) fn valued(input: &LogicalPlan, plan: &LogicalPlan, name: &str) -> Result<Option<LogicalPlan>> {
    let Some(shape) = shape::of(plan, input.schema())? else { return Ok(None) };
    let metadata = plan.schema().fields().first().map(|field| FieldMetadata::from(field.as_ref()));
    over(input, shape, true, vec![(None, name.to_owned(), metadata.unwrap_or_default())]).map(Some)
}

/// What the subquery shows is computed of the row that was found, as it would be behind its LIMIT.
fn over(
    input: &LogicalPlan,
    shape: Shape,
    keep: bool,
    names: Vec<(Option<TableReference>, String, FieldMetadata)>,
) -> Result<LogicalPlan> {
    let left: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    let shown = shape.shown.clone();
    let (node, found) = AsOf::new(input.clone(), shape, keep)?;
    let known = Arc::clone(node.input.schema());
    let mut exprs = left;
    for (expr, (relation, name, metadata)) in shown.into_iter().zip(names) {
        let mut expr = own(expr, &known)?;
        if keep && !matches!(expr, Expr::Column(_)) {
            expr = when(Expr::Column(Column::new_unqualified(&found)), expr).end()?;
        }
        exprs.push(expr.alias_qualified_with_metadata(relation, name, Some(metadata)));
    }
    let node = LogicalPlan::Extension(Extension { node: Arc::new(node) });
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(node))?))
}

/// An expression of a subquery, whose outer columns are those of the row beside it.
fn own(expr: Expr, outer: &DFSchema) -> Result<Expr> {
    let owned = expr.transform_up(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) if outer.has_column(&column) => {
            Ok(Transformed::yes(Expr::Column(column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(owned.data)
}
