//! Result columns that are computed of numeric constants alone, such as `$1::numeric / 3`.
//!
//! Owns: which expressions get PostgreSQL's own digits. A column has one scale and its quotients a rule of thumb; one value
//! has the scale that PostgreSQL gives it. Must never know: how numbers compute. It follows the values of parameters, and
//! looks at results alone: the types of what others are computed of are settled.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use udfs::pg::numeric::exact::Exact;
use udfs::pg::numeric::kind;

/// The plan with those of its results as constants.
pub(super) fn results(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Projection(projection) = &plan else { return Ok(plan) };
    let constants: Vec<Option<ScalarValue>> =
        projection.expr.iter().map(|expr| computes(expr).then(|| number(expr)?.value()).flatten()).collect();
    if constants.iter().all(Option::is_none) && !projection.expr.iter().any(is_beyond) {
        return Ok(plan);
    }
    let exprs = projection.expr.iter().zip(constants).zip(projection.schema.iter());
    let exprs = exprs.map(|((expr, constant), (qualifier, field))| match constant {
        Some(value) => Expr::Literal(value, None).alias_qualified(qualifier.cloned(), field.name()),
        // Its error is one of the statement's run: what stands before it may fail first.
        None if is_beyond(expr) => overflowing(expr).alias_qualified(qualifier.cloned(), field.name()),
        None => expr.clone(),
    });
    Ok(LogicalPlan::Projection(Projection::try_new(exprs.collect(), Arc::clone(&projection.input))?))
}

/// The columns with the scales that [`results`] gave them.
pub(super) fn columns(columns: &SchemaRef, computed: &Schema) -> SchemaRef {
    let is_other = |column: &Field, of: &Field| column.data_type() != of.data_type() && column.data_type().is_decimal();
    let pairs = || columns.fields().iter().zip(computed.fields());
    let same_width = columns.fields().len() == computed.fields().len();
    if !same_width || !pairs().any(|(column, of)| is_other(column, of)) {
        return Arc::clone(columns);
    }
    let fields = pairs().map(|(column, of)| match is_other(column, of) {
        true => Arc::new(column.as_ref().clone().with_data_type(of.data_type().clone())),
        false => Arc::clone(column),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), columns.metadata().clone()))
}

/// Whether the expression has a scale that the value decides.
fn computes(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => computes(&alias.expr),
        Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
            ("lakegate_numeric_div" | "sqrt" | "ln" | "exp", _) => true,
            ("lakegate_cast", [of, _]) => computes(of),
            _ => false,
        },
        _ => false,
    }
}

/// Whether PostgreSQL's result has digits that are not computed: zero would not be it, nor a number near to it.
fn is_beyond(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_beyond(&alias.expr),
        Expr::ScalarFunction(call) if call.func.name() == "exp" => {
            call.args.first().and_then(number).is_some_and(Exact::exp_is_beyond)
        }
        _ => false,
    }
}

/// Such an expression as one that overflows.
fn overflowing(expr: &Expr) -> Expr {
    match expr {
        Expr::Alias(alias) => overflowing(&alias.expr),
        Expr::ScalarFunction(call) => {
            let power = ScalarValue::Decimal128(Some(1_000_000_000), 37, 0);
            let args = vec![Expr::Literal(power, None)];
            Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&call.func), args))
        }
        other => other.clone(),
    }
}

/// The value of an expression of numeric constants; `None` if it is another, null or an error.
fn number(expr: &Expr) -> Option<Exact> {
    match expr {
        Expr::Literal(value, _) => Exact::of(value),
        Expr::Alias(alias) => number(&alias.expr),
        Expr::Negative(of) => number(of)?.negated(),
        Expr::Cast(cast) => match cast.field.data_type() {
            // The planner's own, which changes no value.
            of if kind::shown(of) != kind::Shown::Fixed => number(&cast.expr),
            DataType::Decimal128(precision, scale) => number(&cast.expr)?.declared(*precision, *scale),
            DataType::Int32 => integer(&cast.expr),
            _ => None,
        },
        Expr::ScalarFunction(ScalarFunction { func, args }) => match (func.name(), args.as_slice()) {
            ("lakegate_numeric_div", [left, right]) => number(left)?.over(number(right)?),
            ("lakegate_numeric_mul", [left, right]) => number(left)?.times(number(right)?),
            ("abs", [of]) => number(of)?.abs(),
            ("sqrt", [of]) => number(of)?.sqrt(),
            ("ln", [of]) => number(of)?.ln(),
            ("exp", [of]) => number(of)?.exp(),
            ("lakegate_cast", [of, _]) | ("lakegate_numeric", [of]) => number(of),
            // What a number that is written out becomes.
            ("lakegate_to_int4", [of]) => integer(of),
            ("lakegate_to_numeric", [of]) => match func.inner().return_type(&[]).ok()? {
                to if kind::shown(&to) != kind::Shown::Fixed => number(of),
                DataType::Decimal128(precision, scale) => number(of)?.declared(precision, scale),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// A constant that an `integer` holds.
fn integer(expr: &Expr) -> Option<Exact> {
    match expr {
        Expr::Literal(value @ ScalarValue::Int64(Some(number)), _) if i32::try_from(*number).is_ok() => {
            Exact::of(value)
        }
        _ => None,
    }
}
