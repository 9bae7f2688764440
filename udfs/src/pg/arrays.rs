//! `array_length(array, dim)`, `array_lower`, `array_upper`, `array_ndims(array)`, `array_dims(array)`, `cardinality(array)`.
//!
//! Arrays count from 1, `int2vector` and `oidvector` from 0. An empty array has no dimension: all but `cardinality` (0) give NULL, as does a dimension that the
//! array lacks. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-array.html>
//!
//! ```sql
//! SELECT array_length(ARRAY[1, 2], 1), array_dims(ARRAY[1, 2]);  -- 2  [1:2]
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray};
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// `array_length`.
pub fn array_length() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::AnyArray, Ty::Int], Ty::Int4, |args| of_dimension(args, |length| length)),
        overload(&[Ty::AnyArray], Ty::Int4, |args| of_array(args, |dims| dims.first().copied())),
    ];
    function("array_length", &OVERLOADS)
}

/// `array_lower`.
pub fn array_lower() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::AnyArray, Ty::Int], Ty::Int4, lower)];
    function("array_lower", &OVERLOADS)
}

/// `array_upper`.
pub fn array_upper() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::AnyArray, Ty::Int], Ty::Int4, upper)];
    function("array_upper", &OVERLOADS)
}

/// `array_ndims`.
pub fn array_ndims() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::AnyArray], Ty::Int4, |args| {
        of_array(args, |dims| if dims.is_empty() { None } else { i32::try_from(dims.len()).ok() })
    })];
    function("array_ndims", &OVERLOADS)
}

/// `cardinality`.
pub fn cardinality() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::AnyArray], Ty::Int4, |args| {
        of_array(args, |dims| Some(if dims.is_empty() { 0 } else { dims.iter().product() }))
    })];
    function("cardinality", &OVERLOADS)
}

/// `array_dims`.
pub fn array_dims() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::AnyArray], Ty::Text, |args| {
        let arrays = args.list(0)?;
        args.build_text(|row| {
            let dims = dimensions(some!(arrays.get(row)))?;
            let text: String = dims.iter().map(|length| format!("[1:{length}]")).collect();
            Ok((!dims.is_empty()).then_some(text))
        })
    })];
    function("array_dims", &OVERLOADS)
}

fn lower(args: &Args<'_>) -> Result<ArrayRef> {
    if args.is_vector(0) { of_dimension(args, |_| 0) } else { of_dimension(args, |_| 1) }
}

fn upper(args: &Args<'_>) -> Result<ArrayRef> {
    if args.is_vector(0) { of_dimension(args, |length| length - 1) } else { of_dimension(args, |length| length) }
}

fn of_dimension(args: &Args<'_>, value: fn(i32) -> i32) -> Result<ArrayRef> {
    let (arrays, wanted) = (args.list(0)?, args.int(1)?);
    args.build::<Int32Type>(|row| {
        let (array, wanted) = (some!(arrays.get(row)), some!(wanted.get(row)));
        let index = some!(usize::try_from(wanted - 1).ok());
        Ok(dimensions(array)?.get(index).copied().map(value))
    })
}

fn of_array(args: &Args<'_>, value: fn(&[i32]) -> Option<i32>) -> Result<ArrayRef> {
    let arrays = args.list(0)?;
    args.build::<Int32Type>(|row| Ok(value(&dimensions(some!(arrays.get(row)))?)))
}

/// The lengths from the outside in; those of the first inner array stand for all, as PostgreSQL's are rectangular.
pub(super) fn dimensions(array: ArrayRef) -> Result<Vec<i32>, Error> {
    let mut lengths = Vec::new();
    let mut level = array;
    while !level.is_empty() {
        lengths.push(i32::try_from(level.len()).map_err(|_| Error::NumericOverflow("integer"))?);
        match level.as_any().downcast_ref::<ListArray>() {
            Some(inner) if inner.is_valid(0) => level = inner.value(0),
            _ => break,
        }
    }
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;
    use arrow::array::types::Int64Type;
    use datafusion::common::ScalarValue;

    #[test]
    fn an_empty_array_has_no_dimension() {
        let list = |items: Vec<Option<i64>>| {
            ScalarValue::List(Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(items)])))
        };
        let one = || ScalarValue::Int64(Some(1));
        let three = || list(vec![Some(1), None, Some(3)]);
        assert_eq!(shown(&array_length(), &[three(), one()]), "3");
        assert_eq!(shown(&array_upper(), &[three(), one()]), "3");
        assert_eq!(shown(&array_lower(), &[three(), one()]), "1");
        assert_eq!(shown(&array_length(), &[three(), ScalarValue::Int64(Some(2))]), "NULL");
        assert_eq!(shown(&array_dims(), &[three()]), "[1:3]");
        assert_eq!(shown(&array_ndims(), &[three()]), "1");
        assert_eq!(shown(&cardinality(), &[list(vec![])]), "0");
        for udf in [array_length(), array_lower(), array_upper()] {
            assert_eq!(shown(&udf, &[list(vec![]), one()]), "NULL");
        }
    }
}
