//! Values that Arrow compares otherwise than PostgreSQL, where an expression or a sort compares them: by their keys.
//!
//! Owns: sort keys, `min` and `max`, IN, BETWEEN, CASE, `greatest`, and what else compares without an operator. Must never
//! know: what the keys are, and how rows are grouped.

use std::sync::Arc;

use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, Between, InList, ScalarFunction, Sort, WindowFunction};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Case, Expr, LogicalPlan, Operator, Projection, Subquery, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};

use crate::engine::planners::{Key, Operand, refused};
use crate::error::{Error, SqlState};

pub(super) fn key(expr: &Expr, schema: &DFSchema) -> Option<Key> {
    Operand::of(expr, schema).and_then(|operand| operand.key())
}

/// The sort by keys; json has no order (42883).
pub(super) fn sorted(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Sort(mut sort) = plan else { return Ok(plan) };
    for by in &mut sort.expr {
        let Some(operand) = Operand::of(&by.expr, sort.input.schema()) else { continue };
        if operand.json() == Some("json") {
            let message = "could not identify an ordering operator for type json";
            let hint = "Use an explicit ordering operator or modify the query.";
            return Err(refused(Error::new(SqlState::UndefinedFunction, message).hint(hint)));
        }
        if let Some(key) = operand.key() {
            by.expr = key.of(by.expr.clone());
        }
    }
    Ok(LogicalPlan::Sort(sort))
}

/// An aggregate that sorts by keys, or is the value of the least or greatest of them.
pub(super) fn aggregate(mut call: AggregateFunction, schema: &DFSchema) -> Result<AggregateFunction> {
    let is_ordered_set = call.func.supports_within_group_clause();
    // The keys of DISTINCT are its arguments, and ordered sets sort for themselves.
    if !call.params.distinct && !is_ordered_set {
        sorts(&mut call.params.order_by, schema);
    }
    let name = call.func.name().to_owned();
    if is_ordered_set {
        let mut sorted = call.params.args.iter().chain(call.params.order_by.iter().map(|by| &by.expr));
        if sorted.any(|arg| key(arg, schema) == Some(Key::ZonedTime)) {
            return Err(unsupported(format!("{name} of times with time zone is not supported")));
        }
        return Ok(call);
    }
    let [argument] = call.params.args.as_mut_slice() else { return Ok(call) };
    let Some(key) = key(argument, schema) else { return Ok(call) };
    match (name.as_str(), key) {
        ("min" | "max", Key::Span | Key::ZonedTime) => {
            let udaf = if name == "min" { udfs::pg::extremes::least() } else { udfs::pg::extremes::greatest() };
            let args = vec![argument.clone(), key.of(argument.clone())];
            Ok(AggregateFunction::new_udf(udaf, args, false, call.params.filter, Vec::new(), None))
        }
        ("count", key) if call.params.distinct && key.unites() => {
            *argument = key.of(argument.clone());
            Ok(call)
        }
        // It would be distinct and sorted by what Arrow compares.
        (_, Key::Span | Key::ZonedTime) if call.params.distinct && name != "count" => {
            Err(unsupported(format!("{name}(DISTINCT) of this type is not supported")))
        }
        _ => Ok(call),
    }
}

/// A window call that sorts and parts rows by keys, or is the value of the least or greatest of them.
pub(super) fn window(call: &mut WindowFunction, schema: &DFSchema) {
    if let ("min" | "max", [argument]) = (call.fun.name(), call.params.args.as_slice())
        && let Some(key @ (Key::Span | Key::ZonedTime)) = key(argument, schema)
    {
        let udaf = if call.fun.name() == "min" { udfs::pg::extremes::least() } else { udfs::pg::extremes::greatest() };
        call.params.args.push(key.of(argument.clone()));
        call.fun = WindowFunctionDefinition::AggregateUDF(udaf);
    }
    for by in &mut call.params.partition_by {
        if let Some(key) = key(by, schema).filter(|key| key.unites()) {
            *by = key.of(taken(by));
        }
    }
    let frame = &call.params.window_frame;
    let is_offset = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(by) | WindowFrameBound::Following(by) => !by.is_null(),
        WindowFrameBound::CurrentRow => false,
    };
    // A distance from a key needs the key itself.
    if frame.units != WindowFrameUnits::Range || !(is_offset(&frame.start_bound) || is_offset(&frame.end_bound)) {
        sorts(&mut call.params.order_by, schema);
    }
}

fn sorts(sorts: &mut [Sort], schema: &DFSchema) {
    for by in sorts {
        if let Some(key) = key(&by.expr, schema) {
            by.expr = key.of(taken(&mut by.expr));
        }
    }
}

