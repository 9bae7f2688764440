//! PostgreSQL types of expressions that pass values on: CASE, `coalesce`, `min`, `array_agg` ...
//!
//! Owns: that what Arrow does not tell apart stays apart, as `oid` from `bigint`: the planner gives such expressions an
//! Arrow type only, and asyncpg asks forever for a type that it was not told. Must never know: what a type means.

use std::collections::BTreeMap;

use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, Alias, Case, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::scalar::ScalarValue;
use udfs::pg::tagged::as_tagged;
use udfs::pg_type::{self, PG_TYPE_KEY};

/// Whether an expression may have a type of PostgreSQL that the planner forgets.
pub(super) fn concerns(expr: &Expr) -> bool {
    match expr {
        Expr::Case(_) => true,
        Expr::ScalarFunction(function) => passes_on(function.func.name()) || function.func.name() == "make_array",
        Expr::AggregateFunction(function) => aggregates(function.func.name()).is_some(),
        _ => false,
    }
}

/// The JSON type of an expression, where the planner forgets it.
pub(super) fn forgotten(expr: &Expr, schema: &DFSchema) -> Option<String> {
    if !concerns(expr) {
        return None;
    }
    of(expr, schema).ok().flatten().filter(|tag| matches!(tag.as_str(), "json" | "jsonb"))
}

/// Whether a function's result depends on PostgreSQL's types of its arguments.
pub(super) fn reads(function: &str) -> bool {
    matches!(
        function,
        "array_to_json"
            | "json_build_array"
            | "json_build_object"
            | "jsonb_build_array"
            | "jsonb_build_object"
            | "lakegate_json_element"
            | "lakegate_json_list"
            | "lakegate_json_member"
            | "lakegate_jsonb_element"
            | "lakegate_jsonb_list"
            | "lakegate_jsonb_member"
            | "lakegate_outer_row"
            | "lakegate_relation_row"
            | "lakegate_row"
            | "lakegate_type_name"
            | "row_to_json"
            | "to_json"
            | "to_jsonb"
    )
}

/// Tells such a function the types that the planner forgets, or keeps where they are no more.
pub(super) fn tell(mut function: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut told = false;
    for arg in &mut function.args {
        if matches!(arg, Expr::Literal(..) | Expr::Placeholder(_)) {
            continue;
        }
        let tag = of(arg, schema)?;
        // What a subquery or an aggregate gives may be planned anew, without its type.
        let may_forget = matches!(arg, Expr::ScalarSubquery(_) | Expr::Column(_));
        let is_json = tag.as_deref().is_some_and(|tag| tag.trim_start_matches('_').starts_with("json"));
        if may_forget && is_json || pg_type::tag(&arg.to_field(schema)?.1) != tag.as_deref() {
            *arg = as_tagged(
                std::mem::replace(arg, Expr::Literal(ScalarValue::Null, None)),
                tag.as_deref().unwrap_or_default(),
            );
            told = true;
        }
    }
    let expr = Expr::ScalarFunction(function);
    Ok(if told { Transformed::yes(expr) } else { Transformed::no(expr) })
}

/// The output expression of a node under the same name, with the type that it has.
pub(super) fn output(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let inner = match &expr {
        Expr::Alias(alias) => alias.expr.as_ref(),
        inner => inner,
    };
    if !concerns(inner) || pg_type::tag(&expr.to_field(schema)?.1).is_some() {
        return Ok(Transformed::no(expr));
    }
    let Some(tag) = of(inner, schema)? else { return Ok(Transformed::no(expr)) };
    let metadata = BTreeMap::from([(PG_TYPE_KEY.to_owned(), tag)]);
    let alias = match expr {
        Expr::Alias(alias) => alias,
        expr => {
            let name = expr.schema_name().to_string();
            Alias::new(expr, None::<&str>, name)
        }
    };
    Ok(Transformed::yes(Expr::Alias(alias.with_metadata(Some(FieldMetadata::from(metadata))))))
}

fn passes_on(function: &str) -> bool {
    matches!(function, "coalesce" | "greatest" | "least" | "nullif")
}

/// Whether an aggregate gives an array of its values (else one of them).
fn aggregates(function: &str) -> Option<bool> {
    match function {
        "array_agg" => Some(true),
        "min" | "max" | "first_value" | "last_value" => Some(false),
        _ => None,
    }
}

fn of(expr: &Expr, schema: &DFSchema) -> Result<Option<String>> {
    match expr {
        Expr::Alias(alias) => of(&alias.expr, schema),
        // What is cast to a type without a tag has none, though the planner keeps the one before.
        Expr::Cast(cast) => Ok(pg_type::tag(&cast.field).map(str::to_owned)),
        Expr::Case(Case { when_then_expr, else_expr, .. }) => {
            let branches = when_then_expr.iter().map(|(_, then)| then.as_ref());
            common(branches.chain(else_expr.as_deref()), schema)
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if passes_on(func.name()) => common(args.iter(), schema),
        // A name given to a cast in an aggregate.
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "lakegate_cast" => {
            args.first().map_or(Ok(None), |cast| of(cast, schema))
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "make_array" => {
            Ok(common(args.iter(), schema)?.map(array))
        }
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            match (aggregates(func.name()), params.args.first()) {
                (Some(true), Some(arg)) => Ok(of(arg, schema)?.map(array)),
                (Some(false), Some(arg)) => of(arg, schema),
                _ => Ok(None),
            }
        }
        other => Ok(pg_type::tag(&other.to_field(schema)?.1).map(str::to_owned)),
    }
}

fn array(tag: String) -> String {
    if tag.starts_with('_') { tag } else { format!("_{tag}") }
}

/// The type that all have; NULL and literals of unknown type take that of the others.
fn common<'e>(exprs: impl Iterator<Item = &'e Expr>, schema: &DFSchema) -> Result<Option<String>> {
    let mut found: Option<String> = None;
    for expr in exprs {
        if matches!(expr, Expr::Literal(ScalarValue::Null | ScalarValue::Utf8(_), _)) {
            continue;
        }
        match (of(expr, schema)?, &found) {
            (Some(tag), None) => found = Some(tag),
            (Some(tag), Some(known)) if tag == *known => {}
            _ => return Ok(None),
        }
    }
    Ok(found)
}
