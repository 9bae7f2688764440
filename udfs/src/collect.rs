//! An aggregate of all values of a group, in an order of its own: an array, a text, a json.
//!
//! Owns: how values are kept, ordered and made distinct, in groups, alone and in moving windows. It asks nobody for sorted
//! rows, so aggregates of one query may order them differently. Must never know: what is made of the values.

mod kept;

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{and, filter, is_not_null};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use crate::aggregate::passes;
use crate::room;
use kept::{Kept, Order};

/// What is made of all values of a group.
pub(crate) trait Collection: Debug + Send + Sync + Eq + Hash + 'static {
    fn name(&self) -> &'static str;
    /// What the arguments are read as.
    fn coerced(&self, given: &[DataType]) -> Result<Vec<DataType>>;
    fn returns(&self, given: &[FieldRef]) -> Result<FieldRef>;
    /// Whether a row without a first argument does not count.
    fn skips_nulls(&self) -> bool;
    /// One value for each group, whose rows in each argument the offsets tell. A group without rows is NULL.
    fn finish(&self, arguments: &[ArrayRef], groups: &OffsetBuffer<i32>, to: &DataType) -> Result<ArrayRef>;
}

/// The aggregate of a collection.
pub(crate) fn aggregate(of: impl Collection) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Collecting { of: Arc::new(of), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Collecting<C: Collection> {
    of: Arc<C>,
    signature: Signature,
}

impl<C: Collection> Collecting<C> {
    fn collected(&self, args: &AccumulatorArgs<'_>) -> Result<Collected<C>> {
        let mut types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let width = types.len();
        for key in args.order_bys {
            types.push(key.expr.data_type(args.schema)?);
        }
        // The keys of DISTINCT are arguments, which the statement is looked at for; here they may be read in another form, as
        // texts of files, which are views.
        let order = Order {
            options: args.order_bys.iter().map(|key| key.options).collect(),
            arguments: width,
            is_distinct: args.is_distinct,
        };
        let skips_nulls = self.of.skips_nulls() || args.ignore_nulls;
        let kept = Kept::new(types, order);
        Ok(Collected { of: Arc::clone(&self.of), kept, skips_nulls, to: args.return_type().clone() })
    }
}

impl<C: Collection> AggregateUDFImpl for Collecting<C> {
    fn name(&self) -> &str {
        self.of.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.of.coerced(given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = given.iter().map(|of| Arc::new(Field::new("x", of.clone(), true))).collect();
        Ok(self.of.returns(&fields)?.data_type().clone())
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        self.of.returns(given)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(self.collected(&args)?))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let columns = args.input_fields.iter().chain(args.ordering_fields);
        let list = |(at, field): (usize, &FieldRef)| {
            let item = Field::new_list_field(field.data_type().clone(), true);
            Arc::new(Field::new(format!("{}[{at}]", args.name), DataType::List(Arc::new(item)), true))
        };
        Ok(columns.enumerate().map(list).collect())
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.collected(&args)?))
    }

    /// The keys are given with the arguments, and the rows in any order.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Beneficial
    }

    fn with_beneficial_ordering(self: Arc<Self>, _: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }

    fn supports_null_handling_clause(&self) -> bool {
        true
    }
}

/// The values of all groups; alone, there is the group 0.
#[derive(Debug)]
struct Collected<C> {
    of: Arc<C>,
    kept: Kept,
    skips_nulls: bool,
    to: DataType,
}

impl<C: Collection> Collected<C> {
    fn counting(&self, values: &[ArrayRef], condition: Option<&BooleanArray>) -> Result<Option<BooleanArray>> {
        let [first, ..] = values else { return exec_err!("{} takes a value", self.of.name()) };
        let given = (self.skips_nulls && first.null_count() > 0).then(|| is_not_null(first)).transpose()?;
        Ok(match (given, condition) {
            (Some(given), Some(condition)) => Some(and(&given, condition)?),
            (given, condition) => given.or_else(|| condition.cloned()),
        })
    }

