//! `histogram(value, min, max, nbuckets) -> integer[]` - how many values fall in each of equal buckets.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::points::{constant_of, not_null};
use crate::Error;
use crate::aggregate::passes;
use crate::function::pg_name;
use crate::manual::Manual;
use crate::pg::integers::bucket;

/// Its page.
pub(crate) static MANUAL: Manual = Manual {
    name: "histogram",
    calls: &[("(value double precision, min double precision, max double precision, nbuckets integer)", "integer[]")],
    meaning: "How many values fall in each of nbuckets buckets of one width from min to max; a value on a bound belongs to \
              the bucket above. The first item counts those below min, the last those of max and above, so there are \
              nbuckets + 2 items. nbuckets is a constant of at most 10000.",
    nulls: "Rows where value, min or max is NULL do not count; NULL when no row counts. A value or bound that is NaN, a \
            bound that is infinite and min above or equal to max are 2201G; nbuckets below 1 too.",
    example: (
        "SELECT histogram(v, 0, 10, 5) FROM (VALUES (-1), (0), (1), (2), (9.5), (10)) AS m(v)",
        "[1, 2, 1, 0, 0, 1, 1]",
    ),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/histogram/",
};

/// The most buckets.
const BUCKETS_MAX: i64 = 10_000;

/// The aggregate.
pub fn histogram() -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Histogram { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Histogram {
    signature: Signature,
}

impl Histogram {
    fn counts(args: &AccumulatorArgs<'_>) -> Result<Counts> {
        if args.is_distinct {
            return Err(Error::Unsupported("DISTINCT in histogram is not supported".to_owned()).into());
        }
        let buckets = match constant_of(args, 3)? {
            ScalarValue::Int64(Some(buckets)) if buckets > BUCKETS_MAX => {
                return Err(Error::LimitExceeded(format!("a histogram has at most {BUCKETS_MAX} buckets")).into());
            }
            ScalarValue::Int64(Some(buckets)) => buckets,
            _ => return Err(not_null("histogram", "the number of buckets").into()),
        };
        let Some(width) = usize::try_from(buckets).ok().filter(|buckets| *buckets > 0) else {
            return Err(Error::InvalidWidthBucket("count must be greater than zero").into());
        };
        Ok(Counts { buckets, width: width + 2, counts: Vec::new() })
    }
}

impl AggregateUDFImpl for Histogram {
    fn name(&self) -> &'static str {
        "histogram"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerced(given).unwrap_or_else(|| given.to_vec()))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        if coerced(given).is_none() {
            let types: Vec<_> = given.iter().map(pg_name).collect();
            let message = format!("function histogram({}) does not exist", types.join(", "));
            return Err(Error::UndefinedFunction(message).into());
        }
        Ok(DataType::List(item()))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Alone(Self::counts(&args)?)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[counts]", args.name), DataType::List(item()), true))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Self::counts(&args)?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Int32, true))
}

fn coerced(given: &[DataType]) -> Option<Vec<DataType>> {
    let is_number = |of: &DataType| of.is_numeric() || of.is_null();
    match given {
        [value, min, max, buckets] if [value, min, max].into_iter().all(is_number) => {
            let whole = buckets.is_integer() || buckets.is_null();
            whole.then(|| vec![DataType::Float64, DataType::Float64, DataType::Float64, DataType::Int64])
        }
        _ => None,
    }
}

/// The counts of all groups, side by side.
#[derive(Debug)]
struct Counts {
    buckets: i64,
    /// How many counts a group has.
    width: usize,
    counts: Vec<i32>,
}

impl Counts {
    fn groups_are(&mut self, count: usize) {
        let length = count.saturating_mul(self.width).max(self.counts.len());
        self.counts.resize(length, 0);
    }

    fn bucket(&self, (value, min, max): (f64, f64, f64)) -> Result<usize> {
        if min > max {
            return Err(Error::InvalidWidthBucket("lower bound cannot exceed upper bound").into());
        }
        Ok(usize::try_from(bucket(value, min, max, self.buckets)?).unwrap_or_default())
    }

    fn add(&mut self, group: usize, bucket: usize, count: i32) -> Result<()> {
        if let Some(kept) = self.counts.get_mut(group * self.width + bucket) {
            *kept = kept.checked_add(count).ok_or(Error::NumericOverflow("integer"))?;
        }
        Ok(())
    }

