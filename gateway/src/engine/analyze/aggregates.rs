//! Aggregates that PostgreSQL has not for some types, although the planner's take them.
//!
//! Owns: 42883 for `max(boolean)` and its like, 42804 for a FILTER that is no condition.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::AggregateFunction;

use super::text_functions::undefined;
use crate::engine::planners::{Category, Operand, truth};

pub(super) fn check(call: AggregateFunction, schema: &DFSchema) -> Result<AggregateFunction> {
    if let Some(operand) = call.params.filter.as_ref().and_then(|filter| Operand::of(filter, schema)) {
        truth(&operand, "FILTER")?;
    }
    let name = call.func.name();
    let first = call.params.args.first().and_then(|arg| Operand::of(arg, schema));
    let is_undefined = first.is_some_and(|first| match name {
        "max" | "min" => first.category == Category::Boolean || first.json().is_some() || first.is_row(),
        "avg" => first.is_money(),
        "string_agg" => {
            !matches!(first.category, Category::Text | Category::Bytes | Category::Unknown | Category::Other)
        }
        _ => false,
    });
    if is_undefined {
        return Err(undefined(name, &call.params.args, schema));
    }
    Ok(call)
}