    fn add(&mut self, values: &[ArrayRef], groups: Option<&[usize]>, condition: Option<&BooleanArray>) -> Result<()> {
        let rows = values.first().map_or(0, |first| first.len());
        match self.counting(values, condition)? {
            None => self.kept.push(values.to_vec(), &mut (0..rows).map(|row| group(groups, row))),
            Some(counting) => {
                let columns = values.iter().map(|column| filter(column, &counting)).collect::<Result<Vec<_>, _>>()?;
                let rows = (0..rows).filter(|row| counting.is_valid(*row) && counting.value(*row));
                self.kept.push(columns, &mut rows.map(|row| group(groups, row)))
            }
        }
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Option<&[usize]>) -> Result<()> {
        let lists: Vec<_> = states.iter().filter_map(|state| state.as_list_opt::<i32>()).collect();
        let [first, ..] = lists.as_slice() else { return exec_err!("{} has no state", self.of.name()) };
        let offsets = first.value_offsets();
        let (Some(start), Some(end)) = (offsets.first(), offsets.last()) else { return Ok(()) };
        let (start, rows) = (size(*start), size(end - start));
        let columns = lists.iter().map(|list| list.values().slice(start, rows)).collect();
        let lengths =
            offsets.windows(2).map(|pair| size(pair.iter().rev().copied().reduce(|to, from| to - from).unwrap_or(0)));
        let mut of_rows = lengths.enumerate().flat_map(|(at, rows)| std::iter::repeat_n(group(groups, at), rows));
        self.kept.push(columns, &mut of_rows)
    }

    fn finished(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (columns, offsets) = self.kept.sorted(emit_to)?;
        self.of.finish(&columns, &offsets, &self.to)
    }
}

fn group(groups: Option<&[usize]>, row: usize) -> usize {
    groups.and_then(|groups| groups.get(row)).copied().unwrap_or(0)
}

fn size(of: i32) -> usize {
    usize::try_from(of).unwrap_or(0)
}

impl<C: Collection> Accumulator for Collected<C> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.kept.groups_are(1);
        self.add(values, None, None)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = match self.counting(values, None)? {
            None => values.first().map_or(0, |first| first.len()),
            Some(counting) => counting.true_count(),
        };
        self.kept.forget(rows);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.kept.groups_are(1);
        self.merge(states, None)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.kept.groups_are(1);
        let lists = self.kept.lists(EmitTo::All)?;
        lists.into_iter().map(|list| ScalarValue::try_from_array(&list, 0)).collect()
    }

    /// A window goes on behind the value of its row, so the rows stay.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.kept.groups_are(1);
        let rows = self.kept.compacted()?;
        let value = self.finished(EmitTo::All)?;
        self.kept.restore(rows);
        // The scalar is a copy, and what is made of it another.
        let _room = room::claim(2 * value.get_array_memory_size())?;
        ScalarValue::try_from_array(&value, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.size()
    }
}

