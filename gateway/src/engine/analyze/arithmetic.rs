//! Overflow is 22003 and division by zero 22012, also in constants; casts round and refuse as PostgreSQL's.
//!
//! Owns: where the checked operators of `udfs::pg::arithmetic` and the casts of `udfs::pg::numeric` replace the plain
//! ones. Must never know: how they compute. The rule follows type coercion, so the operand types are final, and precedes
//! the optimizer, so constants fold through the checked operators too.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, Cast, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use udfs::pg::arithmetic::{checked, checked_negative};
use udfs::pg::numeric;
use udfs::pg_type;

use super::expressions;

#[derive(Debug)]
pub(super) struct CheckedArithmetic;

impl AnalyzerRule for CheckedArithmetic {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        checked_in(plan)
    }

    fn name(&self) -> &'static str {
        "checked_arithmetic"
    }
}

/// A plan with checked operators, in its subqueries too. Those that are inside a node of this room are not found from
/// outside: whoever makes such a node asks for it.
pub(super) fn checked_in(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(rewrite_node).map(|transformed| transformed.data)
}

fn rewrite_node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    // Limits are constants that the planner itself evaluates.
    if matches!(plan, LogicalPlan::Limit(_)) {
        return Ok(Transformed::no(plan));
    }
    expressions::rewrite(plan, replace)
}

fn replace(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (left_type, right_type) = (type_of(&left, schema)?, type_of(&right, schema)?);
            match checked(op, &left_type, &right_type) {
                Some(udf) => Ok(Transformed::yes(call(udf, vec![*left, *right]))),
                None => Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
            }
        }
        Expr::Negative(operand) => match checked_negative(&type_of(&operand, schema)?) {
            Some(udf) => Ok(Transformed::yes(call(udf, vec![*operand]))),
            None => Ok(Transformed::no(Expr::Negative(operand))),
        },
        Expr::Cast(cast) => {
            let (from, to) = (type_of(&cast.expr, schema)?, cast.field.data_type());
            match numeric::cast::checked(&from, to).or_else(|| numeric::text::checked(&from, to)) {
                // The cast stays where it says more than the Arrow type does: `money` is a decimal.
                Some(udf) if pg_type::tag(&cast.field).is_some() => {
                    let value = Box::new(call(udf, vec![*cast.expr]));
                    Ok(Transformed::yes(Expr::Cast(Cast::new_from_field(value, cast.field))))
                }
                Some(udf) => Ok(Transformed::yes(call(udf, vec![*cast.expr]))),
                None => Ok(Transformed::no(Expr::Cast(cast))),
            }
        }
        Expr::AggregateFunction(aggregate) => {
            refuse_order(&aggregate, schema)?;
            Ok(Transformed::no(Expr::AggregateFunction(aggregate)))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The type of an operand whose own operands were replaced already. The planner spells out the name of each function
/// below to tell it, so that a chain of 300 operators took a minute.
fn type_of(expr: &Expr, schema: &DFSchema) -> Result<DataType> {
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name().starts_with("lakegate_") => {
            let given = args.iter().map(|arg| type_of(arg, schema)).collect::<Result<Vec<_>>>()?;
            func.inner().return_type(&given).or_else(|_| expr.get_type(schema))
        }
        _ => expr.get_type(schema),
    }
}

/// There is no greatest of truth values (`bool_or` says what is meant), nor of documents.
fn refuse_order(aggregate: &AggregateFunction, schema: &DFSchema) -> Result<()> {
    let name = aggregate.func.name();
    let ("min" | "max", [argument]) = (name, aggregate.params.args.as_slice()) else { return Ok(()) };
    let of = match argument.get_type(schema)? {
        DataType::Boolean => "boolean",
        DataType::Map(..) | DataType::Union(..) => "json",
        DataType::List(item) if item.data_type().is_nested() => {
            let message = format!("{name} of arrays of several dimensions is not supported");
            return Err(udfs::Error::Unsupported(message).into());
        }
        _ => return Ok(()),
    };
    Err(udfs::Error::UndefinedFunction(format!("function {name}({of}) does not exist")).into())
}

fn call(udf: std::sync::Arc<datafusion::logical_expr::ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(udf, args))
}
