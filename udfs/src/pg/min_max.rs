//! `min(x)`, `max(x)` - the least and the greatest value; NULL when there is no value.
//!
//! Of floats NaN is the greatest value, and an infinity is a value as others are, also in groups. The stock aggregates answer
//! both of these by the order of the rows when they are grouped, and start with the largest finite number.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//! <https://www.postgresql.org/docs/16/datatype-numeric.html#DATATYPE-FLOAT>
//!
//! ```sql
//! SELECT max(v) FROM (VALUES ('NaN'::float8), (1)) AS t(v);  -- NaN
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, StatisticsArgs,
};

/// `min`.
pub fn min() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Extreme(min_udaf())))
}

/// `max`.
pub fn max() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Extreme(max_udaf())))
}

/// The stock aggregate, but for groups of floats.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme(Arc<AggregateUDF>);

impl AggregateUDFImpl for Extreme {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.0.return_type(given)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(given)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let of_keys = |key_type: DataType| {
            let return_field = Arc::new(Field::new(args.return_field.name(), key_type, true));
            self.0.create_groups_accumulator(AccumulatorArgs { return_field, ..args.clone() })
        };
        match args.return_field.data_type() {
            DataType::Float32 => Ok(Box::new(Floats { keys: of_keys(DataType::Int32)?, of: SINGLE })),
            DataType::Float64 => Ok(Box::new(Floats { keys: of_keys(DataType::Int64)?, of: DOUBLE })),
            _ => self.0.create_groups_accumulator(args),
        }
    }

    fn is_descending(&self) -> Option<bool> {
        self.0.is_descending()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_udf()
    }

    fn value_from_stats(&self, known: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.0.value_from_stats(known)
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}

/// Extremes of the integers that are in the order of the floats.
struct Floats {
    keys: Box<dyn GroupsAccumulator>,
    of: Kind,
}

/// How floats become such integers, and back.
#[derive(Clone, Copy)]
struct Kind {
    keys: fn(&dyn Array) -> ArrayRef,
    floats: fn(&dyn Array) -> ArrayRef,
}

const SINGLE: Kind = Kind {
    keys: |floats| mapped::<Float32Type, Int32Type>(floats, key_of_32),
    floats: |keys| mapped::<Int32Type, Float32Type>(keys, |key| f32::from_bits(bits_of_32(key))),
};

const DOUBLE: Kind = Kind {
    keys: |floats| mapped::<Float64Type, Int64Type>(floats, key_of_64),
    floats: |keys| mapped::<Int64Type, Float64Type>(keys, |key| f64::from_bits(bits_of_64(key))),
};

fn mapped<A: ArrowPrimitiveType, B: ArrowPrimitiveType>(array: &dyn Array, of: fn(A::Native) -> B::Native) -> ArrayRef {
    let mapped: PrimitiveArray<B> = array.as_primitive::<A>().unary(of);
    Arc::new(mapped)
}

/// Negative numbers have their bits turned, but for the sign; any NaN is the greatest.
pub(crate) fn key_of_64(float: f64) -> i64 {
    let bits = if float.is_nan() { f64::NAN.to_bits() & !(1 << 63) } else { float.to_bits() }.cast_signed();
    bits ^ ((bits >> 63) & i64::MAX)
}

fn bits_of_64(key: i64) -> u64 {
    (key ^ ((key >> 63) & i64::MAX)).cast_unsigned()
}

fn key_of_32(float: f32) -> i32 {
    let bits = if float.is_nan() { f32::NAN.to_bits() & !(1 << 31) } else { float.to_bits() }.cast_signed();
    bits ^ ((bits >> 31) & i32::MAX)
}

fn bits_of_32(key: i32) -> u32 {
    (key ^ ((key >> 31) & i32::MAX)).cast_unsigned()
}

impl Floats {
    fn keys(&self, values: &[ArrayRef]) -> Vec<ArrayRef> {
        values.iter().map(|values| (self.of.keys)(values.as_ref())).collect()
    }

    fn floats(&self, keys: &[ArrayRef]) -> Vec<ArrayRef> {
        keys.iter().map(|keys| (self.of.floats)(keys.as_ref())).collect()
    }
}

impl GroupsAccumulator for Floats {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        let keys = self.keys(values);
        self.keys.update_batch(&keys, groups, filter, group_count)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], group_count: usize) -> Result<()> {
        let keys = self.keys(states);
        self.keys.merge_batch(&keys, groups, group_count)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok((self.of.floats)(self.keys.evaluate(emit_to)?.as_ref()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let keys = self.keys.state(emit_to)?;
        Ok(self.floats(&keys))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let keys = self.keys.convert_to_state(&self.keys(values), filter)?;
        Ok(self.floats(&keys))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.keys.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_floats() {
        let floats =
            [f64::NEG_INFINITY, f64::MIN, -1.5, -f64::MIN_POSITIVE, -0.0, 0.0, 1e-300, 1.0, f64::MAX, f64::INFINITY];
        let mut keys: Vec<i64> = floats.iter().map(|float| key_of_64(*float)).collect();
        keys.extend([key_of_64(-f64::NAN), i64::MAX]);
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        assert!(floats.iter().all(|float| f64::from_bits(bits_of_64(key_of_64(*float))).to_bits() == float.to_bits()));
        let singles = [f32::NEG_INFINITY, f32::MIN, -1.5, -0.0, 0.0, 1.0, f32::MAX, f32::INFINITY, -f32::NAN];
        let keys: Vec<i32> = singles.iter().map(|float| key_of_32(*float)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        assert!(f64::from_bits(bits_of_64(key_of_64(f64::NAN))).is_nan());
    }
}
