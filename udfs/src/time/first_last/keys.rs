//! Times as keys that compare fast: whole numbers where they hold the order of the type, else bytes.
//!
//! Owns: PostgreSQL's order of each type, as a key. Must never know: whose time it is.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, new_null_array};
use arrow::compute::{and_not, cast, is_not_null, is_null, nullif};
use arrow::datatypes::{DataType, Float64Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit};
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;

use crate::pg::min_max::key_of_64;
use crate::pg::spans;

/// Which end of the times is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Least,
    Greatest,
}

impl Side {
    /// Whether a later row takes the place of an earlier one: rows of one time do not.
    pub(super) fn prefers<K: PartialOrd + ?Sized>(self, later: &K, earlier: &K) -> bool {
        match self {
            Self::Least => later < earlier,
            Self::Greatest => later > earlier,
        }
    }
}

/// The type of the keys of times of this type.
pub(super) fn key_type(time: &DataType) -> DataType {
    use DataType as D;
    match time {
        D::Null | D::Boolean | D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => D::Int64,
        D::Float16 | D::Float32 | D::Float64 | D::Date32 | D::Date64 => D::Int64,
        D::Time32(_) | D::Time64(_) | D::Timestamp(..) | D::Duration(_) => D::Int64,
        _ => D::Binary,
    }
}

/// The keys of times, NULL where these are.
pub(super) fn keys(times: &ArrayRef) -> Result<ArrayRef> {
    use DataType as D;
    Ok(match times.data_type() {
        D::Null => new_null_array(&D::Int64, times.len()),
        D::Date32 | D::Time32(_) => cast(&cast(times, &D::Int32)?, &D::Int64)?,
        D::Float16 | D::Float32 | D::Float64 => {
            let floats = cast(times, &D::Float64)?;
            // The zero with a sign equals the other.
            let keys: Int64Array = floats.as_primitive::<Float64Type>().unary(|float| key_of_64(float + 0.0));
            Arc::new(keys)
        }
        D::Interval(_) => {
            let spans = cast(times, &D::Interval(IntervalUnit::MonthDayNano))?;
            let lengths: Decimal128Array = spans.as_primitive::<IntervalMonthDayNanoType>().unary(spans::length);
            bytes(&(Arc::new(lengths) as ArrayRef))?
        }
        of if key_type(of) == D::Int64 => cast(times, &D::Int64)?,
        _ => bytes(times)?,
    })
}

fn bytes(times: &ArrayRef) -> Result<ArrayRef> {
    let converter = RowConverter::new(vec![SortField::new(times.data_type().clone())])?;
    let keys: ArrayRef = Arc::new(converter.convert_columns(std::slice::from_ref(times))?.try_into_binary()?);
    match times.logical_nulls() {
        Some(nulls) => Ok(nullif(&keys, &BooleanArray::new(!nulls.inner(), None))?),
        None => Ok(keys),
    }
}

/// The keys of the rows that fulfil the condition, NULL for the others.
pub(super) fn counting(keys: ArrayRef, condition: Option<&BooleanArray>) -> Result<ArrayRef> {
    let Some(condition) = condition else { return Ok(keys) };
    let out = match condition.null_count() {
        0 => arrow::compute::not(condition)?,
        _ => {
            let unknown = is_null(condition)?;
            let is_true = and_not(&BooleanArray::new(condition.values().clone(), None), &unknown)?;
            arrow::compute::not(&is_true)?
        }
    };
    debug_assert_eq!(is_not_null(&out)?.true_count(), out.len());
    Ok(nullif(&keys, &out)?)
}

/// Keys of either type, read by row.
pub(super) enum Read<'a> {
    Whole(&'a Int64Array),
    Bytes(&'a arrow::array::BinaryArray),
}

impl<'a> Read<'a> {
    pub(super) fn of(keys: &'a ArrayRef) -> Self {
        match keys.as_primitive_opt::<Int64Type>() {
            Some(whole) => Self::Whole(whole),
            None => Self::Bytes(keys.as_binary()),
        }
    }
}
