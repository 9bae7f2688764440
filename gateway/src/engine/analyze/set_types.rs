//! The types of the columns of UNION, INTERSECT and EXCEPT.
//!
//! Owns: which literals of the sides take the other side's type, that decimals beside floats are floats, and 42804. Must
//! never know: how rows are matched.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DataFusionError, NullEquality, Result, ScalarValue};
use datafusion::logical_expr::{Distinct, Expr, Join, JoinType, LogicalPlan, Projection, SubqueryAlias, Union, cast};

use crate::engine::types::common;

/// Gives the sides of a set operation one type for each column, where a literal has none.
pub(super) fn resolve(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Union(union) => {
            let mut inputs: Vec<LogicalPlan> = union.inputs.iter().map(|input| input.as_ref().clone()).collect();
            let changed = unify("UNION", &mut inputs)?;
            // The first side may be a set operation whose own sides have been changed.
            if !changed && first_types(&inputs).eq(union.schema.fields().iter().map(|field| field.data_type())) {
                return Ok(LogicalPlan::Union(union));
            }
            let inputs = inputs.into_iter().map(Arc::new).collect();
            Ok(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?))
        }
        LogicalPlan::Join(join) if is_set_operation(&join) => {
            let construct = if join.join_type == JoinType::LeftSemi { "INTERSECT" } else { "EXCEPT" };
            let mut sides = [join.left.as_ref().clone(), join.right.as_ref().clone()];
            if unify(construct, &mut sides)? {
                let [left, right] = sides.map(Arc::new);
                return Ok(LogicalPlan::Join(Join { left, right, ..join }));
            }
            Ok(LogicalPlan::Join(join))
        }
        other => Ok(other),
    }
}

/// The types that the schema of a union has until its sides are coerced.
fn first_types(sides: &[LogicalPlan]) -> impl Iterator<Item = &DataType> {
    sides.first().into_iter().flat_map(|side| side.schema().fields().iter().map(|field| field.data_type()))
}

/// INTERSECT and EXCEPT are planned as joins on every column, where NULL equals NULL.
fn is_set_operation(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.on.len() == join.left.schema().fields().len()
        && join.on.len() == join.right.schema().fields().len()
}

/// Whether a side was changed.
fn unify(construct: &str, sides: &mut [LogicalPlan]) -> Result<bool> {
    let width = sides.iter().map(|side| side.schema().fields().len()).min().unwrap_or_default();
    let mut changed = false;
    for at in 0..width {
        let mut column: Option<Field> = None;
        let mut unknown = Vec::new();
        for (index, side) in sides.iter().enumerate() {
            if item(side, at).is_some_and(is_unknown) {
                unknown.push(index);
                continue;
            }
            let Some(field) = side.schema().fields().get(at) else { continue };
            column = Some(match column {
                None => field.as_ref().clone(),
                Some(before) => {
                    common(construct, &before, field).map_err(|error| DataFusionError::External(error.into()))?
                }
            });
        }
        let Some(column) = column.filter(|column| !is_text(column.data_type())) else { continue };
        if column.data_type().is_floating() {
            for side in sides.iter_mut() {
                if let Some(floats) = as_float(side, at, column.data_type())? {
                    *side = floats;
                    changed = true;
                }
            }
        }
        for index in unknown {
            let Some(side) = sides.get_mut(index) else { continue };
            if let Some(retyped) = retyped(side, at, column.data_type())? {
                *side = retyped;
                changed = true;
            }
        }
    }
    Ok(changed)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
}

/// The side with the decimals of a column as floats: the planner would make the floats decimals.
fn as_float(side: &LogicalPlan, at: usize, float: &DataType) -> Result<Option<LogicalPlan>> {
    let schema = side.schema();
    if !schema.fields().get(at).is_some_and(|field| field.data_type().is_decimal()) {
        return Ok(None);
    }
    let columns = schema.iter().enumerate().map(|(index, (relation, field))| {
        let column = Expr::Column(Column::new(relation.cloned(), field.name()));
        match index == at {
            true => cast(column, float.clone()).alias_qualified(relation.cloned(), field.name()),
            false => column,
        }
    });
    let columns = columns.collect();
    Ok(Some(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(side.clone()))?)))
}

/// The expression of a column of a SELECT.
fn item(plan: &LogicalPlan, at: usize) -> Option<&Expr> {
    match plan {
        LogicalPlan::Projection(projection) => projection.expr.get(at).map(bare),
        LogicalPlan::Distinct(Distinct::All(input)) => item(input, at),
        // The two sides of a set operation may have been given names.
        LogicalPlan::SubqueryAlias(alias) if matches!(alias.alias.table(), "left" | "right") => item(&alias.input, at),
        _ => None,
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => bare(&alias.expr),
        expr => expr,
    }
}

fn is_unknown(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(ScalarValue::Utf8(Some(_)) | ScalarValue::Null, None))
}

/// The side with a literal of the other side's type.
fn retyped(plan: &LogicalPlan, at: usize, data_type: &DataType) -> Result<Option<LogicalPlan>> {
    Ok(Some(match plan {
        LogicalPlan::Projection(projection) => {
            let mut exprs = projection.expr.clone();
            let Some(expr) = exprs.get_mut(at) else { return Ok(None) };
            let (relation, name) = expr.qualified_name();
            *expr = cast(bare(expr).clone(), data_type.clone()).alias_qualified(relation, name);
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(&projection.input))?)
        }
        LogicalPlan::Distinct(Distinct::All(input)) => match retyped(input, at, data_type)? {
            Some(input) => LogicalPlan::Distinct(Distinct::All(Arc::new(input))),
            None => return Ok(None),
        },
        LogicalPlan::SubqueryAlias(alias) => match retyped(&alias.input, at, data_type)? {
            Some(input) => LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?),
            None => return Ok(None),
        },
        _ => return Ok(None),
    }))
}
