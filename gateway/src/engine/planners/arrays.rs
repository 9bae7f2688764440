//! `array = '{1,2}'`, `NULL || array`, `array < array`, `array && array`, `array @> array`.
//!
//! Owns: array literals beside arrays, and operators of two arrays. Must never know: other operators.

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::functions_nested::expr_fn::{array_has_all, array_has_any};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use sqlparser::ast::BinaryOperator;
use udfs::pg_type;

use super::operand::call;
use super::{Operand, undefined};

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
        if expr.op == BinaryOperator::StringConcat {
            beside_array(&mut expr, schema);
        }
        let sides = (list_type(&expr.left, schema), list_type(&expr.right, schema));
        if let (BinaryOperator::PGOverlap | BinaryOperator::AtArrow | BinaryOperator::ArrowAt, (Some(one), Some(other))) =
            (&expr.op, &sides)
            && differ(one, other)
            && let (Some(left), Some(right)) = (Operand::of(&expr.left, schema), Operand::of(&expr.right, schema))
        {
            return Err(undefined(&left, &expr.op, &right));
        }
        let RawBinaryExpr { op, left, right } = expr;
        Ok(match (&op, sides) {
            (BinaryOperator::PGOverlap, _) => {
                PlannerResult::Planned(array_has_any(flat(left, schema), flat(right, schema)))
            }
            (BinaryOperator::AtArrow, (Some(_), Some(_))) => {
                PlannerResult::Planned(array_has_all(flat(left, schema), flat(right, schema)))
            }
            (BinaryOperator::ArrowAt, (Some(_), Some(_))) => {
                PlannerResult::Planned(array_has_all(flat(right, schema), flat(left, schema)))
            }
            _ => PlannerResult::Original(RawBinaryExpr { op, left, right }),
        })
    }
}

/// NULL or a literal of unknown type beside an array is an array: PostgreSQL takes `anyarray || anyarray`.
fn beside_array(expr: &mut RawBinaryExpr, schema: &DFSchema) {
    let is_unknown = |side: &Expr| matches!(side, Expr::Literal(ScalarValue::Null | ScalarValue::Utf8(_), metadata) if metadata.is_none());
    if let Some(list) = list_type(&expr.left, schema).filter(|_| is_unknown(&expr.right)) {
        expr.right = cast(expr.right.clone(), list);
    } else if let Some(list) = list_type(&expr.right, schema).filter(|_| is_unknown(&expr.left)) {
        expr.left = cast(expr.left.clone(), list);
    }
}

/// Dimensions do not count where items are looked for.
fn flat(expr: Expr, schema: &DFSchema) -> Expr {
    match list_type(&expr, schema) {
        Some(DataType::List(item)) if matches!(item.data_type(), DataType::List(_)) => {
            call(udfs::pg::array_items::flatten(), vec![expr])
        }
        _ => expr,
    }
}

/// Whether both are arrays, of items whose types PostgreSQL has no operator for: `integer[] = bigint[]`. Types of texts
/// are not told apart here.
pub(super) fn differ(left: &DataType, right: &DataType) -> bool {
    let (Some((left, _)), Some((right, _))) = (items(left), items(right)) else { return false };
    let name = |item: &DataType| pg_type::sql_name(&Field::new("", item.clone(), true));
    !left.is_null() && !right.is_null() && name(left) != name(right)
}

/// The function that orders two arrays, where the planner's own comparison knows neither NULL in them nor dimensions.
pub(super) fn compares(op: &BinaryOperator, left: &DataType, right: &DataType) -> bool {
    let (Some((left_item, left_depth)), Some((right_item, right_depth))) = (items(left), items(right)) else {
        return false;
    };
    let is_equality = matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq);
    // An equality of the planner's own is one that can hash.
    left_item == right_item && (!is_equality || left_depth != right_depth || left_item.is_floating())
}

/// The type of the items, and how many dimensions they have.
fn items(of: &DataType) -> Option<(&DataType, usize)> {
    let DataType::List(item) = of else { return None };
    Some(items(item.data_type()).map_or((item.data_type(), 1), |(of, depth)| (of, depth + 1)))
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
