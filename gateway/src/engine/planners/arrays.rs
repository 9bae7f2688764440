//! `array = '{1,2}'`.
//!
//! Owns: array literals beside arrays. Must never know: other operators.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable};

/// `array = '{1,2}'`: a literal of unknown type takes the type of the other side, as in PostgreSQL.
#[derive(Debug)]
pub(in crate::engine) struct ArrayLiterals;

impl ExprPlanner for ArrayLiterals {
    fn plan_binary_op(&self, mut expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if let Some(list) = list_type(&expr.left, schema) {
            expr.right = as_list(expr.right, &list);
        } else if let Some(list) = list_type(&expr.right, schema) {
            expr.left = as_list(expr.left, &list);
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn list_type(expr: &Expr, schema: &DFSchema) -> Option<DataType> {
    let data_type = expr.get_type(schema).ok()?;
    matches!(data_type, DataType::List(_)).then_some(data_type)
}

/// The literal as a list, or the expression as it is: what is no array of one dimension is left to the planner's error.
pub(super) fn as_list(expr: Expr, list: &DataType) -> Expr {
    let (
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), metadata),
        DataType::List(item),
    ) = (&expr, list)
    else {
        return expr;
    };
    let Some(elements) = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { return expr };
    if elements.contains(['{', '"', '\\']) {
        return expr;
    }
    let element = |text: &str| match text.trim() {
        word if word.eq_ignore_ascii_case("null") => ScalarValue::try_from(item.data_type()),
        word => ScalarValue::try_from_string(word.to_owned(), item.data_type()),
    };
    let elements = elements.split(',').filter(|text| !text.trim().is_empty()).map(element).collect::<Result<Vec<_>>>();
    match elements {
        Ok(elements) => {
            let values = ScalarValue::new_list(&elements, item.data_type(), true);
            Expr::Literal(ScalarValue::List(values), metadata.clone())
        }
        Err(_) => expr,
    }
}
