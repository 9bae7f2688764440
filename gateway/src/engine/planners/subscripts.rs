//! `vector[0]`, `name[0]`.
//!
//! Owns: subscripts of the types that PostgreSQL counts from 0. Must never know: arrays, which count from 1.
//! <https://www.postgresql.org/docs/16/catalog-pg-index.html>

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, lit};
use udfs::pg_type;

/// Plans such a subscript as one of an array, or of a text.
#[derive(Debug)]
pub(in crate::engine) struct Subscripts;

impl ExprPlanner for Subscripts {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let GetFieldAccess::ListIndex { key } = &access.field_access else {
            return Ok(PlannerResult::Original(access));
        };
        let field = access.expr.to_field(schema)?.1;
        let from_one = || Expr::clone(key) + lit(1_i64);
        Ok(match pg_type::tag(&field) {
            Some("int2vector" | "oidvector") => PlannerResult::Original(RawFieldAccessExpr {
                field_access: GetFieldAccess::ListIndex { key: Box::new(from_one()) },
                expr: access.expr,
            }),
            Some("name") if !field.data_type().is_nested() => {
                let character =
                    super::operand::call(udfs::pg::substr::substr(), vec![access.expr, from_one(), lit(1_i64)]);
                PlannerResult::Planned(character)
            }
            _ => PlannerResult::Original(access),
        })
    }
}
