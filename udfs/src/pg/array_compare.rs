//! `lakegate_array_compare(a, b) -> integer` - the order of two arrays: below, at or above zero.
//!
//! Items compare from the left, a NULL above all others and equal to another; then the count of items, then the number of
//! dimensions and their lengths. Users never name it.
//! <https://www.postgresql.org/docs/16/functions-array.html>
//!
//! ```sql
//! SELECT ARRAY[1, NULL] > ARRAY[1, 2], ARRAY[[1], [2]] > ARRAY[1, 2];  -- t  t
//! ```

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, ListArray, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::array_items::flat;
use super::arrays::dimensions;
use crate::function::{Overload, Ty, function, overload};

/// The function.
pub fn array_compare() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::AnyArray, Ty::AnyArray], Ty::Int4, |args| {
        let (left, right) = (args.expanded(0)?, args.expanded(1)?);
        let nested = is_nested(&left) || is_nested(&right);
        let (left_items, right_items) = (without_negative_zero(flat(&left)?)?, without_negative_zero(flat(&right)?)?);
        let nulls_last = SortOptions { descending: false, nulls_first: false };
        let compare = make_comparator(&left_items, &right_items, nulls_last)?;
        args.build::<Int32Type>(|row| {
            if left.is_null(row) || right.is_null(row) {
                return Ok(None);
            }
            let order = match compare(row, row) {
                Ordering::Equal if nested => shapes(left.as_list(), right.as_list(), row)?,
                order => order,
            };
            Ok(Some(match order {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            }))
        })
    })];
    function("lakegate_array_compare", &OVERLOADS)
}

fn is_nested(array: &ArrayRef) -> bool {
    matches!(array.data_type(), DataType::List(item) if item.data_type().is_nested())
}

/// The order of arrays with the same items.
fn shapes(left: &ListArray, right: &ListArray, row: usize) -> Result<Ordering> {
    let (left, right) = (dimensions(left.value(row))?, dimensions(right.value(row))?);
    Ok(left.len().cmp(&right.len()).then_with(|| left.cmp(&right)))
}

/// The comparator tells the two zeros apart, PostgreSQL does not.
fn without_negative_zero(lists: ArrayRef) -> Result<ArrayRef> {
    let Some(list) = lists.as_list_opt::<i32>() else { return Ok(lists) };
    let values: ArrayRef = match list.values().data_type() {
        DataType::Float32 => {
            let positive: Float32Array = list.values().as_primitive::<Float32Type>().unary(|value| value + 0.0);
            Arc::new(positive)
        }
        DataType::Float64 => {
            let positive: Float64Array = list.values().as_primitive::<Float64Type>().unary(|value| value + 0.0);
            Arc::new(positive)
        }
        _ => return Ok(lists),
    };
    let DataType::List(item) = list.data_type() else { return Ok(lists) };
    let nulls = list.nulls().cloned();
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, nulls)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;
    use datafusion::common::ScalarValue;

    #[test]
    fn null_is_above_every_item_and_a_shorter_array_below() {
        let list = |items: &[Option<f64>]| {
            let items = [Some(items.to_vec())];
            ScalarValue::List(Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(items)))
        };
        for (left, right, expect) in [
            (vec![Some(1.0), None], vec![Some(1.0), None], "0"),
            (vec![Some(1.0), None], vec![Some(1.0), Some(f64::NAN)], "1"),
            (vec![Some(1.0)], vec![Some(1.0), None], "-1"),
            (vec![Some(0.0)], vec![Some(-0.0)], "0"),
            (vec![], vec![None], "-1"),
        ] {
            assert_eq!(shown(&array_compare(), &[list(&left), list(&right)]), expect, "{left:?} {right:?}");
        }
    }
}
