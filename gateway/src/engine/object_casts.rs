//! Casts of the types that stand for objects: `regclass` and its kin, and `tid`.
//!
//! Owns: that such a value is written by name. Must never know: what has which name, which the functions of the catalogs
//! tell. It follows planning, which finds the types.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ScalarUDF};
use udfs::pg::tid::TID;
use udfs::pg_type;

/// Finds a function of this server by name.
pub(super) type Functions<'f> = &'f dyn Fn(&str) -> Option<Arc<ScalarUDF>>;

/// Whether a node has a column of such a type, or makes a value of one.
pub(super) fn concerns_node(plan: &LogicalPlan) -> bool {
    plan.schema().fields().iter().any(|field| kind(field).is_some())
}

/// Whether an expression makes a value of such a type.
pub(super) fn concerns(expr: &Expr) -> bool {
    match expr {
        Expr::ScalarFunction(function) => is_input(function.func.name()),
        Expr::Cast(cast) => *cast.field.data_type() == TID,
        _ => false,
    }
}

fn is_input(function: &str) -> bool {
    function.starts_with("lakegate_reg") || function.starts_with("to_reg") || function.starts_with("lakegate_tid")
}

/// The name of the type, if a field is of one.
fn kind(field: &Field) -> Option<&str> {
    let tag = pg_type::tag(field)?;
    let is_id = tag.starts_with("reg") && field.data_type().is_integer();
    (is_id || (tag == "tid" && *field.data_type() == TID)).then_some(tag)
}

pub(super) fn rewrite(expr: Expr, schema: &DFSchema, functions: Functions<'_>) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(cast) => of_cast(cast, schema, functions),
        other => Ok(Transformed::no(other)),
    }
}

fn of_cast(cast: Cast, schema: &DFSchema, functions: Functions<'_>) -> Result<Transformed<Expr>> {
    let given = cast.expr.to_field(schema)?.1;
    let unchanged = |cast| Ok(Transformed::no(Expr::Cast(cast)));
    if let Some(kind) = kind(&given).filter(|_| is_text(cast.field.data_type())) {
        let Some(output) = functions(&format!("lakegate_{kind}_out")) else { return unchanged(cast) };
        let text = Box::new(call(output, *cast.expr));
        return Ok(Transformed::yes(Expr::Cast(Cast { expr: text, field: cast.field })));
    }
    if *cast.field.data_type() == TID && is_text(given.data_type()) {
        let Some(input) = functions("lakegate_tid_in") else { return unchanged(cast) };
        return Ok(Transformed::yes(call(input, *cast.expr)));
    }
    unchanged(cast)
}

fn call(udf: Arc<ScalarUDF>, arg: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![arg]))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
