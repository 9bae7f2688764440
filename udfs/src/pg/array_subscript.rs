//! `lakegate_subscript(array, n, ...)` - the function behind `array[n]`, one subscript per dimension.
//!
//! Subscripts count from 1, those of `int2vector` and `oidvector` from 0. NULL outside of the array, and where there are
//! fewer or more subscripts than dimensions. Users never name it.
//! <https://www.postgresql.org/docs/16/arrays.html#ARRAYS-ACCESSING>
//!
//! ```sql
//! SELECT (ARRAY[1, 2])[2], (ARRAY[[1, 2], [3, 4]])[2][1], (ARRAY[[1, 2], [3, 4]])[2];  -- 2  3  NULL
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Args, Overload, Returns, Ty, function};

/// The name, by which a subscript of a subscript is known.
pub const NAME: &str = "lakegate_subscript";

/// The function.
pub fn array_subscript() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [Overload {
        args: &[Ty::AnyArray, Ty::Int],
        variadic: true,
        returns: Returns::From(|given| given.first().map_or(DataType::Null, item)),
        kernel,
    }];
    function(NAME, &OVERLOADS)
}

/// The type of what no dimension is left of.
fn item(of: &DataType) -> DataType {
    match of {
        DataType::List(inner) => item(inner.data_type()),
        other => other.clone(),
    }
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let mut values = args.expanded(0)?;
    let mut rows: Vec<Option<u32>> = (0..args.rows).map(|row| u32::try_from(row).ok()).collect();
    let first = if args.is_vector(0) { 0 } else { 1 };
    for at in 1..args.len() {
        let Some(lists) = values.as_list_opt::<i32>() else { return Ok(new_null_array(args.returns, args.rows)) };
        let subscripts = args.int(at)?;
        for (row, place) in rows.iter_mut().enumerate() {
            let list = place.and_then(|place| usize::try_from(place).ok()).filter(|place| lists.is_valid(*place));
            let item = list.zip(subscripts.get(row)).and_then(|(list, subscript)| {
                let (from, to) = (lists.offsets().get(list)?, lists.offsets().get(list + 1)?);
                let item = i64::from(*from).checked_add(subscript.checked_sub(first)?)?;
                (i64::from(*from) <= item && item < i64::from(*to)).then_some(item)
            });
            *place = item.and_then(|item| u32::try_from(item).ok());
        }
        values = Arc::clone(lists.values());
    }
    if values.as_list_opt::<i32>().is_some() {
        return Ok(new_null_array(args.returns, args.rows));
    }
    Ok(take(&values, &UInt32Array::from(rows), None)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown};
    use arrow::array::ListArray;
    use arrow::datatypes::Int64Type;
    use datafusion::common::ScalarValue;

    #[test]
    fn there_is_nothing_outside_of_an_array_nor_between_its_dimensions() {
        let int = |value: i64| ScalarValue::Int64(Some(value));
        let inner = || ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), Some(2)])]);
        let list = || ScalarValue::List(Arc::new(inner()));
        for (subscript, expect) in [(1, Some(1)), (2, Some(2)), (0, None), (-1, None), (3, None)] {
            for constant in [true, false] {
                let found = call(&array_subscript(), &[list(), int(subscript)], constant);
                assert_eq!(found, Ok(ScalarValue::Int64(expect)), "{subscript}");
            }
        }
        assert_eq!(shown(&array_subscript(), &[list(), int(1), int(1)]), "NULL");
        let nested = || ScalarValue::List(ScalarValue::new_list(&[list()], &list().data_type(), true));
        assert_eq!(shown(&array_subscript(), &[nested(), int(1), int(2)]), "2");
        assert_eq!(shown(&array_subscript(), &[nested(), int(1)]), "NULL");
    }
}
