//! `array_remove(array, item)`, `array_replace(array, item, by)`, `trim_array(array, n)`, `array_fill(item, lengths)`,
//! `width_bucket(value, thresholds)`, and `lakegate_flatten(array)`, the one dimension that `unnest` makes of many.
//!
//! Every equal item is removed or replaced; NULL equals NULL there. `array_fill` makes one dimension. NULL gives NULL,
//! but a NULL item is an item. More items cut off than there are is 2202E.
//! <https://www.postgresql.org/docs/16/functions-array.html>
//!
//! ```sql
//! SELECT array_remove(ARRAY[1, 2, 1], 1), trim_array(ARRAY[1, 2, 3], 2), width_bucket(5, ARRAY[1, 3, 4, 6]);  -- {2}  {1}  3
//! ```

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, Scalar, UInt32Array, make_comparator};
use arrow::buffer::OffsetBuffer;
use arrow::compute::kernels::cmp::{distinct, not_distinct};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{SortOptions, concat, filter, take};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::sized::CHARS_MAX;
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

/// `array_remove`.
pub fn array_remove() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::AnyArray, Ty::Element], Returns::Same(0), |args| {
        one_dimension(args, "removing elements from multidimensional arrays")?;
        let items = args.expanded(1)?;
        each(args, |row, array| Ok(filter(array, &distinct(array, &Scalar::new(items.slice(row, 1)))?)?))
    })];
    function("array_remove", &OVERLOADS)
}

/// `array_replace`.
pub fn array_replace() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[Ty::AnyArray, Ty::Element, Ty::Element], Returns::Same(0), |args| {
            one_dimension(args, "replacing elements of multidimensional arrays")?;
            let (items, new) = (args.expanded(1)?, args.expanded(2)?);
            each(args, |row, array| {
                let equal = not_distinct(array, &Scalar::new(items.slice(row, 1)))?;
                Ok(zip(&equal, &Scalar::new(new.slice(row, 1)), array)?)
            })
        })];
    function("array_replace", &OVERLOADS)
}

/// `trim_array`.
pub fn trim_array() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::AnyArray, Ty::Int], Returns::Same(0), |args| {
        let counts = args.int(1)?;
        let is_null = |row| counts.get(row).is_none();
        each_unless(args, is_null, |row, array| {
            let count = counts.get(row).and_then(|count| usize::try_from(count).ok());
            match count.and_then(|count| array.len().checked_sub(count)) {
                Some(kept) => Ok(array.slice(0, kept)),
                None => {
                    let message = format!("number of elements to trim must be between 0 and {}", array.len());
                    Err(Error::ArraySubscript(message).into())
                }
            }
        })
    })];
    function("trim_array", &OVERLOADS)
}

/// `array_fill`.
pub fn array_fill() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[Ty::Any, Ty::AnyArray], Returns::From(|given| list_of(given.first())), fill)];
    function("array_fill", &OVERLOADS)
}

fn list_of(item: Option<&DataType>) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item.cloned().unwrap_or(DataType::Null), true)))
}

fn fill(args: &Args<'_>) -> Result<ArrayRef> {
    let (items, lengths) = (args.expanded(0)?, args.list(1)?);
    let null = || Error::NullNotAllowed("dimension array or low bound array cannot be null".to_owned());
    let (mut rows, mut counts, mut total) = (Vec::new(), Vec::new(), 0);
    for row in 0..args.rows {
        let lengths = arrow::compute::cast(&lengths.get(row).ok_or_else(null)?, &DataType::Int64)?;
        let length = match lengths.as_primitive::<Int64Type>().values().as_ref() {
            [] => 0,
            [length] if lengths.is_valid(0) => usize::try_from(*length).unwrap_or(0),
            [_] => return Err(Error::NullNotAllowed("dimension values cannot be null".to_owned()).into()),
            _ => return Err(Error::Unsupported("array_fill makes arrays of one dimension only".to_owned()).into()),
        };
        total += length;
        if total > CHARS_MAX {
            let message = format!("result of array_fill is larger than {CHARS_MAX} items");
            return Err(Error::LimitExceeded(message).into());
        }
        let row = u32::try_from(row).map_err(|_| Error::NumericOverflow("integer"))?;
        rows.extend(std::iter::repeat_n(row, length));
        counts.push(length);
    }
    let values = take(&items, &UInt32Array::from(rows), None)?;
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(counts), values, None)?))
}

/// How many of the ascending thresholds are not above the value.
pub(super) const THRESHOLDS: Overload = overload(&[Ty::Element, Ty::AnyArray], Ty::Int4, |args| {
    let (values, thresholds) = (args.expanded(0)?, args.list(1)?);
    args.build::<Int32Type>(|row| {
        let array = some!(thresholds.get(row));
        if values.is_null(row) {
            return Ok(None);
        }
        if array.null_count() > 0 {
            return Err(Error::NullNotAllowed("thresholds array must not contain NULLs".to_owned()).into());
        }
        let compare = make_comparator(&array, &values, SortOptions::default())?;
        let (mut low, mut high) = (0, array.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match compare(middle, row) {
                Ordering::Greater => high = middle,
                Ordering::Less | Ordering::Equal => low = middle + 1,
            }
        }
        Ok(i32::try_from(low).ok())
    })
});

/// `lakegate_flatten`.
pub fn flatten() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[Ty::AnyArray], Returns::From(|given| flat_type(given.first())), |args| {
            flat(&args.expanded(0)?)
        })];
    function("lakegate_flatten", &OVERLOADS)
}

