//! Which result columns have a declared precision and scale.
//!
//! Owns: PostgreSQL's rule for type modifiers: a column of a table and a cast have one, and keep it through everything
//! that only passes them on; what is computed has none.

use arrow::datatypes::Field;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, LogicalPlan};
use udfs::pg::numeric::kind;

use super::analyze::Barrier;

/// Whether the plan's numeric column with this index is declared.
pub(super) fn numeric(plan: &LogicalPlan, index: usize, field: &Field) -> bool {
    field.data_type().is_decimal() && column(plan, index)
}

fn column(plan: &LogicalPlan, index: usize) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        // What a role sees of a table are its columns.
        LogicalPlan::Extension(extension) if extension.node.as_any().is::<Barrier>() => true,
        LogicalPlan::Projection(node) => expression(node.expr.get(index), &node.input, is_kind(plan, index)),
        LogicalPlan::Aggregate(node) => expression(node.group_expr.get(index), &node.input, is_kind(plan, index)),
        LogicalPlan::Join(node) => {
            let left = node.left.schema().fields().len();
            match index.checked_sub(left) {
                Some(right) => column(&node.right, right),
                None => column(&node.left, index),
            }
        }
        LogicalPlan::Union(node) => {
            // Of different declarations none is left.
            let of = |input: &LogicalPlan| input.schema().fields().get(index).map(|field| field.data_type().clone());
            let result = plan.schema().fields().get(index).map(|field| field.data_type().clone());
            node.inputs.iter().all(|input| of(input) == result && column(input, index))
        }
        LogicalPlan::Window(node) => index < node.input.schema().fields().len() && column(&node.input, index),
        LogicalPlan::SubqueryAlias(node) => column(&node.input, index),
        LogicalPlan::Filter(node) => column(&node.input, index),
        LogicalPlan::Sort(node) => column(&node.input, index),
        LogicalPlan::Limit(node) => column(&node.input, index),
        LogicalPlan::Repartition(node) => column(&node.input, index),
        LogicalPlan::Distinct(node) => column(node.input(), index),
        _ => false,
    }
}

/// Whether the column has one of the types whose scale follows the value.
fn is_kind(plan: &LogicalPlan, index: usize) -> bool {
    plan.schema().fields().get(index).is_some_and(|field| kind::shown(field.data_type()) != kind::Shown::Fixed)
}

fn expression(expr: Option<&Expr>, input: &LogicalPlan, is_kind: bool) -> bool {
    match expr {
        Some(Expr::Alias(alias)) => expression(Some(&alias.expr), input, is_kind),
        Some(Expr::Column(name)) => {
            let schema: &DFSchema = input.schema();
            schema.maybe_index_of_column(name).is_some_and(|index| column(input, index))
        }
        // The planner's own casts go to those kinds.
        Some(Expr::Cast(_)) => !is_kind,
        Some(Expr::ScalarFunction(call)) => !is_kind && call.func.name() == "lakegate_to_numeric",
        _ => false,
    }
}
