//! Intervals where something sorts them: they compare as if a month had 30 days, which Arrow's order does not know.
//!
//! Owns: sort keys of aggregates and windows, `min` and `max`. Must never know: how long an interval is.

use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Sort, WindowFunction};
use datafusion::logical_expr::{Expr, WindowFrameBound, WindowFrameUnits};

use crate::engine::planners::{Category, Operand, operand, refused};
use crate::error::Error;

/// What an interval sorts by.
pub(super) fn order(expr: Expr) -> Expr {
    operand::call(udfs::pg::spans::order(), vec![expr])
}

/// An aggregate that sorts by intervals, or is the least or greatest of them.
pub(super) fn aggregate(mut call: AggregateFunction, schema: &DFSchema) -> AggregateFunction {
    // The keys of DISTINCT are its arguments, and ordered sets sort for themselves.
    if !call.params.distinct && !call.func.supports_within_group_clause() {
        keys(&mut call.params.order_by, schema);
    }
    let (asc, [argument]) = (is_least(call.func.name()), call.params.args.as_slice()) else { return call };
    let Some(asc) = asc.filter(|_| is_span(argument, schema)) else { return call };
    let key = Sort { expr: order(argument.clone()), asc, nulls_first: false };
    let params = call.params;
    AggregateFunction::new_udf(first_value_udaf(), params.args, false, params.filter, vec![key], None)
}

/// A window call that sorts by intervals; the least and greatest of them over a window are 0A000.
pub(super) fn window(call: &mut WindowFunction, schema: &DFSchema) -> Result<()> {
    let is_extreme = is_least(call.fun.name()).is_some();
    if is_extreme && call.params.args.first().is_some_and(|argument| is_span(argument, schema)) {
        let message = format!("{} of intervals over a window is not supported", call.fun.name());
        return Err(refused(Error::unsupported(message)));
    }
    let frame = &call.params.window_frame;
    let is_offset = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(by) | WindowFrameBound::Following(by) => !by.is_null(),
        WindowFrameBound::CurrentRow => false,
    };
    // A distance from a key needs the key itself.
    if frame.units != WindowFrameUnits::Range || !(is_offset(&frame.start_bound) || is_offset(&frame.end_bound)) {
        keys(&mut call.params.order_by, schema);
    }
    Ok(())
}

fn keys(keys: &mut [Sort], schema: &DFSchema) {
    for key in keys.iter_mut().filter(|key| is_span(&key.expr, schema)) {
        key.expr = order(std::mem::replace(&mut key.expr, Expr::Literal(ScalarValue::Null, None)));
    }
}

fn is_least(function: &str) -> Option<bool> {
    match function {
        "min" => Some(true),
        "max" => Some(false),
        _ => None,
    }
}

fn is_span(expr: &Expr, schema: &DFSchema) -> bool {
    Operand::of(expr, schema).is_some_and(|operand| operand.category == Category::Interval)
}