/// The array of one dimension.
pub(super) fn flat(lists: &ArrayRef) -> Result<ArrayRef> {
    let mut lists = Arc::clone(lists);
    while let Some(flat) = flattened(lists.as_list::<i32>())? {
        lists = flat;
    }
    Ok(lists)
}

fn flat_type(array: Option<&DataType>) -> DataType {
    match array {
        Some(DataType::List(item)) => match item.data_type() {
            inner @ DataType::List(_) => flat_type(Some(inner)),
            _ => DataType::List(Arc::clone(item)),
        },
        other => other.cloned().unwrap_or(DataType::Null),
    }
}

/// Without the outermost of the inner dimensions, if there is one.
fn flattened(outer: &ListArray) -> Result<Option<ArrayRef>> {
    let Some(inner) = outer.values().as_list_opt::<i32>() else { return Ok(None) };
    let DataType::List(item) = inner.data_type() else { return Ok(None) };
    let offsets = inner.offsets();
    let bounds = outer.offsets().iter().map(|at| usize::try_from(*at).ok().and_then(|at| offsets.get(at)).copied());
    let Some(bounds) = bounds.collect::<Option<Vec<i32>>>() else { return Ok(None) };
    let offsets = OffsetBuffer::new(bounds.into());
    let values = Arc::clone(inner.values());
    Ok(Some(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, outer.nulls().cloned())?)))
}

/// 0A000 for arrays in arrays.
fn one_dimension(args: &Args<'_>, refused: &str) -> Result<()> {
    match args.array(0)?.data_type() {
        DataType::List(item) if item.data_type().is_nested() && !matches!(item.data_type(), DataType::Struct(_)) => {
            Err(Error::Unsupported(format!("{refused} is not supported")).into())
        }
        _ => Ok(()),
    }
}

fn each(args: &Args<'_>, change: impl FnMut(usize, &ArrayRef) -> Result<ArrayRef>) -> Result<ArrayRef> {
    each_unless(args, |_| false, change)
}

/// The array of every row changed; NULL where it or something else is.
fn each_unless(
    args: &Args<'_>,
    is_null: impl Fn(usize) -> bool,
    mut change: impl FnMut(usize, &ArrayRef) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let arrays = args.list(0)?;
    let (mut parts, mut known) = (Vec::with_capacity(args.rows), Vec::with_capacity(args.rows));
    for row in 0..args.rows {
        let array = arrays.get(row).filter(|_| !is_null(row));
        known.push(array.is_some());
        parts.push(array.map(|array| change(row, &array)).transpose()?);
    }
    let DataType::List(item) = args.returns else {
        return datafusion::common::exec_err!("{} is no array type", args.returns);
    };
    let lengths = OffsetBuffer::from_lengths(parts.iter().map(|part| part.as_ref().map_or(0, Array::len)));
    let parts: Vec<&dyn Array> = parts.iter().flatten().map(AsRef::as_ref).collect();
    let values = if parts.is_empty() { arrow::array::new_empty_array(item.data_type()) } else { concat(&parts)? };
    let nulls = BooleanArray::from(known).values().clone().into();
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), lengths, values, Some(nulls))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown};
    use datafusion::common::ScalarValue;

    fn list(items: &[Option<i64>]) -> ScalarValue {
        let items = Some(items.to_vec());
        ScalarValue::List(Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([items])))
    }

    #[test]
    fn every_equal_item_is_changed_and_null_is_an_item() {
        let int = |value: Option<i64>| ScalarValue::Int64(value);
        let given = || list(&[Some(1), None, Some(2), Some(1)]);
        let check = |udf: Arc<ScalarUDF>, args: &[ScalarValue], expect: &[Option<i64>]| {
            assert_eq!(call(&udf, args, true), Ok(list(expect)), "{}", udf.name());
            assert_eq!(call(&udf, args, false), Ok(list(expect)), "{}", udf.name());
        };
        check(array_remove(), &[given(), int(Some(1))], &[None, Some(2)]);
        check(array_remove(), &[given(), int(None)], &[Some(1), Some(2), Some(1)]);
        check(array_replace(), &[given(), int(Some(1)), int(Some(9))], &[Some(9), None, Some(2), Some(9)]);
        check(array_replace(), &[given(), int(None), int(Some(0))], &[Some(1), Some(0), Some(2), Some(1)]);
        check(trim_array(), &[given(), int(Some(3))], &[Some(1)]);
        check(array_fill(), &[int(Some(7)), list(&[Some(2)])], &[Some(7), Some(7)]);
        let refused = shown(&trim_array(), &[given(), int(Some(5))]);
        assert_eq!(refused, "number of elements to trim must be between 0 and 4");
    }

    #[test]
    fn dimensions_flatten_to_one() {
        let inner = ListArray::from_iter_primitive::<Int64Type, _, _>([
            Some(vec![Some(1), Some(2)]),
            Some(vec![Some(3), None]),
        ]);
        let item = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
        let outer = ListArray::try_new(item, OffsetBuffer::from_lengths([2]), Arc::new(inner), None).unwrap();
        let flat = call(&flatten(), &[ScalarValue::List(Arc::new(outer))], true);
        assert_eq!(flat, Ok(list(&[Some(1), Some(2), Some(3), None])));
        assert_eq!(call(&flatten(), &[list(&[Some(1)])], true), Ok(list(&[Some(1)])));
    }
}
