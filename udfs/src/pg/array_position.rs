//! `array_position(array, item [, from])`, `array_positions(array, item)` - where an item is, counted from 1.
//!
//! NULL equals NULL there. The first is NULL where the item is not, the second an empty array. A NULL array gives NULL, a
//! NULL to begin from is 22004.
//! <https://www.postgresql.org/docs/16/functions-array.html>
//!
//! ```sql
//! SELECT array_position(ARRAY['a', 'b', 'a'], 'a', 2), array_positions(ARRAY['a', 'b', 'a'], 'a');  -- 3  {1,3}
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Builder, ListBuilder, Scalar};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

/// `array_position`.
pub fn array_position() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::AnyArray, Ty::Element], Ty::Int4, |args| first(args, |_| Ok(1))),
        overload(&[Ty::AnyArray, Ty::Element, Ty::Int], Ty::Int4, |args| {
            let starts = args.int(2)?;
            let null = || Error::NullNotAllowed("initial position must not be null".to_owned());
            first(args, |row| Ok(starts.get(row).ok_or_else(null)?))
        }),
    ];
    function("array_position", &OVERLOADS)
}

/// `array_positions`.
pub fn array_positions() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(
        &[Ty::AnyArray, Ty::Element],
        Returns::From(|_| DataType::new_list(DataType::Int32, true)),
        |args| {
            let (arrays, items) = (args.list(0)?, args.expanded(1)?);
            let mut out = ListBuilder::new(Int32Builder::new());
            for row in 0..args.rows {
                let Some(array) = arrays.get(row) else {
                    out.append_null();
                    continue;
                };
                let equal = equal(&array, &items, row)?;
                (1..).zip(equal.values()).filter(|(_, equal)| *equal).for_each(|(at, _)| out.values().append_value(at));
                out.append(true);
            }
            Ok(Arc::new(out.finish()))
        },
    )];
    function("array_positions", &OVERLOADS)
}

fn first(args: &Args<'_>, start: impl Fn(usize) -> Result<i64>) -> Result<ArrayRef> {
    let (arrays, items) = (args.list(0)?, args.expanded(1)?);
    args.build::<Int32Type>(|row| {
        let array = some!(arrays.get(row));
        let start = start(row)?;
        let equal = equal(&array, &items, row)?;
        let found = (1_i32..).zip(equal.values()).find(|(at, equal)| *equal && i64::from(*at) >= start);
        Ok(found.map(|(at, _)| at))
    })
}

/// Which items of the array are the one of the row.
fn equal(array: &ArrayRef, items: &ArrayRef, row: usize) -> Result<BooleanArray> {
    if matches!(array.data_type(), DataType::List(_)) {
        let message = "searching for elements in multidimensional arrays is not supported";
        return Err(Error::Unsupported(message.to_owned()).into());
    }
    Ok(not_distinct(array, &Scalar::new(items.slice(row, 1)))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;
    use arrow::array::ListArray;
    use datafusion::common::ScalarValue;

    #[test]
    fn items_are_found_from_a_position_and_null_is_one() {
        let list = |items: &[Option<i32>]| {
            let items = Some(items.to_vec());
            ScalarValue::List(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([items])))
        };
        let int = |value: Option<i32>| ScalarValue::Int32(value);
        let given = || list(&[Some(7), None, Some(7)]);
        for (item, from, expect) in
            [(Some(7), 1, Some(1)), (Some(7), 2, Some(3)), (None, 1, Some(2)), (Some(5), 1, None)]
        {
            let args = [given(), int(item), ScalarValue::Int64(Some(from))];
            assert_eq!(call(&array_position(), &args, true), Ok(int(expect)), "{item:?} from {from}");
        }
        assert_eq!(call(&array_positions(), &[given(), int(Some(7))], true), Ok(list(&[Some(1), Some(3)])));
        assert_eq!(call(&array_positions(), &[given(), int(Some(5))], false), Ok(list(&[])));
    }
}
