//! Casts between days, wall clocks and instants: a wall clock is the session's.
//!
//! Owns: where `udfs::pg::{timezone, day}` replace the plain casts, which read the zone that an array happens to carry,
//! fail in a gap of the clock, and know no infinity. Must never know: how they compute.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, cast, lit};
use datafusion::optimizer::AnalyzerRule;
use udfs::pg::{day, timezone};

use super::expressions;

#[derive(Debug)]
pub(super) struct ZonedCasts;

impl AnalyzerRule for ZonedCasts {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone = config.execution.time_zone.clone().unwrap_or_else(|| "UTC".to_owned());
        plan.transform_up_with_subqueries(|node| {
            expressions::rewrite(node, |expr, schema| replace(expr, schema, &zone))
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "zoned_casts"
    }
}

const CLOCK: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

fn replace(expr: Expr, schema: &DFSchema, zone: &str) -> Result<Transformed<Expr>> {
    use DataType as D;
    let Expr::Cast(Cast { expr: inner, field }) = expr else { return Ok(Transformed::no(expr)) };
    let (from, to) = (inner.get_type(schema)?, field.data_type());
    // A file's days are finite, and the pruning of its row groups sees through a cast.
    let is_column = matches!(inner.as_ref(), Expr::Column(_));
    let value = match (&from, to) {
        (D::Timestamp(_, Some(_)), D::Timestamp(_, None)) => local(*inner, zone),
        (D::Timestamp(_, Some(_)), D::Date32) => call(day::day(), vec![local(*inner, zone)]),
        (D::Timestamp(..), D::Date32) => {
            call(day::day(), vec![if from == CLOCK { *inner } else { cast(*inner, CLOCK) }])
        }
        (D::Date32, D::Timestamp(_, None)) if !is_column => call(day::midnight(), vec![*inner]),
        (D::Date32, D::Timestamp(_, Some(_))) => instant(call(day::midnight(), vec![*inner]), zone),
        (D::Timestamp(_, None), D::Timestamp(_, Some(_))) => instant(*inner, zone),
        _ => return Ok(Transformed::no(Expr::Cast(Cast { expr: inner, field }))),
    };
    // The cast is left to change units and the name of the zone, which move no instant.
    Ok(Transformed::yes(match value.get_type(schema)? == *to {
        true => value,
        false => Expr::Cast(Cast { expr: Box::new(value), field }),
    }))
}

fn local(instant: Expr, zone: &str) -> Expr {
    let instant = cast(instant, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    call(timezone::timezone(), vec![lit(zone), instant])
}

fn instant(clock: Expr, zone: &str) -> Expr {
    call(timezone::timezone(), vec![lit(zone), cast(clock, CLOCK)])
}

fn call(udf: std::sync::Arc<datafusion::logical_expr::ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(udf, args))
}
