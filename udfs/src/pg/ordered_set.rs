//! `percentile_cont(fraction)`, `percentile_disc(fraction)` and `mode()`, each `WITHIN GROUP (ORDER BY x)`.
//!
//! `percentile_cont` interpolates in double precision; the others give a value of the group, in its own type. Values
//! that are NULL do not count; NULL when there is none, or for a fraction that is NULL. A fraction outside 0 to 1 is 22003.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html#FUNCTIONS-ORDEREDSET-TABLE>
//!
//! ```sql
//! SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY v) FROM generate_series(1, 100) AS t(v);  -- 95.05
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, concat, filter, is_not_null, sort};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Signature, Volatility};

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
        Ok(match (self.kind, given) {
            (Kind::Continuous, [of, _]) if of.is_numeric() || *of == DataType::Null => {
                vec![DataType::Float64, DataType::Float64]
            }
            (Kind::Discrete, [of, _]) => vec![of.clone(), DataType::Float64],
            _ => given.to_vec(),
        })
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match (self.kind, given) {
            (Kind::Continuous, [DataType::Float64, _]) => Ok(DataType::Float64),
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
        let fraction = match args.exprs.get(1) {
            Some(expr) => {
                let empty = arrow::array::RecordBatch::new_empty(Arc::new(args.schema.clone()));
                match expr.evaluate(&empty)? {
                    ColumnarValue::Scalar(value) => fraction(&value)?,
                    ColumnarValue::Array(_) => {
                        return Err(Error::Unsupported(format!("{} of a fraction that varies", self.name())).into());
                    }
                }
            }
            None => None,
        };
        let Some(of) = args.expr_fields.first() else { return exec_err!("{} takes a value", self.name()) };
        let values = Vec::new();
        Ok(Box::new(Values { kind: self.kind, fraction, options, of: of.data_type().clone(), values }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let Some(of) = args.input_fields.first() else { return exec_err!("{} takes a value", self.name()) };
        let item = Field::new_list_field(of.data_type().clone(), true);
        Ok(vec![Arc::new(Field::new(format!("{}[values]", args.name), DataType::List(Arc::new(item)), true))])
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }
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
    fraction: Option<f64>,
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
        let options = SortOptions { nulls_first: false, ..self.options };
        Ok(sort(&concat(&parts)?, Some(options))?)
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
        let null = || ScalarValue::try_from(&self.of);
        if self.values.is_empty() || (self.kind != Kind::Mode && self.fraction.is_none()) {
            return null();
        }
        let sorted = self.sorted()?;
        let fraction = self.fraction.unwrap_or_default();
        match self.kind {
            Kind::Continuous => Ok(ScalarValue::Float64(interpolated(&sorted, fraction))),
            Kind::Discrete => ScalarValue::try_from_array(&sorted, discrete(sorted.len(), fraction)),
            Kind::Mode => ScalarValue::try_from_array(&sorted, most_frequent(&sorted)?),
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a row")]
fn interpolated(sorted: &ArrayRef, fraction: f64) -> Option<f64> {
    let values = sorted.as_primitive::<Float64Type>().values();
    let position = fraction * (values.len().checked_sub(1)? as f64);
    let low = *values.get(position.floor() as usize)?;
    let high = *values.get(position.ceil() as usize)?;
    let part = position - position.floor();
    Some(if part == 0.0 { low } else { low + part * (high - low) })
}

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
        let options = SortOptions::default();
        let of_type = of.data_type().clone();
        let make = || Values { kind, fraction: Some(fraction), options, of: of_type.clone(), values: Vec::new() };
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
        let none = Arc::new(Float64Array::from(vec![None, None])) as ArrayRef;
        assert_eq!(values(Kind::Continuous, 0.5, none), ScalarValue::Float64(None));
    }
}
