//! Ranges of a column that conditions on functions of its time imply: `date_trunc('day', ts) = x` has `ts` near `x`.
//!
//! Owns: which conditions imply a range. A scan gets it beside the condition, which stays, so that files and row groups
//! are ruled out by the bounds of the column; a range may be too wide, never too narrow. Must never know: files.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, TableScan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::shifts::{Values, ranged};

#[derive(Debug)]
pub(super) struct ImpliedRanges;

impl OptimizerRule for ImpliedRanges {
    fn name(&self) -> &'static str {
        "implied_ranges"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::TableScan(mut scan) = plan else { return Ok(Transformed::no(plan)) };
        let implied = implied(&scan)?;
        let is_new = !implied.is_empty();
        scan.filters.extend(implied);
        let plan = LogicalPlan::TableScan(scan);
        Ok(if is_new { Transformed::yes(plan) } else { Transformed::no(plan) })
    }
}

/// The ranges that the filters of a scan imply, without those that it has already.
fn implied(scan: &TableScan) -> Result<Vec<Expr>> {
    let is_call = |expr: &Expr| Ok(matches!(expr, Expr::ScalarFunction(_)));
    if !scan.filters.iter().any(|filter| filter.exists(is_call).unwrap_or(false)) {
        return Ok(Vec::new());
    }
    // A filter may be on columns that the scan does not give.
    let schema = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
    let mut found: Vec<Expr> = Vec::new();
    for filter in scan.filters.iter().flat_map(split_conjunction) {
        for bound in of_condition(filter, &schema) {
            if !scan.filters.contains(&bound) && !found.contains(&bound) {
                found.push(bound);
            }
        }
    }
    Ok(found)
}

/// The least and the greatest value that a condition lets an expression have, as far as it says.
fn of_condition(filter: &Expr, schema: &DFSchema) -> Vec<Expr> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (image, op, value) = match (left.as_ref(), op.swap(), right.as_ref()) {
                (_, _, Expr::Literal(value, _)) => (left, *op, value),
                (Expr::Literal(value, _), Some(swapped), _) => (right, swapped, value),
                _ => return Vec::new(),
            };
            match op {
                Operator::Eq | Operator::IsNotDistinctFrom => {
                    ranged(image, Values::from_to(Some(value), Some(value)), schema)
                }
                Operator::GtEq => ranged(image, Values::from_to(Some(value), None), schema),
                Operator::LtEq => ranged(image, Values::from_to(None, Some(value)), schema),
                Operator::Gt => ranged(image, Values { low: Some(value), high: None, are_out: true }, schema),
                Operator::Lt => ranged(image, Values { low: None, high: Some(value), are_out: true }, schema),
                _ => Vec::new(),
            }
        }
        Expr::Between(Between { expr, negated: false, low, high }) => {
            ranged(expr, Values::from_to(literal(low), literal(high)), schema)
        }
        Expr::InList(InList { expr, list, negated: false }) => {
            let values: Option<Vec<&ScalarValue>> = list.iter().map(literal).collect();
            let values = values.unwrap_or_default();
            let order = |a: &&&ScalarValue, b: &&&ScalarValue| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
            match (values.iter().min_by(order), values.iter().max_by(order)) {
                (Some(low), Some(high)) if values.iter().all(|value| !value.is_null()) => {
                    ranged(expr, Values::from_to(Some(low), Some(high)), schema)
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}
