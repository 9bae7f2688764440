//! `percentile_cont(fraction)`, `percentile_disc(fraction)` and `mode()`, each `WITHIN GROUP (ORDER BY x)`.
//!
//! `percentile_cont` interpolates in double precision, or between intervals; the others give a value of the group, in its own type. Values
//! that are NULL do not count; NULL when there is none, or for a fraction that is NULL. A fraction outside 0 to 1 is 22003.
//! An array of fractions gives the array of their values.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html#FUNCTIONS-ORDEREDSET-TABLE>
//!
//! ```sql
//! SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY v) FROM generate_series(1, 100) AS t(v);  -- 95.05
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, concat, filter, is_not_null, sort, sort_to_indices, take};
use arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Signature, Volatility};

use super::spans;
use crate::Error;
use crate::function::pg_name;

/// `percentile_cont`.
pub fn percentile_cont() -> Arc<AggregateUDF> {
    udf(Kind::Continuous)
}

/// `percentile_disc`.
pub fn percentile_disc() -> Arc<AggregateUDF> {
    udf(Kind::Discrete)
}

/// `mode`.
pub fn mode() -> Arc<AggregateUDF> {
    udf(Kind::Mode)
}

fn udf(kind: Kind) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(OrderedSet { kind, signature }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Continuous,
    Discrete,
    Mode,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OrderedSet {
    kind: Kind,
    signature: Signature,
}

impl AggregateUDFImpl for OrderedSet {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Continuous => "percentile_cont",
            Kind::Discrete => "percentile_disc",
            Kind::Mode => "mode",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let fractions = match given.get(1) {
            Some(DataType::List(_)) => list(DataType::Float64),
            _ => DataType::Float64,
        };
        Ok(match (self.kind, given) {
            (Kind::Continuous, [of, _]) if of.is_numeric() || *of == DataType::Null => {
                vec![DataType::Float64, fractions]
            }
            (Kind::Discrete, [of, _]) => vec![of.clone(), fractions],
            (Kind::Continuous, [of @ SPAN, _]) => vec![of.clone(), fractions],
            _ => given.to_vec(),
        })
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match (self.kind, given) {
            (Kind::Continuous, [of @ (DataType::Float64 | SPAN), DataType::List(_)])
            | (Kind::Discrete, [of, DataType::List(_)]) => Ok(list(of.clone())),
            (Kind::Continuous, [of @ (DataType::Float64 | SPAN), _]) => Ok(of.clone()),
            (Kind::Discrete, [of, _]) | (Kind::Mode, [of]) => Ok(of.clone()),
            _ => {
                // The value of WITHIN GROUP comes first here and last in PostgreSQL's messages.
                let types: Vec<_> = given.iter().rev().map(pg_name).collect();
                let name = self.name();
                Err(Error::UndefinedFunction(format!("function {name}({}) does not exist", types.join(", "))).into())
            }
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let options = args.order_bys.first().map_or_else(SortOptions::default, |sort| sort.options);
        let fractions = match args.exprs.get(1) {
            Some(expr) => {
                let empty = arrow::array::RecordBatch::new_empty(Arc::new(args.schema.clone()));
                match expr.evaluate(&empty)? {
                    ColumnarValue::Scalar(value) => fractions(&value)?,
                    ColumnarValue::Array(_) => {
                        return Err(Error::Unsupported(format!("{} of a fraction that varies", self.name())).into());
                    }
                }
            }
            None => Fractions::One(None),
        };
        let Some(of) = args.expr_fields.first() else { return exec_err!("{} takes a value", self.name()) };
        let values = Vec::new();
        Ok(Box::new(Values { kind: self.kind, fractions, options, of: of.data_type().clone(), values }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let Some(of) = args.input_fields.first() else { return exec_err!("{} takes a value", self.name()) };
        let item = Field::new_list_field(of.data_type().clone(), true);
        Ok(vec![Arc::new(Field::new(format!("{}[values]", args.name), DataType::List(Arc::new(item)), true))])
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    /// It sorts for itself: another aggregate of the query may want another order.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Beneficial
    }

    fn with_beneficial_ordering(self: Arc<Self>, _: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }
}

fn list(of: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(of, true)))
}

/// Which parts of the group are asked for.
#[derive(Debug, Clone, PartialEq)]
enum Fractions {
    One(Option<f64>),
    /// NULL instead of an array.
    Unknown,
    Many(Vec<Option<f64>>),
}

fn fractions(value: &ScalarValue) -> Result<Fractions> {
    let ScalarValue::List(list) = value else { return fraction(value).map(Fractions::One) };
    if list.is_null(0) {
        return Ok(Fractions::Unknown);
    }
    let items = list.value(0);
    let item = |index| fraction(&ScalarValue::try_from_array(&items, index)?);
    (0..items.len()).map(item).collect::<Result<_>>().map(Fractions::Many)
}

fn fraction(value: &ScalarValue) -> Result<Option<f64>> {
    let ScalarValue::Float64(fraction) = value.cast_to(&DataType::Float64)? else { return Ok(None) };
    match fraction {
        Some(of) if !(0.0..=1.0).contains(&of) => Err(Error::PercentileOutOfRange(of.to_string()).into()),
        of => Ok(of),
    }
}

/// All values of a group; the memory pool counts them.
#[derive(Debug)]
struct Values {
    kind: Kind,
    fractions: Fractions,
    options: SortOptions,
    of: DataType,
    values: Vec<ArrayRef>,
}

impl Values {
    fn push(&mut self, values: &ArrayRef) -> Result<()> {
        let known = match values.null_count() {
            // A slice would keep the batch that it is part of.
            0 => concat(&[values.as_ref()])?,
            _ => filter(values, &is_not_null(values)?)?,
        };
        if !known.is_empty() {
            self.values.push(known);
        }
        Ok(())
    }

    fn sorted(&self) -> Result<ArrayRef> {
        let parts: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        let options = Some(SortOptions { nulls_first: false, ..self.options });
        let values = concat(&parts)?;
        if self.of != SPAN {
            return Ok(sort(&values, options)?);
        }
        // The months of an interval are 30 days, which Arrow's order does not know.
        let spans = values.as_primitive::<IntervalMonthDayNanoType>();
        let lengths: Decimal128Array = spans.unary(spans::length);
        Ok(take(&values, &sort_to_indices(&lengths, options, None)?, None)?)
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.first().map_or(Ok(()), |values| self.push(values))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first() else { return Ok(()) };
        lists.as_list::<i32>().iter().flatten().try_for_each(|values| self.push(&values))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        let values = if parts.is_empty() { arrow::array::new_empty_array(&self.of) } else { concat(&parts)? };
        let item = Arc::new(Field::new_list_field(self.of.clone(), true));
        let list = ListArray::try_new(item, OffsetBuffer::from_lengths([values.len()]), values, None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sorted = if self.values.is_empty() { None } else { Some(self.sorted()?) };
        let value = |fraction: Option<f64>| match (self.kind, &sorted, fraction) {
            (Kind::Mode, Some(sorted), _) => ScalarValue::try_from_array(sorted, most_frequent(sorted)?),
            (Kind::Continuous, Some(sorted), Some(of)) if self.of == SPAN => {
                Ok(ScalarValue::IntervalMonthDayNano(interpolated_span(sorted, of)?))
            }
            (Kind::Continuous, Some(sorted), Some(of)) => Ok(ScalarValue::Float64(interpolated(sorted, of))),
            (Kind::Discrete, Some(sorted), Some(of)) => ScalarValue::try_from_array(sorted, discrete(sorted.len(), of)),
            _ => ScalarValue::try_from(&self.of),
        };
        match &self.fractions {
            Fractions::One(fraction) => value(*fraction),
            Fractions::Many(fractions) if sorted.is_some() => {
                let values = fractions.iter().map(|fraction| value(*fraction)).collect::<Result<Vec<_>>>()?;
                Ok(ScalarValue::List(ScalarValue::new_list(&values, &self.of, true)))
            }
            Fractions::Many(_) | Fractions::Unknown => ScalarValue::try_from(&list(self.of.clone())),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.iter().map(Array::get_array_memory_size).sum::<usize>()
    }
}

/// The row of the first value whose position is the fraction of all or more.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a row")]
fn discrete(rows: usize, fraction: f64) -> usize {
    ((fraction * rows as f64).ceil() as usize).clamp(1, rows.max(1)) - 1
}

/// The values around the position that is the fraction of all, and how far it is from the first of them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a row")]
fn around<T: Copy>(values: &[T], fraction: f64) -> Option<(T, T, f64)> {
    let position = fraction * (values.len().checked_sub(1)? as f64);
    let low = *values.get(position.floor() as usize)?;
    let high = *values.get(position.ceil() as usize)?;
    Some((low, high, position - position.floor()))
}

fn interpolated(sorted: &ArrayRef, fraction: f64) -> Option<f64> {
    let (low, high, part) = around(sorted.as_primitive::<Float64Type>().values(), fraction)?;
    Some(if part == 0.0 { low } else { low + part * (high - low) })
}

fn interpolated_span(sorted: &ArrayRef, fraction: f64) -> Result<Option<IntervalMonthDayNano>> {
    let values = sorted.as_primitive::<IntervalMonthDayNanoType>().values();
    let Some((low, high, part)) = around(values, fraction) else { return Ok(None) };
    Ok(Some(if part == 0.0 { low } else { spans::between_spans(low, high, part)? }))
}

/// An interval.
const SPAN: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// The first row of the longest run of equal values.
fn most_frequent(sorted: &ArrayRef) -> Result<usize> {
    let runs = arrow::compute::partition(std::slice::from_ref(sorted))?.ranges();
    let mut best = 0..0;
    for run in runs {
        if run.len() > best.len() {
            best = run;
        }
    }
    Ok(best.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, StringArray};

    fn values(kind: Kind, fraction: f64, of: ArrayRef) -> ScalarValue {
        of_many(kind, Fractions::One(Some(fraction)), of)
    }

    fn of_many(kind: Kind, fractions: Fractions, of: ArrayRef) -> ScalarValue {
        let options = SortOptions::default();
        let of_type = of.data_type().clone();
        let make = || Values { kind, fractions: fractions.clone(), options, of: of_type.clone(), values: Vec::new() };
        let (mut part, mut whole) = (make(), make());
        part.update_batch(&[of]).unwrap();
        let state = part.state().unwrap().remove(0).to_array().unwrap();
        whole.merge_batch(&[state]).unwrap();
        whole.evaluate().unwrap()
    }

    #[test]
    fn percentiles_and_modes_are_postgres_s() {
        let hundred = || Arc::new(Float64Array::from_iter_values((1..=100).rev().map(f64::from))) as ArrayRef;
        assert_eq!(values(Kind::Continuous, 0.95, hundred()), ScalarValue::Float64(Some(95.05)));
        assert_eq!(values(Kind::Discrete, 0.5, hundred()), ScalarValue::Float64(Some(50.0)));
        assert_eq!(values(Kind::Discrete, 0.0, hundred()), ScalarValue::Float64(Some(1.0)));
        let texts = || Arc::new(StringArray::from(vec![Some("b"), None, Some("a"), Some("b")])) as ArrayRef;
        assert_eq!(values(Kind::Mode, 0.0, texts()), ScalarValue::from("b"));
        assert_eq!(values(Kind::Discrete, 0.1, texts()), ScalarValue::from("a"));
        let two = of_many(Kind::Continuous, Fractions::Many(vec![Some(0.5), None]), hundred());
        let expect = [ScalarValue::Float64(Some(50.5)), ScalarValue::Float64(None)];
        assert_eq!(two, ScalarValue::List(ScalarValue::new_list(&expect, &DataType::Float64, true)));
        let spans = [IntervalMonthDayNano::new(1, 0, 0), IntervalMonthDayNano::new(0, 40, 0)];
        let spans = Arc::new(arrow::array::IntervalMonthDayNanoArray::from(spans.to_vec())) as ArrayRef;
        let span = |months, days| ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(months, days, 0)));
        assert_eq!(values(Kind::Discrete, 0.5, Arc::clone(&spans)), span(1, 0));
        assert_eq!(values(Kind::Continuous, 1.0, Arc::clone(&spans)), span(0, 40));
        assert_eq!(values(Kind::Continuous, 0.5, spans), span(1, 5));
        let none = Arc::new(Float64Array::from(vec![None, None])) as ArrayRef;
        assert_eq!(values(Kind::Continuous, 0.5, none), ScalarValue::Float64(None));
    }
}
