//! The parameters `$1`, `$2` ... of a statement: their types, and putting their values in.
//!
//! Owns: which parameters there are, and that each has a type before anything runs. Must never know: their wire forms.

mod infer;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, ParamValues, Result as PlanResult};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result, SqlState};

/// PostgreSQL's Bind counts parameters in 16 bits.
const PARAMETERS_MAX: usize = 65_535;

/// The types of a statement's parameters.
pub(super) struct Types {
    /// As many as the highest number says.
    pub fields: Vec<FieldRef>,
    /// What is left to do with the plan that they were found in.
    pub plan: Planning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planning {
    /// It has them all.
    Done,
    /// They are to be put in; nothing else depends on them.
    Fill,
    /// Every expression around them is to be built from them.
    Again,
}

/// Gives every parameter a type: declared, else from where it stands, else text, as PostgreSQL does with a literal of
/// unknown type.
pub(super) fn types(plan: &LogicalPlan, declared: &[Option<FieldRef>]) -> Result<Types> {
    let mut used = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Placeholder(placeholder) = expr {
                    used.insert(number(&placeholder.id)?);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    let count = used.last().copied().unwrap_or(0).max(declared.len());
    let declared = |number: usize| declared.get(number - 1).cloned().flatten();
    if let Some(number) = (1..=count).find(|number| !used.contains(number) && declared(*number).is_none()) {
        let message = format!("could not determine data type of parameter ${number}");
        return Err(Error::new(SqlState::IndeterminateDatatype, message));
    }
    if (1..=count).all(|number| declared(number).is_some()) {
        return Ok(Types { fields: (1..=count).filter_map(declared).collect(), plan: Planning::Done });
    }
    let inferred = infer::types(plan)?;
    let text = || Arc::new(Field::new("", DataType::Utf8, true));
    let field = |number: usize| declared(number).or_else(|| inferred.types.get(&number).cloned());
    let fields = (1..=count).map(|number| field(number).unwrap_or_else(text)).collect();
    Ok(Types { fields, plan: if inferred.all_cast { Planning::Fill } else { Planning::Again } })
}

/// Writes the types into the plan.
pub(super) fn fill(plan: LogicalPlan, types: &[FieldRef]) -> Result<LogicalPlan> {
    let set = |expr: Expr| match expr {
        Expr::Placeholder(Placeholder { id, field: _ }) => {
            let field = types.get(number(&id)? - 1).cloned();
            Ok(Transformed::yes(Expr::Placeholder(Placeholder { id, field })))
        }
        other => Ok(Transformed::no(other)),
    };
    let filled = plan.transform_up_with_subqueries(|node| node.map_expressions(|expr| expr.transform_up(set)))?;
    Ok(filled.data)
}

/// `$3` is 3.
fn number(id: &str) -> PlanResult<usize> {
    id.strip_prefix('$')
        .and_then(|digits| digits.parse().ok())
        .filter(|number| (1..=PARAMETERS_MAX).contains(number))
        .ok_or_else(|| {
            let error = Error::new(SqlState::UndefinedParameter, format!("there is no parameter {id}"));
            DataFusionError::External(Box::new(error))
        })
}

/// Puts the values in.
pub(super) fn bind(plan: LogicalPlan, values: Vec<ScalarValue>) -> Result<LogicalPlan> {
    if values.is_empty() {
        return Ok(plan);
    }
    let values = ParamValues::List(values.into_iter().map(ScalarAndMetadata::from).collect());
    Ok(plan.replace_params_with_values(&values)?)
}

/// The parameters with the types that their values have: a numeric's precision and scale are its value's own. `None`
/// if they are those already.
pub(super) fn retyped(params: &[FieldRef], values: &[ScalarValue]) -> Option<Vec<FieldRef>> {
    let same = |(field, value): (&FieldRef, &ScalarValue)| *field.data_type() == value.data_type();
    if params.iter().zip(values).all(same) {
        return None;
    }
    let retyped = params.iter().zip(values).map(|(field, value)| {
        let field = field.as_ref().clone().with_data_type(value.data_type());
        Arc::new(field)
    });
    Some(retyped.collect())
}

/// The schema that a plan's columns have, without their qualifiers.
pub(super) fn fields(schema: &DFSchema) -> Vec<Field> {
    schema.fields().iter().map(|field| field.as_ref().clone()).collect()
}
