//! Which partitions of a materialized view are to be made anew.
//!
//! Owns: sets of values of one column, as ranges. A set may have more than is needed, and never less.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema};
use catalog::{Extent, Scanned, ValueRange};
use datafusion::common::DFSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, lit};
use datafusion::scalar::ScalarValue;

use super::class::Key;
use crate::error::{Error, Result};

/// More ranges would make a filter that costs more than it saves.
const RANGES_MAX: usize = 500;

/// Values of a column, and NULL.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Dirty {
    ranges: Vec<(ScalarValue, ScalarValue)>,
    nulls: bool,
}

impl Dirty {
    /// Adds what the rows of a file can have; false if that is not known.
    pub(super) fn add(&mut self, extent: Option<&Extent>, of: &DataType) -> bool {
        let Some(extent) = extent else { return false };
        let Ok(range) = extent.range(of) else { return false };
        self.nulls |= extent.has_nulls();
        self.ranges.extend(range);
        true
    }

    /// Puts ranges together that meet; false if there are too many.
    pub(super) fn settle(&mut self) -> bool {
        self.ranges.sort_by(|(one, _), (other, _)| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
        let mut settled: Vec<(ScalarValue, ScalarValue)> = Vec::new();
        for (least, greatest) in self.ranges.drain(..) {
            match settled.last_mut() {
                Some((_, last)) if least <= *last => {
                    if greatest > *last {
                        *last = greatest;
                    }
                }
                _ => settled.push((least, greatest)),
            }
        }
        self.ranges = settled;
        self.ranges.len() <= RANGES_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty() && !self.nulls
    }

    /// Whether a partition is one of them; NULL is `None`.
    pub(super) fn has(&self, value: Option<&ScalarValue>) -> bool {
        match value {
            None => self.nulls,
            Some(value) => self.ranges.iter().any(|(least, greatest)| least <= value && value <= greatest),
        }
    }

    /// Whether a file can have rows of them. One of which nothing is known can.
    pub(super) fn meets(&self, extent: Option<&Extent>, of: &DataType) -> bool {
        let Some(extent) = extent else { return true };
        let Ok(range) = extent.range(of) else { return true };
        let meets = |(low, high): &(ScalarValue, ScalarValue)| {
            self.ranges.iter().any(|(least, greatest)| low <= greatest && least <= high)
        };
        (self.nulls && extent.has_nulls()) || range.as_ref().is_some_and(meets)
    }

    /// The rows whose column has one of the values.
    pub(super) fn filter(&self, column: Expr) -> Expr {
        let single = |(least, greatest): &&(ScalarValue, ScalarValue)| least == greatest;
        let values: Vec<Expr> = self.ranges.iter().filter(single).map(|(value, _)| lit(value.clone())).collect();
        let ranges = self.ranges.iter().filter(|range| !single(range));
        let mut any: Vec<Expr> =
            ranges.map(|(least, greatest)| column.clone().between(lit(least.clone()), lit(greatest.clone()))).collect();
        if !values.is_empty() {
            any.push(column.clone().in_list(values, false));
        }
        if self.nulls {
            any.push(column.is_null());
        }
        any.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false))
    }
}

