//! An aggregate of numbers whose value follows from three sums, so that it keeps no row.
//!
//! Owns: how sums accumulate in groups, alone, in parts and in moving windows. Must never know: any formula.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use crate::Error;
use crate::aggregate::passes;
use crate::numbers::{are_numbers, coerced, columns, row, undefined};

/// What a row adds, and what a group has.
pub(crate) type Three = [f64; 3];

/// An aggregate of sums. A row with a NULL does not count.
pub(crate) trait Sums: Debug + Send + Sync + Eq + Hash + 'static {
    fn name(&self) -> &'static str;
    /// Whether it takes so many arguments.
    fn takes(&self, arguments: usize) -> bool;
    /// What a row of finite numbers adds; `None` if it does not count.
    fn adds(&self, row: &[f64]) -> Result<Option<Three>, Error>;
    /// The value of the sums; all are 0 where no row counts.
    fn value(&self, sums: Three) -> Option<f64>;
}

/// The aggregate.
pub(crate) fn aggregate(of: impl Sums) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Summed { of: Arc::new(of), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Summed<S: Sums> {
    of: Arc<S>,
    signature: Signature,
}

impl<S: Sums> Summed<S> {
    fn refuse_distinct(&self, args: &AccumulatorArgs<'_>) -> Result<()> {
        match args.is_distinct {
            true => Err(Error::Unsupported(format!("DISTINCT in {} is not supported", args.name)).into()),
            false => Ok(()),
        }
    }
}

impl<S: Sums> AggregateUDFImpl for Summed<S> {
    fn name(&self) -> &str {
        self.of.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerced(given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match self.of.takes(given.len()) && are_numbers(given) {
            true => Ok(DataType::Float64),
            false => Err(undefined(self.name(), given)),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.refuse_distinct(&args)?;
        Ok(Box::new(Alone(Groups { of: Arc::clone(&self.of), sums: vec![[0.0; 3]] })))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.refuse_distinct(&args)?;
        Ok(Box::new(Moving { of: Arc::clone(&self.of), rows: VecDeque::new() }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |at| Arc::new(Field::new(format!("{}[{at}]", args.name), DataType::Float64, true));
        Ok((0..3).map(field).collect())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.refuse_distinct(&args)?;
        Ok(Box::new(Groups { of: Arc::clone(&self.of), sums: Vec::new() }))
    }
}

/// What a row adds; a NaN makes all sums NaN.
fn added<S: Sums>(of: &S, numbers: &[f64]) -> Result<Option<Three>, Error> {
    if numbers.iter().any(|number| number.is_nan()) {
        return Ok(Some([f64::NAN; 3]));
    }
    if numbers.iter().any(|number| number.is_infinite()) {
        return Err(Error::NumericOverflow("input is"));
    }
    of.adds(numbers)
}

fn value<S: Sums>(of: &S, sums: Three) -> Result<Option<f64>, Error> {
    if sums.iter().any(|sum| sum.is_nan()) {
        return Ok(Some(f64::NAN));
    }
    if sums.iter().any(|sum| sum.is_infinite()) {
        return Err(Error::Overflow);
    }
    Ok(of.value(sums))
}

#[derive(Debug)]
struct Groups<S> {
    of: Arc<S>,
    sums: Vec<Three>,
}

impl<S: Sums> Groups<S> {
    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups.max(self.sums.len()), [0.0; 3]);
    }

    fn add(&mut self, group: usize, more: Three) -> Result<()> {
        let Some(sums) = self.sums.get_mut(group) else { return exec_err!("there is no group {group}") };
        sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        Ok(())
    }

    fn add_rows(
        &mut self,
        values: &[ArrayRef],
        group: impl Fn(usize) -> usize,
        counts: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let columns = columns(values)?;
        let mut numbers = Vec::with_capacity(columns.len());
        for at in 0..values.first().map_or(0, |first| first.len()) {
            if counts(at)
                && row(&columns, at, &mut numbers)
                && let Some(more) = added(self.of.as_ref(), &numbers)?
            {
                self.add(group(at), more)?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> usize) -> Result<()> {
        let columns = columns(states)?;
        let [one, two, three] = columns.as_slice() else { return exec_err!("{} sums", columns.len()) };
        for at in 0..one.len() {
            self.add(group(at), [one.value(at), two.value(at), three.value(at)])?;
        }
        Ok(())
    }
}

impl<S: Sums> GroupsAccumulator for Groups<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let group = |at: usize| group_indices.get(at).copied().unwrap_or(usize::MAX);
        self.add_rows(values, group, |at| passes(opt_filter, at))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.grow(total_num_groups);
        self.merge(values, |at| group_indices.get(at).copied().unwrap_or(usize::MAX))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums);
        let values = sums.into_iter().map(|sums| value(self.of.as_ref(), sums));
        Ok(Arc::new(values.collect::<Result<Float64Array, Error>>()?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let sums = emit_to.take_needed(&mut self.sums);
        let column = |of: fn(&Three) -> f64| Arc::new(Float64Array::from_iter_values(sums.iter().map(of))) as ArrayRef;
        Ok(vec![column(|sums| sums[0]), column(|sums| sums[1]), column(|sums| sums[2])])
    }

    /// Each row is a group of its own.
    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |first| first.len());
        let mut each = Self { of: Arc::clone(&self.of), sums: vec![[0.0; 3]; rows] };
        each.add_rows(values, |at| at, |at| passes(opt_filter, at))?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sums.capacity() * size_of::<Three>()
    }
}

/// The one group of an aggregate without GROUP BY.
#[derive(Debug)]
struct Alone<S>(Groups<S>);

impl<S: Sums> Accumulator for Alone<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.add_rows(values, |_| 0, |_| true)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.0.sums.iter().flatten().map(|sum| ScalarValue::Float64(Some(*sum))).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sums = self.0.sums.first().copied().unwrap_or_default();
        Ok(ScalarValue::Float64(value(self.0.of.as_ref(), sums)?))
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// The rows of a window that moves. What was added is not taken away again: a great number would leave its rounding behind.
#[derive(Debug)]
struct Moving<S> {
    of: Arc<S>,
    rows: VecDeque<Three>,
}

impl<S: Sums> Moving<S> {
    fn counting(&self, values: &[ArrayRef]) -> Result<Vec<Three>> {
        let columns = columns(values)?;
        let (mut numbers, mut counting) = (Vec::new(), Vec::new());
        for at in 0..values.first().map_or(0, |first| first.len()) {
            if row(&columns, at, &mut numbers) {
                counting.extend(added(self.of.as_ref(), &numbers)?);
            }
        }
        Ok(counting)
    }
}

impl<S: Sums> Accumulator for Moving<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let more = self.counting(values)?;
        self.rows.extend(more);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let gone = self.counting(values)?.len();
        self.rows.drain(..gone.min(self.rows.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        exec_err!("the parts of a window are not merged")
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        exec_err!("a window has no state")
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut sums = [0.0; 3];
        for row in &self.rows {
            sums.iter_mut().zip(row).for_each(|(sum, more)| *sum += more);
        }
        Ok(ScalarValue::Float64(value(self.of.as_ref(), sums)?))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.capacity() * size_of::<Three>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of the first argument.
    #[derive(Debug, PartialEq, Eq, Hash)]
    struct Mean;

    impl Sums for Mean {
        fn name(&self) -> &'static str {
            "mean"
        }

        fn takes(&self, arguments: usize) -> bool {
            arguments == 1
        }

        fn adds(&self, row: &[f64]) -> Result<Option<Three>, Error> {
            Ok(row.first().map(|value| [*value, 1.0, 0.0]))
        }

        fn value(&self, [sum, count, _]: Three) -> Option<f64> {
            (count > 0.0).then(|| sum / count)
        }
    }

    fn groups() -> Groups<Mean> {
        Groups { of: Arc::new(Mean), sums: Vec::new() }
    }

    fn given(values: &[Option<f64>]) -> Vec<ArrayRef> {
        vec![Arc::new(Float64Array::from(values.to_vec()))]
    }

    fn told(array: &ArrayRef) -> Vec<Option<f64>> {
        columns(std::slice::from_ref(array)).unwrap()[0].iter().collect()
    }

    #[test]
    fn parts_of_groups_come_together() {
        let (mut one, mut whole) = (groups(), groups());
        one.update_batch(&given(&[Some(1.0), None, Some(3.0), Some(9.0)]), &[0, 1, 0, 2], None, 4).unwrap();
        let filter = BooleanArray::from(vec![true, false]);
        let state = one.convert_to_state(&given(&[Some(8.0), Some(100.0)]), Some(&filter)).unwrap();
        one.merge_batch(&state, &[0, 0], 4).unwrap();
        let state = one.state(EmitTo::First(3)).unwrap();
        whole.merge_batch(&state, &[1, 0, 1], 3).unwrap();
        assert_eq!(told(&whole.evaluate(EmitTo::All).unwrap()), [None, Some(5.25), None]);
        assert_eq!(told(&one.evaluate(EmitTo::All).unwrap()), [None]);
    }

    #[test]
    fn a_window_that_moves_keeps_no_rounding() {
        let mut window = Moving { of: Arc::new(Mean), rows: VecDeque::new() };
        window.update_batch(&given(&[Some(1e300), Some(1.0), None, Some(2.0)])).unwrap();
        window.retract_batch(&given(&[Some(1e300)])).unwrap();
        assert_eq!(window.evaluate().unwrap(), ScalarValue::Float64(Some(1.5)));
        window.retract_batch(&given(&[Some(1.0), None])).unwrap();
        assert_eq!(window.evaluate().unwrap(), ScalarValue::Float64(Some(2.0)));
        window.update_batch(&given(&[Some(f64::NAN)])).unwrap();
        assert!(matches!(window.evaluate().unwrap(), ScalarValue::Float64(Some(value)) if value.is_nan()));
        window.retract_batch(&given(&[Some(2.0), Some(f64::NAN)])).unwrap();
        assert_eq!(window.evaluate().unwrap(), ScalarValue::Float64(None));
        assert!(window.update_batch(&given(&[Some(f64::INFINITY)])).is_err());
    }
}
