//! `first(value, time)`, `last(value, time)` - the value of the least and of the greatest time of a group.

mod keys;
mod moving;
mod winners;

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use crate::Error;
use crate::manual::Manual;
use crate::pg_type;
use keys::{Side, key_type, keys};
use moving::Moving;
use winners::Winners;

/// The page of `first`.
pub(crate) static FIRST: Manual = Manual {
    name: "first",
    calls: &[("(value anyelement, time \"any\")", "anyelement")],
    meaning: "The value of the row whose time is the least of the group. Time is of any type that has an order. Of rows \
              of one time the first that was read counts, which is any of them where a query reads in parallel.",
    nulls: "Rows whose time is NULL do not count; a value that is NULL does. NULL when no row counts. NaN is the greatest \
            time.",
    example: (
        "SELECT first(v, t) FROM (VALUES (7, TIMESTAMP '2024-01-02'), (5, TIMESTAMP '2024-01-01')) AS m(v, t)",
        "5",
    ),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/first/",
};

/// The page of `last`.
pub(crate) static LAST: Manual = Manual {
    name: "last",
    calls: &[("(value anyelement, time \"any\")", "anyelement")],
    meaning: "The value of the row whose time is the greatest of the group. Time is of any type that has an order. Of \
              rows of one time the first that was read counts, which is any of them where a query reads in parallel.",
    nulls: "Rows whose time is NULL do not count; a value that is NULL does. NULL when no row counts. NaN is the greatest \
            time.",
    example: (
        "SELECT last(v, t) FROM (VALUES (7, TIMESTAMP '2024-01-02'), (5, TIMESTAMP '2024-01-01')) AS m(v, t)",
        "7",
    ),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/last/",
};

/// `first`.
pub fn first() -> Arc<AggregateUDF> {
    of(Side::Least)
}

/// `last`.
pub fn last() -> Arc<AggregateUDF> {
    of(Side::Greatest)
}

fn of(side: Side) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(AtTime { side, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AtTime {
    side: Side,
    signature: Signature,
}

impl AggregateUDFImpl for AtTime {
    fn name(&self) -> &'static str {
        match self.side {
            Side::Least => "first",
            Side::Greatest => "last",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = given.iter().map(|of| Arc::new(Field::new("x", of.clone(), true))).collect();
        Ok(self.return_field(&fields)?.data_type().clone())
    }

    /// A time whose texts are not in the order of their values has none here.
    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        match given {
            [value, time] if !matches!(pg_type::tag(time), Some("json" | "jsonb" | "timetz")) => {
                Ok(Arc::new(value.as_ref().clone().with_name(self.name()).with_nullable(true)))
            }
            _ => {
                let types: Vec<_> = given.iter().map(|field| pg_type::sql_name(field)).collect();
                let message = format!("function {}({}) does not exist", self.name(), types.join(", "));
                Err(Error::UndefinedFunction(message).into())
            }
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Alone(Winners::new(self.side, args.return_type(), time_type(&args)?))))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Moving::new(self.side, ScalarValue::try_from(args.return_type())?)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let [value, time] = args.input_fields else { return exec_err!("{} takes a value and a time", self.name()) };
        let field = |name: &str, of: DataType| Arc::new(Field::new(format!("{}[{name}]", args.name), of, true));
        Ok(vec![field("value", value.data_type().clone()), field("key", key_type(time.data_type()))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Winners::new(self.side, args.return_type(), time_type(&args)?)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

fn time_type<'a>(args: &AccumulatorArgs<'a>) -> Result<&'a DataType> {
    match args.expr_fields {
        [_, time] => Ok(time.data_type()),
        _ => exec_err!("{} takes a value and a time", args.name),
    }
}

/// The columns of a batch or of a state: the values and, made of the times, their keys.
fn pair(columns: &[ArrayRef]) -> Result<(&ArrayRef, &ArrayRef)> {
    match columns {
        [values, times] => Ok((values, times)),
        _ => exec_err!("{} columns are no values and times", columns.len()),
    }
}

impl GroupsAccumulator for Winners {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let (values, times) = pair(values)?;
        self.groups_are(total_num_groups);
        self.offer(values, &keys::counting(keys(times)?, opt_filter)?, group_indices.iter().copied())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let (values, keys) = pair(states)?;
        self.groups_are(total_num_groups);
        self.offer(values, keys, group_indices.iter().copied())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.emitted(emit_to)?.0)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (values, keys) = self.emitted(emit_to)?;
        Ok(vec![values, keys])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let (values, times) = pair(values)?;
        Ok(vec![Arc::clone(values), keys::counting(keys(times)?, opt_filter)?])
    }

    fn size(&self) -> usize {
        self.bytes()
    }
}

/// The winner of all rows: of group 0.
#[derive(Debug)]
struct Alone(Winners);

impl Accumulator for Alone {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (values, times) = pair(values)?;
        self.0.groups_are(1);
        self.0.offer(values, &keys(times)?, std::iter::repeat_n(0, times.len()))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, keys) = pair(states)?;
        self.0.groups_are(1);
        self.0.offer(values, keys, std::iter::repeat_n(0, keys.len()))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.groups_are(1);
        let (values, keys) = self.0.current()?;
        [values, keys].iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.groups_are(1);
        ScalarValue::try_from_array(&self.0.current()?.0, 0)
    }

    fn size(&self) -> usize {
        self.0.bytes()
    }
}

#[cfg(test)]
mod tests;