pub(super) fn in_list(list: InList, schema: &DFSchema) -> InList {
    match key(&list.expr, schema) {
        Some(key) => InList {
            expr: Box::new(key.of(*list.expr)),
            list: list.list.into_iter().map(|item| key.of(item)).collect(),
            negated: list.negated,
        },
        None => list,
    }
}

pub(super) fn between(between: Between, schema: &DFSchema) -> Between {
    match key(&between.expr, schema) {
        Some(key) => {
            let [expr, low, high] = [between.expr, between.low, between.high].map(|side| Box::new(key.of(*side)));
            Between { expr, low, high, ..between }
        }
        None => between,
    }
}

/// `CASE x WHEN y`.
pub(super) fn case(case: &mut Case, schema: &DFSchema) {
    let Some(compared) = &mut case.expr else { return };
    let Some(key) = key(compared, schema) else { return };
    **compared = key.of(taken(compared));
    for (when, _) in &mut case.when_then_expr {
        **when = key.of(taken(when));
    }
}

/// IS DISTINCT FROM and its like.
pub(super) fn binary(binary: &mut BinaryExpr, schema: &DFSchema) {
    let Some(key) = key(&binary.left, schema).or_else(|| key(&binary.right, schema)) else { return };
    for side in [&mut binary.left, &mut binary.right] {
        **side = key.of(taken(side));
    }
}

/// The functions that compare their arguments.
const COMPARES: &[&str] = &[
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_position",
    "array_positions",
    "greatest",
    "least",
    "nullif",
];

/// A function that compares its arguments.
pub(super) fn function(mut call: ScalarFunction, schema: &DFSchema) -> Expr {
    // The type of an argument is not asked for nothing: it takes as long as the argument is.
    if !COMPARES.contains(&call.func.name()) {
        return Expr::ScalarFunction(call);
    }
    let Some(key) = call.args.iter().find_map(|arg| key(arg, schema)) else { return Expr::ScalarFunction(call) };
    match (call.func.name(), call.args.as_slice()) {
        ("greatest", _) => extreme(&call.args, key, Operator::GtEq),
        ("least", _) => extreme(&call.args, key, Operator::LtEq),
        ("nullif", [left, right]) => {
            let is_equal = compare(key.of(left.clone()), Operator::Eq, key.of(right.clone()));
            let none = Expr::Literal(ScalarValue::Null, None);
            Expr::Case(Case::new(None, vec![(Box::new(is_equal), Box::new(none))], Some(Box::new(left.clone()))))
        }
        (_, [_, _]) if matches!(key, Key::Span | Key::ZonedTime) => {
            call.args = call.args.into_iter().map(|arg| key.of(arg)).collect();
            Expr::ScalarFunction(call)
        }
        _ => Expr::ScalarFunction(call),
    }
}

/// The first value that no other one is beyond; NULL does not count.
fn extreme(values: &[Expr], key: Key, op: Operator) -> Expr {
    let branches = values.iter().enumerate().map(|(at, value)| {
        let others = values.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| {
            let holds = compare(key.of(value.clone()), op, key.of(other.clone()));
            Expr::IsNotFalse(Box::new(holds))
        });
        let is_first = std::iter::once(Expr::IsNotNull(Box::new(value.clone()))).chain(others);
        let condition = conjunction(is_first).unwrap_or_else(|| Expr::Literal(ScalarValue::Boolean(Some(true)), None));
        (Box::new(condition), Box::new(value.clone()))
    });
    Expr::Case(Case::new(None, branches.collect(), None))
}

fn compare(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// The subquery whose values `expr` is compared with, and `expr`: both by their keys.
pub(super) fn among(expr: &mut Expr, subquery: &mut Subquery, schema: &DFSchema) -> Result<()> {
    let inner = subquery.subquery.schema();
    let Some(column) = inner.columns().into_iter().next().filter(|_| inner.fields().len() == 1) else { return Ok(()) };
    let column = Expr::Column(column);
    let Some(operand) = Operand::of(&column, inner) else { return Ok(()) };
    if let Some(sought) = Operand::of(expr, schema) {
        operand.give_type(expr, &sought)?;
    }
    let Some(key) = operand.key().filter(|key| Operand::of(expr, schema).is_some_and(|of| of.key() == Some(*key)))
    else {
        return Ok(());
    };
    let (relation, name) = column.qualified_name();
    let keyed = key.of(column).alias_qualified(relation, name);
    let plan = Projection::try_new(vec![keyed], Arc::clone(&subquery.subquery))?;
    subquery.subquery = Arc::new(LogicalPlan::Projection(plan));
    *expr = key.of(taken(expr));
    Ok(())
}

fn taken(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None))
}

fn unsupported(message: String) -> datafusion::common::DataFusionError {
    refused(Error::unsupported(message))
}
