//! Casts from and to text, through PostgreSQL's input and output functions.
//!
//! Owns: where `udfs::pg::{text_in, text_out}` replace the plain casts, also those that type coercion has put in. Must
//! never know: how they read and write.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, cast, lit,
};
use datafusion::optimizer::AnalyzerRule;
use udfs::pg::json::{jsonb_scalar, text_in as json_in};
use udfs::pg::numeric::kind;
use udfs::pg::tagged::as_tagged;
use udfs::pg::text_in::text_in;
use udfs::pg::text_out::{self, text_out};
use udfs::pg_type;

use super::expressions;
use crate::engine::types::AS_IT_IS;

#[derive(Debug)]
pub(super) struct TextCasts;

impl AnalyzerRule for TextCasts {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut options = None;
        plan.transform_up_with_subqueries(|node| {
            let options = std::cell::RefCell::new(&mut options);
            expressions::rewrite(node, |expr, schema| {
                let replaced = replace(expr, schema)?;
                if !replaced.transformed {
                    return Ok(replaced);
                }
                replaced.transform_data(|expr| {
                    let mut options = options.borrow_mut();
                    read_now(expr, options.get_or_insert_with(|| Arc::new(config.clone())))
                })
            })
        })
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
        Json::As(udf) => {
            let text = as_type(*inner, from, &DataType::Utf8);
            return Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![text]))));
        }
        Json::Text => {
            let text = as_type(*inner, from, to);
            return Ok(Transformed::yes(as_tagged(text, pg_type::tag(&field).unwrap_or_default())));
        }
        Json::Scalar(name) => {
            let text = jsonb_scalar().call(vec![as_type(*inner, from, &DataType::Utf8), lit(name)]);
            // Numbers round as numerics do.
            let number = if field.data_type().is_numeric() { cast(text, kind::OWN) } else { text };
            return Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(number), field })));
        }
    }
    // A parameter is read as a value of its own type.
    let is_parameter = matches!(inner.as_ref(), Expr::Placeholder(_));
    let udf = match (is_text(from), is_text(to)) {
        (true, false) if !is_parameter => text_in(&field),
        // A text of one type is not yet one of another: of the same type it was read before.
        (true, true) if !is_parameter && pg_type::tag(&given) != pg_type::tag(&field) => text_in(&field),
        (false, true) if text_out::applies(&given) => Some(text_out()),
        _ => None,
    };
    // The planner would keep the type that the text was of: `x::jsonb::text` shows as text.
    let is_named = is_text(from) && is_text(to) && pg_type::tag(&given).is_some() && pg_type::tag(&field).is_none();
    if is_named && !is_parameter {
        let text = Expr::ScalarFunction(ScalarFunction::new_udf(text_out(), vec![*inner]));
        return Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(text), field })));
    }
    Ok(match udf {
        // The cast stays where it says more than the Arrow type does: `x::varchar` shows as varchar.
        Some(udf) if !is_text(from) && is_text(to) && pg_type::tag(&field).is_some() => {
            let text = Box::new(Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![*inner])));
            Transformed::yes(Expr::Cast(Cast { expr: text, field }))
        }
        // Beside texts of files, which are views, the planner wants one, too.
        Some(udf) if !is_text(from) && is_text(to) => {
            let text = Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![*inner]));
            Transformed::yes(as_type(text, &DataType::Utf8, to))
        }
        Some(udf) => {
            let given = if is_text(from) && is_text(to) { as_type(*inner, from, &DataType::Utf8) } else { *inner };
            Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(udf, vec![given])))
        }
        None => Transformed::no(Expr::Cast(Cast { expr: inner, field })),
    })
}

/// A text of files as functions take it: the planner has given arguments their types before.
fn as_type(text: Expr, from: &DataType, to: &DataType) -> Expr {
    if from == to { text } else { cast(text, to.clone()) }
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

/// A literal is read before the statement runs, as PostgreSQL reads it: an error within a scan would lose its SQLSTATE.
fn read_now(expr: Expr, options: &Arc<ConfigOptions>) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = &expr else { return Ok(Transformed::no(expr)) };
    let [Expr::Literal(value @ ScalarValue::Utf8(Some(_)), _)] = args.as_slice() else {
        return Ok(Transformed::no(expr));
    };
    if func.name() == "lakegate_text_out" {
        return Ok(Transformed::no(expr));
    }
    let schema = DFSchema::empty();
    let (given, returned) = (args.first().map(|arg| arg.to_field(&schema)), expr.to_field(&schema)?.1);
    let args = ScalarFunctionArgs {
        args: vec![ColumnarValue::Scalar(value.clone())],
        arg_fields: given.transpose()?.map(|(_, field)| field).into_iter().collect(),
        number_rows: 1,
        return_field: Arc::clone(&returned),
        config_options: Arc::clone(options),
    };
    Ok(match func.invoke_with_args(args)? {
        ColumnarValue::Scalar(value) => {
            Transformed::yes(Expr::Literal(value, Some(FieldMetadata::from(returned.as_ref()))))
        }
        ColumnarValue::Array(_) => Transformed::no(expr),
    })
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}
