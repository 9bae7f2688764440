//! An aggregate that is computed from others: a sum of another type, an average of a sum and a count.
//!
//! Owns: how the parts accumulate together, in groups, alone and in moving windows. Must never know: any formula.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use crate::Error;
use crate::function::pg_name;

/// Whether FILTER lets a row count, as a groups accumulator is told.
pub(crate) fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

/// An aggregate of one argument whose value follows from the values of its parts.
pub(crate) trait Formula: Debug + Send + Sync + Eq + Hash + 'static {
    fn name(&self) -> &'static str;
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }
    /// What the argument is read as; `None` when there is no such aggregate.
    fn coerced(&self, given: &DataType) -> Option<DataType>;
    fn returns(&self, input: &DataType) -> DataType;
    fn parts(&self, input: &DataType) -> Vec<Part>;
    /// The values of the aggregate, from those of its parts.
    fn finish(&self, parts: &[ArrayRef], to: &DataType) -> Result<ArrayRef>;
}

/// One of the aggregates.
pub(crate) struct Part {
    pub(crate) udaf: Arc<AggregateUDF>,
    /// The type of what it aggregates.
    pub(crate) input: DataType,
    /// Makes that of the argument.
    pub(crate) map: Option<Map>,
}

/// What a part aggregates instead of the argument.
#[derive(Clone, Copy)]
pub(crate) struct Map {
    pub(crate) compute: fn(&ArrayRef, &DataType) -> Result<ArrayRef>,
    /// Whether different values stay different, so that DISTINCT means the same.
    pub(crate) injective: bool,
}

impl Part {
    pub(crate) fn of(udaf: Arc<AggregateUDF>, input: &DataType) -> Self {
        Self { udaf, input: input.clone(), map: None }
    }

    fn returns(&self) -> Result<FieldRef> {
        self.udaf.return_field(&[self.field()])
    }

    fn field(&self) -> FieldRef {
        Arc::new(Field::new("x", self.input.clone(), true))
    }

    fn state_fields(&self, args: &StateFieldsArgs<'_>, index: usize) -> Result<Vec<FieldRef>> {
        let name = format!("{}[{index}]", args.name);
        self.udaf.state_fields(StateFieldsArgs {
            name: &name,
            input_fields: &[self.field()],
            return_field: self.returns()?,
            ordering_fields: args.ordering_fields,
            is_distinct: args.is_distinct,
        })
    }

    fn with<R>(&self, args: &AccumulatorArgs<'_>, make: impl FnOnce(AccumulatorArgs<'_>) -> Result<R>) -> Result<R> {
        if args.is_distinct && self.map.is_some_and(|map| !map.injective) {
            return Err(Error::Unsupported(format!("DISTINCT in {} is not supported", args.name)).into());
        }
        let fields = [self.field()];
        make(AccumulatorArgs { return_field: self.returns()?, expr_fields: &fields, ..args.clone() })
    }
}

