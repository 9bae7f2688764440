//! Functions of texts, which PostgreSQL does not call with numbers, and others, which it does not call with texts.
//!
//! Owns: which arguments are texts (42883). A literal has no type and is none. Must never know: how the functions compute.

use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;

use crate::engine::planners::{Category, Operand, refused};
use crate::error::{Error, SqlState};

/// Functions whose first argument is a text.
const OF_TEXT: &[&str] = &[
    "ascii",
    "bit_length",
    "btrim",
    "char_length",
    "character_length",
    "initcap",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "octet_length",
    "regexp_count",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "translate",
    "upper",
];

pub(super) fn check(call: &ScalarFunction, schema: &DFSchema) -> Result<()> {
    let name = call.func.name();
    // Names are checked as they are planned: `character_length` is one of `length`'s.
    if OF_TEXT.contains(&name)
        && let Some(first) = call.args.first().and_then(|arg| Operand::of(arg, schema))
        && !matches!(first.category, Category::Text | Category::Bytes | Category::Unknown | Category::Other)
    {
        return Err(undefined(name, &call.args, schema));
    }
    for (at, arg) in call.args.iter().enumerate() {
        if catalog::pg_catalog::refuses_text(name, call.args.len(), at)
            && Operand::of(arg, schema).is_some_and(|operand| operand.is_string())
        {
            return Err(undefined(name, &call.args, schema));
        }
    }
    Ok(())
}

/// 42883.
pub(super) fn undefined(name: &str, args: &[Expr], schema: &DFSchema) -> DataFusionError {
    let types: Vec<String> = args
        .iter()
        .map(|arg| Operand::of(arg, schema).map_or_else(|| "unknown".to_owned(), |operand| operand.name))
        .collect();
    let message = format!("function {name}({}) does not exist", types.join(", "));
    let hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
    refused(Error::new(SqlState::UndefinedFunction, message).hint(hint))
}
