//! Expressions whose type in PostgreSQL follows what they are given, where the planner has one type for all.
//!
//! Owns: when a plan is looked through for them; `x::numeric`, which changes no value, so that `1::numeric` is `1` and
//! `1.50::numeric` is `1.50`; and `generate_series`, whose integers are as wide as its bounds. Must never know: literals,
//! which the rewrite reads. It follows planning and precedes type coercion, which would widen what stands beside.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, LogicalPlan};
use udfs::pg_type::is_unconstrained;

use super::distinct_on;
use super::object_casts::{self, Functions};
use super::tags;

pub(super) fn settle(plan: LogicalPlan, functions: Functions<'_>) -> Result<LogicalPlan> {
    if !any(&plan)? {
        return Ok(plan);
    }
    let settled = plan.transform_up_with_subqueries(|node| rewrite_node(node, functions))?;
    settled.data.recompute_schema()
}

/// Whether there is anything to do: most plans have neither, and are left alone.
fn any(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found = found || object_casts::concerns_node(node) || concerns_node(node);
        if found {
            return Ok(TreeNodeRecursion::Stop);
        }
        node.apply_expressions(|expr| {
            found = found || expr.exists(|expr| Ok(concerns(expr)))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

fn concerns_node(plan: &LogicalPlan) -> bool {
    matches!(
        plan,
        LogicalPlan::Unnest(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::RecursiveQuery(_)
            | LogicalPlan::Distinct(Distinct::On(_))
    )
}

fn concerns(expr: &Expr) -> bool {
    match expr {
        Expr::Cast(cast) => is_unconstrained(&cast.field),
        expr if is_series(expr) || object_casts::concerns(expr) => true,
        Expr::ScalarFunction(function) if tags::reads(function.func.name()) => true,
        other => tags::concerns(other),
    }
}

fn rewrite_node(plan: LogicalPlan, functions: Functions<'_>) -> Result<Transformed<LogicalPlan>> {
    let plan = match plan {
        LogicalPlan::Unnest(unnest) => return tags::elements(unnest),
        LogicalPlan::Union(union) => return tags::union(union),
        LogicalPlan::RecursiveQuery(query) => return tags::recursive(query),
        LogicalPlan::Distinct(Distinct::On(on)) => {
            let Some((computed, exprs)) = distinct_on::below(&on)? else {
                return Ok(Transformed::no(LogicalPlan::Distinct(Distinct::On(on))));
            };
            let computed = rewrite_node(computed, functions)?.data;
            return distinct_on::over(on, computed, &exprs).map(Transformed::yes);
        }
        other => other,
    };
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        schema.merge(&scan.projected_schema);
    }
    let names = NamePreserver::new(&plan);
    let gives_columns = matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
    plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let rewritten = expr.transform_up(|expr| match expr {
            Expr::Cast(cast) if is_unconstrained(&cast.field) => {
                let from = cast.expr.get_type(&schema)?;
                Ok(unchanged(cast, &from))
            }
            expr if is_series(&expr) => series(expr, &schema),
            Expr::ScalarFunction(function) if tags::reads(function.func.name()) => tags::tell(function, &schema),
            other => object_casts::rewrite(other, &schema, functions),
        })?;
        let rewritten =
            if rewritten.transformed { rewritten.update_data(|expr| name.restore(expr)) } else { rewritten };
        if gives_columns { rewritten.transform_data(|expr| tags::output(expr, &schema)) } else { Ok(rewritten) }
    })?
    .map_data(LogicalPlan::recompute_schema)
}

fn is_series(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(function) if function.func.name() == "generate_series")
}

fn unchanged(cast: Cast, from: &DataType) -> Transformed<Expr> {
    let digits = match from {
        from if from.is_decimal() => return Transformed::yes(*cast.expr),
        DataType::Int8 | DataType::UInt8 => 3,
        DataType::Int16 | DataType::UInt16 => 5,
        DataType::Int32 | DataType::UInt32 => 10,
        DataType::Int64 | DataType::UInt64 => 20,
        _ => return Transformed::no(Expr::Cast(cast)),
    };
    let field = cast.field.as_ref().clone().with_data_type(DataType::Decimal128(digits, 0));
    Transformed::yes(Expr::Cast(Cast::new_from_field(cast.expr, field.into())))
}

/// The function makes `bigint`; of bounds that are `integer` the elements are too.
fn series(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(function) = &expr else { return Ok(Transformed::no(expr)) };
    let mut narrow = true;
    for arg in &function.args {
        narrow = narrow && matches!(arg.get_type(schema)?, DataType::Int8 | DataType::Int16 | DataType::Int32);
    }
    if !narrow {
        return Ok(Transformed::no(expr));
    }
    let integers = DataType::new_list(DataType::Int32, true);
    Ok(Transformed::yes(Expr::Cast(Cast::new(Box::new(expr), integers))))
}