/// The aggregate of a formula.
pub(crate) fn aggregate(formula: impl Formula) -> Arc<AggregateUDF> {
    let aliases = formula.aliases().iter().map(|alias| (*alias).to_owned()).collect();
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Composite { formula: Arc::new(formula), aliases, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Composite<F: Formula> {
    formula: Arc<F>,
    aliases: Vec<String>,
    signature: Signature,
}

impl<F: Formula> Composite<F> {
    fn input<'a>(&self, fields: &'a [FieldRef]) -> Result<&'a DataType> {
        match fields {
            [field] => Ok(field.data_type()),
            _ => exec_err!("{} takes one argument", self.formula.name()),
        }
    }

    fn alone(
        &self,
        args: &AccumulatorArgs<'_>,
        make: impl Fn(&AggregateUDF, AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>>,
    ) -> Result<Box<dyn Accumulator>> {
        let parts = self.formula.parts(self.input(args.expr_fields)?);
        let inner = parts.iter().map(|part| part.with(args, |args| make(&part.udaf, args))).collect::<Result<_>>()?;
        let parts = Parts::new(parts, inner, args)?;
        Ok(Box::new(Alone { formula: Arc::clone(&self.formula), parts, returns: args.return_type().clone() }))
    }
}

impl<F: Formula> AggregateUDFImpl for Composite<F> {
    fn name(&self) -> &str {
        self.formula.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What no aggregate takes is refused by `return_type`, whose error keeps its type.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(match given {
            [of] => vec![self.formula.coerced(of).unwrap_or_else(|| of.clone())],
            _ => given.to_vec(),
        })
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let coerced = match given {
            [of] => self.formula.coerced(of),
            _ => None,
        };
        coerced.map(|input| self.formula.returns(&input)).ok_or_else(|| {
            let types: Vec<_> = given.iter().map(pg_name).collect();
            let name = self.formula.name();
            Error::UndefinedFunction(format!("function {name}({}) does not exist", types.join(", "))).into()
        })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.alone(&args, |udaf, args| udaf.accumulator(args))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.alone(&args, |udaf, args| udaf.create_sliding_accumulator(args))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let parts = self.formula.parts(self.input(args.input_fields)?);
        let fields = parts.iter().enumerate().map(|(index, part)| part.state_fields(&args, index));
        Ok(fields.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        let Ok(input) = self.input(args.expr_fields) else { return false };
        let supported =
            |part: &Part| part.with(&args, |args| Ok(part.udaf.groups_accumulator_supported(args))).unwrap_or(false);
        self.formula.parts(input).iter().all(supported)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let parts = self.formula.parts(self.input(args.expr_fields)?);
        let make = |part: &Part| part.with(&args, |args| part.udaf.create_groups_accumulator(args));
        let inner = parts.iter().map(make).collect::<Result<_>>()?;
        let parts = Parts::new(parts, inner, &args)?;
        Ok(Box::new(Grouped { formula: Arc::clone(&self.formula), parts, returns: args.return_type().clone() }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// The accumulators of the parts.
struct Parts<A: ?Sized> {
    parts: Vec<Part>,
    inner: Vec<Box<A>>,
    /// How many columns of state each has.
    states: Vec<usize>,
}

impl<A: ?Sized> Parts<A> {
    fn new(parts: Vec<Part>, inner: Vec<Box<A>>, args: &AccumulatorArgs<'_>) -> Result<Self> {
        let args = StateFieldsArgs {
            name: args.name,
            input_fields: args.expr_fields,
            return_field: Arc::clone(&args.return_field),
            ordering_fields: &[],
            is_distinct: args.is_distinct,
        };
        let states = parts.iter().map(|part| Ok(part.state_fields(&args, 0)?.len())).collect::<Result<_>>()?;
        Ok(Self { parts, inner, states })
    }

    /// Gives every part its own input.
    fn each(&mut self, values: &[ArrayRef], mut give: impl FnMut(&mut A, &[ArrayRef]) -> Result<()>) -> Result<()> {
        for (part, inner) in self.parts.iter().zip(&mut self.inner) {
            match (part.map, values) {
                (Some(map), [value]) => give(inner, &[(map.compute)(value, &part.input)?])?,
                _ => give(inner, values)?,
            }
        }
        Ok(())
    }

    /// Gives every part its columns of the state.
    fn each_state(
        &mut self,
        states: &[ArrayRef],
        mut give: impl FnMut(&mut A, &[ArrayRef]) -> Result<()>,
    ) -> Result<()> {
        let mut rest = states;
        for (inner, count) in self.inner.iter_mut().zip(&self.states) {
            let Some((states, after)) = rest.split_at_checked(*count) else {
                return exec_err!("{} columns of state are too few", states.len());
            };
            give(inner, states)?;
            rest = after;
        }
        Ok(())
    }
}

struct Alone<F> {
    formula: Arc<F>,
    parts: Parts<dyn Accumulator>,
    returns: DataType,
}

impl<F: Formula> Debug for Alone<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alone").field("formula", &self.formula).finish_non_exhaustive()
    }
}

impl<F: Formula> Accumulator for Alone<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.parts.each(values, |inner, values| inner.update_batch(values))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.parts.each(values, |inner, values| inner.retract_batch(values))
    }

    fn supports_retract_batch(&self) -> bool {
        self.parts.inner.iter().all(|inner| inner.supports_retract_batch())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.parts.each_state(states, |inner, state| inner.merge_batch(state))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = self.parts.inner.iter_mut().map(|inner| inner.state()).collect::<Result<Vec<_>>>()?;
        Ok(states.into_iter().flatten().collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let values = self.parts.inner.iter_mut().map(|inner| inner.evaluate()?.to_array_of_size(1));
        let values = values.collect::<Result<Vec<_>>>()?;
        ScalarValue::try_from_array(&self.formula.finish(&values, &self.returns)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.parts.inner.iter().map(|inner| inner.size()).sum::<usize>()
    }
}

struct Grouped<F> {
    formula: Arc<F>,
    parts: Parts<dyn GroupsAccumulator>,
    returns: DataType,
}

impl<F: Formula> GroupsAccumulator for Grouped<F> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.parts.each(values, |inner, values| inner.update_batch(values, group_indices, opt_filter, total_num_groups))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.parts.each_state(values, |inner, state| inner.merge_batch(state, group_indices, total_num_groups))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let values = self.parts.inner.iter_mut().map(|inner| inner.evaluate(emit_to)).collect::<Result<Vec<_>>>()?;
        self.formula.finish(&values, &self.returns)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let states = self.parts.inner.iter_mut().map(|inner| inner.state(emit_to)).collect::<Result<Vec<_>>>()?;
        Ok(states.into_iter().flatten().collect())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut states = Vec::new();
        for (part, inner) in self.parts.parts.iter().zip(&self.parts.inner) {
            states.extend(match (part.map, values) {
                (Some(map), [value]) => inner.convert_to_state(&[(map.compute)(value, &part.input)?], opt_filter)?,
                _ => inner.convert_to_state(values, opt_filter)?,
            });
        }
        Ok(states)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.parts.inner.iter().map(|inner| inner.size()).sum::<usize>()
    }
}
