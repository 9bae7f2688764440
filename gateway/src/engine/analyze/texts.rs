//! Casts from and to text, through PostgreSQL's input and output functions.
//!
//! Owns: where `udfs::pg::{text_in, text_out}` replace the plain casts, also those that type coercion has put in. Must
//! never know: how they read and write.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use udfs::pg::text_in::text_in;
use udfs::pg::text_out::{self, text_out};
use udfs::pg_type;

use super::expressions;

#[derive(Debug)]
pub(super) struct TextCasts;

impl AnalyzerRule for TextCasts {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| expressions::rewrite(node, replace))
            .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "text_casts"
    }
}

fn replace(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::Cast(Cast { expr: inner, field }) = expr else { return Ok(Transformed::no(expr)) };
    let given = inner.to_field(schema)?.1;
    let (from, to) = (given.data_type(), field.data_type());
    if pg_type::tag(&given) == Some("bpchar") && is_text(to) && pg_type::tag(&field) != Some("bpchar") {
        let text = datafusion::functions::string::expr_fn::rtrim(vec![*inner]);
        return Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(text), field })));
    }
    // A parameter is read as a value of its own type.
    let is_parameter = matches!(inner.as_ref(), Expr::Placeholder(_));
    let udf = match (is_text(from), is_text(to)) {
        (true, false) if !is_parameter => text_in(to),
        // A tag would be lost: `x::varchar` shows as varchar.
        (false, true) if text_out::applies(from) && pg_type::tag(&field).is_none() => Some(text_out()),
        _ => None,
    };
    Ok(match udf {
        Some(udf) => Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![*inner]))),
        None => Transformed::no(Expr::Cast(Cast { expr: inner, field })),
    })
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}
