//! Results that are rows of numeric constants, such as `SELECT 1 UNION SELECT 2.5`, or the least or greatest of such.
//!
//! Owns: which result columns show every value with its own decimals, as PostgreSQL's numerics do. Must never know: what
//! is computed of such rows: that has the scale of the column. Zeros at the end of a fraction are kept by a column of one
//! scale alone, so a column where one constant ends so keeps it.

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, LogicalPlan, Projection, cast};
use udfs::pg::numeric::kind;
use udfs::pg_type;

/// The constants of a column, each with its decimals; `None` where something else is in it.
pub(super) type Constants = Option<Vec<(i128, u32)>>;

/// What the result columns hold, before the rules on types cast it.
pub(super) fn columns(plan: &LogicalPlan) -> Vec<Constants> {
    let column = |at| {
        let mut constants = Vec::new();
        collect(plan, at, &mut constants).map(|()| constants)
    };
    (0..plan.schema().fields().len()).map(column).collect()
}

/// The plan with its results shown so.
pub(super) fn shown(plan: LogicalPlan, constants: &[Constants]) -> Result<LogicalPlan> {
    let fields = plan.schema().fields().iter();
    let columns: Vec<bool> =
        fields.zip(constants).map(|(field, of)| of.as_ref().is_some_and(|of| is_own(field, of))).collect();
    if !columns.contains(&true) || columns.len() != plan.schema().fields().len() {
        return Ok(plan);
    }
    let exprs = plan.schema().iter().zip(columns).map(|((relation, field), is_own)| {
        let column = Expr::Column(Column::new(relation.cloned(), field.name()));
        match is_own {
            true => cast(column, kind::OWN).alias_qualified(relation.cloned(), field.name()),
            false => column,
        }
    });
    Ok(LogicalPlan::Projection(Projection::try_new(exprs.collect(), plan.into())?))
}

/// Whether the constants have several scales, and all show as they are written.
fn is_own(field: &Field, constants: &[(i128, u32)]) -> bool {
    let DataType::Decimal128(_, scale) = field.data_type() else { return false };
    if kind::shown(field.data_type()) != kind::Shown::Fixed {
        return false;
    }
    let fits = |(value, of): &(i128, u32)| {
        let kept = 16_u32.checked_sub(*of).and_then(|more| value.checked_mul(10_i128.checked_pow(more)?));
        kept.is_some_and(|kept| kept.unsigned_abs() < 10_u128.pow(38)) && (*of == 0 || value % 10 != 0)
    };
    constants.iter().any(|(_, of)| i64::from(*of) < i64::from(*scale)) && constants.iter().all(fits)
}

fn collect(plan: &LogicalPlan, at: usize, found: &mut Vec<(i128, u32)>) -> Option<()> {
    match plan {
        LogicalPlan::Sort(sort) => collect(&sort.input, at, found),
        LogicalPlan::Limit(limit) => collect(&limit.input, at, found),
        LogicalPlan::Distinct(Distinct::All(input)) => collect(input, at, found),
        LogicalPlan::SubqueryAlias(alias) => collect(&alias.input, at, found),
        LogicalPlan::Filter(filter) => collect(&filter.input, at, found),
        LogicalPlan::Values(values) => {
            values.values.iter().try_for_each(|row| constant(unwidened(row.get(at)?), found))
        }
        LogicalPlan::Aggregate(aggregate) => {
            let input = &aggregate.input;
            let passed_on = passed_on(aggregate, at)?;
            collect(input, input.schema().maybe_index_of_column(passed_on)?, found)
        }
        LogicalPlan::Union(union) => union.inputs.iter().try_for_each(|input| collect(input, at, found)),
        LogicalPlan::Projection(projection) => {
            let input = &projection.input;
            match uncast(projection.expr.get(at)?) {
                Expr::Column(column) => collect(input, input.schema().maybe_index_of_column(column)?, found),
                expr => constant(expr, found),
            }
        }
        _ => None,
    }
}

fn constant(expr: &Expr, found: &mut Vec<(i128, u32)>) -> Option<()> {
    let value = match uncast(expr) {
        Expr::Literal(value, _) if value.is_null() => return Some(()),
        Expr::Literal(ScalarValue::Decimal128(Some(value), _, scale), _) => (*value, u32::try_from(*scale).ok()?),
        Expr::Literal(ScalarValue::Int32(Some(value)), _) => (i128::from(*value), 0),
        Expr::Literal(ScalarValue::Int64(Some(value)), _) => (i128::from(*value), 0),
        Expr::Negative(of) => {
            constant(of, found)?;
            let (value, _) = found.last_mut()?;
            *value = -*value;
            return Some(());
        }
        _ => return None,
    };
    found.push(value);
    Some(())
}

/// The column whose values a column of an aggregate shows as they are: a key, the least or the greatest.
fn passed_on(aggregate: &Aggregate, at: usize) -> Option<&Column> {
    let (groups, numbers): (Vec<&Expr>, usize) = match aggregate.group_expr.as_slice() {
        [Expr::GroupingSet(sets)] => (sets.distinct_expr(), 1),
        keys => (keys.iter().collect(), 0),
    };
    let expr = match at.checked_sub(groups.len()) {
        None => groups.get(at)?,
        Some(at) if at < numbers => return None,
        Some(at) => match bare(aggregate.aggr_expr.get(at - numbers)?) {
            Expr::AggregateFunction(call) if matches!(call.func.name(), "min" | "max") => call.params.args.first()?,
            _ => return None,
        },
    };
    match bare(expr) {
        Expr::Column(column) => Some(column),
        _ => None,
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => bare(&alias.expr),
        expr => expr,
    }
}

/// A cell of VALUES without the planner's cast to the type of its column. A client's own of a number is none any more.
fn unwidened(cell: &Expr) -> &Expr {
    match cell {
        Expr::Cast(cast) if cast.field.data_type().is_decimal() && pg_type::tag(&cast.field).is_none() => &cast.expr,
        cell => cell,
    }
}

/// The expression without the casts of small numbers to `integer`.
fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => uncast(&alias.expr),
        Expr::Cast(cast) if cast.field.data_type().is_integer() => uncast(&cast.expr),
        expr => expr,
    }
}
