//! `lakegate_array_slice(array, from, to, ...)` - the function behind `array[from:to]`, one pair per dimension.
//!
//! Bounds count from 1 and may lie outside; what is not there is left out. NULL as the array or as a bound gives NULL.
//! <https://www.postgresql.org/docs/16/arrays.html#ARRAYS-ACCESSING>
//!
//! ```sql
//! SELECT (ARRAY[1, 2, 3])[2:], (ARRAY[[1, 2], [3, 4]])[1:2][1:1];  -- {2,3}  {{1},{3}}
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, NullBufferBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Args, Overload, Returns, Ty, function};

/// The function.
pub fn array_slice() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [Overload { args: &[Ty::AnyArray, Ty::Int], variadic: true, returns: Returns::Same(0), kernel }];
    function("lakegate_array_slice", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let arrays = args.list(0)?;
    let bounds = (1..args.len()).map(|index| args.int(index)).collect::<Result<Vec<_>>>()?;
    let (mut parts, mut nulls) = (Vec::with_capacity(args.rows), NullBufferBuilder::new(args.rows));
    for row in 0..args.rows {
        let of_row: Option<Vec<i64>> = bounds.iter().map(|bound| bound.get(row)).collect();
        let part = match (arrays.get(row), of_row) {
            (Some(array), Some(bounds)) => Some(slice(&array, &bounds)?),
            _ => None,
        };
        nulls.append(part.is_some());
        parts.push(part);
    }
    let DataType::List(item) = args.returns else { return exec_err!("{} is no array type", args.returns) };
    let lengths = OffsetBuffer::from_lengths(parts.iter().map(|part| part.as_ref().map_or(0, Array::len)));
    let parts: Vec<&dyn Array> = parts.iter().flatten().map(AsRef::as_ref).collect();
    let values = if parts.is_empty() { arrow::array::new_empty_array(item.data_type()) } else { concat(&parts)? };
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), lengths, values, nulls.finish())?))
}

/// The items within the first pair of bounds, each cut by the others.
fn slice(array: &ArrayRef, bounds: &[i64]) -> Result<ArrayRef> {
    let [from, to, inner @ ..] = bounds else { return Ok(Arc::clone(array)) };
    let length = array.len();
    let from = usize::try_from(from.saturating_sub(1)).unwrap_or(0).min(length);
    let to = usize::try_from(*to).unwrap_or(0).clamp(from, length);
    let kept = array.slice(from, to - from);
    let Some(lists) = kept.as_list_opt::<i32>().filter(|_| !inner.is_empty()) else { return Ok(kept) };
    let DataType::List(item) = lists.data_type() else { return Ok(kept) };
    let parts = lists.iter().flatten().map(|list| slice(&list, inner)).collect::<Result<Vec<_>>>()?;
    // An array without items has no dimension at all.
    if parts.iter().all(|part| part.is_empty()) {
        return Ok(arrow::array::new_empty_array(kept.data_type()));
    }
    let lengths = OffsetBuffer::from_lengths(parts.iter().map(Array::len));
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), lengths, concat(&parts)?, None)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown};
    use arrow::datatypes::Int64Type;
    use datafusion::common::ScalarValue;

    #[test]
    fn bounds_outside_leave_out_what_is_not_there() {
        let list = |items: &[i64]| {
            let items = Some(items.iter().copied().map(Some).collect::<Vec<_>>());
            ScalarValue::List(Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([items])))
        };
        let int = |value: i64| ScalarValue::Int64(Some(value));
        for (from, to, expect) in
            [(2, 3, vec![2, 3]), (-5, 1, vec![1]), (3, 2, vec![]), (2, 99, vec![2, 3]), (9, 99, vec![])]
        {
            let given = [list(&[1, 2, 3]), int(from), int(to)];
            assert_eq!(call(&array_slice(), &given, true), Ok(list(&expect)), "{from}:{to}");
        }
        assert_eq!(shown(&array_slice(), &[list(&[1]), ScalarValue::Int64(None), int(1)]), "NULL");
    }
}