    fn update(&mut self, values: &[ArrayRef], group: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let [values, mins, maxs, _] = values else { return exec_err!("histogram takes four arguments") };
        let [values, mins, maxs] = [values, mins, maxs].map(|of| of.as_primitive::<Float64Type>());
        for row in 0..values.len() {
            let Some(group) = group(row) else { continue };
            if [values, mins, maxs].into_iter().all(|of| of.is_valid(row)) {
                let bucket = self.bucket((values.value(row), mins.value(row), maxs.value(row)))?;
                self.add(group, bucket, 1)?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let Some(lists) = states.first() else { return Ok(()) };
        for (row, counts) in lists.as_list::<i32>().iter().enumerate() {
            if let (Some(counts), Some(group)) = (counts, group(row)) {
                for (bucket, count) in counts.as_primitive::<Int32Type>().values().iter().enumerate() {
                    self.add(group, bucket, *count)?;
                }
            }
        }
        Ok(())
    }

    /// The histograms of groups, NULL where no value was counted.
    fn lists(&self, counts: &[i32]) -> Result<ArrayRef> {
        let counted = || counts.chunks(self.width).map(|of| of.iter().any(|count| *count > 0));
        if i32::try_from(counts.len()).is_err() {
            return Err(Error::LimitExceeded("histograms have more than 2147483647 buckets in all".to_owned()).into());
        }
        let offsets = OffsetBuffer::from_lengths(counted().map(|any| if any { self.width } else { 0 }));
        let known = counts.chunks(self.width).zip(counted()).filter_map(|(of, any)| any.then_some(of));
        let items: Int32Array = known.flatten().copied().map(Some).collect();
        let nulls: NullBuffer = counted().collect();
        Ok(Arc::new(ListArray::try_new(item(), offsets, Arc::new(items), Some(nulls))?))
    }

    fn emitted(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let taken: Vec<i32> = match emit_to {
            EmitTo::All => std::mem::take(&mut self.counts),
            EmitTo::First(count) => {
                self.counts.drain(..count.saturating_mul(self.width).min(self.counts.len())).collect()
            }
        };
        self.lists(&taken)
    }
}

impl GroupsAccumulator for Counts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups_are(total_num_groups);
        let counts = |row: &usize| passes(opt_filter, *row);
        self.update(values, |row| Some(row).filter(counts).and_then(|row| group_indices.get(row).copied()))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups_are(total_num_groups);
        self.merge(states, |row| group_indices.get(row).copied())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.emitted(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emitted(emit_to)?])
    }

    /// Each row is a group of its own.
    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |first| first.len());
        let mut single = Self { counts: Vec::new(), ..*self };
        let groups: Vec<usize> = (0..rows).collect();
        single.update_batch(values, &groups, opt_filter, rows)?;
        Ok(vec![single.emitted(EmitTo::All)?])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.capacity() * size_of::<i32>()
    }
}

/// The counts of all rows: of group 0.
#[derive(Debug)]
struct Alone(Counts);

impl Accumulator for Alone {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.groups_are(1);
        self.0.update(values, |_| Some(0))
    }

    /// What was counted before is counted no more.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut gone = Counts { counts: Vec::new(), ..self.0 };
        gone.groups_are(1);
        gone.update(values, |_| Some(0))?;
        self.0.counts.iter_mut().zip(gone.counts).for_each(|(kept, gone)| *kept -= gone);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.groups_are(1);
        self.0.merge(states, |_| Some(0))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.groups_are(1);
        ScalarValue::try_from_array(&self.0.lists(&self.0.counts)?, 0)
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Dice, in_every_way, made};
    use arrow::array::{Float64Array, Int64Array};

    fn columns(values: &[Option<f64>], (min, max): (f64, f64), buckets: i64) -> [ArrayRef; 4] {
        let of = |bound: f64| Arc::new(Float64Array::from(vec![bound; values.len()])) as ArrayRef;
        let buckets = Arc::new(Int64Array::from(vec![buckets; values.len()]));
        [Arc::new(Float64Array::from(values.to_vec())), of(min), of(max), buckets]
    }

    fn counts(value: &ScalarValue) -> Option<Vec<i32>> {
        let lists = value.to_array().unwrap();
        let lists: &ListArray = lists.as_list();
        lists.is_valid(0).then(|| lists.value(0).as_primitive::<Int32Type>().values().to_vec())
    }

    #[test]
    fn counts_are_those_of_a_division() {
        let mut dice = Dice(5);
        let values: Vec<Option<f64>> = (0..500)
            .map(|_| (dice.roll(9) > 0).then(|| f64::from(u32::try_from(dice.roll(160)).unwrap()) - 30.0))
            .collect();
        let value = in_every_way(&histogram(), &columns(&values, (0.0, 100.0), 4), &[3]);
        let known: Vec<f64> = values.into_iter().flatten().collect();
        let between = |low: f64, high: f64| known.iter().filter(|of| low <= **of && **of < high).count();
        let inner = [0.0, 25.0, 50.0, 75.0].map(|low| between(low, low + 25.0));
        let expect = [&[between(-1e9, 0.0)], inner.as_slice(), &[between(100.0, 1e9)]].concat();
        assert_eq!(counts(&value), Some(expect.into_iter().map(|of| i32::try_from(of).unwrap()).collect()));
        assert_eq!(counts(&in_every_way(&histogram(), &columns(&[None, None], (0.0, 1.0), 1), &[3])), None);
    }

    #[test]
    fn bounds_that_make_no_buckets_are_refused() {
        let attempt = |value: f64, bounds: (f64, f64), buckets: i64| {
            let columns = columns(&[Some(value)], bounds, buckets);
            let all = made(&histogram(), &columns, &[3], |args| histogram().accumulator(args));
            all.and_then(|mut all| all.update_batch(&columns)).map_err(|error| error.to_string())
        };
        assert_eq!(attempt(1.0, (0.0, 1.0), 10_000), Ok(()));
        for (value, bounds, buckets) in [
            (1.0, (0.0, 1.0), 0),
            (1.0, (0.0, 1.0), 10_001),
            (1.0, (1.0, 0.0), 2),
            (1.0, (1.0, 1.0), 2),
            (f64::NAN, (0.0, 1.0), 2),
            (0.0, (f64::NEG_INFINITY, 1.0), 2),
        ] {
            assert!(attempt(value, bounds, buckets).is_err(), "{value} {bounds:?} {buckets}");
        }
    }

    #[test]
    fn a_window_moves() {
        let rows = columns(&[Some(0.0), Some(5.0), None], (0.0, 10.0), 2);
        let mut window = made(&histogram(), &rows, &[3], |args| histogram().accumulator(args).unwrap());
        window.update_batch(&rows).unwrap();
        assert_eq!(counts(&window.evaluate().unwrap()), Some(vec![0, 1, 1, 0]));
        window.retract_batch(&rows.clone().map(|column| column.slice(0, 1))).unwrap();
        assert_eq!(counts(&window.evaluate().unwrap()), Some(vec![0, 0, 1, 0]));
    }
}
