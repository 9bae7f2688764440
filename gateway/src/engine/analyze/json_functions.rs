//! Functions and casts of json and jsonb, whose values the planner takes for texts.
//!
//! Owns: which arguments are JSON or arrays of texts (42883), how literals among them are read, and 42846 for casts that
//! PostgreSQL has not. Must never know: how the functions compute.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use udfs::pg::json::{Parameter, parameters};

use super::text_functions::undefined;
use crate::engine::planners::json::Wants;
use crate::engine::planners::{Category, Operand, refused};
use crate::error::{Error, SqlState};

/// Gives literals the types that the function's parameters have.
pub(super) fn give(call: &mut ScalarFunction, schema: &DFSchema) -> Result<()> {
    let name = call.func.name();
    if matches!(name, "to_json" | "to_jsonb")
        && call.args.first().and_then(|arg| Operand::of(arg, schema)).is_some_and(|operand| operand.is_literal())
    {
        let message = "could not determine polymorphic type because input has type unknown";
        return Err(refused(Error::new(SqlState::DatatypeMismatch, message)));
    }
    let Some(parameters) = parameters(name) else { return Ok(()) };
    for at in 0..call.args.len().min(parameters.len()) {
        let wants = match parameters.get(at) {
            Some(Parameter::Json) => Wants::Json,
            Some(Parameter::Jsonb) => Wants::Jsonb,
            Some(Parameter::TextArray) => Wants::Texts,
            Some(Parameter::Other) | None => continue,
        };
        let Some(arg) = call.args.get_mut(at) else { continue };
        if Operand::of(arg, schema).is_some_and(|operand| !wants.takes(&operand)) {
            return Err(undefined(name.strip_prefix("lakegate_").unwrap_or(name), &call.args, schema));
        }
        wants.give(arg)?;
    }
    Ok(())
}

/// Whether PostgreSQL has no such cast: JSON is made by functions, and only jsonb's scalars are cast to numbers.
pub(super) fn not_castable(from: &Operand, to: &Operand) -> bool {
    let is_text = |operand: &Operand| matches!(operand.category, Category::Text | Category::Unknown);
    match (from.json(), to.json()) {
        (Some(_), Some(_)) | (None, None) => false,
        (None, Some(_)) => !is_text(from),
        (Some("jsonb"), None) => !is_text(to) && !matches!(to.category, Category::Number | Category::Boolean),
        (Some(_), None) => !is_text(to),
    }
}
