//! `array[n]`, `vector[0]`, `name[0]`, `document['key']`.
//!
//! Owns: which function a subscript is, by the type of its value. Must never know: slices.
//! <https://www.postgresql.org/docs/16/arrays.html#ARRAYS-ACCESSING>

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, cast, lit};
use udfs::pg::array_subscript;
use udfs::pg_type;

use super::operand::call;
use super::{Operand, refused};
use crate::error::{Error, SqlState};

/// Plans subscripts.
#[derive(Debug)]
pub(in crate::engine) struct Subscripts;

impl ExprPlanner for Subscripts {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let key = match &access.field_access {
            GetFieldAccess::ListIndex { key } => Expr::clone(key),
            GetFieldAccess::NamedStructField { name } => Expr::Literal(name.clone(), None),
            GetFieldAccess::ListRange { .. } => return Ok(PlannerResult::Original(access)),
        };
        // Another subscript of the same array.
        if let Expr::ScalarFunction(ScalarFunction { func, mut args }) = access.expr.clone()
            && func.name() == array_subscript::NAME
        {
            args.push(key);
            return Ok(PlannerResult::Planned(call(func, args)));
        }
        let field = access.expr.to_field(schema)?.1;
        Ok(match (pg_type::tag(&field), field.data_type()) {
            (_, DataType::List(_)) => {
                PlannerResult::Planned(call(array_subscript::array_subscript(), vec![access.expr, key]))
            }
            (Some("name"), of) if !of.is_nested() => {
                let from_one = key + lit(1_i64);
                PlannerResult::Planned(call(udfs::pg::substr::substr(), vec![access.expr, from_one, lit(1_i64)]))
            }
            (Some("jsonb"), of) if !of.is_nested() => PlannerResult::Planned(member(access.expr, key, schema)?),
            (_, of) if of.is_nested() || of.is_null() => PlannerResult::Original(access),
            _ => {
                let of = pg_type::sql_name(&field);
                let message = format!("cannot subscript type {of} because it does not support subscripting");
                return Err(refused(Error::new(SqlState::DatatypeMismatch, message)));
            }
        })
    }
}

/// The member or element of a document: a subscript is one step of a path.
fn member(document: Expr, key: Expr, schema: &DFSchema) -> Result<Expr> {
    if let Some(operand) = Operand::of(&key, schema)
        && !operand.is_integer()
        && !operand.is_text()
    {
        let message = format!("subscript type {} is not supported", operand.name);
        return Err(refused(Error::new(SqlState::DatatypeMismatch, message)));
    }
    let step = datafusion::functions_nested::expr_fn::make_array(vec![cast(key, DataType::Utf8)]);
    super::json::call("lakegate_jsonb_path", document, step)
}
