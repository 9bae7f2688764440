//! Which partitions of a materialized view are to be made anew.
//!
//! Owns: sets of values of one column, as ranges. A set may have more than is needed, and never less.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema};
use catalog::{Extent, Scanned, ValueRange};
use datafusion::common::DFSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, lit};
use datafusion::scalar::ScalarValue;

use super::class::Key;
use crate::error::Result;

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
    let computed = |values: &[ScalarValue]| computed(values, key, (data_type, of), state);
    let (low, high) = (computed(&least)?, computed(&greatest)?);
    // What the key is where the column is NULL need not be NULL.
    let of_null = computed(std::slice::from_ref(&null))?.pop().flatten();
    let extent = |(at, range): (usize, &Option<ValueRange>)| {
        let (values, has_nulls) = range.as_ref()?;
        let mut extent = Spread::default();
        if *has_nulls {
            extent.add(of_null.clone()?);
        }
        if let Some((least, greatest)) = values {
            let (low, high) = (low.get(at)?.clone()?, high.get(at)?.clone()?);
            // Between values that have keys there can be one that has none, unless they are the same.
            if least != greatest && (!is_monotone || low.is_null() || high.is_null()) {
                return None;
            }
            extent.add(low);
            extent.add(high);
        }
        Extent::new(extent.range.as_ref().map(|(least, greatest)| (least, greatest)), extent.nulls)
    };
    Ok(ranges.iter().enumerate().map(extent).collect())
}

/// From the least to the greatest of some keys, and whether NULL is one of them.
#[derive(Default)]
struct Spread {
    range: Option<(ScalarValue, ScalarValue)>,
    nulls: bool,
}

impl Spread {
    fn add(&mut self, key: ScalarValue) {
        if key.is_null() {
            self.nulls = true;
            return;
        }
        match &mut self.range {
            None => self.range = Some((key.clone(), key)),
            Some((least, _)) if key < *least => *least = key,
            Some((_, greatest)) if key > *greatest => *greatest = key,
            Some(_) => {}
        }
    }
}

/// The key of each value, as partitions have it; `None` of a value for which it is an error, which the query may leave out.
fn computed(
    values: &[ScalarValue],
    key: &Key,
    (data_type, of): (&DataType, &DataType),
    state: &SessionState,
) -> Result<Vec<Option<ScalarValue>>> {
    let schema = Arc::new(Schema::new(vec![Field::new(&key.column, data_type.clone(), true)]));
    let expr = state.create_physical_expr(key.expr.clone(), &DFSchema::try_from(Schema::clone(&schema))?)?;
    let keys = |values: ArrayRef| {
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![values])?;
        let keys = expr.evaluate(&batch)?.into_array(batch.num_rows())?;
        let options = CastOptions { safe: false, ..Default::default() };
        let keys = cast_with_options(&keys, of, &options)?;
        (0..keys.len()).map(|at| ScalarValue::try_from_array(&keys, at)).collect::<datafusion::common::Result<Vec<_>>>()
    };
    if values.is_empty() {
        return Ok(Vec::new());
    }
    if let Ok(keys) = ScalarValue::iter_to_array(values.iter().cloned()).and_then(&keys) {
        return Ok(keys.into_iter().map(Some).collect());
    }
    // One of them fails: which one?
    let alone = |value: &ScalarValue| value.to_array().and_then(&keys).ok().and_then(|mut keys| keys.pop());
    Ok(values.iter().map(alone).collect())
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