/// Which values of a key files can have whose column has these ranges; `of` is the type of the partitions.
pub(super) fn extents(
    ranges: &[Option<ValueRange>],
    (table, key): (&Scanned, &Key),
    of: &DataType,
    state: &SessionState,
) -> Result<Vec<Option<Extent>>> {
    let Some(data_type) = table.data_type(&key.column) else { return Ok(vec![None; ranges.len()]) };
    // The order of texts is not that of what is made of them.
    let is_monotone = key.is_monotone && (matches!(key.expr, Expr::Column(_)) || !data_type.is_string());
    let null = ScalarValue::try_from(data_type)?;
    let side = |of: fn(&(ScalarValue, ScalarValue)) -> &ScalarValue| {
        let value = |range: &Option<ValueRange>| match range {
            Some((Some(range), _)) => of(range).clone(),
            _ => null.clone(),
        };
        ranges.iter().map(value).collect::<Vec<_>>()
    };
    let (least, greatest) = (side(|range| &range.0), side(|range| &range.1));
    let (low, high) = (computed(&least, key, data_type, of, state)?, computed(&greatest, key, data_type, of, state)?);
    let extent = |(at, range): (usize, &Option<ValueRange>)| {
        let (values, nulls) = range.as_ref()?;
        let Some((least, greatest)) = values else { return Extent::new(None, *nulls) };
        if !is_monotone && least != greatest {
            return None;
        }
        let (low, high) = (value(&low, at)?, value(&high, at)?);
        match (low.is_null(), high.is_null()) {
            // A function can have no value for a value.
            (true, true) if least == greatest => Extent::new(None, true),
            (true, _) | (_, true) => None,
            _ => Extent::new(Some((&low, &high)), *nulls),
        }
    };
    Ok(ranges.iter().enumerate().map(extent).collect())
}

fn value(values: &ArrayRef, at: usize) -> Option<ScalarValue> {
    ScalarValue::try_from_array(values, at).ok()
}

/// The key of each value, as partitions have it.
fn computed(
    values: &[ScalarValue],
    key: &Key,
    data_type: &DataType,
    of: &DataType,
    state: &SessionState,
) -> Result<ArrayRef> {
    if values.is_empty() {
        return Ok(arrow::array::new_empty_array(of));
    }
    let values = ScalarValue::iter_to_array(values.iter().cloned())?;
    let schema = std::sync::Arc::new(Schema::new(vec![Field::new(&key.column, data_type.clone(), true)]));
    let expr = state.create_physical_expr(key.expr.clone(), &DFSchema::try_from(Schema::clone(&schema))?)?;
    let batch = RecordBatch::try_new(schema, vec![values])?;
    let keys = expr.evaluate(&batch)?.into_array(batch.num_rows())?;
    let options = CastOptions { safe: true, ..Default::default() };
    let keys = cast_with_options(&keys, of, &options)?;
    if keys.len() != batch.num_rows() {
        return Err(Error::internal("a key has another number of values"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(least: i64, greatest: i64, nulls: bool) -> Option<Extent> {
        Extent::new(Some((&ScalarValue::Int64(Some(least)), &ScalarValue::Int64(Some(greatest)))), nulls)
    }

    fn int(value: i64) -> ScalarValue {
        ScalarValue::Int64(Some(value))
    }

    #[test]
    fn ranges_that_meet_are_one() {
        let mut dirty = Dirty::default();
        for (least, greatest) in [(5, 7), (1, 2), (7, 9), (2, 2), (20, 20)] {
            assert!(dirty.add(extent(least, greatest, false).as_ref(), &DataType::Int64));
        }
        assert!(dirty.settle());
        assert_eq!(dirty.ranges, [(int(1), int(2)), (int(5), int(9)), (int(20), int(20))]);
        assert!(dirty.has(Some(&int(6))) && !dirty.has(Some(&int(3))) && !dirty.has(None));
        assert!(dirty.meets(extent(3, 5, false).as_ref(), &DataType::Int64));
        assert!(!dirty.meets(extent(3, 4, true).as_ref(), &DataType::Int64));
        assert!(dirty.meets(None, &DataType::Int64));
        assert!(!dirty.add(None, &DataType::Int64));
    }

    #[test]
    fn null_is_a_partition() {
        let mut dirty = Dirty::default();
        assert!(dirty.is_empty() && dirty.filter(Expr::Column("p".into())) == lit(false));
        assert!(dirty.add(Extent::new(None, true).as_ref(), &DataType::Int64));
        assert!(dirty.settle() && dirty.has(None) && !dirty.has(Some(&int(1))) && !dirty.is_empty());
        assert!(dirty.meets(extent(1, 1, true).as_ref(), &DataType::Int64));
        assert_eq!(dirty.filter(Expr::Column("p".into())).to_string(), "p IS NULL");
    }
}
