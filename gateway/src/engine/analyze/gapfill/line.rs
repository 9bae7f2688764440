//! Values on the straight line between two points.
//!
//! Owns: how numbers of each type are interpolated and rounded. Must never know: rows, series.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use datafusion::common::{DataFusionError, Result};

/// A time, and the times and places of the values on either side of it.
pub(super) type Point = (i64, (i64, usize), (i64, usize));

/// The values at some points; `None` if there is no line through values of this type.
pub(super) fn between(values: &ArrayRef, points: &[Option<Point>]) -> Result<Option<ArrayRef>> {
    Ok(Some(match values.data_type() {
        DataType::Int16 => of::<Int16Type>(values, points, whole)?,
        DataType::Int32 => of::<Int32Type>(values, points, whole)?,
        DataType::Int64 => of::<Int64Type>(values, points, whole)?,
        DataType::Float32 => of::<Float32Type>(values, points, single)?,
        DataType::Float64 => of::<Float64Type>(values, points, double)?,
        _ => return Ok(None),
    }))
}

/// How far a time is from the one before and from the one behind, and the values of both.
struct Between<T> {
    before: T,
    behind: T,
    passed: i128,
    left: i128,
}

fn of<T: ArrowPrimitiveType>(
    values: &ArrayRef,
    points: &[Option<Point>],
    value: fn(Between<T::Native>) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let values = values.as_primitive::<T>();
    let at = |point: &Option<Point>| {
        let Some((time, (from, before), (to, behind))) = *point else { return Ok(None) };
        let (before, behind) = (values.value(before), values.value(behind));
        if from == to {
            return Ok(Some(before));
        }
        let [time, from, to] = [time, from, to].map(i128::from);
        match value(Between { before, behind, passed: time - from, left: to - time }) {
            Some(value) => Ok(Some(value)),
            None => Err(DataFusionError::External(Box::new(udfs::Error::NumericOverflow("bigint")))),
        }
    };
    let values: PrimitiveArray<T> = points.iter().map(at).collect::<Result<_>>()?;
    Ok(Arc::new(values))
}

/// The nearest whole number, the one farther from zero of two.
fn whole<T: Copy + Into<i64> + TryFrom<i128>>(line: Between<T>) -> Option<T> {
    let [before, behind] = [line.before, line.behind].map(|value| i128::from(value.into()));
    let sum = before.checked_mul(line.left)?.checked_add(behind.checked_mul(line.passed)?)?;
    let span = line.left + line.passed;
    let (whole, rest) = (sum / span, sum % span);
    let nearest = if rest.abs().checked_mul(2)? >= span { whole + sum.signum() } else { whole };
    T::try_from(nearest).ok()
}

fn single(line: Between<f32>) -> Option<f32> {
    let Between { before, behind, passed, left } = line;
    // Rounding would make two values of what is one.
    if before == behind {
        return Some(before);
    }
    Some((before * left as f32 + behind * passed as f32) / (left + passed) as f32)
}

fn double(line: Between<f64>) -> Option<f64> {
    let Between { before, behind, passed, left } = line;
    if before == behind {
        return Some(before);
    }
    Some((before * left as f64 + behind * passed as f64) / (left + passed) as f64)
}