impl<C: Collection> GroupsAccumulator for Collected<C> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.kept.groups_are(total_num_groups);
        self.add(values, Some(group_indices), opt_filter)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.kept.groups_are(total_num_groups);
        self.merge(states, Some(group_indices))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.finished(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.kept.lists(emit_to)
    }

    /// Each row is a group of its own, which has no row if that does not count.
    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |first| first.len());
        let counting = self.counting(values, opt_filter)?;
        let counts = (0..rows).map(|row| usize::from(passes(counting.as_ref(), row)));
        let offsets = OffsetBuffer::from_lengths(counts);
        let list = |column: &ArrayRef| {
            let values = match &counting {
                Some(counting) => filter(column, counting)?,
                None => Arc::clone(column),
            };
            let item = Field::new_list_field(column.data_type().clone(), true);
            Ok(Arc::new(ListArray::try_new(Arc::new(item), offsets.clone(), values, None)?) as ArrayRef)
        };
        values.iter().map(list).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::array_agg::array_agg;
    use arrow::array::Int32Array;
    use arrow::compute::SortOptions;
    use arrow::datatypes::Schema;
    use datafusion::physical_expr::PhysicalSortExpr;
    use datafusion::physical_expr::expressions::col;

    fn made<R>(distinct: bool, descending: bool, make: impl FnOnce(AccumulatorArgs<'_>) -> R) -> R {
        let schema = Schema::new(vec![Field::new("x", DataType::Int32, true)]);
        let x = col("x", &schema).unwrap();
        let options = SortOptions { descending, nulls_first: descending };
        let order = [PhysicalSortExpr { expr: Arc::clone(&x), options }];
        let fields = [Arc::new(schema.field(0).clone())];
        make(AccumulatorArgs {
            return_field: array_agg().return_field(&fields).unwrap(),
            schema: &schema,
            ignore_nulls: false,
            order_bys: &order,
            is_reversed: false,
            name: "array_agg(x)",
            is_distinct: distinct,
            exprs: &[x],
            expr_fields: &fields,
        })
    }

    fn values(of: impl IntoIterator<Item = i32>) -> Vec<ArrayRef> {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values(of));
        vec![Arc::clone(&values), values]
    }

    fn lists(array: &ArrayRef) -> Vec<Option<Vec<i32>>> {
        let lists: &ListArray = array.as_list();
        let of = |list: ArrayRef| list.as_primitive::<arrow::datatypes::Int32Type>().values().to_vec();
        lists.iter().map(|list| list.map(of)).collect()
    }

    #[test]
    fn groups_come_out_in_order_also_a_few_at_a_time_and_through_their_state() {
        let make = || made(false, true, |args| array_agg().create_groups_accumulator(args).unwrap());
        let (mut part, mut whole) = (make(), make());
        part.update_batch(&values([3, 1, 2, 7]), &[1, 0, 1, 2], None, 4).unwrap();
        part.update_batch(&values([5, 9]), &[1, 0], Some(&vec![true, false].into()), 4).unwrap();
        assert_eq!(lists(&part.evaluate(EmitTo::First(1)).unwrap()), [Some(vec![1])]);
        let state = part.state(EmitTo::All).unwrap();
        whole.merge_batch(&state, &[1, 0, 2], 3).unwrap();
        let all = lists(&whole.evaluate(EmitTo::All).unwrap());
        assert_eq!(all, [Some(vec![7]), Some(vec![5, 3, 2]), None]);
        assert_eq!(lists(&whole.evaluate(EmitTo::All).unwrap()), []);
    }

    #[test]
    fn distinct_values_are_sorted_in_each_aggregate_s_own_order() {
        for (descending, expect) in [(true, vec![3, 2, 1]), (false, vec![1, 2, 3])] {
            let mut all = made(true, descending, |args| array_agg().accumulator(args).unwrap());
            all.update_batch(&values([2, 1, 3, 2])).unwrap();
            all.update_batch(&values([1])).unwrap();
            let value = all.evaluate().unwrap().to_array().unwrap();
            assert_eq!(lists(&value), [Some(expect)]);
        }
    }

    #[test]
    fn a_window_moves() {
        let mut window = made(false, false, |args| array_agg().accumulator(args).unwrap());
        let value =
            |window: &mut Box<dyn Accumulator>| lists(&window.evaluate().unwrap().to_array().unwrap()).remove(0);
        assert_eq!(value(&mut window), None);
        window.update_batch(&values([1, 2])).unwrap();
        assert_eq!(value(&mut window), Some(vec![1, 2]));
        window.update_batch(&values([3])).unwrap();
        window.retract_batch(&values([1])).unwrap();
        assert_eq!(value(&mut window), Some(vec![2, 3]));
        window.retract_batch(&values([2, 3])).unwrap();
        assert_eq!(value(&mut window), None);
    }
}
