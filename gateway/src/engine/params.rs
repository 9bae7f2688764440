//! The parameters `$1`, `$2` ... of a statement: their types, and putting their values in.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ParamValues};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result, SqlState};

/// PostgreSQL's Bind counts parameters in 16 bits.
const PARAMETERS_MAX: usize = 65_535;

/// The fields that the planner starts from: what the client declared.
pub(super) fn declared(types: &[Option<DataType>]) -> Vec<Option<FieldRef>> {
    types.iter().map(|data_type| data_type.clone().map(|t| Arc::new(Field::new("", t, true)))).collect()
}

/// Gives every parameter a type: declared, else from where it stands, else text, as PostgreSQL does with a literal of
/// unknown type. Returns the plan with all of them typed.
pub(super) fn infer(plan: LogicalPlan, declared: &[Option<DataType>]) -> Result<(LogicalPlan, Vec<DataType>)> {
    let mut found = BTreeMap::new();
    let cast = cast_types(&plan)?;
    for (id, data_type) in plan.get_parameter_types()? {
        let number = number(&id)?;
        let data_type = declared.get(number - 1).cloned().flatten().or(data_type).or_else(|| cast.get(&id).cloned());
        found.insert(number, data_type.unwrap_or(DataType::Utf8));
    }
    let count = found.keys().next_back().copied().unwrap_or(0).max(declared.len());
    let types: Vec<DataType> = (1..=count)
        .map(|number| {
            let declared = declared.get(number - 1).cloned().flatten();
            found.get(&number).cloned().or(declared).unwrap_or(DataType::Utf8)
        })
        .collect();
    if found.is_empty() {
        return Ok((plan, types));
    }
    let plan = plan.transform_up_with_subqueries(|node| node.map_expressions(|expr| set_types(expr, &types)))?.data;
    let plan = plan.transform_up_with_subqueries(|node| node.recompute_schema().map(Transformed::yes))?.data;
    Ok((plan, types))
}

/// The types that parameters are cast to: `$1::int4` is an integer, as in PostgreSQL.
fn cast_types(plan: &LogicalPlan) -> Result<BTreeMap<String, DataType>> {
    let mut types = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Cast(cast) = expr
                    && let Expr::Placeholder(placeholder) = cast.expr.as_ref()
                {
                    types.entry(placeholder.id.clone()).or_insert_with(|| cast.field.data_type().clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(types)
}

fn set_types(expr: Expr, types: &[DataType]) -> datafusion::common::Result<Transformed<Expr>> {
    expr.transform_up(|expr| match expr {
        Expr::Placeholder(Placeholder { id, field: _ }) => {
            let data_type = number(&id).ok().and_then(|number| types.get(number - 1)).cloned();
            let field = data_type.map(|data_type| Arc::new(Field::new(id.clone(), data_type, true)));
            Ok(Transformed::yes(Expr::Placeholder(Placeholder { id, field })))
        }
        other => Ok(Transformed::no(other)),
    })
}

/// `$3` is 3.
fn number(id: &str) -> Result<usize> {
    id.strip_prefix('$')
        .and_then(|digits| digits.parse().ok())
        .filter(|number| (1..=PARAMETERS_MAX).contains(number))
        .ok_or_else(|| Error::new(SqlState::UndefinedParameter, format!("there is no parameter {id}")))
}

/// Puts the values in.
pub(super) fn bind(plan: LogicalPlan, values: Vec<ScalarValue>) -> Result<LogicalPlan> {
    if values.is_empty() {
        return Ok(plan);
    }
    let values = ParamValues::List(values.into_iter().map(ScalarAndMetadata::from).collect());
    Ok(plan.replace_params_with_values(&values)?)
}

/// The schema that a plan's columns have, without their qualifiers.
pub(super) fn fields(schema: &DFSchema) -> Vec<Field> {
    schema.fields().iter().map(|field| field.as_ref().clone()).collect()
}
