//! What a subquery takes from outside: columns of the queries around it, and parameters of the statement.
//!
//! Owns: finding them and putting values in their place. Must never know: why a subquery is run.

use std::collections::HashMap;

use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};
use udfs::pg_type;

/// One thing from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Column(Column),
    Parameter(String),
}

impl Key {
    fn of(expr: &Expr) -> Option<Key> {
        match expr {
            // Spans are where a name was written, not what it means.
            Expr::OuterReferenceColumn(_, column) => {
                Some(Key::Column(Column::new(column.relation.clone(), column.name.clone())))
            }
            Expr::Placeholder(placeholder) => Some(Key::Parameter(placeholder.id.clone())),
            _ => None,
        }
    }
}

/// What the plan takes from outside, each once, with one of the expressions that take it.
pub(super) fn references(plan: &LogicalPlan) -> Result<Vec<(Key, Expr)>> {
    let mut found: Vec<(Key, Expr)> = Vec::new();
    plan.apply(|node| {
        let here = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Some(key) = Key::of(expr) {
                    add(&mut found, key, expr.clone());
                }
                if let Some(subquery) = subquery(expr) {
                    for (key, expr) in references(&subquery.subquery)? {
                        if !is_bound(&key, &here) {
                            add(&mut found, key, expr);
                        }
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn add(found: &mut Vec<(Key, Expr)>, key: Key, expr: Expr) {
    if !found.iter().any(|(other, _)| *other == key) {
        found.push((key, expr));
    }
}

/// Whether the node that holds a subquery gives it this column, so that it is not from outside.
pub(super) fn is_bound(key: &Key, schema: &DFSchema) -> bool {
    match key {
        Key::Column(column) => schema.has_column(column),
        Key::Parameter(_) => false,
    }
}

/// The subquery that the expression itself is.
pub(super) fn subquery(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

fn subquery_mut(expr: &mut Expr) -> Option<&mut Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

/// The plan with values for what it takes from outside.
pub(super) fn bind(plan: LogicalPlan, values: &HashMap<Key, ScalarValue>) -> Result<LogicalPlan> {
    if values.is_empty() {
        return Ok(plan);
    }
    let bound = plan.transform_up(|node| {
        let here = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let bound = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let bound = expr.transform_up(|expr| bind_expr(expr, values, &here))?;
            // Columns above know this one by the name that the reference gave it.
            Ok(if bound.transformed { bound.update_data(|expr| name.restore(expr)) } else { bound })
        })?;
        if bound.transformed { bound.map_data(LogicalPlan::recompute_schema) } else { Ok(bound) }
    })?;
    // A literal is nullable where its column was not, or the reverse: every schema above follows.
    bound.data.transform_up(|node| node.recompute_schema().map(Transformed::yes)).map(|plan| plan.data)
}

fn bind_expr(mut expr: Expr, values: &HashMap<Key, ScalarValue>, here: &DFSchema) -> Result<Transformed<Expr>> {
    if let Some(value) = Key::of(&expr).and_then(|key| values.get(&key)) {
        // The value is of the column's type, also where Arrow does not tell it.
        let of = match &expr {
            Expr::OuterReferenceColumn(field, _) if pg_type::tag(field).is_some() => {
                Some(FieldMetadata::from(field.as_ref()))
            }
            _ => None,
        };
        return Ok(Transformed::yes(Expr::Literal(value.clone(), of)));
    }
    if let Some(subquery) = subquery_mut(&mut expr) {
        let outside: HashMap<Key, ScalarValue> = values
            .iter()
            .filter(|(key, _)| !is_bound(key, here))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let plan = bind(subquery.subquery.as_ref().clone(), &outside)?;
        subquery.outer_ref_columns = outer_columns(&plan)?;
        subquery.subquery = plan.into();
        return Ok(Transformed::yes(expr));
    }
    Ok(Transformed::no(expr))
}

/// The columns from outside, as the planner lists them beside a subquery.
pub(super) fn outer_columns(plan: &LogicalPlan) -> Result<Vec<Expr>> {
    let references = references(plan)?.into_iter();
    Ok(references.filter(|(key, _)| matches!(key, Key::Column(_))).map(|(_, expr)| expr).collect())
}
