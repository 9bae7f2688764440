//! Casts from and to text, through PostgreSQL's input and output functions.
//!
//! Owns: where `udfs::pg::{text_in, text_out}` replace the plain casts, also those that type coercion has put in. Must
//! never know: how they read and write.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ScalarUDF, cast, lit};
use datafusion::optimizer::AnalyzerRule;
use udfs::pg::json::{jsonb_scalar, text_in as json_in};
use udfs::pg::numeric::kind;
use udfs::pg::tagged::as_tagged;
use udfs::pg::text_in;
use udfs::pg::text_out::{self, text_out};
use udfs::pg_type;

use super::expressions;
use crate::engine::types::AS_IT_IS;

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
    let field = settled(field, &given);
    let (from, to) = (given.data_type(), field.data_type());
    if pg_type::tag(&given) == Some("bpchar") && is_text(to) && pg_type::tag(&field) != Some("bpchar") {
        let text = datafusion::functions::string::expr_fn::rtrim(vec![*inner]);
        return Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(text), field })));
    }
    match json(&inner, &given, &field) {
        Json::Plain => {}
        Json::As(udf) => return Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![*inner])))),
        Json::Text => return Ok(Transformed::yes(as_tagged(*inner, pg_type::tag(&field).unwrap_or_default()))),
        Json::Scalar(name) => {
            let text = jsonb_scalar().call(vec![*inner, lit(name)]);
            // Numbers round as numerics do.
            let number = if field.data_type().is_numeric() { cast(text, kind::OWN) } else { text };
            return Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(number), field })));
        }
    }
    // A parameter is read as a value of its own type.
    let is_parameter = matches!(inner.as_ref(), Expr::Placeholder(_));
    let udf = match (is_text(from), is_text(to)) {
        (true, false) if !is_parameter => text_in::text_in(to),
        // A tag would be lost: `x::varchar` shows as varchar.
        (false, true) if text_out::applies(from) && pg_type::tag(&field).is_none() => Some(text_out()),
        _ => None,
    };
    Ok(match udf {
        Some(udf) => Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![*inner]))),
        None => Transformed::no(Expr::Cast(Cast { expr: inner, field })),
    })
}

/// The field of a cast, as empty of values as what is cast: the logical plan takes that from the value, the physical from
/// the field, and both must agree. Only where there is a tag to drop does the field need its name.
fn settled(field: FieldRef, given: &Field) -> FieldRef {
    if field.name() != AS_IT_IS {
        return field;
    }
    let field = field.as_ref().clone();
    Arc::new(match pg_type::tag(given) {
        Some(_) => field.with_nullable(given.is_nullable()),
        None => field.with_name("").with_nullable(true),
    })
}

/// What a cast from or to JSON is.
enum Json {
    /// No such cast, or one that only names the type.
    Plain,
    /// Read from a text.
    As(Arc<ScalarUDF>),
    /// The text as it is.
    Text,
    /// The number or the truth value that a jsonb is.
    Scalar(&'static str),
}

fn json(inner: &Expr, given: &Field, field: &Field) -> Json {
    let (from, to) = (pg_type::tag(given).unwrap_or_default(), pg_type::tag(field).unwrap_or_default());
    let is_json = |tag: &str| matches!(tag, "json" | "jsonb");
    if matches!(inner, Expr::Placeholder(_)) || !is_text(given.data_type()) {
        return Json::Plain;
    }
    match json_in(to) {
        Some(_) if from == to || (from, to) == ("jsonb", "json") => return Json::Plain,
        Some(udf) => return Json::As(udf),
        None => {}
    }
    match field.data_type() {
        data_type if is_json(from) && is_text(data_type) => Json::Text,
        DataType::Boolean if from == "jsonb" => Json::Scalar("boolean"),
        data_type if from == "jsonb" && data_type.is_numeric() => Json::Scalar(match data_type {
            DataType::Int16 => "smallint",
            DataType::Int32 => "integer",
            DataType::Int64 => "bigint",
            DataType::Float32 => "real",
            DataType::Float64 => "double precision",
            _ => "numeric",
        }),
        _ => Json::Plain,
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}
